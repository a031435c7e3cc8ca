"""Sigma schedules. Reference: diffusers' `FlowMapEulerDiscreteScheduler`; DESIGN.md section 2."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from torch import Tensor

Sigma = TypeVar("Sigma", float, np.ndarray, Tensor)


def apply_shift(sigma: Sigma, shift: float) -> Sigma:
    """`k s / (1 + (k - 1) s)`: spends more of the schedule near noise for k > 1. 0 and 1 stay where they are."""
    return shift * sigma / (1 + (shift - 1) * sigma)


def sigmas(steps: int, shift: float) -> np.ndarray:
    """Sigmas of an N-step rollout, float64 `[steps + 1]`, from exactly 1 to exactly 0.

    Raises:
        ValueError: fewer than one step, or a shift that is not positive.
    """
    if steps < 1:
        raise ValueError(f"steps must be at least 1, got {steps}")
    if not shift > 0:
        raise ValueError(f"shift must be positive, got {shift}")
    return apply_shift(np.linspace(1.0, 0.0, steps + 1), shift)
