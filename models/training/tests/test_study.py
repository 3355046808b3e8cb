"""The study: its networks and rows, that all variants are judged alike, and its arithmetic."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from test_data import corpus

import study as command
from antiphon_training import rows as r
from antiphon_training import vocabulary as v
from antiphon_training.data import Augmentation, Batch, Windows
from antiphon_training.evaluation.bits import FIELDS
from antiphon_training.model import Antiphon, Config
from antiphon_training.study import networks, plain, report
from antiphon_training.study.run import StudyTrainer, run
from antiphon_training.study.variants import Study, Variant
from antiphon_training.train import Losses, Recipe

CONFIG = Config(width=32, layers=2, heads=2)
SMALL = Recipe(
    stage="first", length=96, batch=2, rows=96 * 2 * 4, warmup=2, every=3, validation_windows=1, compile=False,
    model={"width": 32, "layers": 1, "heads": 2}, sources={"ours": 1.0},
)  # fmt: skip


def batch_of(seed: int, size: int, length: int) -> Batch:
    """Windows for training, with all that happens to them."""
    windows = Windows(corpus(seed, bars=40), length, {})
    return windows.pad(windows.draw(size * length, np.ones(1), np.random.default_rng(seed), Augmentation()))


def whole() -> Batch:
    """A piece of 24 bars that nothing has happened to."""
    windows = Windows(corpus(), 192, {})
    return windows.pad([windows.window(0, None, None)])


def tensors(batch: Batch) -> tuple[torch.Tensor, ...]:
    return tuple(torch.from_numpy(array) for array in (batch.rows, batch.key, batch.query, batch.targets, batch.scored))


def network(name: str, config=CONFIG) -> Antiphon:
    """With weights large enough that what is seen makes a difference."""
    torch.manual_seed(1)
    model = networks.build(name, config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() == 2:
                parameter.add_(0.1 * torch.randn_like(parameter))
    return model


@torch.no_grad()
def outputs(model: Antiphon, batch: Batch, policy="fine_coarse") -> tuple[torch.Tensor, torch.Tensor]:
    """Hidden states and losses of every row."""
    rows, key, query, targets, _ = tensors(batch)
    hidden = Losses(model, policy).hidden(rows, key, query)
    return hidden, model.losses(hidden, rows, targets)


@pytest.mark.parametrize("name", networks.NETWORKS)
@pytest.mark.parametrize("row", [40, 71, 102])
def test_no_network_knows_what_comes_later(name, row):
    batch = whole()
    batch = plain.rows(batch) if name == "plain" else batch
    other = dataclasses.replace(batch, rows=batch.rows.copy(), targets=batch.targets.copy())
    later = other.rows[0, row:]
    is_note = later[:, r.KIND] == v.NOTE
    later[is_note, r.PITCH] = 1 + (later[is_note, r.PITCH] + 30) % 128
    later[is_note, r.VELOCITY] = 1 + (later[is_note, r.VELOCITY] + 9) % 32
    other.targets[0, row:] = np.where(other.targets[0, row:] > 0, 0, other.targets[0, row:])
    model = network(name)
    for before, after in zip(outputs(model, batch), outputs(model, other)):
        torch.testing.assert_close(after[:, :row], before[:, :row], atol=1e-5, rtol=1e-4)
        assert (after[:, row:] - before[:, row:]).abs().max() > 0.01


@pytest.mark.parametrize("name", networks.NETWORKS)
def test_what_networks_share_begins_with_the_same_weights(name):
    torch.manual_seed(5)
    shipped = Antiphon(CONFIG).state_dict()
    torch.manual_seed(5)
    built = networks.build(name, CONFIG)
    same = [key for key, value in built.state_dict().items() if key in shipped and torch.equal(value, shipped[key])]
    assert len(same) >= len(shipped) - 1, "the last of the chain has no choice, and plain rows have another last one"
    assert name == "shipped" or built.state_dict().keys() != shipped.keys()


@pytest.mark.parametrize(("name", "uses"), [("shipped", False), ("faithful", True)])
def test_a_faithful_summary_tells_of_its_bar_in_the_same_layer(name, uses):
    """Two notes change their velocities with each other: the mean of the bar's embeddings, all that one layer of the simple summary has, stays."""
    batch = whole()
    own = np.flatnonzero((batch.key[0, :, 0] == 3) & (batch.rows[0, :, r.KIND] == v.NOTE))
    other = dataclasses.replace(batch, rows=batch.rows.copy())
    assert len(set(batch.rows[0, own, r.VELOCITY])) > 1
    other.rows[0, own, r.VELOCITY] = np.roll(other.rows[0, own, r.VELOCITY], 1)
    model = network(name, Config(width=32, layers=1, heads=2))
    before, after = outputs(model, batch, "summaries")[0], outputs(model, other, "summaries")[0]
    differs = (after - before).abs().amax(-1)[0].numpy()
    bar, kind = batch.key[0, :, 0], batch.rows[0, :, r.KIND]
    content = np.isin(kind, (v.BAR, v.NOTE))
    later = differs[(bar > 3) & content]
    assert (later > 1e-4).all() if uses else (later < 1e-5).all()
    assert differs[(bar == 3) & (kind == v.SUM)] > 1e-3
    assert (differs[(bar > 3) & (kind == v.SUM)] < 1e-5).all(), "a SUM sees no other bar"


def test_a_faithful_summary_is_the_same_beside_a_sequence_of_more_bars():
    windows = Windows(corpus(), 200, {})
    sequences = [windows.window(0, None, None), windows.window(20, None, None)]
    assert (sequences[0].rows[:, r.KIND] == v.SUM).sum() > (sequences[1].rows[:, r.KIND] == v.SUM).sum() + 3
    together = outputs(network("faithful"), windows.pad(sequences))[0]
    for i, sequence in enumerate(sequences):
        count = min(len(sequence), 200)
        alone = outputs(network("faithful"), windows.pad([sequence]))[0]
        torch.testing.assert_close(together[i, :count], alone[0, :count], atol=1e-5, rtol=1e-4)


def test_a_plain_row_predicts_the_whole_of_the_next_note_from_what_came_before():
    music = corpus()
    aligned = whole()
    batch = plain.rows(aligned)
    rows, targets = batch.rows[0], batch.targets[0]
    notes = music.notes[: music.bar_notes[24]].astype(int)
    asks = targets[:, r.F_PITCH] >= 0
    assert np.array_equal(targets[asks][:, [r.F_BEAT, r.F_SUB, r.F_ROLE]], notes[:, :3])
    assert np.array_equal(targets[asks][:, : r.F_TYPE], notes[:, 3:7])
    knows = asks & (rows[:, r.KIND] == v.NOTE)
    ends = np.isin(targets[:, r.F_TYPE], (r.NEXT_ENDBAR, r.NEXT_EOS))
    follows = np.flatnonzero(knows) + 1
    assert np.array_equal(rows[follows, r.PITCH] - 1, targets[knows, r.F_PITCH]), "the next row is the note that was requested"
    assert ends.sum() == 24 and (targets[ends][:, r.F_PITCH] == -1).all()
    assert (rows[:, r.KIND] == v.BAR).sum() == 24, "one BAR row a bar"
    assert not rows[:, plain.TARGET].any() and np.array_equal(batch.query, batch.key)


def test_plain_rows_have_the_targets_and_losses_of_aligned_ones():
    silenced = 0
    for seed in range(6):
        aligned = batch_of(seed, 4, 2000)
        batch = plain.rows(aligned)
        known, loss = aligned.targets >= 0, (aligned.targets >= 0) & aligned.scored
        assert np.array_equal((batch.targets >= 0).sum(1), known.sum(1))
        assert np.array_equal(((batch.targets >= 0) & batch.scored).sum(1), loss.sum(1)), "in every field, also where a task silences some"
        silenced += known.sum() - loss.sum()
    assert silenced > 0


def test_copying_needs_a_note_at_the_same_place_and_probabilities_sum_to_one():
    model = network("copying")
    rows, key, query, targets, _ = tensors(whole())
    hidden = Losses(model, "fine_coarse").hidden(rows, key, query)
    with torch.no_grad():
        share = model.copy(hidden, rows, targets[..., 0])[0][0]
        total = sum(model.copy(hidden, rows, torch.full_like(targets[..., 0], pitch))[1][0] for pitch in range(256))
    can = share > 0
    assert 3 < can.sum() < (rows[0, :, r.TARGET_BEAT] > 0).sum()
    torch.testing.assert_close(total[can], torch.ones(int(can.sum())), atol=1e-4, rtol=0)
    assert not total[~can].any()
    base = Antiphon.field_losses(model, hidden, rows, targets)[0]
    index, loss = model.field_losses(hidden, rows, targets)[0]
    torch.testing.assert_close(loss[~can[index]], base[1][~can[index]])
    assert (loss[can[index]] - base[1][can[index]]).abs().min() > 0


def test_what_a_bar_repeats_is_copied_for_nothing_where_all_is_copied():
    notes = np.array([[beat, 0, 0, 40 + 7 * beat, 20, 20, 0] for beat in range(4)] * 3)
    music = r.align(notes, np.full(3, 4), np.ones((3, 9), np.int64), np.full(3, 96), 0, True)
    batch = Batch(*(getattr(music, field.name)[None] for field in dataclasses.fields(Batch)))
    model = network("copying")
    with torch.no_grad():
        model.share.bias.fill_(30.0)
    pitch = outputs(model, batch)[1][0, :, r.F_PITCH]
    asks = torch.from_numpy(music.targets[:, r.F_PITCH] >= 0)
    later = torch.from_numpy(music.key[:, 0] > 0)
    assert pitch[asks & later].abs().max() < 1e-4 < 1 < pitch[asks & ~later].min()


def test_the_row_before_and_the_index_are_inputs():
    model = network("inputs")
    rows, key, *_ = tensors(whole())
    is_sum = (rows[..., 0] == v.SUM).long()
    order = is_sum.cumsum(1) - is_sum
    more = (model.embed(rows, order) - Antiphon.embed(model, rows, order))[0]
    fullest = int(key[0, :, 0][rows[0, :, r.KIND] == v.NOTE].mode().values)
    bar = torch.nonzero((key[0, :, 0] == fullest) & (rows[0, :, r.KIND] != v.SUM) & (rows[0, :, r.KIND] > 0)).squeeze(1)
    assert len(bar) > 6
    for index, row in enumerate(bar):
        before = rows[:1, row - 1].clone()
        before[0, [i for i in range(len(v.COLUMNS)) if not r.BEAT <= i <= r.OCTAVE]] = 0
        expected = model.index.weight[index]
        if index > 2:  # after BAR, BAR and the first note
            expected = expected + model.previous(model.embedding(torch.where(before > 0, before + model.column_offsets, 0)))[0]
        torch.testing.assert_close(more[row], expected, atol=1e-5, rtol=1e-4)
    assert not more[rows[0, :, 0] == v.SUM].any()


def variants() -> Study:
    shipped = Variant(SMALL, "shipped")
    bare = Variant(dataclasses.replace(SMALL, stage="plain"), "plain rows", "rows", "plain", ("pitch_class", "octave", "recall"))
    return Study([shipped, bare, Variant(dataclasses.replace(SMALL, stage="dense", policy="dense"), "dense", "attention")], pieces=5)


def test_a_study_is_run_once_and_judges_all_on_the_same_notes(tmp_path, monkeypatch):
    study, music = variants(), corpus(pieces=4, bars=40)
    pages = []
    run(study, music, tmp_path / "work", 1, lambda: (command.write(study, tmp_path / "work", tmp_path), pages.append((tmp_path / "STUDY.md").read_text())))
    assert len(pages) == 3
    assert "Not run: plain rows; dense." in pages[0] and "Not run" not in pages[2]
    said = json.loads((tmp_path / "evaluation" / "study.json").read_text())
    assert said["plain"]["rows"] == said["first"]["rows"] >= SMALL.rows and said["plain"]["steps"] == said["dense"]["steps"]
    assert said["first"]["all"]["more"] == 0 and said["plain"]["all"]["more"] != 0 != said["dense"]["all"]["more"]
    first, second = (report.Scores.read(tmp_path / "work" / name / "scores.json") for name in ("first", "plain"))
    assert first.notes.sum() > 10 and np.array_equal(first.notes, second.notes)
    assert (tmp_path / "evaluation" / "study.png").stat().st_size > 5000

    monkeypatch.setattr(StudyTrainer, "learn", lambda *_: pytest.fail("it was trained again"))
    run(study, music, tmp_path / "work", 1)
    other = Study([Variant(dataclasses.replace(SMALL, rows=99), "shipped")], pieces=5)
    with pytest.raises(SystemExit, match="another recipe"):
        run(other, music, tmp_path / "work", 1)


def test_the_rows_of_a_variant_lack_what_it_is_without(tmp_path):
    trainer = StudyTrainer(variants().variants[1], corpus(), tmp_path, 1)
    batch = trainer.draw_batch(0)
    rows = trainer.tensors(batch)[0].numpy()
    unseen = [i for i, (name, _) in enumerate(v.COLUMNS) if name in ("pitch_class", "octave") or name.startswith(("recall", "target"))]
    assert len(unseen) == 2 + 14 + 3 and batch.rows[..., unseen].any() and not rows[..., unseen].any()
    assert (rows[..., r.PITCH] > 0).sum() == (batch.rows[..., r.PITCH] > 0).sum()
    assert type(trainer.model) is type(trainer.average) is networks.Plain


def scores(cost: dict[str, list[float]], notes=(8, 24, 10)) -> report.Scores:
    """Bits per note of every field of the pieces of each source."""
    sources = [source for source, pieces in cost.items() for _ in pieces]
    each = np.array([bits for pieces in cost.values() for bits in pieces])
    of_pieces = np.tile(np.array(notes, float), (len(each), 1))
    return report.Scores({"rows": 1}, sources, of_pieces, each[:, None, None] * of_pieces[..., None] * np.ones(len(FIELDS)))


def test_sources_weigh_alike_and_differences_have_intervals():
    shipped = scores({"many": [0.1] * 10, "one": [0.5]})
    worse = scores({"many": [0.1 + 0.01 * (i % 2) for i in range(10)], "one": [0.7]})
    said = report.numbers(worse, shipped)
    assert said["all"]["bits"] == pytest.approx(8 * (0.105 + 0.7) / 2)
    assert said["all"]["more"] == pytest.approx(8 * (0.005 + 0.2) / 2)
    low, high = said["all"]["interval"]
    assert 0.8 <= low < said["all"]["more"] < high <= 0.84
    assert said["pitch"]["bits"] == pytest.approx(said["all"]["bits"] / 8)
    assert report.numbers(shipped, shipped)["bars 33+"] == {"bits": pytest.approx(2.4), "more": 0, "interval": [0, 0]}
    assert said["sources"] == {"many": pytest.approx(0.84), "one": pytest.approx(5.6)}


def test_a_second_seed_is_compared_with_the_shipped_design_of_that_seed(tmp_path):
    cost = {"first": 0.1, "first_2": 0.3, "dense_2": 0.4}
    for name, each in cost.items():
        of = scores({"ours": [each, each]})
        pieces = [{"path": str(i), "source": "ours", "notes": of.notes[i].tolist(), "bits": of.bits[i].tolist()} for i in range(2)]
        (tmp_path / name).mkdir()
        (tmp_path / name / "scores.json").write_text(json.dumps({"rows": 1, "pieces": pieces}))
    named = [Variant(dataclasses.replace(SMALL, stage=name), name, "attention", against=against) for name, against in zip(cost, ("", "", "first_2"))]
    said = report.collect(Study(named, pieces=2), tmp_path)
    assert [said[name]["all"]["more"] for name in cost] == [0, pytest.approx(1.6), pytest.approx(0.8)]


def test_a_stretch_without_notes_has_no_number_and_other_notes_are_refused():
    short = scores({"ours": [0.1, 0.2]}, notes=(8, 0, 0))
    assert "bars 33+" not in report.numbers(short, short)
    with pytest.raises(ValueError, match="same notes"):
        report.numbers(short, scores({"ours": [0.1, 0.2]}))


def test_the_committed_study_asks_what_it_should():
    study = Study.load(Path(__file__).parents[1] / "recipes" / "study.toml")
    said = {variant.name: variant for variant in study.variants}
    assert [said[name].recipe.policy for name in ("fine_coarse", "window", "summaries", "dense", "topk")] == ["fine_coarse", "window:8", "summaries", "dense", "topk:8"]
    assert {variant.network for variant in study.variants} == set(networks.NETWORKS)
    free = {"stage", "policy"}
    settings = {name: {key: value for key, value in dataclasses.asdict(variant.recipe).items() if key not in free} for name, variant in said.items()}
    alone = [name for name, variant in said.items() if settings[name] != settings[variant.against or "fine_coarse"]]
    assert alone == ["another_seed", "fine_coarse_long"], "equal rows, rates, windows and seeds for all that are compared, but for what shows what those do"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("says =", "speaks ="), "no speaks"),
        (('network = "plain"', 'network = "other"'), "the network other"),
        (('table = "rows"', 'table = "lines"'), "is in no table"),
        (('"octave"', '"colour"'), "without colour"),
        (('stage = "plain"', 'stage = "first"'), "a name of its own"),
        (('without = ', 'against = "none"\nwithout = '), "compared with none"),
    ],
)  # fmt: skip
def test_a_study_that_makes_no_sense_is_refused(tmp_path, change, says):
    text = """pieces = 3
[[variants]]
stage = "first"
says = "shipped"
[[variants]]
stage = "plain"
table = "rows"
says = "plain rows"
network = "plain"
without = ["octave"]
"""
    file = tmp_path / "study.toml"
    file.write_text(text)
    assert Study.load(file).variants[1].without == ("octave",)
    assert change[0] in text
    file.write_text(text.replace(*change))
    with pytest.raises(SystemExit, match=says):
        Study.load(file)
