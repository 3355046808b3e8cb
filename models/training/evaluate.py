"""Measures the shipped model and writes models/EVALUATION.md with its tables and pictures: one command regenerates all of it.

    python evaluate.py --music MUSIC --work FOLDER

MUSIC holds SOURCE/*.mid and split.csv; the baselines are fitted on its training split, the measurements made on its validation split. The program
`antiphon-lab` and `antiphon` are built by cargo. What is already in FOLDER is not measured again: delete it to do so. What a person has to say about the figures stands in
models/EVALUATION.notes.md and is put below them.
"""

from __future__ import annotations

import argparse
import json
import subprocess
from pathlib import Path

from antiphon_training.evaluation import bits, pages, playing

ROOT = Path(__file__).resolve().parents[2]
MODELS = ROOT / "models"
PICTURES = MODELS / "evaluation"
CARGO = ["cargo", "run", "--quiet", "--release", "--locked", "--package"]


def antiphon(command: str, *words: str | Path) -> str:
    """The standard output of a command of `antiphon-lab`, or of `antiphon bench`; an error is printed by the program itself."""
    package = "antiphon-cli" if command == "bench" else "antiphon-lab"
    done = subprocess.run([*CARGO, package, "--", command, *map(str, words)], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    # With 1 a copy check says that it has found something.
    if done.returncode not in ((0, 1) if "--copy-check" in words else (0,)):
        done.check_returncode()
    return done.stdout


def measure_bits(music: Path, work: Path, threads: int) -> dict:
    """Fits the baselines and scores everybody on the validation split; returns what `antiphon-lab eval --json` says."""
    baselines, table, said = work / "baselines.bin", work / "pieces.csv", work / "bits.json"
    split = ["--split", music / "split.csv"]
    if not baselines.exists():
        antiphon("corpus", music, "-o", work / "corpus.rows", *split, "--baselines-out", baselines)
    if not (table.exists() and said.exists()):
        told = ["--baselines", baselines, "--by-piece", table, "--beside", MODELS / "antiphon-fp16.onnx", "--threads", str(threads), "--json"]
        said.write_text(antiphon("eval", music, *split, *told))
    return json.loads(said.read_text())


def write_page(work: Path, said: dict, played: dict | None, paged: dict | None) -> None:
    """models/EVALUATION.md and its pictures; without what it plays, and sees of other pages, if that was not measured."""
    PICTURES.mkdir(exist_ok=True)
    groups = bits.read(work / "pieces.csv")
    bits.picture(groups, PICTURES / "bits.png")
    beside = said["beside"]
    page = f"""# Evaluation

Of `{said['model']}`, the int8 weights in every binary, on the validation split ({said['pieces']} pieces, {said['notes']:,} notes), made by

```sh
cd models/training && python evaluate.py --music MUSIC --work FOLDER{"" if played else " --bits-only"}
```

## Bits per note

The bits of all eight fields of every note and of every bar's end, divided by the notes; the notes before are known, no control is set. The baselines are fitted on the whole training split. Intervals are bootstrapped over pieces. A pool weighs its notes alike:
{"; ".join(f"{name}: {', '.join(sources)}" for name, sources in bits.POOLS.items())}.

![Bits per note of each source](evaluation/bits.png)

{bits.tables(groups)}
## Storage in int8

{100 * beside['loss']:+.2f} % bits per note against the same weights in fp16; the same most likely class in {100 * beside['top1']:.2f} % of all predictions.

"""
    if paged:
        page += pages.section(paged, PICTURES) + "\n"
    if played:
        page += playing.section(played, PICTURES)
    notes = MODELS / "EVALUATION.notes.md"
    if notes.exists():
        page += "\n" + notes.read_text()
    (MODELS / "EVALUATION.md").write_text(page)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--music", type=Path, required=True, help="folder of SOURCE/*.mid, with split.csv")
    parser.add_argument("--work", type=Path, required=True, help="folder for what is measured on the way")
    parser.add_argument("--threads", type=int, default=0, help="threads; 0 = one for each processor")
    parser.add_argument("--bits-only", action="store_true", help="leave out what the model plays and foretells, which takes longest")
    given = parser.parse_args()
    given.work.mkdir(parents=True, exist_ok=True)
    music, work = given.music.resolve(), given.work.resolve()
    said = measure_bits(music, work, given.threads)
    if given.bits_only:
        write_page(work, said, None, None)
    else:
        paged = pages.measure(antiphon, music, work, given.threads)
        write_page(work, said, playing.measure(antiphon, music, work, given.threads), paged)
    print(MODELS / "EVALUATION.md")


if __name__ == "__main__":
    main()
