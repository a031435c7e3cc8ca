"""Which frames of a scene show its things, without drawing it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .layout import LAYOUT
from .motion import FIELD
from .packing import frame_parameters
from .scene import Scene


def in_picture(scene: Scene, frames: int, planned: int | None = None) -> NDArray[np.bool_]:
    """True in the frames in which the centres of all things lie in the picture: ``[frames]``. ``planned``: as for `render`."""
    table = frame_parameters(scene, frames, planned)

    def vector(name: str) -> NDArray[np.float32]:
        at, width = LAYOUT[name]
        return table[:, at : at + width]

    seen = np.ones(frames, dtype=bool)
    for index in range(len(scene.things)):
        away = vector(f"centre{index}") - vector("camera")
        x, y, depth = ((away * vector(name)).sum(1) for name in ("right", "up", "forward"))
        seen &= (depth > 0) & (np.abs(x) < FIELD * depth) & (np.abs(y) < FIELD * depth)
    return seen
