"""Measures the contribution of each part of the design and writes models/STUDY.md with its tables and picture: one command regenerates all of it.

    python study.py --corpus corpus.rows --work FOLDER

Trains the small models of recipes/study.toml one after the other and scores them on the same notes. It can be interrupted: the same command resumes it,
and the page is rewritten after each model. The hand-written findings of models/STUDY.notes.md are appended to the page.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from antiphon_training.corpus import Corpus
from antiphon_training.study import report
from antiphon_training.study.run import run
from antiphon_training.study.variants import Study

HERE = Path(__file__).resolve().parent
MODELS = HERE.parent


def write(study: Study, work: Path, models: Path) -> None:
    """MODELS/STUDY.md, MODELS/evaluation/study.json and the picture, from what has been scored."""
    said = report.collect(study, work)
    pictures = models / "evaluation"
    pictures.mkdir(exist_ok=True)
    (pictures / "study.json").write_text(json.dumps(said, indent=1) + "\n")
    report.draw(study, said, pictures / "study.png")
    notes = models / "STUDY.notes.md"
    (models / "STUDY.md").write_text(report.section(study, said, "evaluation/study.png", notes.read_text() if notes.exists() else ""))


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, help="file written by `antiphon-lab corpus`; without it nothing is trained, and the page tells of what has been")
    parser.add_argument("--work", type=Path, required=True, help="folder of the models, one folder for each")
    parser.add_argument("--recipe", type=Path, default=HERE / "recipes" / "study.toml", help="TOML file")
    parser.add_argument("--threads", type=int, default=0, help="CPU threads; 0 = PyTorch's choice")
    parser.add_argument("--models", type=Path, default=MODELS, help="folder in which STUDY.md and evaluation/ are written")
    given = parser.parse_args(arguments)
    study = Study.load(given.recipe)
    if given.corpus:
        run(study, Corpus.load(given.corpus), given.work, given.threads, lambda: write(study, given.work, given.models))
    write(study, given.work, given.models)
    print(given.models / "STUDY.md")


if __name__ == "__main__":
    main()
