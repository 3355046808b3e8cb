"""What is recalled of earlier bars. That training and playing recall alike is held by `test_rows.py`."""

import numpy as np
import pytest
from test_data import corpus

from antiphon_training import recall
from antiphon_training import rows as r
from antiphon_training import vocabulary as v
from antiphon_training.data import Augmentation, Windows
from antiphon_training.own import mark

PITCH, BEAT = v.COLUMN["recall_pitch_1"], v.COLUMN["recall_beat_1"]


def played(bars: list[list[list[int]]]) -> r.Sequence:
    """Bars of notes: beat, sub, role, pitch, duration, velocity, offset."""
    per_bar = np.array([len(bar) for bar in bars])
    notes = np.array([note for bar in bars for note in bar])
    sequence = r.align(notes, per_bar, np.ones((len(bars), 9), np.int64), np.full(len(bars), 96), 0, False)
    recall.fill_in(sequence)
    return sequence


def test_a_repeated_bar_is_recalled_with_rising_trust():
    bar = [[beat, 0, 0, 60 + beat, 23, 20, 4] for beat in range(4)]
    sequence = played([bar] * 4)
    predicts = sequence.targets[:, r.F_PITCH] >= 0
    recalled = sequence.rows[predicts, PITCH].reshape(4, 4)
    assert not recalled[0].any(), "no bar before the first one"
    assert np.array_equal((recalled[1:] - 1) % 256, np.tile([60, 61, 62, 63], (3, 1)))
    assert ((recalled[1:] - 1) // 256).tolist() == [[0, 1, 1, 2], [2, 2, 2, 3], [3, 3, 3, 3]]
    ends = sequence.targets[:, r.F_TYPE] == r.NEXT_ENDBAR
    assert np.array_equal((sequence.rows[ends, BEAT][1:] - 1) % 17, [recall.BAR_ENDS] * 3)


def test_the_bar_that_is_to_be_repeated_comes_before_all_others():
    one, other = ([[0, 0, 0, pitch, 23, 20, 4]] for pitch in (60, 70))
    conditioning = np.ones((3, 9), np.int64)
    conditioning[2, 8] = 1 + 2  # two bars back
    sequence = r.align(np.array([*one, *other, *other]), np.ones(3, np.int64), conditioning, np.full(3, 96), 0, False)
    recall.fill_in(sequence)
    predicts = np.flatnonzero(sequence.targets[:, r.F_PITCH] >= 0)[-1]
    assert sequence.rows[predicts, [recall.CONTENT, recall.CONTENT + 1]].tolist() == [2, 61]


def test_a_gap_goes_on_from_the_bars_before_it():
    def bar(number: int, pitch: int, given: bool = False) -> r.Sequence:
        note = np.array([[0, 0, 0, pitch, 23, 20, 4]])
        return r.align(note, np.ones(1, np.int64), np.ones((1, 9), np.int64), np.array([96]), number, False, np.array([given]))

    before_gap = [bar(0, 60), bar(1, 60)]
    in_order = r.concatenate([*before_gap, bar(2, 60)])
    around_a_gap = r.concatenate([*before_gap, bar(5, 70, given=True), bar(6, 70, given=True), bar(2, 60)])
    for sequence in (in_order, around_a_gap):
        recall.fill_in(sequence)
    assert np.array_equal(around_a_gap.rows[-4:, : recall.AHEAD], in_order.rows[-4:, : recall.AHEAD])
    predicts = np.flatnonzero(in_order.targets[:, r.F_PITCH] >= 0)[-1]
    assert in_order.rows[predicts, [recall.CONTENT, PITCH]].tolist() == [1, 256 + 61], "trust of level 1 in the bar before"


def filled(before: list[int], behind: list[int], gap: list[int]) -> np.ndarray:
    """Columns on the bars ahead, of each row of a gap that predicts a pitch, in bars of one note a beat on these pitches; the gap comes last."""

    def bar(number: int, pitch: int, given: bool = False) -> r.Sequence:
        notes = np.array([[beat, 0, 0, pitch, 23, 20, 4] for beat in range(4)])
        return r.align(notes, np.array([4]), np.ones((1, 9), np.int64), np.array([96]), number, False, np.full(4, given))

    first, end = len(before), len(before) + len(gap)
    parts = [bar(number, pitch) for number, pitch in enumerate(before)]
    parts += [bar(number, pitch, given=True) for number, pitch in enumerate(behind, end)]
    outside = len(r.concatenate(parts))
    sequence = r.concatenate([*parts, *(bar(number, pitch) for number, pitch in enumerate(gap, first))])
    recall.fill_in(sequence)
    ahead = sequence.rows[:, recall.AHEAD : recall.AHEAD + recall.COUNT]
    assert not ahead[:outside].any(), "on either side of the gap no bar ahead precedes in the sequence"
    return ahead[sequence.targets[:, r.F_PITCH] >= 0][-4 * len(gap) :]


def content(columns: np.ndarray) -> list[tuple[int, int, int]]:
    """Distance, pitch and level of the first slot of each row."""
    return [(recall.DISTANCES[bar - 1], int(pitch - 1) % 256, int(pitch - 1) // 256) for bar, pitch in columns[:, :2]]


def test_a_gap_recalls_the_bars_behind_it():
    columns = filled([50], [70, 71], [60, 71])
    # Bar 3 is two bars ahead of bar 1 and one ahead of bar 2; bar 4 is two ahead of bar 2.
    assert content(columns[:4]) == [(2, 70, 0)] * 4, "no level without agreement, and the nearest bar first"
    assert content(columns[4:]) == [(1, 70, 0)] + [(2, 71, level) for level in (1, 1, 2)], "bar 4 leads from its first match on"
    assert (columns[4, 4], columns[4, 5] - 1) == (2, 71), "the second slot has another pitch"


def test_the_bars_before_a_gap_are_the_first_evidence_for_a_distance():
    again = filled([80, 81, 82, 83], [80, 81, 82, 83, 90], [70] * 4)
    assert content(again[:1]) == [(8, 90, 4)], "bars 0 to 3 are bars 8 to 11 once more: the bar eight ahead of bar 4 leads the nearer one"
    assert content(again[1:2]) == [(8, 90, 2)], "a note that it has not costs three quarters of the matches"
    assert content(filled([80, 81, 82, 84], [80, 81, 82, 83, 90], [70] * 4)[:1]) == [(4, 80, 0)], "and four of them nearly all"


def test_with_own_roles_the_next_note_recalled_is_one_of_theirs():
    bass, keys = 2, 15
    bar = [[0, 0, bass, 40, 23, 20, 4], [0, 0, keys, 60, 23, 20, 4], [1, 0, keys, 62, 23, 20, 4], [2, 0, bass, 43, 23, 20, 4]]
    notes = np.array([*bar, *bar])
    sequence = r.align(notes, np.array([4, 4]), np.ones((2, 9), np.int64), np.full(2, 96), 0, False, notes[:, 2] != bass)
    mark(sequence, [bass])
    recall.fill_in(sequence)
    asks = np.flatnonzero((sequence.key[:, 0] == 1) & (sequence.targets[:, r.F_TYPE] >= 0))
    places = (sequence.rows[asks, BEAT : BEAT + 3] - 1) % np.array([17, 24, 16])
    assert places.tolist() == [[0, 0, bass], [2, 0, bass], [recall.BAR_ENDS, 23, 15]], "absent is class -1"
    assert ((sequence.rows[asks[1:], PITCH] - 1) % 256).tolist() == [40, 43]
    level = (sequence.rows[asks[0], BEAT] - 1) // 17
    assert level == 1, "that the others repeat the bar is evidence too: two matches before the first own note"


@pytest.mark.parametrize("seed", range(8))
def test_what_is_recalled_depends_on_nothing_later(seed):
    windows = Windows(corpus(seed), 400, {})
    sequence = windows.window(3, np.random.default_rng(seed), Augmentation())
    columns = [*range(recall.CONTENT, recall.CONTENT + recall.COUNT), *range(recall.AHEAD, recall.AHEAD + recall.COUNT)]
    assert sequence.rows[:, columns].any()
    part = int(np.random.default_rng(seed).integers(1, len(sequence)))
    first = r.Sequence(*(getattr(sequence, name)[:part].copy() for name in ("rows", "key", "query", "targets", "scored")))
    first.rows[:, columns] = 0
    recall.fill_in(first)
    assert np.array_equal(first.rows, sequence.rows[:part])


def test_every_value_is_in_its_table():
    for seed in range(8):
        windows = Windows(corpus(seed), 512, {})
        batch = windows.pad(windows.draw(2048, np.ones(1), np.random.default_rng(seed), Augmentation()))
        assert (batch.rows.max((0, 1)) < [size for _, size in v.COLUMNS]).all()
