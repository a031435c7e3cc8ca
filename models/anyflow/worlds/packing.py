"""Per-frame shading parameters of a scene, from its trajectories and the vocabulary's looks."""

from __future__ import annotations

from math import cos, sin

import numpy as np

from .bodies import PENUMBRA
from .layout import LAYOUT, PARAMETERS
from .motion import camera_path, trajectory
from .scene import Scene
from .vocabulary import COLOURS, FPS, PLACES, SHAPES, stripe_colour


def frame_parameters(scene: Scene, frames: int, planned: int | None = None) -> np.ndarray:
    """``[frames, PARAMETERS]`` float32 for one scene (pixel size and row offset are filled in later).

    ``planned``: as for `render`.
    """
    out = np.zeros((frames, PARAMETERS))
    t = np.arange(frames) / FPS
    span = None if planned is None else (planned - 1) / FPS

    def put(name: str, value: object) -> None:
        at, width = LAYOUT[name]
        out[:, at : at + width] = np.asarray(value, dtype=np.float64).reshape(-1, width)

    place = PLACES[scene.place]
    eye, axes = camera_path(scene, t, span)
    for name, value in (("camera", eye), ("right", axes[:, 0]), ("up", axes[:, 1]), ("forward", axes[:, 2])):
        put(name, value)
    # The light stays on the camera's side, so that what faces the viewer is lit.
    angle = scene.azimuth + scene.sun_azimuth
    sun = np.array([sin(angle) * 1.1, place.sun_height, cos(angle) * 0.8])
    sun /= np.linalg.norm(sun)
    put("sun_direction", sun)
    for name in ("sky_top", "sky_horizon", "sun", "ambient", "ground_a", "ground_b"):
        put(name, getattr(place, name))
    for name in ("patches", "dunes", "waves", "grid", "mirror", "fog"):
        put(name, [getattr(place, name)])
    put("phase", (scene.wind + 2.2 * t)[:, None])

    for i, thing in enumerate(scene.things):
        partner = scene.things[1 - i] if len(scene.things) == 2 else None
        position, rotation = trajectory(thing, t, partner, span)
        shape = SHAPES[thing.object]
        put(f"centre{i}", position)
        for k, axis in enumerate("xyz"):
            put(f"axis_{axis}{i}", rotation[:, :, k])
        put(f"scale{i}", [thing.size])
        put(f"shape{i}", shape.values)
        put(f"eye{i}", np.einsum("tij,ti->tj", rotation, eye - position) / thing.size)
        put(f"light{i}", np.einsum("tij,i->tj", rotation, sun))
        put(f"colour{i}", COLOURS[thing.colour])
        put(f"stripe_colour{i}", stripe_colour(COLOURS[thing.colour]))
        put(f"stripe{i}", [shape.stripe])
        put(f"shiny{i}", [float(thing.material == "shiny")])
        put(f"glow{i}", [float(thing.material == "glowing")])
    if len(scene.things) == 2:
        for i in range(2):
            _mark_shaded(out, scene, i, sun)
    return out.astype(np.float32)


def _mark_shaded(out: np.ndarray, scene: Scene, i: int, sun: np.ndarray) -> None:
    """Mark the frames in which object ``i`` could lie in the other's shadow (bounding spheres against the light)."""
    at = [LAYOUT[f"centre{k}"][0] for k in (i, 1 - i)]
    radius = [scene.things[k].size * SHAPES[scene.things[k].object].bound for k in (i, 1 - i)]
    between = out[:, at[1] : at[1] + 3] - out[:, at[0] : at[0] + 3]
    ahead = between @ sun
    aside = np.linalg.norm(between - ahead[:, None] * sun, axis=1)
    reach = sum(radius)
    out[:, LAYOUT["shaded"][0] + i] = (ahead > -reach - 0.1) & (aside - reach < (ahead + reach + 0.1) / PENUMBRA)
