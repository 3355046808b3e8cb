"""Memory of the piece: each field's distribution is mixed with the classes that followed in the most similar rows of earlier bars.

A pointer into the past (Merity et al. 2017; nearest-neighbour language models: Khandelwal et al. 2020) over all bars before the row's own, however far
back, with one short key a row. For field i of a row with key z, each of the `NEAREST` entries j of earlier bars weighs
    w_kj = exp(theta_k (z . z_j - 1) + sum of bonus_m over the chain's earlier fields m whose class chosen now is the entry's, too),
and p = g_0 p_model + sum_k g_k (w_kj of that class, plus tiny p_model) / (sum of all of them). So without entries p is that of the model alone.
The gate g is a softmax over each part's logarithm of its sum and its overlap with the model's distribution, and the chain's state. Entries are the rows
that predict a note's content. Only whole bars are entries, so the store changes at bar lines alone. Causal and normalised; `memory_graph.py` is the
twin that the engine runs, whose cost a note is why there are three fields: sub and role gained a tenth of what these do, for as many nodes.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .vocabulary import FIELD

FIELDS = ("pitch", "duration", "velocity")
"""Fields that are mixed; an entry is stored with its classes of them, in this order."""

MATCHES = {"pitch": (), "duration": ("pitch",), "velocity": ("pitch",)}
"""Fields chosen before in the chain whose agreement with an entry counts for it."""

TEMPERATURES = (8.0, 32.0)
"""Initial values of `theta`."""

NEAREST = 64
"""Entries that count for a row: those whose keys are nearest to its own."""

TINY = 1e-20
"""Share of the model's distribution in that of the entries: it keeps the sum above 0."""

NEVER = -1e4
"""Instead of the nearness of entries that are not earlier. Its exponential is 0; minus infinity would make the gradient of `theta` NaN."""


class FieldMemory(nn.Module):
    """Parameters of one field: temperatures, bonuses and gate. Parts are the temperatures, then the model."""

    def __init__(self, width: int, matches: int):
        super().__init__()
        parts = len(TEMPERATURES) + 1
        self.log_theta = nn.Parameter(torch.tensor(TEMPERATURES).log())
        self.bonus = nn.Parameter(torch.full((matches,), 2.0))
        self.gate = nn.Linear(2 * parts, parts)
        self.gate_state = nn.Linear(width, parts, bias=False)
        with torch.no_grad():
            self.gate.weight.zero_()
            self.gate_state.weight.zero_()
            self.gate.bias.copy_(torch.tensor([0.0] * (parts - 1) + [1.5]))

    def forward(self, state: Tensor, logits: Tensor, target: Tensor, nearness: Tensor, classes: Tensor, matches: list[Tensor]) -> Tensor:
        """-ln p of each target [Q]: `logits` [Q, classes], `nearness` [Q, E] the cosine less one, `NEVER` where an entry is not earlier, `classes` [Q, E]."""
        p = logits.float().softmax(-1)
        of_model = p.gather(1, target[:, None])
        known = p.detach()
        agreement = (known * known).sum(1, keepdim=True)
        of_entries = known.gather(1, classes)  # the model's probability of each entry's class
        right = target[:, None] == classes
        boost = sum(bonus * match for bonus, match in zip(self.bonus, matches, strict=True))
        parts, strengths, overlaps = [], [], []
        for theta in self.log_theta.exp():
            weight = (theta * nearness + boost).exp()
            total = weight.sum(1, keepdim=True) + TINY
            parts.append(((weight * right).sum(1, keepdim=True) + TINY * of_model) / total)
            strengths.append(total.detach().log() / 5)
            overlaps.append(((weight.detach() * of_entries).sum(1, keepdim=True) + TINY * agreement) / total.detach())
        features = torch.cat([*strengths, torch.zeros_like(agreement), *overlaps, agreement], 1)
        gate = (self.gate(features) + self.gate_state(state.float())).softmax(-1)
        return -(gate * torch.cat([*parts, of_model], 1)).sum(1).clamp(min=1e-30).log()


class Memory(nn.Module):
    """The key of a row, shared by all fields, and each field's own part."""

    def __init__(self, width: int, key_width: int):
        super().__init__()
        self.key = nn.Linear(width, key_width)
        self.fields = nn.ModuleDict({name: FieldMemory(width, len(MATCHES[name])) for name in FIELDS})

    @torch.no_grad()
    def initialise(self, hidden: Tensor) -> None:
        """Begins with the principal directions of hidden states [N, d], centred by their mean."""
        hidden = hidden.float()
        mean = hidden.mean(0)
        _, _, directions = torch.pca_lowrank(hidden - mean, q=self.key.out_features, center=False)
        self.key.weight.copy_(directions.T)
        self.key.bias.copy_(-(directions.T @ mean))

    def keys(self, hidden: Tensor) -> Tensor:
        """[N, d] to keys of length 1, [N, key width]."""
        return F.normalize(self.key(hidden.float()), dim=-1)


def loss_sums(
    model, hidden: Tensor, rows: Tensor, targets: Tensor, scored: Tensor | None, order: Tensor, spans: list[tuple[int, int]]
) -> tuple[Tensor, Tensor]:
    """As `Antiphon.loss_sums`, with the memory."""
    parts = field_losses(model, hidden, rows, targets, scored, order, spans)
    return torch.stack([loss.sum() for _, loss in parts]), torch.tensor([loss.numel() for _, loss in parts], device=hidden.device)


def field_losses(
    model, hidden: Tensor, rows: Tensor, targets: Tensor, scored: Tensor | None, order: Tensor, spans: list[tuple[int, int]]
) -> list[tuple[Tensor, Tensor]]:
    """As `Antiphon.field_losses`, with the memory. `order` int [B, T] numbers bars in the order of the sequence, `spans` are the sequences' rows."""
    fields = len(model.heads)
    targets, order = targets.reshape(-1, fields), order.reshape(-1)
    known, counted = model.known_targets(rows, targets, scored)
    c = hidden.reshape(-1, hidden.shape[-1])
    with torch.autocast(c.device.type, enabled=False):
        keys = model.memory.keys(c)
    parts = []
    names = [name for name, _ in model.config.fields]
    for i, (name, head) in enumerate(zip(names, model.heads, strict=True)):
        predicted = torch.nonzero(counted[:, i]).squeeze(1)
        logits = head(c.index_select(0, predicted))
        if name in FIELDS:
            loss = remember(model.memory.fields[name], name, c, logits, predicted, known, targets, keys, order, spans)
        else:
            loss = F.cross_entropy(logits.float(), targets[predicted, i], reduction="none")
        parts.append((predicted, loss))
        if head.choice is not None:
            index = torch.nonzero(known[:, i]).squeeze(1)
            c = c.index_add(0, index, head.choice(targets[index, i]).to(c.dtype))
    return parts


def remember(part: FieldMemory, name: str, c, logits, predicted, known, targets, keys, order, spans) -> Tensor:
    """The losses of one field, sequence after sequence."""
    i, losses = FIELD[name], []
    with torch.autocast(c.device.type, enabled=False):
        for first, last in spans:
            here = (predicted >= first) & (predicted < last)
            q = predicted[here]
            e = torch.nonzero(known[first:last, i]).squeeze(1) + first
            nearness = (keys[q] @ keys[e].T - 1).masked_fill(order[e][None] >= order[q][:, None], NEVER)
            nearness, place = nearness.topk(min(NEAREST, len(e)), dim=1, sorted=False)
            entries = e[place]
            matches = [targets[q, FIELD[m]][:, None] == targets[entries, FIELD[m]] for m in MATCHES[name]]
            losses.append(part(c[q], logits[here], targets[q, i], nearness, targets[entries, i], matches))
    return torch.cat(losses)

