"""Statistics of a continuation beside the bars before it: what a judge of generated music sees of its notes.

The clips are those of `antiphon-lab eval --generate N --variations V` (OUT/rows): bars of notes in the model's classes. Almost every statistic is a
difference from the last bars of the prompt, or a distance to them, so that it does not depend on the kind of music.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from .. import vocabulary as v

DRUMS = 128
"""Added to the keys of drums."""
QUARTER = 24
"""Ticks of a quarter note."""
DISTANCES = (1, 2, 4, 8)
"""Distances in bars at which music is compared with itself."""

Note = tuple[int, int, int, int, int, int]
"""Tick in the bar, role, pitch, duration in ticks, velocity and offset as classes."""


@dataclass(frozen=True)
class Bar:
    ticks: int
    """Its length."""
    notes: list[Note]
    """By onset, role and pitch."""
    key: int
    """1 to 24 as measured; 0 = none."""
    mood: int
    """1 to 9; 0 = none."""

    @staticmethod
    def read(bar: dict) -> Bar:
        """A bar of a file in OUT/rows."""
        notes = [(beat * QUARTER + sub, role, pitch, v.DURATIONS[min(duration, len(v.DURATIONS) - 1)], velocity, offset)
                 for beat, sub, role, pitch, duration, velocity, offset in bar["notes"]]
        key, _, _, _, _, mood, _ = bar["fields"]
        return Bar(bar["ticks"], notes, key, mood)

    def struck(self) -> frozenset[tuple[int, int]]:
        """Onsets and keys: two bars that have the same are repeats of each other."""
        return frozenset((tick, pitch) for tick, _, pitch, *_ in self.notes)

    def onsets(self) -> frozenset[tuple[int, bool]]:
        """Onsets of drums and of others."""
        return frozenset((tick, pitch >= DRUMS) for tick, _, pitch, *_ in self.notes)


def overlap(one: frozenset, other: frozenset) -> float:
    """Share of what either has that both have; 1 if neither has anything."""
    return len(one & other) / len(one | other) if one or other else 1.0


def distance(one: Counter, other: Counter) -> float:
    """Half the sum of the differences between two distributions: 0 = the same, 1 = nothing in common. 0 if one has no counts."""
    n, m = sum(one.values()), sum(other.values())
    return sum(abs(one[k] / n - other[k] / m) for k in one.keys() | other.keys()) / 2 if n and m else 0.0


def unseen(one: Counter, other: Counter) -> float:
    """Share of the first distribution that the second has none of."""
    return sum(count for kind, count in one.items() if kind not in other) / max(sum(one.values()), 1)


def entropy(counts: Counter) -> float:
    """In bits."""
    shares = np.array(list(counts.values()), float) / max(sum(counts.values()), 1)
    return float(-(shares * np.log2(shares)).sum()) if len(shares) else 0.0


def top_line(bars: list[Bar]) -> list[tuple[int, int, int]]:
    """The highest note at each onset, without drums: tick from the first bar line, pitch, duration in ticks."""
    line, start = {}, 0
    for bar in bars:
        for tick, _, pitch, duration, *_ in bar.notes:
            if pitch < DRUMS:
                line[start + tick] = max(line.get(start + tick, (0, 0)), (pitch, duration))
        start += bar.ticks
    return [(tick, *note) for tick, note in sorted(line.items())]


class Sheet:
    """Bars, and the distributions of what is in them."""

    def __init__(self, bars: list[Bar]):
        self.bars = bars
        notes = [note for bar in bars for note in bar.notes]
        pitched = [note for note in notes if note[2] < DRUMS]
        self.count = len(notes)
        self.quarters = sum(bar.ticks for bar in bars) / QUARTER
        self.pitches = np.array([note[2] for note in pitched], float)
        self.roles = Counter(note[1] for note in notes)
        self.classes = Counter(note[2] % 12 for note in pitched)
        self.keys = Counter(note[2] for note in notes)
        self.grid = Counter((note[0], note[2] >= DRUMS) for note in notes)
        self.durations = Counter(note[3] for note in pitched)
        self.velocities = np.array([note[4] for note in notes], float)
        self.offsets = np.array([note[5] for note in notes], float)
        self.drums = sum(note[2] >= DRUMS for note in notes) / max(len(notes), 1)
        self.legato = sum(note[3] for note in pitched) / max(sum(bar.ticks for bar in bars), 1)
        self.line = top_line(bars)
        pitches = [pitch for _, pitch, _ in self.line]
        self.steps = [after - before for before, after in zip(pitches, pitches[1:])]
        self.intervals = Counter(self.steps)
        self.pairs = Counter(zip(self.steps, self.steps[1:]))
        ticks = [tick for tick, _, _ in self.line]
        self.gaps = Counter(after - before for before, after in zip(ticks, ticks[1:]))
        self.chords = Counter()
        self.clashes, self.together = 0, 0
        for bar in bars:
            at = {}
            for tick, _, pitch, *_ in bar.notes:
                if pitch < DRUMS:
                    at.setdefault(tick, []).append(pitch)
            self.chords.update(len(chord) for chord in at.values())
            for chord in at.values():
                apart = [abs(a - b) % 12 for i, a in enumerate(chord) for b in chord[:i]]
                self.clashes += sum(interval in (1, 2, 6, 10, 11) for interval in apart)
                self.together += len(apart)
        self.struck = [bar.struck() for bar in bars]
        self.rhythm = [bar.onsets() for bar in bars]
        self.per_bar = np.array([len(bar.notes) / max(bar.ticks, 1) * 4 * QUARTER for bar in bars])

    def density(self) -> float:
        """Notes a quarter."""
        return self.count / max(self.quarters, 1e-9)

    def share(self, which) -> float:
        """Share of the steps of the top line for which `which` holds."""
        return sum(map(which, self.steps)) / max(len(self.steps), 1)


def statistics(prompt: list[Bar], clip: list[Bar]) -> dict[str, float]:
    """Statistics of a clip after its prompt, by name. Finite, whatever the clip."""
    size = len(clip)
    old, new, all_bars = Sheet(prompt[-size:]), Sheet(clip), Sheet(prompt + clip)
    seam = len(prompt)
    of: dict[str, float] = {}

    def both(name: str, after: float, before: float) -> None:
        """A difference, and its size."""
        of[name], of[f"{name} size"] = after - before, abs(after - before)

    def mean(values) -> float:
        return float(np.mean(values)) if len(values) else 0.0

    def deviation(values) -> float:
        return float(np.std(values)) if len(values) else 0.0

    both("density", np.log(new.density() + 0.05), np.log(old.density() + 0.05))
    both("density variation", deviation(np.log(new.per_bar + 1)), deviation(np.log(old.per_bar + 1)))
    half = size // 2
    of["density trend"] = float(np.log(mean(new.per_bar[half:]) + 1) - np.log(mean(new.per_bar[:half]) + 1))
    of["last bar density"] = float(np.log(new.per_bar[-1] + 1) - np.log(mean(new.per_bar) + 1))
    of["first bar density"] = float(np.log(new.per_bar[0] + 1) - np.log(mean(old.per_bar) + 1))
    of["empty bars"] = mean([not bar.notes for bar in clip])
    both("register", mean(new.pitches), mean(old.pitches))
    both("register spread", deviation(new.pitches), deviation(old.pitches))
    both("pitch-class entropy", entropy(new.classes), entropy(old.classes))
    both("drums", new.drums, old.drums)
    both("legato", new.legato, old.legato)
    both("loudness", mean(new.velocities), mean(old.velocities))
    both("loudness spread", deviation(new.velocities), deviation(old.velocities))
    both("timing spread", deviation(new.offsets), deviation(old.offsets))
    both("roles", len(new.roles), len(old.roles))
    for name in ("roles", "classes", "keys", "grid", "durations", "intervals", "pairs", "gaps", "chords"):
        before, after = getattr(old, name), getattr(new, name)
        of[f"{name} distance"] = distance(after, before)
        of[f"{name} new"] = unseen(after, before)
        of[f"{name} gone"] = unseen(before, after)
    both("rhythm entropy", entropy(new.gaps), entropy(old.gaps))
    both("interval entropy", entropy(new.intervals), entropy(old.intervals))
    for name, which in (("repeated notes", lambda step: step == 0), ("steps", lambda step: 0 < abs(step) < 3), ("leaps", lambda step: abs(step) > 7)):
        both(name, new.share(which), old.share(which))
    both("turns", mean([a * b < 0 for a, b in zip(new.steps, new.steps[1:])]), mean([a * b < 0 for a, b in zip(old.steps, old.steps[1:])]))
    both("chord size", mean(list(new.chords.elements())), mean(list(old.chords.elements())))
    both("clashes", new.clashes / max(new.together, 1), old.clashes / max(old.together, 1))
    both("keys of bars", len({bar.key for bar in clip}), len({bar.key for bar in prompt[-size:]}))
    both("moods of bars", len({bar.mood for bar in clip}), len({bar.mood for bar in prompt[-size:]}))
    of["key kept"] = mean([bar.key == prompt[-1].key for bar in clip])
    # How much the clip repeats the music around it, and how much the prompt did.
    for name, bars in (("notes", all_bars.struck), ("rhythm", all_bars.rhythm)):
        for k in DISTANCES:
            after = mean([overlap(bars[i], bars[i - k]) for i in range(seam, seam + size) if i >= k])
            before = mean([overlap(bars[i], bars[i - k]) for i in range(max(seam - size, k), seam)])
            of[f"{name} like {k} back"] = after
            both(f"{name} like {k} back more", after, before)
        nearest = [max((overlap(bars[i], bars[j]) for j in range(max(i - 16, 0), i)), default=0.0) for i in range(1, seam + size)]
        of[f"{name} like any"], of[f"{name} least like any"] = mean(nearest[-size:]), min(nearest[-size:])
        both(f"{name} like any more", mean(nearest[-size:]), mean(nearest[-2 * size : -size]))
        both(f"{name} exact repeats", mean([like == 1 for like in nearest[-size:]]), mean([like == 1 for like in nearest[-2 * size : -size]]))
    of["distinct bars"] = len(set(new.struck)) / size
    # The seam, and the end.
    if old.line and new.line:
        of["seam leap"] = abs(new.line[0][1] - old.line[-1][1])
        of["seam rest"] = (new.line[0][0] + old.bars[-1].ticks - (old.line[-1][0] - sum(bar.ticks for bar in old.bars[:-1]))) / QUARTER
        of["last duration"] = float(np.log(new.line[-1][2]) - np.log(mean([duration for _, _, duration in new.line])))
        of["tonic at the end"] = float(clip[-1].key > 0 and new.line[-1][1] % 12 == (clip[-1].key - 1) % 12)
    else:
        of["seam leap"] = of["seam rest"] = of["last duration"] = of["tonic at the end"] = 0.0
    return {name: float(value) for name, value in of.items()}
