"""The training curve as a picture."""

from __future__ import annotations

from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt


def draw(history: list[dict], path: Path) -> None:
    """Validation bits per note by source, and the training loss, against rows seen."""
    rows = [entry["rows"] / 1e6 for entry in history]
    figure, axes = plt.subplots(figsize=(10.5, 5.5), layout="constrained")
    axes.set_prop_cycle(color=plt.get_cmap("tab20").colors)
    for name in sorted({name for entry in history for name in entry["bits"]}):
        axes.plot(rows, [entry["bits"].get(name, float("nan")) for entry in history], linewidth=1, label=name)
    axes.plot(rows, [entry["macro"] for entry in history], "k", linewidth=2.2, label="validation, mean of the sources")
    axes.plot(rows, [entry["train"] for entry in history], "k:", linewidth=1.4, label="training")
    axes.set(xlabel="rows seen (million)", ylabel="bits per note", title="Training")
    axes.grid(alpha=0.3)
    figure.legend(fontsize=8, loc="outside right upper")
    figure.savefig(path, dpi=110)
    plt.close(figure)
