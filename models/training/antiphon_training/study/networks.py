"""Networks that differ from the shipped one (`model.py`) in one part. Weights that they share with it have the same initial values."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .. import rows as r
from .. import vocabulary as v
from ..model import Antiphon, Block, Config, Head, attend, rotate

CONTENT = slice(r.BEAT, r.OCTAVE + 1)
MOST_ROWS = 64
"""Size of the row-index embedding; later rows of a bar share the last index."""


class Summed(NamedTuple):
    """Attention mask and summary rows: the mask argument of the blocks of `Faithful`."""

    mask: Tensor
    """bool [B, 1, T, T]"""
    sums: Tensor
    """int [B, S]: indices of the SUM rows of each sequence; sequences with fewer than S are padded with other rows"""
    is_sum: Tensor
    """bool [B, T]"""


class FaithfulBlock(Block):
    """Museformer's two steps in every layer (Yu et al. 2022): SUM rows first attend to their bars; the other rows then attend to keys and values that
    separate matrices compute from the updated SUM rows."""

    def __init__(self, config: Config):
        super().__init__(config)
        self.summary = nn.Linear(config.width, 2 * config.width, bias=False)

    def forward(self, x: Tensor, mask: Summed, rotation_query: tuple[Tensor, Tensor], rotation_key: tuple[Tensor, Tensor]) -> Tensor:
        batch, length, width = x.shape
        split = (self.heads, self.head_width)
        query, key, value = self.qkv(self.attention_norm(x)).view(batch, length, 3, *split).permute(2, 0, 3, 1, 4)
        query, key = rotate(query, *rotation_query), rotate(key, *rotation_key)

        # First step: the SUM rows only.
        of_heads = mask.sums[:, None, :, None].expand(-1, self.heads, -1, self.head_width)
        seen = mask.mask.gather(2, mask.sums[:, None, :, None].expand(-1, -1, -1, length))
        summed = F.scaled_dot_product_attention(query.gather(2, of_heads), key, value, attn_mask=seen)
        of_rows = mask.sums[..., None].expand(-1, -1, width)
        state = x.gather(1, of_rows) + self.attention_out(summed.transpose(1, 2).flatten(2))

        # Second step: all other rows, with keys and values of the updated SUM rows.
        shown = self.summary(self.attention_norm(state)).view(batch, -1, 2, *split).permute(2, 0, 3, 1, 4)
        rotation = [angle.gather(2, mask.sums[:, None, :, None].expand(-1, -1, -1, angle.shape[-1])) for angle in rotation_key]
        is_sum = mask.is_sum[:, None, :, None]
        key = torch.where(is_sum, key.scatter(2, of_heads, rotate(shown[0], *rotation).to(key.dtype)), key)
        value = torch.where(is_sum, value.scatter(2, of_heads, shown[1].to(value.dtype)), value)
        attended = attend(query, key, value, mask.mask)
        attended = torch.where(is_sum, attended.scatter(2, of_heads, summed.to(attended.dtype)), attended)

        x = x + self.dropout(self.attention_out(attended.transpose(1, 2).reshape(batch, length, width)))
        return x + self.dropout(self.ff_out(F.gelu(self.ff_in(self.ff_norm(x)))))


class Faithful(Antiphon):
    """Summaries as in Museformer: a bar attends to summaries computed in the same layer, not in the layer below."""

    def __init__(self, config: Config):
        super().__init__(config)
        self.blocks = nn.ModuleList(FaithfulBlock(config) for _ in range(config.layers))

    def mask(self, kind: Tensor, bar: Tensor, order: Tensor, policy: str) -> Summed:
        is_sum = kind == v.SUM
        most = max(1, int(is_sum.sum(1).max()))
        sums = is_sum.int().argsort(dim=1, descending=True, stable=True)[:, :most]
        return Summed(super().mask(kind, bar, order, policy), sums, is_sum)


class Plain(Antiphon):
    """Network for plain rows, with the field chain type, beat, sub, role, pitch, duration, velocity, offset."""

    CHAIN = (r.F_TYPE, r.F_BEAT, r.F_SUB, r.F_ROLE, r.F_PITCH, r.F_DURATION, r.F_VELOCITY, r.F_OFFSET)

    def __init__(self, config: Config):
        super().__init__(config)
        role, offset = (config.fields[i][1] for i in (r.F_ROLE, r.F_OFFSET))
        self.heads[r.F_ROLE] = Head(config.width, role, last=False)
        self.heads[r.F_OFFSET] = Head(config.width, offset, last=True)
        nn.init.normal_(self.heads[r.F_ROLE].choice.weight, std=0.3)

    def field_losses(self, hidden: Tensor, rows: Tensor, targets: Tensor, scored: Tensor | None = None) -> list[tuple[Tensor, Tensor]]:
        targets = targets.reshape(-1, len(self.heads))
        known = targets >= 0
        counted = known if scored is None else known & scored.reshape(known.shape)
        c = hidden.reshape(-1, hidden.shape[-1])
        parts: list = [None] * len(self.heads)
        for i in self.CHAIN:
            head = self.heads[i]
            index = torch.nonzero(counted[:, i]).squeeze(1)
            parts[i] = index, F.cross_entropy(head(c.index_select(0, index)).float(), targets[index, i], reduction="none")
            if head.choice is not None:
                index = torch.nonzero(known[:, i]).squeeze(1)
                c = c.index_add(0, index, head.choice(targets[index, i]).to(c.dtype))
        return parts


class Inputs(Antiphon):
    """Two additional inputs: the previous row's content, through a matrix, if it is a note of the same bar; and the row's index in its bar."""

    def __init__(self, config: Config):
        super().__init__(config)
        self.previous = nn.Linear(config.width, config.width, bias=False)
        self.index = nn.Embedding(MOST_ROWS, config.width)
        nn.init.normal_(self.index.weight, std=0.1)

    def embed(self, rows: Tensor, bar: Tensor) -> Tensor:
        """Embeddings with the additional inputs; `bar` counts the bars of a sequence from 0."""
        kind = rows[..., r.KIND]
        is_note = (kind == v.NOTE) | (kind == v.GIVEN)
        before = torch.zeros_like(rows)
        before[:, 1:, CONTENT] = rows[:, :-1, CONTENT] + self.column_offsets[CONTENT] * (rows[:, :-1, CONTENT] > 0)
        follows = torch.zeros_like(is_note)
        follows[:, 1:] = is_note[:, 1:] & is_note[:, :-1] & (bar[:, 1:] == bar[:, :-1])
        before *= follows[..., None]
        content = self.embedding(before.flatten(0, 1)).view(*kind.shape, -1)

        place = torch.arange(kind.shape[1], device=kind.device).expand_as(kind)
        in_bar = is_note | (kind == v.BAR)
        starts = in_bar.clone()
        starts[:, 1:] &= ~in_bar[:, :-1] | (bar[:, 1:] != bar[:, :-1])
        index = place - torch.where(starts, place, 0).cummax(1).values
        numbered = self.index(index.clamp(max=MOST_ROWS - 1)) * in_bar[..., None]
        return super().embed(rows, bar) + self.previous(content) + numbered


class Copying(Antiphon):
    """Pointer-generator for pitch (See et al. 2017): a mixture, with a weight per row, of the network's distribution and the pitches at the same onset and
    role in the bars that fine/coarse attention sees note by note. In infill, distances in bars follow the order of the sequence."""

    def __init__(self, config: Config):
        super().__init__(config)
        self.asks = nn.Linear(config.width, config.width, bias=False)
        self.answers = nn.Linear(config.width, config.width, bias=False)
        self.share = nn.Linear(config.width, 1)
        nn.init.constant_(self.share.bias, -1.0)
        self.nearness = nn.Embedding(len(config.fine_bars) + 1, 1)
        nn.init.zeros_(self.nearness.weight)
        which = torch.zeros(max(config.fine_bars) + 1, dtype=torch.long)
        which[list(config.fine_bars)] = torch.arange(1, len(config.fine_bars) + 1)
        self.register_buffer("which", which, persistent=False)

    def field_losses(self, hidden: Tensor, rows: Tensor, targets: Tensor, scored: Tensor | None = None) -> list[tuple[Tensor, Tensor]]:
        parts = super().field_losses(hidden, rows, targets, scored)
        index, loss = parts[r.F_PITCH]
        share, copied = self.copy(hidden.float(), rows, targets[..., r.F_PITCH])
        share, copied = share.flatten()[index], copied.flatten()[index]
        mixed = -((1 - share) * torch.exp(-loss) + share * copied + 1e-30).log()
        return [*parts[: r.F_PITCH], (index, mixed), *parts[r.F_PITCH + 1 :]]

    def copy(self, hidden: Tensor, rows: Tensor, pitch: Tensor) -> tuple[Tensor, Tensor]:
        """Mixture weight of copying and probability of the target pitch under the copy distribution, for each row: two tensors [B, T]."""
        kind = rows[..., r.KIND]
        is_note = (kind == v.NOTE) | (kind == v.GIVEN)
        is_sum = (kind == v.SUM).long()
        order = is_sum.cumsum(1) - is_sum
        target = torch.where(rows[..., r.TARGET_BEAT] > 0, _place(rows[..., r.TARGET_BEAT : r.TARGET_ROLE + 1]), -1)
        held = torch.where(is_note, _place(rows[..., r.BEAT : r.ROLE + 1]), -2)
        back = order[:, :, None] - order[:, None]
        near = torch.where((back > 0) & (back < len(self.which)), self.which[back.clamp(0, len(self.which) - 1)], 0)
        seen = (target[:, :, None] == held[:, None]) & (near > 0)
        score = self.asks(hidden) @ self.answers(hidden).transpose(1, 2) / hidden.shape[-1] ** 0.5 + self.nearness(near).squeeze(-1)
        weight = score.float().masked_fill(~seen, -1e9).softmax(-1) * seen
        same = pitch[:, :, None] == (rows[..., r.PITCH] - 1)[:, None]
        share = torch.sigmoid(self.share(hidden).squeeze(-1).float()) * seen.any(-1)
        return share, (weight * same).sum(-1)


def _place(columns: Tensor) -> Tensor:
    """One integer for beat, sub and role [..., 3]."""
    beat, sub, role = columns.unbind(-1)
    return (beat * 32 + sub) * 32 + role


NETWORKS: dict[str, type[Antiphon]] = {"shipped": Antiphon, "faithful": Faithful, "plain": Plain, "inputs": Inputs, "copying": Copying}
"""Network classes by the value of a variant's `network`."""


def build(name: str, config: Config) -> Antiphon:
    """A randomly initialised network; weights shared with the shipped one are equal for equal states of torch's generator."""
    shared = Antiphon(config).state_dict()
    network = NETWORKS[name](config)
    network.load_state_dict(shared, strict=False)
    return network
