"""Training curves as a PNG."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np


def read_log(path: Path) -> dict[str, np.ndarray]:
    """Columns of a ``log.jsonl``; after a resume the rows of repeated steps count once (the last written)."""
    rows: dict[int, dict[str, float]] = {}
    for line in path.read_text().splitlines():
        try:
            row = json.loads(line)
        except json.JSONDecodeError:  # a kill in the middle of a write leaves half a line
            continue
        rows[row["step"]] = row
    names = sorted({name for row in rows.values() for name in row})
    ordered = [rows[step] for step in sorted(rows)]
    return {name: np.array([row.get(name, np.nan) for row in ordered]) for name in names}


def smooth(values: np.ndarray, window: int) -> np.ndarray:
    """Running mean over ``window`` values, NaN ignored, same length."""
    good = np.isfinite(values)
    kernel = np.ones(window)
    total = np.convolve(np.where(good, values, 0), kernel, "same")
    count = np.convolve(good.astype(float), kernel, "same")
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def plot_curves(log: Path, out: Path, title: str) -> None:
    """Draw every logged figure against the step, smoothed, one panel a figure."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    columns = read_log(log)
    steps = columns.pop("step")
    figure, axes = plt.subplots(1, len(columns), figsize=(3.2 * len(columns), 2.8), squeeze=False)
    window = max(1, len(steps) // 50)
    for axis, (name, values) in zip(axes[0], columns.items(), strict=True):
        axis.plot(steps, values, color="#c8d4e8", linewidth=0.6)
        axis.plot(steps, smooth(values, window), color="#2456a6", linewidth=1.4)
        if np.nanmin(values) > 0:
            axis.set_yscale("log")
        axis.set_title(name)
        axis.set_xlabel("step")
    figure.suptitle(title)
    figure.tight_layout()
    figure.savefig(out, dpi=80)
    plt.close(figure)
