import numpy as np
import pytest
import torch
from pieces import Piece, piece
from runtime import Reference, Step

import antiphon_training.model
from antiphon_training.checkpoint import Description
from antiphon_training.export import export, random_model
from antiphon_training.model import Antiphon, Config

torch.set_num_threads(1)


@pytest.fixture(scope="session")
def model() -> Antiphon:
    return random_model(Config(width=64, layers=3, heads=4), seed=2)


@pytest.fixture(scope="session")
def music() -> Piece:
    return piece()


@pytest.fixture(scope="session")
def exported(model, tmp_path_factory):
    """Function from a kind of weights to the files (step graph, reference graph), each written once."""
    folder, done = tmp_path_factory.mktemp("exported"), {}

    def write(weights: str):
        if weights not in done:
            done[weights] = folder / f"{weights}.onnx", folder / f"{weights}-reference.onnx"
            export(model, Description(name="test", styles={"hymnal": 2}), done[weights][0], weights, done[weights][1])
        return done[weights]

    return write


@pytest.fixture(scope="session")
def step(exported) -> Step:
    return Step(exported("fp32")[0])


@pytest.fixture(scope="session")
def reference(exported) -> Reference:
    return Reference(exported("fp32")[1])


@pytest.fixture(scope="session")
def hidden_of(model):
    """Function from a piece and a policy to (hidden states [1, T, d], each layer's mask [L, T, T]) of the PyTorch model."""

    def run(music: Piece, policy: str = "fine_coarse"):
        rows, key, query, bar = (torch.from_numpy(a)[None] for a in (music.rows, music.key, music.query, music.bar))
        mask = model.mask(rows[..., 0], bar, bar.clamp(min=0), policy)
        seen = []
        attend = antiphon_training.model.attend
        with torch.no_grad(), pytest.MonkeyPatch.context() as patch:
            patch.setattr(antiphon_training.model, "attend", lambda q, k, v, m: seen.append(m[0, 0].numpy()) or attend(q, k, v, m))
            hidden = model.forward_hidden(rows, key, query, mask, bar)
        return hidden, np.stack(seen)

    return run
