"""Three-component vectors as tuples of tensors: plain elementwise code that fuses."""

from __future__ import annotations

import torch
from torch import Tensor

Vec = tuple[Tensor, Tensor, Tensor]


def dot(a: Vec, b: Vec) -> Tensor:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def add(a: Vec, b: Vec) -> Vec:
    return (a[0] + b[0], a[1] + b[1], a[2] + b[2])


def sub(a: Vec, b: Vec) -> Vec:
    return (a[0] - b[0], a[1] - b[1], a[2] - b[2])


def mul(a: Vec, s: Tensor | float) -> Vec:
    return (a[0] * s, a[1] * s, a[2] * s)


def times(a: Vec, b: Vec) -> Vec:
    return (a[0] * b[0], a[1] * b[1], a[2] * b[2])


def along(o: Vec, d: Vec, t: Tensor | float) -> Vec:
    return (o[0] + d[0] * t, o[1] + d[1] * t, o[2] + d[2] * t)


def mix(a: Vec, b: Vec, s: Tensor | float) -> Vec:
    return (a[0] + (b[0] - a[0]) * s, a[1] + (b[1] - a[1]) * s, a[2] + (b[2] - a[2]) * s)


def pick(mask: Tensor, a: Vec, b: Vec) -> Vec:
    return (torch.where(mask, a[0], b[0]), torch.where(mask, a[1], b[1]), torch.where(mask, a[2], b[2]))


def unit(a: Vec) -> Vec:
    return mul(a, torch.rsqrt(dot(a, a) + 1e-12))


def smooth(x: Tensor) -> Tensor:
    x = x.clamp(0.0, 1.0)
    return x * x * (3.0 - 2.0 * x)


def sine(x: Tensor) -> Tensor:
    """sin(x) within 0.0011, from a parabola and its square: enough for textures, a fifth of the cost."""
    turn = x * 0.15915494309189535
    turn = turn - torch.round(turn)
    arc = turn * (8.0 - 16.0 * turn.abs())
    return arc + 0.225 * (arc * arc.abs() - arc)


def cosine(x: Tensor) -> Tensor:
    return sine(x + 1.5707963267948966)
