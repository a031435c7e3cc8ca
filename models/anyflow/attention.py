"""Attention, feed-forward and the transformer block, with diffusers' parameter names.

Every attention goes through one replaceable kernel `attention(q, k, v, bias, heads)` on merged heads, so the ONNX
exporter can put a fused operator in its place (`AnyFlowFARTransformer.set_attention`).
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from anyflow.rope import Rotation, rotate

AttentionKernel = Callable[[Tensor, Tensor, Tensor, Tensor | None, int], Tensor]
"""`(q [B, Sq, d], k [B, Sk, d], v [B, Sk, d], bias, heads) -> [B, Sq, d]`; bias is boolean (True = may see) or
additive, broadcastable to `[B, heads, Sq, Sk]`, or None."""

KeysValues = tuple[Tensor, Tensor]
"""Keys (after normalisation and rotation) and values, each `[B, S, d]`."""


def sdpa(q: Tensor, k: Tensor, v: Tensor, bias: Tensor | None, heads: int) -> Tensor:
    """The default kernel: PyTorch's fused scaled dot-product attention."""
    q, k, v = (x.unflatten(-1, (heads, -1)).transpose(1, 2) for x in (q, k, v))
    return F.scaled_dot_product_attention(q, k, v, attn_mask=bias).transpose(1, 2).flatten(2)


def matmul_attention(q: Tensor, k: Tensor, v: Tensor, bias: Tensor | None, heads: int) -> Tensor:
    """The kernel for training on a CPU: plain products where PyTorch's fused kernel is the slower one.

    Measured forward and backward on two AMD EPYC cores, 48 clips, 6 heads of 32: 172 tokens in bfloat16 58 ms against
    the fused kernel's 153 ms (in float32 the fused one wins, 55 ms against 110); to 32 text tokens 6 against 60 ms in
    bfloat16, 18 against 30 in float32.
    """
    if q.dtype == torch.float32 and k.shape[1] > 64:
        return sdpa(q, k, v, bias, heads)
    q, k, v = (x.unflatten(-1, (heads, -1)).transpose(1, 2) for x in (q, k, v))
    scores = torch.matmul(q * q.shape[-1] ** -0.5, k.transpose(-1, -2))
    if bias is not None:
        scores = scores.masked_fill(~bias, -1e9) if bias.dtype == torch.bool else scores + bias
    return torch.matmul(scores.softmax(-1).type_as(v), v).transpose(1, 2).flatten(2)


class RMSNorm(nn.Module):
    """Root-mean-square normalisation over all heads together, computed in float32."""

    def __init__(self, dim: int, eps: float) -> None:
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(dim))

    def forward(self, x: Tensor) -> Tensor:
        wide = x.float()
        mean_square = torch.linalg.vecdot(wide, wide).unsqueeze(-1) / wide.shape[-1]
        return (wide * torch.rsqrt(mean_square + self.eps) * self.weight.float()).type_as(x)


class LayerNorm(nn.LayerNorm):
    """Layer normalisation computed and returned in float32."""

    def forward(self, x: Tensor) -> Tensor:
        weight = None if self.weight is None else self.weight.float()
        bias = None if self.bias is None else self.bias.float()
        return F.layer_norm(x.float(), self.normalized_shape, weight, bias, self.eps)


class Attention(nn.Module):
    """Multi-head attention with normalised queries and keys."""

    def __init__(self, dim: int, heads: int, eps: float) -> None:
        super().__init__()
        self.heads = heads
        self.kernel: AttentionKernel = sdpa
        self.to_q = nn.Linear(dim, dim)
        self.to_k = nn.Linear(dim, dim)
        self.to_v = nn.Linear(dim, dim)
        self.to_out = nn.ModuleList([nn.Linear(dim, dim), nn.Dropout(0.0)])
        self.norm_q = RMSNorm(dim, eps)
        self.norm_k = RMSNorm(dim, eps)

    def keys_values(self, x: Tensor, rotation: Rotation | None = None) -> KeysValues:
        """Keys and values of `x [B, S, d]`."""
        k = self.norm_k(self.to_k(x))
        return (k if rotation is None else rotate(k, rotation, self.heads)), self.to_v(x)

    def forward(
        self, x: Tensor, kv: KeysValues, bias: Tensor | None = None, rotation: Rotation | None = None
    ) -> Tensor:
        """Attend from `x [B, Sq, d]` to `kv`; returns `[B, Sq, d]`."""
        q = self.norm_q(self.to_q(x))
        if rotation is not None:
            q = rotate(q, rotation, self.heads)
        return self.to_out[0](self.kernel(q, kv[0], kv[1], bias, self.heads))


class GELUProjection(nn.Module):
    """Linear layer followed by the tanh approximation of GELU."""

    def __init__(self, dim: int, hidden: int) -> None:
        super().__init__()
        self.proj = nn.Linear(dim, hidden)

    def forward(self, x: Tensor) -> Tensor:
        return F.gelu(self.proj(x), approximate="tanh")


class FeedForward(nn.Module):
    """Two-layer perceptron; the middle entry keeps the numbering of published checkpoints."""

    def __init__(self, dim: int, hidden: int) -> None:
        super().__init__()
        self.net = nn.ModuleList([GELUProjection(dim, hidden), nn.Dropout(0.0), nn.Linear(hidden, dim)])

    def forward(self, x: Tensor) -> Tensor:
        return self.net[2](self.net[0](x))


def per_group(x: Tensor, groups: int) -> Tensor:
    """View `[B, S, d]` as `[B, groups, S / groups, d]`, so a modulation `[B, groups, 1, d]` broadcasts over it."""
    return x.unflatten(1, (groups, -1))


def modulate(x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    """`x (1 + scale) + shift` with one scale and shift `[B, groups, 1, d]` per group of tokens of `x [B, S, d]`."""
    return torch.addcmul(shift, per_group(x, scale.shape[1]), 1 + scale).flatten(1, 2)


def gated(x: Tensor, update: Tensor, gate: Tensor) -> Tensor:
    """`x + gate * update`, gate `[B, groups, 1, d]`, in float32, returned in x's type."""
    groups = gate.shape[1]
    return torch.addcmul(per_group(x.float(), groups), per_group(update.float(), groups), gate).flatten(1, 2).type_as(x)


class TransformerBlock(nn.Module):
    """Wan block: modulated self-attention, cross-attention to the text, modulated feed-forward."""

    def __init__(self, dim: int, ffn_dim: int, heads: int, cross_attn_norm: bool, eps: float) -> None:
        super().__init__()
        self.norm1 = LayerNorm(dim, eps, elementwise_affine=False)
        self.attn1 = Attention(dim, heads, eps)
        self.attn2 = Attention(dim, heads, eps)
        self.norm2 = LayerNorm(dim, eps) if cross_attn_norm else nn.Identity()
        self.ffn = FeedForward(dim, ffn_dim)
        self.norm3 = LayerNorm(dim, eps, elementwise_affine=False)
        self.scale_shift_table = nn.Parameter(torch.randn(1, 6, dim) / dim**0.5)

    def _modulations(self, modulation: Tensor) -> tuple[Tensor, ...]:
        return (self.scale_shift_table.float()[:, None] + modulation.float()).split(1, dim=2)

    def own_keys_values(self, x: Tensor, modulation: Tensor, rotation: Rotation) -> KeysValues:
        """Self-attention keys and values alone: all that the last layer contributes to a cache."""
        shift, scale = self._modulations(modulation)[:2]
        return self.attn1.keys_values(modulate(self.norm1(x), scale, shift).type_as(x), rotation)

    def forward(
        self,
        x: Tensor,
        text: Tensor,
        modulation: Tensor,
        rotation: Rotation,
        bias: Tensor | None,
        past: KeysValues | None = None,
    ) -> tuple[Tensor, KeysValues]:
        """One block.

        Args:
            x: tokens `[B, S, d]`.
            text: embedded text `[B, L, d]`.
            modulation: `[B, groups, 6, d]`, S divisible by groups; tokens of a group share a modulation.
            rotation: rotary tables of the S tokens.
            bias: self-attention mask or bias over (S, past + S), or None.
            past: cached keys and values that precede the block's own.

        Returns: the new tokens, and the block's own keys and values.
        """
        shift, scale, gate, ff_shift, ff_scale, ff_gate = self._modulations(modulation)
        normed = modulate(self.norm1(x), scale, shift).type_as(x)
        own = self.attn1.keys_values(normed, rotation)
        seen = own if past is None else (torch.cat((past[0], own[0]), 1), torch.cat((past[1], own[1]), 1))
        x = gated(x, self.attn1(normed, seen, bias, rotation), gate)
        x = x + self.attn2(self.norm2(x).type_as(x), self.attn2.keys_values(text)).type_as(x)
        normed = modulate(self.norm3(x), ff_scale, ff_shift).type_as(x)
        return gated(x, self.ffn(normed), ff_gate), own
