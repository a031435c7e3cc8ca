"""Stage 3: on-policy distillation. The student rolls out its own clips, two score networks judge them (DESIGN.md section 2).

Every iteration: one backward simulation of the student; the fake score learns from its clips; the student follows the
difference of scores on the same clips, and its forward flow-map loss on data. (The authors roll out a second time for the
fake score; one rollout serves both here, since the fake score needs the student's distribution, not fresh samples.)
"""

from __future__ import annotations

import copy
import random
from collections.abc import Sequence
from pathlib import Path
from typing import cast, get_args

import torch
from torch import Tensor

from ..config import Config, ConfigError
from ..device import mixed_precision, pick_device
from ..flowmap.chunks import Chunks, chunk_plan, sample_training_chunks
from ..flowmap.distribution import DistributionMatchingLoss, Judge, fake_score_loss
from ..flowmap.losses import TimestepConfig
from ..flowmap.simulate import backward_simulation, draw_shortcut, last_window
from ..latents import load_latents
from .flow import flow_map_loss, load_transformer
from .loop import Loop, atomic_save, step_seed
from .muon import make_optimizer


def judges_of(judge: str, lengths: Sequence[int], trained: int) -> dict[int, Judge]:
    """How the scores see a rollout of each length in chunks: as ``judge`` says; ``mixed`` shows them those of a training clip's
    ``trained`` chunks whole (what drifted in a chunk counts, which a causal score takes as given), all others chunk by chunk
    (a teacher never saw the window of a longer one, with its gap after the first chunk, at once).

    Raises:
        ConfigError: for an unknown judge; if ``mixed`` has no rollouts of a training clip's length to show whole.
    """
    if judge in get_args(Judge):
        return dict.fromkeys(lengths, cast(Judge, judge))
    if judge != "mixed":
        raise ConfigError(f"onpolicy.judge must be one of {', '.join(get_args(Judge))}, mixed, got {judge!r}")
    if trained not in lengths:
        raise ConfigError(f"onpolicy.rollout_chunks: judge 'mixed' needs rollouts of {trained} chunks (a training clip's) among them")
    return {length: "whole" if length == trained else "causal" for length in lengths}


def train_onpolicy(config: Config, run: Path) -> None:
    """Stage 3, from the student's weights; writes ``onpolicy/onpolicy.pt`` (EMA).

    Raises:
        ConfigError: if rollouts are shorter than what the judge sees.
    """
    folder = run / "onpolicy"
    if (folder / "onpolicy.pt").exists():
        print("onpolicy: done before")
        return
    settings, device = config.onpolicy, pick_device()
    clips = load_latents(config, run, "train")
    torch.manual_seed(config.data.seed)
    teacher = load_transformer(config, run, "teacher").to(device).requires_grad_(False)
    fake = copy.deepcopy(teacher).requires_grad_(True).train()
    model = load_transformer(config, run, "student").to(device).requires_grad_(True).train()
    ema = copy.deepcopy(model).requires_grad_(False)
    for network in (teacher, fake, model):
        network.prepare_training(settings.compile)
    null_text = clips.null_text.to(device)
    plan = chunk_plan(config.latent_frames, config.sample.first, config.sample.rest)
    lengths, window = settings.rollout_chunks or [len(plan)], max(3, len(plan))
    shortest = len(plan) if settings.judge == "whole" else min(model.full_chunk_limit, len(plan))
    if min(lengths) < shortest:
        raise ConfigError(f"onpolicy.rollout_chunks: judge {settings.judge!r} needs rollouts of {shortest} chunks or more")
    judges = judges_of(settings.judge, lengths, len(plan))
    matching = {
        judge: DistributionMatchingLoss(
            guidance=settings.real_guidance or settings.guidance,
            judge=judge,
            timesteps=TimestepConfig(per="clip", shift=settings.shift),
        )
        for judge in set(judges.values())
    }
    follow = {judge: fake_score_loss(judge, settings.shift) for judge in matching}
    forward = flow_map_loss(settings)
    fake_optimizer = make_optimizer(fake, settings.fake_lr, settings.fake_matrix_lr, 0.0, settings.beta2)
    loop = Loop("onpolicy", model, ema, settings, folder, extras={"fake": fake, "fake_optimizer": fake_optimizer})

    def train_fake(judge: Judge, made: Tensor, text: Tensor, judged: Chunks) -> float:
        value, _ = follow[judge](fake, made, text, null_text, judged)
        fake_optimizer.zero_grad(set_to_none=True)
        value.backward()
        torch.nn.utils.clip_grad_norm_(fake.parameters(), settings.clip)
        for group in fake_optimizer.param_groups:
            group["lr"] = group["peak"]
        fake_optimizer.step()
        return float(value.detach())

    def step(number: int) -> tuple[Tensor, dict[str, float]]:
        draw = random.Random(step_seed(settings.seed, number))
        points = draw_shortcut(settings.rollout_steps, config.sample.shift, draw).points
        count = draw.choice(lengths)
        judge = judges[count]
        trained = model.full_chunk_limit if judge == "causal" else None
        rolled = (*plan[:count], *[config.sample.rest] * (count - len(plan)))
        frames, judged = last_window(rolled, window)
        batch = clips.sample(settings.rollout_batch, config.latent_frames)
        drawn = torch.randn(len(batch.latents), sum(rolled), *batch.latents.shape[2:])
        noise, text, plain = (part.to(device) for part in (drawn, batch.text, batch.plain))
        figures: dict[str, float] = {}
        with mixed_precision(device, settings.cpu_bfloat16):
            warming = number < settings.fake_warmup
            with torch.set_grad_enabled(not warming):
                made = backward_simulation(model, text, noise, rolled, points, window=window, trained=trained)[:, frames]
            # A fake score that lags behind the student points to where it was: more updates than one keep it close.
            figures["fake"] = sum(train_fake(judge, made, plain, judged) for _ in range(settings.fake_updates)) / settings.fake_updates
            value = torch.zeros((), device=device)
            if not warming:
                matched, parts = matching[judge](made, teacher, fake, plain, null_text, judged)
                value = settings.matching * matched
                figures["dmd"] = float(parts["dmd"])
            chunks = sample_training_chunks(plan, model.full_chunk_limit, settings.long_context, draw)
            latents, text, plain = (part.to(device) for part in clips.sample(settings.batch, sum(chunks)))
            mapped, parts = forward(model, latents, text, null_text, chunks, teacher=teacher, teacher_text=plain)
            figures["flow_map"] = float(parts["flow_map"])
        return value + settings.forward * mapped, figures

    loop.run(step)
    atomic_save(ema.state_dict(), folder / "onpolicy.pt")
    print(f"onpolicy: {loop.step} steps in {loop.seconds / 60:.1f} minutes")
