"""From scenes to pixels: two passes of the shading over tiles, in chunks of fixed shapes.

The first pass draws every frame without its objects and finds the tiles that an object touches; the second draws
those tiles in full. Each pass is compiled once; without a compiler the same functions run eagerly.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .layout import FRAME_WIDTH, LAYOUT, OBJECT_WIDTH
from .motion import FIELD
from .packing import frame_parameters
from .scene import Scene
from .shading import needs, shade

log = logging.getLogger(__name__)
TILE = 8
_BAND = 256  # tiles in a row of the first pass: a whole frame of 128x128
# Rows of a chunk in the first and the second pass.
_ROWS = {"cpu": (33, 1024), "cuda": (528, 65536)}


def _draw(table: Tensor, px: Tensor, py: Tensor, objects: int) -> Tensor:
    """One chunk in full: uint8 ``[rows, 3, pixels]``."""
    r, g, b = shade(table, px, py, objects)
    return torch.stack([r.to(torch.uint8), g.to(torch.uint8), b.to(torch.uint8)], dim=1)


def _backdrop(table: Tensor, px: Tensor, py: Tensor) -> tuple[Tensor, Tensor]:
    """The picture without objects, and 1 (object 0) + 2 (object 1) where they are needed: uint8 ``[rows, pixels]``."""
    first, second = needs(table, px, py)
    return _draw(table, px, py, 0), first.to(torch.uint8) + second.to(torch.uint8) * 2


def _one(table: Tensor, px: Tensor, py: Tensor) -> Tensor:
    return _draw(table, px, py, 1)


def _two(table: Tensor, px: Tensor, py: Tensor) -> Tensor:
    return _draw(table, px, py, 2)


_broken: set[str] = set()  # device types on which compilation failed
# Compiling takes minutes of a CPU: worth it once a process has asked for this many pixels (64 clips of 128x128x33).
_WORTH = 64 * 33 * 128 * 128
_asked = 0


def _is_worth_compiling(pixels: int) -> bool:
    global _asked
    _asked += pixels
    return os.environ.get("ANYFLOW_WORLDS_EAGER") != "1" and _asked >= _WORTH


@cache
def _compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    # One loop over the pixels with nearly everything in registers: let all of it fuse.
    options = {"max_fusion_size": 100_000, "cpp.max_horizontal_fusion_size": 100_000}
    return torch.compile(function, dynamic=False, fullgraph=True, options=options)


def _run(function: Callable[..., Any], rows: int | None, table: Tensor, px: Tensor, py: Tensor) -> Any:
    """Call ``function`` compiled for chunks of ``rows`` rows (the result may be padded), or eagerly if None."""
    kind = table.device.type
    if rows is not None and kind not in _broken:
        try:
            return _compiled(function)(_padded(table, rows), px, py)
        except Exception as error:  # no C++ compiler or no Triton: slower, but the same picture
            _broken.add(kind)
            log.warning("worlds: torch.compile failed on %s (%s); drawing without it", kind, str(error)[:200])
    return function(table, px, py)


def _padded(table: Tensor, rows: int) -> Tensor:
    """Pad to the one fixed shape with copies of the last row."""
    if len(table) < rows:
        table = torch.cat([table, table[-1:].expand(rows - len(table), -1)])
    return table.contiguous()


def _swapped(table: Tensor) -> Tensor:
    """The same scenes with objects 0 and 1 exchanged."""
    a, b = FRAME_WIDTH, FRAME_WIDTH + OBJECT_WIDTH
    return torch.cat([table[:, :a], table[:, b:], table[:, a:b]], dim=1)


@torch.no_grad()
def render(
    scenes: Sequence[Scene],
    size: int,
    frames: int,
    device: str | torch.device = "cpu",
    compiled: bool | None = None,
    planned: int | None = None,
) -> Tensor:
    """Draw clips. Give many scenes at once: chunks have a fixed size.

    Args:
        scenes: B scenes.
        size: height and width in pixels, at least 16.
        frames: T frames at 16 a second.
        device: where to draw, and where the result is.
        compiled: use ``torch.compile``. By default as soon as the process has asked for enough to repay the minutes
            that compiling takes, and never with ANYFLOW_WORLDS_EAGER=1. Compiled and eager pictures agree to
            rounding: within 2/255 on 99.9% of the values. For the same bytes every time, say True or False.
        planned: frames of the clip that motions are laid out for (what rolls past crosses the picture in that time); by
            default ``frames``. A longer clip with ``planned`` begins with the frames of the clip that is so long.

    Returns: uint8 ``[B, T, 3, H, W]``, sRGB. Clip i depends on scene i alone, not on the batch.
    Raises ValueError for no scenes, fewer than 16 pixels or no frames.
    """
    if size < 16 or frames < 1:
        raise ValueError(f"cannot draw {frames} frames of {size} pixels: need at least 1 frame and 16 pixels")
    if not scenes:
        raise ValueError("nothing to draw: give at least one scene")
    device = torch.device(device)
    if compiled is None:
        compiled = _is_worth_compiling(len(scenes) * frames * size * size)
    band_rows, tile_rows = _ROWS["cpu" if device.type == "cpu" else "cuda"]
    side = -(-size // TILE)
    pixel = 2.0 * FIELD / size

    # Positions on the image plane: of the tiles' corners, and of the pixels within a tile.
    tile = torch.arange(side * side, device=device)
    column, row = (tile % side) * (TILE * pixel) - FIELD, FIELD - (tile // side) * (TILE * pixel)
    within = torch.arange(TILE * TILE, device=device)
    tx, ty = ((within % TILE) + 0.5) * pixel, -((within // TILE) + 0.5) * pixel

    table = torch.from_numpy(np.concatenate([frame_parameters(s, frames, planned) for s in scenes]))
    table[:, LAYOUT["pixel"][0]] = pixel
    table = table.to(device)
    drawn = torch.empty(len(table), side * side, 3, TILE * TILE, dtype=torch.uint8, device=device)
    needed = torch.empty(len(table), side * side, dtype=torch.uint8, device=device)
    band = min(_BAND, side * side)
    for start in range(0, len(table), band_rows):
        chunk = table[start : start + band_rows]
        count = len(chunk)
        for first in range(0, side * side, band):
            tiles = torch.arange(first, first + band, device=device).clamp(max=side * side - 1)
            px, py = (column[tiles, None] + tx).reshape(1, -1), (row[tiles, None] + ty).reshape(1, -1)
            picture, mask = _run(_backdrop, band_rows if compiled else None, chunk, px, py)
            some = min(band, side * side - first)
            picture = picture[:count].reshape(count, 3, band, -1)[:, :, :some].transpose(1, 2)
            mask = mask[:count].reshape(count, band, -1)[:, :some]
            drawn[start : start + count, first : first + some] = picture
            needed[start : start + count, first : first + some] = (mask & 1).amax(-1) | (mask & 2).amax(-1)

    column_at, row_at = LAYOUT["column"][0], LAYOUT["row"][0]
    px, py = tx.float().reshape(1, -1), ty.float().reshape(1, -1)
    for which, function in ((1, _one), (2, _one), (3, _two)):
        at = (needed == which).nonzero()
        source = _swapped(table) if which == 2 and len(at) else table
        for start in range(0, len(at), tile_rows):
            frame, place = at[start : start + tile_rows].unbind(1)
            part = source[frame]
            part[:, column_at], part[:, row_at] = column[place], row[place]
            out = _run(function, tile_rows if compiled else None, part, px, py)
            drawn[frame, place] = out[: len(frame)]

    picture = drawn.reshape(len(scenes), frames, side, side, 3, TILE, TILE).permute(0, 1, 4, 2, 5, 3, 6)
    return picture.reshape(len(scenes), frames, 3, side * TILE, side * TILE)[..., :size, :size].contiguous()
