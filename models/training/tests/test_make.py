"""A recipe's stages follow each other, on one process or several; at its end there are graphs."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from safetensors.numpy import save_file
from test_data import corpus

from antiphon_training import checkpoint, make, vocabulary
from antiphon_training.corpus import CORPUS_VERSION, Corpus
from antiphon_training.train import Recipe, run_stages

RECIPE = """
name = "tiny"
length = 64
batch = 2
rows = 640
every = 3
warmup = 2
validation_windows = 2
compile = false
[model]
width = 32
layers = 2
heads = 2
[sources]
ours = 1.0
[[stages]]
stage = "short"
[[stages]]
stage = "long"
length = 128
batch = 1
"""


@pytest.fixture
def recipe(tmp_path) -> Path:
    path = tmp_path / "tiny.toml"
    path.write_text(RECIPE)
    return path


@pytest.fixture
def file(tmp_path) -> Path:
    """A corpus of a few small pieces, as the engine writes it."""
    music = corpus()
    arrays = {name: getattr(music, name) for name in ("notes", "bars", "chords", "piece_split", "piece_flags")}
    arrays |= {name: getattr(music, name).astype(np.uint64) for name in ("bar_notes", "piece_bars")}
    arrays |= {"bar_ticks": music.bar_ticks.astype(np.uint16), "piece_source": music.piece_source.astype(np.uint8)}
    lists = {name: json.dumps(getattr(music, name)) for name in ("sources", "paths", "columns", "fields", "durations")}
    path = tmp_path / "tiny.rows"
    save_file(arrays, path, {"antiphon.corpus": CORPUS_VERSION, "vocabulary": str(vocabulary.VERSION), **lists})
    return path


def test_each_stage_goes_on_from_the_one_before(recipe, file, tmp_path):
    stages = Recipe.load(recipe)
    assert [(stage.stage, stage.length, stage.name) for stage in stages] == [("short", 64, "tiny"), ("long", 128, "tiny")]
    last = run_stages(stages, Corpus.load(file), tmp_path / "out", 1)
    first, second = (checkpoint.load(tmp_path / "out" / stage / "best.pt")[1] for stage in ("short", "long"))
    assert second.trained_rows > first.trained_rows and last == tmp_path / "out/long/best.pt"
    log = (tmp_path / "out/long/log.jsonl").read_text()
    run_stages(stages, Corpus.load(file), tmp_path / "out", 1)
    assert (tmp_path / "out/long/log.jsonl").read_text() == log, "what ended is not run again"

    make.write_graphs(last, recipe, tmp_path / "graphs")
    for name in (make.INT8, make.FP16, make.REFERENCE):
        onnx.checker.check_model(str(tmp_path / "graphs" / name))
    assert (tmp_path / "graphs/recipe.toml").read_text() == RECIPE and (tmp_path / "graphs/curve.png").exists()


def test_several_processes_train_one_model(recipe, file, tmp_path):
    """What `--gpus 2` runs, on two CPU processes."""
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", "-m"]
    command = ["antiphon_training.train", recipe, "--corpus", file, "--out", tmp_path / "out", "--threads", "1"]
    environment = os.environ | {"CUDA_VISIBLE_DEVICES": "", "PYTHONPATH": str(Path(make.__file__).parents[1])}
    subprocess.run([*launcher, *command], check=True, env=environment, timeout=500)
    entries = [json.loads(line) for line in (tmp_path / "out/long/log.jsonl").read_text().splitlines()]
    assert entries[-1]["rows"] >= 640 and np.isfinite(entries[-1]["macro"])
    assert checkpoint.load(tmp_path / "out/long/best.pt")[0].config.width == 32


def test_mistakes_in_a_recipe_are_named(tmp_path):
    path = tmp_path / "wrong.toml"
    path.write_text("lenght = 64\n")
    with pytest.raises(SystemExit, match="lenght"):
        Recipe.load(path)
    path.write_text("[[stages]]\nrows = 1\n[[stages]]\nrows = 2\n")
    with pytest.raises(SystemExit, match="name of its own"):
        Recipe.load(path)
