"""Writes a checkpoint as the engine's ONNX file, and the reference graph of the same weights beside it.

    python -m antiphon_training.export CHECKPOINT -o models/antiphon.onnx --weights int8 --reference models/reference.onnx
    python -m antiphon_training.export --random --width 32 --layers 2 --heads 2 -o tiny.onnx
"""

import argparse
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import torch
from torch import nn

from . import checkpoint, graph
from . import vocabulary as v
from .checkpoint import Description
from .memory import FIELDS
from .model import Antiphon, Config

FORMAT, WITH_MEMORY = 1, 2
"""Layout of a graph without and with the memory of the piece."""


def random_model(config: Config, seed: int) -> Antiphon:
    """A model for tests: weights wide enough that attention, positions and every head visibly change the result.

    Embeddings of columns that were appended later are drawn last, group by group: the engine's tests rely on what these weights generate.
    """
    count = [name for name, _ in config.columns].index("chord_root")
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = Antiphon(replace(config, columns=config.columns[:count]))
        for name, parameter in model.named_parameters():
            if "norm" in name:
                nn.init.normal_(parameter, mean=float(name.endswith("weight")), std=0.1)
            elif name.endswith("bias"):
                nn.init.normal_(parameter, std=0.1)
            elif parameter.dim() > 1 and "embedding" not in name and "choice" not in name:
                nn.init.normal_(parameter, std=1.5 * parameter.shape[1] ** -0.5)
        for count in (count + v.CHORD_TONES, len(config.columns)):
            wide = Antiphon(replace(config, columns=config.columns[:count]))
            weights = model.state_dict()
            drawn = wide.embedding.weight.detach()[len(weights["embedding.weight"]) :]
            wide.load_state_dict(weights | {"embedding.weight": torch.cat([weights["embedding.weight"], drawn])})
            model = wide
    return model.eval()


def metadata(model: Antiphon, description: Description, weights: str) -> dict[str, str]:
    config = model.config
    values = {
        "format": WITH_MEMORY if config.memory else FORMAT,
        "vocabulary": v.VERSION,
        "name": description.name,
        "width": config.width,
        "layers": config.layers,
        "heads": config.heads,
        "weights": weights,
        "columns": config.columns,
        "fields": config.fields,
        "durations": description.durations,
        "rotary": config.rotary,
        "fine_bars": config.fine_bars,
        "styles": description.styles,
        "trained_rows": description.trained_rows,
    }
    if config.memory:
        values |= {"memory": config.memory, "memory_classes": list(FIELDS)}
    return {f"antiphon.{name}": value if isinstance(value, str) else json.dumps(value) for name, value in values.items()}


def export(
    model: Antiphon, description: Description, path: Path, weights: str, reference: Path | None = None, keep: Path | None = None
) -> None:
    """Writes the step graph to `path` and, if requested, the reference graph into the same folder, its weights pointing into `path`.

    `keep`: a step graph whose tensors are stored instead of the model's, see `keep_tensors`.
    """
    if reference is not None and (reference.parent.resolve() != path.parent.resolve() or reference.name == path.name):
        raise ValueError(f"{reference}: the reference graph reads its weights from {path.name}, so it must lie beside it")
    values = metadata(model, description, weights)

    step = graph.build(model, weights, graph.CachedAttention)
    if keep is not None:
        keep_tensors(step, keep)
    step_model = step.to_model("antiphon")
    onnx.helper.set_model_props(step_model, values)
    onnx.checker.check_model(step_model)
    content = step_model.SerializeToString(deterministic=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)

    if reference is not None:
        plain = graph.build(model, weights, graph.MaskedAttention)
        if keep is not None:
            keep_tensors(plain, keep)
        for name in sorted(plain.learnt):
            point_into(plain.initialisers[name], path.name, content)
        plain_model = plain.to_model("antiphon-reference")
        onnx.helper.set_model_props(plain_model, values)
        reference.write_bytes(plain_model.SerializeToString(deterministic=True))


def keep_tensors(step: graph.Graph, path: Path) -> None:
    """Stores the learnt tensors of an earlier graph of the same weights, all but the embeddings, which may have been trained on.

    Weights read from an fp16 graph are rounded; quantised again, one in a hundred moves by a step, and outputs that nobody trained change. Raises
    ValueError if a tensor differs by more.
    """
    stored = {tensor.name: tensor for tensor in onnx.load(path).graph.initializer}
    for name in sorted(step.learnt - {"embedding.weight"}):
        kept, fresh = stored.get(name), onnx.numpy_helper.to_array(step.initialisers[name]).astype(np.float32)
        array = None if kept is None else onnx.numpy_helper.to_array(kept).astype(np.float32)
        slack = 1.0 if name.endswith(".values") else 2e-3 * np.abs(fresh).max(initial=0.0)
        if array is None or kept.data_type != step.initialisers[name].data_type or array.shape != fresh.shape or np.abs(array - fresh).max() > slack:
            raise ValueError(f"{path}: its {name} is not that of these weights")
        step.initialisers[name] = kept


def point_into(tensor: onnx.TensorProto, file: str, content: bytes) -> None:
    """Replaces the tensor's data by the place of the same bytes in `file`, whose content is given."""
    offset = content.find(tensor.raw_data)
    if offset < 0:
        raise ValueError(f"{tensor.name} is not stored in {file}")
    place = {"location": file, "offset": str(offset), "length": str(len(tensor.raw_data))}
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    for key, value in place.items():
        tensor.external_data.add(key=key, value=value)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Write a model as an ONNX file for the engine.")
    parser.add_argument("checkpoint", nargs="?", type=Path, help="what training saved")
    parser.add_argument("-o", "--output", type=Path, required=True, help="step graph to write")
    parser.add_argument("--weights", choices=graph.WEIGHTS, default="fp32", help="how weights are stored (default: fp32)")
    parser.add_argument("--reference", type=Path, help="also write the reference graph here, beside the step graph")
    parser.add_argument("--keep", type=Path, help="graph of the same weights, stored alike, whose tensors are kept except the embeddings")
    parser.add_argument("--name", help="name of the model, if not the checkpoint's")
    parser.add_argument("--random", action="store_true", help="random weights instead of a checkpoint, for tests")
    parser.add_argument("--width", type=int, default=32)
    parser.add_argument("--layers", type=int, default=2)
    parser.add_argument("--heads", type=int, default=4)
    parser.add_argument("--memory", type=int, default=0, help="width of the memory's keys; 0: no memory")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    if options.random == (options.checkpoint is not None):
        parser.error("give either a checkpoint or --random")

    if options.random:
        config = Config(width=options.width, layers=options.layers, heads=options.heads, memory=options.memory)
        model, description = random_model(config, options.seed), Description(name="random")
    else:
        model, description, _ = checkpoint.load(options.checkpoint)
    description.name = options.name or description.name
    export(model, description, options.output, options.weights, options.reference, options.keep)
    print(f"{options.output}: {sum(p.numel() for p in model.parameters()):,} parameters, {options.output.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
