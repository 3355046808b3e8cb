"""Whether generated continuations can be distinguished from real ones, and what choosing among several is worth: prints the section Judge of EVALUATION.md.

    python judge.py --learnt FOLDER ... --tested FOLDER ...

The folders are written by `antiphon-lab eval MUSIC --generate N --bars 8 --variations V --out FOLDER`: those to learn from with `--only train` and V of at
least 2, those to test with V = 8.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from antiphon_training.evaluation import judge


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--learnt", type=Path, nargs="+", required=True, help="folders of clips of training pieces")
    parser.add_argument("--tested", type=Path, nargs="+", required=True, help="folders of clips of validation pieces")
    given = parser.parse_args()
    print(judge.section(judge.read(given.learnt), judge.read(given.tested)))


if __name__ == "__main__":
    main()
