"""The C++ operator of attention over the allowed keys alone: built by PyTorch's extension loader where there is a compiler, with gradients."""

from __future__ import annotations

import functools
import os
import shutil
import sys
import warnings
from pathlib import Path

import torch
from torch import Tensor

from .plan import Plan

SOURCE = Path(__file__).with_name("sparse_attention.cpp")
HEAD_WIDTHS = (16, 32, 64)
"""Head widths the operator is compiled for."""


@functools.cache
def available() -> bool:
    """Builds the operator, once per machine and version; False, with a warning, where that fails: attention is dense then."""
    if not shutil.which("g++"):
        return False
    try:
        from torch.utils.cpp_extension import load

        # The loader runs `ninja`, which is beside Python in a virtual environment that need not be active.
        os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
        flags = ["-O3", "-march=native", "-ffp-contract=fast", "-fno-math-errno", "-std=c++20"]
        load("antiphon_sparse_attention", [str(SOURCE)], extra_cflags=flags, is_python_module=False)
    except (OSError, RuntimeError, ImportError) as error:
        warnings.warn(f"attention stays dense: the operator in {SOURCE.name} could not be built: {error}", stacklevel=2)
        return False
    torch.library.register_fake("antiphon::attend")(_attend_shapes)
    torch.library.register_fake("antiphon::attend_backward")(lambda qkv, *_: torch.empty_like(qkv, memory_format=torch.contiguous_format))
    torch.library.register_autograd("antiphon::attend", _backward, setup_context=_keep)
    return True


def attend(qkv: Tensor, turn_query: tuple[Tensor, Tensor], turn_key: tuple[Tensor, Tensor], plan: Plan, heads: int) -> Tensor:
    """Attention output of each row [T, d]: `qkv` [T, 3 d] float32 or bfloat16, cosines and sines float32 [T, head_width / 2], rows as in `plan`."""
    return torch.ops.antiphon.attend(qkv, [*turn_query, *turn_key], list(plan), heads)[0]


def _attend_shapes(qkv: Tensor, rotation: list[Tensor], lists: list[Tensor], heads: int) -> tuple[Tensor, Tensor]:
    rows, width = qkv.shape
    return qkv.new_empty(rows, width // 3), qkv.new_empty(heads, rows, dtype=torch.float32)


def _keep(ctx, inputs, output) -> None:
    qkv, rotation, lists, heads = inputs
    ctx.save_for_backward(qkv, *rotation, *lists, *output)
    ctx.heads = heads


def _backward(ctx, grad: Tensor, _: Tensor):
    qkv, *rest = ctx.saved_tensors
    rotation, lists, (out, log_sum) = rest[:4], rest[4:8], rest[8:]
    grad_qkv = torch.ops.antiphon.attend_backward(qkv, rotation, lists, ctx.heads, out, log_sum, grad.to(qkv.dtype))
    return grad_qkv, [None] * len(rotation), [None] * len(lists), None
