"""Objects: one signed distance function for all shapes, and what rays find there.

Sphere tracing after Hart (1996); the closest approach of a ray gives antialiased outlines and soft shadows.
"""

from __future__ import annotations

import torch
from torch import Tensor

from .layout import Parameters
from .vectors import Vec, add, along, dot, mix, mul, smooth, sub, unit

PENUMBRA = 6.0  # distance over clearance at which the light begins to be covered
HALO = 1.0 / 0.85  # reach of a glow, in object units
MIRROR_BLUR = 0.05  # how fast mirror images soften with distance
# Contact shade: height above the ground of the two samples, and the distance at which each ends.
_NEAR, _FAR = (0.15, 0.30), (0.60, 0.85)


def sdf(shape: tuple[Tensor, ...], p: Vec) -> Tensor:
    """Signed distance in object units from ``p`` to the shape (a lower bound near a cone's tip)."""
    width, corner, height, rounding, wall, taper, cosine, _ = shape
    inner = width - corner
    ax, az = p[0].abs() - inner, p[2].abs() - inner
    ax0, az0 = ax.clamp(min=0.0), az.clamp(min=0.0)
    flat = torch.sqrt(ax0 * ax0 + az0 * az0 + 1e-12) + torch.maximum(ax, az).clamp(max=0.0) - corner
    flat = (flat + wall).abs() - wall
    qx = (flat + taper * (p[1] + height)) * cosine + rounding
    qy = p[1].abs() - height + rounding
    qx0, qy0 = qx.clamp(min=0.0), qy.clamp(min=0.0)
    return torch.sqrt(qx0 * qx0 + qy0 * qy0 + 1e-12) + torch.maximum(qx, qy).clamp(max=0.0) - rounding


class Body:
    """One object's parameters, and rays in its own frame (rotated, and scaled to unit size)."""

    def __init__(self, p: Parameters, i: int):
        self.centre, self.eye, self.light = p.vec(f"centre{i}"), p.vec(f"eye{i}"), p.vec(f"light{i}")
        self.axes = (p.vec(f"axis_x{i}"), p.vec(f"axis_y{i}"), p.vec(f"axis_z{i}"))
        self.scale, self.shape = p.one(f"scale{i}"), p.many(f"shape{i}")
        self.colour, self.stripe_colour = p.vec(f"colour{i}"), p.vec(f"stripe_colour{i}")
        self.stripe, self.shiny, self.glow = p.one(f"stripe{i}"), p.one(f"shiny{i}"), p.one(f"glow{i}")

    def turn(self, v: Vec) -> Vec:
        return (dot(self.axes[0], v), dot(self.axes[1], v), dot(self.axes[2], v))

    def unturn(self, v: Vec) -> Vec:
        return add(add(mul(self.axes[0], v[0]), mul(self.axes[1], v[1])), mul(self.axes[2], v[2]))

    def local(self, p: Vec) -> Vec:
        return mul(self.turn(sub(p, self.centre)), 1.0 / self.scale)

    def trace(self, o: Vec, d: Vec, steps: int) -> tuple[Tensor, Tensor]:
        """Nearest distance to the surface on the ray, and where (both in object units)."""
        b = -dot(o, d)
        bound = self.shape[7]
        half = torch.sqrt((bound * bound - dot(o, o) + b * b).clamp(min=0.0))
        t = (b - half).clamp(min=0.0)
        end = (b + half).clamp(min=0.0)  # nothing behind the start
        nearest = torch.full_like(t, 1e3)
        where = t
        for _ in range(steps):
            h = sdf(self.shape, along(o, d, t))
            where = torch.where(h < nearest, t, where)
            nearest = torch.minimum(nearest, h)
            t = torch.minimum(t + h, end)
        return nearest, where

    def normal(self, p: Vec) -> Vec:
        """Unit normal in the world at local point ``p``, by differences over a tetrahedron."""
        e = 0.02
        a = sdf(self.shape, (p[0] + e, p[1] - e, p[2] - e))
        b = sdf(self.shape, (p[0] - e, p[1] - e, p[2] + e))
        c = sdf(self.shape, (p[0] - e, p[1] + e, p[2] - e))
        f = sdf(self.shape, (p[0] + e, p[1] + e, p[2] + e))
        return unit(self.unturn((a - b - c + f, -a - b + c + f, -a + b - c + f)))

    def base(self, p: Vec) -> Vec:
        """Surface colour at local point ``p``: a band across the object shows how it turns."""
        band = smooth((0.30 - p[0].abs()) * 9.0) * self.stripe
        return mix(self.colour, self.stripe_colour, band)

    def shadow(self, p: Vec, steps: int) -> Tensor:
        """Share of the sun that reaches world point ``p`` past this object (0..1), with a penumbra."""
        o = self.local(p)
        b = -dot(o, self.light)
        bound = self.shape[7]
        half = torch.sqrt((bound * bound - dot(o, o) + b * b).clamp(min=0.0))
        t = (b - half).clamp(min=0.03)
        end = (b + half).clamp(min=0.03)
        lit = torch.ones_like(t)
        for _ in range(steps):
            h = sdf(self.shape, along(o, self.light, t))
            lit = torch.minimum(lit, PENUMBRA * h / t)
            t = torch.minimum(t + h.clamp(min=0.03), end)
        return smooth(lit)

    def contact(self, p: Vec) -> Tensor:
        """Ambient light left at ground point ``p`` (0..1), from two samples of the distance above it."""
        o, up = self.local(p), (self.axes[0][1], self.axes[1][1], self.axes[2][1])
        near = sdf(self.shape, along(o, up, _NEAR[0])).clamp(min=0.0)
        far = sdf(self.shape, along(o, up, _FAR[0])).clamp(min=0.0)
        return (1.0 - 0.50 * (1.0 - near / _NEAR[1]).clamp(min=0.0)) * (1.0 - 0.45 * (1.0 - far / _FAR[1]).clamp(min=0.0))

    # Conservative tests with the bounding sphere: where could this object change the picture? ---------------------
    def _approach(self, o: Vec, d: Vec) -> tuple[Tensor, Tensor]:
        """Distance along a ray to its point closest to the centre, and the gap left to the bounding sphere there."""
        b = -dot(o, d)
        return b, torch.sqrt((dot(o, o) - b * b).clamp(min=0.0)) - self.shape[7]

    def seen(self, d: Vec, pixel: Tensor) -> Tensor:
        """True where a primary ray may meet the object or its glow."""
        b, gap = self._approach(self.eye, self.turn(d))
        return (gap < (b + self.shape[7]) * pixel) | (gap < self.glow * HALO)

    def touches(self, g: Vec) -> Tensor:
        """True where the ground may lie in the object's shadow or contact shade."""
        b, gap = self._approach(self.local(g), self.light)
        bound = self.shape[7]
        return ((gap * PENUMBRA < b + bound) & (b > -bound - 0.1)) | (self.contact(g) < 1.0)

    def mirrored(self, g: Vec, r: Vec, blur: Tensor) -> Tensor:
        """True where the ray ``r`` reflected at ``g`` may meet the object."""
        b, gap = self._approach(self.local(g), self.turn(r))
        return gap < blur / self.scale + MIRROR_BLUR * (b + self.shape[7]).clamp(min=0.0)

    def lamp(self, p: Vec) -> tuple[Vec, Tensor]:
        """Direction from ``p`` to the object, and the strength of its glow there."""
        to = sub(self.centre, p)
        square = dot(to, to) + 1e-6
        reach = self.scale * self.scale
        return mul(to, torch.rsqrt(square)), self.glow * reach / (square + 0.35 * reach)
