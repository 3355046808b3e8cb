"""Alignment here is the codec's: both on the same corpus file (`lab/tests/training_fixtures.rs` writes it, and what Rust makes of it)."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from antiphon_training import own, recall, rows, vocabulary
from antiphon_training.corpus import Corpus
from antiphon_training.model import attention_mask

FIXTURES = Path(__file__).parent / "fixtures"


@pytest.fixture(scope="module")
def expected() -> dict:
    return json.loads((FIXTURES / "aligned.json").read_text())


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return Corpus.load(FIXTURES / "corpus.rows")


def assert_same(sequence: rows.Sequence, expected: dict) -> None:
    pairs = {"rows": sequence.rows, "keys": sequence.key, "queries": sequence.query, "targets": sequence.targets}
    for name, array in pairs.items():
        np.testing.assert_array_equal(array, np.array(expected[name]), err_msg=name)


def test_every_piece_is_aligned_as_by_the_codec(corpus, expected):
    assert len(expected["pieces"]) == len(corpus.paths) == 3
    for piece, wanted in enumerate(expected["pieces"]):
        first, last = corpus.piece_bars[piece : piece + 2]
        bounds = corpus.bar_notes[first : last + 1]
        bars, ticks = corpus.bars[first:last], corpus.bar_ticks[first:last]
        sequence = rows.align(corpus.notes[bounds[0] : bounds[-1]], np.diff(bounds), bars, ticks, first_bar=0, ends_piece=True, chords=corpus.chords[first:last])
        recall.fill_in(sequence)
        assert_same(sequence, wanted)


def test_pieces_with_given_notes_are_aligned_as_by_the_codec(corpus, expected):
    assert [case["piece"] for case in expected["given"]] == [0, 1, 2]
    for case in expected["given"]:
        first, last = corpus.piece_bars[case["piece"] : case["piece"] + 2]
        bounds = corpus.bar_notes[first : last + 1]
        notes = corpus.notes[bounds[0] : bounds[-1]]
        given = np.isin(notes[:, rows.N_ROLE], case["roles"])
        assert given.any()
        bars, ticks = corpus.bars[first:last], corpus.bar_ticks[first:last]
        sequence = rows.align(notes, np.diff(bounds), bars, ticks, first_bar=0, ends_piece=True, given=given, chords=corpus.chords[first:last])
        recall.fill_in(sequence)
        assert_same(sequence, case["aligned"])


def test_pieces_with_own_roles_are_aligned_as_by_the_codec(corpus, expected):
    orders = set()
    for case in expected["own"]:
        first, last = corpus.piece_bars[case["piece"] : case["piece"] + 2]
        bounds = corpus.bar_notes[first : last + 1]
        notes, per_bar = corpus.notes[bounds[0] : bounds[-1]].astype(int), np.diff(bounds)
        given = ~np.isin(notes[:, rows.N_ROLE], case["own"])
        planned = None
        if case["planned"]:
            planned = own.Planned(*case["planned"])
            bar = np.repeat(np.arange(len(per_bar)), per_bar)
            onset = notes[:, rows.N_BEAT] * 24 + notes[:, rows.N_SUB]
            kept = ~given | (bar < planned.bar) | ((bar == planned.bar) & (onset < planned.cut))
            per_bar = np.bincount(bar[kept], minlength=len(per_bar))
            notes, given = notes[kept], given[kept]
        sequence = rows.align(notes, per_bar, corpus.bars[first:last], corpus.bar_ticks[first:last], 0, True, given, corpus.chords[first:last])
        own.mark(sequence, case["own"])
        if case["by_beat"]:
            in_bars = sequence
            sequence, _ = own.interleave(sequence, planned)
            orders.add((bool(planned), not np.array_equal(in_bars.key, sequence.key)))
        recall.fill_in(sequence)
        assert_same(sequence, case["aligned"])
    assert {(False, True), (True, True)} <= orders, "rows of given notes do stand elsewhere"


@pytest.mark.parametrize("number", range(3))
def test_a_gap_is_aligned_and_seen_as_by_the_engine(corpus, expected, number):
    case = expected["gaps"][number]
    first, last = (int(bar) for bar in corpus.piece_bars[case["piece"] : case["piece"] + 2])
    order, far = case["bars"], case["far"]
    near = order.index(order[-1] + 1)
    parts = []
    for numbers, known in ((order[:near], False), (order[near : near + far], True), (order[near + far :], False)):
        of_bars = [first + number % (last - first) for number in numbers]
        notes = [corpus.notes[corpus.bar_notes[bar] : corpus.bar_notes[bar + 1]] for bar in of_bars]
        per_bar, notes = np.array([len(of_bar) for of_bar in notes]), np.concatenate(notes)
        fields = (corpus.bars[of_bars], corpus.bar_ticks[of_bars], numbers[0], numbers[-1] == max(order))
        parts.append(rows.align(notes, per_bar, *fields, np.full(len(notes), known), corpus.chords[of_bars]))
    sequence = rows.concatenate(parts)
    recall.fill_in(sequence)
    assert_same(sequence, case["aligned"])

    kind, bar = torch.from_numpy(sequence.rows[None, :, rows.KIND]), torch.from_numpy(sequence.key[None, :, 0])
    mask = attention_mask(kind, bar)[0, 0].numpy()
    content = np.isin(sequence.rows[:, rows.KIND], (vocabulary.BAR, vocabulary.NOTE, vocabulary.GIVEN))
    for number, seen in zip(order, case["seen"]):
        last = np.flatnonzero(content & (sequence.key[:, 0] == number))[-1]
        others = mask[last] & content & (sequence.key[:, 0] != number)
        assert sorted(set(sequence.key[others, 0].tolist())) == seen, number
    assert max(case["seen"][-1]) > order[-1], "a bar of the gap sees what follows"


def test_the_gaps_cover_all_that_is_recalled_of_the_bars_ahead(expected):
    columns = np.concatenate([case["aligned"]["rows"] for case in expected["gaps"]])[:, recall.AHEAD : recall.AHEAD + recall.COUNT]
    assert columns.any(0).all(), "every column"
    levels = (columns[:, 1] - 1) // 256
    assert {0, 1, 2, 4} <= set(levels[columns[:, 1] > 0].tolist()), "no evidence, some, and as much as counts"


def test_the_prefix_is_the_codecs(expected):
    prefix = expected["prefix"]
    assert_same(rows.prefix(prefix["style"], prefix["roles"]), prefix["aligned"])


def test_the_fixture_covers_what_is_easily_done_wrong(corpus):
    notes_per_bar = np.diff(corpus.bar_notes)
    assert (notes_per_bar == 0).any(), "an empty bar"
    assert len(np.unique(corpus.bars[:, 0])) >= 4, "changes of metre"
    assert (corpus.bar_ticks == 384).any(), "a bar cut at its longest"
    assert (corpus.notes[:, rows.N_PITCH] >= rows.DRUM_PITCH).any(), "drums"
    assert (corpus.bars[:, 7] > 0).any() and (corpus.bars[:, 8] > 0).any(), "mood and repeats"
    assert (corpus.notes[:, rows.N_OFFSET] != 4).any(), "performed timing"
    assert (corpus.chords[:, 0] != corpus.chords[:, 1]).any() and corpus.chords[..., 3].any() and not corpus.chords.all(), "chords, sevenths, none"
    assert corpus.piece_split.tolist() == [0, 0, 1]
    assert corpus.piece_flags.tolist() == [2, 1, 1]
