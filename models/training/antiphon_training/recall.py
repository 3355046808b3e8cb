"""Recall: notes of earlier bars at the target of a row, and how well those bars have been repeated so far (docs/model-interface.md, section 2).

Rust's `codec::recall` does the same for the engine; `tests/test_rows.py` compares the two on a file that Rust wrote.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right

import numpy as np

from . import rows as r
from . import vocabulary as v

BARS_BACK = (1, 2, 4, 8, 12, 16, 24, 32)
"""Distances in bars: the bars that fine attention sees, and that the repeats column can refer to (its values 2 to 9)."""
MOST_MATCHES = 31
LEVEL = np.digitize(np.arange(MOST_MATCHES + 1), (1, 3, 7, 15)).tolist()
"""Trust level, 0 to 4, by number of matches."""
SLOTS = 2
OWN = v.COLUMN["own_1"]
CONTENT = v.COLUMN["recall_bars_1"]
PLACE = v.COLUMN["recall_beat_1"]
BAR_ENDS = 16
"""Instead of a beat: the bar has no further note."""
SUBS, ROLES = 24, 16


class _Bar:
    """The notes of a bar in canonical order, found by their place and rank among those that begin there in the same role."""

    def __init__(self, notes: list[tuple[int, int, int, int]]):
        """Of each note: place (tick x 16 + role), and its pitch, duration and velocity columns."""
        notes.sort()
        self.places = [note[0] for note in notes]
        self.notes = notes

    def find(self, place: int, rank: int) -> tuple[int, int, int, int] | None:
        """The note of this rank at a place."""
        at = bisect_left(self.places, place) + rank
        return self.notes[at] if at < len(self.places) and self.places[at] == place else None

    def after(self, place: int, rank: int, own: set[int]) -> int:
        """The place of the first note of the roles `own` (none = all) after that rank at a place; -1 = the bar ends."""
        at = min(bisect_left(self.places, place) + rank + 1, bisect_right(self.places, place))
        return self._first(at, own)

    def first(self, own: set[int]) -> int:
        """The place of its first note of those roles; -1 = it has none."""
        return self._first(0, own)

    def _first(self, at: int, own: set[int]) -> int:
        places = self.places[at:]
        return next((place for place in places if not own or place % ROLES in own), -1)


def fill_in(sequence: r.Sequence) -> None:
    """Sets the recall columns of every row of a sequence, from the content of its rows."""
    rows, bar_of_row = sequence.rows.tolist(), sequence.key[:, 0].tolist()
    bars: dict[int, _Bar] = {}
    matches_after: dict[int, list[int]] = {}
    matches: list[int] = []
    notes: list[tuple[int, int, int, int]] = []
    earlier: list[_Bar | None] = []
    current = None
    filled, values = [], []
    for index, row in enumerate(rows):
        kind = row[r.KIND]
        if kind == v.PRE:
            continue
        if kind == v.SUM:
            bars[bar_of_row[index]] = _Bar(notes)
            matches_after[bar_of_row[index]] = matches
            current = None
            continue
        if current is None:
            current = bar_of_row[index]
            notes = []
            earlier = [bars.get(current - back) for back in BARS_BACK]
            # Of the bar before it in the music: the first bar of a gap continues from the bars before the gap.
            matches = list(matches_after.get(current - 1, [0] * len(BARS_BACK)))
        if kind in (v.NOTE, v.GIVEN):
            place = ((row[r.BEAT] - 1) * SUBS + row[r.SUB] - 1) * ROLES + row[r.ROLE] - 1
            rank = sum(note[0] == place for note in notes)
            for i, bar in enumerate(earlier):
                if bar is not None:
                    found = bar.find(place, rank)
                    same = found is not None and found[1] == row[r.PITCH]
                    matches[i] = min(matches[i] + 1, MOST_MATCHES) if same else matches[i] // 4
            notes.append((place, row[r.PITCH], row[r.DURATION], row[r.VELOCITY]))
        columns = _columns(row, notes, earlier, matches)
        if columns is not None:
            filled.append(index)
            values.append(columns)
    if filled:
        sequence.rows[np.array(filled), CONTENT:OWN] = values


def _columns(row: list[int], notes: list, earlier: list[_Bar | None], matches: list[int]) -> list[int] | None:
    """Recall columns of a row; None if there is no earlier bar, or if the row does not predict."""
    has_target = row[r.TARGET_BEAT] > 0
    if not (has_target or row[r.KIND] == v.BAR):
        return None
    requested = row[r.REPEATS] - 2
    order = sorted((i for i, bar in enumerate(earlier) if bar is not None), key=lambda i: (i != requested, -matches[i], i))
    if not order:
        return None
    own = {role - 1 for role in row[OWN : OWN + v.OWN_ROLES] if role}
    target, rank = -1, 0
    content: list[tuple[int, tuple[int, int, int, int]]] = []
    if has_target:
        target = ((row[r.TARGET_BEAT] - 1) * SUBS + row[r.TARGET_SUB] - 1) * ROLES + row[r.TARGET_ROLE] - 1
        rank = sum(note[0] == target for note in notes)
        for i in order:
            found = earlier[i].find(target, rank)
            if found is not None and not any(found[1] == other[1] for _, other in content):
                content.append((i, found))
                if len(content) == SLOTS:
                    break
    places: list[tuple[int, int]] = []
    for i in order:
        bar = earlier[i]
        place = bar.after(target, rank, own) if has_target else bar.first(own)
        if not any(place == other for _, other in places):
            places.append((i, place))
            if len(places) == SLOTS:
                break
    columns = []
    for slot in range(SLOTS):
        if slot < len(content):
            i, (_, pitch, duration, velocity) = content[slot]
            level = LEVEL[matches[i]]
            columns += [i + 1, level * 256 + pitch, level * 64 + duration, level * 32 + velocity if velocity else 0]
        else:
            columns += [0, 0, 0, 0]
    for slot in range(SLOTS):
        if slot >= len(places):
            columns += [0, 0, 0]
            continue
        i, place = places[slot]
        level = LEVEL[matches[i]]
        if place < 0:
            columns += [level * 17 + BAR_ENDS + 1, 0, 0]
        else:
            tick, role = divmod(place, ROLES)
            beat, sub = divmod(tick, SUBS)
            columns += [level * 17 + beat + 1, level * SUBS + sub + 1, level * ROLES + role + 1]
    return columns
