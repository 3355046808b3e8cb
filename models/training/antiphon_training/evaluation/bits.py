"""Bits per note by source and pool, by field and by stretch of a piece, with intervals by bootstrap over pieces (Efron 1979)."""

from __future__ import annotations

import csv
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

FIELDS = ("pitch", "duration", "velocity", "offset", "type", "beat", "sub", "role")
SUBTOTALS = {
    "composition (type, beat, sub, role, pitch)": ("type", "beat", "sub", "role", "pitch"),
    "performance (duration, velocity, offset)": ("duration", "velocity", "offset"),
}
STRETCHES = ("1-8", "9-32", "33+")
PREDICTORS = {"model": "model", "ngram_copy": "n-gram + copy", "ngram": "n-gram", "uniform": "uniform"}

POOLS = {
    "band": ("freedoom", "simutrans"),
    "classical": ("mutopia-pd", "mutopia-ccby", "nifc-chopin-first-ed", "openhymnal", "openscore-orchestra"),
}
"""Sources that are also evaluated together, because each has few validation pieces."""

RESAMPLES = 2000


@dataclass
class Pieces:
    """Note counts and negative log-likelihoods of the pieces of a source or a pool."""

    notes: np.ndarray
    """[pieces, stretches], counts"""
    bits: dict[str, np.ndarray]
    """By predictor: [pieces, stretches, fields], bits summed over notes"""

    def __len__(self) -> int:
        return len(self.notes)

    def per_note(self, predictor: str, fields: tuple[str, ...] = FIELDS, stretches: tuple[str, ...] = STRETCHES) -> float:
        """Bits per note of the given fields and stretches, every note with the same weight. NaN if there are no notes."""
        return float(self._ratios(self.bits[predictor], fields, stretches, np.arange(len(self))[None])[0])

    def interval(self, predictor: str, against: str | None = None) -> tuple[float, float]:
        """95 % interval of the bits per note, or of the difference `against` - `predictor` on the same pieces."""
        chosen = np.random.default_rng(1).integers(0, len(self), (RESAMPLES, len(self)))
        bits = self.bits[predictor] if against is None else self.bits[against] - self.bits[predictor]
        low, high = np.percentile(self._ratios(bits, FIELDS, STRETCHES, chosen), [2.5, 97.5])
        return float(low), float(high)

    def _ratios(self, bits: np.ndarray, fields: tuple[str, ...], stretches: tuple[str, ...], chosen: np.ndarray) -> np.ndarray:
        """Bits per note of each row of `chosen` [samples, pieces], which holds indices of pieces."""
        rows = [STRETCHES.index(name) for name in stretches]
        of_piece = bits[:, rows][:, :, [FIELDS.index(name) for name in fields]].sum((1, 2))
        notes = self.notes[:, rows].sum(1)
        with np.errstate(invalid="ignore"):
            return of_piece[chosen].sum(1) / notes[chosen].sum(1)


def read(table: Path) -> dict[str, Pieces]:
    """Pieces by source and by pool, from the CSV file of `antiphon-lab eval --by-piece`."""
    by_source: dict[str, dict[str, dict]] = defaultdict(lambda: defaultdict(lambda: {"notes": np.zeros(len(STRETCHES)), "bits": {}}))
    with table.open(newline="") as lines:
        for line in csv.DictReader(lines):
            piece = by_source[line["source"]][line["path"]]
            stretch = STRETCHES.index(line["bars"])
            piece["notes"][stretch] = int(line["notes"])
            of_predictor = piece["bits"].setdefault(line["predictor"], np.zeros((len(STRETCHES), len(FIELDS))))
            of_predictor[stretch] = [float(line[field]) for field in FIELDS]
    if not by_source:
        raise ValueError(f"{table}: no piece in it; write it with `antiphon-lab eval --by-piece`")
    groups = {source: list(pieces.values()) for source, pieces in sorted(by_source.items())}
    for pool, sources in POOLS.items():
        together = [piece for source in sources for piece in groups.get(source, [])]
        if together:
            groups[f"{pool} pool"] = together
    return {name: _stack(pieces) for name, pieces in groups.items()}


def _stack(pieces: list[dict]) -> Pieces:
    predictors = pieces[0]["bits"]
    notes = np.stack([piece["notes"] for piece in pieces])
    return Pieces(notes, {name: np.stack([piece["bits"][name] for piece in pieces]) for name in predictors})


def tables(groups: dict[str, Pieces]) -> str:
    """The tables by source, field and stretch, as Markdown."""
    return "\n".join([by_source(groups), by_field(groups), by_stretch(groups)])


def by_source(groups: dict[str, Pieces]) -> str:
    lines = [
        "| source | pieces | notes | model (95 %) | n-gram + copy | n-gram | uniform | saved against n-gram + copy (95 %) |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, pieces in groups.items():
        value = {predictor: f"{pieces.per_note(predictor):.2f}" if predictor in pieces.bits else "" for predictor in PREDICTORS}
        low, high = pieces.interval("model")
        saved = ""
        if "ngram_copy" in pieces.bits:
            least, most = pieces.interval("model", "ngram_copy")
            saved = f"{pieces.per_note('ngram_copy') - pieces.per_note('model'):+.2f} ({least:+.2f} to {most:+.2f})"
        cells = [name, len(pieces), f"{int(pieces.notes.sum()):,}", f"**{value['model']}** ({low:.2f} to {high:.2f})"]
        cells += [value["ngram_copy"], value["ngram"], value["uniform"], saved]
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    return "\n".join(lines) + "\n"


def by_field(groups: dict[str, Pieces]) -> str:
    names = [*SUBTOTALS, *FIELDS]
    lines = ["| source | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    for name, pieces in groups.items():
        parts = [*SUBTOTALS.values(), *((field,) for field in FIELDS)]
        cells = []
        for part in parts:
            own = f"{pieces.per_note('model', part):.2f}"
            cells.append(f"{own} / {pieces.per_note('ngram_copy', part):.2f}" if "ngram_copy" in pieces.bits else own)
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "Model / n-gram + copy, bits per note:\n\n" + "\n".join(lines) + "\n"


def by_stretch(groups: dict[str, Pieces]) -> str:
    names = [f"bars {stretch}" for stretch in STRETCHES]
    lines = ["| source | " + " | ".join(names) + " | saved in bars 1-8 | saved in bars 33+ |", "|---" * (len(names) + 3) + "|"]
    for name, pieces in groups.items():
        has_copy = "ngram_copy" in pieces.bits
        own = [pieces.per_note("model", stretches=(stretch,)) for stretch in STRETCHES]
        other = [pieces.per_note("ngram_copy", stretches=(stretch,)) if has_copy else np.nan for stretch in STRETCHES]
        cells = [f"{a:.2f} / {b:.2f}" for a, b in zip(own, other)] + [f"{other[i] - own[i]:+.2f}" for i in (0, 2)]
        lines.append(f"| {name} | " + " | ".join(cell.replace("+nan", "-").replace("nan", "-") for cell in cells) + " |")
    return "Model / n-gram + copy, by bar of the piece:\n\n" + "\n".join(lines) + "\n"


def picture(groups: dict[str, Pieces], path: Path) -> None:
    """Draws bits per note of each source and pool by predictor, with intervals."""
    figure, axes = plt.subplots(figsize=(10, 5), layout="constrained")
    places = np.arange(len(groups))
    shown = [predictor for predictor in ("model", "ngram_copy", "ngram") if all(predictor in pieces.bits for pieces in groups.values())]
    for i, predictor in enumerate(shown):
        values = np.array([pieces.per_note(predictor) for pieces in groups.values()])
        bounds = np.array([pieces.interval(predictor) for pieces in groups.values()]).T
        errors = np.abs(bounds - values)
        axes.bar(places + (i - (len(shown) - 1) / 2) * 0.27, values, 0.25, yerr=errors, capsize=2, label=PREDICTORS[predictor])
    axes.set_xticks(places, list(groups), rotation=30, ha="right")
    axes.set(ylabel="bits per note: lower is better")
    axes.grid(axis="y", alpha=0.3)
    axes.legend()
    figure.savefig(path, dpi=110)
    plt.close(figure)
