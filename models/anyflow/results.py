"""Evaluations of several models side by side: one JSON, its tables and one plot, quality against steps."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np

from .frechet import paired_bootstrap
from .results_table import NAMES, markdown

matplotlib.use("Agg")
from matplotlib import pyplot as plt

# What an evaluation says once for all its rows.
SHARED = ("model", "architecture", "method", "teacher", "clips", "seed", "frechet_floor")
# Methods that every other is compared with, pair by pair.
BASELINES = ("consistency", "student")


def gather(runs: Sequence[Path]) -> list[dict[str, Any]]:
    """Rows ``{model, architecture, method, teacher, nfe, clips, frechet, frechet_ci, prompt_accuracy, drift, seconds_per_clip, ...}``.

    ``frechet_over_consistency_ci``, ``frechet_over_student_ci``: paired 95% interval of the distance less that of the
    consistency or the stage 2 student of the same architecture, steps, prompts and seeds; null where there is none.
    ``frechet_since_4_ci``: likewise, less that of the same method at 4 steps, from where on consistency is said to get worse.
    ``drift``, ``drift_ci`` (of the last window, see `drift`), ``drift_windows`` and ``drift_clips`` are null where drift was not
    measured.

    Raises:
        FileNotFoundError: if nothing was evaluated.
    """
    rows = []
    for run in runs:
        folder = run / "evaluate"
        baselines = {name: _features(folder / f"{name}.npz") for name in BASELINES}
        for path in sorted(folder.glob("*.json")):
            if path.stem.endswith("-drift"):
                continue
            result, features = json.loads(path.read_text()), _features(path.with_suffix(".npz"))
            drift_path = folder / f"{path.stem}-drift.json"
            drift = json.loads(drift_path.read_text()) if drift_path.exists() else {"nfe": None, "clips": None}
            for row in result["rows"]:
                common = {key: result.get(key) for key in SHARED}
                steps = str(row["nfe"])
                over = {f"frechet_over_{name}_ci": _over(features, other, steps, steps) for name, other in baselines.items()}
                over["frechet_since_4_ci"] = _over(features, features, steps, "4")
                windows = drift["windows"] if drift["nfe"] == row["nfe"] else None
                last = windows[-1] if windows else {"drift": None, "drift_ci": None}
                drifted = {"drift": last["drift"], "drift_ci": last["drift_ci"], "drift_windows": windows}
                drifted["drift_clips"] = drift["clips"] if windows else None
                rows.append({**common, **row, **over, **drifted})
    if not rows:
        raise FileNotFoundError("nothing was evaluated: run `python -m anyflow evaluate` first")
    return rows


def _features(path: Path) -> dict[str, np.ndarray]:
    if not path.exists():
        return {}
    with np.load(path) as arrays:
        return dict(arrays)


def _over(features: dict[str, np.ndarray], other: dict[str, np.ndarray], steps: str, other_steps: str) -> list[float] | None:
    """Needs both to have been measured on the same clips."""
    if steps not in features or other_steps not in other or not np.allclose(features["real"], other["real"]):
        return None
    return list(paired_bootstrap(features[steps], other[other_steps], features["real"]))


def _not_measured_again(rows: list[dict[str, Any]], path: Path) -> list[dict[str, Any]]:
    """Rows of an earlier comparison, of methods that ``rows`` have nothing of. What compares them with students that were measured
    again is left out."""
    if not path.exists():
        return []
    again = {(row["architecture"], row["method"]) for row in rows}
    kept = [row for row in json.loads(path.read_text()) if (row["architecture"], row["method"]) not in again]
    for row in kept:
        for name in BASELINES:
            if (row["architecture"], name) in again:
                row[f"frechet_over_{name}_ci"] = None
    return kept


def _remarks(row: dict[str, Any], new: dict[str, Any]) -> str:
    """In what a kept row is not to be read beside what was measured anew."""
    teacher = "" if row.get("teacher") == new["teacher"] else ", another teacher"
    return teacher + ("" if row["clips"] == new["clips"] else f", {row['clips']} clips")


def _draw(rows: list[dict[str, Any]], new: dict[str, Any], path: Path) -> None:
    """Distance against steps, a panel an architecture; prompt accuracy in the last. A method has one colour in all."""
    architectures = sorted({row["architecture"] for row in rows}, reverse=True)
    width = 5 * (1 + len(architectures))
    figure, axes = plt.subplots(1, 1 + len(architectures), figsize=(width, 4.2), squeeze=False)
    *distances, accuracy = axes[0]
    for axis, architecture in zip(distances, architectures, strict=True):
        style = "-" if architecture == architectures[0] else "--"
        for number, (method, name) in enumerate(NAMES.items()):
            line = [row for row in rows if (row["architecture"], row["method"]) == (architecture, method)]
            if not line:
                continue
            line.sort(key=lambda row: row["nfe"])
            steps, colour = [row["nfe"] for row in line], f"C{number}"
            axis.plot(steps, [row["frechet"] for row in line], style, marker="o", color=colour, label=name + _remarks(line[0], new))
            axis.fill_between(steps, *zip(*(row["frechet_ci"] for row in line), strict=True), alpha=0.1, color=colour)
            accuracies = [100 * row["prompt_accuracy"] for row in line]
            accuracy.plot(steps, accuracies, style, marker="o", color=colour)
        axis.axhline(rows[0]["frechet_floor"], color="grey", linestyle=":", label=f"renders against renders, {new['clips']} clips")
        axis.set_title(f"{architecture}: distance (lower is better)", fontsize=10)
        axis.legend(fontsize=8, loc="upper center")
        axis.set_ylim(0, 1.1 * max(row["frechet_ci"][1] for row in rows))
    accuracy.set_title("prompt accuracy, %" + f" (dashed: {architectures[-1]})" * (len(architectures) > 1), fontsize=10)
    # Whole tens, so that tenths of a point do not look like cliffs.
    accuracy.set_ylim(10 * math.floor(10 * min(row["prompt_accuracy"] for row in rows) - 0.1), 100)
    for axis in axes[0]:
        axis.set_xscale("log", base=2)
        ticks = sorted({row["nfe"] for row in rows})
        axis.set_xticks(ticks, [str(tick) for tick in ticks])
        axis.set_xlabel("steps")
        axis.grid(alpha=0.3)
    figure.tight_layout()
    figure.savefig(path, dpi=90)
    plt.close(figure)


def compare(runs: Sequence[Path], out: Path) -> None:
    """Write ``any-step.json``, ``any-step.md`` (the same as tables) and ``any-step.png`` (Frechet distance and prompt accuracy
    against steps, a line a method).

    What an earlier comparison in ``out`` has of methods that ``runs`` lack stays; from another teacher, or with another number of
    clips (the fewer, the larger a distance comes out), its lines say so.
    """
    rows = gather(runs)
    new = rows[0]
    rows += _not_measured_again(rows, out / "any-step.json")
    out.mkdir(parents=True, exist_ok=True)
    (out / "any-step.json").write_text(json.dumps(rows, indent=1) + "\n")
    (out / "any-step.md").write_text(markdown(rows), encoding="utf-8")
    _draw(rows, new, out / "any-step.png")
    print(f"wrote {out / 'any-step.json'}, any-step.md and any-step.png")
