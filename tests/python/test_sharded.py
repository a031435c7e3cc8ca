"""Two gloo processes against one: same losses, and a checkpoint of two that one resumes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from anyflow.config import load_config
from anyflow.train.flow import load_transformer

MODELS = Path(__file__).resolve().parents[2] / "models"


@pytest.fixture(scope="module")
def latents(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of made-up latents, as `latents.make_latents` lays them out: 16 clips with two captions each."""
    folder = tmp_path_factory.mktemp("latents")
    generator = torch.Generator().manual_seed(0)
    clips = torch.randn(16, 5, 8, 4, 4, generator=generator).half()
    text = torch.randn(32, 32, 384, generator=generator).half()
    save_file({"latents": clips, "text": text}, folder / "train.safetensors")
    (folder / "train.json").write_text(json.dumps([{}] * 16))
    return folder


def train(run: Path, latents: Path, processes: int, *, steps: int, stage: str = "teacher", accumulate: int = 1) -> str:
    """Train to ``steps``."""
    run.mkdir(exist_ok=True)
    if not (run / "latents").exists():
        (run / "latents").symlink_to(latents)
    config = run / "config.yaml"
    # A constant rate after the warm-up, so that a run of fewer steps is the beginning of a longer one.
    loop = f"{{steps: {steps}, batch: 8, lr: 1.0e-3, warmup: 2, decay_from: 1.0, accumulate: {accumulate}, compile: false}}"
    config.write_text(f"base: micro\nteacher: {loop}\nstudent: {loop}\n")
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}", "-m", "anyflow"]
    done = subprocess.run(
        [*launch, "train", "--config", str(config), "--run-folder", str(run), "--stage", stage, "--threads", "1"],
        check=False, cwd=MODELS, env={**os.environ, "PYTHONPATH": str(MODELS)}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-1500:] + done.stderr[-3000:]
    return done.stdout


def losses(run: Path, stage: str = "teacher") -> torch.Tensor:
    return torch.tensor([json.loads(line)["loss"] for line in (run / stage / "log.jsonl").read_text().splitlines()])


@pytest.fixture(scope="module")
def two(latents: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six steps of the teacher on two processes."""
    run = tmp_path_factory.mktemp("two")
    train(run, latents, 2, steps=6)
    return run


@pytest.fixture(scope="module")
def one(latents: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same six steps on one, in two micro-batches."""
    run = tmp_path_factory.mktemp("one")
    train(run, latents, 1, steps=6, accumulate=2)
    return run


def test_two_processes_give_the_losses_of_one(one: Path, two: Path) -> None:
    assert len(losses(one)) == 6
    torch.testing.assert_close(losses(two), losses(one), rtol=1e-4, atol=1e-5)
    config = load_config("micro")
    ours, theirs = (load_transformer(config, run, "teacher").state_dict() for run in (one, two))
    for name, value in ours.items():
        torch.testing.assert_close(theirs[name], value, rtol=1e-3, atol=1e-4, msg=name)


def test_a_checkpoint_of_two_resumes_on_one(one: Path, latents: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    train(run, latents, 2, steps=3)
    (run / "teacher" / "teacher.pt").unlink()
    said = train(run, latents, 1, steps=6, accumulate=2)
    assert "resumed at step 3" in said
    torch.testing.assert_close(losses(run), losses(one), rtol=1e-4, atol=1e-5)


def test_the_student_trains_on_two(two: Path, latents: Path) -> None:
    train(two, latents, 2, steps=2, stage="student")
    assert torch.isfinite(losses(two, "student")).all()
    assert (two / "student" / "student.pt").exists()


def test_stages_of_one_process_say_so(two: Path, latents: Path) -> None:
    with pytest.raises(AssertionError, match="without torchrun"):
        train(two, latents, 2, steps=2, stage="vae")
