"""Weight-only 8-bit quantisation in the layout of com.microsoft.MatMulNBits."""

import numpy as np

BLOCK = 32  # weights of one output that share a scale


def quantise(weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Symmetric blockwise int8 of a [outputs, inputs] matrix, `inputs` a multiple of `BLOCK`.

    Returns the values, uint8 [outputs, inputs / BLOCK, BLOCK], where 128 is zero (the operator's default zero point), and the
    scales, float32 [outputs, inputs / BLOCK].
    """
    outputs, inputs = weight.shape
    if inputs % BLOCK:
        raise ValueError(f"{inputs} inputs do not split into blocks of {BLOCK}")
    blocks = weight.astype(np.float32).reshape(outputs, inputs // BLOCK, BLOCK)
    scale = np.abs(blocks).max(-1) / 127
    divisor = np.where(scale > 0, scale, 1)[..., None]
    values = np.clip(np.rint(blocks / divisor) + 128, 1, 255).astype(np.uint8)
    return values, scale
