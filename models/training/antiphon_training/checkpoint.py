"""What a trained model is on disk, between training and export."""

from dataclasses import dataclass, field
from pathlib import Path

import torch

from . import vocabulary as v
from .model import Antiphon, Config


@dataclass
class Description:
    """What the engine is told about a model besides its shape."""

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
    """Model, description, and whatever training state was saved with them."""
    content = torch.load(path, map_location="cpu", weights_only=True)
    model = Antiphon(Config(**content.pop("config")))
    model.load_state_dict(content.pop("model"))
    return model, Description(**content.pop("description")), content
