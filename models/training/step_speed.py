"""Rows per CPU-second of a training step: padded windows under the dense mask against packed rows over the allowed keys, on the same windows."""

from __future__ import annotations

import argparse
import contextlib
import time
from pathlib import Path

import numpy as np
import torch

from antiphon_training import checkpoint, packed
from antiphon_training.corpus import Corpus
from antiphon_training.data import Augmentation, Windows
from antiphon_training.muon import Muon
from antiphon_training.train import Losses, Recipe

HERE = Path(__file__).parent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recipe", type=Path, default=HERE / "recipes/fifth.toml")
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--weights", type=Path, default=HERE.parent / "antiphon-fp16.onnx")
    parser.add_argument("--batches", type=int, default=3, help="of 4,096 rows and more")
    given = parser.parse_args()
    torch.set_num_threads(1)
    recipe, corpus = Recipe.load(given.recipe)[-1], Corpus.load(given.corpus)
    weights = np.array([recipe.sources.get(name, 0.0) for name in corpus.sources])
    windows = Windows(corpus, recipe.length, recipe.styles)
    draw = lambda i: windows.draw(4096, weights / weights.sum(), np.random.default_rng([77, i]), Augmentation(**recipe.augmentation))
    batches = [draw(i) for i in range(given.batches)]
    model = checkpoint.load(given.weights)[0]
    rows = sum(len(window) for batch in batches for window in batch)
    print(f"{rows} rows, {rows / sum(recipe.length * len(batch) for batch in batches):.3f} of the slots of padded windows")
    if not packed.fits(model, recipe.policy, torch.device("cpu")):
        raise SystemExit("the operator could not be built: there is nothing to compare")

    dense, fast = Losses(model, recipe.policy), packed.PackedLosses(model)

    def padded(batch):
        padded = windows.pad(batch)
        return dense(*(torch.from_numpy(getattr(padded, name)) for name in ("rows", "key", "query", "targets", "scored")))

    def end_to_end(batch):
        return fast(packed.pack(batch, recipe.policy, model.config.fine_bars))

    exact = None
    for name, losses in (("padded", padded), ("packed", end_to_end)):
        for bf16 in (False, True):
            spent = 0.0
            for index, batch in enumerate([batches[0], *batches]):  # the first once more, to warm up
                model.zero_grad()
                began = time.process_time()
                with torch.autocast("cpu", dtype=torch.bfloat16) if bf16 else contextlib.nullcontext():
                    nll, notes = losses(batch)
                (nll.sum() / notes).backward()
                spent += (time.process_time() - began) if index else 0.0
            loss = float(nll.detach().sum() / notes)
            gradient = torch.cat([p.grad.flatten() for p in model.parameters()])
            exact = gradient if exact is None else exact
            off = float((gradient - exact).norm() / exact.norm())
            print(f"{name} {'bf16' if bf16 else 'fp32'}: {rows / spent:.0f} rows per CPU-second, loss {loss:.7f}, gradient differs by {off:.1e}", flush=True)

    matrices = [p for p in model.blocks.parameters() if p.dim() == 2]
    torchs = torch.optim.Muon(matrices, 1e-9, adjust_lr_fn="match_rms_adamw")
    for name, muon in (("torch", torchs), ("fp32", Muon(matrices, 1e-9, dtype=torch.float32)), ("bf16", Muon(matrices, 1e-9, dtype=torch.bfloat16))):
        muon.step()
        began = time.process_time()
        muon.step()
        print(f"Muon {name}: {time.process_time() - began:.3f} s a step", flush=True)


if __name__ == "__main__":
    main()
