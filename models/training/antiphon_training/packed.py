"""Batches without padding: the rows of all windows end to end, with the plan of who attends to whom."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from . import memory, sparse
from .model import Antiphon, parse_policy
from .plan import Plan, plan
from .rows import KIND, Sequence
from .vocabulary import FIELD, SUM


@dataclass
class Packed:
    """One batch of rows end to end; tensors [1, T, ...] and a number for every bar, none of them in two sequences."""

    rows: Tensor
    key: Tensor
    query: Tensor
    targets: Tensor
    scored: Tensor
    order: Tensor
    """int [1, T]: bars counted over the whole batch"""
    plan: Plan
    spans: list[tuple[int, int]]
    """first row and row after the last of each sequence"""

    @property
    def count(self) -> int:
        """Rows, all of them real."""
        return self.rows.shape[1]


def pack(sequences: list[Sequence], policy: str, fine_bars: tuple[int, ...]) -> Packed:
    """The batch of some windows under a policy with fixed lists of keys."""
    orders, bars = [], 0
    for sequence in sequences:
        sums = sequence.rows[:, KIND] == SUM
        orders.append(np.cumsum(sums) - sums + bars)
        bars = int(orders[-1][-1]) + 2
    ends = np.cumsum([len(sequence) for sequence in sequences])
    arrays = [np.concatenate([getattr(s, name) for s in sequences]) for name in ("rows", "key", "query", "targets", "scored")]
    who = plan([(s.rows[:, KIND], s.key[:, 0]) for s in sequences], parse_policy(policy), fine_bars)
    tensors = [torch.from_numpy(np.ascontiguousarray(a))[None] for a in (*arrays, np.concatenate(orders))]
    return Packed(*tensors, who, list(zip([0, *ends[:-1].tolist()], ends.tolist(), strict=True)))


class PackedLosses(nn.Module):
    """The twin of `train.Losses` for packed batches: summed nats by field and the number of notes."""

    def __init__(self, model: Antiphon, remembers: bool = True):
        """`remembers`: with the model's memory, if it has one."""
        super().__init__()
        self.model, self.remembers = model, remembers

    def forward(self, batch: Packed) -> tuple[Tensor, Tensor]:
        hidden = self.hidden(batch)
        if self.model.memory is None or not self.remembers:
            nll, count = self.model.loss_sums(hidden, batch.rows, batch.targets, scored=batch.scored)
        else:
            nll, count = memory.loss_sums(self.model, hidden, batch.rows, batch.targets, batch.scored, batch.order, batch.spans)
        return nll, count[FIELD["beat"]]

    def hidden(self, batch: Packed) -> Tensor:
        """Hidden states [1, T, d]."""
        return self.model.forward_hidden(batch.rows, batch.key, batch.query, batch.plan, batch.order)


def fits(model: Antiphon, policy: str, device: torch.device) -> bool:
    """Whether packed batches can be trained: the operator is there, for this network, policy and device; otherwise batches are padded and attention dense."""
    known = type(model) is Antiphon and model.config.head_width in sparse.HEAD_WIDTHS and parse_policy(policy)[0] != "topk"
    return known and device.type == "cpu" and sparse.available()
