"""The parameter table of the shading: which columns of a ``[rows, PARAMETERS]`` float32 tensor hold what."""

from __future__ import annotations

from torch import Tensor

from .vectors import Vec

_FRAME_FIELDS = {
    "camera": 3, "right": 3, "up": 3, "forward": 3, "pixel": 1, "row": 1, "column": 1, "shaded": 2, "phase": 1,
    "sky_top": 3, "sky_horizon": 3, "sun": 3, "sun_direction": 3, "ambient": 3,
    "ground_a": 3, "ground_b": 3, "patches": 1, "dunes": 1, "waves": 1, "grid": 1, "mirror": 1, "fog": 1,
}  # fmt: skip
_OBJECT_FIELDS = {
    "centre": 3, "axis_x": 3, "axis_y": 3, "axis_z": 3, "scale": 1, "shape": 8, "eye": 3, "light": 3,
    "colour": 3, "stripe_colour": 3, "stripe": 1, "shiny": 1, "glow": 1,
}  # fmt: skip


def _layout() -> tuple[dict[str, tuple[int, int]], int]:
    slots: dict[str, tuple[int, int]] = {}
    at = 0
    fields = dict(_FRAME_FIELDS)
    for index in range(2):
        fields |= {f"{name}{index}": width for name, width in _OBJECT_FIELDS.items()}
    for name, width in fields.items():
        slots[name] = (at, width)
        at += width
    return slots, at


LAYOUT, PARAMETERS = _layout()
OBJECT_WIDTH = sum(_OBJECT_FIELDS.values())
FRAME_WIDTH = PARAMETERS - 2 * OBJECT_WIDTH


class Parameters:
    """Named access to the columns of a table; every value is ``[rows, 1]``."""

    def __init__(self, table: Tensor):
        self._table = table

    def one(self, name: str, index: int = 0) -> Tensor:
        at = LAYOUT[name][0] + index
        return self._table[:, at : at + 1]

    def vec(self, name: str) -> Vec:
        return (self.one(name), self.one(name, 1), self.one(name, 2))

    def many(self, name: str) -> tuple[Tensor, ...]:
        return tuple(self.one(name, i) for i in range(LAYOUT[name][1]))
