"""Timestep and text conditioning: the dual-timestep embedding of AnyFlow (arXiv 2605.13724) and the text projection."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from anyflow.rope import Float32Module

TIMESTEP_SCALE = 1000.0
"""The network sees sigmas multiplied by this."""

# 2 pi as a short number, whose product with a small integer is exact in float32, plus the remainder (Cody and Waite).
_TWO_PI_HIGH = 6.28125
_TWO_PI_LOW = 2 * math.pi - _TWO_PI_HIGH


def reduce_angle(angle: Tensor) -> Tensor:
    """Bring angles to -pi..pi: sine and cosine of large arguments are inaccurate on GPUs."""
    turns = torch.floor(angle * (1 / (2 * math.pi)) + 0.5)
    return (angle - turns * _TWO_PI_HIGH) - turns * _TWO_PI_LOW


class Sinusoid(Float32Module):
    """Cosines, then sines, of a timestep at `channels / 2` frequencies from 1 down to 1/10000."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        half = channels // 2
        exponent = -math.log(10000) * torch.arange(half, dtype=torch.float32) / half
        self.register_buffer("frequencies", exponent.exp(), persistent=False)

    def forward(self, timestep: Tensor) -> Tensor:
        """Float32 `[...]` (0..1000) to `[..., channels]`."""
        angle = reduce_angle(timestep.float().unsqueeze(-1) * self.frequencies)
        return torch.cat((angle.cos(), angle.sin()), dim=-1)


class TwoLayer(nn.Module):
    """`linear_1`, an activation, `linear_2`."""

    def __init__(self, inputs: int, dim: int, activation: str) -> None:
        super().__init__()
        self.activation = activation
        self.linear_1 = nn.Linear(inputs, dim)
        self.linear_2 = nn.Linear(dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.linear_1(x)
        hidden = F.silu(hidden) if self.activation == "silu" else F.gelu(hidden, approximate="tanh")
        return self.linear_2(hidden)


class ConditionEmbedder(nn.Module):
    """Mixes the embeddings of t and r by a fixed gate and projects the text."""

    def __init__(self, dim: int, freq_dim: int, text_dim: int, gate_value: float, deltatime_type: str) -> None:
        super().__init__()
        self.gate_value = gate_value
        self.deltatime_type = deltatime_type
        self.timesteps_proj = Sinusoid(freq_dim)
        self.time_embedder = TwoLayer(freq_dim, dim, "silu")
        self.delta_embedder = TwoLayer(freq_dim, dim, "silu")
        self.time_proj = nn.Linear(dim, 6 * dim)
        self.text_embedder = TwoLayer(text_dim, dim, "gelu_tanh")

    def times(self, t: Tensor, r: Tensor) -> tuple[Tensor, Tensor]:
        """Embed sigma pairs.

        Args:
            t, r: sigmas 0..1, `[B, N]`.

        Returns: `(1 - g) temb(t) + g demb(r)` as `[B, N, d]`, and its projection `[B, N, 6, d]` for the blocks.
        """
        delta = r if self.deltatime_type == "r" else t - r
        dtype = self.time_proj.weight.dtype
        # Autocast would round the embedding to three digits, and the loss takes differences of it over 1/100.
        with torch.autocast(t.device.type, enabled=False):
            of_t = self.time_embedder(self.timesteps_proj(t * TIMESTEP_SCALE).to(dtype))
            of_r = self.delta_embedder(self.timesteps_proj(delta * TIMESTEP_SCALE).to(dtype))
            embedding = (1 - self.gate_value) * of_t + self.gate_value * of_r
            return embedding, self.time_proj(F.silu(embedding)).unflatten(-1, (6, -1))
