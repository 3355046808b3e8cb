"""Alignment and augmentation, on small music made here; `test_aligned_fixture.py` compares with what Rust computed."""

import dataclasses

import numpy as np
import pytest

from antiphon_training import rows as r
from antiphon_training import vocabulary
from antiphon_training.corpus import FLAT_VELOCITY, TRAIN, VALID, Corpus
from antiphon_training.data import Augmentation, Windows
from antiphon_training.stretch import Stretch, drop_chords, drop_controls, transpose

NOTHING = {field.name: 0.0 for field in dataclasses.fields(Augmentation)}
QUIET = Augmentation(**NOTHING | {"transpose": False, "drop_prefix": 1.0, "loudness": 0})


def corpus(seed=0, pieces=3, bars=24, flags=2):
    """A corpus of random music: 0 to 6 notes a bar, in canonical order."""
    rng = np.random.default_rng(seed)
    notes, bar_notes = [], [0]
    for _ in range(pieces * bars):
        ticks = np.sort(rng.choice(96, size=rng.integers(0, 7), replace=False))
        for tick in ticks:
            role = int(rng.choice([0, 2, 3]))
            pitch = int(rng.integers(36, 90)) + (128 if role == 3 else 0)
            notes.append([tick // 24, tick % 24, role, pitch, rng.integers(0, 40), rng.integers(4, 28), rng.integers(0, 8), 0])
        bar_notes.append(len(notes))
    fields = np.array([[1, 4, 1 + i % 24, 3, 4, 5, 2, 1 + i % 9, 1 + i % 9] for i in range(pieces * bars)])
    return Corpus(
        notes=np.array(notes, np.uint8),
        bar_notes=np.array(bar_notes, np.int64),
        bars=fields.astype(np.uint8),
        chords=np.tile(np.array([[10, 1, 5, 0], [8, 12, 3, 6]], np.uint8), (pieces * bars, 1, 1)),
        bar_ticks=np.full(pieces * bars, 96),
        piece_bars=np.arange(pieces + 1) * bars,
        piece_source=np.zeros(pieces, np.int64),
        piece_split=np.array([TRAIN] * (pieces - 1) + [VALID], np.uint8),
        piece_flags=np.full(pieces, flags, np.uint8),
        sources=["ours"],
        paths=[f"ours/{i}.mid" for i in range(pieces)],
        columns=vocabulary.COLUMNS,
        fields=vocabulary.FIELDS,
        durations=vocabulary.DURATIONS,
    )


def test_every_note_is_predicted_once_from_a_row_that_knows_its_place():
    music = corpus()
    windows = Windows(music, 4096, {})
    sequence = windows.window(0, None, None)
    content = sequence.targets[:, r.F_PITCH] >= 0
    first, last = music.bar_notes[0], music.bar_notes[24]
    notes = music.notes[first:last].astype(int)
    assert np.array_equal(sequence.targets[content, : r.F_TYPE], notes[:, [3, 4, 5, 6]])
    assert np.array_equal(sequence.rows[content][:, [r.TARGET_BEAT, r.TARGET_SUB, r.TARGET_ROLE]], notes[:, :3] + 1)
    assert np.array_equal(sequence.query[content][:, 1], notes[:, 0] * 24 + notes[:, 1])
    onset = sequence.targets[:, r.F_BEAT] >= 0
    assert np.array_equal(sequence.targets[onset][:, [5, 6, 7]], notes[:, :3])
    assert (sequence.targets[:, r.F_TYPE] == r.NEXT_ENDBAR).sum() == 23
    assert (sequence.targets[:, r.F_TYPE] == r.NEXT_EOS).sum() == 1


def test_a_target_stands_where_its_own_note_will_have_its_key():
    windows = Windows(corpus(), 4096, {})
    sequence = windows.window(0, None, None)
    keys = {tuple(k): row for k, row in zip(sequence.key.tolist(), sequence.rows.tolist()) if row[r.KIND] == r.NOTE}
    with_target = sequence.rows[:, r.TARGET_BEAT] > 0
    for query, target in zip(sequence.query[with_target].tolist(), sequence.targets[with_target]):
        assert keys[tuple(query)][r.PITCH] - 1 == target[r.F_PITCH]


def test_empty_bars_have_a_start_and_a_summary():
    bars = np.array([[1, 0, 0, 0, 0, 0, 0, 0, 0]] * 2)
    sequence = r.align(np.zeros((0, 8)), np.zeros(2, int), bars, np.array([96, 72]), 5, True)
    assert sequence.rows[:, r.KIND].tolist() == [r.BAR, r.SUM, r.BAR, r.SUM]
    assert sequence.targets[:, r.F_TYPE].tolist() == [r.NEXT_ENDBAR, -1, r.NEXT_EOS, -1]
    assert sequence.key[:, 1].tolist() == [0, 96, 0, 72]
    assert sequence.rows[:, r.PHASE].tolist() == [6, 6, 7, 7]


def test_validation_windows_set_no_control_and_do_not_change():
    windows = Windows(corpus(), 128, {"ours": 3})
    first, again = windows.validation(0, 4, 7), windows.validation(0, 4, 7)
    for a, b in zip(first, again):
        assert np.array_equal(a.rows, b.rows) and np.array_equal(a.targets, b.targets)
        assert not a.rows[:, r.TEMPO : r.REPEATS + 1].any()


def test_flat_velocities_and_written_timing_have_no_loss():
    written = Windows(corpus(flags=FLAT_VELOCITY), 512, {}).window(0, None, None)
    assert not written.scored[:, [r.F_VELOCITY, r.F_OFFSET]].any()
    assert (written.targets[:, r.F_VELOCITY] >= 0).any(), "known to the fields after it"
    played = Windows(corpus(), 512, {}).window(0, None, None)
    assert np.array_equal(played.scored, played.targets >= 0)


@pytest.mark.parametrize("seed", range(20))
def test_a_cut_opens_what_sounds_across_it_and_keeps_the_truth_as_target(seed):
    music = corpus(seed)
    windows = Windows(music, 512, {})
    whole = windows.window(0, np.random.default_rng(seed), QUIET)
    cut = windows.window(0, np.random.default_rng(seed), dataclasses.replace(QUIET, cut=1.0))
    opened = cut.rows[:, r.DURATION] == r.OPEN + 1
    constant = np.setdiff1d(np.arange(r.REPEATS + 1), [r.DURATION])  # what is recalled of an open note is that it is open
    assert np.array_equal(whole.rows[:, constant], cut.rows[:, constant])
    assert (cut.rows[~opened, r.DURATION] == whole.rows[~opened, r.DURATION]).all()
    assert np.array_equal(cut.targets, whole.targets), "what is predicted keeps its true length"
    unscored = whole.scored.any(1) & ~cut.scored.any(1)
    assert len(set(cut.key[unscored, 0].tolist())) <= 1, "only the cut bar loses its losses"
    if opened.any():
        assert cut.key[opened, 0].max() <= cut.key[-1, 0]


def test_transposition_moves_pitches_and_keys_but_not_drums():
    notes = np.array([[0, 0, 0, 126, 0, 0, 4, 0], [0, 0, 3, 128 + 36, 0, 0, 4, 0]])
    bars = np.array([[1, 0, 12, 0, 0, 0, 0, 0, 0], [1, 0, 24, 0, 0, 0, 0, 0, 0], [1, 0, 0, 0, 0, 0, 0, 0, 0]])
    chords = np.array([[[12, 4, 7, 0], [12, 4, 7, 0]], [[1, 5, 8, 11], [0, 0, 0, 0]], [[0, 0, 0, 0], [0, 0, 0, 0]]])
    transpose(Stretch(notes, np.array([1, 1, 0]), bars, np.full(3, 96), 0, False, chords), 6)
    assert notes[:, 3].tolist() == [127, 164], "held back at the top of the keyboard"
    assert bars[:, 2].tolist() == [1, 13, 0], "B to C, unset stays unset"
    assert chords[:2, 0].tolist() == [[1, 5, 8, 0], [2, 6, 9, 12]] and not chords[2].any() and not chords[1, 1].any()


def test_rows_name_the_chord_of_the_half_bar_of_their_target():
    music = corpus()
    plain, named = (Windows(music, 4096, {}, with_chords).window(0, None, None) for with_chords in (False, True))
    columns = slice(r.CHORD, r.CHORD + vocabulary.CHORD_TONES)
    assert not plain.rows[:, columns].any()
    with_target = named.rows[:, r.TARGET_BEAT] > 0
    late = named.query[:, 1] >= 48
    assert (named.rows[with_target & ~late, columns] == [10, 1, 5, 0]).all() and (named.rows[with_target & late, columns] == [8, 12, 3, 6]).all()
    assert (with_target & late).any() and (with_target & ~late).any() and not named.rows[~with_target, columns].any()
    named.rows[:, columns] = 0
    assert np.array_equal(named.rows, plain.rows)


def test_chords_are_set_in_a_share_of_the_windows_from_a_bar_on():
    rng = np.random.default_rng(0)
    drawn = []
    for _ in range(400):
        stretch = Stretch(np.zeros((0, 8), np.int64), np.zeros(8, np.int64), np.ones((8, 9), np.int64), np.full(8, 96), 0, False, np.ones((8, 2, 4), np.int64))
        drop_chords(stretch, 0.4, rng)
        drawn.append(stretch.chords.any((1, 2)))
    drawn = np.array(drawn)
    assert 0.3 < drawn.any(1).mean() < 0.5
    assert 0.4 < drawn[drawn.any(1), 0].mean() < 0.7, "from the first bar on in about half of them"
    assert drawn[drawn.any(1), -1].mean() > 0.7


def test_the_same_seed_draws_the_same_batch():
    windows = Windows(corpus(), 96, {"ours": 2})
    drawn = [windows.draw(300, np.array([1.0]), np.random.default_rng(3), Augmentation()) for _ in range(2)]
    assert sum(map(len, drawn[0])) >= 300 > sum(map(len, drawn[0][:-1]))
    batches = [windows.pad(sequences) for sequences in drawn]
    for name in ("rows", "key", "query", "targets", "scored"):
        assert np.array_equal(getattr(batches[0], name), getattr(batches[1], name))
    assert batches[0].rows.shape == (len(drawn[0]), 96, len(vocabulary.COLUMNS))
    assert (batches[0].rows >= 0).all()


def test_controls_are_set_alone_and_together_and_all_are_set_in_the_context():
    rng = np.random.default_rng(0)
    controls_set = []
    for _ in range(400):
        count = 8
        bars = np.ones((count, 9), np.int64)
        stretch = Stretch(np.zeros((0, 7), np.int64), np.zeros(count, np.int64), bars, np.full(count, 96), 0, False, np.zeros((count, 2, 4), np.int64))
        drop_controls(stretch, 0.25, rng)
        assert stretch.bars[:, 0].all(), "the metre is always set"
        controls_set.append(stretch.bars[:, 1:].sum(1))
    last = np.array([bars[-1] for bars in controls_set])
    assert set(last) == set(range(9)), "from none to all eight"
    assert 0.28 < (last == 0).mean() < 0.45
    half = np.mean([bars[0] == 8 and bars[-1] < 8 for bars in controls_set])
    assert 0.3 < half < 0.5, "the bars before a random one keep all controls in about half of the windows"
