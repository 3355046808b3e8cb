"""The measures of gaps: which rows they count, and that copies are chosen as they say."""

import numpy as np
from test_data import corpus

import far_side
from antiphon_training import recall
from antiphon_training import vocabulary as v
from antiphon_training.corpus import Corpus
from antiphon_training.data import Windows
from appended_columns import AHEAD, gap_rows, without_far_side


def test_the_gap_is_the_end_of_the_window_and_loses_its_far_side():
    windows = [w for w in Windows(corpus(), 512, {}).validation(0, 6, 5, far_side.GAP_ALONE) if gap_rows(w).any()]
    assert windows
    for window in windows:
        gap, bar = gap_rows(window), window.key[:, 0]
        near = without_far_side(window)
        assert gap[-1] and window.rows[gap][:, AHEAD].any() and not window.rows[~gap][:, AHEAD].any()
        assert not near.rows[:, AHEAD].any() and (np.diff(near.key[:, 0]) >= 0).all(), "in order, and nothing ahead"
        assert len(near) == len(window) - (bar > bar[gap].max()).sum()
        fields = [*range(recall.CONTENT), *range(recall.CONTENT + recall.COUNT, recall.AHEAD)]
        assert np.array_equal(near.rows[-gap.sum() :][:, fields], window.rows[gap][:, fields]), "only what is recalled changes"


def bars_of(pitches: list[int]) -> Corpus:
    """A piece of bars of one note each."""
    notes = np.array([[0, 0, 0, pitch, 23, 20, 4, 0] for pitch in pitches], np.uint8)
    count = len(pitches)
    arrays = (notes, np.arange(count + 1), np.ones((count, 9), np.uint8), np.zeros((count, 2, 4), np.uint8), np.full(count, 96), np.array([0, count]))
    names = ("notes", "bar_notes", "bars", "chords", "bar_ticks", "piece_bars")
    pieces = {"piece_source": np.zeros(1, int), "piece_split": np.ones(1, np.uint8), "piece_flags": np.zeros(1, np.uint8)}
    lists = {"sources": ["ours"], "paths": ["a.mid"], "columns": v.COLUMNS, "fields": v.FIELDS, "durations": v.DURATIONS}
    return Corpus(**dict(zip(names, arrays, strict=True)), **pieces, **lists)


def test_the_copy_by_evidence_is_at_the_distance_of_which_the_bars_before_agree():
    # Bars 0 to 3 once more from bar 8 on; the gap is bar 4, which bar 12 repeats and no bar before it does.
    music = bars_of([60, 61, 62, 63, 64, 70, 71, 72, 60, 61, 62, 63, 64])
    best_before, best_behind, best, before, either = far_side.of_bar(music, 4, (0, 13), (4, 5))
    assert (best_before, best_behind, best) == (0.0, 1.0, 1.0)
    assert (before, either) == (0.0, 1.0), "eight bars ahead all four agree, and before the gap none"
    # Without that evidence the nearest bar is copied.
    other = bars_of([50, 51, 52, 53, 64, 70, 71, 72, 60, 61, 62, 63, 64])
    assert far_side.of_bar(other, 4, (0, 13), (4, 5)) == (0.0, 1.0, 1.0, 0.0, 0.0)
    assert far_side.agreement({(0, 0, 60)}, {(0, 0, 60), (0, 0, 61)}) == 2 / 3
