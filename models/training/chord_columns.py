"""Trains the embeddings of the chord columns alone, and measures what a chord does: `python chord_columns.py WEIGHTS --corpus corpus.rows`.

With `--seconds` it trains first and writes the weights to `--output`. It then prints, for notes at beats in the second half of validation windows, the pitch
probability on the tones of the chord that sounds and on those of the chord a tritone away, with the columns unset, set, and set to the chord a tritone away.
"""

from __future__ import annotations

import argparse
import time
import tomllib
from pathlib import Path

import numpy as np
import torch

from antiphon_training import checkpoint, packed, sparse
from antiphon_training import rows as r
from antiphon_training import vocabulary as v
from antiphon_training.corpus import Corpus
from antiphon_training.data import Augmentation, Windows
from antiphon_training.model import Antiphon

CHORD = slice(r.CHORD, r.CHORD + v.CHORD_TONES)
LENGTH, ROWS, RATE = 1024, 3072, 2e-2
MEASURED = ("pop909", "openscore-lieder", "nifc-polish-scores", "mutopia-pd", "freedoom")


def tritone_away(chords: np.ndarray) -> np.ndarray:
    return np.where(chords > 0, (chords - 1 + 6) % 12 + 1, 0)


def hidden(model: Antiphon, sequence: r.Sequence) -> torch.Tensor:
    return packed.PackedLosses(model, remembers=False).hidden(packed.pack([sequence], "fine_coarse", model.config.fine_bars))[0]


def train(model: Antiphon, corpus: Corpus, recipe: dict, seconds: float) -> None:
    """Adam on the chord's embeddings; all other weights stay as they are."""
    model.requires_grad_(False)
    table = model.embedding.weight.requires_grad_(True)
    mask = torch.zeros_like(table)
    mask[sum(size for _, size in v.COLUMNS[: r.CHORD]) :] = 1
    optimiser = torch.optim.Adam([table], RATE, betas=(0.9, 0.97))
    augmentation = Augmentation(**recipe["augmentation"] | {"chords": 1.0})
    weights = np.array([recipe["sources"].get(name, 0.0) for name in corpus.sources])
    windows, losses = Windows(corpus, LENGTH, recipe["styles"]), packed.PackedLosses(model, remembers=False)
    began, step, rows = time.monotonic(), 0, 0
    while (done := (time.monotonic() - began) / seconds) < 1:
        optimiser.param_groups[0]["lr"] = RATE * min(1.0, (step + 1) / 4, max(0.02, (1 - done) / 0.6))
        drawn = windows.draw(ROWS, weights / weights.sum(), np.random.default_rng([77, step]), augmentation)
        batch = packed.pack([s.cut(LENGTH) for s in drawn], "fine_coarse", model.config.fine_bars)
        nll, notes = losses(batch)
        (nll.sum() / notes.clamp(min=1)).backward()
        table.grad *= mask
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        step, rows = step + 1, rows + batch.count
    print(f"{rows:,} rows in {step} steps, {time.process_time():.0f} CPU-seconds with the start")


@torch.no_grad()
def measure(model: Antiphon, corpus: Corpus) -> None:
    windows, shares = Windows(corpus, LENGTH, {}, with_chords=True), {}
    for source in (corpus.sources.index(name) for name in MEASURED):
        for window in (w.cut(LENGTH) for w in windows.validation(source, 4, 11)):
            named, late = window.rows[:, CHORD].copy(), np.arange(len(window)) > len(window) // 2
            pitched = (window.rows[:, r.TARGET_ROLE] > 0) & (window.rows[:, r.TARGET_ROLE] != r.DRUMS + 1)
            rows = pitched & (window.rows[:, r.TARGET_SUB] == 1) & (named[:, 0] > 0) & late
            for asked, chords in (("unset", 0 * named), ("as it is", named), ("a tritone away", tritone_away(named))):
                window.rows[:, CHORD] = np.where(late[:, None], chords, 0)
                pitches = torch.softmax(model.heads[0](hidden(model, window)[torch.from_numpy(rows)]), -1)[:, : r.DRUM_PITCH].numpy()
                classes = np.stack([pitches[:, k::12].sum(1) for k in range(12)], 1)
                for of, tones in (("that sounds", named[rows]), ("a tritone away", tritone_away(named[rows]))):
                    shares.setdefault((asked, of), []).extend(classes[i, chord[chord > 0] - 1].sum() for i, chord in enumerate(tones))
    for (asked, of), values in shares.items():
        print(f"chord {asked}: {100 * np.mean(values):.1f} % on the tones of the chord {of} ({len(values)} notes)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights", type=Path, help="a best.pt, or a graph in fp16 or fp32")
    parser.add_argument("--corpus", type=Path, required=True, help="file written by `antiphon-lab corpus`, of vocabulary 6")
    parser.add_argument("--recipe", type=Path, default=Path(__file__).parent / "recipes/eighth.toml", help="sources, styles and augmentation")
    parser.add_argument("--seconds", type=float, default=0, help="train for this long first")
    parser.add_argument("--output", type=Path, help="weights to write after training")
    given = parser.parse_args()
    torch.set_num_threads(1)
    if not sparse.available():
        parser.error("it needs a C++ compiler")
    corpus, (model, description, _) = Corpus.load(given.corpus), checkpoint.load(given.weights)
    if given.seconds:
        train(model, corpus, tomllib.loads(given.recipe.read_text()), given.seconds)
        if given.output:
            checkpoint.save(given.output, model, description)
    measure(model.eval(), corpus)


if __name__ == "__main__":
    main()
