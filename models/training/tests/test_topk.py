"""What block top-k may choose. That training and playing choose alike is held by `test_exactness.py`."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from pieces import Piece, piece

from antiphon_training import checkpoint, recall, rows
from antiphon_training import vocabulary as v
from antiphon_training.corpus import Corpus
from antiphon_training.model import Antiphon, Config

FIXTURES = Path(__file__).parent / "fixtures"


def masks(model: Antiphon, music, bars: int, order=None) -> np.ndarray:
    """Each layer's mask [L, T, T]."""
    inputs, key, query, bar = (torch.from_numpy(a)[None] for a in (music.rows, music.key, music.query, music.bar))
    order = bar.clamp(min=0) if order is None else torch.from_numpy(order)[None]
    chosen = model.mask(inputs[..., 0], bar, order, f"topk:{bars}")
    seen = []

    def choose(query: torch.Tensor, key: torch.Tensor) -> torch.Tensor:
        seen.append(chosen(query, key))
        return seen[-1]

    with torch.no_grad():
        model.forward_hidden(inputs, key, query, choose, bar)
    return torch.cat(seen)[:, 0].numpy()


@pytest.mark.parametrize("bars", [1, 3, 8])
def test_every_layer_sees_as_many_rows_as_the_last_bars_have(bars, model, music):
    content = (music.kind >= v.BAR) & (music.kind <= v.GIVEN)
    per_bar = np.bincount(music.bar[content])
    by_layer = masks(model, music, bars)
    for t in np.flatnonzero(content):
        b = music.bar[t]
        earlier = content & (music.bar < b)
        assert (by_layer[:, t, earlier].sum(1) == per_bar[max(0, b - bars) : b].sum()).all()
        assert by_layer[:, t, content & (music.bar == b) & (np.arange(len(content)) <= t)].all()
        assert by_layer[:, t, music.kind == v.PRE].all()
    assert not by_layer[:, :, music.kind == v.SUM][:, content].any()
    assert not np.triu(by_layer, 1).any()
    assert (by_layer[0] != by_layer[1]).any(), "each layer chooses for itself"
    earliest = np.array([music.bar[content & by_layer[0, t]].min() for t in np.flatnonzero(content)])
    assert (earliest < music.bar[content] - bars).any(), "not a window"


def test_rows_of_a_bar_see_the_same_bars_and_only_the_last_one_in_part(model, music):
    content = (music.kind >= v.BAR) & (music.kind <= v.GIVEN)
    for mask in masks(model, music, 4):
        for b in range(1, music.bar.max() + 1):
            of_rows = mask[content & (music.bar == b)][:, content & (music.bar < b)]
            assert (of_rows == of_rows[0]).all()
            bars = music.bar[content & (music.bar < b)]
            shares = [of_rows[0][bars == j] for j in range(b)]
            in_part = [share for share in shares if share.any() and not share.all()]
            assert len(in_part) <= 1 and all((np.sort(share)[::-1] == share).all() for share in in_part), "first rows"


def test_sequences_of_a_batch_and_padding_do_not_mix(model):
    long, short = piece(bars=20, seed=1), piece(bars=9, seed=2)
    width = len(long.rows)
    arrays = []
    for name in ("rows", "key", "query", "bar"):
        array = getattr(short, name)
        padded = np.zeros((width, *array.shape[1:]), np.int64)
        padded[: len(array)] = array
        arrays.append(torch.from_numpy(np.stack((getattr(long, name), padded))))
    inputs, key, query, bar = arrays
    sums = (inputs[..., 0] == v.SUM).long()
    order = sums.cumsum(1) - sums
    with torch.no_grad():
        both = model.forward_hidden(inputs, key, query, model.mask(inputs[..., 0], bar, order, "topk:3"), order)
        for i, music in enumerate((long, short)):
            count = len(music.rows)
            one = [a[i : i + 1, :count] for a in (inputs, key, query, bar, order)]
            alone = model.forward_hidden(*one[:3], model.mask(one[0][..., 0], one[3], one[4], "topk:3"), one[4])
            torch.testing.assert_close(both[i, :count], alone[0], atol=1e-4, rtol=0)


def test_a_filled_gap_chooses_among_what_stands_before_it_in_the_sequence(model):
    """Bars 8 to 11 stand last: they may see what comes after them in the music, and nothing sees them."""
    music = piece(bars=16, seed=4)
    gap = (music.bar >= 8) & (music.bar < 12)
    sequence = np.concatenate((np.flatnonzero(~gap), np.flatnonzero(gap)))
    for name in ("rows", "key", "query", "bar", "targets"):
        setattr(music, name, getattr(music, name)[sequence])
    is_sum = (music.kind == v.SUM).astype(np.int64)
    by_layer = masks(model, music, 8, is_sum.cumsum() - is_sum)
    far, hole = music.bar >= 12, (music.bar >= 8) & (music.bar < 12)
    assert not by_layer[:, ~hole][:, :, hole].any()
    assert by_layer[:, hole][:, :, far].any()


def test_a_model_learns_under_it(music):
    model = Antiphon(Config(width=32, layers=2, heads=2))
    inputs, key, query, bar, targets = (torch.from_numpy(a)[None] for a in (music.rows, music.key, music.query, music.bar, music.targets))
    mask = model.mask(inputs[..., 0], bar, bar.clamp(min=0), "topk:2")
    model.loss_sums(model.forward_hidden(inputs, key, query, mask, bar), inputs, targets)[0].sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())


def test_the_engine_is_held_to_these_choices():
    """`fixtures/topk.json`: what the engine's test graph chooses, here computed over whole sequences; `lab/tests/training_fixtures.rs` plays them.

    `ANTIPHON_WRITE_FIXTURES=1 python -m pytest -k held_to` rewrites it.
    """
    corpus = Corpus.load(FIXTURES / "corpus.rows")
    tiny, *_ = checkpoint.load(Path(__file__).parents[3] / "engine/tests/fixtures/tiny.onnx")
    twice = lambda array: np.concatenate((array, array))
    per_bar = twice(np.diff(corpus.bar_notes))
    sequence = rows.align(twice(corpus.notes), per_bar, twice(corpus.bars), twice(corpus.bar_ticks), 0, False, chords=twice(corpus.chords))
    sequence = rows.concatenate([rows.prefix(3, [0, 2, 3]), sequence])
    recall.fill_in(sequence)
    kind, bar = sequence.rows[:, rows.KIND], sequence.key[:, 0]
    music = Piece(sequence.rows, sequence.key, sequence.query, bar, sequence.targets)
    content = (kind >= v.BAR) & (kind <= v.GIVEN)

    def seen(mask: np.ndarray, b: int) -> list:
        """[bar, rows of it] for each earlier bar that bar b sees."""
        counts = np.bincount(bar[content & (bar < b) & mask[np.argmax(bar == b)]], minlength=b)
        return [[j, count] for j, count in enumerate(counts.tolist()) if count]

    by_layer = masks(tiny, music, 3)
    chosen = [[seen(mask, b) for mask in by_layer] for b in range(len(per_bar))]
    text = json.dumps({"bars": 3, "chosen": chosen}) + "\n"
    if "ANTIPHON_WRITE_FIXTURES" in os.environ:
        (FIXTURES / "topk.json").write_text(text)
    assert (FIXTURES / "topk.json").read_text() == text
