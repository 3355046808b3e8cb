"""Own roles: the one to three roles to be generated; notes of all other roles are GIVEN rows (docs/model-interface.md, section 2).

Rust's `codec::own` does the same for the engine; `tests/test_rows.py` compares the two on a file that Rust wrote.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from . import rows as r
from . import vocabulary as v

OWN = v.COLUMN["own_1"]
BEAT_TICKS = 24

_BAR_ENDS = 16 * BEAT_TICKS
"""After every beat of the longest bar."""


@dataclass(frozen=True)
class Planned:
    """A bar known up to a beat: given notes start before it, own notes from it on are planned."""

    bar: int
    """Bar index, as in row positions."""
    cut: int
    """Tick in that bar, a multiple of `BEAT_TICKS`. No given note starts at or after it."""


def mark(sequence: r.Sequence, own: list[int]) -> None:
    """Writes the own roles, at most three, into the BAR, NOTE and GIVEN rows."""
    kind = sequence.rows[:, r.KIND]
    marked = (kind >= v.BAR) & (kind <= v.GIVEN)
    for column, role in enumerate(sorted(own)):
        sequence.rows[marked, OWN + column] = role + 1


def interleave(sequence: r.Sequence, planned: Planned | None = None) -> tuple[r.Sequence, int | None]:
    """Reorders the rows of whole bars, GIVEN rows first, causally by beat.

    A row with a target comes after the given notes that start before the target's beat. The first BAR row comes before all given notes, and the row of the
    last own note, without a target, after all of them. In the `planned` bar, the row that predicts the place of the first planned note comes after all
    given notes: the row of the last own note before the cut, or the first BAR row. Also returns the index of that row; None without a `planned` bar.
    """
    kind, target_beat = sequence.rows[:, r.KIND], sequence.rows[:, r.TARGET_BEAT]
    rank = np.where(target_beat > 0, (target_beat - 1) * BEAT_TICKS, _BAR_ENDS)
    rank[kind == v.GIVEN] = sequence.key[kind == v.GIVEN, 1]
    first = (kind == v.BAR) & (target_beat == 0)
    rank[first] = -1
    rank[kind == v.SUM] = _BAR_ENDS + 1
    chooser = None
    if planned is not None:
        onset = np.where(first, -1, sequence.query[:, 1])
        before = (sequence.key[:, 0] == planned.bar) & (first | (target_beat > 0)) & (onset < planned.cut)
        chooser = np.flatnonzero(before)[-1]
        rank[chooser] = planned.cut
    bar = np.cumsum(kind == v.SUM) - (kind == v.SUM)
    order = np.lexsort((np.arange(len(kind)), kind == v.GIVEN, rank, bar))
    ordered = r.Sequence(*(getattr(sequence, field.name)[order] for field in fields(r.Sequence)))
    return ordered, None if chooser is None else int(np.flatnonzero(order == chooser)[0])
