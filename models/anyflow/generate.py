"""Sampling a trained run from Python: latents, video, and a contact sheet over step counts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from .config import Config
from .data import open_clips
from .device import pick_device
from .flowmap.chunks import chunk_plan
from .flowmap.rollout import Sampler, generate_latents, seeded_noise
from .text import TextEncoder
from .train.autoencoder import load_vae
from .train.flow import load_transformer
from .transformer import AnyFlowFARTransformer
from .worlds import contact_sheet


def sample_latents(
    config: Config, model: AnyFlowFARTransformer, kind: str, text: Tensor, seeds: Sequence[int], steps: int
) -> Tensor:
    """`rollout_latents` at the length of the training clips."""
    return rollout_latents(config, model, kind, text, seeds, steps, config.latent_frames)


def rollout_latents(
    config: Config,
    model: AnyFlowFARTransformer,
    kind: str,
    text: Tensor,
    seeds: Sequence[int],
    steps: int,
    frames: int,
    window: int | None = None,
) -> Tensor:
    """Sample clips of ``frames`` latent frames: ``[B, frames, C, h, w]``.

    Args:
        kind: "student" or "onpolicy" (flow map, guidance fused), "consistency" (guidance fused, re-noised), or "teacher"
            (Euler on the velocity, guidance from the config).
        text: features ``[B, L, Dt]``.
        seeds: one a clip.
        steps: for every chunk.
        window: see `generate_latents`.
    """
    plan = chunk_plan(frames, config.sample.first, config.sample.rest)
    side = config.data.size // 16
    noise = seeded_noise(seeds, frames, (config.vae.latent_channels, side, side), text.device)
    guided = {"guidance": config.student.guidance, "null_text": torch.zeros_like(text[0])} if kind == "teacher" else {}
    sampler: Sampler = {"teacher": "euler", "consistency": "consistency"}.get(kind, "flow_map")
    generator = torch.Generator(text.device).manual_seed(seeds[0])
    shift = config.sample.shift
    return generate_latents(
        model, text, noise, plan, steps=steps, shift=shift, sampler=sampler, generator=generator, window=window, **guided
    )


def to_bytes(video: Tensor) -> Tensor:
    """About 0..1 to uint8, as the browser's renderer does (clamp, round)."""
    return (video.clamp(0, 1) * 255).round().to(torch.uint8)


def heldout_prompts(run: Path, count: int) -> list[str]:
    """First captions of the first held-out clips with different objects and colours (real ones: any), in order."""
    chosen: list[str] = []
    seen: set[tuple[str, ...]] = set()
    for row in open_clips(run / "data", "heldout").rows:
        things = row["attributes"].get("objects")
        key = (things[0]["object"], things[0]["colour"]) if things else (row["captions"][0],)
        if key not in seen:
            seen.add(key)
            chosen.append(row["captions"][0])
        if len(chosen) == count:
            break
    return chosen


def generate_sheet(
    config: Config, run: Path, kind: str, prompts: list[str], steps: list[int], seed: int, out: Path
) -> None:
    """Write ``sheet_<steps>.png`` for each step count: a row a prompt (seeds from ``seed`` up), eight frames each.

    Raises:
        ValueError: step counts below 1, or a prompt that is too long.
    """
    if min(steps) < 1:
        raise ValueError(f"--steps must be 1 or more, got {min(steps)}")
    device = pick_device()
    prompts = prompts or heldout_prompts(run, 8)
    model = load_transformer(config, run, kind).to(device)
    vae = load_vae(config, run).to(device)
    text = TextEncoder(device=str(device)).encode(prompts).to(device)
    seeds = list(range(seed, seed + len(prompts)))
    out.mkdir(parents=True, exist_ok=True)
    for count in steps:
        latents = sample_latents(config, model, kind, text, seeds, count)
        with torch.inference_mode():
            videos = [to_bytes(vae.decode(clip[None]))[0].cpu() for clip in latents]
        path = out / f"{kind}_sheet_{count:02d}.png"
        contact_sheet(videos, path, prompts, columns=8)
        print(f"wrote {path}")
