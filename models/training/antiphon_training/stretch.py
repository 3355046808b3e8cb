"""Consecutive bars of a piece, as content rows, and their augmentation."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from . import rows as r

# Columns of a corpus bar.
B_METRE, B_TEMPO, B_KEY, B_DENSITY = range(4)
B_REPEATS = 8
TEMPI = 8

REPEATED = np.array([0, 0, 1, 2, 4, 8, 12, 16, 24, 32])
"""By class of `repeats`: how many bars back the bar is that it repeats; 0 = none."""


@dataclass
class Stretch:
    """Bars of one piece. Its arrays are its own: they may be changed in place."""

    notes: np.ndarray
    """i64 [n, 8]: classes, as in the corpus."""
    per_bar: np.ndarray
    """i64 [b]: notes of each bar."""
    bars: np.ndarray
    """i64 [b, fields]: conditioning in the order of the corpus columns; 0 = unset."""
    ticks: np.ndarray
    """i64 [b]: lengths."""
    number: int
    """Of the first bar, in its piece."""
    ends_piece: bool
    chords: np.ndarray
    """i64 [b, 2, 4]: tones of the chords of the bars' halves, as column values; 0 = unset."""

    @property
    def bar_of_note(self) -> np.ndarray:
        return np.repeat(np.arange(len(self.per_bar)), self.per_bar)

    @property
    def starts(self) -> np.ndarray:
        """Tick at which each bar begins, from the first one on."""
        return np.cumsum(self.ticks) - self.ticks

    @property
    def onsets(self) -> np.ndarray:
        """Tick of each note, from the first bar on."""
        return self.starts[self.bar_of_note] + self.notes[:, r.N_BEAT] * 24 + self.notes[:, r.N_SUB]

    def align(self, given: np.ndarray | None = None) -> r.Sequence:
        """The rows; `given` bool [n]: given notes."""
        return r.align(self.notes, self.per_bar, self.bars, self.ticks, self.number, self.ends_piece, given, self.chords)

    def slice(self, first: int, last: int) -> Stretch:
        """The bars from `first` up to `last`."""
        begin, end = int(self.per_bar[:first].sum()), int(self.per_bar[:last].sum())
        ends = self.ends_piece and last == len(self.per_bar)
        of_bars = slice(first, last)
        arrays = (self.notes[begin:end].copy(), self.per_bar[of_bars], self.bars[of_bars].copy(), self.ticks[of_bars])
        return Stretch(*arrays, self.number + first, ends, self.chords[of_bars].copy())

    def without(self, notes: np.ndarray) -> Stretch:
        """The same bars without the notes where `notes` bool [n] holds."""
        per_bar = np.bincount(self.bar_of_note[~notes], minlength=len(self.per_bar))
        return replace(self, notes=self.notes[~notes], per_bar=per_bar)

    def forget_measures(self) -> None:
        """Unset the fields measured on all notes of a bar: density and all columns after it."""
        self.bars[:, B_DENSITY:] = 0


def forget_unseen_repeats(stretch: Stretch) -> None:
    """Unset repeats of bars before the first one of the stretch."""
    back = REPEATED[stretch.bars[:, B_REPEATS]]
    stretch.bars[back > np.arange(len(back)), B_REPEATS] = 0


def drop_controls(stretch: Stretch, share: float, rng: np.random.Generator) -> None:
    """No control but the metre with probability `share`; otherwise each is unset by itself with one probability, drawn for the window.

    So the number of controls set ranges from one, the most frequent request, to all. In half of the windows the bars up to a random one keep all controls:
    those of a context are measured, those of future bars are requested.
    """
    unset = 1.0 if rng.random() < share else rng.random()
    first = 0 if rng.random() < 0.5 else int(rng.integers(len(stretch.bars)))
    stretch.bars[first:, 1:][:, rng.random(stretch.bars.shape[1] - 1) < unset] = 0


def drop_chords(stretch: Stretch, share: float, rng: np.random.Generator) -> None:
    """Chords are set with probability `share`: from a random bar on, or from the first one on in half of those windows, and there in most bars.

    So they are met as they are requested: known ahead, after a context in which they are unset, and with free bars between.
    """
    if rng.random() >= share:
        stretch.chords[:] = 0
        return
    count = len(stretch.chords)
    first = 0 if rng.random() < 0.5 else int(rng.integers(count))
    unset = rng.random(count) < 0.3 * rng.random()
    unset[:first] = True
    stretch.chords[unset] = 0


def transpose(stretch: Stretch, semitones: int) -> None:
    """Transpose pitched notes in place, by less where it would leave the keyboard; a set key label and chords move along."""
    notes, bars = stretch.notes, stretch.bars
    pitched = notes[:, r.N_ROLE] != r.DRUMS
    if not pitched.any():
        return
    low, high = int(notes[pitched, r.N_PITCH].min()), int(notes[pitched, r.N_PITCH].max())
    semitones = max(-low, min(127 - high, semitones))
    notes[pitched, r.N_PITCH] += semitones
    key = bars[:, B_KEY] - 1
    bars[:, B_KEY] = np.where(key >= 0, key // 12 * 12 + (key + semitones) % 12 + 1, 0)
    stretch.chords[:] = np.where(stretch.chords > 0, (stretch.chords - 1 + semitones) % 12 + 1, 0)


def change_loudness(stretch: Stretch, classes: int) -> None:
    """All velocities up or down."""
    stretch.notes[:, r.N_VELOCITY] = np.clip(stretch.notes[:, r.N_VELOCITY] + classes, 0, 31)


def change_tempo(stretch: Stretch, steps: int) -> None:
    """Moves the tempo column, where it is set, by `steps`."""
    tempo = stretch.bars[:, B_TEMPO]
    stretch.bars[:, B_TEMPO] = np.where(tempo > 0, np.clip(tempo + steps, 1, TEMPI), 0)


def drop_track(stretch: Stretch, rng: np.random.Generator) -> Stretch:
    """Without one of its roles, if it has several; fields measured on all roles are unset."""
    roles = np.unique(stretch.notes[:, r.N_ROLE])
    if len(roles) < 2:
        return stretch
    rest = stretch.without(stretch.notes[:, r.N_ROLE] == rng.choice(roles))
    rest.forget_measures()
    return rest
