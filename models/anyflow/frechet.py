"""The Fréchet distance between two sets of feature vectors, with its sampling error."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np


def frechet_distance(a: np.ndarray, b: np.ndarray) -> float:
    """Distance of the Gaussians fitted to rows of ``a`` and ``b`` (Dowson and Landau 1982).

    It is biased upwards at few rows: compare it with the distance between two real sets of the same size.
    """
    mean = a.mean(0) - b.mean(0)
    first, second = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    # tr sqrt(A B) from the eigenvalues of A B, which are real and not negative for covariances.
    product = np.linalg.eigvals(first @ second).real.clip(min=0)
    return float(mean @ mean + np.trace(first) + np.trace(second) - 2 * np.sqrt(product).sum())


def bootstrap(a: np.ndarray, b: np.ndarray, rounds: int = 200) -> tuple[float, float]:
    """95% interval of the distance's sampling error, by resampling ``a`` around its own estimate."""
    return interval_around(lambda rows: frechet_distance(a[rows], b), len(a), rounds)


def paired_bootstrap(a: np.ndarray, other: np.ndarray, b: np.ndarray, rounds: int = 200) -> tuple[float, float]:
    """95% interval of ``frechet_distance(a, b) - frechet_distance(other, b)``, row i of ``a`` and ``other`` being one prompt
    and seed. Rows are drawn in pairs, so what both sets owe to the choice of prompts cancels: far narrower than the two
    distances' own intervals.
    """
    if len(a) != len(other):
        raise ValueError(f"pairs need equally many rows, got {len(a)} and {len(other)}")
    return interval_around(lambda rows: frechet_distance(a[rows], b) - frechet_distance(other[rows], b), len(a), rounds)


def interval_around(figure: Callable[[np.ndarray], float], size: int, rounds: int = 200) -> tuple[float, float]:
    """Bootstrap interval of ``figure`` of some rows. It is laid around the estimate: resampled distances are biased upwards."""
    rng = np.random.default_rng(0)
    centre = figure(np.arange(size))
    draws = np.array([figure(rng.integers(size, size=size)) for _ in range(rounds)])
    spread = np.quantile(draws - draws.mean(), [0.025, 0.975])
    return centre + float(spread[0]), centre + float(spread[1])


def share_interval(right: np.ndarray, rounds: int = 1000) -> tuple[float, float]:
    """95% bootstrap interval of the mean of ``right`` ``[N]``."""
    rng = np.random.default_rng(0)
    draws = right[rng.integers(len(right), size=(rounds, len(right)))].mean(1)
    low, high = np.quantile(draws, [0.025, 0.975])
    return float(low), float(high)
