"""PyTorch over the whole sequence == reference graph == step graph bar by bar over a gathered cache, for every policy."""

import numpy as np
import pytest
import torch
from runtime import Reference, Step

TOLERANCE = 1e-4  # the contract's, in fp32

# Whether bar b sees bar j note by note, and whether it sees the summary of the others.
POLICIES = {
    "fine_coarse": (lambda b, j: b - j in (1, 2, 4, 8, 12, 16, 24, 32), True),
    "summaries": (lambda b, j: False, True),
    "window:4": (lambda b, j: b - j <= 4, False),
    "strided:6": (lambda b, j: b - j <= 6 or (b - j) % 6 == 0, False),
    "fixed:6,2": (lambda b, j: j // 6 == b // 6 or j % 6 >= 4, False),
    "dense": (lambda b, j: True, False),
}
BY_CONTENT = ["topk:1", "topk:4"]


def choice(policy, step):
    """What `Step.run` wants to know."""
    if policy in BY_CONTENT:
        return step.top_k(int(policy.removeprefix("topk:"))), False
    sees, summaries = POLICIES[policy]
    return lambda bar, *_: [j for j in range(bar) if sees(bar, j)], summaries


@pytest.mark.parametrize("policy", [*POLICIES, *BY_CONTENT])
def test_reference_graph_equals_pytorch(policy, model, music, reference, hidden_of):
    hidden, mask = hidden_of(music, policy)
    out = reference.run(music, mask)
    np.testing.assert_allclose(out["hidden"], hidden[0].numpy(), atol=TOLERANCE, rtol=0)
    with torch.no_grad():
        nll = model.losses(hidden, torch.from_numpy(music.rows)[None], torch.from_numpy(music.targets)[None])[0].numpy()
    has = music.targets >= 0
    np.testing.assert_allclose(out["nll"][has], nll[has], atol=10 * TOLERANCE, rtol=TOLERANCE)
    assert (out["choice"][has] == music.targets[has]).all()


@pytest.mark.parametrize("whole_bars", [False, True], ids=["row_by_row", "whole_bars"])
@pytest.mark.parametrize("policy", [*POLICIES, *BY_CONTENT])
def test_cached_steps_equal_the_whole_sequence(policy, whole_bars, music, step, hidden_of):
    hidden, _ = hidden_of(music, policy)
    out = step.run(music, *choice(policy, step), whole_bars)
    np.testing.assert_allclose(out["hidden"], hidden[0].numpy(), atol=TOLERANCE, rtol=0)


def test_policies_differ(music, hidden_of):
    """Otherwise the tests above would prove nothing."""
    states = [hidden_of(music, policy)[0].numpy() for policy in (*POLICIES, *BY_CONTENT)]
    for i in range(len(states)):
        for j in range(i):
            assert np.abs(states[i] - states[j]).max() > 100 * TOLERANCE


@pytest.mark.parametrize(("weights", "limit"), [("fp16", 0.01), ("int8", 0.1)])
def test_smaller_weights_stay_close(weights, limit, exported, music, hidden_of):
    hidden, mask = hidden_of(music)
    path, reference_path = exported(weights)
    steps = Step(path)
    steps = steps.run(music, *choice("fine_coarse", steps), whole_bars=False)
    error = np.sqrt(((steps["hidden"] - hidden[0].numpy()) ** 2).mean() / (hidden.numpy() ** 2).mean())
    assert 0 < error < limit
    whole = Reference(reference_path).run(music, mask)
    gap = np.sqrt(((steps["hidden"] - whole["hidden"]) ** 2).mean() / (hidden.numpy() ** 2).mean())
    assert gap < (limit if weights == "int8" else TOLERANCE)  # int8 also rounds activations, so tiny differences grow


def test_weights_are_stored_in_the_requested_type(exported):
    sizes = {weights: exported(weights)[0].stat().st_size for weights in ("fp32", "fp16", "int8")}
    assert sizes["fp16"] < 0.6 * sizes["fp32"]
    assert sizes["int8"] < 0.6 * sizes["fp32"]
    for weights in sizes:
        assert exported(weights)[1].stat().st_size < 60_000  # the reference graph holds no weights of its own
