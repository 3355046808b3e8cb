"""The trainer learns, resumes where it stopped, and refuses what is not its own."""

import dataclasses
import json

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper
from pieces import piece
from test_data import corpus

from antiphon_training import checkpoint
from antiphon_training import vocabulary as v
from antiphon_training.columns import rows_of
from antiphon_training.data import Augmentation
from antiphon_training.export import export
from antiphon_training.model import Antiphon, Config, attention_mask
from antiphon_training.own import OWN
from antiphon_training.recall import AHEAD
from antiphon_training.train import Losses, Recipe, Trainer, branch, optimisers

SMALL = Recipe(
    length=64,
    batch=2,
    rows=64 * 2 * 6,
    warmup=2,
    every=3,
    validation_windows=2,
    compile=False,
    model={"width": 32, "layers": 2, "heads": 2},
    sources={"ours": 1.0},
)


@pytest.fixture
def music():
    return corpus()


def test_a_run_leaves_checkpoint_log_and_curve(tmp_path, music):
    Trainer(dataclasses.replace(SMALL, rows=64 * 2 * 60, every=20), music, tmp_path, 1).run()
    entries = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert entries[-1]["macro"] == pytest.approx(sum(entries[-1]["fields"].values()), abs=0.01)
    assert entries[-1]["macro"] < 33, "better than guessing: 33.25 bits and the offset's 3"
    assert (tmp_path / "curve.png").stat().st_size > 1000
    model, description, _ = checkpoint.load(tmp_path / "best.pt")
    assert model.config.width == 32 and description.trained_rows > 0


def test_a_stopped_run_goes_on_with_the_same_numbers(tmp_path, music):
    whole = Trainer(SMALL, music, tmp_path / "whole", 1)
    (tmp_path / "whole").mkdir()
    (tmp_path / "parts").mkdir()
    whole.run()
    first = Trainer(SMALL, music, tmp_path / "parts", 1)
    for step in range(3):
        first.learn(first.draw_batch(step))
    first.save()
    second = Trainer(SMALL, music, tmp_path / "parts", 1)
    assert second.step == 3
    second.run()
    for name, value in whole.model.state_dict().items():
        torch.testing.assert_close(second.model.state_dict()[name], value, rtol=1e-4, atol=1e-5)


def test_a_checkpoint_of_another_model_is_refused(tmp_path, music):
    Trainer(SMALL, music, tmp_path, 1).save()
    with pytest.raises(SystemExit, match="another model"):
        Trainer(dataclasses.replace(SMALL, model={"width": 64, "layers": 2, "heads": 2}), music, tmp_path, 1)


def test_sources_that_are_not_there_are_named(tmp_path, music):
    with pytest.raises(SystemExit, match="jazz"):
        Trainer(dataclasses.replace(SMALL, sources={"jazz": 1.0}), music, tmp_path, 1)


def test_the_rate_warms_up_holds_and_decays(tmp_path, music):
    trainer = Trainer(SMALL, music, tmp_path, 1)
    rates = []
    for rows in np.linspace(0, SMALL.rows, 7):
        trainer.rows = int(rows)
        rates.append(trainer.rate())
        trainer.step += 1
    peak = SMALL.peak_rate
    assert rates[0] == pytest.approx(peak / 2) and rates[1] == pytest.approx(peak)
    assert rates[-1] == pytest.approx(0.02 * peak) and rates[-2] < rates[-3]


def test_a_run_begins_with_given_weights_and_counts_their_rows(tmp_path, music):
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
    Trainer(SMALL, music, tmp_path / "first", 1).run()
    given, described, _ = checkpoint.load(tmp_path / "first" / "best.pt")
    second = Trainer(SMALL, music, tmp_path / "second", 1, tmp_path / "first" / "best.pt")
    for name, value in given.state_dict().items():
        torch.testing.assert_close(second.model.state_dict()[name], value)
    second.save()
    Trainer(SMALL, music, tmp_path / "second", 1).run()  # resumed without naming the start again
    assert checkpoint.load(tmp_path / "second" / "best.pt")[1].trained_rows > described.trained_rows


def test_training_goes_on_from_a_shipped_graph(tmp_path, music):
    Trainer(SMALL, music, tmp_path, 1).run()
    trained, described, _ = checkpoint.load(tmp_path / "best.pt")
    export(trained, described, tmp_path / "shipped.onnx", "fp16")
    read, again, rest = checkpoint.load(tmp_path / "shipped.onnx")
    assert again == described and rest == {}
    for name, value in trained.state_dict().items():
        torch.testing.assert_close(read.state_dict()[name], value, rtol=1e-3, atol=1e-4)
    (tmp_path / "more").mkdir()
    more = Trainer(SMALL, music, tmp_path / "more", 1, start=tmp_path / "shipped.onnx")
    assert more.rows_before == described.trained_rows


def test_a_quantised_graph_keeps_all_but_the_embeddings_of_an_earlier_one(tmp_path):
    torch.manual_seed(3)
    config = Config(width=64, layers=1, heads=2, columns=v.COLUMNS[:41])
    old, described = Antiphon(config).eval(), checkpoint.Description()
    torch.nn.init.normal_(old.heads[0].inner.weight)
    for weights in ("fp16", "int8"):
        export(old, described, tmp_path / f"old-{weights}.onnx", weights)
    new, _, _ = checkpoint.load(tmp_path / "old-fp16.onnx")
    with torch.no_grad():
        new.embedding.weight[-1] = 1
    export(new, described, tmp_path / "new.onnx", "int8", keep=tmp_path / "old-int8.onnx")
    export(new, described, tmp_path / "again.onnx", "int8")
    before, after, again = (
        {tensor.name: numpy_helper.to_array(tensor) for tensor in onnx.load(tmp_path / f"{name}.onnx").graph.initializer if "constant" not in tensor.name}
        for name in ("old-int8", "new", "again")
    )
    assert before.keys() == after.keys()
    different = [name for name, array in before.items() if not np.array_equal(array, after[name])]
    assert different == ["embedding.weight"] and (after["embedding.weight"][-1] == 1).all()
    assert any(not np.array_equal(array, again[name]) for name, array in before.items() if name.endswith(".values")), "quantised again they move"
    with torch.no_grad():
        new.heads[0].inner.weight.mul_(1.001)
    export(new, described, tmp_path / "half.onnx", "fp16", reference=tmp_path / "reference.onnx", keep=tmp_path / "old-fp16.onnx")
    kept, read = (
        {tensor.name: numpy_helper.to_array(tensor) for tensor in onnx.load(tmp_path / name).graph.initializer} for name in ("old-fp16.onnx", "reference.onnx")
    )
    assert np.array_equal(kept["heads.0.inner.weight"], read["heads.0.inner.weight"]), "the reference graph reads what the step graph keeps"
    with torch.no_grad():
        new.heads[0].inner.weight[0, 0] += 3
    with pytest.raises(ValueError, match="heads.0.inner"):
        export(new, described, tmp_path / "other.onnx", "int8", keep=tmp_path / "old-int8.onnx")


@pytest.mark.parametrize("name", ["old.onnx", "old.pt"])
def test_weights_of_fewer_columns_play_as_before(tmp_path, name):
    torch.manual_seed(0)
    old = Antiphon(Config(width=32, layers=1, heads=2, columns=v.COLUMNS[:22])).eval()
    if name == "old.pt":
        checkpoint.save(tmp_path / name, old, checkpoint.Description())
    else:
        export(old, checkpoint.Description(), tmp_path / name, "fp32")
    new, _, _ = checkpoint.load(tmp_path / name)
    assert new.eval().config.columns == v.COLUMNS
    music = piece(bars=6)
    rows, key, query, bar = (torch.from_numpy(a)[None] for a in (music.rows, music.key, music.query, music.bar))
    mask = attention_mask(rows[..., 0], bar)
    recalling = rows.clone()
    recalling[..., 22:] = 1 + recalling[..., 22:]
    with torch.no_grad():
        before = old.forward_hidden(rows[..., :22], key, query, mask, bar)
        torch.testing.assert_close(new.forward_hidden(recalling, key, query, mask, bar), before)


def test_a_run_goes_on_in_columns_that_were_appended(tmp_path, music, monkeypatch):
    old = Trainer(SMALL, music, tmp_path, 1)
    old.config = Config(**{**old.config.to_dict(), "columns": v.COLUMNS[: OWN]})
    old.model, old.average = old.network(), old.network().eval().requires_grad_(False)
    old.optimisers = optimisers(old.model, SMALL.peak_rate, SMALL.weight_decay)
    old.augmentation = Augmentation(infill=0, clip=0, live=0, chords=0)
    old.losses = old.trained = Losses(old.model, SMALL.policy)
    old.packs = False

    def without(batch):
        return dataclasses.replace(batch, rows=np.ascontiguousarray(batch.rows[..., :OWN]))

    for step in range(3):
        old.learn(without(old.draw_batch(step)))
    old.save()
    new = Trainer(SMALL, music, tmp_path, 1)
    assert (new.step, new.rows, new.config.columns) == (3, old.rows, v.COLUMNS)
    table, before = new.model.embedding.weight, old.model.embedding.weight
    assert torch.equal(table[: len(before)], before) and not table[len(before) :].any() and len(table) > len(before)
    new.packs, new.losses = False, Losses(new.model, SMALL.policy)
    new.trained, new.augmentation = new.losses, old.augmentation
    batch = new.draw_batch(3)
    assert not batch.rows[..., OWN:].any()
    assert new.learn(batch) == pytest.approx(old.learn(without(batch)), abs=1e-6)
    for (name, a), b in zip(new.model.named_parameters(), old.model.parameters(), strict=True):
        torch.testing.assert_close(a[: len(b)], b, msg=name)
    assert not new.model.embedding.weight[len(before) :].any(), "no batch has used them"


def test_columns_alone_are_trained_and_begin_with_the_embeddings_of_others(tmp_path, music):
    for name in ("before", "columns"):
        (tmp_path / name).mkdir()
    Trainer(SMALL, music, tmp_path / "before", 1).run()
    given, _, _ = checkpoint.load(tmp_path / "before" / "best.pt")
    trained = {"ahead_pitch_1": {"rate": 0.5, "like": "recall_pitch_1"}, "chord_root": {}}
    recipe = dataclasses.replace(SMALL, length=256, columns=trained, augmentation={"infill": 1.0, "chords": 1.0}, peak_rate=1e-2)
    trainer = Trainer(recipe, music, tmp_path / "columns", 1, tmp_path / "before" / "best.pt")
    ahead, back, chord = (rows_of(given, name) for name in ("ahead_pitch_1", "recall_pitch_1", "chord_root"))
    assert torch.equal(trainer.model.embedding.weight[ahead], given.embedding.weight[back])
    trainer.learn(trainer.draw_batch(0))
    moved = (trainer.model.embedding.weight - given.embedding.weight).detach().abs().amax(1)
    from_start = (trainer.model.embedding.weight[ahead] - given.embedding.weight[back]).detach().abs().amax()
    rate = trainer.optimisers[0].param_groups[0]["lr"]
    assert moved[chord].amax() == pytest.approx(rate, rel=1e-3), "Adam's first step has the length of the rate"
    assert from_start == pytest.approx(rate / 2, rel=1e-3), "a column of half the rate goes half as far"
    rest = torch.ones(len(moved), dtype=bool)
    rest[ahead] = rest[chord] = False
    assert not moved[rest].any(), "no other embedding moves"
    for (name, a), b in zip(trainer.model.named_parameters(), given.parameters(), strict=True):
        assert name == "embedding.weight" or torch.equal(a, b), name
    scored = [w.rows[:, AHEAD].any() for w in trainer.windows.validation(0, 4, 7, trainer.augmentation)]
    assert any(scored), "validation meets the columns"
    for wrong in ({"colour": {}}, {"chord_root": {"like": "recall_pitch_1"}}):
        with pytest.raises(SystemExit, match="column"):
            Trainer(dataclasses.replace(recipe, columns=wrong), music, tmp_path / "other", 1)


def test_weights_of_other_columns_are_refused(tmp_path):
    other = Antiphon(Config(width=32, layers=1, heads=2, columns=[["colour", 9], *v.COLUMNS[1:]]))
    checkpoint.save(tmp_path / "other.pt", other, checkpoint.Description())
    with pytest.raises(ValueError, match="mean other things"):
        checkpoint.load(tmp_path / "other.pt")


def test_weights_stored_in_int8_are_no_start(tmp_path, music):
    Trainer(SMALL, music, tmp_path, 1).run()
    trained, described, _ = checkpoint.load(tmp_path / "best.pt")
    export(trained, described, tmp_path / "shipped.onnx", "int8")
    with pytest.raises(ValueError, match="fp16 or fp32"):
        checkpoint.load(tmp_path / "shipped.onnx")


def test_the_end_of_a_run_can_be_dense_and_policies_are_checked(tmp_path, music):
    trainer = Trainer(dataclasses.replace(SMALL, policy="topk:2", dense_share=0.5), music, tmp_path, 1)
    used = []
    learn = trainer.learn
    trainer.learn = lambda batch: (learn(batch), used.append(trainer.losses.policy))[0]
    trainer.run()
    half = used.index("dense")
    assert used[:half] == ["topk:2"] * half and set(used[half:]) == {"dense"}
    assert abs(half - len(used) / 2) <= 1
    with pytest.raises(ValueError, match="window"):
        Trainer(dataclasses.replace(SMALL, policy="windows:4"), music, tmp_path, 1)


def test_a_release_decays_from_a_copy_of_its_trunk(tmp_path, music):
    (tmp_path / "trunk").mkdir()
    (tmp_path / "release").mkdir()
    trunk_recipe = dataclasses.replace(SMALL, stage="trunk", decay=0.0)
    trunk = Trainer(trunk_recipe, music, tmp_path / "trunk", 1)
    for step in range(4):
        trunk.learn(trunk.draw_batch(step))
    trunk.save()
    before = (tmp_path / "trunk" / "checkpoint.pt").read_bytes()
    recipe = dataclasses.replace(SMALL, stage="release", trunk="trunk", rows=int(trunk.rows / 0.5), decay=0.5)
    branch(recipe, tmp_path)
    release = Trainer(recipe, music, tmp_path / "release", 1)
    assert release.step == 4 and release.rows == trunk.rows and release.rate() == pytest.approx(SMALL.peak_rate)
    for one, other in zip(release.optimisers, trunk.optimisers, strict=True):
        for a, b in zip(one.state_dict()["state"].values(), other.state_dict()["state"].values(), strict=True):
            assert all(torch.equal(torch.as_tensor(a[name]), torch.as_tensor(b[name])) for name in b)
    release.run()
    assert release.rate() == pytest.approx(0.02 * SMALL.peak_rate)
    assert (tmp_path / "trunk" / "checkpoint.pt").read_bytes() == before, "the trunk can go on"
    with pytest.raises(SystemExit, match="train stage stem first"):
        branch(dataclasses.replace(recipe, stage="other", trunk="stem"), tmp_path)
