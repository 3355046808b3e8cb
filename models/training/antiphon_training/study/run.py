"""Trains the variants one after the other and scores them on the same notes."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import torch

from .. import rows as r
from ..corpus import VALID, Corpus
from ..data import Windows
from ..evaluation.bits import STRETCHES
from ..model import Antiphon
from ..train import LN2, Losses, Trainer
from ..vocabulary import SUM
from . import networks
from .variants import Study, Variant

FIRST_BARS = (0, 8, 32)
"""First bars of the `STRETCHES` of a piece."""
AT_ONCE = 4
"""Pieces per scoring batch."""


class StudyTrainer(Trainer):
    """Training of one variant. Rows are counted and sampled as in the shipped design, so all variants get the same music in the same number of steps."""

    def __init__(self, variant: Variant, corpus: Corpus, out: Path, threads: int):
        self.variant = variant
        super().__init__(variant.recipe, corpus, out, threads)

    def can_pack(self) -> bool:
        return False  # networks of the study have blocks, masks and rows of their own

    def network(self) -> Antiphon:
        return networks.build(self.variant.network, self.config)

    def tensors(self, batch):
        return super().tensors(self.variant.rows(batch))


@dataclasses.dataclass
class Piece:
    """The beginning of a validation piece."""

    path: str
    source: str
    sequence: r.Sequence


def pieces(windows: Windows, sources: list[int], most: int) -> list[Piece]:
    """At most `most` validation pieces of each source, from their first bar on, as many whole bars as fit into a window. Deterministic."""
    corpus = windows.corpus
    chosen = []
    for source in sources:
        of_source = corpus.pieces(VALID, source)
        for piece in np.sort(np.random.default_rng([3, source]).permutation(of_source)[:most]):
            sequence = windows.window(int(corpus.piece_bars[piece]), None, None)
            ends = np.flatnonzero(sequence.rows[: windows.length, r.KIND] == SUM)
            sequence.scored[ends[-1] + 1 if len(ends) else 0 :] = False
            if (sequence.scored[:, r.F_BEAT] & (sequence.targets[:, r.F_BEAT] >= 0)).any():
                chosen.append(Piece(corpus.paths[piece], corpus.sources[source], sequence))
    return chosen


@torch.no_grad()
def score(trainer: StudyTrainer, chosen: list[Piece]) -> list[dict]:
    """Notes and bits of every field by stretch, for each piece: teacher forced, with the averaged weights."""
    losses = Losses(trainer.average, trainer.recipe.policy)
    said = []
    for first in range(0, len(chosen), AT_ONCE):
        batch = chosen[first : first + AT_ONCE]
        rows, key, query, targets, scored = trainer.tensors(trainer.windows.pad([piece.sequence for piece in batch]))
        with trainer.autocast():
            nll = losses.model.losses(losses.hidden(rows, key, query), rows, targets)
        bits = (nll.double() / LN2 * scored).cpu().numpy()
        is_note = ((targets >= 0) & scored)[..., r.F_BEAT].cpu().numpy()
        stretch = np.digitize(key[..., 0].cpu().numpy(), FIRST_BARS[1:])
        for i, piece in enumerate(batch):
            notes = [int(is_note[i, stretch[i] == part].sum()) for part in range(len(STRETCHES))]
            of_fields = [bits[i, stretch[i] == part].sum(0).round(3).tolist() for part in range(len(STRETCHES))]
            said.append({"path": piece.path, "source": piece.source, "notes": notes, "bits": of_fields})
    return said


def run(study: Study, corpus: Corpus, out: Path, threads: int, ended=lambda: None) -> None:
    """Trains and scores the variants that have no scores yet, each in its own folder; calls `ended` after each."""
    for variant in study.variants:
        folder = out / variant.name
        result = folder / "scores.json"
        folder.mkdir(parents=True, exist_ok=True)
        _remember(variant, folder)
        if result.exists():
            continue
        trainer = StudyTrainer(variant, corpus, folder, threads)
        trainer.run()
        chosen = pieces(trainer.windows, trainer.sources, study.pieces)
        parameters = sum(p.numel() for p in trainer.model.parameters())
        about = {"rows": trainer.rows, "steps": trainer.step, "seconds": round(trainer.seconds), "parameters": parameters}
        partial = result.with_suffix(".part")
        partial.write_text(json.dumps(about | {"pieces": score(trainer, chosen)}))
        partial.replace(result)
        ended()


def _remember(variant: Variant, folder: Path) -> None:
    """Writes the variant's definition into its folder; refuses a folder that belongs to another definition."""
    file = folder / "variant.json"
    made_of = json.loads(json.dumps({"network": variant.network, "without": variant.without, "recipe": dataclasses.asdict(variant.recipe)}))
    if not file.exists():
        file.write_text(json.dumps(made_of))
    elif json.loads(file.read_text()) != made_of:
        raise SystemExit(f"{folder} has a {variant.name} of another recipe: choose another folder, or delete it")
