"""Does the thing in a clip move as things do? Judged by its path and its size, against renders with the same motion.

The object is what stands out from its row of pixels (sky and ground change from row to row far more than along one). Its
path is rough where position jumps between frames, its size unsteady where it swells and shrinks. A clip is plausible when
neither passes what 95 in 100 renders of that motion and place keep within; so renders score a little over 0.9.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence

import numpy as np
import torch
from torch import Tensor

_STANDS_OUT = 30.0
"""Distance in RGB levels from the row's median at which a pixel counts as the object: above the ground's texture."""
_QUANTILE = 0.95
_LEAST_RENDERS = 10


def track(video: Tensor) -> Tensor:
    """Path and size of what stands out: ``[T, 3]`` x, y, and the square root of its area, all in pixels.

    Args:
        video: uint8 ``[T, 3, H, W]``.

    Returns: nan where fewer than 4 pixels stand out (nothing there, or gone out of the picture).
    """
    pixels = video.float()
    distance = (pixels - pixels.median(dim=-1, keepdim=True).values).square().sum(1)
    mask = (distance > _STANDS_OUT**2).float()
    area = mask.sum((1, 2))
    height, width = mask.shape[1:]
    x = (mask.sum(1) * torch.arange(width)).sum(1) / area
    y = (mask.sum(2) * torch.arange(height)).sum(1) / area
    path = torch.stack((x, y, area.sqrt()), 1)
    return torch.where((area < 4)[:, None], torch.nan, path)


def roughness(video: Tensor) -> np.ndarray:
    """How far a clip's object is from moving evenly: mean size of the second difference of its place (pixels a frame
    squared) and of the logarithm of its size. Nothing to be seen in three frames on end gives infinity. ``[2]``
    """
    path = track(video)
    path[:, 2] = path[:, 2].log()
    second = path[2:] - 2 * path[1:-1] + path[:-2]
    second = second[~second.isnan().any(1)]
    if len(second) == 0:
        return np.array([np.inf, np.inf])
    return np.array([float(second[:, :2].norm(dim=1).mean()), float(second[:, 2].abs().mean())])


class MotionJudge:
    """Limits of every kind of clip, from renders.

    Args:
        renders: uint8 ``[T, 3, H, W]`` each.
        kinds: of each render, what its limits depend on: motion and place (a neon grid's lines stand out too). A kind with
            fewer than ten renders is held to the limits of all of them.
    """

    def __init__(self, renders: Iterable[Tensor], kinds: Sequence[Hashable]):
        values = np.array([roughness(video) for video in renders])
        groups: dict[Hashable, list[int]] = {}
        for index, kind in enumerate(kinds):
            groups.setdefault(kind, []).append(index)
        self._of_all = _limit(values)
        self._limits = {kind: _limit(values[rows]) for kind, rows in groups.items() if len(rows) >= _LEAST_RENDERS}

    def plausible(self, videos: Iterable[Tensor], kinds: Sequence[Hashable]) -> np.ndarray:
        """0 or 1 for each clip ``[N]``; ``kinds`` are those that were asked for."""
        kept = [roughness(video) <= self._limits.get(kind, self._of_all) for video, kind in zip(videos, kinds, strict=True)]
        return np.array([float(each.all()) for each in kept])


def _limit(values: np.ndarray) -> np.ndarray:
    # "higher": between a finite and an infinite value there is nothing to interpolate.
    return np.quantile(values, _QUANTILE, axis=0, method="higher")
