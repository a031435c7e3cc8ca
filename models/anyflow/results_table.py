"""The rows of `results` as Markdown: for every architecture a table, a column a step count."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Row = dict[str, Any]

NAMES = {
    "student": "AnyFlow, stage 2",
    "onpolicy": "AnyFlow, stages 2 and 3",
    "consistency": "consistency",
    "teacher": "teacher, Euler, guided",
}


def _interval(name: str, sign: str = "") -> Callable[[Row], str]:
    def written(row: Row) -> str:
        ends = row.get(name)
        # A row compared with itself has no width.
        return f"{ends[0]:{sign}.0f} to {ends[1]:{sign}.0f}" if ends and any(ends) else ""

    return written


def _number(name: str, form: str) -> Callable[[Row], str]:
    return lambda row: "" if row.get(name) is None else f"{row[name]:{form}}"


MEASURES: dict[str, Callable[[Row], str]] = {
    "Fréchet distance": _number("frechet", ".0f"),
    "its 95% interval": _interval("frechet_ci"),
    "less that at its first count, paired": _interval("frechet_change_ci", "+"),
    "less that at 4 steps, paired": _interval("frechet_since_4_ci", "+"),
    "less consistency, paired": _interval("frechet_over_consistency_ci", "+"),
    "less stage 2, paired": _interval("frechet_over_student_ci", "+"),
    "prompt accuracy": _number("prompt_accuracy", ".1%"),
    "material, where named": lambda row: _number("material", ".0%")(row.get("accuracy", {})),
    "paraphrases": _number("paraphrase_accuracy", ".1%"),
    "motion plausible": _number("motion_plausible", ".0%"),
    "flicker": _number("flicker", ".2f"),
    "seconds a clip": _number("seconds_per_clip", ".2f"),
}


def _line(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _windows(windows: list[Row]) -> list[str]:
    drifts = [f"{window['drift']:+.0f} ({_interval('drift_ci', '+')(window)})" for window in windows[1:]]
    return [*(f"{window['frechet']:.0f}" for window in windows), *drifts]


def _drift(rows: list[Row]) -> list[str]:
    measured = [row for row in rows if row.get("drift_windows")]
    if not measured:
        return []
    chunks = [window["chunk"] for window in measured[0]["drift_windows"]]
    seen = ", ".join(map(str, chunks))
    heads = [*(f"to chunk {chunk}" for chunk in chunks), *(f"drift at {chunk}" for chunk in chunks[1:]), f"look right at {seen}"]
    lines = ["", "Drift: a window's distance above its own floor, less the first window's of the same clips.", ""]
    lines += [_line(["method", "steps", "clips", *heads]), _line(["---"] * (3 + len(heads)))]
    for row in sorted(measured, key=lambda row: list(NAMES).index(row["method"])):
        windows, name = row["drift_windows"], NAMES[row["method"]]
        right = ", ".join(f"{w['accuracy']:.0%}" for w in windows)
        lines.append(_line([name, str(row["nfe"]), str(row.get("drift_clips") or ""), *_windows(windows), right]))
        if all(window.get("staying") for window in windows):
            staying = [window["staying"] for window in windows]
            clips = ", ".join(str(window["clips"]) for window in staying)
            lines.append(_line(["those in the picture throughout", "", clips, *_windows(staying), ""]))
    return lines


def markdown(rows: list[Row]) -> str:
    """A document of ``any-step.json``'s rows. Measures that no row of a method has are left out."""
    lines = ["# Quality against steps", "", "Written by `python -m anyflow compare`; what the measures are: `models/README.md`."]
    for architecture in sorted({row["architecture"] for row in rows}, reverse=True):
        own = [row for row in rows if row["architecture"] == architecture]
        counts = sorted({row["nfe"] for row in own})
        said = sorted({f"{r['clips']} clips, seed {r['seed']}; renders against renders: {r['frechet_floor']:.1f}" for r in own})
        lines += ["", f"## {architecture.capitalize()}", "", "; ".join(said) + ".", ""]
        lines += [_line(["", *map(str, counts)]), _line(["---"] * (1 + len(counts)))]
        for method, name in NAMES.items():
            by_count = {row["nfe"]: row for row in own if row["method"] == method}
            for measure, written in MEASURES.items():
                cells = [written(by_count[count]) if count in by_count else "" for count in counts]
                if any(cells):
                    label = f"**{name}**: {measure}" if measure == "Fréchet distance" else measure
                    lines.append(_line([label, *cells]))
        lines += _drift(own)
    return "\n".join(lines) + "\n"
