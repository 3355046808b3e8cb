"""The Antiphon Transformer: one step per note, a chain of small heads for the note's fields, fine/coarse bar attention.

`docs/model-interface.md` defines rows, positions, targets and the attention rule. Shapes below: B sequences of T rows, width d.
"""

from dataclasses import asdict, dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from . import memory, sparse
from . import vocabulary as v
from .plan import Plan
from .topk import TopK


def rotary_frequencies(head_width: int) -> dict[str, list[float]]:
    """Frequencies of a head's `head_width / 2` rotary pairs: the bar group, then the tick group, then the row's index in its bar."""
    pairs = head_width // 2
    index = pairs // 4
    bar = (pairs - index + 1) // 2
    sizes = {"bar": (bar, 512), "tick": (pairs - index - bar, 96), "index": (index, 64)}
    return {name: [longest ** (-i / count) for i in range(count)] for name, (count, longest) in sizes.items()}


@dataclass
class Config:
    """What fixes the model's shape. Plain data, so that it goes to JSON and back."""

    width: int = 256
    layers: int = 6
    heads: int = 8
    ff: int = 4  # width of the feed-forward layer, in widths
    columns: list = field(default_factory=lambda: v.COLUMNS)
    fields: list = field(default_factory=lambda: v.FIELDS)
    rotary: dict | None = None  # group name -> frequencies; None: `rotary_frequencies`
    fine_bars: tuple[int, ...] = (1, 2, 4, 8, 12, 16, 24, 32)  # R: how many bars back are seen note by note
    dropout: float = 0.0
    memory: int = 0  # width of a row's key in the memory of the piece (`memory.py`); 0: the model has none

    def __post_init__(self):
        if self.width % self.heads or (self.width // self.heads) % 2:
            raise ValueError(f"width {self.width} must split into {self.heads} heads of even width")
        self.columns = [list(c) for c in self.columns]
        self.fields = [list(f) for f in self.fields]
        self.fine_bars = tuple(self.fine_bars)
        self.rotary = self.rotary or rotary_frequencies(self.head_width)
        if sum(len(self.rotary[group]) for group in ("bar", "tick", "index")) != self.head_width // 2:
            raise ValueError(f"rotary frequencies must be {self.head_width // 2} in all, one per pair of a head")

    @property
    def head_width(self) -> int:
        return self.width // self.heads

    def to_dict(self) -> dict:
        return asdict(self)


def attention_mask(kind: Tensor, bar: Tensor, policy: str = "fine_coarse", fine_bars: tuple[int, ...] = Config.fine_bars) -> Tensor:
    """Attention mask: bool [B, 1, T, T], True where row i (third axis) sees row j (last axis).

    `kind` and `bar` are int [B, T]. A policy determines the bars seen row by row: `fine_coarse` those b - r and, where a gap is filled,
    b + r, r in `fine_bars`; `summaries` none; `window:W` the last W; `strided:L` the last L and every L-th; `fixed:L,C` the own block of L
    bars and the last C of every other; `dense` all; `topk:K` none here (`Antiphon.mask`). Of the others the first two see the SUM, the rest
    nothing. In each, a row also sees PRE and its own bar up to itself, a SUM sees only PRE, its bar and itself, and padding (kind 0)
    sees only itself.
    """
    length = kind.shape[1]
    seen, sees = kind[:, None, :], kind[:, :, None]
    distance = (bar[:, :, None] - bar[:, None, :]).to(torch.int32).abs()
    own_bar = distance == 0

    def content(k: Tensor) -> Tensor:
        return (k >= v.BAR) & (k <= v.GIVEN)

    coarse = False
    match parse_policy(policy):
        case "fine_coarse", ():
            fine, coarse = own_bar, True
            for back in fine_bars:
                fine = fine | (distance == back)
        case "summaries", ():
            fine, coarse = own_bar, True
        case "window", (bars,):
            fine = distance <= bars
        case "strided", (step,):
            fine = (distance <= step) | (distance % step == 0)
        case "fixed", (block, last):
            fine = (bar[:, :, None] // block == bar[:, None] // block) | (bar[:, None] % block >= block - last)
        case "dense", ():
            fine = torch.ones_like(own_bar)
        case _:
            fine = own_bar  # the mask without chosen bars

    mask = content(sees) & content(seen) & fine
    if coarse:
        mask |= content(sees) & (seen == v.SUM) & ~fine
    mask |= (sees == v.SUM) & content(seen) & own_bar
    mask |= (sees != 0) & (seen == v.PRE)
    mask &= torch.ones(length, length, dtype=torch.bool, device=kind.device).tril()
    mask |= torch.eye(length, dtype=torch.bool, device=kind.device)
    return mask[:, None]


POLICIES = {"fine_coarse": (), "summaries": (), "dense": (), "window": (8,), "strided": (8,), "fixed": (8, 1), "topk": (8,)}
"""The policies a model can be trained with, and their arguments unless given: bars."""


def parse_policy(policy: str) -> tuple[str, tuple[int, ...]]:
    """A policy's name and arguments: `window:4` is ("window", (4,)), `window` is ("window", (8,))."""
    name, _, given = policy.partition(":")
    defaults = POLICIES.get(name)
    values = tuple(int(n) if n.isascii() and n.isdigit() else 0 for n in given.split(",")) if given else defaults
    fits = defaults is not None and len(values) == len(defaults) and all(1 <= n <= 256 for n in values) and not policy.endswith(":")
    if not fits or (name == "fixed" and values[1] > values[0]):
        raise ValueError(f"unknown attention policy {policy!r}: fine_coarse, summaries, window:W, strided:L, fixed:L,C, topk:K or dense")
    return name, values


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotates the pairs (x[i], x[i + head_width / 2]) of every head (RoFormer, Su et al. 2021; rotation by halves)."""
    a, b = x.chunk(2, -1)
    return torch.cat((a * cos - b * sin, b * cos + a * sin), -1)


def attend(query: Tensor, key: Tensor, value: Tensor, mask: Tensor) -> Tensor:
    """Attention [B, H, T, head_width] under a causal mask. On the CPU, queries go in four parts, each against the keys up to its end."""
    length = query.shape[2]
    part = -(-length // 4) if query.device.type == "cpu" else length
    outputs = []
    for start in range(0, length, part):
        end = min(start + part, length)
        seen = slice(0, end)
        q, m = query[:, :, start:end], mask[:, :, start:end, seen]
        outputs.append(F.scaled_dot_product_attention(q, key[:, :, seen], value[:, :, seen], attn_mask=m))
    return torch.cat(outputs, 2)


class Block(nn.Module):
    """Pre-norm Transformer block whose queries and keys are rotated by different positions."""

    def __init__(self, config: Config):
        super().__init__()
        width = config.width
        self.heads, self.head_width = config.heads, config.head_width
        self.attention_norm = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.attention_out = nn.Linear(width, width, bias=False)
        self.ff_norm = nn.LayerNorm(width)
        self.ff_in = nn.Linear(width, config.ff * width)
        self.ff_out = nn.Linear(config.ff * width, width)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor, mask: Tensor | TopK | Plan, rotation_query: tuple[Tensor, Tensor], rotation_key: tuple[Tensor, Tensor]) -> Tensor:
        x = x + self.dropout(self.attention_out(self.attention(self.qkv(self.attention_norm(x)), mask, rotation_query, rotation_key)))
        return x + self.dropout(self.ff_out(F.gelu(self.ff_in(self.ff_norm(x)))))

    def attention(
        self, qkv: Tensor, mask: Tensor | TopK | Plan, rotation_query: tuple[Tensor, Tensor], rotation_key: tuple[Tensor, Tensor]
    ) -> Tensor:
        """Attention output [B, T, d] of `qkv` [B, T, 3 d]. A `Plan` is of one batch of rows end to end."""
        if isinstance(mask, Plan):
            return sparse.attend(qkv[0], rotation_query, rotation_key, mask, self.heads)[None]
        batch, length = qkv.shape[:2]
        query, key, value = qkv.view(batch, length, 3, self.heads, self.head_width).permute(2, 0, 3, 1, 4)
        query, key = rotate(query, *rotation_query), rotate(key, *rotation_key)
        attended = attend(query, key, value, mask if isinstance(mask, Tensor) else mask(query, key))
        return attended.transpose(1, 2).reshape(batch, length, -1)


class Head(nn.Module):
    """One field of the chain: W gelu(A c + a) + w, and the term that the chosen class adds to c for the fields after it."""

    def __init__(self, width: int, classes: int, last: bool):
        super().__init__()
        self.inner = nn.Linear(width, width)
        self.outer = nn.Linear(width, classes)
        self.choice = None if last else nn.Embedding(classes, width)

    def forward(self, c: Tensor) -> Tensor:
        return self.outer(F.gelu(self.inner(c)))


class Antiphon(nn.Module):
    """Rows in, hidden states out (`forward_hidden`); the chain of heads maps those to losses (`losses`, `loss_sums`)."""

    def __init__(self, config: Config):
        super().__init__()
        self.config = config
        sizes = [size for _, size in config.columns]
        # One table for all columns: column k begins at offset k. Index 0 is every absent value and never gets a gradient.
        self.embedding = nn.EmbeddingBag(sum(sizes), config.width, mode="sum", padding_idx=0)
        self.register_buffer("column_offsets", torch.tensor([sum(sizes[:k]) for k in range(len(sizes))]), persistent=False)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.layers))
        self.norm = nn.LayerNorm(config.width)
        last = len(config.fields) - 1
        self.memory = memory.Memory(config.width, config.memory) if config.memory else None
        self.heads = nn.ModuleList(Head(config.width, classes, i == last) for i, (_, classes) in enumerate(config.fields))
        for group in ("bar", "tick", "index"):
            self.register_buffer(f"{group}_frequencies", torch.tensor(config.rotary[group], dtype=torch.float32), persistent=False)
        self.reset_parameters()

    @torch.no_grad()
    def reset_parameters(self):
        nn.init.normal_(self.embedding.weight, std=0.1)
        self.embedding.weight[self.column_offsets] = 0
        for head in self.heads[:-1]:
            nn.init.normal_(head.choice.weight, std=0.3)
        for block in self.blocks:
            for residual in (block.attention_out, block.ff_out):
                nn.init.normal_(residual.weight, std=0.02 / max(1.0, self.config.layers / 2) ** 0.5)

    def embed(self, rows: Tensor, bar: Tensor) -> Tensor:
        """Sum over a row's columns [B, T, d]; to a SUM row the mean of its bar's rows is added."""
        batch, length, columns = rows.shape
        index = torch.where(rows > 0, rows + self.column_offsets, 0)
        x = self.embedding(index.view(-1, columns))

        kind = rows[..., 0].reshape(-1)
        bars = int(bar.max()) + 2  # PRE rows may be in bar -1
        bar_of_row = (bar + 1 + bars * torch.arange(batch, device=bar.device)[:, None]).reshape(-1)
        content = torch.nonzero((kind >= v.BAR) & (kind <= v.GIVEN)).squeeze(1)
        sums = torch.nonzero(kind == v.SUM).squeeze(1)
        content_bar = bar_of_row[content]
        total = x.new_zeros(batch * bars, x.shape[1]).index_add(0, content_bar, x.index_select(0, content))
        count = torch.bincount(content_bar, minlength=batch * bars).clamp(min=1)
        mean = total.index_select(0, bar_of_row[sums]) / count[bar_of_row[sums], None]
        return x.index_add(0, sums, mean).view(batch, length, -1)

    def rotations(self, position: Tensor, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
        """Cosines and sines [B, 1, T, head_width / 2] of positions (bar, tick, index) [B, T, 3]; computed in float32 for far bars."""
        bar, tick, index = position.float().unbind(-1)
        groups = (bar[..., None] * self.bar_frequencies, tick[..., None] * self.tick_frequencies, index[..., None] * self.index_frequencies)
        angle = torch.cat(groups, -1)[:, None]
        return angle.cos().to(dtype), angle.sin().to(dtype)

    def mask(self, kind: Tensor, bar: Tensor, order: Tensor, policy: str) -> Tensor | TopK:
        """Attention mask under any policy, as `forward_hidden` takes it. `order` int [B, T] counts the bars of a sequence from 0 on."""
        name, values = parse_policy(policy)
        if name != "topk":
            return attention_mask(kind, bar, policy, self.config.fine_bars)
        content = (kind >= v.BAR) & (kind <= v.GIVEN)
        return TopK(*values, attention_mask(kind, bar, policy), content, bar, order, self.bar_frequencies)

    def forward_hidden(
        self, rows: Tensor, key_position: Tensor, query_position: Tensor, mask: Tensor | TopK | Plan, bar: Tensor
    ) -> Tensor:
        """Hidden states [B, T, d] after the last norm.

        `rows` int [B, T, columns]; `key_position`, `query_position` int [B, T, 3] as (bar, tick, index); `mask` from `mask`, or bool
        [B, 1, T, T], or a `Plan` where the sequences of a batch are concatenated and B is 1; `bar` int [B, T], at least -1: rows of a sequence with equal numbers are one bar.
        """
        x = self.embed(rows, bar)
        device = x.device.type
        dtype = torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else x.dtype
        rotation_query, rotation_key = (self.rotations(p, torch.float32 if isinstance(mask, Plan) else dtype) for p in (query_position, key_position))
        if isinstance(mask, Plan):
            rotation_query, rotation_key = (tuple(angle[0, 0] for angle in rotation) for rotation in (rotation_query, rotation_key))
        for block in self.blocks:
            x = block(x, mask, rotation_query, rotation_key)
        return self.norm(x)

    def losses(self, hidden: Tensor, rows: Tensor, targets: Tensor) -> Tensor:
        """-ln p of every target: float32 nats [B, T, 8], 0 where `targets` (int [B, T, 8]) is -1. See `field_losses`."""
        nll = hidden.new_zeros(targets.shape, dtype=torch.float32).view(-1, targets.shape[-1])
        for i, (index, loss) in enumerate(self.field_losses(hidden, rows, targets)):
            nll[:, i] = nll[:, i].index_copy(0, index, loss)
        return nll.view(targets.shape)

    def loss_sums(
        self, hidden: Tensor, rows: Tensor, targets: Tensor, field_weights: Tensor | None = None, scored: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Per field, the sum of its losses in nats (times `field_weights` [8], if given) and how many there are: two tensors [8]."""
        parts = self.field_losses(hidden, rows, targets, scored)
        total = torch.stack([loss.sum() for _, loss in parts])
        count = torch.tensor([loss.numel() for _, loss in parts], device=hidden.device)
        return total if field_weights is None else total * field_weights, count

    @staticmethod
    def known_targets(rows: Tensor, targets: Tensor, scored: Tensor | None) -> tuple[Tensor, Tensor]:
        """Which of `targets` [N, 8] there are, and which of those have a loss: two tensors bool [N, 8]."""
        known = targets >= 0
        known[:, : v.CONTENT_FIELDS] &= (rows[..., v.COLUMN["target_beat"]].reshape(-1) > 0)[:, None]
        return known, known if scored is None else known & scored.reshape(known.shape)

    def field_losses(self, hidden: Tensor, rows: Tensor, targets: Tensor, scored: Tensor | None = None) -> list[tuple[Tensor, Tensor]]:
        """Per field, (flat row numbers, their losses), computed only on the rows that have that target.

        Target -1: no loss, and the field adds no term to the chain. `scored` bool [B, T, 8] takes the loss from a target
        that stays known to the fields after it (the velocity of a flat score). Fields 0-3 count only where the row has a target.
        """
        targets = targets.reshape(-1, len(self.heads))
        known, counted = self.known_targets(rows, targets, scored)
        c = hidden.reshape(-1, hidden.shape[-1])
        parts = []
        for i, head in enumerate(self.heads):
            index = torch.nonzero(counted[:, i]).squeeze(1)
            logits = head(c.index_select(0, index))
            parts.append((index, F.cross_entropy(logits.float(), targets[index, i], reduction="none")))
            if head.choice is not None:
                index = torch.nonzero(known[:, i]).squeeze(1)
                c = c.index_add(0, index, head.choice(targets[index, i]).to(c.dtype))
        return parts
