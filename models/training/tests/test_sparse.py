"""Packed rows and the sparse operator against padded rows and the dense mask: who attends to whom, losses, gradients, whole steps."""

import dataclasses

import numpy as np
import pytest
import torch
from pieces import piece
from test_data import corpus
from test_train import SMALL

from antiphon_training import packed, sparse
from antiphon_training.data import Augmentation, Windows
from antiphon_training.export import random_model
from antiphon_training.model import Config, attention_mask, parse_policy
from antiphon_training.plan import plan
from antiphon_training.train import Losses, Trainer
from antiphon_training.vocabulary import SUM

POLICIES = ["fine_coarse", "summaries", "window:3", "strided:5", "fixed:5,2", "dense"]
needs_operator = pytest.mark.skipif(not sparse.available(), reason="no C++ compiler")


def windows_of(seed: int, length: int = 400) -> list:
    """Training windows of all tasks, some of them cut in the middle of a bar."""
    windows = Windows(corpus(seed, bars=60), length, {})
    return windows.draw(5 * length, np.ones(1), np.random.default_rng(seed), Augmentation(infill=0.4, live=0.3))


def mask_of(who, rows: int) -> np.ndarray:
    """bool [rows, rows]: what a plan says."""
    mask = np.zeros((rows, rows), bool)
    first, last, start, keys = (a.numpy() for a in who)
    for block in range(len(first)):
        seen = keys[start[block] : start[block + 1]]
        assert len(set(seen)) == len(seen) and not set(seen) & set(range(first[block], last[block])), "a key twice would be added twice"
        for row in range(first[block], last[block]):
            assert not mask[row].any(), "a row belongs to one block"
            mask[row, seen] = True
            mask[row, first[block] : row + 1] = True
    return mask


@pytest.mark.parametrize("policy", POLICIES)
def test_the_plan_is_the_attention_mask(policy):
    for music in [piece(bars=36, most_notes=2), *windows_of(3)]:
        kind = music.rows[:, 0]
        who = plan([(kind, music.key[:, 0])], parse_policy(policy), Config.fine_bars)
        mask = attention_mask(torch.from_numpy(kind)[None], torch.from_numpy(music.key[:, 0])[None], policy)
        np.testing.assert_array_equal(mask_of(who, len(kind)), mask[0, 0].numpy())


def test_sequences_end_to_end_do_not_see_each_other():
    sequences = windows_of(4)
    who = plan([(s.rows[:, 0], s.key[:, 0]) for s in sequences], ("fine_coarse", ()), Config.fine_bars)
    mask = mask_of(who, sum(map(len, sequences)))
    offset = 0
    for s in sequences:
        alone = plan([(s.rows[:, 0], s.key[:, 0])], ("fine_coarse", ()), Config.fine_bars)
        assert mask[offset : offset + len(s)].sum() == mask_of(alone, len(s)).sum()
        np.testing.assert_array_equal(mask[offset : offset + len(s), offset : offset + len(s)], mask_of(alone, len(s)))
        offset += len(s)


def test_policies_whose_layers_choose_have_no_plan():
    with pytest.raises(ValueError, match="topk"):
        plan([(np.array([2, 3, 5, 2]), np.array([0, 0, 0, 1]))], ("topk", (8,)), (1,))


@needs_operator
@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("width, heads", [(64, 4), (128, 4), (128, 2)])
def test_losses_and_gradients_are_those_of_the_dense_mask(policy, width, heads):
    model = random_model(Config(width=width, layers=2, heads=heads), seed=5).train()
    windows = Windows(corpus(6, bars=60), 400, {})
    sequences = windows.draw(1600, np.ones(1), np.random.default_rng(7), Augmentation(infill=0.4, live=0.3))
    batch = windows.pad(sequences)
    dense, notes = Losses(model, policy)(*(torch.from_numpy(getattr(batch, f.name)) for f in dataclasses.fields(batch)))
    dense.sum().backward()
    wanted = [parameter.grad.clone() for parameter in model.parameters()]
    model.zero_grad()
    fast, counted = packed.PackedLosses(model)(packed.pack(sequences, policy, model.config.fine_bars))
    fast.sum().backward()
    assert counted == notes
    torch.testing.assert_close(fast, dense, rtol=1e-5, atol=1e-3)
    for (name, parameter), want in zip(model.named_parameters(), wanted, strict=True):
        assert (parameter.grad - want).norm() <= 1e-5 * want.norm() + 1e-5, name


@needs_operator
def test_bfloat16_rows_are_near_the_float_ones():
    sequences = windows_of(8)
    batch = packed.pack(sequences, "fine_coarse", Config.fine_bars)
    generator = torch.Generator().manual_seed(0)
    qkv = torch.randn(batch.count, 3 * 64, generator=generator).bfloat16()
    angle = torch.randn(batch.count, 16, generator=generator)
    turn = angle.cos(), angle.sin()
    exact = sparse.attend(qkv.float(), turn, turn, batch.plan, 2)
    assert (sparse.attend(qkv, turn, turn, batch.plan, 2).float() - exact).abs().max() < 0.01 * exact.abs().max()


@needs_operator
def test_a_run_takes_the_packed_path_and_learns_what_the_dense_one_learns(tmp_path, monkeypatch):
    recipe = dataclasses.replace(SMALL, model={"width": 32, "layers": 2, "heads": 2})
    fast = Trainer(recipe, corpus(), tmp_path, 1)
    monkeypatch.setattr(Trainer, "can_pack", lambda self: False)
    dense = Trainer(recipe, corpus(), tmp_path, 1)
    monkeypatch.setattr(Trainer, "autocast", lambda self: torch.autocast("cpu", enabled=False))
    assert fast.packs and not dense.packs
    for step in range(4):
        assert fast.learn(fast.draw_batch(step)) == pytest.approx(dense.learn(dense.draw_batch(step)), rel=1e-4)
    assert fast.rows == dense.rows
    assert fast.validate()["macro"] == pytest.approx(dense.validate()["macro"], rel=1e-4)


def test_the_run_is_dense_without_a_compiler_and_for_chosen_bars(tmp_path, monkeypatch):
    assert not Trainer(dataclasses.replace(SMALL, policy="topk:2"), corpus(), tmp_path, 1).packs
    assert not Trainer(dataclasses.replace(SMALL, dense_share=0.5), corpus(), tmp_path, 1).packs
    monkeypatch.setattr(sparse, "available", lambda: False)
    trainer = Trainer(SMALL, corpus(), tmp_path, 1)
    assert not trainer.packs and trainer.learn(trainer.draw_batch(0)) > 0


def test_a_packed_batch_numbers_the_bars_of_each_sequence_apart():
    batch = packed.pack(windows_of(9), "fine_coarse", Config.fine_bars)
    seen = set()
    for first, last in batch.spans:
        order = batch.order[0, first:last]
        assert not seen & set(order.tolist())
        seen |= set(order.tolist())
        sums = batch.rows[0, first:last, 0] == SUM
        assert (order[1:] - order[:-1] == sums[:-1]).all()
