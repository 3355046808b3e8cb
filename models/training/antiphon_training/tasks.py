"""Training tasks made of a stretch of music: continuation, infill, accompaniment.

The context of each task has exactly the notes known at the same point of a generation (docs/model-interface.md): no future ones in a continuation, the far
side of a gap, the other tracks of a clip, or a player's notes up to a tick.
"""

from __future__ import annotations

import numpy as np

from . import rows as r
from .own import BEAT_TICKS, Planned, interleave, mark
from .stretch import B_KEY, Stretch

MOST_BARS_FILLED = 12
MOST_BARS_OF_THE_FAR_SIDE = 16
MOST_BARS_AHEAD = 8
"""Bars of an accompaniment planned beyond the player's known notes, at most: the largest horizon."""
OWN_SHARES = (0.65, 0.22, 0.13)
"""Probabilities of one, two and three own roles."""
RHYTHM_WEIGHT = 3.0
"""Weight of bass and drums in the choice of own roles; other roles have 1."""
LATE_SHARE = 0.3
"""Probability that the own roles enter late, in windows beside a player."""


def go_on(stretch: Stretch, durations: list[int], rng: np.random.Generator) -> r.Sequence:
    """Continuation after a cut in the second half: notes that sound across it are OPEN in the content of rows.

    In a live session the current bar is read again at every planning tick: its rows see the open notes, and its known notes are not predicted. Targets keep
    their true durations.
    """
    count = len(stretch.per_bar)
    bar = int(rng.integers(count // 2, count))
    cut = stretch.starts[bar] + int(rng.integers(0, max(1, int(stretch.ticks[bar]))))
    whole = stretch.align()
    known = stretch.slice(0, count)
    known.notes[_sounding(stretch, durations, cut), r.N_DURATION] = r.OPEN
    sequence = known.align()
    sequence.targets = whole.targets
    _unscore_known(sequence, stretch, bar, cut)
    return sequence


def fill(stretch: Stretch, rng: np.random.Generator) -> r.Sequence:
    """Infill: the bars before a gap, the bars after it as GIVEN notes, then the bars of the gap, each with its true number."""
    count = len(stretch.per_bar)
    filled = int(rng.integers(1, min(MOST_BARS_FILLED, count - 2) + 1))
    far = int(rng.integers(1, min(MOST_BARS_OF_THE_FAR_SIDE, count - filled - 1) + 1))
    gap = count - far - filled
    near, hole, beyond = stretch.slice(0, gap), stretch.slice(gap, gap + filled), stretch.slice(gap + filled, count)
    known = beyond.align(given=np.ones(len(beyond.notes), bool))
    known.scored[:] = False
    return r.concatenate([near.align(), known, hole.align()])


def accompany_clip(stretch: Stretch, rng: np.random.Generator) -> r.Sequence | None:
    """Accompaniment of a clip: one to three own roles, over the given notes of whole bars. None if there is one role only."""
    own = _own_roles(stretch, rng)
    if own is None:
        return None
    stretch.forget_measures()
    sequence = stretch.align(given=~np.isin(stretch.notes[:, r.N_ROLE], own))
    mark(sequence, own)
    return sequence


def accompany_live(stretch: Stretch, durations: list[int], rng: np.random.Generator) -> r.Sequence | None:
    """Accompaniment of a player: one to three own roles; given notes are known up to a beat in one of the last bars, and own notes go on from there.

    In some windows the own roles enter late: their notes before a random bar, or before that beat, are left out. Conditioning is unset in the bar of that
    beat and after it; fields measured on all roles are unset in every bar. None if there is one role only.
    """
    own = _own_roles(stretch, rng)
    if own is None:
        return None
    count = len(stretch.per_bar)
    bar = int(rng.integers(max(0, count - MOST_BARS_AHEAD), count))
    beat = int(rng.integers(0, max(1, -(-int(stretch.ticks[bar]) // BEAT_TICKS))))
    planned = Planned(stretch.number + bar, beat * BEAT_TICKS)
    cut = stretch.starts[bar] + planned.cut
    of_player = ~np.isin(stretch.notes[:, r.N_ROLE], own)
    stretch.notes[of_player & _sounding(stretch, durations, cut), r.N_DURATION] = r.OPEN
    stretch.forget_measures()
    stretch.bars[bar:, B_KEY:] = 0
    entry, first_bar = 0, 0
    if rng.random() < LATE_SHARE:
        first_bar = int(rng.integers(0, bar + 1))
        entry = cut if rng.random() < 0.5 else stretch.starts[first_bar]
        first_bar = bar if entry == cut else first_bar
    known = stretch.without(np.where(of_player, stretch.onsets >= cut, stretch.onsets < entry))
    sequence = known.align(given=~np.isin(known.notes[:, r.N_ROLE], own))
    mark(sequence, own)
    sequence, chooser = interleave(sequence, planned)
    # Bars before the entry have no loss: the silence of the own roles there is artificial.
    sequence.scored[sequence.key[:, 0] < stretch.number + first_bar] = False
    # The row's target content lies before given notes that the row attends to.
    sequence.scored[chooser, : r.F_TYPE] = False
    return sequence


def _own_roles(stretch: Stretch, rng: np.random.Generator) -> list[int] | None:
    """Own roles: one in most cases, at most three, never all; drums and bass more often than others."""
    roles = np.unique(stretch.notes[:, r.N_ROLE])
    if len(roles) < 2:
        return None
    count = min(int(rng.choice(len(OWN_SHARES), p=OWN_SHARES)) + 1, len(roles) - 1)
    weights = np.where(np.isin(roles, (r.BASS, r.DRUMS)), RHYTHM_WEIGHT, 1.0)
    return sorted(rng.choice(roles, count, replace=False, p=weights / weights.sum()).tolist())


def _sounding(stretch: Stretch, durations: list[int], cut: int) -> np.ndarray:
    """bool [n]: notes that begin before a tick and end after it."""
    lengths = np.array([*durations, 1 << 30])
    onsets = stretch.onsets
    return (onsets < cut) & (onsets + lengths[stretch.notes[:, r.N_DURATION]] > cut)


def _unscore_known(sequence: r.Sequence, stretch: Stretch, bar: int, cut: int) -> None:
    """Takes the loss from the known notes of the bar with the cut."""
    known = int(((stretch.onsets < cut) & (stretch.bar_of_note == bar)).sum())
    own = np.flatnonzero(sequence.key[:, 0] == stretch.number + bar)
    sequence.scored[own[:known]] = False
    if known:
        # The row's target is the last known note; the fields of the continuation keep their loss.
        sequence.scored[own[known], : r.F_TYPE] = False
