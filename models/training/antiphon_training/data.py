"""Windows of aligned rows for training and validation: sampling by source, augmentation, batches."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from . import rows as r
from . import vocabulary as v
from .corpus import FLAT_VELOCITY, PERFORMED_TIMING, TRAIN, VALID, Corpus


@dataclass(frozen=True)
class Augmentation:
    """What a training window goes through. All probabilities; 0 turns a step off."""

    transpose: bool = True
    """-5 to +6 semitones, the key label moves along."""
    drop_control: float = 0.5
    """No BAR control other than the metre is set in the whole window; otherwise each of them is left out with this probability by itself."""
    drop_prefix: float = 0.5
    """Style and ensemble are unset, each by itself."""
    cut: float = 0.3
    """A cut at a random tick: notes sounding across it are OPEN, and the notes before it in that bar have no loss."""
    loudness: int = 3
    """All velocities move by up to this many classes."""
    shift: float = 0.5
    """Bars are counted from a random multiple of 16, so that the prefix is met at every distance."""


@dataclass
class Batch:
    """[B, T, ...] arrays of windows; rows of kind 0 are padding."""

    rows: np.ndarray
    key: np.ndarray
    query: np.ndarray
    targets: np.ndarray
    scored: np.ndarray


class Windows:
    """Windows of at most `length` rows out of a corpus."""

    def __init__(self, corpus: Corpus, length: int, styles: dict[str, int]):
        self.corpus = corpus
        self.length = length
        self.style_of_source = np.array([styles.get(name, 0) for name in corpus.sources])
        per_bar = np.diff(corpus.bar_notes)
        self.rows_before = np.concatenate([[0], np.cumsum(r.row_counts(per_bar))])
        self.train_bars = {s: self._bars_of(TRAIN, s) for s in range(len(corpus.sources))}
        self.piece_of_bar = np.repeat(np.arange(len(corpus.piece_source)), np.diff(corpus.piece_bars))
        self.bar_start_tick = np.concatenate([[0], np.cumsum(corpus.bar_ticks)])

    def _bars_of(self, split: int, source: int) -> np.ndarray:
        corpus = self.corpus
        pieces = corpus.pieces(split, source)
        spans = [np.arange(corpus.piece_bars[p], corpus.piece_bars[p + 1]) for p in pieces]
        return np.concatenate(spans) if spans else np.zeros(0, np.int64)

    def rows_of(self, split: int, source: int) -> int:
        """Rows of a source in a split: what one pass over it costs."""
        bars = self._bars_of(split, source)
        return int((self.rows_before[bars + 1] - self.rows_before[bars]).sum())

    def window(self, first: int, rng: np.random.Generator | None, augmentation: Augmentation | None) -> r.Sequence:
        """Aligned rows from bar `first` of the corpus on, to the piece's end or the window's. Without `rng` nothing is changed, and no control is set."""
        corpus = self.corpus
        piece = self.piece_of_bar[first]
        end = corpus.piece_bars[piece + 1]
        budget = self.length - 1
        last = min(end, int(np.searchsorted(self.rows_before, self.rows_before[first] + budget, "left")))
        last = max(last, first + 1)
        notes = corpus.notes[corpus.bar_notes[first] : corpus.bar_notes[last]].astype(np.int64)
        per_bar = np.diff(corpus.bar_notes[first : last + 1])
        bars = corpus.bars[first:last].astype(np.int64)
        ticks = corpus.bar_ticks[first:last]
        number = int(first - corpus.piece_bars[piece])
        flags = int(corpus.piece_flags[piece])
        style, roles = 0, []
        heard, unscored = notes, slice(0, 0)
        if rng is None or augmentation is None:
            bars[:, 1:] = 0
        else:
            if rng.random() >= augmentation.drop_prefix:
                style = int(self.style_of_source[corpus.piece_source[piece]])
            if rng.random() >= augmentation.drop_prefix:
                roles = sorted(set(notes[:, r.N_ROLE].tolist()))
            drop = rng.random(7) < augmentation.drop_control
            bars[:, 1:][:, drop[0] | drop[1:]] = 0
            if augmentation.transpose:
                transpose(notes, bars, int(rng.integers(-5, 7)))
            if not flags & FLAT_VELOCITY and augmentation.loudness:
                shift = int(rng.integers(-augmentation.loudness, augmentation.loudness + 1))
                notes[:, r.N_VELOCITY] = np.clip(notes[:, r.N_VELOCITY] + shift, 0, 31)
            if rng.random() < augmentation.shift:
                number += 16 * int(rng.integers(0, 64))
            heard = notes
            if last - first >= 2 and rng.random() < augmentation.cut:
                heard, unscored = self._cut(notes, per_bar, ticks, rng)
        sequence = r.align(heard, per_bar, bars, ticks, number, last == end)
        if heard is not notes:
            # What is predicted keeps its true length: only what is heard is open.
            sequence.targets = r.align(notes, per_bar, bars, ticks, number, last == end).targets
            sequence.scored[unscored] = False
            if unscored.stop > unscored.start:
                # This row's target is the last note heard; what follows it is still to be predicted.
                sequence.scored[unscored.stop, : r.F_TYPE] = False
        if flags & FLAT_VELOCITY:
            sequence.scored[:, r.F_VELOCITY] = False
            if rng is not None and rng.random() < 0.5:
                sequence.rows[:, r.VELOCITY] = 0
        if not flags & PERFORMED_TIMING:
            sequence.scored[:, r.F_OFFSET] = False
        return r.concatenate([r.prefix(style, roles), sequence])

    def _cut(self, notes: np.ndarray, per_bar: np.ndarray, ticks: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, slice]:
        """Cut in the second half of the window. Returns the notes as heard at the cut, and the rows of the cut bar that predict what is already heard.

        Live, the bar that is being played is read anew at every planning tick, so its rows see the open notes, but nothing in it is predicted.
        """
        count = len(per_bar)
        bar = int(rng.integers(count // 2, count))
        tick = int(rng.integers(0, max(1, int(ticks[bar]))))
        starts = np.cumsum(ticks) - ticks
        cut = starts[bar] + tick
        onset = starts[np.repeat(np.arange(count), per_bar)] + notes[:, r.N_BEAT] * 24 + notes[:, r.N_SUB]
        lengths = np.array([*self.corpus.durations, 1 << 30])
        crossing = (onset < cut) & (onset + lengths[notes[:, r.N_DURATION]] > cut)
        heard = notes.copy()
        heard[crossing, r.N_DURATION] = r.OPEN
        bar_row = int(r.row_counts(per_bar[:bar]).sum())
        played = int((onset[per_bar[:bar].sum() : per_bar[: bar + 1].sum()] < cut).sum())
        return heard, slice(bar_row, bar_row + played)

    def sample(self, size: int, weights: np.ndarray, rng: np.random.Generator, augmentation: Augmentation) -> Batch:
        """A training batch: sources by weight, bars uniformly."""
        sequences = []
        for _ in range(size):
            source = int(rng.choice(len(weights), p=weights))
            bars = self.train_bars[source]
            first = self._fit(int(bars[rng.integers(len(bars))]))
            sequences.append(self.window(first, rng, augmentation))
        return self.pack(sequences)

    def _fit(self, first: int) -> int:
        """Move a window that would run over its piece's end back, so that it is full where the piece is long enough."""
        corpus = self.corpus
        piece = self.piece_of_bar[first]
        end, begin = corpus.piece_bars[piece + 1], corpus.piece_bars[piece]
        if self.rows_before[end] - self.rows_before[first] >= self.length:
            return first
        back = int(np.searchsorted(self.rows_before, self.rows_before[end] - self.length, "right"))
        return int(min(first, max(begin, back)))

    def validation(self, source: int, count: int, seed: int) -> list[r.Sequence]:
        """`count` windows of a source's validation pieces, the same for the same seed, without augmentation or controls."""
        bars = self._bars_of(VALID, source)
        if len(bars) == 0:
            return []
        rng = np.random.default_rng([seed, source])
        return [self.window(self._fit(int(bars[rng.integers(len(bars))])), None, None) for _ in range(count)]

    def pack(self, sequences: list[r.Sequence]) -> Batch:
        """Pad or cut to the window's length."""
        size, length = len(sequences), self.length
        batch = Batch(
            np.zeros((size, length, len(v.COLUMNS)), np.int64),
            np.zeros((size, length, 3), np.int64),
            np.zeros((size, length, 3), np.int64),
            np.full((size, length, len(v.FIELDS)), -1, np.int64),
            np.zeros((size, length, len(v.FIELDS)), bool),
        )
        for i, sequence in enumerate(sequences):
            n = min(length, len(sequence))
            for field in fields(Batch):
                getattr(batch, field.name)[i, :n] = getattr(sequence, field.name)[:n]
        return batch


def transpose(notes: np.ndarray, bars: np.ndarray, semitones: int) -> None:
    """Transpose in place what has a pitch, by less where it would leave the keyboard; a set key label moves along."""
    pitched = notes[:, r.N_ROLE] != r.DRUMS
    if not pitched.any():
        return
    low, high = int(notes[pitched, r.N_PITCH].min()), int(notes[pitched, r.N_PITCH].max())
    semitones = max(-low, min(127 - high, semitones))
    notes[pitched, r.N_PITCH] += semitones
    key = bars[:, 2] - 1
    bars[:, 2] = np.where(key >= 0, key // 12 * 12 + (key + semitones) % 12 + 1, 0)
