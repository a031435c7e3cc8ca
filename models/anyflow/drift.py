"""Drift: how much worse late chunks of a long rollout are than early ones (exposure bias).

A clip of 17 chunks is made and judged in windows as long as a training clip, each ending with a given chunk, against the
same windows of renders of the same scenes at that length. Only the first window is within what the student was trained on.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import torch

from .config import Config
from .data import HELDOUT_SEED_OFFSET, world_config
from .evaluate import Evaluation, judge
from .flowmap.chunks import chunk_plan, chunk_starts
from .frechet import bootstrap, frechet_distance, interval_around
from .generate import rollout_latents, to_bytes
from .latents import load_latents
from .vae import TEMPORAL_STRIDE
from .worlds import render, sample_scene

LAST_CHUNK = 17
# Features of what was made and of the renders.
Window = tuple[np.ndarray, np.ndarray]


def windows(config: Config) -> dict[int, int]:
    """Last chunk of a window (from 1) to the pixel frames made by then: the training clip's last chunk, 8, 17."""
    trained = len(chunk_plan(config.latent_frames, config.sample.first, config.sample.rest))
    ends = sorted({trained, max(8, trained), LAST_CHUNK})
    frames = config.sample.first + config.sample.rest * (LAST_CHUNK - 1)
    starts = chunk_starts(chunk_plan(frames, config.sample.first, config.sample.rest))
    return {chunk: TEMPORAL_STRIDE * (starts[chunk] - 1) + 1 for chunk in ends}


def measure_drift(evaluation: Evaluation, config: Config, run: Any, steps: int, clips: int, seed: int) -> list[dict[str, Any]]:
    """A row a window: ``{chunk, frechet, frechet_ci, drift, drift_ci}`` of ``clips`` clips made in ``steps`` steps.

    ``drift`` is the distance less that of the first window; its 95% interval draws whole clips, so that what a clip has in all
    windows cancels.

    Raises:
        ValueError: for a bidirectional student, which has one chunk only.
    """
    if config.sample.first >= config.latent_frames:
        raise ValueError("drift is measured over chunks; a bidirectional student makes one")
    heldout, places = load_latents(config, run, "heldout"), windows(config)
    total, length = max(places.values()), config.data.frames
    world = world_config(config.data)
    seeds = [config.data.seed * 10_000_019 + i + HELDOUT_SEED_OFFSET for i in range(clips)]
    scenes = [sample_scene(s, world, "heldout") for s in seeds]
    real: dict[int, list[torch.Tensor]] = {chunk: [] for chunk in places}
    made: dict[int, list[torch.Tensor]] = {chunk: [] for chunk in places}
    for start in range(0, clips, 8):
        rendered = render(scenes[start : start + 8], config.data.size, total, str(evaluation.device)).cpu()
        text = heldout.text[start : start + 8, 0].float().to(evaluation.device)
        numbers = range(seed + start, seed + start + len(text))
        latents = rollout_latents(config, evaluation.model, evaluation.kind, text, numbers, steps, (total - 1) // 4 + 1)
        with torch.inference_mode():
            videos = [to_bytes(evaluation.vae.decode(clip[None]))[0].cpu() for clip in latents]
        for chunk, end in places.items():
            real[chunk] += [video[end - length : end] for video in rendered]
            made[chunk] += [video[end - length : end] for video in videos]
    features = {
        chunk: (judge(evaluation.recogniser, made[chunk]).features, judge(evaluation.recogniser, real[chunk]).features)
        for chunk in places
    }
    first = features[min(places)]
    rows = []
    for chunk, window in features.items():
        drift = partial(_drift, first, window)
        row = {"chunk": chunk, "frechet": frechet_distance(*window), "frechet_ci": list(bootstrap(*window))}
        rows.append(row | {"drift": drift(np.arange(clips)), "drift_ci": list(interval_around(drift, clips))})
    return rows


def _drift(early: Window, late: Window, drawn: np.ndarray) -> float:
    """Of the clips ``drawn``."""
    return frechet_distance(late[0][drawn], late[1]) - frechet_distance(early[0][drawn], early[1])
