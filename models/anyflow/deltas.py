"""Weights of one network as their difference from another's, in four bits: a quarter of fp16's size.

Networks that were trained from the same start lie close together, so their difference is small and survives coarse steps:
a matrix's row (all that one output is made of) has fifteen evenly spaced values, its scale in fp16; biases and norms, few as they are,
are kept in fp16 as they are. For measuring what was trained, not for training on.
"""

from __future__ import annotations

import torch
from torch import Tensor

LEVELS = 7  # on each side of zero
_SCALE, _CODES = ".scale", ".codes"


def encode(state: dict[str, Tensor], base: dict[str, Tensor]) -> dict[str, Tensor]:
    """``state`` less ``base``, both of the same names and shapes: what `decode` takes.

    Raises:
        ValueError: if the two are not of one network.
    """
    wrong = sorted(name for name in state if name not in base or state[name].shape != base[name].shape)
    if wrong or len(state) != len(base):
        raise ValueError(f"the base is of another network: {(wrong or sorted(base.keys() - state.keys()))[0]}")
    packed: dict[str, Tensor] = {}
    for name, value in state.items():
        if value.dim() < 2 or not value.is_floating_point():
            packed[name] = value.half() if value.is_floating_point() else value
            continue
        rows = (value.float() - base[name].float()).flatten(1)
        scale = (rows.abs().amax(1, keepdim=True) / LEVELS).half()
        codes = (rows / scale.float().clamp_min(1e-12)).round().clamp(-LEVELS, LEVELS).add(8).to(torch.uint8).flatten()
        if len(codes) % 2:
            codes = torch.cat([codes, codes.new_zeros(1)])
        packed[name + _SCALE], packed[name + _CODES] = scale[:, 0], codes[::2] | (codes[1::2] << 4)
    return packed


def decode(packed: dict[str, Tensor], base: dict[str, Tensor]) -> dict[str, Tensor]:
    """The state dict that `encode` was given, in float32 and up to half a step of each row's scale."""
    state: dict[str, Tensor] = {}
    for name, value in base.items():
        if name in packed:
            state[name] = packed[name].float() if packed[name].is_floating_point() else packed[name]
            continue
        codes = packed[name + _CODES]
        nibbles = torch.stack([codes & 15, codes >> 4], 1).flatten()[: value.numel()]
        rows = (nibbles.float() - 8).view(len(value), -1) * packed[name + _SCALE].float()[:, None]
        state[name] = value.float() + rows.view(value.shape)
    return state
