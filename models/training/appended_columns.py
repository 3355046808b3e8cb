"""What the columns that were appended last are worth: `python appended_columns.py WEIGHTS --corpus corpus.rows`.

On validation windows, with the memory of the piece: bits a note with the chords unset and set; bits a note of gaps with the bars ahead in the columns, without
them, and without the far side. Then, for notes at beats in the second half of windows, the pitch probability (without the memory) on the tones of the chord
that sounds and on those of the chord a tritone away, with the columns unset, set, and set to the chord a tritone away.
"""

from __future__ import annotations

import argparse
import math
from dataclasses import fields
from pathlib import Path

import numpy as np
import torch

from antiphon_training import checkpoint, packed, recall, sparse
from antiphon_training import rows as r
from antiphon_training import vocabulary as v
from antiphon_training.corpus import Corpus
from antiphon_training.data import Windows
from antiphon_training.model import Antiphon
from far_side import GAP_ALONE

CHORD = slice(r.CHORD, r.CHORD + v.CHORD_TONES)
AHEAD = slice(recall.AHEAD, recall.AHEAD + recall.COUNT)
LENGTH, SHORT = 2048, 1024
MEASURED = ("pop909", "openscore-lieder", "nifc-polish-scores", "mutopia-pd", "freedoom")


def pack(model: Antiphon, windows: list[r.Sequence]) -> packed.Packed:
    return packed.pack(windows, "fine_coarse", model.config.fine_bars)


@torch.no_grad()
def bits(model: Antiphon, windows: list[r.Sequence]) -> float:
    """Bits a note, with the memory."""
    losses, total, notes = packed.PackedLosses(model), 0.0, 0
    for window in windows:
        nll, count = losses(pack(model, [window]))
        total, notes = total + float(nll.sum()), notes + int(count)
    return total / math.log(2) / max(notes, 1)


def without_far_side(window: r.Sequence) -> r.Sequence:
    """The rows of a window with a gap at its end, but those behind the gap; the loss is on the gap, as in `of_gap`."""
    bar, order = window.key[:, 0], np.arange(len(window))
    far = (order < len(window) - int(gap_rows(window).sum())) & (bar > bar[-1])
    rest = r.Sequence(*(getattr(window, field.name)[~far].copy() for field in fields(window)))
    rest.rows[:, recall.CONTENT : recall.CONTENT + recall.COUNT] = 0
    rest.rows[:, AHEAD] = 0
    recall.fill_in(rest)
    return rest


def gap_rows(window: r.Sequence) -> np.ndarray:
    """The rows of the gap at the end of a window."""
    bar = window.key[:, 0]
    return (np.arange(len(window)) > bar.argmax()) & (bar < bar.max())


def print_bits(model: Antiphon, corpus: Corpus, count: int) -> None:
    """One line for each source, and their mean."""
    plain, chords = Windows(corpus, LENGTH, {}), Windows(corpus, LENGTH, {}, with_chords=True)
    print("| source | chords unset | chords set | gap | gap, no bars ahead | gap, no far side |\n|---|---|---|---|---|---|")
    rows = []
    for source, name in enumerate(corpus.sources):
        gaps = [gap.cut(LENGTH) for gap in plain.validation(source, count, 5, GAP_ALONE)]
        gaps = [gap for gap in gaps if gap_rows(gap).any()]
        for gap in gaps:
            gap.scored &= gap_rows(gap)[:, None]
        near = [without_far_side(gap) for gap in gaps]
        row = [bits(model, [w.cut(LENGTH) for w in of.validation(source, count, 7)]) for of in (plain, chords)] + [bits(model, gaps)]
        for gap in gaps:
            gap.rows[:, AHEAD] = 0
        rows.append([*row, bits(model, gaps), bits(model, near)])
        print(f"| {name} | " + " | ".join(f"{value:.3f}" for value in rows[-1]) + " |", flush=True)
    print("| mean | " + " | ".join(f"{value:.3f}" for value in np.mean(rows, 0)) + " |")


def tritone_away(chords: np.ndarray) -> np.ndarray:
    return np.where(chords > 0, (chords - 1 + 6) % 12 + 1, 0)


@torch.no_grad()
def print_shares(model: Antiphon, corpus: Corpus) -> None:
    """Pitch probability on the tones of chords."""
    windows, shares, losses = Windows(corpus, SHORT, {}, with_chords=True), {}, packed.PackedLosses(model, remembers=False)
    for source in (corpus.sources.index(name) for name in MEASURED):
        for window in (w.cut(SHORT) for w in windows.validation(source, 4, 11)):
            named, late = window.rows[:, CHORD].copy(), np.arange(len(window)) > len(window) // 2
            pitched = (window.rows[:, r.TARGET_ROLE] > 0) & (window.rows[:, r.TARGET_ROLE] != r.DRUMS + 1)
            rows = pitched & (window.rows[:, r.TARGET_SUB] == 1) & (named[:, 0] > 0) & late
            for asked, chords in (("unset", 0 * named), ("as it is", named), ("a tritone away", tritone_away(named))):
                window.rows[:, CHORD] = np.where(late[:, None], chords, 0)
                hidden = losses.hidden(pack(model, [window]))[0]
                pitches = torch.softmax(model.heads[0](hidden[torch.from_numpy(rows)]), -1)[:, : r.DRUM_PITCH].numpy()
                classes = np.stack([pitches[:, k::12].sum(1) for k in range(12)], 1)
                for of, tones in (("that sounds", named[rows]), ("a tritone away", tritone_away(named[rows]))):
                    shares.setdefault((asked, of), []).extend(classes[i, chord[chord > 0] - 1].sum() for i, chord in enumerate(tones))
    for (asked, of), values in shares.items():
        print(f"chord {asked}: {100 * np.mean(values):.1f} % on the tones of the chord {of} ({len(values)} notes)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights", type=Path, help="a best.pt, or a graph in fp16 or fp32")
    parser.add_argument("--corpus", type=Path, required=True, help="file written by `antiphon-lab corpus`, of vocabulary 6 or later")
    parser.add_argument("--windows", type=int, default=4, help="of each source")
    given = parser.parse_args()
    torch.set_num_threads(1)
    if not sparse.available():
        parser.error("it needs a C++ compiler")
    corpus, (model, _, _) = Corpus.load(given.corpus), checkpoint.load(given.weights)
    print_bits(model.eval(), corpus, given.windows)
    print_shares(model, corpus)


if __name__ == "__main__":
    main()
