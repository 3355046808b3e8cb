"""Recall: notes of other bars at the target of a row, and how well those bars have been repeated so far (docs/model-interface.md, section 2).

Bars back, and in a gap bars ahead as well: those behind the gap, which precede it in the sequence. Rust's `codec::recall` does the same for the engine;
`tests/test_rows.py` compares the two on a file that Rust wrote.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right

import numpy as np

from . import rows as r
from . import vocabulary as v

DISTANCES = (1, 2, 4, 8, 12, 16, 24, 32)
"""Distances in bars, back and ahead: the bars that fine attention sees; back, the repeats column can refer to them (its values 2 to 9)."""
MOST_MATCHES = 31
LEVEL = np.digitize(np.arange(MOST_MATCHES + 1), (1, 3, 7, 15)).tolist()
"""Trust level, 0 to 4, by number of matches."""
SLOTS = 2
OWN = v.COLUMN["own_1"]
CONTENT, PLACE = v.COLUMN["recall_bars_1"], v.COLUMN["recall_beat_1"]
AHEAD = v.COLUMN["ahead_bars_1"]
COUNT = OWN - CONTENT
"""Columns on the bars back, and as many on those ahead."""
WITNESSES = 4
"""Bars before a bar in a gap whose agreement with the bars at a distance ahead of them is the first evidence for that distance."""
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


class _Compared:
    """The bars at the eight distances to one side of a bar, and how well it has repeated each so far."""

    def __init__(self, bars: list[_Bar | None], matches: list[int]):
        self.bars = bars
        self.matches = matches

    def note(self, place: int, rank: int, pitch: int) -> None:
        """The next note of the bar, the `rank`-th one at its place."""
        for i, bar in enumerate(self.bars):
            if bar is not None:
                self.matches[i] = _matched(self.matches[i], bar.find(place, rank), pitch)

    def columns(self, target: int, rank: int, own: set[int], requested: int) -> list[int]:
        """Columns of a row whose target is the `rank`-th note at the place `target`; -1 = it has none. `requested`: the bar to come first."""
        order = sorted((i for i, bar in enumerate(self.bars) if bar is not None), key=lambda i: (i != requested, -self.matches[i], i))
        content: list[tuple[int, tuple[int, int, int, int]]] = []
        places: list[tuple[int, int]] = []
        for i in order:
            bar = self.bars[i]
            found = bar.find(target, rank) if target >= 0 else None
            if found is not None and len(content) < SLOTS and not any(found[1] == other[1] for _, other in content):
                content.append((i, found))
            place = bar.after(target, rank, own) if target >= 0 else bar.first(own)
            if len(places) < SLOTS and not any(place == other for _, other in places):
                places.append((i, place))
        columns = []
        for i, (_, pitch, duration, velocity) in content:
            level = LEVEL[self.matches[i]]
            columns += [i + 1, level * 256 + pitch, level * 64 + duration, level * 32 + velocity if velocity else 0]
        columns += [0, 0, 0, 0] * (SLOTS - len(content))
        for i, place in places:
            level = LEVEL[self.matches[i]]
            if place < 0:
                columns += [level * 17 + BAR_ENDS + 1, 0, 0]
            else:
                tick, role = divmod(place, ROLES)
                beat, sub = divmod(tick, SUBS)
                columns += [level * 17 + beat + 1, level * SUBS + sub + 1, level * ROLES + role + 1]
        return columns + [0, 0, 0] * (SLOTS - len(places))


def _matched(matches: int, found: tuple[int, int, int, int] | None, pitch: int) -> int:
    """A match count after one more note, compared with the one at its place in the other bar."""
    return min(matches + 1, MOST_MATCHES) if found is not None and found[1] == pitch else matches // 4


def _agreement(matches: int, bar: _Bar, other: _Bar) -> int:
    """A match count after all notes of a bar."""
    before, rank = -1, 0
    for place, pitch, _, _ in bar.notes:
        rank = rank + 1 if place == before else 0
        before = place
        matches = _matched(matches, other.find(place, rank), pitch)
    return matches


def _ahead(bars: dict[int, _Bar], number: int) -> _Compared | None:
    """The bars ahead of a bar, if the sequence has any.

    Their match counts begin with the four bars before it, each compared with the bar at the same distance ahead of it, where the sequence has both: the far
    side is not there yet when the bars before a gap are read, so no count can carry over from them.
    """
    ahead = [bars.get(number + distance) for distance in DISTANCES]
    if not any(bar is not None for bar in ahead):
        return None
    matches = [0] * len(DISTANCES)
    for i, distance in enumerate(DISTANCES):
        for witness in range(number - WITNESSES, number):
            one, other = bars.get(witness), bars.get(witness + distance)
            if ahead[i] is not None and one is not None and other is not None:
                matches[i] = _agreement(matches[i], one, other)
    return _Compared(ahead, matches)


def fill_in(sequence: r.Sequence) -> None:
    """Sets the recall columns of every row of a sequence, from the content of its rows."""
    rows, bar_of_row = sequence.rows.tolist(), sequence.key[:, 0].tolist()
    bars: dict[int, _Bar] = {}
    matches_after: dict[int, list[int]] = {}
    notes: list[tuple[int, int, int, int]] = []
    back, ahead = _Compared([], []), None
    current = None
    filled, values, filled_ahead, values_ahead = [], [], [], []
    for index, row in enumerate(rows):
        kind = row[r.KIND]
        if kind == v.PRE:
            continue
        if kind == v.SUM:
            bars[bar_of_row[index]] = _Bar(notes)
            matches_after[bar_of_row[index]] = back.matches
            current = None
            continue
        if current is None:
            current = bar_of_row[index]
            notes = []
            # Matches of the bar before it in the music: the first bar of a gap continues from the bars before the gap.
            matches = list(matches_after.get(current - 1, [0] * len(DISTANCES)))
            back = _Compared([bars.get(current - distance) for distance in DISTANCES], matches)
            ahead = _ahead(bars, current)
        if kind in (v.NOTE, v.GIVEN):
            place = ((row[r.BEAT] - 1) * SUBS + row[r.SUB] - 1) * ROLES + row[r.ROLE] - 1
            rank = sum(note[0] == place for note in notes)
            back.note(place, rank, row[r.PITCH])
            if ahead is not None:
                ahead.note(place, rank, row[r.PITCH])
            notes.append((place, row[r.PITCH], row[r.DURATION], row[r.VELOCITY]))
        has_target = row[r.TARGET_BEAT] > 0
        if not (has_target or kind == v.BAR):
            continue
        target, rank = -1, 0
        if has_target:
            target = ((row[r.TARGET_BEAT] - 1) * SUBS + row[r.TARGET_SUB] - 1) * ROLES + row[r.TARGET_ROLE] - 1
            rank = sum(note[0] == target for note in notes)
        own = {role - 1 for role in row[OWN : OWN + v.OWN_ROLES] if role}
        filled.append(index)
        values.append(back.columns(target, rank, own, row[r.REPEATS] - 2))
        if ahead is not None:
            filled_ahead.append(index)
            values_ahead.append(ahead.columns(target, rank, own, -1))
    if filled:
        sequence.rows[np.array(filled), CONTENT : CONTENT + COUNT] = values
    if filled_ahead:
        sequence.rows[np.array(filled_ahead), AHEAD : AHEAD + COUNT] = values_ahead
