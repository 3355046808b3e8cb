"""Training of the embeddings of some columns alone: all other weights, and so all outputs where those columns are unset, stay as they are."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from .model import Antiphon


@dataclass(frozen=True)
class Column:
    """How a column's embeddings are trained."""

    rate: float = 1.0
    """Learning rate, as a share of the recipe's."""
    like: str = ""
    """Column whose embeddings it begins with; empty = its own."""


def rows_of(model: Antiphon, name: str) -> slice:
    """The rows of the embedding table that are a column's."""
    names = [column for column, _ in model.config.columns]
    if name not in names:
        raise SystemExit(f"a model has no column {name}")
    first = int(model.column_offsets[names.index(name)])
    return slice(first, first + model.config.columns[names.index(name)][1])


@torch.no_grad()
def begin(model: Antiphon, columns: dict[str, Column]) -> None:
    """Gives columns the embeddings they begin with."""
    for name, column in columns.items():
        if column.like:
            mine, other = rows_of(model, name), rows_of(model, column.like)
            if mine.stop - mine.start != other.stop - other.start:
                raise SystemExit(f"column {name} has not as many values as {column.like}, whose embeddings it is to begin with")
            model.embedding.weight[mine] = model.embedding.weight[other]


class ColumnAdam(torch.optim.Adam):
    """Adam on the rows of the embedding table that belong to some columns, each column at its own rate."""

    def __init__(self, model: Antiphon, columns: dict[str, Column], rate: float):
        """Freezes all weights of the model but the table; the gradient of its other rows becomes 0."""
        model.requires_grad_(False)
        self.table = model.embedding.weight.requires_grad_(True)
        self.rates = torch.zeros(len(self.table), 1, device=self.table.device)
        for name, column in columns.items():
            self.rates[rows_of(model, name)] = column.rate
        trained = (self.rates > 0).float()
        self.table.register_hook(lambda gradient: gradient * trained)
        super().__init__([self.table], rate, betas=(0.9, 0.97))

    def step(self, closure=None):
        before = self.table.detach().clone()
        loss = super().step(closure)
        with torch.no_grad():
            self.table.copy_(torch.where(self.rates > 0, before.lerp(self.table, self.rates), before))
        return loss
