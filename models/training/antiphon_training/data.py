"""Windows of aligned rows for training and validation: sampling by source, augmentation, batches."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from . import recall
from . import rows as r
from . import stretch as st
from . import tasks
from . import vocabulary as v
from .corpus import FLAT_VELOCITY, PERFORMED_TIMING, TRAIN, VALID, Corpus
from .stretch import Stretch


@dataclass(frozen=True)
class Augmentation:
    """Augmentation of training windows. Probabilities, except `loudness`; 0 disables a step."""

    transpose: bool = True
    """-5 to +6 semitones, the key label moves along."""
    drop_control: float = 0.25
    """No BAR control other than the metre is set in the whole window; otherwise each is left out by itself, with one probability drawn from 0 to 1."""
    drop_prefix: float = 0.5
    """Style and ensemble are unset, each by itself."""
    cut: float = 0.3
    """Of the continuation windows: a cut at a random tick, notes sounding across it are OPEN, and the notes before it in that bar have
    no loss."""
    loudness: int = 3
    """All velocities move by up to this many classes."""
    shift: float = 0.5
    """Bars are counted from a random multiple of 16, so that the prefix is met at every distance."""
    tempo: float = 0.2
    """The tempo column is one step slower or faster than the tempo."""
    drop_track: float = 0.1
    """One role is left out."""
    chords: float = 0.35
    """Chords are set, in the bars from a random one on."""
    infill: float = 0.2
    """Infill windows."""
    clip: float = 0.12
    """Windows whose own roles accompany a known clip."""
    live: float = 0.2
    """Windows whose own roles accompany a player."""


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

    def __init__(self, corpus: Corpus, length: int, styles: dict[str, int], with_chords: bool = False):
        """`with_chords`: windows without augmentation have their chords."""
        self.corpus = corpus
        self.with_chords = with_chords
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
        """Rows of a source in a split."""
        bars = self._bars_of(split, source)
        return int((self.rows_before[bars + 1] - self.rows_before[bars]).sum())

    def window(self, first: int, rng: np.random.Generator | None, augmentation: Augmentation | None) -> r.Sequence:
        """Aligned rows from bar `first` of the corpus on, to the piece's end or the window's. Without `rng` there is no augmentation, and no control is set."""
        corpus = self.corpus
        piece = self.piece_of_bar[first]
        end = corpus.piece_bars[piece + 1]
        budget = self.length - 1
        last = min(end, int(np.searchsorted(self.rows_before, self.rows_before[first] + budget, "left")))
        last = max(last, first + 1)
        of_bars = slice(first, last)
        stretch = Stretch(
            notes=corpus.notes[corpus.bar_notes[first] : corpus.bar_notes[last]].astype(np.int64),
            per_bar=np.diff(corpus.bar_notes[first : last + 1]),
            bars=corpus.bars[of_bars].astype(np.int64),
            ticks=corpus.bar_ticks[of_bars],
            number=int(first - corpus.piece_bars[piece]),
            ends_piece=last == end,
            chords=corpus.chords[of_bars].astype(np.int64),
        )
        flags = int(corpus.piece_flags[piece])
        style, roles = 0, []
        if rng is None or augmentation is None:
            stretch.bars[:, 1:] = 0
            if not self.with_chords:
                stretch.chords[:] = 0
            sequence = stretch.align()
        else:
            if rng.random() >= augmentation.drop_prefix:
                style = int(self.style_of_source[corpus.piece_source[piece]])
            if rng.random() >= augmentation.drop_prefix:
                roles = sorted(set(stretch.notes[:, r.N_ROLE].tolist()))
            stretch = vary(stretch, augmentation, flags, rng)
            sequence = self._task(stretch, augmentation, rng)
        if flags & FLAT_VELOCITY:
            sequence.scored[:, r.F_VELOCITY] = False
            if rng is not None and rng.random() < 0.5:
                sequence.rows[:, r.VELOCITY] = 0
        if not flags & PERFORMED_TIMING:
            sequence.scored[:, r.F_OFFSET] = False
        sequence = r.concatenate([r.prefix(style, roles), sequence])
        recall.fill_in(sequence)
        return sequence

    def _task(self, stretch: Stretch, augmentation: Augmentation, rng: np.random.Generator) -> r.Sequence:
        """One of the tasks, by its share; continuation where the music is too small for another."""
        durations, bars = self.corpus.durations, len(stretch.per_bar)
        chosen = rng.random()
        clip, live = augmentation.infill + augmentation.clip, augmentation.infill + augmentation.clip + augmentation.live
        sequence = None
        if chosen < augmentation.infill:
            sequence = tasks.fill(stretch, rng) if bars >= 3 else None
        elif chosen < clip:
            sequence = tasks.accompany_clip(stretch, rng)
        elif chosen < live:
            sequence = tasks.accompany_live(stretch, durations, rng)
        if sequence is not None:
            return sequence
        return tasks.go_on(stretch, durations, rng) if bars >= 2 and rng.random() < augmentation.cut else stretch.align()

    def draw(self, rows: int, weights: np.ndarray, rng: np.random.Generator, augmentation: Augmentation) -> list[r.Sequence]:
        """Training windows, as many as have `rows` rows together: sources by weight, bars uniformly. The last one is whole, so there are some rows more."""
        sequences, count = [], 0
        while count < rows:
            source = int(rng.choice(len(weights), p=weights))
            bars = self.train_bars[source]
            first = self._fit(int(bars[rng.integers(len(bars))]))
            sequences.append(self.window(first, rng, augmentation).cut(self.length))
            count += len(sequences[-1])
        return sequences

    def _fit(self, first: int) -> int:
        """Move a window that would run over its piece's end back, so that it is full where the piece is long enough."""
        corpus = self.corpus
        piece = self.piece_of_bar[first]
        end, begin = corpus.piece_bars[piece + 1], corpus.piece_bars[piece]
        if self.rows_before[end] - self.rows_before[first] >= self.length:
            return first
        back = int(np.searchsorted(self.rows_before, self.rows_before[end] - self.length, "right"))
        return int(min(first, max(begin, back)))

    def validation(self, source: int, count: int, seed: int, augmentation: Augmentation | None = None) -> list[r.Sequence]:
        """`count` windows of a source's validation pieces, the same for the same seed; without augmentation no control is set."""
        bars = self._bars_of(VALID, source)
        if len(bars) == 0:
            return []
        rng = np.random.default_rng([seed, source])
        firsts = [self._fit(int(bars[rng.integers(len(bars))])) for _ in range(count)]
        return [self.window(first, rng if augmentation else None, augmentation) for first in firsts]

    def pad(self, sequences: list[r.Sequence]) -> Batch:
        """A batch for dense attention: windows cut or padded to one length."""
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


def vary(stretch: Stretch, augmentation: Augmentation, flags: int, rng: np.random.Generator) -> Stretch:
    """Augmented copy: controls dropped, transposed, other loudness and tempo, a track left out, another bar number."""
    st.forget_unseen_repeats(stretch)
    st.drop_controls(stretch, augmentation.drop_control, rng)
    if stretch.chords.any():
        st.drop_chords(stretch, augmentation.chords, rng)
    if augmentation.transpose:
        st.transpose(stretch, int(rng.integers(-5, 7)))
    if augmentation.loudness and not flags & FLAT_VELOCITY:
        st.change_loudness(stretch, int(rng.integers(-augmentation.loudness, augmentation.loudness + 1)))
    if rng.random() < augmentation.tempo:
        st.change_tempo(stretch, int(rng.choice([-1, 1])))
    if rng.random() < augmentation.shift:
        stretch.number += 16 * int(rng.integers(0, 64))
    if rng.random() < augmentation.drop_track:
        stretch = st.drop_track(stretch, rng)
    return stretch
