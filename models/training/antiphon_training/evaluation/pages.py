"""Page policies at run time: bits per note and milliseconds per note of the shipped weights under each."""

from __future__ import annotations

import json
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from . import bits
from .playing import Run
from .tables import table

PIECES = 24
"""Pieces of each source that are scored, at most."""

POLICIES = (  # the shipped one first
    "fine_coarse", "window:8", "strided:8", "fixed:8,1", "lsh:16", "kmeans:8", "topk:8", "summaries", "dense",
)
LENGTHS = ("16", "100", "400", "1600")
"""Context lengths in bars at which a note is timed."""

NOT_DENSE = "1600"
"""The context length without a dense measurement, which would take minutes."""


def measure(run: Run, music: Path, work: Path, threads: int) -> dict:
    """Scores and times the policies whose results are not in `work` yet. Returns bits per note by policy and stretch (mean of the sources), and
    milliseconds per note by policy and context length."""
    folder = work / "pages"
    folder.mkdir(exist_ok=True)
    scores = {}
    for policy in POLICIES:
        pieces = folder / f"{policy.replace(':', '-').replace(',', '-')}.csv"
        if not pieces.exists():
            part = pieces.with_suffix(".part")
            few = ["--limit-pieces", PIECES, "--threads", threads]
            run("eval", music, "--split", music / "split.csv", "--policy", policy, *few, "--by-piece", part)
            part.rename(pieces)
        scores[policy] = _means(bits.read(pieces))
    times = folder / "times.json"
    if not times.exists():
        sparse = [word for policy in POLICIES if policy != "dense" for word in ("--policy", policy)]
        said = json.loads(run("bench", "--json", "--bars", ",".join(LENGTHS), *sparse))
        dense = json.loads(run("bench", "--json", "--bars", ",".join(length for length in LENGTHS if length != NOT_DENSE), "--policy", "dense"))
        times.write_text(json.dumps(said["ms_per_note"] | dense["ms_per_note"], indent=1))
    return {"scores": scores, "times": json.loads(times.read_text())}


def _means(groups: dict[str, bits.Pieces]) -> dict[str, float]:
    """Bits per note of each stretch and of the whole: means over the sources that have notes there."""
    sources = [pieces for name, pieces in groups.items() if not name.endswith(" pool")]
    spans = {"all": bits.STRETCHES} | {stretch: (stretch,) for stretch in bits.STRETCHES}
    return {name: float(np.nanmean([pieces.per_note("model", stretches=stretches) for pieces in sources])) for name, stretches in spans.items()}


def section(said: dict, pictures: Path) -> str:
    """The section of EVALUATION.md on page policies, as Markdown. Writes its picture."""
    _picture(said, pictures / "pages.png")
    rows = []
    for policy, score in said["scores"].items():
        cells = [f"{score[name]:.2f}" for name in ("all", *bits.STRETCHES)]
        times = said["times"].get(policy, {})
        whole = f"**{cells[0]}**" if policy == POLICIES[0] else cells[0]
        rows.append([f"`{policy}`", whole, *cells[1:], *(f"{times[length]:.2f}" if length in times else "" for length in LENGTHS)])
    return f"""## Other page policies at run time

The shipped weights, trained with fine/coarse only, run under other page policies: bits per note on at most {PIECES} pieces of each source, mean of the sources, and milliseconds per note by context length (bars of 20 notes), one thread.

{table("policy | bits: all | bars " + " | bars ".join(bits.STRETCHES) + " | ms: " + " | ".join(f"{length} bars" for length in LENGTHS), rows)}
![Bits per note against milliseconds per note](evaluation/pages.png)
"""


def _picture(said: dict, path: Path) -> None:
    """Draws each policy's bits per note against the time per note after 400 bars."""
    figure, axes = plt.subplots(figsize=(10, 4.5), layout="constrained")
    for policy, score in said["scores"].items():
        time = said["times"].get(policy, {}).get("400")
        if time is None:
            continue
        (dot,) = axes.plot(time, score["all"], "o")
        axes.plot(time, score["33+"], "^", color=dot.get_color(), alpha=0.5)
        axes.annotate(policy, (time, score["all"]), xytext=(6, 3), textcoords="offset points", fontsize=8)
    axes.set(xscale="log", xlabel="milliseconds per note after 400 bars", ylabel="bits per note: all (dots), bars 33+ (triangles)")
    axes.grid(alpha=0.3)
    figure.savefig(path, dpi=110)
    plt.close(figure)
