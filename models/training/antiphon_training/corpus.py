"""The corpus file that `antiphon-lab corpus` writes: content rows of every piece, not yet cut, transposed or aligned."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors import safe_open

from . import vocabulary as v

CORPUS_VERSION = "1"

TRAIN, VALID = 0, 1
FLAT_VELOCITY, PERFORMED_TIMING = 1, 2


class CorpusError(Exception):
    """The file is not a corpus this package can read; the message names the file and the cure."""


@dataclass(frozen=True)
class Corpus:
    """One corpus in memory. See docs/model-interface.md, section 4, for the arrays."""

    notes: np.ndarray
    """u8 [notes, 8]: beat, sub, role, pitch, duration, velocity, offset, part."""
    bar_notes: np.ndarray
    """i64 [bars + 1]: first note of each bar."""
    bars: np.ndarray
    """u8 [bars, 9]: metre, tempo, key, density, register, span, voices, mood, repeats; 0 = unset."""
    chords: np.ndarray
    """u8 [bars, 2, 4]: tones of the chords of the bars' halves, as column values; 0 = none. All 0 in corpus files before vocabulary 6."""
    bar_ticks: np.ndarray
    """i64 [bars]: length in ticks."""
    piece_bars: np.ndarray
    """i64 [pieces + 1]: first bar of each piece."""
    piece_source: np.ndarray
    """i64 [pieces]: index into `sources`."""
    piece_split: np.ndarray
    """u8 [pieces]: `TRAIN` or `VALID`."""
    piece_flags: np.ndarray
    """u8 [pieces]: `FLAT_VELOCITY` | `PERFORMED_TIMING`."""
    sources: list[str]
    paths: list[str]
    columns: list[list]
    """[name, table size] of each row column."""
    fields: list[list]
    """[name, classes] of each note field, in chain order."""
    durations: list[int]
    """Ticks of duration classes 0 to 62."""

    @staticmethod
    def load(path: str | Path) -> Corpus:
        """Read a corpus file.

        Raises CorpusError for a file of another kind or version.
        """
        try:
            with safe_open(str(path), framework="numpy") as file:
                meta = file.metadata() or {}
                if meta.get("antiphon.corpus", meta.get("corpus")) != CORPUS_VERSION:
                    raise CorpusError(f"{path}: not a corpus of version {CORPUS_VERSION}; write it again with `antiphon-lab corpus DIR -o {path}`")
                if meta.get("vocabulary") not in map(str, range(v.OLDEST_CORPUS, v.VERSION + 1)):
                    raise CorpusError(
                        f"{path}: vocabulary {meta.get('vocabulary')}, this package reads {v.OLDEST_CORPUS} to {v.VERSION}; write the corpus again"
                    )
                arrays = {name: file.get_tensor(name) for name in file.keys()}
        except OSError as error:
            raise CorpusError(f"{path}: {error}") from error
        except Exception as error:
            if isinstance(error, CorpusError):
                raise
            raise CorpusError(f"{path}: damaged or not a safetensors file ({error}); write it again with `antiphon-lab corpus`") from error
        index = {name: arrays[name].astype(np.int64) for name in ("bar_notes", "bar_ticks", "piece_bars", "piece_source")}
        plain = {name: arrays[name] for name in ("notes", "bars", "piece_split", "piece_flags")}
        plain["chords"] = arrays.get("chords", np.zeros((len(plain["bars"]), 2, v.CHORD_TONES), np.uint8))
        lists = {name: json.loads(meta[name]) for name in ("sources", "paths", "columns", "fields", "durations")}
        if lists["columns"] != v.COLUMNS[: len(lists["columns"])]:
            raise CorpusError(f"{path}: its columns are not those that vocabulary {v.VERSION} begins with; write the corpus again")
        # Content rows have none of the columns that came later.
        return Corpus(**index, **plain, **lists | {"columns": v.COLUMNS})

    def pieces(self, split: int, source: int | None = None) -> np.ndarray:
        """Indices of the pieces of a split, of one source or of all."""
        chosen = self.piece_split == split
        if source is not None:
            chosen &= self.piece_source == source
        return np.flatnonzero(chosen)
