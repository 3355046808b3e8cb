"""Own roles: the one to three roles that are generated; everybody else's notes are GIVEN rows (docs/model-interface.md, section 2).

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
    """The bar that is being played: others are known up to a beat, and the own notes from there on are planned."""

    bar: int
    """As positions number it."""
    cut: int
    """Tick in that bar, a multiple of `BEAT_TICKS`. Nobody else's note begins at it or after it."""


def mark(sequence: r.Sequence, own: list[int]) -> None:
    """Writes the own roles, at most three, into the BAR, NOTE and GIVEN rows."""
    kind = sequence.rows[:, r.KIND]
    marked = (kind >= v.BAR) & (kind <= v.GIVEN)
    for column, role in enumerate(sorted(own)):
        sequence.rows[marked, OWN + column] = role + 1


def interleave(sequence: r.Sequence, planned: Planned | None = None) -> tuple[r.Sequence, int | None]:
    """The rows of whole bars whose GIVEN rows stand first, in the order in which a player is heard.

    A row that asks for a note sees what others began before the beat of that note. The first BAR row sees nothing of its bar, and the row without a target
    of the last own note comes when the bar has ended. In the `planned` bar, the row that says where the first planned note comes stands after all that is
    known of the others: the row of the last own note before the cut, or the first BAR row. Also returns that row's number.
    """
    kind, asked = sequence.rows[:, r.KIND], sequence.rows[:, r.TARGET_BEAT]
    rank = np.where(asked > 0, (asked - 1) * BEAT_TICKS, _BAR_ENDS)
    rank[kind == v.GIVEN] = sequence.key[kind == v.GIVEN, 1]
    first = (kind == v.BAR) & (asked == 0)
    rank[first] = -1
    rank[kind == v.SUM] = _BAR_ENDS + 1
    turn = None
    if planned is not None:
        onset = np.where(first, -1, sequence.query[:, 1])
        before = (sequence.key[:, 0] == planned.bar) & (first | (asked > 0)) & (onset < planned.cut)
        turn = np.flatnonzero(before)[-1]
        rank[turn] = planned.cut
    bar = np.cumsum(kind == v.SUM) - (kind == v.SUM)
    order = np.lexsort((np.arange(len(kind)), kind == v.GIVEN, rank, bar))
    ordered = r.Sequence(*(getattr(sequence, field.name)[order] for field in fields(r.Sequence)))
    return ordered, None if turn is None else int(np.flatnonzero(order == turn)[0])
