"""Generated music: structure, stuck bars, density, controls, memorisation. Real music is the reference for each number."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Callable

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from . import prediction
from .tables import percent, table

LONG_CLIPS, LONG_BARS = 100, 64
"""Clips that are long enough to have a form; lengths in bars."""

SHORT_CLIPS, SHORT_BARS = 1000, 16
"""Clips that are numerous enough to search for memorised passages."""

CONTROL_PROMPTS, CONTROL_BARS = 100, 8

Run = Callable[..., str]
"""Runs `antiphon-lab`, or `antiphon bench`, with these arguments and returns its standard output."""


def measure(run: Run, music: Path, work: Path, threads: int) -> dict:
    """Runs the commands whose results are not in `work` yet and returns all results by name. The clips are kept in WORK/long and WORK/short."""
    corpus = work / "corpus.rows"
    split = ["--split", music / "split.csv"]
    few = ["--threads", str(threads), "--json"]
    if not corpus.exists():
        run("corpus", music, "-o", corpus, *split)
    commands = {
        "long": ["eval", music, *split, "--generate", LONG_CLIPS, "--bars", LONG_BARS, "--out", work / "long"],
        "short": ["eval", music, *split, "--generate", SHORT_CLIPS, "--bars", SHORT_BARS, "--out", work / "short"],
        "copies": ["eval", "--copy-check", work / "short" / "generated", "--training", corpus],
        "real_copies": ["eval", "--copy-check", work / "short" / "real", "--training", corpus],
        "controls": ["eval", music, *split, "--controls", CONTROL_PROMPTS, "--bars", CONTROL_BARS],
        **prediction.commands(music, split),
    }
    for name, words in commands.items():
        file = work / f"{name}.json"
        if not file.exists():
            clips = work / name
            # Existing clips are measured again, not generated again.
            if name in ("long", "short") and (clips / "clips.json").exists():
                words = ["eval", "--measure", clips]
            file.write_text(run(*words, *few))
    return {name: json.loads((work / f"{name}.json").read_text()) for name in commands}


def section(results: dict, pictures: Path) -> str:
    """The sections of EVALUATION.md on generated music, as Markdown. Writes their pictures."""
    _similarity_picture(results["long"], pictures / "similarity.png")
    _copies_picture(results, pictures / "copies.png")
    return "\n".join([_generation(results["long"], results["short"]), prediction.section(results), _controls(results["controls"]), _copies(results)])


def _generation(long: dict, short: dict) -> str:
    steady = [[f"{title}: {name} bars, 0.6 to 1.6 times the prompt's density", *(percent(clips[key][side]["steady"]) for side in ("generated", "real"))]
              for title, clips in ((f"{LONG_BARS}-bar clips", long), (f"{SHORT_BARS}-bar clips", short))
              for name, key in (("first 8", "first_bars"), ("last 8", "last_bars"))]
    medians = [[f"{name} bars: notes per bar relative to the prompt (median clip)", *(f"{long[key][side]['median']:.2f}" for side in ("generated", "real"))]
               for name, key in (("first 8", "first_bars"), ("last 8", "last_bars"))]
    shares = [[name, *(percent(long[key][side]) for side in ("generated", "real"))]
              for name, key in (("last 8 bars that repeat an earlier one exactly", "repeats"), ("empty bars", "empty"), ("stuck bars", "stuck"), ("looping bars", "looping"))]
    similarity = long["similarity"]
    low, high = similarity["interval"]
    distances = [["similarity error", "", "", f"{percent(similarity['error'])} ({percent(low)} to {percent(high)})", percent(similarity["floor"])]]
    for name, key in (("scale consistency", "scale"), ("pitch-class entropy, bits", "pitch_class"), ("groove consistency", "groove")):
        kind = long[key]
        distances.append([name, *(f"{kind['mean'][side]:.3f}" for side in ("generated", "real")), f"{kind['distance']:.3f}", f"{kind['floor']:.3f}"])
    sources = [[name, str(source["clips"]), percent(source["first_bars"]["generated"]["steady"]), percent(source["first_bars"]["real"]["steady"]),
                percent(source["repeats"]["generated"]), percent(source["repeats"]["real"])] for name, source in long["sources"].items()]
    left_out = f"\nNo piece of {', '.join(long['too_short'])} is long enough for the long clips.\n" if long["too_short"] else ""
    return f"""## Generated music

{long['clips']} clips of {long['bars']} bars and {short['clips']} of {short['bars']}, each after a prompt of {long['prompt_bars']} bars of a validation piece, at the default controls, seed {long['seed']}; "real" is the continuation of the same pieces. Pieces are drawn from the sources in rotation.

{table("| generated | real", steady + medians + shares)}
Two bars are equal if they have the same pitches at the same onsets. A bar is stuck if it is in a run of at least four bars whose notes all have the same onset in the bar, or all the same pitch. A bar is looping if it is in a passage of one, two or four bars that is played at least four times in succession.

{table("| generated | real | distance | floor (one half of the real music against the other)", distances)}
The similarity error is Museformer's, on the melody, over bars 1 to 40 apart (note lengths in sixteenths); the other distances are earth mover's distances between the distributions over clips. The floor compares halves of the real clips, so it is higher than for the full number of clips.

![Similarity of bars by their distance](evaluation/similarity.png)

{table("source | clips | steady: generated | real | repeats: generated | real", sources)}{left_out}"""


def _controls(results: dict) -> str:
    rows = []
    for name, control in results["controls"].items():
        values = [f"**{percent(control['exact'])}**", f"**{percent(control['near'])}**", percent(control["base"]["exact"]), percent(control["base"]["near"])]
        rows.append([name, *values])
    rows.append(["role", f"**{percent(results['role']['exact'])}**", "", percent(results["role"]["base"]), ""])
    limits, chord = results["limits"], results["chord"]
    return f"""## Controls

{results['prompts']} prompts, {results['bars']} generated bars after each. One control is requested at a uniformly drawn value for all new bars, which are otherwise conditioned on metre and tempo only; for the base rate nothing is requested. Near: at most one bucket off; for keys the relative key or one a fifth away; for moods one step in one of the two dimensions. The key of a bar is found in the generated bars around it alone.

{table("control | exact | near | base rate exact | near", rows)}
With a scale and a register of two octaves as masks, {limits['outside_scale']} of {limits['notes']:,} notes were outside the scale and {limits['outside_register']} outside the register.

Asked for one of the common triads of the prompt's key, **{percent(chord['on_beats'])}** of the {chord['notes']:,} pitched notes on a quarter are its tones; without a request {percent(chord['base'])} of them are tones of a triad drawn in the same way.
"""


def _copies(results: dict) -> str:
    copies, real = results["copies"], results["real_copies"]
    rows = []
    for name, lengths in (("generated clips", copies["lengths"]), ("real continuations", real["lengths"]), ("validation pieces", copies["unseen"])):
        rows.append([name, str(lengths["count"]), *(str(lengths[key]) for key in ("p50", "p90", "p99", "max"))])
    clips = sorted(copies["clips"], key=lambda clip: -(clip["longest"] or {"notes_once": 0})["notes_once"])[:10]
    named = [[Path(clip["path"]).name, str(clip["longest"]["notes_once"]), str(clip["longest"]["notes"]), f"{clip['longest']['training_piece']}, bar {clip['longest']['training_bar']}"]
             for clip in clips if clip["longest"]]
    return f"""## Memorisation

The longest passage that a clip shares with the {copies['training_pieces']:,} training pieces, compared by interval and rhythm and thus in any key. Compared are the highest notes at each onset, of each part and of each role that several parts share, without drums; onsets are rounded to the nearest sixteenth or eighth triplet. The length of a passage is its number of notes with internal repetitions counted once: three plus the number of distinct four-note figures in it. Of each validation piece the middle {copies['unseen']['bars']} bars are compared.

{table("longest passage, notes | clips | median | p90 | p99 | longest", rows)}
**{percent(copies['share_longer'])}** of the generated clips exceed the p99 of the validation pieces ({copies['limit']} notes), and {percent(_share_above(copies['lengths']['values'], real['lengths']['p99']))} the p99 of the real continuations ({real['lengths']['p99']} notes). The ten clips with the longest shared passages:

{table("clip | notes | with repetitions | training piece", named)}
![Longest shared passages](evaluation/copies.png)
"""


def _share_above(values: list[int], limit: int) -> float:
    return sum(value > limit for value in values) / len(values)


def _similarity_picture(long: dict, path: Path) -> None:
    figure, axes = plt.subplots(figsize=(10, 4), layout="constrained")
    for side in ("generated", "real"):
        values = long["similarity"]["distribution"][side]
        axes.plot(np.arange(1, len(values) + 1), values, marker="o", markersize=3, label=side)
    axes.set(xlabel="bars apart", ylabel="notes shared of all, mean")
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(path, dpi=110)
    plt.close(figure)


def _copies_picture(results: dict, path: Path) -> None:
    """Draws the share of clips whose longest shared passage has at least so many notes."""
    figure, axes = plt.subplots(figsize=(10, 4), layout="constrained")
    kinds = (("generated", results["copies"]["lengths"]), ("real continuations", results["real_copies"]["lengths"]), ("validation pieces", results["copies"]["unseen"]))
    for name, lengths in kinds:
        values = np.sort(lengths["values"])
        axes.step(values, 1 - np.arange(len(values)) / len(values), where="pre", label=name)
    axes.set(xscale="log", yscale="log", xlabel="notes of the longest shared passage, at least", ylabel="share of clips")
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(path, dpi=110)
    plt.close(figure)
