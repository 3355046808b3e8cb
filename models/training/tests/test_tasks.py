"""Tasks: their contexts have no note that is unknown at the same point of a generation, and their targets are the notes to be generated."""

import numpy as np
import pytest
import torch
from test_data import corpus

from antiphon_training import rows as r
from antiphon_training import tasks, vocabulary
from antiphon_training.model import attention_mask
from antiphon_training.own import OWN
from antiphon_training.stretch import B_REPEATS, Stretch, drop_track, forget_unseen_repeats

SEEDS = range(12)


def stretch(seed=0, bars=24):
    music = corpus(seed, pieces=2, bars=bars)
    notes = music.notes[: music.bar_notes[bars]].astype(np.int64)
    return Stretch(notes, np.diff(music.bar_notes[: bars + 1]), music.bars[:bars].astype(np.int64), music.bar_ticks[:bars], 16, True, music.chords[:bars].astype(np.int64))


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
    jumps = np.flatnonzero(np.diff(numbers) != 1)
    assert len(jumps) == 2, "before the gap, after it, the gap"
    near, far, hole = np.split(numbers, jumps + 1)
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


def owned(sequence):
    """The own roles of each row, as classes."""
    return [{role - 1 for role in row if role} for row in sequence.rows[:, OWN : OWN + vocabulary.OWN_ROLES].tolist()]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("live", [False, True])
def test_rows_know_the_own_roles_and_predict_no_others(seed, live):
    rng = np.random.default_rng(seed)
    sequence = tasks.accompany_live(stretch(seed), vocabulary.DURATIONS, rng) if live else tasks.accompany_clip(stretch(seed), rng)
    own = {note[2] for note in content(sequence, vocabulary.NOTE)}
    own_columns = owned(sequence)
    marked = np.isin(sequence.rows[:, r.KIND], (vocabulary.BAR, vocabulary.NOTE, vocabulary.GIVEN))
    roles = own_columns[int(np.flatnonzero(marked)[0])]
    assert own <= roles and 1 <= len(roles) <= vocabulary.OWN_ROLES
    assert all(row == (roles if is_marked else set()) for row, is_marked in zip(own_columns, marked))
    assert not roles & {note[2] for note in content(sequence, vocabulary.GIVEN)}
    for predicted in (sequence.targets[:, r.F_ROLE], sequence.rows[:, r.TARGET_ROLE] - 1):
        assert set(predicted[predicted >= 0].tolist()) <= roles


@pytest.mark.parametrize("seed", range(24))
def test_given_notes_of_a_player_end_at_the_cut_and_precede_targets_of_later_beats(seed):
    whole = stretch(seed)
    sequence = tasks.accompany_live(stretch(seed), vocabulary.DURATIONS, np.random.default_rng(seed))
    given, own_notes = content(sequence, vocabulary.GIVEN), content(sequence, vocabulary.NOTE)
    roles = owned(sequence)[0] or owned(sequence)[1]
    players = [note for note in all_notes(whole) if note[2] not in roles]
    missing = sorted(set(players) - set(given))
    assert set(given) <= set(players)
    if missing:
        assert all(note[:2] < missing[0][:2] for note in given), "no note of the player after the cut"
    own = sorted(note for note in all_notes(whole) if note[2] in roles)
    assert sorted(own_notes) == own[len(own) - len(own_notes) :], "nothing of the own notes is lost once they play"
    at = {"bar": None, "choosers": 0}
    for row, key, scored in zip(sequence.rows, sequence.key, sequence.scored):
        if key[0] != at["bar"]:
            at.update(bar=key[0], given=[-1], target=-1)
        if row[r.KIND] == vocabulary.GIVEN:
            at["given"].append(int(key[1]))
            assert at["given"][-1] >= at["target"], "a given note comes after the targets before its beat"
        elif row[r.TARGET_BEAT] > 0:
            beat = (row[r.TARGET_BEAT] - 1) * 24
            if max(at["given"]) >= beat:
                at["choosers"] += 1
                assert not scored[: r.F_TYPE].any(), "what sees notes beside or after its own has no loss on it"
            at["target"] = beat
    assert at["choosers"] <= 1, "only the row that predicts the first planned note"


def test_own_roles_come_in_late_and_their_silence_before_has_no_loss():
    late = 0
    for seed in range(60):
        sequence = tasks.accompany_live(stretch(0), vocabulary.DURATIONS, np.random.default_rng(seed))
        bars = np.unique(sequence.key[:, 0])
        silent = [bar for bar in bars if not sequence.scored[sequence.key[:, 0] == bar].any()]
        late += bool(silent)
        assert silent == list(bars[: len(silent)]), "the first ones"
        notes = sequence.rows[:, r.KIND] == vocabulary.NOTE
        assert not np.isin(sequence.key[notes, 0], silent).any()
    assert 8 < late < 30


def test_drums_and_bass_are_own_roles_more_often_than_others():
    music = stretch()
    drawn = [tasks._own_roles(music, np.random.default_rng(seed)) for seed in range(600)]
    share = {role: np.mean([role in own for own in drawn]) for role in (0, r.BASS, r.DRUMS)}
    assert share[0] < 0.35 < 0.5 < min(share[r.BASS], share[r.DRUMS])
    assert {len(own) for own in drawn} == {1, 2}, "never all three"


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


def test_a_repeat_of_a_bar_before_the_window_is_unset():
    whole = stretch(bars=6)
    whole.bars[:, B_REPEATS] = [2, 2, 4, 1, 4, 9]  # 1 back, 1 back, 4 back, new, 4 back, 32 back
    forget_unseen_repeats(whole)
    assert whole.bars[:, B_REPEATS].tolist() == [0, 2, 0, 1, 4, 0]
