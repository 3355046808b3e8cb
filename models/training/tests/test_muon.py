"""Batched Muon against PyTorch's own."""

import pytest
import torch

from antiphon_training.muon import Muon, orthogonalise

SHAPES = [(32, 32), (96, 32), (32, 96), (32, 128), (96, 32)]


def weights() -> list[torch.nn.Parameter]:
    generator = torch.Generator().manual_seed(1)
    return [torch.nn.Parameter(torch.randn(shape, generator=generator)) for shape in SHAPES]


def give_gradients(parameters, step: int) -> None:
    generator = torch.Generator().manual_seed(step)
    for parameter in parameters:
        parameter.grad = torch.randn(parameter.shape, generator=generator)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_steps_are_those_of_torch(dtype):
    ours, theirs, before = weights(), weights(), weights()
    mine = Muon(ours, 0.02, 0.05, dtype=dtype)
    original = torch.optim.Muon(theirs, 0.02, weight_decay=0.05, momentum=0.95, adjust_lr_fn="match_rms_adamw")
    for step in range(3):
        for parameters, optimiser in ((ours, mine), (theirs, original)):
            give_gradients(parameters, step)
            optimiser.step()
    for a, b, start in zip(ours, theirs, before, strict=True):
        moved = b - start
        assert (a - b).norm() < 0.05 * moved.norm(), "theirs iterates in bf16"


def test_fp32_and_bf16_iterations_orthogonalise():
    x = torch.randn(4, 32, 96, generator=torch.Generator().manual_seed(2))
    for stack in (orthogonalise(x), orthogonalise(x.bfloat16()).float()):
        values = torch.linalg.svdvals(stack)
        assert values.min() > 0.5 and values.max() < 1.35
    u, _, v = torch.linalg.svd(x, full_matrices=False)
    assert torch.cosine_similarity((u @ v).flatten(), orthogonalise(x).flatten(), 0) > 0.98


def test_checkpoints_of_torchs_muon_go_on():
    ours, theirs = weights(), weights()
    original = torch.optim.Muon(theirs, 0.02, weight_decay=0.05, momentum=0.95, adjust_lr_fn="match_rms_adamw")
    give_gradients(theirs, 0)
    original.step()
    with torch.no_grad():
        for a, b in zip(ours, theirs, strict=True):
            a.copy_(b)
    mine = Muon(ours, 0.02, dtype=torch.float32)
    mine.load_state_dict(original.state_dict())
    for parameters, optimiser in ((ours, mine), (theirs, original)):
        give_gradients(parameters, 1)
        optimiser.step()
    for a, b in zip(ours, theirs, strict=True):
        assert (a - b).norm() < 0.002 * b.norm()
        momentum = mine.state[a]["momentum_buffer"]
        torch.testing.assert_close(momentum, original.state[b]["momentum_buffer"])
