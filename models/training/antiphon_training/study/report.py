"""Numbers, tables and picture of a study. Intervals of differences are by bootstrap over pieces within their sources (Efron 1979)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from ..evaluation.bits import FIELDS, RESAMPLES, STRETCHES
from ..evaluation.tables import table
from .variants import TABLES, Study, Variant

PARTS = {"place": ("type", "beat", "sub", "role"), "pitch": ("pitch",), "how": ("duration", "velocity", "offset")}
"""Groups of fields that are summed in one column of the tables."""


@dataclass(frozen=True)
class Scores:
    """Negative log-likelihoods of one variant on the validation pieces."""

    about: dict
    sources: list[str]
    """Source of each piece."""
    notes: np.ndarray
    """[pieces, stretches], counts"""
    bits: np.ndarray
    """[pieces, stretches, fields], bits summed over notes"""

    @staticmethod
    def read(file: Path) -> Scores:
        """Reads a file of `run.run`; pieces are sorted by path."""
        results = json.loads(file.read_text())
        pieces = sorted(results.pop("pieces"), key=lambda piece: piece["path"])
        notes, bits = (np.array([piece[name] for piece in pieces], float) for name in ("notes", "bits"))
        return Scores(results, [piece["source"] for piece in pieces], notes, bits)

    def cut(self, stretches: tuple[str, ...] = STRETCHES, fields: tuple[str, ...] = FIELDS) -> tuple[np.ndarray, np.ndarray]:
        """Bits and notes of each piece, in the given stretches and fields."""
        rows = [STRETCHES.index(name) for name in stretches]
        columns = [FIELDS.index(name) for name in fields]
        return self.bits[:, rows][..., columns].sum((1, 2)), self.notes[:, rows].sum(1)


def macro(bits: np.ndarray, notes: np.ndarray, sources: list[str], weights: np.ndarray) -> np.ndarray:
    """Bits per note for each row of `weights` [samples, pieces], the multiplicity of each piece: mean over the sources that have notes, at least one."""
    names = np.array(sources)
    of_source = []
    for name in sorted(set(sources)):
        mine = (names == name) & (notes > 0)
        if mine.any():
            of_source.append(weights[:, mine] @ bits[mine] / (weights[:, mine] @ notes[mine]))
    return np.mean(of_source, 0)


def resampled(sources: list[str], notes: np.ndarray) -> np.ndarray:
    """[RESAMPLES, pieces]: multiplicity of each piece in bootstrap samples drawn within each source, from its pieces that have notes."""
    rng, names = np.random.default_rng(1), np.array(sources)
    weights = np.zeros((RESAMPLES, len(sources)))
    for name in sorted(set(sources)):
        mine = np.flatnonzero((names == name) & (notes > 0))
        if len(mine):
            weights[:, mine] = rng.multinomial(len(mine), np.full(len(mine), 1 / len(mine)), RESAMPLES)
    return weights


def numbers(scores: Scores, shipped: Scores) -> dict:
    """Bits per note of a variant and the difference to the shipped design with its 95 % interval; pieces and notes must be the same."""
    if scores.sources != shipped.sources or not np.array_equal(scores.notes, shipped.notes):
        raise ValueError("two variants were not scored on the same notes: score them again, from one corpus and recipe")
    results = dict(scores.about)
    cuts = {"all": (STRETCHES, FIELDS)} | {f"bars {name}": ((name,), FIELDS) for name in STRETCHES}
    cuts |= {name: (STRETCHES, fields) for name, fields in PARTS.items()}
    for name, (stretches, fields) in cuts.items():
        bits, notes = scores.cut(stretches, fields)
        if not notes.any():
            continue
        more = bits - shipped.cut(stretches, fields)[0]
        once = np.ones((1, len(notes)))
        low, high = np.percentile(macro(more, notes, scores.sources, resampled(scores.sources, notes)), [2.5, 97.5])
        value, difference = (float(macro(of, notes, scores.sources, once)[0]) for of in (bits, more))
        results[name] = {"bits": round(value, 4), "more": round(difference, 4), "interval": [round(float(low), 4), round(float(high), 4)]}
    bits, notes = scores.cut()
    names = np.array(scores.sources)
    results["sources"] = {name: round(float(bits[names == name].sum() / notes[names == name].sum()), 4) for name in sorted(set(scores.sources))}
    return results


def collect(study: Study, out: Path) -> dict:
    """Numbers of every variant by name; None if it has not been scored. A stretch that no piece reaches has no entry."""
    files = {variant.name: out / variant.name / "scores.json" for variant in study.variants}
    first = study.variants[0].name
    if not files[first].exists():
        raise SystemExit(f"{files[first]}: the shipped design has not been scored, and nothing can be compared with it")
    results: dict[str, dict | None] = {}
    for variant in study.variants:
        both = files[variant.name], files[variant.against or first]
        results[variant.name] = numbers(*map(Scores.read, both)) if all(file.exists() for file in both) else None
    return results


def section(study: Study, results: dict, picture: str, notes: str) -> str:
    """The text of models/STUDY.md."""
    shipped = study.variants[0]
    of_shipped = results[shipped.name]
    recipe = shipped.recipe
    missing = [variant.says for variant in study.variants if results[variant.name] is None]
    pieces = f"at most {study.pieces} validation pieces of each source"
    parts = [
        f"""# Study of the design

What each part of the design contributes. Small models (width {recipe.model['width']}, {recipe.model['layers']} layers, {of_shipped['parameters'] / 1e6:.1f} million parameters) that differ from the shipped design in one thing each: {of_shipped['rows']:,} rows in {of_shipped['steps']} steps, the same windows of {recipe.length:,} rows in the same order, seed {recipe.seed}. Made by

```sh
cd models/training && python study.py --corpus corpus.rows --work FOLDER
```

from [study.toml](training/recipes/study.toml); all numbers are in [study.json](evaluation/study.json). Rows are counted as in the shipped design.

Scored on {pieces} from their first bar on, as many whole bars as fit into a window, teacher forced, no control set; the same notes for all variants. Bits per note of all eight fields and of the bars' ends, mean of the sources with equal weights. In brackets: the difference to the shipped design, with its 95 % interval by bootstrap over pieces within their sources (a source with one piece adds nothing to it). The interval does not cover the variation between seeds: a variant with another seed, or with twice the rows, is compared with the shipped design of the same seed and rows. Position is type, beat, sub and role; performance is duration, velocity and offset.
""",
        *([f"Not run: {'; '.join(missing)}.\n"] if missing else []),
        f"![Differences from the shipped design]({picture})\n",
    ]
    for key, title in TABLES.items():
        shown = [variant for variant in study.variants if variant is shipped or variant.table == key]
        parts += [f"## {title}\n", _table([variant for variant in shown if results[variant.name]], results)]
    return "\n".join(parts) + (f"\n{notes}" if notes else "")


COLUMNS = {"all": "bits per note", "bars 1-8": "bars 1-8", "bars 9-32": "9-32", "bars 33+": "33+", "place": "position", "pitch": "pitch", "how": "performance"}


def _table(variants: list[Variant], results: dict) -> str:
    def cell(number: dict | None, is_shipped: bool, wide: bool) -> str:
        if number is None:
            return "-"
        low, high = number["interval"]
        more = f"{number['more']:+.3f}" + (f", {low:+.3f} to {high:+.3f}" if wide else "")
        return f"{number['bits']:.3f}" + ("" if is_shipped else f" ({more})")

    wide = ("all", "bars 33+")
    rows = []
    for variant in variants:
        of = results[variant.name]
        is_shipped = variant.table == ""
        rows.append([variant.says, *(cell(of.get(name), is_shipped, name in wide) for name in COLUMNS), f"{of['parameters'] / 1e6:.2f} M"])
    return table(" | ".join(["variant", *COLUMNS.values(), "parameters"]), rows)


def draw(study: Study, results: dict, path: Path) -> None:
    """Draws the differences from the shipped design with their intervals, and those of each stretch."""
    shown = [variant for variant in study.variants[1:] if results[variant.name]]
    figure, axes = plt.subplots(figsize=(10, 1.6 + 0.42 * max(1, len(shown))), layout="constrained")
    places = -np.arange(len(shown), dtype=float)
    marks = {"all": ("o", "whole piece"), "bars 1-8": ("<", "bars 1-8"), "bars 9-32": ("|", "bars 9-32"), "bars 33+": (">", "bars 33+")}
    for name, (mark, label) in marks.items():
        values = np.array([results[variant.name].get(name, {}).get("more", np.nan) for variant in shown])
        if name == "all":
            bounds = np.array([results[variant.name][name]["interval"] for variant in shown]).reshape(-1, 2).T
            errors = np.abs(bounds - values)
            axes.errorbar(values, places, xerr=errors, fmt=mark, color="k", capsize=3, label=label)
        else:
            axes.plot(values, places - 0.25, mark, alpha=0.7, label=label)
    axes.axvline(0, color="k", linewidth=0.8)
    axes.set_yticks(places, [variant.says for variant in shown])
    axes.set_ylim(0.4 - len(shown), 0.6)
    axes.set(xlabel="bits per note more than the shipped design (left is better)")
    axes.grid(axis="x", alpha=0.3)
    figure.legend(fontsize=8, loc="outside right upper")
    figure.savefig(path, dpi=110)
    plt.close(figure)
