"""Comparisons: what is gathered, and what of an earlier one stays."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from anyflow.results import compare


def evaluation(run: Path, architecture: str, method: str, teacher: str, frechet: float) -> None:
    folder = run / "evaluate"
    folder.mkdir(parents=True, exist_ok=True)
    row = {"nfe": 1, "frechet": frechet, "frechet_ci": [frechet - 1, frechet + 1], "prompt_accuracy": 0.9}
    shared = {"model": "m", "architecture": architecture, "method": method, "teacher": teacher, "clips": 8, "seed": 1}
    (folder / f"{method}.json").write_text(json.dumps(shared | {"frechet_floor": 1.0, "rows": [row]}))
    random = np.random.default_rng(int(frechet))
    real = np.random.default_rng(0).normal(size=(8, 3))
    np.savez(folder / f"{method}.npz", real=real, **{"1": real + random.normal(size=(8, 3))})


def rows(folder: Path) -> dict[tuple[str, str], dict[str, Any]]:
    return {(row["architecture"], row["method"]): row for row in json.loads((folder / "any-step.json").read_text())}


def test_what_was_not_measured_again_stays(tmp_path: Path) -> None:
    out = tmp_path / "out"
    evaluation(tmp_path / "a", "causal", "student", "first", 20)
    evaluation(tmp_path / "a", "causal", "teacher", "first", 10)
    evaluation(tmp_path / "b", "bidirectional", "student", "first", 30)
    compare([tmp_path / "a", tmp_path / "b"], out)
    assert set(rows(out)) == {("causal", "student"), ("causal", "teacher"), ("bidirectional", "student")}
    assert rows(out)["causal", "teacher"]["frechet_over_student_ci"]

    evaluation(tmp_path / "c", "causal", "student", "second", 15)
    compare([tmp_path / "c"], out)
    found = rows(out)
    assert found["causal", "student"]["frechet"] == 15 and found["causal", "student"]["teacher"] == "second"
    assert found["bidirectional", "student"]["teacher"] == found["causal", "teacher"]["teacher"] == "first"
    # The student that this row was compared with is another one now.
    assert found["causal", "teacher"]["frechet_over_student_ci"] is None
    assert found["bidirectional", "student"]["frechet_over_student_ci"] == [0.0, 0.0]


def test_methods_are_compared_pair_by_pair_on_the_same_clips(tmp_path: Path) -> None:
    evaluation(tmp_path / "a", "causal", "consistency", "t", 40)
    evaluation(tmp_path / "a", "causal", "student", "t", 20)
    compare([tmp_path / "a"], tmp_path / "out")
    found = rows(tmp_path / "out")
    low, high = found["causal", "student"]["frechet_over_consistency_ci"]
    assert low < high
    assert found["causal", "student"]["frechet_over_student_ci"] == [0.0, 0.0]


def test_a_method_is_compared_with_itself_at_four_steps(tmp_path: Path) -> None:
    evaluation(tmp_path / "a", "causal", "student", "t", 20)
    compare([tmp_path / "a"], tmp_path / "without")
    assert rows(tmp_path / "without")["causal", "student"]["frechet_since_4_ci"] is None
    path = tmp_path / "a" / "evaluate" / "student.npz"
    with np.load(path) as measured:
        np.savez(path.with_suffix(""), **measured, **{"4": measured["real"]})
    compare([tmp_path / "a"], tmp_path / "with")
    low, high = rows(tmp_path / "with")["causal", "student"]["frechet_since_4_ci"]
    assert 0 < low < high  # at 4 steps these are the renders


def test_tables_say_what_the_rows_hold(tmp_path: Path) -> None:
    evaluation(tmp_path / "a", "causal", "consistency", "t", 40)
    evaluation(tmp_path / "a", "causal", "student", "t", 20)

    def measured(frechet: float, drift: float) -> dict[str, Any]:
        return {"frechet": frechet, "drift": drift, "drift_ci": [drift - 2, drift + 2]}

    windows = [
        {"chunk": 5, "accuracy": 0.97, "staying": {"clips": 7, **measured(31, 0)}, **measured(35, 0)},
        {"chunk": 8, "accuracy": 0.96, "staying": {"clips": 6, **measured(33, 4)}, **measured(38, 19)},
    ]
    (tmp_path / "a" / "evaluate" / "student-drift.json").write_text(json.dumps({"nfe": 1, "clips": 8, "windows": windows}))
    compare([tmp_path / "a"], tmp_path / "out")
    lines = (tmp_path / "out" / "any-step.md").read_text(encoding="utf-8").splitlines()
    assert "8 clips, seed 1; renders against renders: 1.0." in lines
    assert "| **AnyFlow, stage 2**: Fréchet distance | 20 |" in lines and "| **consistency**: Fréchet distance | 40 |" in lines
    low, high = rows(tmp_path / "out")["causal", "student"]["frechet_over_consistency_ci"]
    # A method is not compared with itself.
    assert [line for line in lines if "less consistency" in line] == [f"| less consistency, paired | {low:+.0f} to {high:+.0f} |"]
    assert "| AnyFlow, stage 2 | 1 | 8 | 35 | 38 | +19 (+17 to +21) | 97%, 96% |" in lines
    assert "| those in the picture throughout |  | 7, 6 | 31 | 33 | +4 (+2 to +6) |  |" in lines
