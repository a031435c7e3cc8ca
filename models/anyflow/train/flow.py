"""Stage 1 (the teacher, flow matching) and stage 2 (the student, forward flow-map training)."""

from __future__ import annotations

import copy
import dataclasses
import random
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from ..config import Config, StudentTraining, TeacherTraining
from ..device import mixed_precision, pick_device
from ..flowmap.chunks import Chunks, chunk_plan, sample_training_chunks
from ..flowmap.losses import FlowMapLoss, FlowMatchingLoss, TimestepConfig
from ..latents import Batch, LatentClips, load_latents
from ..transformer import AnyFlowFARTransformer
from .loop import Loop, atomic_save, step_seed
from .sharded import ShardedLoop, shard, start_processes

Parts = dict[str, Tensor]
BatchLoss = Callable[[Batch, Chunks], tuple[Tensor, Parts]]


def load_transformer(config: Config, run: Path, stage: str) -> AnyFlowFARTransformer:
    """EMA weights of a stage ("teacher", "student", "onpolicy"): finished, or as far as its last checkpoint got.

    Raises:
        FileNotFoundError: if the stage has not begun.
    """
    model = AnyFlowFARTransformer(config.transformer)
    finished, checkpoint = run / stage / f"{stage}.pt", run / stage / "checkpoint.pt"
    if finished.exists():
        model.load_state_dict(torch.load(finished, map_location="cpu", weights_only=True))
    elif checkpoint.exists():
        model.load_state_dict(torch.load(checkpoint, map_location="cpu", weights_only=True)["ema"])
    else:
        raise FileNotFoundError(f"{checkpoint} is missing: run `python -m anyflow train --stage {stage}` first")
    return model.eval()


def _run_stage(
    name: str,
    config: Config,
    run: Path,
    settings: TeacherTraining,
    model: AnyFlowFARTransformer,
    clips: LatentClips,
    loss: BatchLoss,
) -> None:
    """Shared by both stages: draw a clip length, a batch, and call ``loss(batch, chunks)``."""
    device = next(model.parameters()).device
    plan = chunk_plan(config.latent_frames, config.sample.first, config.sample.rest)

    def step(number: int, size: int = settings.batch) -> tuple[Tensor, dict[str, float]]:
        draw = random.Random(step_seed(settings.seed, number))
        chunks = sample_training_chunks(plan, model.full_chunk_limit, settings.long_context, draw)
        if draw.random() < settings.bidirectional:
            chunks = (sum(plan),)
        batch = Batch(*(part.to(device) for part in clips.sample(size, sum(chunks))))
        with mixed_precision(device, settings.cpu_bfloat16):
            value, parts = loss(batch, chunks)
        return value, {key: float(part) for key, part in parts.items() if key != "loss"}

    if start_processes():
        ShardedLoop(name, model, settings, run / name, settings.accumulate).run(step)
        return
    ema = copy.deepcopy(model).requires_grad_(False)
    model.prepare_training(settings.compile)
    loop = Loop(name, model, ema, settings, run / name)
    loop.run(step)
    atomic_save(ema.state_dict(), run / name / f"{name}.pt")
    print(f"{name}: {loop.step} steps in {loop.seconds / 60:.1f} minutes")


def train_teacher(config: Config, run: Path) -> None:
    """Stage 1: `|u(z_t, t, t) - (e - x)|^2` with dropped text; writes ``teacher/teacher.pt`` (EMA)."""
    if (run / "teacher" / "teacher.pt").exists():
        print("teacher: done before")
        return
    settings, device = config.teacher, pick_device()
    clips = load_latents(config, run, "train")
    torch.manual_seed(config.data.seed)
    model = AnyFlowFARTransformer(config.transformer).to(device)
    null_text = clips.null_text.to(device)
    times = TimestepConfig(density=settings.density, shift=settings.shift)
    objective = FlowMatchingLoss(times, settings.text_dropout, settings.context_noise)

    def loss(batch: Batch, chunks: Chunks) -> tuple[Tensor, Parts]:
        return objective(model, batch.latents, batch.text, null_text, chunks)

    _run_stage("teacher", config, run, settings, model, clips, loss)


def flow_map_loss(settings: StudentTraining) -> FlowMapLoss:
    """Stage 2's loss as configured."""
    return FlowMapLoss(
        target=settings.target,
        guidance=settings.guidance,
        timesteps=TimestepConfig(density=settings.density, shift=settings.shift),
        diffusion_share=settings.share_diffusion,
        consistency_share=settings.share_consistency,
        epsilon=settings.epsilon,
        difference=settings.difference,
        difference_float32=settings.difference_float32,
        text_dropout=0.0 if settings.target == "teacher" else settings.text_dropout,
        context_noise=settings.context_noise,
    )


def train_student(config: Config, run: Path, name: str = "student") -> None:
    """Stage 2, from the teacher's weights; writes ``<name>/<name>.pt`` (EMA).

    ``name`` "consistency" is the baseline: same teacher, budget and target, but every sample has r = 0.
    """
    if (run / name / f"{name}.pt").exists():
        print(f"{name}: done before")
        return
    settings, device = config.student, pick_device()
    if name == "consistency":
        # With all samples at r = 0 nothing holds the map to the teacher's velocity, and the central difference can diverge.
        difference = settings.consistency_difference if settings.target == "teacher" else settings.difference
        settings = dataclasses.replace(settings, share_diffusion=0.0, share_consistency=1.0, difference=difference)
    clips = load_latents(config, run, "train")
    teacher = load_transformer(config, run, "teacher").to(device).requires_grad_(False)
    model = copy.deepcopy(teacher).requires_grad_(True).train()
    if start_processes():
        teacher = shard(teacher)
    teacher.prepare_training(settings.compile)
    null_text = clips.null_text.to(device)
    objective = flow_map_loss(settings)

    def loss(batch: Batch, chunks: Chunks) -> tuple[Tensor, Parts]:
        return objective(model, batch.latents, batch.text, null_text, chunks, teacher=teacher, teacher_text=batch.plain)

    _run_stage(name, config, run, settings, model, clips, loss)
