"""The engine's test graphs are what the export command writes today."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from antiphon_training.export import main

FIXTURES = Path(__file__).parents[3] / "engine/tests/fixtures"
COMMANDS = {
    "tiny": ["--width", "32", "--layers", "2", "--heads", "2", "--seed", "10"],
    "tiny-memory": ["--width", "16", "--layers", "1", "--heads", "2", "--memory", "8", "--seed", "11"],
}


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("fixtures")
    for name, shape in COMMANDS.items():
        main(["--random", *shape, "-o", str(folder / f"{name}.onnx"), "--reference", str(folder / f"{name}-reference.onnx")])
    return folder


@pytest.mark.parametrize("name", [f"{name}{kind}.onnx" for name in COMMANDS for kind in ("", "-reference")])
def test_fixture_is_up_to_date(name, written):
    kept, fresh = onnx.load(FIXTURES / name), onnx.load(written / name)
    for a, b in zip(kept.graph.initializer, fresh.graph.initializer, strict=True):
        # Random numbers may differ in their last bit from one processor to another.
        np.testing.assert_allclose(numpy_helper.to_array(a), numpy_helper.to_array(b), rtol=1e-5, err_msg=a.name)
    for model in (kept, fresh):
        del model.graph.initializer[:]
    assert kept == fresh
