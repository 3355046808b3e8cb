"""The memory of the piece in the graphs: the twin of `memory.py`, node by node, for the output rows.

In the step graph keys and classes of the entries are inputs, of the rows of earlier bars as the engine keeps them; in the reference graph the keys are
the run's own. Written for few nodes: at one row a run each costs about a microsecond, independent of its computation.
"""

from __future__ import annotations

import numpy as np
from onnx import TensorProto

from . import vocabulary as v
from .memory import FIELDS, MATCHES, NEAREST, NEVER, TEMPERATURES, TINY

COUNT = len(TEMPERATURES)
SMALLEST = 1e-30
"""Below any probability that is distinguished from 0, as in `memory.py`."""


class MemoryNodes:
    """Nodes shared by all fields; `mix` maps one field's logits to the logarithms of the mixed distribution."""

    def __init__(self, g, model, hidden: str, own_keys: bool):
        """`own_keys`: entries are the rows of the run itself, instead of inputs."""
        self.g, self.memory = g, model.memory
        width = model.config.memory
        entries, rows = ("T", "A") if own_keys else ("E", "R")
        weight = g.matrix("memory.key.weight", self.memory.key.weight.detach().float().numpy().T)
        directed = g.op("Gemm", [hidden, weight, g.vector("memory.key.bias", self.memory.key.bias)])
        key = g.op("LpNormalization", [directed], "memory_key", axis=-1, p=2)
        g.output("memory_key", TensorProto.FLOAT, ["T", width])
        keys = key if own_keys else g.input("memory_keys", TensorProto.FLOAT, [entries, width])
        stored = g.input("memory_classes", TensorProto.INT64, [len(FIELDS), entries])
        mask = g.input("memory_mask", TensorProto.FLOAT, [rows, entries])
        cosine = g.op("Gemm", [g.op("Gather", [key, "asked"], axis=0), keys], transB=1)
        room = g.op("Shape", [mask], start=1)
        count = g.op("Min", [room, g.constant([NEAREST])])
        near, place = g.op("TopK", [g.op("Add", [cosine, mask]), count], ["memory_near", "memory_place"], axis=1, sorted=0)
        self.near = g.op("Unsqueeze", [near, g.constant([1])])  # [A, 1, nearest]
        names = [f"memory_{name}_classes" for name in FIELDS]
        of_nearest = g.op("Gather", [stored, g.op("Unsqueeze", [place, g.constant([1])])], axis=1)  # [fields, A, 1, nearest]
        split = g.op("Split", [of_nearest, g.constant([1] * len(FIELDS))], names, axis=0)
        self.stored = {name: g.op("Squeeze", [part, g.constant([0])]) for name, part in zip(FIELDS, split, strict=True)}  # [A, 1, nearest]
        self.equal: dict[str, str] = {}

    def agreement(self, name: str, choice: str) -> str:
        """bool [A, 1, nearest]: entries that have the class just chosen."""
        if name not in self.equal:
            self.equal[name] = self.g.op("Equal", [self.stored[name], self.g.op("Unsqueeze", [choice, self.g.constant([1])])])
        return self.equal[name]

    def mix(self, name: str, state: str, logits: str, choices: dict[str, str]) -> str:
        """ln p of every class, [A, classes]. Parts are the temperatures, then the model: rows of one tensor [A, parts, classes]."""
        g, part, prefix = self.g, self.memory.fields[name], f"memory.fields.{name}"
        theta = g.op("Reshape", [g.op("Exp", [g.vector(f"{prefix}.log_theta", part.log_theta)]), g.constant([1, COUNT, 1])])
        weight = g.op("Mul", [self.near, theta])
        for i, matched in enumerate(MATCHES[name]):
            bonus = g.op("Gather", [g.vector(f"{prefix}.bonus", part.bonus), g.constant([i])])
            weight = g.op("Add", [weight, g.op("Where", [self.agreement(matched, choices[matched]), bonus, g.constant(0, np.float32)])])
        weight = g.op("Exp", [weight])
        p = g.op("Softmax", [logits], axis=-1)
        begin = g.op("Mul", [g.op("Unsqueeze", [p, g.constant([1])]), g.constant([[[TINY]] * COUNT + [[1]]], np.float32)])
        index = g.op("Expand", [self.stored[name], g.op("Shape", [weight])])
        parts = g.op("ScatterElements", [begin, index, weight], axis=2, reduction="add")
        total = g.op("ReduceSum", [parts, g.constant([2])], keepdims=1)
        overlap = g.op("Div", [g.op("MatMul", [parts, g.op("Unsqueeze", [p, g.constant([2])])]), total])
        strength = g.op("Mul", [g.op("Log", [total]), g.constant(0.2, np.float32)])
        features = g.op("Squeeze", [g.op("Concat", [strength, overlap], axis=1), g.constant([2])])
        weights = [g.matrix(f"{prefix}.{layer}.weight", getattr(part, layer).weight.detach().float().numpy().T) for layer in ("gate", "gate_state")]
        gate = g.op("Gemm", [features, weights[0], g.vector(f"{prefix}.gate.bias", part.gate.bias)])
        gate = g.op("Softmax", [g.op("Gemm", [state, weights[1], gate])], axis=-1)
        shares = g.op("Div", [g.op("Unsqueeze", [gate, g.constant([1])]), g.op("Reshape", [total, g.constant([-1, 1, COUNT + 1])])])
        mixed = g.op("Squeeze", [g.op("MatMul", [shares, parts]), g.constant([1])])
        return g.op("Log", [g.op("Max", [mixed, g.constant(SMALLEST, np.float32)])])


def stored_classes(targets: np.ndarray) -> np.ndarray:
    """int64 [fields, T]: classes of the entries of rows whose targets are int [T, 8]. Rows without content have zeros, and the mask to bar them."""
    return np.ascontiguousarray(np.maximum(targets[:, [v.FIELD[name] for name in FIELDS]], 0).T)


def mask_of(entries: np.ndarray) -> np.ndarray:
    """float of the shape of the bools: terms added to the cosines: 0 for allowed entries, `NEVER` for the others."""
    return np.where(entries, -1, NEVER).astype(np.float32)
