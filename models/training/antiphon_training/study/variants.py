"""What is compared: the variants of a study, from its committed TOML file."""

from __future__ import annotations

import dataclasses
import tomllib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .. import vocabulary as v
from ..data import Batch
from ..model import parse_policy
from ..train import Recipe
from . import networks, plain

TABLES = {"attention": "Attention", "summary": "Summaries", "rows": "Rows"}
"""What a variant may be an answer to, and the title of the table it stands in."""


@dataclass(frozen=True)
class Variant:
    """One way to build the model. Its `recipe.stage` is its name."""

    recipe: Recipe
    says: str
    """What it is, in the words of the table."""
    table: str = ""
    """Key of `TABLES`; empty for the first, which is the shipped design and stands in all of them."""
    network: str = "shipped"
    """Key of `networks.NETWORKS`."""
    without: tuple[str, ...] = ()
    """Columns that are absent in every row; `recall` stands for all that begin with it."""
    against: str = ""
    """Name of the variant it is compared with, which must have its seed and rows; empty for the first."""

    @property
    def name(self) -> str:
        return self.recipe.stage

    def rows(self, batch: Batch) -> Batch:
        """The rows of the shipped design as this variant has them: the same music, so that equal windows are equal for all."""
        if self.network == "plain":
            batch = plain.rows(batch)
        unseen = [i for i, (name, _) in enumerate(v.COLUMNS) if name.startswith(self.without)] if self.without else []
        if not unseen:
            return batch
        seen = batch.rows.copy()
        seen[..., np.array(unseen)] = 0
        return dataclasses.replace(batch, rows=seen)


@dataclass(frozen=True)
class Study:
    """All variants, the shipped design first, and what they are scored on."""

    variants: list[Variant]
    pieces: int
    """Validation pieces of each source, at most."""

    @staticmethod
    def load(path: Path) -> Study:
        """Reads the file: the fields of a `Recipe` that hold for all, `pieces`, and [[variants]] with what is their own."""
        common = tomllib.loads(path.read_text())
        pieces, tables = common.pop("pieces"), common.pop("variants")
        own = {field.name for field in dataclasses.fields(Variant)} - {"recipe"}
        known = {field.name for field in dataclasses.fields(Recipe)}
        variants = []
        for said in tables:
            of_variant = {name: tuple(value) if name == "without" else value for name, value in said.items() if name in own}
            of_recipe = common | {name: value for name, value in said.items() if name not in own}
            unknown = sorted(of_recipe.keys() - known)
            if unknown:
                raise SystemExit(f"{path}: a variant has no {', '.join(unknown)}; see the fields of Variant in study/variants.py and of Recipe in train.py")
            variants.append(Variant(Recipe(**of_recipe), **of_variant))
        _check(variants, path)
        return Study(variants, pieces)


def _check(variants: list[Variant], path: Path) -> None:
    names = [variant.name for variant in variants]
    if len(set(names)) < len(names):
        raise SystemExit(f"{path}: every variant needs a `stage`, a name of its own")
    for variant in variants:
        parse_policy(variant.recipe.policy)
        for column in variant.without:
            if not any(name.startswith(column) for name, _ in v.COLUMNS):
                raise SystemExit(f"{path}: {variant.name} is without {column}, but no column of a row begins so")
        if variant.against and variant.against not in names:
            raise SystemExit(f"{path}: {variant.name} is compared with {variant.against}, which is no variant")
        if variant.network not in networks.NETWORKS:
            raise SystemExit(f"{path}: {variant.name} has the network {variant.network}; there are {', '.join(networks.NETWORKS)}")
        if variant is not variants[0] and variant.table not in TABLES:
            raise SystemExit(f"{path}: {variant.name} stands in no table; there are {', '.join(TABLES)}")
