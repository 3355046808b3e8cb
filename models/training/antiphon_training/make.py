"""From a folder of music to the graphs the engine runs: `python -m antiphon_training.make RECIPE.toml --music FOLDER --out FOLDER`.

Writes the corpus with the engine's own `antiphon-lab corpus`, trains every stage of the recipe, and writes the int8, fp16 and reference graphs into
OUT/graphs, with the recipe and the training curve beside them. Existing files are kept. On several GPUs: `--gpus N`.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

from . import checkpoint
from .export import export
from .train import Recipe

ROOT = Path(__file__).resolve().parents[3]
"""Root of the repository, which contains the engine."""

INT8, FP16, REFERENCE = "antiphon.onnx", "antiphon-fp16.onnx", "reference.onnx"


def write_corpus(music: Path, corpus: Path) -> None:
    """The corpus file, unless it is there. Raises CalledProcessError where the engine's program fails, after its message."""
    if corpus.exists():
        return
    cargo = ["cargo", "run", "--release", "--locked", "--package", "antiphon-lab", "--"]
    split = music / "split.csv"
    split_option = ["--split", str(split.resolve())] if split.exists() else []
    subprocess.run([*cargo, "corpus", str(music.resolve()), "-o", str(corpus.resolve()), *split_option], cwd=ROOT, check=True)


def train(recipe: Path, corpus: Path, out: Path, gpus: int) -> Path:
    """All stages, through `torchrun` if there are several GPUs. Returns the best weights of the last stage."""
    launcher = [sys.executable, "-m"]
    if gpus > 1:
        launcher += ["torch.distributed.run", "--standalone", f"--nproc-per-node={gpus}", "-m"]
    subprocess.run([*launcher, "antiphon_training.train", str(recipe), "--corpus", str(corpus), "--out", str(out)], check=True)
    return out / Recipe.load(recipe)[-1].stage / "best.pt"


def write_graphs(weights: Path, recipe: Path, graphs: Path) -> None:
    """The three graphs, with the recipe and the training curve."""
    model, description, _ = checkpoint.load(weights)
    export(model, description, graphs / INT8, "int8")
    export(model, description, graphs / FP16, "fp16", graphs / REFERENCE)
    shutil.copy(recipe, graphs / "recipe.toml")
    shutil.copy(weights.parent / "curve.png", graphs / "curve.png")


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipe", type=Path, help="TOML file; see recipes/")
    parser.add_argument("--music", type=Path, required=True, help="folder of SOURCE/*.mid, with split.csv if there is one")
    parser.add_argument("--out", type=Path, required=True, help="folder of all output files")
    parser.add_argument("--gpus", type=int, default=1, help="how many GPUs share the training")
    given = parser.parse_args(arguments)
    given.out.mkdir(parents=True, exist_ok=True)
    corpus = given.out / "corpus.rows"
    write_corpus(given.music, corpus)
    weights = train(given.recipe, corpus, given.out, given.gpus)
    write_graphs(weights, given.recipe, given.out / "graphs")
    print(f"{given.out / 'graphs'}: copy {INT8}, {FP16}, {REFERENCE} to models/ to ship them")


if __name__ == "__main__":
    main()
