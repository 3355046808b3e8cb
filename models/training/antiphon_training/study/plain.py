"""Plain rows: a row does not carry its target's position; it predicts the next note's position first, then its content."""

from __future__ import annotations

import dataclasses

import numpy as np

from .. import rows as r
from ..data import Batch
from ..vocabulary import BAR, GIVEN, NOTE

TARGET = slice(r.TARGET_BEAT, r.TARGET_ROLE + 1)
PLACE = slice(r.F_TYPE, r.F_ROLE + 1)


def rows(batch: Batch) -> Batch:
    """Converts aligned rows to plain rows of the same music: one BAR row per bar, query position equal to key position, the same fields of the same notes.

    An aligned row predicts the content of its target and the position of the note after it; a plain row predicts both for the note that follows it. So
    position targets move on by one row, and the first of two BAR rows is dropped.
    """
    size, length = batch.rows.shape[:2]
    plain = Batch(*(np.zeros_like(getattr(batch, field.name)) for field in dataclasses.fields(Batch)))
    plain.targets[:] = -1
    for i in range(size):
        kind = batch.rows[i, :, r.KIND]
        second = (kind == BAR) & (batch.rows[i, :, r.TARGET_BEAT] > 0)
        after = np.flatnonzero(second | (kind == NOTE))
        targets, scored = batch.targets[i].copy(), batch.scored[i].copy()
        # GIVEN rows may lie between a row and the one before it that predicts.
        before = np.maximum.accumulate(np.where(kind != GIVEN, np.arange(length), 0))[after - 1]
        targets[after, PLACE] = batch.targets[i, before, PLACE]
        scored[after, PLACE] = batch.scored[i, before, PLACE]
        kept = kind > 0
        kept[before[second[after]]] = False
        count = int(kept.sum())
        plain.rows[i, :count] = batch.rows[i, kept]
        plain.key[i, :count] = batch.key[i, kept]
        plain.query[i, :count] = batch.key[i, kept]
        plain.targets[i, :count] = targets[kept]
        plain.scored[i, :count] = scored[kept]
    plain.rows[..., TARGET] = 0
    return plain
