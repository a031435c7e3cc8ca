"""The look: one pure pointwise function from rays and per-frame parameters to colour.

Everything is elementwise over ``[rows, pixels]`` with parameters ``[rows, 1]``, without branches on data, so that
``torch.compile`` fuses it. ``shade`` draws with 0, 1 or 2 objects; ``needs`` says which pixels could look different
with an object than without, so that most of a frame is drawn without any.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from .bodies import HALO, MIRROR_BLUR, Body, sdf
from .layout import Parameters
from .vectors import Vec, add, along, cosine, dot, mix, mul, pick, sine, smooth, sub, times, unit

PRIMARY_STEPS = 14
SHADOW_STEPS = 9
MIRROR_STEPS = 8


@dataclass
class _View:
    """What all parts of the picture share: the rays, where they meet the ground, and the mirror rays."""

    p: Parameters
    eye: Vec
    d: Vec  # unit direction of the primary ray
    far: Tensor  # distance to the ground
    g: Vec  # point on the ground
    detail: Tensor  # 1 near, 0 where texture would be finer than a few pixels
    normal: Vec  # of the ground (water has slopes)
    r: Vec  # mirror ray
    back: Tensor  # cosine between d and the ground's normal, negative
    blur: Tensor  # softness of mirror images where they begin, world units
    sky: Callable[[Vec], Vec]


def _view(p: Parameters, px: Tensor, py: Tensor) -> _View:
    sun_to, sun = p.vec("sun_direction"), p.vec("sun")
    sky_top, sky_horizon = p.vec("sky_top"), p.vec("sky_horizon")

    def sky(d: Vec) -> Vec:
        rise = 1.0 - torch.exp(-3.2 * d[1].clamp(min=0.0))
        towards = dot(d, sun_to).clamp(min=0.0)
        towards = towards * towards
        towards = towards * towards
        return add(mix(sky_horizon, sky_top, rise), mul(sun, 0.16 * towards * towards))

    eye = p.vec("camera")
    across, upward = px + p.one("column"), py + p.one("row")
    d = unit(along(along(p.vec("forward"), p.vec("right"), across), p.vec("up"), upward))
    far = (eye[1] / (-d[1]).clamp(min=0.01)).clamp(max=80.0)
    g = along(eye, d, far)
    x, z = g[0], g[2]
    detail = 1.0 / (1.0 + (far * 0.075) * (far * 0.075) * (far * 0.075))
    waves, phase = p.one("waves") * (0.25 + 0.75 * detail), p.one("phase")
    slope_x = cosine(x * 2.1 + phase + 0.8 * sine(z * 1.1)) + 0.6 * cosine(x * 3.7 - z * 1.9 - 1.3 * phase)
    slope_z = cosine(z * 2.9 - 1.2 * phase + 0.7 * sine(x * 1.3)) + 0.5 * cosine(z * 4.3 + x * 1.5 + phase)
    slope_x, slope_z = waves * slope_x, waves * slope_z
    normal = unit((slope_x, torch.ones_like(slope_x), slope_z))
    back = dot(d, normal)
    r = sub(d, mul(normal, 2.0 * back))
    r = unit((r[0], r[1].clamp(min=0.02), r[2]))
    return _View(p, eye, d, far, g, detail, normal, r, back, p.one("pixel") * far * 1.5, sky)


def needs(table: Tensor, px: Tensor, py: Tensor) -> tuple[Tensor, Tensor]:
    """Whether each pixel needs object 0, and object 1: boolean ``[rows, pixels]``, never wrongly false."""
    p = Parameters(table)
    view = _view(p, px, py)
    ground = view.d[1] < 0.0
    seen, wanted = [], []
    for i in range(2):
        body = Body(p, i)
        seen.append(body.seen(view.d, p.one("pixel")))
        below = body.touches(view.g) | ((p.one("mirror") > 0.0) & body.mirrored(view.g, view.r, view.blur))
        wanted.append((body.scale > 0.0) & (seen[i] | (ground & below)))
    shaded = [seen[i] & (p.one("shaded", i) > 0.0) for i in range(2)]
    return wanted[0] | shaded[1], wanted[1] | shaded[0]


def _ground(view: _View, things: list[Body], lamps: list[Body]) -> Vec:
    """Light that leaves the ground towards the eye."""
    p, far, (x, _, z) = view.p, view.far, view.g
    sun_to, sun, ambient = p.vec("sun_direction"), p.vec("sun"), p.vec("ambient")
    patch = sine(x * 1.3 + 0.9 * sine(z * 0.9 + 1.0)) + sine(z * 1.7 + 1.1 * sine(x * 0.7))
    dune = sine(z * 4.2 + 1.1 * sine(x * 0.9) + 0.35 * x)
    weave = 0.5 + (p.one("patches") * 0.25 * patch + p.one("dunes") * 0.5 * dune) * view.detail
    soil = mix(p.vec("ground_a"), p.vec("ground_b"), weave)

    lit = torch.ones_like(far)
    open_sky = torch.ones_like(far)
    for thing in things:
        lit = lit * (1.0 - (1.0 - thing.shadow(view.g, SHADOW_STEPS)) * (1.0 - 0.6 * thing.glow))
        open_sky = open_sky * thing.contact(view.g)
    pool: Vec = (torch.zeros_like(far),) * 3
    for lamp in lamps:
        to, strength = lamp.lamp(view.g)
        pool = add(pool, mul(lamp.colour, strength * (0.25 + 0.75 * to[1].clamp(min=0.0)) * 1.5))
    facing = dot(view.normal, sun_to).clamp(min=0.0)
    ground = times(soil, add(add(mul(sun, facing * lit), mul(ambient, open_sky)), pool))

    # Neon lines, wider and fainter far away.
    fx, fz = (x - torch.floor(x) - 0.5).abs(), (z - torch.floor(z) - 0.5).abs()
    softness = 0.0018 + 0.00016 * far * far
    line = torch.exp(-fx * fx / softness) + torch.exp(-fz * fz / softness)
    line = line * p.one("grid") * 0.0060 / softness * (0.4 + 0.6 * open_sky)
    ground = (ground[0] + 0.06 * line, ground[1] + 0.62 * line, ground[2] + 0.85 * line)

    # Mirror image.
    image = view.sky(view.r)
    for thing in things:
        o, local_r = thing.local(view.g), thing.turn(view.r)
        nearest, where = thing.trace(o, local_r, MIRROR_STEPS)
        at = along(o, local_r, where)
        # The slope of the distance towards the light is the cosine of the normal with it.
        towards = (sdf(thing.shape, along(at, thing.light, 0.05)) - sdf(thing.shape, at)) * 20.0
        colour = thing.base(at)
        shaded = times(colour, add(mul(sun, 0.85 * towards.clamp(min=0.0)), mul(ambient, 0.8)))
        shaded = mix(shaded, mul(colour, 1.3), thing.glow)
        soft = view.blur / thing.scale + MIRROR_BLUR * where
        image = mix(image, shaded, (1.0 - nearest / soft).clamp(0.0, 1.0))
    grazing = (1.0 + view.back).clamp(0.0, 1.0)
    grazing2 = grazing * grazing
    strength = p.one("mirror") * (1.0 + 5.0 * grazing2 * grazing2)
    ground = mix(ground, image, strength.clamp(max=0.85))

    haze = 1.0 - torch.exp(-(far / p.one("fog")) * (far / p.one("fog")))
    haze = torch.maximum(haze, (view.d[1] * 60.0 + 1.0).clamp(0.0, 1.0))
    return mix(ground, view.sky(view.d), haze)


def _surface(view: _View, thing: Body, t: Tensor, p_local: Vec, others: list[Body], lamp: Body) -> Vec:
    """Light that leaves an object towards the eye at distance ``t``."""
    p, d = view.p, view.d
    sun_to, sun, ambient = p.vec("sun_direction"), p.vec("sun"), p.vec("ambient")
    n = thing.normal(p_local)
    world = along(view.eye, d, t)
    colour = thing.base(p_local)
    lit = torch.ones_like(t)
    for other in others:
        lit = lit * (1.0 - (1.0 - other.shadow(along(world, n, 0.03), 6)) * (1.0 - 0.6 * other.glow))
    to, strength = lamp.lamp(world)
    extra = mul(lamp.colour, strength * (0.2 + 0.8 * dot(n, to)).clamp(min=0.0) * 1.5)
    above = 0.5 + 0.5 * n[1]
    corner = 1.0 - 0.55 * torch.exp(-2.6 * world[1].clamp(min=0.0)) * (1.0 - above)
    bounce = mul(times(p.vec("ground_b"), add(sun, ambient)), 0.42)
    # The whole environment lights the object: sky from above, ground from below.
    fill = mul(mix(bounce, mul(ambient, 1.15), above), corner)
    direct = mul(sun, (dot(n, sun_to) * 0.92 + 0.08).clamp(min=0.0) * lit)
    body = times(colour, add(add(direct, fill), extra))
    facing = (-dot(n, d)).clamp(0.0, 1.0)
    rim = 1.0 - facing
    rim2 = rim * rim
    reflected = add(d, mul(n, 2.0 * facing))
    seen = mix(bounce, view.sky(reflected), smooth(reflected[1] * 4.0 + 0.5))
    fresnel = thing.shiny * (0.08 + 0.70 * rim2 * rim2)
    gloss = dot(n, unit(sub(sun_to, d))).clamp(min=0.0)
    for _ in range(3):
        gloss = gloss * gloss
    sheen = gloss * gloss  # power 16: the broad, faint highlight of a matte surface
    sharp = sheen * sheen
    sharp = sharp * sharp  # power 64
    highlight = (thing.shiny * 1.5 * sharp + 0.035 * sheen) * lit
    body = add(mix(body, mul(seen, corner), fresnel), mul(sun, highlight))
    # A glow is brightest where it faces the viewer; the band shows less than on a lit surface.
    core = mul(mix(colour, thing.colour, 0.45), 0.88 + 0.50 * facing)
    white = 0.05 * facing * facing
    return mix(body, add(core, (white, white, white)), thing.glow)


def shade(table: Tensor, px: Tensor, py: Tensor, objects: int) -> tuple[Tensor, Tensor, Tensor]:
    """Colour of each ray.

    Args:
        table: ``[rows, PARAMETERS]`` float32, see ``layout``; a row is a frame or a tile of one.
        px, py: ``[1, pixels]`` position on the image plane at unit distance (y up), before the row's offset.
        objects: how many of the two objects to draw. Both light their surroundings if they glow.

    Returns: sRGB red, green, blue, each ``[rows, pixels]`` float32 in 0..255.
    """
    p = Parameters(table)
    view = _view(p, px, py)
    bodies = [Body(p, i) for i in range(2)]
    things = bodies[:objects]
    result = _ground(view, things, bodies)

    coverage, distance, surfaces = [], [], []
    for i, thing in enumerate(things):
        local_d = thing.turn(view.d)
        nearest, where = thing.trace(thing.eye, local_d, PRIMARY_STEPS)
        t = where * thing.scale
        edge = (1.0 - nearest * thing.scale / (p.one("pixel") * t)).clamp(0.0, 1.0)
        coverage.append(edge * ((view.far - t) * 16.0 + 0.5).clamp(0.0, 1.0))
        distance.append(t)
        others = [other for other in things if other is not thing]
        surfaces.append(_surface(view, thing, t, along(thing.eye, local_d, where), others, bodies[1 - i]))
        reach = (1.0 - nearest.clamp(min=0.0) * (1.0 / HALO)).clamp(min=0.0)
        # Coloured air, so that it shows before snow as well.
        result = mix(result, mul(thing.colour, 1.15), reach * reach * reach * thing.glow * 0.55)

    if objects == 2:
        key = [distance[i] + (coverage[i] < 0.5) * (1100.0 - 1000.0 * coverage[i]) for i in range(2)]
        second = key[1] < key[0]
        covered = torch.where(second, coverage[1], coverage[0])
        result = mix(result, pick(second, surfaces[1], surfaces[0]), covered)
    elif objects == 1:
        result = mix(result, surfaces[0], coverage[0])
    return (_encode(result[0]), _encode(result[1]), _encode(result[2]))


def _encode(x: Tensor) -> Tensor:
    """Linear light to display values in 0..255: a shoulder above 0.7, then a 1/2.2 power."""
    x = x.clamp(min=1e-5)
    over = (x - 0.7).clamp(min=0.0)
    x = x.clamp(max=0.7) + 0.3 * (1.0 - torch.exp(-over * (1.0 / 0.3)))
    return (torch.exp2(torch.log2(x) * (1.0 / 2.2)) * 255.0 + 0.5).clamp(0.0, 255.0)
