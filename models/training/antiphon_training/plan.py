"""Who may attend to whom as lists of keys: what `sparse_attention.cpp` takes, the same rule as `model.attention_mask`."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from . import vocabulary as v


class Plan(NamedTuple):
    """Blocks of rows and the keys each sees besides its own rows, which it sees causally. int32 tensors, rows counted over the whole batch."""

    first: Tensor
    """[blocks]: first row"""
    last: Tensor
    """[blocks]: the row after its last"""
    start: Tensor
    """[blocks + 1]: where its keys begin in `keys`"""
    keys: Tensor
    """rows seen by all rows of the block"""


def sees_note_by_note(policy: tuple[str, tuple[int, ...]], own: int, earlier: np.ndarray, fine_bars: tuple[int, ...]) -> np.ndarray:
    """Which of the bars `earlier` a bar sees note by note: bool, the bar's own number included."""
    distance = np.abs(earlier - own)
    match policy:
        case "fine_coarse", ():
            fine = np.isin(distance, fine_bars)
        case "summaries", ():
            fine = np.zeros(len(earlier), bool)
        case "window", (bars,):
            fine = distance <= bars
        case "strided", (step,):
            fine = (distance <= step) | (distance % step == 0)
        case "fixed", (block, last):
            fine = (own // block == earlier // block) | (earlier % block >= block - last)
        case "dense", ():
            fine = np.ones(len(earlier), bool)
        case _:
            raise ValueError(f"policy {policy[0]} has no fixed lists of keys")
    return fine | (distance == 0)


def plan_sequence(kind: np.ndarray, bar: np.ndarray, policy: tuple[str, tuple[int, ...]], fine_bars: tuple[int, ...]) -> list[tuple[int, int, np.ndarray]]:
    """(first row, row after the last, keys) of each block of one sequence; `kind` and `bar` are int [T], without padding."""
    count = len(kind)
    prefix = np.flatnonzero(kind == v.PRE)
    blocks = [(0, len(prefix), prefix[:0])] if len(prefix) else []
    begins = np.flatnonzero(np.r_[True, (bar[1:] != bar[:-1]) | (kind[:-1] == v.SUM)])
    begins = begins[begins >= len(prefix)] if len(prefix) else begins
    if len(prefix) < count and (not len(begins) or begins[0] != len(prefix)):
        begins = np.r_[len(prefix), begins]
    ends = np.r_[begins[1:], count]
    has_sum = kind[ends - 1] == v.SUM
    stops, numbers = ends - has_sum, bar[begins]
    coarse = policy[0] in ("fine_coarse", "summaries")
    for i in range(len(begins)):
        fine = sees_note_by_note(policy, int(numbers[i]), numbers[:i], fine_bars)
        seen = [np.arange(begins[j], stops[j]) for j in np.flatnonzero(fine)]
        if stops[i] > begins[i]:
            far = ends[:i][~fine & has_sum[:i]] - 1 if coarse else prefix[:0]
            blocks.append((begins[i], stops[i], np.concatenate([prefix, far, *seen])))
        if has_sum[i]:
            own = [np.arange(begins[j], stops[j]) for j in np.flatnonzero(numbers[: i + 1] == numbers[i])]
            blocks.append((stops[i], ends[i], np.concatenate([prefix, *own])))
    return blocks


def plan(sequences: list[tuple[np.ndarray, np.ndarray]], policy: tuple[str, tuple[int, ...]], fine_bars: tuple[int, ...]) -> Plan:
    """The plan of concatenated sequences (kind, bar)."""
    blocks, offset = [], 0
    for kind, bar in sequences:
        blocks += [(first + offset, last + offset, keys + offset) for first, last, keys in plan_sequence(kind, bar, policy, fine_bars)]
        offset += len(kind)
    keys = [keys for _, _, keys in blocks]
    start = np.cumsum([0, *(len(k) for k in keys)])
    arrays = ([b[0] for b in blocks], [b[1] for b in blocks], start, np.concatenate(keys) if keys else [])
    return Plan(*(torch.from_numpy(np.asarray(a, np.int32)) for a in arrays))
