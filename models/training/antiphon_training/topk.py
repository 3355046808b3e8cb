"""Block top-k attention (MoBA: Lu et al. 2025) over bars: each layer chooses at the bar line which earlier bars a bar sees note by note.

The query of bar b is the mean query of the rows of the bar before it, turned on by as many bars as lie between the two; an earlier bar's key is the mean
key of its rows; bars are ranked by the product of the two. A layer takes bars from the best one down until it has as many rows as the last k bars have: the last
bar it takes may be seen only in its first rows. So every layer sees equally many rows, which the engine's one buffer length needs, and a layer's choice
depends on nothing above it, so that whole windows can be trained at once. `engine/src/cache/policy/top_k.rs` is the same rule at a bar line.
"""

from __future__ import annotations

import torch
from torch import Tensor

REACH = 256  # bars; `engine/src/cache/mod.rs`, MOST_BARS


class TopK:
    """Masks by layer, from the layer's rotated queries and keys. The choice has no gradient."""

    def __init__(self, bars: int, base: Tensor, content: Tensor, bar: Tensor, order: Tensor, bar_frequencies: Tensor):
        """`base` bool [B, 1, T, T]: the mask without chosen bars. `content` bool [B, T]: rows that attend to chosen bars and are attended to in them.

        `bar` int [B, T]: bars as positions count them; `order` int [B, T]: index in its sequence of the bar of each row.
        """
        self.base, self.content, self.order = base, content, order
        self.bars = int(order.max()) + 1
        batch = len(order)
        self.slot = torch.where(content, order, self.bars)  # other rows are summed into an unused bar
        self.rows = torch.zeros(batch, self.bars + 1, dtype=torch.long, device=order.device).scatter_add_(1, self.slot, content.long())[:, :-1]
        start = self.rows.cumsum(1) - self.rows
        self.index = content.cumsum(1) - 1 - start.gather(1, order)
        first = (torch.arange(self.bars, device=order.device) - bars).clamp(min=0)
        self.budget = start - start[:, first]
        number = torch.zeros(batch, self.bars + 1, dtype=bar.dtype, device=bar.device).scatter_(1, self.slot, bar)[:, :-1]
        angle = (number[:, 1:] - number[:, :-1])[..., None] * bar_frequencies
        self.rotation = angle.cos()[:, :, None], angle.sin()[:, :, None]
        back = torch.arange(self.bars, device=order.device)[:, None] - torch.arange(self.bars, device=order.device)
        self.earlier = (back > 0) & (back <= REACH) & (self.rows > 0)[:, None]

    @torch.compiler.disable
    @torch.no_grad()
    def __call__(self, query: Tensor, key: Tensor) -> Tensor:
        """bool [B, 1, T, T] for one layer, whose queries and keys are [B, H, T, head_width]."""
        queries, keys = self.means(query), self.means(key)  # [B, bars, H, head_width]
        a, b = queries[:, :-1].chunk(2, -1)
        cos, sin = self.rotation
        count = cos.shape[-1]
        a, b, rest_a, rest_b = a[..., :count], b[..., :count], a[..., count:], b[..., count:]
        rotated = torch.cat((a * cos - b * sin, rest_a, b * cos + a * sin, rest_b), -1)
        scores = torch.zeros(self.earlier.shape, device=query.device)
        scores[:, 1:] = rotated.flatten(2) @ keys.flatten(2).transpose(1, 2)
        ranked = scores.masked_fill(~self.earlier, -torch.inf).argsort(dim=-1, descending=True, stable=True)
        rows = self.rows[:, None].expand_as(ranked).gather(2, ranked)
        before = torch.zeros_like(ranked).scatter_(2, ranked, rows.cumsum(2) - rows)
        budget = torch.where(self.earlier, self.budget[..., None] - before, 0)  # [B, bar that sees, bar that is seen]
        here = torch.arange(len(budget), device=query.device)[:, None, None]
        seen = self.index[:, None] < budget[here, self.order[:, :, None], self.order[:, None]]
        return self.base | (seen & self.content[:, :, None] & self.content[:, None])[:, None]

    def means(self, x: Tensor) -> Tensor:
        """Means over the rows of each bar: [B, H, T, head_width] to [B, bars, H, head_width]."""
        batch, heads, _, width = x.shape
        x = x.float().transpose(1, 2).flatten(2)
        total = x.new_zeros(batch, self.bars + 1, x.shape[2]).scatter_add_(1, self.slot[..., None].expand_as(x), x)[:, :-1]
        return (total / self.rows.clamp(min=1)[..., None]).view(batch, self.bars, heads, width)
