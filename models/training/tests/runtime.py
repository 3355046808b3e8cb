"""Runs exported graphs through ONNX Runtime: the reference graph at once, the step graph bar by bar over gathered pages."""

import json

import numpy as np
import onnxruntime
from pieces import Piece

from antiphon_training import vocabulary as v
from antiphon_training.memory_graph import mask_of, stored_classes

FIELDS = dict(v.FIELDS)
OUTPUTS = ("choice", "nll", "best", "hidden")


def session(path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def open_sampling(rows: int) -> dict[str, np.ndarray]:
    """Inputs that ask all rows, mask nothing, with no noise: what is not forced is the most likely class."""
    return {
        "asked": np.arange(rows),
        "force": np.full((rows, 8), -1, np.int64),
        "temperature": np.ones(8, np.float32),
        "log_min_p": np.full(8, -1e9, np.float32),
        "noise": np.zeros((1, sum(FIELDS.values())), np.float32),
        "mask_pitch": np.zeros((1, 256), np.float32),
        "mask_duration": np.zeros((1, 64), np.float32),
        "mask_velocity": np.zeros((1, 32), np.float32),
        "mask_offset": np.zeros((1, 8), np.float32),
        "pitch_top": np.full(1, 256, np.int64),
        "mask_type": np.zeros((1, 2, 3), np.float32),
        "mask_beat": np.zeros((1, 2, 16), np.float32),
        "mask_sub": np.zeros((1, 2, 16, 24), np.float32),
        "mask_role": np.zeros((1, 2, 2, 16), np.float32),
    }


class Runner:
    """A graph, its metadata and what every run of either graph needs."""

    def __init__(self, path):
        self.session = session(path)
        self.meta = self.session.get_modelmeta().custom_metadata_map
        self.heads, self.layers, self.width = (int(self.meta[f"antiphon.{name}"]) for name in ("heads", "layers", "width"))
        rotary = json.loads(self.meta["antiphon.rotary"])
        self.frequencies = [np.array(rotary[group], np.float32) for group in ("bar", "tick", "index")]

    def turns(self, position: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        angles = [position[:, i : i + 1].astype(np.float32) * f for i, f in enumerate(self.frequencies)]
        angle = np.concatenate(angles, 1).astype(np.float32)
        return np.cos(angle), np.sin(angle)

    def row_inputs(self, piece: Piece, index: np.ndarray) -> dict[str, np.ndarray]:
        """Inputs of the rows `index` but for attention; summaries are over the whole piece's bars."""
        content = (piece.kind >= v.BAR) & (piece.kind <= v.GIVEN)
        sums = index[piece.kind[index] == v.SUM]
        summed = np.flatnonzero(content & np.isin(piece.bar, piece.bar[sums])) if len(sums) else np.array([], np.int64)
        summary_rows = piece.rows[summed] if len(summed) else np.zeros((1, piece.rows.shape[1]), np.int64)
        mix = np.zeros((len(index), len(summary_rows)), np.float32)
        for t in np.flatnonzero(piece.kind[index] == v.SUM):
            mine = piece.bar[summed] == piece.bar[index[t]]
            mix[t] = mine / mine.sum()
        (cos_q, sin_q), (cos_k, sin_k) = self.turns(piece.query[index]), self.turns(piece.key[index])
        turns = {"cos_q": cos_q, "sin_q": sin_q, "cos_k": cos_k, "sin_k": sin_k}
        sampling = open_sampling(len(index)) | {"force": piece.targets[index]}
        return {"rows": piece.rows[index], "summary_rows": summary_rows, "summary_mix": mix, **turns, **sampling}


class Reference(Runner):
    def run(self, piece: Piece, mask: np.ndarray, **sampling) -> dict[str, np.ndarray]:
        """Outputs of all rows under bool `mask` [T, T] or, by layer, [L, T, T]; `sampling` replaces sampling inputs."""
        inputs = self.row_inputs(piece, np.arange(len(piece.rows)))
        additive = np.where(np.broadcast_to(mask, (self.layers, *mask.shape[-2:])), 0, -1e9).astype(np.float32)
        if "antiphon.memory" in self.meta:
            earlier = (piece.bar[None] < piece.bar[:, None]) & (piece.targets[:, 0] >= 0)[None]
            inputs |= {"memory_classes": stored_classes(piece.targets), "memory_mask": mask_of(earlier)}
        outputs = self.session.run(list(OUTPUTS), inputs | {"attention_mask": additive} | sampling)
        return dict(zip(OUTPUTS, outputs, strict=True))


class Step(Runner):
    """The step graph over one buffer that is bound as past and present, as the engine binds it."""

    def __init__(self, path, capacity: int = 1024):
        super().__init__(path)
        shape = (1, self.heads, capacity, self.width // self.heads)
        self.names = [f"{what}_{layer}" for layer in range(self.layers) for what in ("key", "value")]
        self.keys = np.zeros((4096, int(self.meta.get("antiphon.memory", 0))), np.float32)
        self.views = {name: np.zeros(shape, np.float32) for name in self.names}
        # On the CPU an OrtValue shares the array's memory.
        self.buffers = {name: onnxruntime.OrtValue.ortvalue_from_numpy(view) for name, view in self.views.items()}

    def append(self, piece: Piece, index: np.ndarray, past: int, **sampling) -> dict[str, np.ndarray]:
        """Runs the rows `index` after `past` cached rows."""
        count = len(index)
        lengths = {"seqlens_k": np.array([past + count - 1], np.int32), "total_length": np.array([past + count], np.int32)}
        positions = {"positions": np.arange(count, dtype=np.int64)[None]}
        memory = {}
        if "antiphon.memory" in self.meta:
            entries = self.entries(piece, int(piece.bar[index[0]]))
            # The engine, too, has more room than entries, which the mask bars.
            room = len(entries) + 3
            keys, classes = np.zeros((room, self.keys.shape[1]), np.float32), np.zeros((3, room), np.int64)
            keys[: len(entries)], classes[:, : len(entries)] = self.keys[entries], stored_classes(piece.targets[entries])
            memory = {"memory_keys": keys, "memory_classes": classes, "memory_mask": mask_of(np.arange(room) < len(entries))[None]}
        inputs = self.row_inputs(piece, index) | lengths | positions | memory | sampling
        binding = self.session.io_binding()
        for name, value in inputs.items():
            binding.bind_ortvalue_input(name, onnxruntime.OrtValue.ortvalue_from_numpy(np.ascontiguousarray(value)))
        for name, buffer in self.buffers.items():
            binding.bind_ortvalue_input(f"past_{name}", buffer)
            binding.bind_ortvalue_output(f"present_{name}", buffer)
        queries = [f"turned_query_{layer}" for layer in range(self.layers)]
        keys = ["memory_key"] if memory else []
        for name in (*OUTPUTS, *queries, *keys):
            binding.bind_output(name)
        self.session.run_with_iobinding(binding)
        bound = [value.numpy() for value in binding.get_outputs()[len(self.buffers) :]]  # in the order of binding
        if memory:
            self.keys[index] = bound.pop()
        results = dict(zip(OUTPUTS, bound, strict=False))
        return results | {"queries": np.stack([value[0] for value in bound[len(OUTPUTS) :]], 1)}  # [T, L, d]

    def entries(self, piece: Piece, bar: int) -> np.ndarray:
        """The rows of earlier bars that are remembered in a bar: those that predict content."""
        return np.flatnonzero((piece.bar < bar) & (piece.targets[:, 0] >= 0))

    def page(self, start: int, end: int) -> list[np.ndarray]:
        return [self.views[name][0, :, start:end].copy() for name in self.names]

    def gather(self, pages: list[list[np.ndarray]], at: int = 0) -> int:
        """Lays pages one after the other from row `at` on; where they end, which is the same in every layer."""
        ends = set()
        for plane, name in enumerate(self.names):
            end = at
            for page in pages:
                self.views[name][0, :, end : end + page[plane].shape[1]] = page[plane]
                end += page[plane].shape[1]
            ends.add(end)
        assert len(ends) == 1, ends
        return ends.pop()

    def run(self, piece: Piece, choose, summaries: bool, whole_bars: bool) -> dict[str, np.ndarray]:
        """The whole piece as the engine plays it.

        `choose(bar, pages, queries)` says which earlier bars are seen row by row: a list of bars or, by layer, lists of (bar, its first rows
        that are seen). `pages` hold what `page` gives of the bars so far, `queries` [rows, L, d] of each.
        """
        rows, numbers = len(piece.rows), np.arange(len(piece.rows))
        out: dict[str, np.ndarray] = {}

        def keep(index, results):
            for name, value in results.items():
                out.setdefault(name, np.zeros((rows, *value.shape[1:]), value.dtype))[index] = value

        prefix = numbers[piece.kind == v.PRE]
        keep(prefix, self.append(piece, prefix, 0))
        prefix_page = self.page(0, len(prefix))
        pages: list[list[np.ndarray]] = []
        queries: list[np.ndarray] = []
        sums: list[list[np.ndarray]] = []
        for bar in range(piece.bar.max() + 1):
            chosen = choose(bar, pages, queries)
            if all(isinstance(b, int) for b in chosen):
                parts = [sums[b] for b in range(bar) if summaries and b not in chosen] + [pages[b] for b in chosen]
            else:
                # Of each part the planes of all layers but one are empty.
                parts = [
                    [rows[:, : count if plane // 2 == layer else 0] for plane, rows in enumerate(pages[b])]
                    for layer, bars in enumerate(chosen)
                    for b, count in bars
                ]
            start = past = self.gather(parts, self.gather([prefix_page]))
            content = numbers[(piece.bar == bar) & (piece.kind != v.SUM)]
            for index in [content] if whole_bars else np.split(content, len(content)):
                keep(index, self.append(piece, index, past))
                past += len(index)
            pages.append(self.page(start, past))
            queries.append(out["queries"][content])
            past = self.gather([prefix_page, pages[bar]])
            total = numbers[(piece.bar == bar) & (piece.kind == v.SUM)]
            keep(total, self.append(piece, total, past))
            sums.append(self.page(past, past + 1))
        return out

    def top_k(self, k: int):
        """Block top-k as it is defined, bar by bar: a `choose` for `run`."""

        def choose(bar: int, pages, queries):
            if bar == 0:
                return []
            budget = sum(page[0].shape[1] for page in pages[-k:])
            ask = queries[-1].mean(0).reshape(self.layers, self.heads, -1)
            cos, sin = self.turns(np.array([[1, 0, 0]]))
            a, b = np.split(ask, 2, -1)
            ask = np.concatenate((a * cos - b * sin, b * cos + a * sin), -1)
            chosen = []
            for layer in range(self.layers):
                scores = [(ask[layer] * page[2 * layer].mean(1)).sum() for page in pages]
                left, taken = budget, []
                for b in sorted(range(bar), key=lambda b: -scores[b]):
                    taken.append((b, min(left, pages[b][0].shape[1])))
                    left -= taken[-1][1]
                    if left == 0:
                        break
                chosen.append(taken)
            return chosen

        return choose
