"""The ONNX graphs of docs/model-interface.md, section 3, built node by node from a model's weights.

The step graph and the reference graph share every weight and every node but the attention: the step graph appends to a cache with
com.microsoft.GroupQueryAttention, the reference graph is a plain masked softmax over all rows, written with standard operators.
"""

from functools import cached_property

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from . import vocabulary as v
from .memory import FIELDS
from .memory_graph import MemoryNodes
from .model import Antiphon
from .quantise import BLOCK, quantise

MICROSOFT = "com.microsoft"
WEIGHTS = ("fp32", "fp16", "int8")
CONTENT_MASKS = ("pitch", "duration", "velocity", "offset")  # masks that depend on no other field
DROPPED = np.float32(-1e30)  # below every masked logit, and finite
SMALL = 64  # matrices with fewer outputs than this stay in fp32 when the weights are int8: their cost is negligible


class Graph:
    """Collects nodes, weights, inputs and outputs. Methods return the name of what they added."""

    def __init__(self, weights: str):
        self.weights = weights
        self.nodes, self.inputs, self.outputs = [], [], []
        self.initialisers: dict[str, onnx.TensorProto] = {}
        self.learnt: set[str] = set()  # initialisers that come from the model, not from the graph's own wiring

    def input(self, name: str, dtype: int, shape: list) -> str:
        self.inputs.append(helper.make_tensor_value_info(name, dtype, shape))
        return name

    def output(self, name: str, dtype: int, shape: list) -> None:
        self.outputs.append(helper.make_tensor_value_info(name, dtype, shape))

    def op(self, kind: str, inputs: list[str], output: str | list[str] | None = None, domain: str = "", **attributes):
        """One node. Its outputs are named after it unless `output` names them."""
        name = f"{kind}_{len(self.nodes)}"
        outputs = [output or name] if not isinstance(output, list) else output
        self.nodes.append(helper.make_node(kind, inputs, outputs, name=name, domain=domain, **attributes))
        return outputs[0] if len(outputs) == 1 else outputs

    def constant(self, value, dtype=np.int64) -> str:
        """A constant of the wiring; equal ones are stored once."""
        array = np.asarray(value, dtype)
        name = f"constant_{array.dtype}_{'x'.join(map(str, array.shape))}_{'_'.join(map(str, array.ravel()))}"
        return self.store(name, array)

    def store(self, name: str, array: np.ndarray) -> str:
        if name not in self.initialisers:
            self.initialisers[name] = numpy_helper.from_array(np.array(array, order="C"), name)
        return name

    def vector(self, name: str, tensor) -> str:
        """A bias or a norm's scale: always fp32."""
        self.learnt.add(name)
        return self.store(name, tensor.detach().float().numpy())

    def matrix(self, name: str, array: np.ndarray) -> str:
        """A learnt matrix as a float tensor, stored in fp16 unless the weights are fp32 (ONNX Runtime folds the cast when it loads the graph)."""
        self.learnt.add(name)
        if self.weights == "fp32":
            return self.store(name, array.astype(np.float32))
        return self.op("Cast", [self.store(name, array.astype(np.float16))], to=TensorProto.FLOAT)

    def linear(self, name: str, layer, x: str) -> str:
        weight = layer.weight.detach().float().numpy()
        outputs, inputs = weight.shape
        if self.weights == "int8" and outputs >= SMALL and inputs % BLOCK == 0:
            values, scale = quantise(weight)
            self.learnt |= {f"{name}.values", f"{name}.scale"}
            operands = [x, self.store(f"{name}.values", values), self.store(f"{name}.scale", scale)]
            # Level 4 multiplies in int8; without it the weights are expanded at every run, twenty times slower.
            shape = {"K": inputs, "N": outputs, "bits": 8, "block_size": BLOCK, "accuracy_level": 4}
            y = self.op("MatMulNBits", operands, domain=MICROSOFT, **shape)
        else:
            y = self.op("MatMul", [x, self.matrix(f"{name}.weight", weight.T)])
        return y if layer.bias is None else self.op("Add", [y, self.vector(f"{name}.bias", layer.bias)])

    def norm(self, name: str, layer, x: str) -> str:
        operands = [x, self.vector(f"{name}.weight", layer.weight), self.vector(f"{name}.bias", layer.bias)]
        return self.op("LayerNormalization", operands, axis=-1, epsilon=layer.eps)

    def gelu(self, x: str) -> str:
        return self.op("Gelu", [x], domain=MICROSOFT)

    def column(self, x: str, index: int) -> str:
        """Column `index` of a matrix, kept as a matrix of one column."""
        return self.op("Gather", [x, self.constant([index])], axis=1)

    def to_model(self, name: str) -> onnx.ModelProto:
        graph = helper.make_graph(self.nodes, name, self.inputs, self.outputs, list(self.initialisers.values()))
        opsets = [helper.make_opsetid("", 17), helper.make_opsetid(MICROSOFT, 1)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=10, producer_name="antiphon")


def embed(g: Graph, model: Antiphon) -> str:
    """[T, d]: the sum of the columns' embeddings, and in SUM rows the mean over the summary rows."""
    table = g.matrix("embedding.weight", model.embedding.weight.detach().numpy())
    offsets = g.constant(model.column_offsets.numpy())

    def rows(name: str) -> str:
        each = g.op("Gather", [table, g.op("Add", [name, offsets])], axis=0)
        return g.op("ReduceSum", [each, g.constant([1])], keepdims=0)

    summary = g.op("MatMul", ["summary_mix", rows("summary_rows")])
    return g.op("Add", [rows("rows"), summary])


class CachedAttention:
    """Attention over the engine's buffer: the past is in it, the rows of this run are appended, causally."""

    def __init__(self, g: Graph, model: Antiphon):
        self.config = model.config
        config = model.config
        g.input("positions", TensorProto.INT64, [1, "T"])
        g.input("seqlens_k", TensorProto.INT32, [1])
        g.input("total_length", TensorProto.INT32, [1])
        self.cache_shape = [1, config.heads, "S", config.head_width]
        for layer in range(config.layers):
            for what in ("key", "value"):
                g.input(f"past_{what}_{layer}", TensorProto.FLOAT, self.cache_shape)

    def __call__(self, g: Graph, layer: int, query: str, key: str, value: str) -> str:
        heads = self.config.heads

        def rotated(x: str, which: str, output: str | None = None) -> str:
            operands = [x, "positions", f"cos_{which}", f"sin_{which}"]
            return g.op("RotaryEmbedding", operands, output, domain=MICROSOFT, num_heads=heads, interleaved=0)

        cache = [f"past_key_{layer}", f"past_value_{layer}"]
        outputs = [f"attention_{layer}", f"present_key_{layer}", f"present_value_{layer}"]
        operands = [rotated(query, "q", f"turned_query_{layer}"), rotated(key, "k"), value, *cache, "seqlens_k", "total_length"]
        attended, *_ = g.op("GroupQueryAttention", operands, outputs, domain=MICROSOFT, num_heads=heads, kv_num_heads=heads)
        return attended

    def finish(self, g: Graph) -> None:
        for layer in range(self.config.layers):
            for what in ("key", "value"):
                g.output(f"present_{what}_{layer}", TensorProto.FLOAT, self.cache_shape)
            g.output(f"turned_query_{layer}", TensorProto.FLOAT, [1, "T", self.config.width])


class MaskedAttention:
    """Plain softmax over all rows of the run under `attention_mask`, one for each layer; rotation and scaling spelt out."""

    def __init__(self, g: Graph, model: Antiphon):
        self.config = model.config
        g.input("attention_mask", TensorProto.FLOAT, [self.config.layers, "T", "T"])

    def __call__(self, g: Graph, layer: int, query: str, key: str, value: str) -> str:
        heads, half = self.config.heads, self.config.head_width // 2

        def split(x: str) -> str:
            return g.op("Transpose", [g.op("Reshape", [x, g.constant([-1, heads, 2 * half])])], perm=[1, 0, 2])

        def rotated(x: str, which: str) -> str:
            cos, sin = f"cos_{which}", f"sin_{which}"
            name = f"{which}_halves_{layer}"
            a, b = g.op("Split", [split(x), g.constant([half, half])], [f"{name}_a", f"{name}_b"], axis=-1)
            turned_a = g.op("Sub", [g.op("Mul", [a, cos]), g.op("Mul", [b, sin])])
            turned_b = g.op("Add", [g.op("Mul", [b, cos]), g.op("Mul", [a, sin])])
            return g.op("Concat", [turned_a, turned_b], axis=-1)

        keys = g.op("Transpose", [rotated(key, "k")], perm=[0, 2, 1])
        scale = g.constant(self.config.head_width**-0.5, np.float32)
        scores = g.op("MatMul", [g.op("Mul", [rotated(query, "q"), scale]), keys])
        mask = g.op("Gather", ["attention_mask", g.constant(layer)], axis=0)
        weights = g.op("Softmax", [g.op("Add", [scores, mask])], axis=-1)
        attended = g.op("Transpose", [g.op("MatMul", [weights, split(value)])], perm=[1, 0, 2])
        return g.op("Reshape", [attended, g.constant([1, -1, self.config.width])])

    def finish(self, g: Graph) -> None:
        """Nothing is cached."""


def trunk(g: Graph, model: Antiphon, x: str, attention) -> str:
    """The blocks and the last norm: [T, d] to [T, d], output `hidden`."""
    width = model.config.width
    x = g.op("Unsqueeze", [x, g.constant([0])])  # the attention operators need a batch of one
    for layer, block in enumerate(model.blocks):
        name = f"blocks.{layer}"
        qkv = g.linear(f"{name}.qkv", block.qkv, g.norm(f"{name}.attention_norm", block.attention_norm, x))
        parts = [f"{part}_{layer}" for part in ("query", "key", "value")]
        query, key, value = g.op("Split", [qkv, g.constant([width] * 3)], parts, axis=-1)
        attended = attention(g, layer, query, key, value)
        x = g.op("Add", [x, g.linear(f"{name}.attention_out", block.attention_out, attended)])
        inner = g.gelu(g.linear(f"{name}.ff_in", block.ff_in, g.norm(f"{name}.ff_norm", block.ff_norm, x)))
        x = g.op("Add", [x, g.linear(f"{name}.ff_out", block.ff_out, inner)])
    return g.op("Squeeze", [g.norm("norm", model.norm, x), g.constant([0])], "hidden")


class Chain:
    """The chain of heads with sampling, on the A output rows: adds the outputs choice, nll and best."""

    def __init__(self, g: Graph, model: Antiphon):
        self.g = g
        self.heads = model.heads
        self.names = [name for name, _ in model.config.fields]
        self.classes = dict(model.config.fields)
        self.choice: dict[str, str] = {}  # field -> its chosen class, [A, 1]
        noise = [f"noise_{name}" for name in self.names]
        g.op("Split", ["noise", g.constant(list(self.classes.values()))], noise, axis=-1)

        rows = g.op("Gather", ["rows", "asked"], axis=0)
        target_beat, target_sub = (g.column(rows, v.COLUMN[f"target_{name}"]) for name in ("beat", "sub"))
        self.target = {"beat": target_beat, "sub": target_sub}  # class + 1
        self.has_target = g.op("Cast", [g.op("Greater", [target_beat, g.constant([0])])], to=TensorProto.FLOAT)

    def build(self, hidden: str, remembers: MemoryNodes | None) -> None:
        g = self.g
        c = g.op("Gather", [hidden, "asked"], axis=0)
        log_ps, bests = [], []
        for i, (name, head) in enumerate(zip(self.names, self.heads, strict=True)):
            logits = g.linear(f"heads.{i}.outer", head.outer, g.gelu(g.linear(f"heads.{i}.inner", head.inner, c)))
            mixed = remembers is not None and name in FIELDS
            if mixed:
                logits = remembers.mix(name, c, logits, self.choice)  # logarithms of probabilities already
            choice = self.choice[name] = self.choose(i, name, logits)
            log_p = logits if mixed else g.op("LogSoftmax", [logits], axis=-1)
            log_ps.append(g.op("GatherElements", [log_p, choice], axis=1))
            bests.append(g.op("ArgMax", [logits], axis=-1, keepdims=1))
            if head.choice is not None:
                table = g.matrix(f"heads.{i}.choice.weight", head.choice.weight.detach().numpy())
                added = g.op("Gather", [table, g.op("Squeeze", [choice, g.constant([1])])], axis=0)
                c = g.op("Add", [c, g.op("Mul", [added, self.has_target]) if i < v.CONTENT_FIELDS else added])
        g.op("Concat", list(self.choice.values()), "choice", axis=1)
        g.op("Neg", [g.op("Concat", log_ps, axis=1)], "nll")
        g.op("Concat", bests, "best", axis=1)

    def choose(self, i: int, name: str, logits: str) -> str:
        """The forced class, or a sample: temperature, mask, min-p, then the Gumbel maximum (Gumbel 1954; Maddison et al. 2014)."""
        g = self.g
        z = g.op("Div", [logits, g.op("Gather", ["temperature", g.constant([i])])])
        z = g.op("Add", [z, self.mask(name)])
        floor = g.op("Add", [g.op("ReduceMax", [z], axes=[-1], keepdims=1), g.op("Gather", ["log_min_p", g.constant([i])])])
        noisy = g.op("Add", [z, f"noise_{name}"])
        kept = g.op("Where", [g.op("Less", [z, floor]), g.constant(DROPPED, np.float32), noisy])
        sample = g.op("ArgMax", [kept], axis=-1, keepdims=1)
        force = g.column("force", i)
        return g.op("Where", [g.op("Less", [force, g.constant([0])]), sample, force])

    def mask(self, name: str) -> str:
        """The field's mask [A or M, classes]; those after the content are taken from tables by the classes chosen before."""
        g = self.g
        if name in CONTENT_MASKS:
            return f"mask_{name}"
        if name == "sub":
            by_beat = self.pick("mask_sub", self.reached_top, rest=2)
            return self.select(by_beat, self.choice["beat"], self.classes["beat"])
        if name == "role":
            by_onset = self.pick("mask_role", self.reached_top, rest=2)
            return self.pick(by_onset, self.same_onset(), rest=1)
        return self.pick(f"mask_{name}", self.reached_top, rest=1)

    @cached_property
    def reached_top(self) -> str:
        """bool [A]: no further note fits at this onset and role."""
        g = self.g
        below = g.op("Less", [g.op("Squeeze", [self.choice["pitch"], g.constant([1])]), "pitch_top"])
        return g.op("Not", [below])

    def same_onset(self) -> str:
        """bool [A]: beat and sub just chosen are the target's."""
        g = self.g
        one = g.constant([1])
        equal = [g.op("Equal", [g.op("Add", [self.choice[name], one]), self.target[name]]) for name in ("beat", "sub")]
        return g.op("Squeeze", [g.op("And", equal), one])

    def pick(self, table: str, condition: str, rest: int) -> str:
        """`table` [M, 2, ...] (`rest` more axes) at index 1 where `condition` [A] holds, at index 0 elsewhere: [A, ...]."""
        g = self.g
        no, yes = (g.op("Gather", [table, g.constant(index)], axis=1) for index in (0, 1))
        return g.op("Where", [g.op("Reshape", [condition, g.constant([-1] + [1] * rest)]), yes, no])

    def select(self, table: str, choice: str, classes: int) -> str:
        """`table` [A or M, classes, n] at the chosen class: [A, n], as a product with its one-hot vector."""
        g = self.g
        depth, off_on = g.constant([classes]), g.constant([0, 1], np.float32)
        one_hot = g.op("OneHot", [choice, depth, off_on], axis=-1)
        return g.op("Squeeze", [g.op("MatMul", [one_hot, table]), g.constant([1])])


def build(model: Antiphon, weights: str, attention_kind: type) -> Graph:
    """The step graph (`CachedAttention`) or the reference graph (`MaskedAttention`), with inputs and outputs in the contract's order."""
    if weights not in WEIGHTS:
        raise ValueError(f"unknown storage of weights {weights!r}: one of {', '.join(WEIGHTS)}")
    g = Graph(weights)
    config = model.config
    columns, half = len(config.columns), config.head_width // 2
    classes = dict(config.fields)
    g.input("rows", TensorProto.INT64, ["T", columns])
    g.input("summary_rows", TensorProto.INT64, ["N", columns])
    g.input("summary_mix", TensorProto.FLOAT, ["T", "N"])
    for name in ("cos_q", "sin_q", "cos_k", "sin_k"):
        g.input(name, TensorProto.FLOAT, ["T", half])
    attention = attention_kind(g, model)
    g.input("asked", TensorProto.INT64, ["A"])
    g.input("force", TensorProto.INT64, ["A", len(classes)])
    g.input("temperature", TensorProto.FLOAT, [len(classes)])
    g.input("log_min_p", TensorProto.FLOAT, [len(classes)])
    g.input("noise", TensorProto.FLOAT, ["M", sum(classes.values())])
    for name in CONTENT_MASKS:
        g.input(f"mask_{name}", TensorProto.FLOAT, ["M", classes[name]])
    g.input("pitch_top", TensorProto.INT64, ["M"])
    g.input("mask_type", TensorProto.FLOAT, ["M", 2, classes["type"]])
    g.input("mask_beat", TensorProto.FLOAT, ["M", 2, classes["beat"]])
    g.input("mask_sub", TensorProto.FLOAT, ["M", 2, classes["beat"], classes["sub"]])
    g.input("mask_role", TensorProto.FLOAT, ["M", 2, 2, classes["role"]])
    g.output("choice", TensorProto.INT64, ["A", len(classes)])
    g.output("nll", TensorProto.FLOAT, ["A", len(classes)])
    g.output("best", TensorProto.INT64, ["A", len(classes)])
    g.output("hidden", TensorProto.FLOAT, ["T", config.width])
    chain = Chain(g, model)
    states = trunk(g, model, embed(g, model), attention)
    remembers = MemoryNodes(g, model, states, own_keys=attention_kind is MaskedAttention) if model.memory else None
    chain.build(states, remembers)
    attention.finish(g)
    return g
