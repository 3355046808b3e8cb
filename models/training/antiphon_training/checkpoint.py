"""Checkpoints: trained models on disk, between training and export."""

import json
from dataclasses import dataclass, field
from pathlib import Path

import onnx
import torch
from onnx import numpy_helper

from . import vocabulary as v
from .model import Antiphon, Config


@dataclass
class Description:
    """Metadata of a model besides its shape."""

    name: str = "antiphon"
    durations: list[int] = field(default_factory=lambda: list(v.DURATIONS))  # lengths of the duration classes, ticks
    styles: dict[str, int] = field(default_factory=dict)  # source name -> style class
    trained_rows: int = 0


def save(path: str | Path, model: Antiphon, description: Description, **training_state) -> None:
    """Writes model and description; `training_state` (optimiser, step, ...) rides along for resuming. The old file is replaced whole."""
    path = Path(path)
    partial = path.with_suffix(path.suffix + ".partial")
    content = {"config": model.config.to_dict(), "model": model.state_dict(), "description": vars(description), **training_state}
    torch.save(content, partial)
    partial.replace(path)


def load(path: str | Path) -> tuple[Antiphon, Description, dict]:
    """Model, description, and the training state saved with them, if any. A step graph (`.onnx`) has weights and description alone."""
    if Path(path).suffix == ".onnx":
        return *from_graph(path), {}
    content = torch.load(path, map_location="cpu", weights_only=True)
    model = from_weights(content.pop("config"), content.pop("model"), path)
    return model, Description(**content.pop("description")), content


def from_weights(config: dict, weights: dict, path: str | Path) -> Antiphon:
    """The model of these weights, in the current columns: embeddings of columns appended since training are zero, so its output is unchanged."""
    model = Antiphon(Config(**{**config, "columns": appended(config, path)}))
    table = widen(weights["embedding.weight"], model.embedding.num_embeddings)
    model.load_state_dict({**weights, "embedding.weight": table})
    return model


def appended(config: dict, path: str | Path) -> list[list]:
    """Current columns, if weights trained with `config` fit them: the trained columns come first, and the fields are the same."""
    had, now = [list(c) for c in config["columns"]], v.COLUMNS
    if had != now[: len(had)] or [list(f) for f in config["fields"]] != v.FIELDS:
        raise ValueError(f"{path}: its columns and fields are not those that vocabulary {v.VERSION} begins with: its weights mean other things")
    return now


def widen(table: torch.Tensor, rows: int) -> torch.Tensor:
    """A table of embeddings with rows of zeros at its end."""
    return torch.cat([table, table.new_zeros(rows - len(table), table.shape[1])])


def widen_training(state: dict, path: str | Path) -> dict:
    """A training checkpoint in the current columns: weights, average, and the optimiser's moments of the new embeddings are zero; all else goes on."""
    columns = appended(state["config"], path)
    had, rows = (sum(size for _, size in c) for c in (state["config"]["columns"], columns))
    if had == rows:
        return state
    wide = {name: {**state[name], "embedding.weight": widen(state[name]["embedding.weight"], rows)} for name in ("model", "average")}
    width = state["config"]["width"]

    def moments(kept: dict) -> dict:
        return {name: widen(value, rows) if torch.is_tensor(value) and value.shape == (had, width) else value for name, value in kept.items()}

    optimisers = [{**o, "state": {number: moments(kept) for number, kept in o["state"].items()}} for o in state["optimisers"]]
    return {**state, **wide, "optimisers": optimisers, "config": {**state["config"], "columns": columns}}


def from_graph(path: str | Path) -> tuple[Antiphon, Description]:
    """Weights and description out of a step graph that `export` wrote, so that training can go on from a shipped model.

    Weights stored in fp16 come back rounded to it; those stored in int8 are refused, since a quarter of a percent of every weight is lost.
    """
    proto = onnx.load(path)
    metadata = {p.key.removeprefix("antiphon."): p.value for p in proto.metadata_props}
    if metadata.get("weights") not in ("fp32", "fp16"):
        raise ValueError(f"{path}: weights stored as {metadata.get('weights')} cannot be trained on; start from the fp16 or fp32 graph")
    shape = {name: json.loads(metadata[name]) for name in ("width", "layers", "heads", "columns", "fields", "rotary", "fine_bars")}
    shape["memory"] = int(metadata.get("memory", 0))
    stored = {tensor.name: numpy_helper.to_array(tensor) for tensor in proto.graph.initializer}
    weights = {}
    with torch.device("meta"):
        wanted = dict(Antiphon(Config(**shape)).state_dict())
    for name, parameter in wanted.items():
        if parameter.numel() == 0:  # a field of the memory that goes by no earlier one; graphs hold no empty tensors
            weights[name] = torch.zeros(parameter.shape)
            continue
        # A linear layer multiplies from the right in the graph; tables of embeddings are stored as they are.
        is_linear = parameter.dim() == 2 and name != "embedding.weight" and ".choice." not in name
        array = torch.from_numpy(stored[name].copy()).float()
        weights[name] = array.T.contiguous() if is_linear else array
    model = from_weights(shape, weights, path)
    styles, durations = json.loads(metadata["styles"]), json.loads(metadata["durations"])
    return model, Description(metadata["name"], durations, styles, int(metadata["trained_rows"]))
