"""The tasks that a stretch of music is made into: to be gone on with, filled in, accompanied.

What is known of the future in each of them is what will be known when it is played (MODEL section 4 of the plan, docs/model-interface.md): nothing,
the far side of a gap, the other tracks of a clip, or another player up to a tick.
"""

from __future__ import annotations

import numpy as np

from . import rows as r
from .stretch import B_KEY, Stretch

MOST_BARS_FILLED = 12
MOST_BARS_OF_THE_FAR_SIDE = 16
MOST_BARS_AHEAD = 8
"""How far an accompaniment is planned without hearing the player: the largest horizon."""


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
    """Some roles are GIVEN, bar by bar, and the others are predicted. None if there is one role only."""
    known = _others(stretch, rng)
    if known is None:
        return None
    stretch.forget_measures()
    return stretch.align(given=np.isin(stretch.notes[:, r.N_ROLE], known))


def accompany_live(stretch: Stretch, durations: list[int], rng: np.random.Generator) -> r.Sequence | None:
    """The player's roles are heard up to a tick in one of the last bars; the others go on from there alone, and only they are predicted.

    Controls of the bar that is being played are unset, and of those after it. None if there is one role only.
    """
    others = _others(stretch, rng)
    if others is None:
        return None
    count = len(stretch.per_bar)
    bar = int(rng.integers(max(0, count - MOST_BARS_AHEAD), count))
    cut = stretch.starts[bar] + int(rng.integers(0, max(1, int(stretch.ticks[bar]))))
    of_player = np.isin(stretch.notes[:, r.N_ROLE], others)
    stretch.notes[of_player & _sounding(stretch, durations, cut), r.N_DURATION] = r.OPEN
    stretch.bars[bar:, B_KEY:] = 0
    heard = stretch.without(of_player & (stretch.onsets >= cut))
    sequence = heard.align()
    _silence_heard(sequence, heard, bar, cut)
    sequence.scored[np.isin(sequence.rows[:, r.TARGET_ROLE] - 1, others), : r.F_TYPE] = False
    sequence.scored[np.isin(sequence.targets[:, r.F_ROLE], others), r.F_TYPE :] = False
    return sequence


def _others(stretch: Stretch, rng: np.random.Generator) -> np.ndarray | None:
    """The roles that somebody else plays: all but one in most cases, any but all in the rest."""
    roles = rng.permutation(np.unique(stretch.notes[:, r.N_ROLE]))
    if len(roles) < 2:
        return None
    return roles[1:] if rng.random() < 0.6 else roles[: int(rng.integers(1, len(roles)))]


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
