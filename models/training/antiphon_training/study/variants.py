"""The variants of a study, read from its committed TOML file."""

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
"""Titles of the tables by key; each variant but the shipped design belongs to one."""


@dataclass(frozen=True)
class Variant:
    """One variant of the model. Its `recipe.stage` is its name."""

    recipe: Recipe
    says: str
    """Its label in the table."""
    table: str = ""
    """Key of `TABLES`; empty for the first variant, the shipped design, which is in all tables."""
    network: str = "shipped"
    """Key of `networks.NETWORKS`."""
    without: tuple[str, ...] = ()
    """Columns that are set to 0 in every row, by name or by the beginning of the name: `recall` means all recall columns."""
    against: str = ""
    """Name of the variant it is compared with, which must have the same seed and rows; empty for the first variant."""

    @property
    def name(self) -> str:
        return self.recipe.stage

    def rows(self, batch: Batch) -> Batch:
        """Rows of the shipped design converted to this variant's, so that all variants are trained on the same windows."""
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
    """All variants, the shipped design first, and the number of pieces they are scored on."""

    variants: list[Variant]
    pieces: int
    """Validation pieces of each source, at most."""

    @staticmethod
    def load(path: Path) -> Study:
        """Reads the file: fields of `Recipe` common to all variants, `pieces`, and [[variants]] with the fields in which they differ."""
        common = tomllib.loads(path.read_text())
        pieces, tables = common.pop("pieces"), common.pop("variants")
        own = {field.name for field in dataclasses.fields(Variant)} - {"recipe"}
        known = {field.name for field in dataclasses.fields(Recipe)}
        variants = []
        for entry in tables:
            of_variant = {name: tuple(value) if name == "without" else value for name, value in entry.items() if name in own}
            of_recipe = common | {name: value for name, value in entry.items() if name not in own}
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
            raise SystemExit(f"{path}: {variant.name} is in no table; there are {', '.join(TABLES)}")
