"""From the content rows of a corpus to the aligned rows the model reads (docs/model-interface.md, section 2).

Rust's `codec::align` does the same for the engine; `tests/test_rows.py` compares the two on a file that Rust wrote.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from . import vocabulary as v
from .vocabulary import BAR, GIVEN, NOTE, PRE, SUM

NEXT_NOTE, NEXT_ENDBAR, NEXT_EOS = 0, 1, 2
OPEN = 63
BASS, DRUMS = 2, 3
DRUM_PITCH = 128

KIND, BEAT, SUB, ROLE, PITCH, DURATION, VELOCITY, OFFSET, PITCH_CLASS, OCTAVE = range(10)
TARGET_BEAT, TARGET_SUB, TARGET_ROLE, PHASE, METRE, TEMPO, KEY, DENSITY, REGISTER, SPAN, VOICES, STYLE, MOOD, REPEATS = range(10, 24)

# Columns of a corpus bar after the metre, set on every predicting row of the bar: (column of the row, column of the bar).
BAR_FIELDS = [(TEMPO, 1), (KEY, 2), (DENSITY, 3), (REGISTER, 4), (SPAN, 5), (VOICES, 6), (MOOD, 7), (REPEATS, 8)]

# Columns of a corpus note.
N_BEAT, N_SUB, N_ROLE, N_PITCH, N_DURATION, N_VELOCITY, N_OFFSET, N_PART = range(8)

CHORD = v.COLUMN["chord_root"]

# Fields of the chain.
F_PITCH, F_DURATION, F_VELOCITY, F_OFFSET, F_TYPE, F_BEAT, F_SUB, F_ROLE = range(len(v.FIELDS))


@dataclass
class Sequence:
    """Aligned rows of one window."""

    rows: np.ndarray
    """i64 [T, 59]: column values, 0 = absent."""
    key: np.ndarray
    """i64 [T, 3]: bar, tick, index of the row's content."""
    query: np.ndarray
    """i64 [T, 3]: bar, tick, index of the row's target."""
    targets: np.ndarray
    """i64 [T, 8]: true classes in chain order, -1 where the row has no such output."""
    scored: np.ndarray
    """bool [T, 8]: targets that count; a known one that does not count (the velocity of a flat score) still leads to the fields after it."""

    def __len__(self) -> int:
        return len(self.rows)

    def cut(self, length: int) -> Sequence:
        """Its first rows, at most `length`."""
        return Sequence(*(getattr(self, field.name)[:length] for field in fields(self)))


def prefix(style: int, roles: list[int]) -> Sequence:
    """The PRE rows: one with the style (0 = unset), then one per role of the ensemble."""
    count = 1 + len(roles)
    rows = np.zeros((count, len(v.COLUMNS)), np.int64)
    rows[:, KIND] = PRE
    rows[0, STYLE] = style
    rows[1:, ROLE] = np.asarray(roles, np.int64) + 1
    key = np.stack([np.full(count, -1), np.arange(count), np.zeros(count, np.int64)], 1)
    targets = np.full((count, len(v.FIELDS)), -1, np.int64)
    return Sequence(rows, key, key.copy(), targets, targets >= 0)


def row_counts(notes_per_bar: np.ndarray) -> np.ndarray:
    """Rows of each bar without given notes: n + 2 and a SUM, or one and a SUM for an empty bar."""
    return np.where(notes_per_bar > 0, notes_per_bar + 3, 2)


def align(
    notes: np.ndarray,
    notes_per_bar: np.ndarray,
    bars: np.ndarray,
    ticks: np.ndarray,
    first_bar: int,
    ends_piece: bool,
    given: np.ndarray | None = None,
    chords: np.ndarray | None = None,
) -> Sequence:
    """Aligned rows of consecutive bars.

    notes: [n, >= 7] classes of all their notes; notes_per_bar: [b]; bars: [b, 9] fields of their BAR and NOTE rows; ticks: [b] lengths;
    first_bar: index of the first one; ends_piece: whether the last bar is the piece's last, so that its end is EOS;
    given: bool [n], which notes are known beforehand: their GIVEN rows come first in their bar, and have no target;
    chords: [b, 2, 4], tones of the chords of the bars' halves, as column values.
    """
    notes = notes.astype(np.int64)
    known = np.zeros(len(notes), bool) if given is None else given
    bar_of_note = np.repeat(np.arange(len(notes_per_bar)), notes_per_bar)
    notes = notes[np.lexsort((~known, bar_of_note))]
    given_per_bar = np.bincount(bar_of_note[known], minlength=len(notes_per_bar))
    own_per_bar = notes_per_bar - given_per_bar
    counts = given_per_bar + row_counts(own_per_bar)
    starts = np.cumsum(counts) - counts
    total = int(counts.sum())
    bar = np.repeat(np.arange(len(counts)), counts)
    # Index of a row among the rows that are not GIVEN; GIVEN rows have -g to -1.
    place = np.arange(total) - starts[bar] - given_per_bar[bar]
    in_bar = own_per_bar[bar]
    first_given = (np.cumsum(notes_per_bar) - notes_per_bar)[bar]
    first_note = first_given + given_per_bar[bar]
    is_given = place < 0
    is_sum = place == row_counts(own_per_bar)[bar] - 1
    is_bar = (place == 0) | ((place == 1) & ~is_sum)
    is_note = ~is_sum & ~is_bar & ~is_given
    has_target = (place >= 1) & (place <= in_bar) & ~is_sum
    has_next = (place >= 0) & (place <= in_bar) & ~is_sum

    rows = np.zeros((total, len(v.COLUMNS)), np.int64)
    rows[:, KIND] = np.select([is_sum, is_bar, is_given], [SUM, BAR, GIVEN], NOTE)
    has_content = is_note | is_given
    content = notes[np.where(is_given, first_note + place, first_note + place - 2)[has_content]]
    rows[has_content, BEAT : OFFSET + 1] = content[:, : N_OFFSET + 1] + 1
    set_pitch_columns(rows, has_content)
    target = notes[(first_note + place - 1)[has_target]]
    rows[has_target, TARGET_BEAT : TARGET_ROLE + 1] = target[:, : N_ROLE + 1] + 1
    number = first_bar + bar
    rows[:, PHASE] = number % 16 + 1
    rows[:, METRE] = bars[bar, 0]
    # Rows that predict have the conditioning of the bar.
    predicts = is_bar | is_note
    for column, field in BAR_FIELDS:
        rows[predicts, column] = bars[bar[predicts], field]

    tick = np.zeros(total, np.int64)
    tick[has_content] = content[:, N_BEAT] * 24 + content[:, N_SUB]
    tick[is_sum] = ticks[bar[is_sum]]
    index = np.select([is_sum, is_given], [0, place + given_per_bar[bar] + 2], place)
    key = np.stack([number, tick, index], 1)
    query = key.copy()
    query[has_target, 1] = target[:, N_BEAT] * 24 + target[:, N_SUB]
    query[has_target, 2] += 1

    if chords is not None:
        late = 2 * query[has_target, 1] >= ticks[bar[has_target]].astype(np.int64)
        rows[has_target, CHORD : CHORD + v.CHORD_TONES] = chords[bar[has_target], late.astype(int)]

    targets = np.full((total, len(v.FIELDS)), -1, np.int64)
    targets[has_target, F_PITCH : F_OFFSET + 1] = target[:, [N_PITCH, N_DURATION, N_VELOCITY, N_OFFSET]]
    goes_on = has_next & (place < in_bar)
    targets[has_next, F_TYPE] = NEXT_ENDBAR
    targets[goes_on, F_TYPE] = NEXT_NOTE
    if ends_piece:
        targets[has_next & ~goes_on & (bar == len(counts) - 1), F_TYPE] = NEXT_EOS
    following = notes[(first_note + place)[goes_on]]
    targets[goes_on, F_BEAT : F_ROLE + 1] = following[:, : N_ROLE + 1]
    return Sequence(rows, key, query, targets, targets >= 0)


def set_pitch_columns(rows: np.ndarray, chosen: np.ndarray) -> None:
    """Fill pitch class and octave of the chosen rows from their pitch."""
    pitch = rows[chosen, PITCH] - 1
    drums = pitch >= DRUM_PITCH
    rows[chosen, PITCH_CLASS] = np.where(drums, 13, pitch % 12 + 1)
    rows[chosen, OCTAVE] = np.where(drums, 12, pitch // 12 + 1)


def concatenate(parts: list[Sequence]) -> Sequence:
    """Several stretches one after the other."""
    return Sequence(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Sequence)))
