"""The memory of the piece in the graphs: the twin of `memory.py`, node by node, for the rows that are asked.

In the step graph keys and classes of the entries are inputs, of the rows of earlier bars as the engine keeps them; in the reference graph the keys are
the run's own and `memory_mask` says which entries each row may remember.
"""

from __future__ import annotations

import numpy as np
from onnx import TensorProto

from . import vocabulary as v
from .memory import MATCHES, NEVER, NO_MASS, STORED, TEMPERATURES

COUNT = len(TEMPERATURES)
SMALLEST = 1e-30
"""Below any probability that is told apart from 0, as in `memory.py`."""


class MemoryNodes:
    """What all fields share is made once; `mix` then turns one field's logits into the logarithms of the mixed distribution."""

    def __init__(self, g, model, hidden: str, own_keys: bool):
        """`own_keys`: entries are the rows of the run itself, instead of inputs."""
        self.g, self.memory = g, model.memory
        self.classes = dict(model.config.fields)
        width = model.config.memory
        entries, rows = ("T", "A") if own_keys else ("E", "R")
        key = g.op("LpNormalization", [self.linear("memory.key", self.memory.key, hidden)], "memory_key", axis=-1, p=2)
        g.output("memory_key", TensorProto.FLOAT, ["T", width])
        keys = key if own_keys else g.input("memory_keys", TensorProto.FLOAT, [entries, width])
        stored = g.input("memory_classes", TensorProto.INT64, [len(STORED), entries])
        mask = g.input("memory_mask", TensorProto.FLOAT, [rows, entries])

        cosine = g.op("Gemm", [g.op("Gather", [key, "asked"], axis=0), keys], transB=1)
        near = g.op("Add", [cosine, g.op("Sub", [mask, g.constant(1, np.float32)])])
        absent = g.op("Less", [stored, g.constant(0)])
        barred = g.op("Where", [absent, g.constant(NEVER, np.float32), g.constant(0, np.float32)])
        self.index = g.op("Max", [stored, g.constant(0)])
        self.stored = stored
        # A row's target has all of its content or none, and so has the place of the note after it.
        self.near = {}
        for name, like in (("pitch", ("pitch", "duration", "velocity")), ("beat", ("sub", "role"))):
            of_fields = g.op("Unsqueeze", [g.op("Add", [near, self.row(barred, name)]), g.constant([1])])
            self.near |= {field: of_fields for field in like}
        self.asked = g.op("Shape", ["asked"])
        self.equal: dict[str, str] = {}

    def row(self, table: str, name: str) -> str:
        """[1, E]: what is stored of one field."""
        return self.g.op("Gather", [table, self.g.constant([STORED.index(name)])], axis=0)

    def agreement(self, name: str, choice: str) -> str:
        """float [A, 1, E]: entries that have the class just chosen."""
        g = self.g
        if name not in self.equal:
            same = g.op("Cast", [g.op("Equal", [self.row(self.stored, name), choice])], to=TensorProto.FLOAT)
            self.equal[name] = g.op("Unsqueeze", [same, g.constant([1])])
        return self.equal[name]

    def mix(self, name: str, state: str, logits: str, choices: dict[str, str]) -> str:
        """ln p of every class, [A, classes]."""
        g, part, prefix = self.g, self.memory.fields[name], f"memory.fields.{name}"
        theta = g.op("Reshape", [g.op("Exp", [g.vector(f"{prefix}.log_theta", part.log_theta)]), g.constant([1, COUNT, 1])])
        weight = g.op("Mul", [self.near[name], theta])  # [A, temperatures, E]
        for i, matched in enumerate(MATCHES[name]):
            boost = g.op("Gather", [g.vector(f"{prefix}.bonus", part.bonus), g.constant([i])])
            weight = g.op("Add", [weight, g.op("Mul", [self.agreement(matched, choices[matched]), boost])])
        weight = g.op("Exp", [weight])
        shape = g.op("Concat", [self.asked, g.constant([COUNT, self.classes[name]])], axis=0)
        empty = g.op("Expand", [g.constant([[[0]]], np.float32), shape])
        index = g.op("Expand", [self.row(self.index, name), g.op("Shape", [weight])])
        votes = g.op("ScatterElements", [empty, index, weight], axis=2, reduction="add")  # [A, temperatures, classes]
        total = g.op("ReduceSum", [votes, g.constant([2])], keepdims=0)
        mass = g.op("Max", [total, g.constant(NO_MASS, np.float32)])

        p = g.op("Softmax", [logits], axis=-1)
        entropy = g.op("ReduceSum", [g.op("Mul", [p, g.op("LogSoftmax", [logits], axis=-1)]), g.constant([1])], keepdims=1)
        favourite = g.op("ArgMax", [logits], axis=-1, keepdims=1)
        of_both = g.op("Unsqueeze", [g.op("Tile", [favourite, g.constant([1, COUNT])]), g.constant([2])])
        agrees = g.op("Squeeze", [g.op("GatherElements", [votes, of_both], axis=2), g.constant([2])])
        strength = g.op("Clip", [g.op("Mul", [g.op("Log", [mass]), g.constant(0.2, np.float32)]), g.constant(-8, np.float32), g.constant(8, np.float32)])
        features = g.op("Concat", [g.op("Mul", [entropy, g.constant(-0.5, np.float32)]), strength, g.op("Div", [agrees, mass])], axis=-1)
        gate = self.linear(f"{prefix}.gate", part.gate, features)
        gate = g.op("Add", [gate, self.linear(f"{prefix}.gate_state", part.gate_state, state)])
        present = g.op("Greater", [total, g.constant(NO_MASS, np.float32)])
        closed = g.op("Where", [present, g.constant(0, np.float32), g.constant(-1e9, np.float32)])
        gate = g.op("Add", [gate, g.op("Pad", [closed, g.constant([0, 1, 0, 0])])])
        of_model, of_memory = g.op("Split", [g.op("Softmax", [gate], axis=-1), g.constant([1, COUNT])], [f"{prefix}.share", f"{prefix}.shares"], axis=-1)
        shares = g.op("Unsqueeze", [g.op("Div", [of_memory, mass]), g.constant([1])])
        remembered = g.op("Squeeze", [g.op("MatMul", [shares, votes]), g.constant([1])])
        mixed = g.op("Add", [g.op("Mul", [p, of_model]), remembered])
        return g.op("Log", [g.op("Max", [mixed, g.constant(SMALLEST, np.float32)])])

    def linear(self, name: str, layer, x: str) -> str:
        """A small layer, never in int8."""
        g = self.g
        y = g.op("MatMul", [x, g.matrix(f"{name}.weight", layer.weight.detach().float().numpy().T)])
        return y if layer.bias is None else g.op("Add", [y, g.vector(f"{name}.bias", layer.bias)])


def stored_classes(targets: np.ndarray) -> np.ndarray:
    """int64 [classes stored, T]: what entries are of rows whose targets are int [T, 8], -1 = none."""
    return np.ascontiguousarray(targets[:, [v.FIELD[name] for name in STORED]].T)
