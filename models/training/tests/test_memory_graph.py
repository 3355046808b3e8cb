"""The memory in the graphs: reference and step graph give what PyTorch gives, training goes on from a shipped graph, and sampling follows the mixture."""

import numpy as np
import pytest
import torch
from pieces import piece
from runtime import Reference, Step
from test_memory import remembering

from antiphon_training import checkpoint, memory
from antiphon_training import vocabulary as v
from antiphon_training.checkpoint import Description
from antiphon_training.export import export

FINE = (1, 2, 4, 8, 12, 16, 24, 32)


@pytest.fixture(scope="module")
def music():
    """Notes that come back, so that there is something to remember."""
    found = piece(bars=30)
    content = [v.FIELD[name] for name in ("pitch", "duration", "velocity")]
    found.targets[:, content] = np.where(found.targets[:, content] >= 0, found.targets[:, content] % 7, -1)
    return found


@pytest.fixture(scope="module")
def wanted(music):
    """The model, and what PyTorch gives: losses [T, 8], and those without the memory."""
    model = remembering(seed=9, width=64)
    rows, key, query, bar, targets = (torch.from_numpy(a)[None] for a in (music.rows, music.key, music.query, music.bar, music.targets))
    order = bar.clamp(min=0)
    with torch.no_grad():
        hidden = model.forward_hidden(rows, key, query, model.mask(rows[..., 0], bar, order, "fine_coarse"), order)
        parts = memory.field_losses(model, hidden, rows, targets, None, order, [(0, rows.shape[1])])
        plain = model.losses(hidden, rows, targets)[0].numpy()
    nll = np.zeros((rows.shape[1], 8), np.float32)
    for i, (index, loss) in enumerate(parts):
        nll[index, i] = loss
    return model, nll, plain


@pytest.fixture(scope="module")
def graphs(wanted, tmp_path_factory):
    folder = tmp_path_factory.mktemp("memory")
    export(wanted[0], Description(name="test"), folder / "step.onnx", "fp32", folder / "reference.onnx")
    return folder


def test_the_memory_counts_in_this_test(music, wanted):
    _, nll, plain = wanted
    for name in memory.FIELDS:
        assert np.abs(nll - plain)[:, v.FIELD[name]].max() > 0.1


def test_reference_graph_equals_pytorch(music, wanted, graphs):
    model, nll, _ = wanted
    rows, bar = torch.from_numpy(music.rows)[None], torch.from_numpy(music.bar)[None]
    mask = model.mask(rows[..., 0], bar, bar.clamp(min=0), "fine_coarse")[0, 0].numpy()
    out = Reference(graphs / "reference.onnx").run(music, mask)
    has = music.targets >= 0
    np.testing.assert_allclose(out["nll"][has], nll[has], atol=1e-3, rtol=1e-4)


@pytest.mark.parametrize("whole_bars", [False, True], ids=["row_by_row", "whole_bars"])
def test_cached_steps_equal_pytorch(music, wanted, graphs, whole_bars):
    out = Step(graphs / "step.onnx").run(music, lambda bar, *_: [j for j in range(bar) if bar - j in FINE], True, whole_bars)
    has = music.targets >= 0
    np.testing.assert_allclose(out["nll"][has], wanted[1][has], atol=1e-3, rtol=1e-4)


def test_what_is_sampled_follows_the_mixture(music, graphs):
    """The likeliest class of the mixture is chosen where nothing is forced, and a mask still forbids it."""
    step = Step(graphs / "step.onnx")
    step.run(music, lambda bar, *_: [j for j in range(bar) if bar - j in FINE], True, True)
    row = int(np.flatnonzero((music.bar == music.bar.max()) & (music.targets[:, 0] >= 0))[0])
    index, pitch = np.array([row]), v.FIELD["pitch"]
    free = {"force": np.full((1, 8), -1, np.int64)}
    nll = {}
    for c in range(256):
        forced = free["force"].copy()
        forced[0, pitch] = c
        nll[c] = float(step.append(music, index, 0, force=forced)["nll"][0, pitch])
    assert sum(np.exp(-value) for value in nll.values()) == pytest.approx(1, abs=1e-4)
    best = min(nll, key=nll.get)
    out = step.append(music, index, 0, **free)
    assert out["choice"][0, pitch] == out["best"][0, pitch] == best
    forbidden = np.zeros((1, 256), np.float32)
    forbidden[0, best] = -1e9
    second = step.append(music, index, 0, **free, mask_pitch=forbidden)["choice"][0, pitch]
    assert second == min((c for c in nll if c != best), key=nll.get)


def test_training_goes_on_from_a_graph_with_memory(wanted, graphs):
    model, _, _ = checkpoint.load(graphs / "step.onnx")
    for name, value in wanted[0].state_dict().items():
        torch.testing.assert_close(model.state_dict()[name], value)


def test_the_keys_stay_exact_in_int8(wanted, tmp_path):
    export(wanted[0], Description(name="test"), tmp_path / "int8.onnx", "int8")
    said = Step(tmp_path / "int8.onnx").meta
    assert said["antiphon.format"] == "2" and said["antiphon.memory"] == "8"
