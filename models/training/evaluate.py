"""Measures the shipped model and writes models/EVALUATION.md with its tables and pictures: one command regenerates all of it.

    python evaluate.py --music MUSIC --work FOLDER

MUSIC holds SOURCE/*.mid and split.csv; the baselines are fitted on its training split, the measurements made on its validation split. The programs
`antiphon-lab` and `antiphon` are built by cargo. Results that are already in FOLDER are reused: delete them to measure again. The hand-written findings of
models/EVALUATION.notes.md are appended to the page.
"""

from __future__ import annotations

import argparse
import json
import subprocess
from pathlib import Path

from antiphon_training.evaluation import bits, generation, judge, pages

ROOT = Path(__file__).resolve().parents[2]
MODELS = ROOT / "models"
PICTURES = MODELS / "evaluation"
CARGO = ["cargo", "run", "--quiet", "--release", "--locked", "--package"]


def antiphon(command: str, *words: str | Path) -> str:
    """The standard output of a command of `antiphon-lab`, or of `antiphon bench`; an error is printed by the program itself."""
    package = "antiphon-cli" if command == "bench" else "antiphon-lab"
    done = subprocess.run([*CARGO, package, "--", command, *map(str, words)], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    # A copy check exits with 1 if it has found a copy.
    if done.returncode not in ((0, 1) if "--copy-check" in words else (0,)):
        done.check_returncode()
    return done.stdout


def measure_bits(music: Path, work: Path, threads: int) -> dict:
    """Fits the baselines and scores model and baselines on the validation split; returns the output of `antiphon-lab eval --json`."""
    baselines, table, report = work / "baselines.bin", work / "pieces.csv", work / "bits.json"
    split = ["--split", music / "split.csv"]
    if not baselines.exists():
        antiphon("corpus", music, "-o", work / "corpus.rows", *split, "--baselines-out", baselines)
    if not (table.exists() and report.exists()):
        options = ["--baselines", baselines, "--by-piece", table, "--beside", MODELS / "antiphon-fp16.onnx", "--threads", str(threads), "--json"]
        report.write_text(antiphon("eval", music, *split, *options))
    return json.loads(report.read_text())


def write_page(work: Path, results: dict, generated: dict | None, paged: dict | None, judged: str = "") -> None:
    """Writes models/EVALUATION.md and its pictures, without the sections whose measurements are `None`."""
    PICTURES.mkdir(exist_ok=True)
    groups = bits.read(work / "pieces.csv")
    bits.picture(groups, PICTURES / "bits.png")
    beside = results["beside"]
    page = f"""# Evaluation

Of `{results['model']}`, the int8 weights in every binary, on the validation split ({results['pieces']} pieces, {results['notes']:,} notes), made by

```sh
cd models/training && python evaluate.py --music MUSIC --work FOLDER{"" if generated else " --bits-only"}
```

## Bits per note

Teacher-forced negative log-likelihood in bits, summed over all eight fields of every note and the end of every bar, divided by the number of notes; no control is set. The baselines are fitted on the whole training split. Intervals are bootstrapped over pieces. In a pool every note has the same weight:
{"; ".join(f"{name}: {', '.join(sources)}" for name, sources in bits.POOLS.items())}.

![Bits per note of each source](evaluation/bits.png)

{bits.tables(groups)}
## Storage in int8

{100 * beside['loss']:+.2f} % bits per note compared with the same weights in fp16; the same most likely class in {100 * beside['top1']:.2f} % of all predictions.

"""
    if paged:
        page += pages.section(paged, PICTURES) + "\n"
    if generated:
        page += generation.section(generated, PICTURES)
    if judged:
        page += "\n" + judged
    notes = MODELS / "EVALUATION.notes.md"
    if notes.exists():
        page += "\n" + notes.read_text()
    (MODELS / "EVALUATION.md").write_text(page)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--music", type=Path, required=True, help="folder of SOURCE/*.mid, with split.csv")
    parser.add_argument("--work", type=Path, required=True, help="folder for intermediate results")
    parser.add_argument("--threads", type=int, default=0, help="threads; 0 = one for each processor")
    parser.add_argument("--bits-only", action="store_true", help="skip generation and prediction, which take longest")
    given = parser.parse_args()
    given.work.mkdir(parents=True, exist_ok=True)
    music, work = given.music.resolve(), given.work.resolve()
    results = measure_bits(music, work, given.threads)
    if given.bits_only:
        write_page(work, results, None, None)
    else:
        paged = pages.measure(antiphon, music, work, given.threads)
        generated = generation.measure(antiphon, music, work, given.threads)
        write_page(work, results, generated, paged, judge.section(*judge.measure(antiphon, music, work, given.threads)))
    print(MODELS / "EVALUATION.md")


if __name__ == "__main__":
    main()
