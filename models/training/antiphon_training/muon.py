"""Muon (Jordan et al. 2024) with the Newton-Schulz iterations of all matrices of one shape at once, in the precision that the processor has units for.

`torch.optim.Muon` iterates one matrix after the other in bf16, which a CPU without bf16 units computes at about 1 GFLOP/s.
Parameters, state and step are its own (`adjust_lr_fn="match_rms_adamw"`, Liu et al. 2025: the step is scaled to the size of AdamW's, so that both
take one learning rate), so checkpoints of either go on with the other.
"""

from __future__ import annotations

import torch
from torch import Tensor

COEFFICIENTS = (3.4445, -4.7750, 2.0315)
STEPS = 5


def precision(device: torch.device) -> torch.dtype:
    """bf16 where the device multiplies matrices in it natively, else fp32."""
    has = torch.cpu.get_capabilities()
    native = device.type != "cpu" or has.get("amx_bf16") or has.get("avx512_bf16")
    return torch.bfloat16 if native else torch.float32


def orthogonalise(x: Tensor, steps: int = STEPS) -> Tensor:
    """Near U V^T of each matrix of a stack [n, r, c], r <= c."""
    a, b, c = COEFFICIENTS
    x = x / x.norm(dim=(-2, -1), keepdim=True).clamp(min=1e-7)
    if x.shape[-2] == x.shape[-1] or x.dtype != torch.float32:
        for _ in range(steps):
            gram = x @ x.mT
            x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
        return x
    # All powers on the small Gram matrix; one product with the wide one at the end. In bf16 the rounding of the powers would add up.
    gram, product = x @ x.mT, None
    for i in range(steps):
        polynomial = torch.baddbmm(gram, gram, gram, beta=b, alpha=c)
        polynomial.diagonal(dim1=-2, dim2=-1).add_(a)
        product = polynomial if product is None else polynomial @ product
        if i < steps - 1:
            gram = polynomial @ gram @ polynomial
    return product @ x


class Muon(torch.optim.Optimizer):
    """For matrices only. `dtype` is the precision of the iterations; None chooses by the processor."""

    def __init__(self, parameters, lr: float, weight_decay: float = 0.05, momentum: float = 0.95, dtype: torch.dtype | None = None):
        super().__init__(list(parameters), {"lr": lr, "weight_decay": weight_decay, "momentum": momentum})
        self.dtype = dtype

    @torch.no_grad()
    def step(self, closure=None) -> None:
        for group in self.param_groups:
            by_shape: dict[tuple, list] = {}
            for parameter in group["params"]:
                if parameter.grad is None:
                    continue
                state = self.state[parameter]
                if "momentum_buffer" not in state:
                    state["momentum_buffer"] = torch.zeros_like(parameter)
                momentum = state["momentum_buffer"].lerp_(parameter.grad, 1 - group["momentum"])
                update = parameter.grad.lerp(momentum, group["momentum"])
                tall = update.shape[0] > update.shape[1]
                update = update.mT if tall else update
                by_shape.setdefault(tuple(update.shape), []).append((parameter, update, tall))
            for shape, items in by_shape.items():
                dtype = self.dtype or precision(items[0][0].device)
                stack = orthogonalise(torch.stack([update for _, update, _ in items]).to(dtype)).float()
                size = group["lr"] * 0.2 * max(shape) ** 0.5
                for (parameter, _, tall), update in zip(items, stack, strict=True):
                    parameter.mul_(1 - group["lr"] * group["weight_decay"])
                    parameter.add_(update.mT if tall else update, alpha=-size)
