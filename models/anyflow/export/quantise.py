"""Weight quantisation: 4-bit blocks for ``MatMulNBits`` and for embedding tables, with GPTQ's error feedback.

Source of the feedback rule: Frantar et al. 2022, GPTQ (arXiv 2210.17323): columns are rounded one after another and
each column's rounding error is spread over the columns still to come, weighted by the inverse Hessian of the inputs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

LEVELS = 16
_SHRINK = torch.linspace(0.6, 1.0, 21)


@dataclass(frozen=True)
class Blocks:
    """A matrix in 4-bit blocks along its last axis: ``value = (code - zero) * scale``."""

    codes: Tensor  # uint8 [N, K], each 0..15
    scales: Tensor  # float16 [N, K / block]
    zeros: Tensor  # uint8 [N, K / block], each 0..15
    block: int

    def dequantise(self) -> Tensor:
        """float32 [N, K]."""
        rows, columns = self.codes.shape
        codes = self.codes.view(rows, columns // self.block, self.block).float()
        return ((codes - self.zeros[..., None].float()) * self.scales[..., None].float()).view(rows, columns)


def fit_blocks(weight: Tensor, importance: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Scale and zero point of every row of ``weight`` [..., block], by searching the clipping range.

    ``importance`` (broadcastable to ``weight``) weighs the squared errors. Returns float16 scales and uint8 zeros [...].
    """
    low = weight.amin(-1).clamp(max=0)
    high = weight.amax(-1).clamp(min=0)
    best_error = torch.full(low.shape, torch.inf)
    best_scale = torch.ones_like(low)
    best_zero = torch.zeros_like(low)
    for shrink in _SHRINK:
        scale = ((high - low) * shrink / (LEVELS - 1)).clamp(min=1e-7).half().float()
        zero = (-low * shrink / scale).round().clamp(0, LEVELS - 1)
        codes = (weight / scale[..., None] + zero[..., None]).round().clamp(0, LEVELS - 1)
        difference = (codes - zero[..., None]) * scale[..., None] - weight
        error = (difference**2 * (1 if importance is None else importance)).sum(-1)
        better = error < best_error
        best_error = torch.where(better, error, best_error)
        best_scale = torch.where(better, scale, best_scale)
        best_zero = torch.where(better, zero, best_zero)
    return best_scale.half(), best_zero.to(torch.uint8)


def quantise_rows(weight: Tensor, block: int) -> Blocks:
    """Round to nearest, ``weight`` float32 [N, K]; for embedding tables."""
    rows, columns = weight.shape
    grouped = weight.view(rows, columns // block, block)
    scales, zeros = fit_blocks(grouped)
    codes = (grouped / scales[..., None].float() + zeros[..., None]).round().clamp(0, LEVELS - 1)
    return Blocks(codes.view(rows, columns).to(torch.uint8), scales, zeros, block)


def quantise_linear(weight: Tensor, inputs: Tensor, block: int, damp: float = 0.01) -> Blocks:
    """GPTQ of a linear layer's ``weight`` float32 [N, K], calibrated on its ``inputs`` [samples, K]."""
    rows, columns = weight.shape
    hessian = (inputs.double().T @ inputs.double()) / inputs.shape[0]
    hessian += torch.eye(columns, dtype=torch.float64) * damp * hessian.diagonal().mean()
    inverse = torch.linalg.cholesky(torch.cholesky_inverse(torch.linalg.cholesky(hessian)), upper=True).float()
    importance = hessian.diagonal().float()
    remaining = weight.clone()
    codes = torch.zeros(rows, columns, dtype=torch.uint8)
    scales = torch.zeros(rows, columns // block, dtype=torch.float16)
    zeros = torch.zeros(rows, columns // block, dtype=torch.uint8)
    for start in range(0, columns, block):
        stop, index = start + block, start // block
        scales[:, index], zeros[:, index] = fit_blocks(remaining[:, start:stop], importance[start:stop])
        scale, zero = scales[:, index].float(), zeros[:, index].float()
        errors = torch.zeros(rows, block)
        for column in range(start, stop):
            code = (remaining[:, column] / scale + zero).round().clamp(0, LEVELS - 1)
            codes[:, column] = code.to(torch.uint8)
            error = (remaining[:, column] - (code - zero) * scale) / inverse[column, column]
            remaining[:, column:stop] -= error[:, None] * inverse[column, column:stop]
            errors[:, column - start] = error
        remaining[:, stop:] -= errors @ inverse[start:stop, stop:]
    return Blocks(codes, scales, zeros, block)


def pack_nibbles(codes: Tensor) -> np.ndarray:
    """``codes`` uint8 [..., K] with K even; two to a byte, the even element in the low half. Returns [..., K / 2]."""
    return (codes[..., 0::2] | (codes[..., 1::2] << 4)).numpy()


def pack_halves(codes: Tensor) -> np.ndarray:
    """``codes`` uint8 [N, K]: element j in the low half and element K/2 + j in the high half of byte j. Returns [N, K / 2]."""
    half = codes.shape[-1] // 2
    return (codes[..., :half] | (codes[..., half:] << 4)).numpy()
