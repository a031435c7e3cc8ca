"""Carry a student over to a teacher that was trained further, so that the student's training need not begin again.

What distillation changed in the old teacher's weights is added to the new teacher's: `new teacher + share (student - old
teacher)`, arithmetic with task vectors (Ilharco et al., arXiv 2212.04089). Weights of one architecture that were trained on
from each other lie close enough for that. A share below 1 keeps the result nearer to the new teacher.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from .train.loop import atomic_save


def rebased(
    teacher: Mapping[str, Tensor], old_teacher: Mapping[str, Tensor], student: Mapping[str, Tensor], share: float
) -> dict[str, Tensor]:
    """State dict of ``teacher + share (student - old_teacher)``; what is not floating point is the teacher's.

    Raises:
        ValueError: if the three are not networks of one shape, or ``share`` is not in 0..1.
    """
    if not 0 <= share <= 1:
        raise ValueError(f"--share must be between 0 and 1, got {share}")
    for other in (old_teacher, student):
        if {name: value.shape for name, value in other.items()} != {name: value.shape for name, value in teacher.items()}:
            raise ValueError("the old run's networks have other shapes than this run's teacher: use one configuration for both")
    return {
        name: value + share * (student[name] - old_teacher[name]) if value.is_floating_point() else value
        for name, value in teacher.items()
    }


def rebase(run: Path, old_run: Path, stages: tuple[str, ...], share: float) -> list[Path]:
    """Write ``start.pt`` of each stage in ``run``, from the student and the teacher that ``old_run`` finished with.

    Raises:
        FileNotFoundError: if one of the three networks is not there.
        ValueError: as `rebased`.
    """
    states = []
    for path in (run / "teacher" / "teacher.pt", old_run / "teacher" / "teacher.pt", old_run / "student" / "student.pt"):
        if not path.exists():
            raise FileNotFoundError(
                f"{path} is missing: `python -m anyflow unpack`, here and in the checkout with the old weights, writes it"
            )
        states.append(torch.load(path, map_location="cpu", weights_only=True))
    start = rebased(*states, share)
    written = [run / stage / "start.pt" for stage in stages]
    for path in written:
        atomic_save(start, path)
    return written
