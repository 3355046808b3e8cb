"""The tasks that a stretch of music is made into: to be gone on with, filled in, accompanied.

What is known of the future in each of them is what will be known when it is played (MODEL section 4 of the plan, docs/model-interface.md): nothing,
the far side of a gap, the other tracks of a clip, or another player up to a tick.
"""

from __future__ import annotations

import numpy as np

from . import rows as r
from .own import BEAT_TICKS, Planned, interleave, mark
from .stretch import B_KEY, Stretch

MOST_BARS_FILLED = 12
MOST_BARS_OF_THE_FAR_SIDE = 16
MOST_BARS_AHEAD = 8
"""How far an accompaniment is planned without hearing the player: the largest horizon."""
OWN_SHARES = (0.65, 0.22, 0.13)
"""How many roles are generated beside others: one, two, three."""
RHYTHM_WEIGHT = 3.0
"""How much likelier bass and drums are to be among them than any other role."""
LATE_SHARE = 0.3
"""Windows beside a player in which the own roles join in late."""


def go_on(stretch: Stretch, durations: list[int], rng: np.random.Generator) -> r.Sequence:
    """Continuation after a cut in the second half: notes that sound across it are OPEN where they are heard.

    Live, the bar that is being played is read anew at every planning tick: its rows see the open notes, and nothing in it that was heard is predicted.
    What is predicted keeps its true length.
    """
    count = len(stretch.per_bar)
    bar = int(rng.integers(count // 2, count))
    cut = stretch.starts[bar] + int(rng.integers(0, max(1, int(stretch.ticks[bar]))))
    whole = stretch.align()
    heard = stretch.slice(0, count)
    heard.notes[_sounding(stretch, durations, cut), r.N_DURATION] = r.OPEN
    sequence = heard.align()
    sequence.targets = whole.targets
    _silence_heard(sequence, stretch, bar, cut)
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
    """One to three roles are generated over all that the others play, bar by bar. None if there is one role only."""
    own = _own_roles(stretch, rng)
    if own is None:
        return None
    stretch.forget_measures()
    sequence = stretch.align(given=~np.isin(stretch.notes[:, r.N_ROLE], own))
    mark(sequence, own)
    return sequence


def accompany_live(stretch: Stretch, durations: list[int], rng: np.random.Generator) -> r.Sequence | None:
    """One to three roles are generated beside a player, who is heard up to a beat in one of the last bars; they go on from there alone.

    In some windows they join in late: their notes before a random bar, or before that beat, are not there. Controls of the bar that is being played are
    unset, and of those after it, and what was measured on all roles in every bar. None if there is one role only.
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
    heard = stretch.without(np.where(of_player, stretch.onsets >= cut, stretch.onsets < entry))
    sequence = heard.align(given=~np.isin(heard.notes[:, r.N_ROLE], own))
    mark(sequence, own)
    sequence, turn = interleave(sequence, planned)
    # That they do not play yet says nothing.
    sequence.scored[sequence.key[:, 0] < stretch.number + first_bar] = False
    # This row's own note lies before what it has heard.
    sequence.scored[turn, : r.F_TYPE] = False
    return sequence


def _own_roles(stretch: Stretch, rng: np.random.Generator) -> list[int] | None:
    """The roles that are generated: one in most cases, up to three, never all; drums and bass more often than others."""
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


def _silence_heard(sequence: r.Sequence, stretch: Stretch, bar: int, cut: int) -> None:
    """No loss on what was heard of the bar that is being played."""
    heard = int(((stretch.onsets < cut) & (stretch.bar_of_note == bar)).sum())
    own = np.flatnonzero(sequence.key[:, 0] == stretch.number + bar)
    sequence.scored[own[:heard]] = False
    if heard:
        # This row's target is the last note heard; what follows it is still to be predicted.
        sequence.scored[own[heard], : r.F_TYPE] = False
