"""What the model plays: structure, standstills, density, obedience, memorisation. Each number stands beside that of real music."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Callable

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from . import foretelling
from .tables import percent, table

LONG_CLIPS, LONG_BARS = 100, 64
"""Clips long enough to have a form."""

SHORT_CLIPS, SHORT_BARS = 1000, 16
"""Clips many enough to look for copies in."""

CONTROL_PROMPTS, CONTROL_BARS = 100, 8

Run = Callable[..., str]
"""Runs the program `antiphon` with these words and returns what it prints."""


def measure(run: Run, music: Path, work: Path, threads: int) -> dict:
    """Runs what has not been run yet, and returns what it said, by name. The clips stay in WORK/long and WORK/short."""
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
        **foretelling.commands(music, split),
    }
    for name, words in commands.items():
        said = work / f"{name}.json"
        if not said.exists():
            clips = work / name
            # Clips that were made already are only measured.
            if name in ("long", "short") and (clips / "clips.json").exists():
                words = ["eval", "--measure", clips]
            said.write_text(run(*words, *few))
    return {name: json.loads((work / f"{name}.json").read_text()) for name in commands}


def section(said: dict, pictures: Path) -> str:
    """The section of the page; its pictures are written."""
    _similarity_picture(said["long"], pictures / "similarity.png")
    _copies_picture(said, pictures / "copies.png")
    return "\n".join([_playing(said["long"], said["short"]), foretelling.section(said), _controls(said["controls"]), _copies(said)])


def _playing(long: dict, short: dict) -> str:
    steady = [[f"{title}: {name} bars, within 0.6 to 1.6 of the prompt's", *(percent(clips[key][side]["steady"]) for side in ("generated", "real"))]
              for title, clips in ((f"{LONG_BARS}-bar clips", long), (f"{SHORT_BARS}-bar clips", short))
              for name, key in (("first 8", "first_bars"), ("last 8", "last_bars"))]
    medians = [[f"{name} bars: notes per bar, of the prompt's (middle clip)", *(f"{long[key][side]['median']:.2f}" for side in ("generated", "real"))]
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
    return f"""## What it plays

{long['clips']} clips of {long['bars']} bars and {short['clips']} of {short['bars']}, each after {long['prompt_bars']} bars of a validation piece, at the default controls, seed {long['seed']}; beside them what really follows in the same pieces. Sources take turns.

{table("| generated | real", steady + medians + shares)}
Two bars are the same if they strike the same keys at the same times. Stuck: in a row of four bars or more whose notes all start at one place of the bar, or all have one key. Looping: in a passage of one, two or four bars played four times or more in succession.

{table("| generated | real | distance | floor (half of the real music from the other)", distances)}
The similarity error is Museformer's, of the melody, over bars 1 to 40 apart (lengths in sixteenths); the other distances are earth mover's distances between clips. A half of the real music has half the clips, so its floor is above that of as many clips.

![How alike bars are, by their distance](evaluation/similarity.png)

{table("source | clips | steady: generated | real | repeats: generated | real", sources)}{left_out}"""


def _controls(said: dict) -> str:
    rows = []
    for name, control in said["controls"].items():
        values = [f"**{percent(control['exact'])}**", f"**{percent(control['near'])}**", percent(control["base"]["exact"]), percent(control["base"]["near"])]
        rows.append([name, *values])
    rows.append(["role", f"**{percent(said['role']['exact'])}**", "", percent(said["role"]["base"]), ""])
    limits = said["limits"]
    return f"""## Whether it does as asked

{said['prompts']} prompts, {said['bars']} bars after each. One value of one control is drawn uniformly and told to the bars ahead, which know their metre and tempo and nothing else; base rate: nothing is told. Near: at most one bucket off; of keys the relative one or one a fifth away; of moods one step in one of the two directions.

{table("asked | exact | near | base rate exact | near", rows)}
Under a scale and a register of two octaves as hard limits, of {limits['notes']:,} notes {limits['outside_scale']} lay outside the scale and {limits['outside_register']} outside the register.
"""


def _copies(said: dict) -> str:
    copies, real = said["copies"], said["real_copies"]
    rows = []
    for name, lengths in (("generated clips", copies["lengths"]), ("what really follows there", real["lengths"]), ("validation pieces", copies["unseen"])):
        rows.append([name, str(lengths["count"]), *(str(lengths[key]) for key in ("p50", "p90", "p99", "max"))])
    clips = sorted(copies["clips"], key=lambda clip: -(clip["longest"] or {"notes_once": 0})["notes_once"])[:10]
    named = [[Path(clip["path"]).name, str(clip["longest"]["notes_once"]), str(clip["longest"]["notes"]), f"{clip['longest']['training_piece']}, bar {clip['longest']['training_bar']}"]
             for clip in clips if clip["longest"]]
    return f"""## Memorisation

The longest passage that a clip shares with the {copies['training_pieces']:,} training pieces, by interval and rhythm, so in any key: of each part, and of each role that several parts share, the highest note at every onset, drums left out; onsets moved to the nearest sixteenth or eighth triplet. Its length is its notes, what repeats itself counted once: three, and as many as there are different figures of four notes in it. Of the validation pieces {copies['unseen']['bars']} bars are taken in the middle.

{table("longest passage, notes | clips | half at most | 90 % | 99 % | the longest", rows)}
**{percent(copies['share_longer'])}** of the generated clips share more than 99 % of the validation pieces do ({copies['limit']} notes), and {percent(_share_above(copies['lengths']['values'], real['lengths']['p99']))} more than 99 % of what really follows does ({real['lengths']['p99']} notes). The ten that share most:

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


def _copies_picture(said: dict, path: Path) -> None:
    """The share of clips that share a passage of at least so many notes."""
    figure, axes = plt.subplots(figsize=(10, 4), layout="constrained")
    kinds = (("generated", said["copies"]["lengths"]), ("what really follows", said["real_copies"]["lengths"]), ("validation pieces", said["copies"]["unseen"]))
    for name, lengths in kinds:
        values = np.sort(lengths["values"])
        axes.step(values, 1 - np.arange(len(values)) / len(values), where="pre", label=name)
    axes.set(xscale="log", yscale="log", xlabel="notes of the longest shared passage, at least", ylabel="share of clips")
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(path, dpi=110)
    plt.close(figure)
