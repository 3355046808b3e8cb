"""What each task tells of the music, and what it asks: nothing that will not be known when it is played."""

import numpy as np
import pytest
import torch
from test_data import corpus

from antiphon_training import rows as r
from antiphon_training import tasks, vocabulary
from antiphon_training.model import attention_mask
from antiphon_training.stretch import B_REPEATS, Stretch, drop_track, forget_unseen_repeats

SEEDS = range(12)


def stretch(seed=0, bars=24):
    music = corpus(seed, pieces=2, bars=bars)
    notes = music.notes[: music.bar_notes[bars]].astype(np.int64)
    return Stretch(notes, np.diff(music.bar_notes[: bars + 1]), music.bars[:bars].astype(np.int64), music.bar_ticks[:bars], 16, True)


def content(sequence, kind):
    """Bar, tick, role, pitch of the rows of a kind."""
    rows = sequence.rows[sequence.rows[:, r.KIND] == kind]
    keys = sequence.key[sequence.rows[:, r.KIND] == kind]
    return [(k[0], k[1], row[r.ROLE] - 1, row[r.PITCH] - 1) for k, row in zip(keys.tolist(), rows.tolist())]


def all_notes(whole):
    return [
        (whole.number + b, n[0] * 24 + n[1], n[2], n[3]) for b, n in zip(whole.bar_of_note.tolist(), whole.notes.tolist())
    ]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_gap_is_filled_last_between_what_is_known(seed):
    whole = stretch(seed)
    sequence = tasks.fill(whole, np.random.default_rng(seed))
    numbers = sequence.key[sequence.rows[:, r.KIND] == vocabulary.SUM, 0]
    turns = np.flatnonzero(np.diff(numbers) != 1)
    assert len(turns) == 2, "before the gap, after it, the gap"
    near, far, hole = np.split(numbers, turns + 1)
    assert near[-1] + 1 == hole[0] and hole[-1] + 1 == far[0] and far[-1] == whole.number + 23
    assert sorted(content(sequence, vocabulary.NOTE) + content(sequence, vocabulary.GIVEN)) == sorted(all_notes(whole))
    given = sequence.rows[:, r.KIND] == vocabulary.GIVEN
    assert set(sequence.key[given, 0].tolist()) <= set(far.tolist())
    assert not sequence.scored[np.isin(sequence.key[:, 0], far)].any(), "what is known is not predicted"
    in_hole = np.isin(sequence.key[:, 0], hole)
    assert np.array_equal(sequence.scored[in_hole], sequence.targets[in_hole] >= 0)


def test_bars_of_a_gap_see_both_sides_and_nothing_known_sees_the_gap():
    sequence = tasks.fill(stretch(3), np.random.default_rng(3))
    kind, bar = torch.from_numpy(sequence.rows[None, :, r.KIND]), torch.from_numpy(sequence.key[None, :, 0])
    mask = attention_mask(kind, bar)[0, 0].numpy()
    numbers = sequence.key[sequence.rows[:, r.KIND] == vocabulary.SUM, 0]
    near, far, hole = np.split(numbers, np.flatnonzero(np.diff(numbers) != 1) + 1)
    of = {name: np.isin(sequence.key[:, 0], bars) for name, bars in (("near", near), ("far", far), ("hole", hole))}
    assert not mask[np.ix_(of["near"] | of["far"], of["hole"])].any()
    given = sequence.rows[:, r.KIND] == vocabulary.GIVEN
    last = np.flatnonzero(of["hole"] & (sequence.rows[:, r.KIND] != vocabulary.SUM))[-1]
    after = sequence.key[:, 0] == hole[-1] + 1
    assert mask[last, after & given].all(), "the bar after the gap is one bar away, so it is seen note by note"


@pytest.mark.parametrize("seed", SEEDS)
def test_a_known_clip_stands_first_in_each_bar_and_is_not_predicted(seed):
    whole = stretch(seed)
    sequence = tasks.accompany_clip(whole, np.random.default_rng(seed))
    given, own = content(sequence, vocabulary.GIVEN), content(sequence, vocabulary.NOTE)
    assert sorted(given + own) == sorted(all_notes(whole))
    assert not {note[2] for note in given} & {note[2] for note in own}
    assert not sequence.targets[sequence.rows[:, r.KIND] == vocabulary.GIVEN].max() >= 0
    predicted = sequence.targets[:, r.F_ROLE]
    assert set(predicted[predicted >= 0].tolist()) <= {note[2] for note in own}
    for bar in range(16, 40):
        kinds = sequence.rows[sequence.key[:, 0] == bar, r.KIND].tolist()
        first_own = kinds.index(vocabulary.BAR)
        assert vocabulary.GIVEN not in kinds[first_own:] and set(kinds[:first_own]) <= {vocabulary.GIVEN}
    assert not sequence.rows[:, r.DENSITY : r.VOICES + 1].any(), "they were measured on all tracks"


@pytest.mark.parametrize("seed", SEEDS)
def test_a_player_is_heard_up_to_the_cut_and_not_predicted(seed):
    whole = stretch(seed)
    sequence = tasks.accompany_live(stretch(seed), vocabulary.DURATIONS, np.random.default_rng(seed))
    heard = content(sequence, vocabulary.NOTE)
    missing = set(all_notes(whole)) - set(heard)
    players = {note[2] for note in missing}
    scored_roles = sequence.targets[sequence.scored[:, r.F_ROLE], r.F_ROLE]
    assert not players & set(scored_roles.tolist())
    for player in players:
        cut = min(note[:2] for note in missing if note[2] == player)
        assert all(note[:2] < cut for note in heard if note[2] == player), "nothing of the player after the cut"
    assert not sequence.scored[np.isin(sequence.rows[:, r.TARGET_ROLE] - 1, list(players)), : r.F_TYPE].any()
    own = {note[2] for note in heard} - players
    assert {note for note in all_notes(whole) if note[2] in own} <= set(heard), "nothing of the accompaniment is lost"


def test_one_role_cannot_be_accompanied():
    alone = stretch()
    alone.notes[:, r.N_ROLE] = 0
    rng = np.random.default_rng(0)
    assert tasks.accompany_clip(alone, rng) is None and tasks.accompany_live(alone, vocabulary.DURATIONS, rng) is None
    assert drop_track(alone, rng) is alone


def test_a_dropped_track_takes_its_measures_along():
    whole = stretch()
    rest = drop_track(whole, np.random.default_rng(0))
    assert 0 < len(rest.notes) < len(whole.notes) and rest.per_bar.sum() == len(rest.notes)
    assert len(np.unique(rest.notes[:, r.N_ROLE])) == len(np.unique(whole.notes[:, r.N_ROLE])) - 1
    assert not rest.bars[:, 3:].any() and rest.bars[:, :3].all()


def test_a_repeat_of_what_lies_before_the_window_is_not_told():
    whole = stretch(bars=6)
    whole.bars[:, B_REPEATS] = [2, 2, 4, 1, 4, 9]  # 1 back, 1 back, 4 back, new, 4 back, 32 back
    forget_unseen_repeats(whole)
    assert whole.bars[:, B_REPEATS].tolist() == [0, 2, 0, 1, 4, 0]
