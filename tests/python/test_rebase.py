"""A student carried over to a teacher that was trained further."""

from pathlib import Path

import pytest
import torch

from anyflow.rebase import rebase, rebased
from anyflow.train.loop import atomic_save


def weights(value: float) -> dict[str, torch.Tensor]:
    return {"w": torch.full((2, 3), value), "steps": torch.tensor(int(value))}


def test_adds_what_distillation_changed() -> None:
    start = rebased(weights(10.0), weights(1.0), weights(3.0), 0.75)
    assert torch.equal(start["w"], torch.full((2, 3), 10.0 + 0.75 * 2.0))
    assert int(start["steps"]) == 10, "counters are the new teacher's"


def test_same_teacher_and_whole_share_is_the_student() -> None:
    assert torch.equal(rebased(weights(1.0), weights(1.0), weights(3.0), 1.0)["w"], weights(3.0)["w"])


def test_bad_shares_and_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        rebased(weights(1.0), weights(1.0), weights(3.0), 1.5)
    with pytest.raises(ValueError, match="other shapes"):
        rebased(weights(1.0), {"w": torch.zeros(4)}, weights(3.0), 0.5)


def test_writes_the_start_of_each_stage(tmp_path: Path) -> None:
    run, old = tmp_path / "new", tmp_path / "old"
    with pytest.raises(FileNotFoundError, match="unpack"):
        rebase(run, old, ("student",), 0.75)
    atomic_save(weights(10.0), run / "teacher" / "teacher.pt")
    atomic_save(weights(1.0), old / "teacher" / "teacher.pt")
    atomic_save(weights(3.0), old / "student" / "student.pt")
    written = rebase(run, old, ("student", "consistency"), 0.5)
    assert written == [run / "student" / "start.pt", run / "consistency" / "start.pt"]
    for path in written:
        assert torch.equal(torch.load(path, weights_only=True)["w"], torch.full((2, 3), 11.0))
