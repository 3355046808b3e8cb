"""Invented pieces in model rows, with positions and targets, for the tests of model and export."""

from dataclasses import dataclass

import numpy as np

from antiphon_training import vocabulary as v

C = v.COLUMN


@dataclass
class Piece:
    rows: np.ndarray  # [T, columns]
    key: np.ndarray  # [T, 3] (bar, tick, index)
    query: np.ndarray  # [T, 3]
    bar: np.ndarray  # [T], -1 for PRE
    targets: np.ndarray  # [T, 8], -1 = none

    @property
    def kind(self) -> np.ndarray:
        return self.rows[:, C["kind"]]


def piece(bars: int = 40, most_notes: int = 6, seed: int = 0, empty_every: int = 7) -> Piece:
    """Random notes in 4/4; every `empty_every`-th bar is empty."""
    random = np.random.default_rng(seed)
    rows, key, query, bar_of_row, targets = [], [], [], [], []

    def add(values: dict, bar: int, k: tuple, q: tuple | None = None, target: dict | None = None):
        row = np.zeros(len(v.COLUMNS), np.int64)
        for name, value in values.items():
            row[C[name]] = value
        wanted = np.full(len(v.FIELDS), -1, np.int64)
        for name, value in (target or {}).items():
            wanted[v.FIELD[name]] = value
        rows.append(row), key.append((bar, *k)), query.append((bar, *(q or k))), bar_of_row.append(bar), targets.append(wanted)

    add({"kind": v.PRE, "style": 3}, -1, (0, 0))
    add({"kind": v.PRE, "role": 2}, -1, (1, 0))
    for b in range(bars):
        count = 0 if b % empty_every == empty_every - 1 else int(random.integers(1, most_notes + 1))
        onsets = np.sort(random.integers(0, 96, count))
        notes = [
            {
                "beat": int(t // 24),
                "sub": int(t % 24),
                "role": int(random.integers(16)),
                "pitch": int(random.integers(256)),
                "duration": int(random.integers(64)),
                "velocity": int(random.integers(32)),
                "offset": int(random.integers(8)),
            }
            for t in onsets
        ]
        control = {"phase": b % 16 + 1, "metre": 1}

        def onset_of(j, notes=notes, last=b == bars - 1):
            if j < len(notes):
                return {"type": 0} | {name: notes[j][name] for name in ("beat", "sub", "role")}
            return {"type": 2 if last else 1}

        def content_of(j, notes=notes):
            return {name: notes[j][name] for name in ("pitch", "duration", "velocity", "offset")}

        def target_columns(j, notes=notes):
            return {f"target_{name}": notes[j][name] + 1 for name in ("beat", "sub", "role")}

        bar_row = {"kind": v.BAR, "tempo": 4, "key": int(random.integers(25)), "density": int(random.integers(9))} | control
        add(bar_row, b, (0, 0), target=onset_of(0))
        if notes:
            add(bar_row | target_columns(0), b, (0, 1), (onsets[0], 2), content_of(0) | onset_of(1))
        for j, note in enumerate(notes):
            kind = v.GIVEN if random.random() < 0.2 else v.NOTE
            columns = {"kind": kind} | control | {name: value + 1 for name, value in note.items()}
            drum = note["pitch"] >= 128
            columns["pitch_class"] = 13 if drum else note["pitch"] % 12 + 1
            columns["octave"] = 12 if drum else note["pitch"] // 12 + 1
            if j + 1 < len(notes):
                target = content_of(j + 1) | onset_of(j + 2)
                add(columns | target_columns(j + 1), b, (onsets[j], j + 2), (onsets[j + 1], j + 3), target)
            else:
                add(columns, b, (onsets[j], j + 2))
        add({"kind": v.SUM} | control, b, (96, 0))
    return Piece(*(np.array(a, np.int64) for a in (rows, key, query, bar_of_row, targets)))
