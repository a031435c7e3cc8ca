"""Where things are at each frame: trajectories under simple physics, and the camera's path.

All functions are numpy over time ``t`` (seconds, ``[T]``) and return positions ``[T, 3]`` and rotations ``[T, 3, 3]``
(columns are the object's axes in the world). y is up, the ground is y = 0, the camera looks from +z.
"""

from __future__ import annotations

from math import pi, sqrt

import numpy as np
from numpy.typing import NDArray

from .scene import Scene, Thing
from .vocabulary import GRAVITY, SHAPES

Array = NDArray[np.float64]
FIELD = 0.36  # tangent of half the vertical field of view


def _turn(axis: int, angle: Array) -> Array:
    """Rotation matrices ``[T, 3, 3]`` about the x, y or z axis."""
    c, s = np.cos(angle), np.sin(angle)
    out = np.zeros((len(angle), 3, 3))
    i, j = (axis + 1) % 3, (axis + 2) % 3
    out[:, axis, axis] = 1.0
    out[:, i, i], out[:, j, j] = c, c
    out[:, i, j], out[:, j, i] = -s, s
    return out


def bounce_height(t: Array, height: float, restitution: float, start: float = 0.0) -> Array:
    """Height over the floor of a body dropped from ``height``, each bounce keeping ``restitution`` of the speed.

    ``start`` shifts time along the motion.
    """
    clock = t + start
    speed = sqrt(2.0 * GRAVITY * height)
    at = speed / GRAVITY
    out = np.where(clock < at, height - 0.5 * GRAVITY * clock**2, 0.0)
    for _ in range(12):
        speed *= restitution
        if speed < 0.12:
            break
        last = 2.0 * speed / GRAVITY
        local = clock - at
        inside = (local >= 0.0) & (local < last)
        out = np.where(inside, speed * local - 0.5 * GRAVITY * local**2, out)
        at += last
    return np.maximum(out, 0.0)


def _tumble(travel: Array, half: float) -> tuple[Array, Array, Array]:
    """A cube of half-width ``half`` rolling over its edges: centre offset, centre height, angle turned."""
    side = 2.0 * half
    turns = np.floor(travel / side)
    angle = (travel / side - turns) * (pi / 2)
    radius = half * sqrt(2.0)
    along = turns * side + half - radius * np.cos(pi / 4 + angle)
    return along, radius * np.sin(pi / 4 + angle), turns * (pi / 2) + angle


def trajectory(thing: Thing, t: Array, partner: Thing | None, span: float | None = None) -> tuple[Array, Array]:
    """Position of the centre and rotation of an object at times ``t``.

    ``partner`` is the other object, which an orbiting one circles. ``span`` (seconds) is the length of clip that what rolls
    past is centred in; by default that of ``t``.
    """
    shape, size, way, pace = SHAPES[thing.object], thing.size, float(thing.direction), thing.pace
    zero = np.zeros_like(t)
    upright_ring = thing.object == "ring"
    rest = size * (shape.width if upright_ring else shape.height)
    pose = _turn(0, zero + pi / 2) if upright_ring else _turn(0, zero)
    x, y, z = zero + thing.x, zero + rest, zero + thing.z
    yaw = zero + thing.yaw
    extra = _turn(0, zero)
    motion = thing.motion

    if motion == "bounce":
        y = rest + bounce_height(t, 0.80 + 0.45 * pace, 0.80 + 0.06 * thing.phase, start=0.25 * thing.phase)
        if partner is None:
            x = x + way * (t - 1.0) * 0.25
        if thing.object == "ball":
            extra = _turn(2, -way * t * 1.6)
        else:
            yaw = yaw + way * 0.5 * t
    elif motion == "fall":
        drop = 1.75 + 0.35 * pace if partner is None else 2.0 + 0.3 * pace
        y = rest + bounce_height(t, drop, 0.28)
        yaw = yaw + way * 0.9 * np.minimum(t, sqrt(2.0 * drop / GRAVITY))
    elif motion == "roll":
        speed = 1.15 + 0.45 * pace
        slow = 0.12 * speed
        travel = speed * t - 0.5 * slow * t**2
        middle = 0.5 * travel[t <= (t[-1] if span is None else span)].max() if len(t) > 1 else 0.0
        yaw = zero + 0.18 * (thing.phase - 0.5)
        if thing.object == "cube":
            along, y, angle = _tumble(travel + 0.3 * thing.phase * size, size * shape.width)
            x = thing.x + way * (along - middle)
            extra = _turn(2, -way * angle)
        else:
            radius = size * shape.width
            y = zero + radius
            x = thing.x + way * (travel - middle)
            extra = _turn(2, -way * (travel / radius + 2 * pi * thing.phase))
            pose = _turn(0, zero) if thing.object == "ball" else _turn(0, zero + pi / 2)
    elif motion == "spin":
        yaw = yaw + way * (2.6 + 2.2 * pace) * t
    elif motion == "orbit":
        rate = 2.3 + 0.7 * pace
        angle = way * rate * t + 2 * pi * thing.phase
        cx, cz, reach = (0.0, 0.0, 0.85) if partner is None else (partner.x * 0.35, 0.0, 1.22)
        x, z = cx + reach * np.cos(angle), cz - reach * np.sin(angle)
        yaw = yaw + angle
    elif motion == "slide":
        # Constant friction: the speed falls linearly to zero at time `stop`.
        stop = 1.35 + 0.45 * pace
        left = np.clip(1.0 - t / stop, 0.0, 1.0)
        x = thing.x - way * 1.85 * left**2
    elif motion == "float":
        y = rest + 0.55 + 0.18 * pace + 0.20 * np.sin(2 * pi * (0.55 * t + thing.phase))
        yaw = yaw + way * 0.7 * t
        extra = _turn(2, 0.18 * np.sin(2 * pi * (0.45 * t + 0.3 + thing.phase)))

    if partner is not None and motion != "orbit" and partner.motion == "orbit":
        x, z = x * 0.0 + thing.x * 0.35, zero  # the body in the middle of an orbit
    return np.stack([x, y, z], axis=1), _turn(1, yaw) @ extra @ pose


def camera_path(scene: Scene, t: Array, span: float | None = None) -> tuple[Array, Array]:
    """Eye positions ``[T, 3]`` and camera axes ``[T, 3, 3]`` (rows: right, up, forward).

    The camera's way takes ``span`` seconds, by default all of ``t``, and then rests.
    """
    span = max(float(t[-1]) if span is None else span, 1e-6)
    ease = np.minimum(t / span, 1.0)
    way = float(scene.camera_direction)
    azimuth = scene.azimuth + np.zeros_like(t)
    reach = np.full_like(t, 5.3)
    shift = np.zeros_like(t)
    if scene.camera == "orbit":
        azimuth = azimuth + way * 0.75 * (ease - 0.5) * (span / 2.0)
    elif scene.camera == "zoom":
        reach = 6.6 - 2.1 * (ease * ease * (3 - 2 * ease))
    elif scene.camera == "pan":
        shift = way * 1.3 * (ease - 0.5) * (span / 2.0)
    direction = np.stack([np.sin(azimuth), np.zeros_like(t), np.cos(azimuth)], axis=1)
    right = np.stack([np.cos(azimuth), np.zeros_like(t), -np.sin(azimuth)], axis=1)
    target = np.array([0.0, 0.92, 0.0])
    eye = target + direction * reach[:, None]
    eye[:, 1] = 0.92 + 0.135 * reach
    forward = target - eye
    forward /= np.linalg.norm(forward, axis=1, keepdims=True)
    up = np.cross(right, forward)
    eye = eye + right * shift[:, None]
    return eye, np.stack([right, up, forward], axis=1)
