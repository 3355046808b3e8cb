"""The chain of heads in the graph: forced choices, sampling, masks. The expected choices are computed here from PyTorch's logits."""

import numpy as np
import pytest
import torch
from pieces import Piece
from runtime import FIELDS, Reference, Runner, open_sampling

from antiphon_training import vocabulary as v

OUT = np.float32(-1e9)


def logits_of(model, field: int, c: torch.Tensor) -> np.ndarray:
    with torch.no_grad():
        return model.heads[field](c).numpy()


def expected(model, hidden: np.ndarray, rows: np.ndarray, sampling: dict) -> np.ndarray:
    """Choices [T, 8] by the contract's words, row by row and field by field."""
    choices = np.zeros((len(rows), 8), np.int64)
    starts = np.cumsum([0, *FIELDS.values()])
    for t, row in enumerate(rows):
        by_row = {name: value for name, value in sampling.items() if name.startswith(("mask", "noise", "pitch"))}
        m = {name: value[t] if len(value) > 1 else value[0] for name, value in by_row.items()}
        c = torch.from_numpy(hidden[t])
        picked: dict[str, int] = {}
        for i, name in enumerate(FIELDS):
            mask = m[f"mask_{name}"]
            if i >= v.CONTENT_FIELDS:
                mask = mask[int(picked["pitch"] >= m["pitch_top"])]
            if name == "sub":
                mask = mask[picked["beat"]]
            if name == "role":
                onset = (picked["beat"] + 1, picked["sub"] + 1)
                mask = mask[int(onset == (row[v.COLUMN["target_beat"]], row[v.COLUMN["target_sub"]]))]
            z = logits_of(model, i, c) / sampling["temperature"][i] + mask
            noisy = z + m["noise"][starts[i] : starts[i + 1]]
            noisy[z < z.max() + sampling["log_min_p"][i]] = -np.inf
            forced = sampling["force"][t, i]
            picked[name] = choices[t, i] = forced if forced >= 0 else noisy.argmax()
            if model.heads[i].choice is not None and (i >= v.CONTENT_FIELDS or row[v.COLUMN["target_beat"]]):
                with torch.no_grad():
                    c = c + model.heads[i].choice.weight[picked[name]]
    return choices


def random_masks(random: np.random.Generator, count: int) -> dict[str, np.ndarray]:
    """Masks that close half of everything at random, differently in each table, and never all of it."""
    masks = {}
    for name, value in open_sampling(1).items():
        if name.startswith("mask"):
            closed = random.random((count, *value.shape[1:])) < 0.5
            closed[..., 0] = False
            masks[name] = np.where(closed, OUT, 0).astype(np.float32)
    return masks | {"pitch_top": random.integers(60, 200, count)}


@pytest.fixture(scope="module")
def dense(music) -> np.ndarray:
    return np.tril(np.ones((len(music.rows),) * 2, bool))


def run(reference: Reference, music: Piece, dense: np.ndarray, **sampling) -> tuple[dict, dict]:
    sampling = open_sampling(len(music.rows)) | sampling
    return reference.run(music, dense, **sampling), sampling


@pytest.mark.parametrize("shared", [True, False], ids=["one_mask_for_all", "a_mask_per_row"])
def test_sampling_follows_temperature_masks_min_p_and_noise(shared, model, music, reference, dense):
    random = np.random.default_rng(5)
    count = 1 if shared else len(music.rows)
    sampling = random_masks(random, count) | {
        "noise": random.gumbel(size=(count, sum(FIELDS.values()))).astype(np.float32),
        "temperature": random.uniform(0.5, 2, 8).astype(np.float32),
        "log_min_p": np.log(random.uniform(0.01, 0.3, 8)).astype(np.float32),
        "force": np.where(random.random(music.targets.shape) < 0.2, music.targets, -1),
    }
    # Some of the next notes begin where the row's target does.
    together = (music.rows[:, 10] > 0) & (random.random(len(music.rows)) < 0.1)
    sampling["force"][together, 5:7] = music.rows[together, 10:12] - 1
    out, sampling = run(reference, music, dense, **sampling)
    wanted = expected(model, out["hidden"], music.rows, sampling)
    np.testing.assert_array_equal(out["choice"], wanted)
    reached = wanted[:, 0] >= sampling["pitch_top"]
    same = (wanted[:, 5:7] + 1 == music.rows[:, 10:12]).all(1)
    assert 0 < reached.sum() < len(reached)
    if not shared:
        assert same.any()  # both sides of every table were used


def test_same_noise_same_choice_other_noise_other_choice(music, reference, dense):
    noise = np.random.default_rng(1).gumbel(size=(2, 1, sum(FIELDS.values()))).astype(np.float32)
    first, again, other = (run(reference, music, dense, noise=n)[0]["choice"] for n in (noise[0], noise[0], noise[1]))
    np.testing.assert_array_equal(first, again)
    assert (first != other).mean() > 0.2


def test_masks_keep_the_order_of_notes(music, reference, dense):
    """A target at beat 1, sub 12, role 5: the next note comes later, or at the same onset with a role of at least 5."""
    beat, sub, role = 1, 12, 5
    masks = {name: np.full(value.shape, OUT, np.float32) for name, value in open_sampling(1).items() if name.startswith("mask")}
    for name in ("pitch", "duration", "velocity", "offset"):
        masks[f"mask_{name}"][:] = 0
    masks["mask_type"][..., 0] = 0
    masks["mask_beat"][..., beat : beat + 2] = 0
    masks["mask_sub"][:, :, beat, sub:] = 0
    masks["mask_sub"][:, :, beat + 1, :] = 0
    masks["mask_role"][:, :, 0, :] = 0
    masks["mask_role"][:, 0, 1, role:] = 0
    masks["mask_role"][:, 1, 1, role + 1 :] = 0
    rows = music.rows.copy()
    rows[:, 10:13] = beat + 1, sub + 1, role + 1
    noise = np.random.default_rng(2).gumbel(size=(len(rows), sum(FIELDS.values()))).astype(np.float32)
    aimed = Piece(rows, music.key, music.query, music.bar, music.targets)
    hot = np.full(8, 20, np.float32)  # so hot that every class left open is chosen somewhere
    out, _ = run(reference, aimed, dense, noise=noise, temperature=hot, pitch_top=np.array([128]), **masks)
    choice = out["choice"]
    assert (choice[:, 4] == 0).all()
    later = choice[:, 5] * 24 + choice[:, 6] > beat * 24 + sub
    same = choice[:, 5] * 24 + choice[:, 6] == beat * 24 + sub
    assert (later | same).all()
    assert (same & (choice[:, 0] < 128)).any()
    assert (same & (choice[:, 0] >= 128)).any()
    assert (choice[same, 7] >= role + (choice[same, 0] >= 128)).all()


def test_min_p_leaves_only_likely_classes(model, music, reference, dense):
    noise = np.random.default_rng(3).gumbel(size=(len(music.rows), sum(FIELDS.values()))).astype(np.float32)
    free, _ = run(reference, music, dense, noise=noise)
    tight, _ = run(reference, music, dense, noise=noise, log_min_p=np.full(8, np.log(0.5), np.float32))
    assert (tight["nll"][:, 0] <= -np.log(0.5) + nll_of_best(model, tight["hidden"]) + 1e-4).all()
    assert (free["nll"][:, 0] > -np.log(0.5) + nll_of_best(model, free["hidden"]) + 1e-4).any()


def nll_of_best(model, hidden: np.ndarray) -> np.ndarray:
    with torch.no_grad():
        return -model.heads[0](torch.from_numpy(hidden)).log_softmax(-1).max(-1).values.numpy()


def test_everything_masked_still_gives_a_class(music, reference, dense):
    closed = {name: np.full(value.shape, OUT, np.float32) for name, value in open_sampling(1).items() if name.startswith("mask")}
    out, _ = run(reference, music, dense, **closed)
    for i, classes in enumerate(FIELDS.values()):
        assert ((out["choice"][:, i] >= 0) & (out["choice"][:, i] < classes)).all()
    assert np.isfinite(out["nll"]).all()


def test_best_is_the_most_likely_class_given_the_choices_before_it(model, music, reference, dense):
    force = np.random.default_rng(4).integers(0, list(FIELDS.values()), music.targets.shape)
    masks = random_masks(np.random.default_rng(6), 1)
    out, sampling = run(reference, music, dense, force=force, **masks)
    np.testing.assert_array_equal(out["choice"], force)
    # With field i alone left to an open, noiseless sampler, the sampler takes the best class.
    for i in range(8):
        partly = force.copy()
        partly[:, i] = -1
        greedy = expected(model, out["hidden"], music.rows, open_sampling(len(force)) | {"force": partly})
        np.testing.assert_array_equal(out["best"][:, i], greedy[:, i])


def test_only_output_rows_have_outputs(music, reference, dense):
    every, _ = run(reference, music, dense)
    asked = np.array([7, 2, 2, len(music.rows) - 1])
    some, _ = run(reference, music, dense, asked=asked, force=np.full((4, 8), -1, np.int64))
    np.testing.assert_array_equal(some["choice"], every["choice"][asked])
    np.testing.assert_allclose(some["nll"], every["nll"][asked], atol=1e-5)
    np.testing.assert_array_equal(some["hidden"], every["hidden"])


def test_content_tells_the_later_fields_nothing_without_a_target(music, reference, dense):
    force = music.targets.copy()
    force[:, :4] = 0
    other = force.copy()
    other[:, :4] = 7
    force[:, 4:] = other[:, 4:] = 0
    nll = [run(reference, music, dense, force=f)[0]["nll"][:, 4:] for f in (force, other)]
    has_target = music.rows[:, v.COLUMN["target_beat"]] > 0
    np.testing.assert_array_equal(nll[0][~has_target], nll[1][~has_target])
    assert (np.abs(nll[0] - nll[1])[has_target] > 1e-3).any(1).all()


@pytest.mark.parametrize(("weights", "agreement"), [("fp16", 0.99), ("int8", 0.9)])
def test_smaller_weights_choose_alike(weights, agreement, exported, music, reference, dense):
    exact, _ = run(reference, music, dense)
    close = Reference(exported(weights)[1]).run(music, dense, **open_sampling(len(music.rows)))
    assert (close["choice"][:, 0] == exact["choice"][:, 0]).mean() > agreement
    forced = {"force": np.zeros((len(music.rows), 8), np.int64)}
    exact, close = (r.run(music, dense, **forced)["nll"] for r in (reference, Reference(exported(weights)[1])))
    assert abs(close.mean() / exact.mean() - 1) < 0.01


def test_metadata_says_what_the_engine_needs(model, exported):
    meta = Runner(exported("int8")[0]).meta
    assert meta == Runner(exported("int8")[1]).meta
    assert {name: meta[f"antiphon.{name}"] for name in ("format", "vocabulary", "name", "weights", "width", "layers", "heads")} == {
        "format": "1", "vocabulary": str(v.VERSION), "name": "test", "weights": "int8", "width": "64", "layers": "3", "heads": "4",
    }  # fmt: skip
    assert meta["antiphon.styles"] == '{"hymnal": 2}'
    assert meta["antiphon.fine_bars"] == "[1, 2, 4, 8, 12, 16, 24, 32]"
    assert meta["antiphon.trained_rows"] == "0"
