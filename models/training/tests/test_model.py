"""The PyTorch model against the words of the contract."""

import json

import numpy as np
import pytest
import torch
from pieces import piece

from antiphon_training import checkpoint
from antiphon_training import vocabulary as v
from antiphon_training.checkpoint import Description
from antiphon_training.export import export, main, random_model
from antiphon_training.model import POLICIES, Antiphon, Config, attention_mask, parse_policy
from antiphon_training.quantise import quantise


# By policy: whether bar b sees bar j note by note, and whether it sees the summary of the others (docs/model-interface.md, "Attention mask and page policies").
RULES = {
    "fine_coarse": (lambda b, j: b - j in (1, 2, 4, 8, 12, 16, 24, 32), True),
    "summaries": (lambda b, j: False, True),
    "window:3": (lambda b, j: b - j in (1, 2, 3), False),
    "strided:5": (lambda b, j: b - j <= 5 or (b - j) % 5 == 0, False),
    "fixed:5,2": (lambda b, j: b // 5 == j // 5 or j % 5 in (3, 4), False),
    "dense": (lambda b, j: True, False),
    "topk:4": (lambda b, j: False, False),
}


def sees(kind: np.ndarray, bar: np.ndarray, i: int, j: int, policy: str) -> bool:
    """The attention rule of docs/model-interface.md, section 2, in its own order."""
    fine, summaries = RULES[policy]
    if i == j:
        return True
    if j > i or 0 in (kind[i], kind[j]):
        return False
    if kind[j] == v.PRE:
        return True
    if kind[i] == v.PRE:
        return False
    if kind[i] == v.SUM:
        return kind[j] != v.SUM and bar[j] == bar[i]
    if kind[j] == v.SUM:
        return summaries and bar[j] < bar[i] and not fine(bar[i], bar[j])
    return bar[i] == bar[j] or fine(bar[i], bar[j])


@pytest.mark.parametrize("policy", RULES)
def test_attention_mask_is_the_rule(policy):
    music = piece(bars=36, most_notes=2)
    kind, bar = np.append(music.kind, [0, 0]), np.append(music.bar, [35, 35])
    mask = attention_mask(torch.from_numpy(kind)[None], torch.from_numpy(bar)[None], policy)
    assert mask.shape == (1, 1, len(kind), len(kind))
    rule = np.array([[sees(kind, bar, i, j, policy) for j in range(len(kind))] for i in range(len(kind))])
    np.testing.assert_array_equal(mask[0, 0].numpy(), rule)


def test_unknown_policies_and_shapes_are_refused():
    for policy in ("sideways", "window:", "window:0", "window:257", "window:1,2", "fixed:4", "fixed:4,5", "dense:2", "strided:-1", "lsh", "Dense"):
        with pytest.raises(ValueError, match="window"):
            attention_mask(torch.ones(1, 2), torch.ones(1, 2), policy)
    with pytest.raises(ValueError, match="heads"):
        Config(width=30, heads=4)
    with pytest.raises(ValueError, match="rotary"):
        Config(width=32, heads=2, rotary={"bar": [1.0], "tick": [1.0], "index": [1.0]})


def test_policies_have_names_and_defaults():
    assert parse_policy("window") == parse_policy("window:8") == ("window", (8,))
    assert parse_policy("fixed:4,2") == ("fixed", (4, 2))
    assert {policy: parse_policy(policy)[1] for policy in POLICIES} == POLICIES


def test_config_goes_to_json_and_back():
    config = Config(width=32, heads=2, fine_bars=(1, 3))
    assert Config(**json.loads(json.dumps(config.to_dict()))) == config
    assert {group: len(f) for group, f in Config().rotary.items()} == {"bar": 6, "tick": 6, "index": 4}


def test_embedding_is_the_sum_of_columns_and_the_mean_of_a_bar(model, music):
    rows, bar = torch.from_numpy(music.rows)[None], torch.from_numpy(music.bar)[None]
    both = torch.cat((rows, rows.flip(1))), torch.cat((bar, bar.flip(1)))  # a second sequence: bars must not mix
    x = model.embed(*both)[0].detach().numpy()
    table, offsets = model.embedding.weight.detach().numpy(), model.column_offsets.numpy()
    plain = np.stack([sum(table[offset + value] for offset, value in zip(offsets, row, strict=True) if value) for row in music.rows])
    content = (music.kind >= v.BAR) & (music.kind <= v.GIVEN)
    for t in np.flatnonzero(music.kind == v.SUM):
        plain[t] += plain[content & (music.bar == music.bar[t])].mean(0)
    np.testing.assert_allclose(x, plain, atol=1e-5)


def test_losses_and_their_sums_agree(model, music, hidden_of):
    hidden, _ = hidden_of(music)
    rows, targets = torch.from_numpy(music.rows)[None], torch.from_numpy(music.targets)[None]
    with torch.no_grad():
        nll = model.losses(hidden, rows, targets)
        weights = torch.arange(8.0)
        total, count = model.loss_sums(hidden, rows, targets, weights)
    assert (nll[targets < 0] == 0).all()
    assert (nll[targets >= 0] > 0).all()
    torch.testing.assert_close(total, nll.sum((0, 1)) * weights)
    assert count.tolist() == (targets >= 0).sum((0, 1)).tolist()


def test_unscored_targets_still_tell_the_fields_after_them(model, music, hidden_of):
    hidden, _ = hidden_of(music)
    rows, targets = torch.from_numpy(music.rows)[None], torch.from_numpy(music.targets)[None]
    velocity = v.FIELD["velocity"]
    scored = torch.ones(targets.shape, dtype=torch.bool)
    scored[..., velocity] = False
    absent = targets.clone()
    absent[..., velocity] = -1
    with torch.no_grad():
        full, unscored, unknown = (
            model.loss_sums(hidden, rows, t, scored=s) for t, s in ((targets, None), (targets, scored), (absent, None))
        )
    rest = [i for i in range(8) if i != velocity]
    assert unscored[1][velocity] == unknown[1][velocity] == 0
    torch.testing.assert_close(unscored[0][rest], full[0][rest])
    assert (unknown[0][rest] != full[0][rest]).any()


def test_absent_stays_zero_while_training(music):
    model = Antiphon(Config(width=32, layers=1, heads=2))
    optimiser = torch.optim.AdamW(model.parameters(), 0.1, weight_decay=0.1)
    rows, key, query, bar, targets = (torch.from_numpy(a)[None] for a in (music.rows, music.key, music.query, music.bar, music.targets))
    before = model.embedding.weight.clone()
    for _ in range(3):
        hidden = model.forward_hidden(rows, key, query, attention_mask(rows[..., 0], bar), bar)
        model.loss_sums(hidden, rows, targets)[0].sum().backward()
        optimiser.step()
        optimiser.zero_grad()
    assert (model.embedding.weight[model.column_offsets] == 0).all()
    assert (model.embedding.weight != before).any()


def test_later_rows_do_not_change_earlier_ones(music, model, hidden_of):
    hidden, _ = hidden_of(music)
    cut = 100
    changed = piece()
    changed.rows[cut:, v.COLUMN["pitch"]] = 5
    np.testing.assert_allclose(hidden_of(changed)[0][0, :cut], hidden[0, :cut], atol=1e-6)
    assert (hidden_of(changed)[0][0, cut:] - hidden[0, cut:]).abs().max() > 0.01


def test_quantised_weights_are_within_half_a_step():
    weight = np.random.default_rng(0).normal(size=(5, 96)).astype(np.float32)
    weight[2, :32] = 0
    values, scale = quantise(weight)
    restored = ((values.astype(np.float32) - 128) * scale[..., None]).reshape(weight.shape)
    assert (np.abs(restored - weight) <= np.repeat(scale, 32, axis=1) * 0.5001).all()
    assert (restored[2, :32] == 0).all()
    with pytest.raises(ValueError, match="blocks"):
        quantise(weight[:, :33])


def test_a_checkpoint_is_exported_by_the_command(tmp_path):
    model = random_model(Config(width=32, layers=1, heads=2), seed=3)
    description = Description(name="small", styles={"a": 1}, trained_rows=9)
    checkpoint.save(tmp_path / "small.pt", model, description, step=4)
    loaded, described, state = checkpoint.load(tmp_path / "small.pt")
    assert described == description
    assert state == {"step": 4}
    assert all(torch.equal(a, b) for a, b in zip(model.state_dict().values(), loaded.state_dict().values(), strict=True))
    main([str(tmp_path / "small.pt"), "-o", str(tmp_path / "by_command.onnx"), "--weights", "fp16"])
    export(model, description, tmp_path / "direct.onnx", "fp16")
    assert (tmp_path / "by_command.onnx").read_bytes() == (tmp_path / "direct.onnx").read_bytes()


def test_a_reference_graph_elsewhere_is_refused(tmp_path, model):
    with pytest.raises(ValueError, match="beside"):
        export(model, Description(), tmp_path / "a.onnx", "fp32", tmp_path / "folder" / "b.onnx")
