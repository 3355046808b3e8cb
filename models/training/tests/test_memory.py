"""The memory of the piece: causal, normalised, learnt, and nothing where there is nothing to remember."""

import dataclasses

import numpy as np
import pytest
import torch
from test_data import corpus
from test_train import SMALL

from antiphon_training import checkpoint, memory, packed
from antiphon_training.data import Augmentation, Windows
from antiphon_training.export import random_model
from antiphon_training.model import Config
from antiphon_training.train import Losses, Trainer, bar_order
from antiphon_training.vocabulary import FIELD, SUM


def remembering(seed: int = 4, width: int = 32) -> torch.nn.Module:
    """A random model whose gates, bonuses and temperatures all count."""
    model = random_model(Config(width=width, layers=1, heads=2, memory=8), seed=seed)
    with torch.no_grad():
        for part in model.memory.fields.values():
            part.gate.bias.copy_(torch.tensor([1.0, 0.0, 0.5]))
    return model


@pytest.fixture(scope="module")
def model():
    return remembering()


def window(seed: int = 3, length: int = 400):
    windows = Windows(corpus(seed, bars=60), length, {})
    return windows, windows.window(0, None, None).cut(length)


def losses_of(model, sequence) -> tuple[torch.Tensor, list]:
    """Per field (rows, losses) of one sequence on the dense path."""
    rows, key, query, targets, scored = (torch.from_numpy(getattr(sequence, f))[None] for f in ("rows", "key", "query", "targets", "scored"))
    hidden = Losses(model, "fine_coarse").hidden(rows, key, query)
    order = bar_order(rows)
    with torch.no_grad():
        return memory.field_losses(model, hidden, rows, targets, scored, order, [(0, rows.shape[1])])


def test_losses_of_the_first_half_do_not_depend_on_the_second(model):
    _, sequence = window()
    whole = losses_of(model, sequence)
    ends = np.flatnonzero(sequence.rows[:, 0] == SUM)
    half = int(ends[len(ends) // 2]) + 1
    part = losses_of(model, sequence.cut(half))
    for (rows, losses), (first_rows, first) in zip(whole, part, strict=True):
        assert torch.equal(rows[: len(first_rows)], first_rows)
        torch.testing.assert_close(losses[: len(first)], first, rtol=1e-5, atol=1e-5)


def test_a_row_remembers_no_row_of_its_own_bar(model):
    _, sequence = window()
    whole = losses_of(model, sequence)
    ends = np.flatnonzero(sequence.rows[:, 0] == SUM)
    cut = int(ends[20]) - 2
    changed = dataclasses.replace(sequence, targets=sequence.targets.copy())
    i = FIELD["velocity"]
    changed.targets[cut, i] = (changed.targets[cut, i] + 1) % 32
    other = losses_of(model, changed)
    same_bar = (whole[i][0] > ends[19]) & (whole[i][0] <= ends[20]) & (whole[i][0] != cut)
    torch.testing.assert_close(whole[i][1][same_bar], other[i][1][same_bar])
    later = whole[i][0] > ends[20]
    assert (whole[i][1][later] - other[i][1][later]).abs().max() > 1e-6, "later bars remember it"


@pytest.mark.parametrize("name", memory.FIELDS)
def test_the_mixed_distribution_sums_to_one(model, name):
    generator = torch.Generator().manual_seed(1)
    classes, entries = model.heads[FIELD[name]].outer.out_features, 30
    state = torch.randn(1, 32, generator=generator).expand(classes, -1)
    logits = torch.randn(1, classes, generator=generator).expand(classes, -1)
    nearness = (-torch.rand(1, entries, generator=generator)).expand(classes, -1)
    of = torch.randint(classes, (1, entries), generator=generator).expand(classes, -1)
    matches = [(torch.rand(1, entries, generator=generator) > 0.5).expand(classes, -1) for _ in memory.MATCHES[name]]
    with torch.no_grad():
        nll = model.memory.fields[name](state, logits, torch.arange(classes), nearness, of, matches)
    assert (-nll).exp().sum() == pytest.approx(1, abs=1e-5)
    plain = logits[0].softmax(0)
    assert ((-nll).exp() - plain).abs().max() > 1e-3, "the memory counts"


def test_the_first_bar_is_the_models_alone(model):
    _, sequence = window()
    first = sequence.cut(int(np.flatnonzero(sequence.rows[:, 0] == SUM)[0]) + 1)
    rows, key, query, targets, scored = (torch.from_numpy(getattr(first, f))[None] for f in ("rows", "key", "query", "targets", "scored"))
    with torch.no_grad():
        plain = model.field_losses(Losses(model, "fine_coarse").hidden(rows, key, query), rows, targets, scored)
    for (_, with_memory), (_, without) in zip(losses_of(model, first), plain, strict=True):
        torch.testing.assert_close(with_memory, without, rtol=1e-5, atol=1e-5)


def test_packed_and_padded_batches_agree(model):
    windows, _ = window()
    sequences = windows.draw(1200, np.ones(1), np.random.default_rng(5), Augmentation())
    if not packed.fits(model, "fine_coarse", torch.device("cpu")):
        pytest.skip("no C++ compiler")
    batch = windows.pad(sequences)
    with torch.no_grad():
        dense, _ = Losses(model, "fine_coarse")(*(torch.from_numpy(getattr(batch, f.name)) for f in dataclasses.fields(batch)))
        fast, _ = packed.PackedLosses(model)(packed.pack(sequences, "fine_coarse", model.config.fine_bars))
        plain, _ = packed.PackedLosses(model, remembers=False)(packed.pack(sequences, "fine_coarse", model.config.fine_bars))
    torch.testing.assert_close(fast, dense, rtol=1e-5, atol=1e-3)
    changed = {i for i in range(8) if abs(fast[i] - plain[i]) > 1e-2}
    assert changed == {FIELD[name] for name in memory.FIELDS}


def test_the_memory_alone_is_trained_over_frozen_weights(tmp_path):
    music = corpus(bars=60)
    for name in ("plain", "memory"):
        (tmp_path / name).mkdir()
    small = dataclasses.replace(SMALL, length=256, rows=256 * 2 * 6)
    Trainer(small, music, tmp_path / "plain", 1).run()
    recipe = dataclasses.replace(small, freeze=True, peak_rate=1e-2, model=SMALL.model | {"memory": 8})
    trainer = Trainer(recipe, music, tmp_path / "memory", 1, tmp_path / "plain" / "best.pt")
    given = checkpoint.load(tmp_path / "plain" / "best.pt")[0].state_dict()
    first = trainer.model.memory.key.weight.clone()
    torch.testing.assert_close(first @ first.T, torch.eye(8), atol=1e-3, rtol=0)
    trainer.run()
    trained, described, _ = checkpoint.load(tmp_path / "memory" / "best.pt")
    for name, value in given.items():
        torch.testing.assert_close(trained.state_dict()[name], value)
    assert trained.config.memory == 8 and not torch.equal(trained.memory.key.weight, first)
    assert all(torch.isfinite(p).all() for p in trained.parameters())


def test_freezing_a_model_without_memory_is_refused(tmp_path):
    with pytest.raises(SystemExit, match="memory"):
        Trainer(dataclasses.replace(SMALL, freeze=True), corpus(), tmp_path, 1)
