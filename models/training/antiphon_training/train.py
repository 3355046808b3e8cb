"""Train the model: `python -m antiphon_training.train CONFIG.toml --corpus FILE --out FOLDER`.

Runs on CUDA if there is one, otherwise on the CPU; on several GPUs through `torchrun`. Stop it at any time: the same command goes on from the last
checkpoint in the folder. Longer than other files: recipe, schedule, validation and checkpoint are parts of one resumable state.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import math
import os
import shutil
import time
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel
from tqdm import tqdm

from . import checkpoint, columns, memory, packed
from .checkpoint import Description
from .columns import Column, ColumnAdam
from .corpus import Corpus
from .curve import draw
from .data import Augmentation, Batch, Windows
from .model import Antiphon, Config, parse_policy
from .muon import Muon
from .packed import Packed, PackedLosses
from .rows import Sequence
from .vocabulary import FIELD, SUM

LN2 = math.log(2.0)


@dataclasses.dataclass(frozen=True)
class Recipe:
    """Settings of a run, read from a committed TOML file."""

    name: str = "antiphon"
    """Name of the model in its metadata."""
    stage: str = "whole"
    """Name of this stage, and of its folder."""
    start: str = ""
    """Weights the recipe begins with, relative to its file; empty = random ones, or the stage's before."""
    trunk: str = ""
    """Stage whose checkpoint, optimiser state and rows seen included, this one goes on from a copy of: a decay for a release, while the trunk can go on."""
    length: int = 512
    """Rows of a window."""
    batch: int = 8
    """Rows a step, over all processes, in windows of `length`."""
    rows: int = 12_000_000
    """Rows to see in all; the learning rate is planned over them."""
    minutes: float = 0.0
    """If set, the plan follows training time instead of rows: for a machine of unknown speed."""
    peak_rate: float = 1.5e-3
    warmup: int = 150
    """Steps."""
    decay: float = 0.4
    """Share of the run, at its end, over which the rate falls to 2 % of its peak."""
    weight_decay: float = 0.05
    dropout: float = 0.0
    average: float = 0.998
    """Decay of the running average of the weights that is evaluated and exported."""
    every: int = 250
    """Steps between validations, each with a checkpoint."""
    validation_windows: int = 12
    """Windows of each source in a validation."""
    patience: int = 0
    """Stop after this many validations without a gain; 0 = never."""
    seed: int = 1
    policy: str = "fine_coarse"
    """Which bars are seen note by note: see `model.attention_mask`."""
    dense_share: float = 0.0
    """Share of the run, at its end, that is trained with dense attention instead, so that the weights serve both (MoBA: 0.1). Validation keeps to `policy`."""
    compile: bool = True
    """Compile the blocks (a quarter faster on a CPU); skipped where there is no C++ compiler."""
    freeze: bool = False
    """Train the memory of the piece alone (`model.memory`), over weights that stay as they are."""
    columns: dict = dataclasses.field(default_factory=dict)
    """Train the embeddings of these columns alone: name, and the fields of `columns.Column`. Validation windows are then augmented as those of training are,
    with a fixed seed: without tasks and chords such columns are unset."""
    model: dict = dataclasses.field(default_factory=dict)
    augmentation: dict = dataclasses.field(default_factory=dict)
    sources: dict = dataclasses.field(default_factory=dict)
    """Source name: weight. Sources that are not named are not trained on."""
    styles: dict = dataclasses.field(default_factory=dict)
    """Source name: style class 1 to 15; several sources may share one."""

    @staticmethod
    def load(path: Path) -> list[Recipe]:
        """The stages of a recipe, in order. Keys outside of the `[[stages]]` tables are defaults of all stages; without such a table the file is one stage."""
        common = tomllib.loads(path.read_text())
        stages = common.pop("stages", [{}])
        unknown = sorted({name for table in [common, *stages] for name in table} - {field.name for field in dataclasses.fields(Recipe)})
        if unknown:
            raise SystemExit(f"{path}: a recipe has no {', '.join(unknown)}; see the fields of Recipe in train.py")
        recipes = [Recipe(**common | table) for table in stages]
        if len({recipe.stage for recipe in recipes}) < len(recipes):
            raise SystemExit(f"{path}: every one of the [[stages]] needs a `stage`, a name of its own")
        return recipes


    def first_weights(self, path: Path) -> Path | None:
        """The file that `start` names, seen from the recipe's file `path`."""
        return path.parent / self.start if self.start else None


class Trainer:
    """One process of a run."""

    def __init__(self, recipe: Recipe, corpus: Corpus, out: Path, threads: int, start: Path | None = None):
        self.recipe, self.out = recipe, out
        self.rank, self.world = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
        cuda = torch.cuda.is_available()
        self.device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0))) if cuda else torch.device("cpu")
        if cuda:
            torch.cuda.set_device(self.device)
        elif threads:
            torch.set_num_threads(threads)
        if self.world > 1 and not dist.is_initialized():
            dist.init_process_group("nccl" if cuda else "gloo")
        torch.manual_seed(recipe.seed)
        parse_policy(recipe.policy)
        self.config = Config(columns=corpus.columns, fields=corpus.fields, dropout=recipe.dropout, **recipe.model)
        self.model = self.network().to(self.device)
        self.rows_before = 0
        if start:
            given, described, _ = checkpoint.load(start)
            begin_with(self.model, given)
            self.rows_before = described.trained_rows
        trained_columns = {name: Column(**how) for name, how in recipe.columns.items()}
        columns.begin(self.model, trained_columns)
        self.average = self.network().to(self.device).eval().requires_grad_(False)
        self.average.load_state_dict(self.model.state_dict())
        if recipe.freeze:
            self.optimisers = memory_optimisers(self.model, recipe.peak_rate)
        elif trained_columns:
            self.optimisers = [ColumnAdam(self.model, trained_columns, recipe.peak_rate)]
        else:
            self.optimisers = optimisers(self.model, recipe.peak_rate, recipe.weight_decay)
        self.windows = Windows(corpus, recipe.length, recipe.styles)
        self.augmentation = Augmentation(**recipe.augmentation)
        weights = np.array([recipe.sources.get(name, 0.0) for name in corpus.sources])
        weights *= [len(self.windows.train_bars[s]) > 0 for s in range(len(weights))]
        if weights.sum() <= 0:
            raise SystemExit(f"none of the recipe's sources ({', '.join(recipe.sources)}) is in the corpus ({', '.join(corpus.sources)})")
        self.weights = weights / weights.sum()
        self.sources = [s for s in range(len(weights)) if weights[s] > 0]
        self.names, self.durations = corpus.sources, corpus.durations
        self.step = 0
        self.rows = 0
        self.seconds = 0.0
        self.best = math.inf
        self.stale = 0
        self.history: list[dict] = []
        self.resume()
        self.packs = self.can_pack()
        if not self.step and start and self.config.memory and given.memory is None:
            self.begin_memory()
        if recipe.compile and (cuda or shutil.which("g++")):
            for block in self.model.blocks:
                block.compile(dynamic=True if self.packs else None)
        self.losses = PackedLosses(self.model) if self.packs else Losses(self.model, recipe.policy)
        self.trained = DistributedDataParallel(self.losses) if self.world > 1 else self.losses

    def network(self) -> Antiphon:
        """The model with random weights."""
        return Antiphon(self.config)

    @torch.no_grad()
    def begin_memory(self) -> None:
        """Principal directions of the rows of a batch as the memory's first key."""
        batch = self.draw_batch(0)
        losses = PackedLosses(self.model) if self.packs else Losses(self.model, self.recipe.policy)
        hidden = losses.hidden(batch) if self.packs else losses.hidden(*self.tensors(batch)[:3])
        is_row = torch.as_tensor(batch.rows)[..., 0] > 0
        self.model.memory.initialise(hidden[is_row.to(hidden.device)])
        self.average.memory.load_state_dict(self.model.memory.state_dict())

    def can_pack(self) -> bool:
        """Whether sequences are concatenated and attention runs over the allowed keys alone; otherwise windows are padded and attention is dense."""
        return not self.recipe.dense_share and packed.fits(self.model, self.recipe.policy, self.device)

    @property
    def state_file(self) -> Path:
        return self.out / "checkpoint.pt"

    def resume(self) -> None:
        """Take up the last checkpoint, if there is one."""
        if not self.state_file.exists():
            return
        saved = torch.load(self.state_file, map_location=self.device, weights_only=True)
        saved = checkpoint.widen_training(saved, self.state_file)
        if Config(**saved["config"]) != self.config:
            raise SystemExit(f"{self.state_file} is of another model: choose another --out, or delete it")
        self.model.load_state_dict(saved["model"])
        self.average.load_state_dict(saved["average"])
        for optimiser, state in zip(self.optimisers, saved["optimisers"], strict=True):
            optimiser.load_state_dict(state)
        self.step, self.rows, self.seconds = saved["step"], saved["rows"], saved["seconds"]
        self.rows_before = saved["rows_before"]
        self.best, self.stale, self.history = saved["best"], saved["stale"], saved["history"]

    def save(self) -> None:
        """Write the checkpoint so that a crash in between leaves the old one."""
        state = {
            "config": self.config.to_dict(),
            "model": self.model.state_dict(),
            "average": self.average.state_dict(),
            "optimisers": [optimiser.state_dict() for optimiser in self.optimisers],
            "step": self.step,
            "rows": self.rows,
            "rows_before": self.rows_before,
            "seconds": self.seconds,
            "best": self.best,
            "stale": self.stale,
            "history": self.history,
        }
        part = self.state_file.with_suffix(".part")
        torch.save(state, part)
        part.replace(self.state_file)

    def progress(self) -> float:
        """Share of the run that is done."""
        if self.recipe.minutes:
            return self.seconds / (60 * self.recipe.minutes)
        return self.rows / self.recipe.rows

    def rate(self) -> float:
        """Linear warm-up, then constant, then a linear decay."""
        recipe = self.recipe
        warm = min(1.0, (self.step + 1) / recipe.warmup)
        left = (1.0 - self.progress()) / recipe.decay if recipe.decay else 1.0
        return recipe.peak_rate * warm * max(0.02, min(1.0, left))

    def policy(self) -> str:
        """Attention policy of the next step: `policy`, or dense in the last `dense_share` of the run."""
        return "dense" if self.progress() >= 1.0 - self.recipe.dense_share else self.recipe.policy

    def autocast(self):
        """bf16 on GPUs and on CPUs with AMX tiles; without tiles it is slower than fp32 (1,570 against 2,520 rows a second on one AVX-512 core)."""
        if self.device.type == "cuda" or torch.cpu.get_capabilities().get("amx_bf16"):
            return torch.autocast(self.device.type, dtype=torch.bfloat16)
        return contextlib.nullcontext()

    def tensors(self, batch: Batch | Packed) -> tuple:
        """Arguments of the losses."""
        if isinstance(batch, Packed):
            return (batch,)
        arrays = (batch.rows, batch.key, batch.query, batch.targets, batch.scored)
        return tuple(torch.from_numpy(a).to(self.device, non_blocking=True) for a in arrays)

    def draw_batch(self, step: int) -> Batch | Packed:
        rng = np.random.default_rng([self.recipe.seed, step, self.rank])
        rows = max(1, self.recipe.batch // self.world) * self.recipe.length
        return self.batch_of(self.windows.draw(rows, self.weights, rng, self.augmentation))

    def batch_of(self, sequences: list[Sequence]) -> Batch | Packed:
        """Windows as arguments of the losses."""
        if self.packs:
            return packed.pack([s.cut(self.recipe.length) for s in sequences], self.recipe.policy, self.config.fine_bars)
        return self.windows.pad(sequences)

    def learn(self, batch: Batch) -> float:
        """One optimiser step; returns the loss in bits per note."""
        for group in [group for optimiser in self.optimisers for group in optimiser.param_groups]:
            group["lr"] = self.rate() * group.get("scale", 1.0)
        self.model.train()
        if not self.packs:
            self.losses.policy = self.policy()
        with self.autocast():
            nll, notes = self.trained(*self.tensors(batch))
        loss = nll.sum() / notes.clamp(min=1)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        for optimiser in self.optimisers:
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
        # Early on the average would remember the random start: it lengthens with the run.
        keep = min(self.recipe.average, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            for average, value in zip(self.average.parameters(), self.model.parameters(), strict=True):
                average.lerp_(value, 1 - keep)
        self.step += 1
        self.rows += self.of_all(batch.count if isinstance(batch, Packed) else int((batch.rows[..., 0] > 0).sum()))
        return float(loss.detach()) / LN2

    def of_all(self, count: int) -> int:
        """The sum over the processes, so that all of them stop, validate and decay at the same step."""
        if self.world == 1:
            return count
        total = torch.tensor([count], device=self.device)
        dist.all_reduce(total)
        return int(total)

    @torch.no_grad()
    def validate(self) -> dict:
        """Bits per note by source and field, of the averaged weights."""
        losses = PackedLosses(self.average) if self.packs else Losses(self.average, self.recipe.policy)
        mine = {}
        for source in self.sources[self.rank :: self.world]:
            chosen = self.windows.validation(source, self.recipe.validation_windows, 7, self.augmentation if self.recipe.columns else None)
            total, notes = np.zeros(len(self.config.fields)), 0.0
            for i in range(0, len(chosen), 4):
                with self.autocast():
                    nll, count = losses(*self.tensors(self.batch_of(chosen[i : i + 4])))
                total += nll.double().cpu().numpy() / LN2
                notes += float(count)
            if notes:
                mine[self.names[source]] = (total / notes).tolist()
        if self.world > 1:
            gathered: list = [None] * self.world
            dist.all_gather_object(gathered, mine)
            mine = {name: bits for part in gathered for name, bits in part.items()}
        bits = {name: round(sum(values), 4) for name, values in sorted(mine.items())}
        fields = {f[0]: round(float(np.mean([values[i] for values in mine.values()])), 4) for i, f in enumerate(self.config.fields)}
        return {"macro": round(float(np.mean(list(bits.values()))), 4), "bits": bits, "fields": fields}

    def run(self) -> None:
        """Train to the end of the recipe, or until validation stops improving."""
        recipe = self.recipe
        if self.progress() >= 1.0 and self.history:
            return
        bar = tqdm(total=1000, initial=min(1000, int(1000 * self.progress())), unit="‰", disable=self.rank > 0, dynamic_ncols=True)
        recent: list[float] = []
        with ThreadPoolExecutor(1) as loader:
            upcoming = loader.submit(self.draw_batch, self.step)
            while self.progress() < 1.0 and not (recipe.patience and self.stale >= recipe.patience):
                began = time.monotonic()
                batch = upcoming.result()
                upcoming = loader.submit(self.draw_batch, self.step + 1)
                recent.append(self.learn(batch))
                self.seconds += time.monotonic() - began
                if self.world > 1:
                    # All processes must agree on when to stop.
                    clock = torch.tensor([self.seconds], device=self.device)
                    dist.broadcast(clock, 0)
                    self.seconds = float(clock)
                bar.n = min(1000, int(1000 * self.progress()))
                bar.set_postfix_str(f"step {self.step}, {np.mean(recent[-50:]):.2f} bits/note, {self.rows / self.seconds:.0f} rows/s")
                if self.step % recipe.every == 0:
                    self.report(float(np.mean(recent[-recipe.every :])))
        if self.step % recipe.every:
            self.report(float(np.mean(recent[-recipe.every :])) if recent else math.nan)
        bar.close()

    def report(self, training: float) -> None:
        """Validate, log, draw the curve, save."""
        result = self.validate()
        entry = {"step": self.step, "rows": self.rows, "seconds": round(self.seconds, 1), "train": round(training, 4), **result}
        self.history.append(entry)
        gained = result["macro"] < self.best
        self.best = min(self.best, result["macro"])
        self.stale = 0 if gained else self.stale + 1
        if self.rank:
            return
        self.save()
        if gained:
            description = Description(self.recipe.name, self.durations, self.recipe.styles, self.rows_before + self.rows)
            checkpoint.save(self.out / "best.pt", self.average, description, validation=entry)
        with (self.out / "log.jsonl").open("a") as log:
            log.write(json.dumps(entry) + "\n")
        draw(self.history, self.out / "curve.png")
        tqdm.write(json.dumps(entry))


def begin_with(model: Antiphon, given: Antiphon) -> None:
    """Gives the model the weights of another; a memory of the piece that the other lacks stays as it is."""
    missing, unexpected = model.load_state_dict(given.state_dict(), strict=False)
    strange = [name for name in [*missing, *unexpected] if not name.startswith("memory.")]
    if strange:
        raise SystemExit(f"the weights to begin with are of another model: {', '.join(strange)}")


def memory_optimisers(model: Antiphon, rate: float) -> list[torch.optim.Optimizer]:
    """Adam for the memory alone: a high rate for gates and temperatures, a low one for matrices on whole states."""
    if model.memory is None:
        raise SystemExit("a recipe that freezes the model trains its memory, and `model.memory`, the width of the keys, is 0")
    model.requires_grad_(False)
    model.memory.requires_grad_(True)
    fields = model.memory.fields.values()
    fast = [p for f in fields for p in (f.log_theta, f.bonus, f.gate.weight, f.gate.bias)]
    groups = [
        {"params": fast, "scale": 3.0},
        {"params": [f.gate_state.weight for f in fields], "scale": 0.2},
        {"params": list(model.memory.key.parameters()), "scale": 0.3},
    ]
    return [torch.optim.Adam(groups, rate)]


def optimisers(model: Antiphon, rate: float, weight_decay: float) -> list[torch.optim.Optimizer]:
    """Muon for the matrices of the blocks, AdamW for embeddings, heads, biases and norms; both take one learning rate."""
    matrices = [p for p in model.blocks.parameters() if p.dim() == 2]
    hidden = {id(p) for p in matrices}
    others = [p for p in model.parameters() if id(p) not in hidden]
    groups = [
        {"params": [p for p in others if p.dim() > 1], "weight_decay": weight_decay},
        {"params": [p for p in others if p.dim() < 2], "weight_decay": 0.0},
    ]
    return [Muon(matrices, rate, weight_decay), torch.optim.AdamW(groups, rate, betas=(0.9, 0.95), fused=True)]


def bar_order(rows: torch.Tensor) -> torch.Tensor:
    """The bars of each sequence counted from 0 on, int [B, T]."""
    sums = (rows[..., 0] == SUM).long()
    return sums.cumsum(1) - sums


class Losses(torch.nn.Module):
    """Rows in, summed nats by field and the number of notes out: what DistributedDataParallel wraps."""

    def __init__(self, model: Antiphon, policy: str):
        super().__init__()
        self.model, self.policy = model, policy

    def forward(
        self, rows: torch.Tensor, key: torch.Tensor, query: torch.Tensor, targets: torch.Tensor, scored: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        hidden = self.hidden(rows, key, query)
        if self.model.memory is None:
            nll, count = self.model.loss_sums(hidden, rows, targets, scored=scored)
        else:
            batch, length = rows.shape[:2]
            spans = [(i * length, (i + 1) * length) for i in range(batch)]
            nll, count = memory.loss_sums(self.model, hidden, rows, targets, scored, bar_order(rows), spans)
        return nll, count[FIELD["beat"]]

    def hidden(self, rows: torch.Tensor, key: torch.Tensor, query: torch.Tensor) -> torch.Tensor:
        """Hidden states [B, T, d] under the policy."""
        order = bar_order(rows)
        mask = self.model.mask(rows[..., 0], key[..., 0], order, self.policy)
        return self.model.forward_hidden(rows, key, query, mask, order)


def branch(recipe: Recipe, out: Path) -> None:
    """Gives a stage with a trunk a copy of the trunk's checkpoint, unless it has one of its own. Its best weights are determined again."""
    state, trunk = out / recipe.stage / "checkpoint.pt", out / recipe.trunk / "checkpoint.pt"
    if not recipe.trunk or state.exists():
        return
    if not trunk.exists():
        raise SystemExit(f"stage {recipe.stage}: its trunk has no {trunk}; train stage {recipe.trunk} first")
    saved = torch.load(trunk, map_location="cpu", weights_only=True)
    torch.save(saved | {"best": math.inf, "stale": 0}, state)


def run_stages(recipes: list[Recipe], corpus: Corpus, out: Path, threads: int = 0, start: Path | None = None) -> Path:
    """Every stage of a recipe in its own folder, each from the best weights of the one before, or from its trunk's checkpoint. Returns the file of the
    last one's best weights.

    Finished work is not repeated: a stopped stage resumes, a finished one is skipped.
    """
    for recipe in recipes:
        folder = out / recipe.stage
        folder.mkdir(parents=True, exist_ok=True)
        branch(recipe, out)
        Trainer(recipe, corpus, folder, threads, start).run()
        if dist.is_initialized():
            dist.barrier()  # the first process writes what the others start the next stage from
        start = folder / "best.pt"
    if dist.is_initialized():
        dist.destroy_process_group()
    return start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipe", type=Path, help="TOML file; see recipes/")
    parser.add_argument("--corpus", type=Path, required=True, help="file written by `antiphon-lab corpus`")
    parser.add_argument("--out", type=Path, required=True, help="folder of checkpoints, log and curve, one for each stage")
    parser.add_argument("--start", type=Path, help="weights to begin with: a best.pt, or a shipped .onnx graph in fp16 or fp32")
    parser.add_argument("--stage", help="train this stage of the recipe alone")
    parser.add_argument("--minutes", type=float, help="train every stage for this long instead of for its rows")
    parser.add_argument("--threads", type=int, default=0, help="CPU threads; 0 = PyTorch's choice")
    given = parser.parse_args()
    recipes = Recipe.load(given.recipe)
    if given.minutes:
        recipes = [dataclasses.replace(recipe, minutes=given.minutes) for recipe in recipes]
    start = given.start or recipes[0].first_weights(given.recipe)
    if given.stage:
        recipes = [recipe for recipe in recipes if recipe.stage == given.stage]
        if not recipes:
            raise SystemExit(f"{given.recipe} has no stage {given.stage}")
    run_stages(recipes, Corpus.load(given.corpus), given.out, given.threads, start)


if __name__ == "__main__":
    main()
