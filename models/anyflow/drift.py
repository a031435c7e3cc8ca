"""Drift: how much worse late chunks of a long rollout are than early ones (exposure bias).

A clip of 17 chunks is made and judged in windows as long as a training clip, each ending with a given chunk, against the
same windows of renders of the same scenes that go on for as long. The first is the clip that `evaluate` judges; past it, a
chunk sees as many as there are in a training clip, the first among them, as in the app's endless takes.

Windows differ in difficulty: things come to rest or leave the picture when clips go on. So a window's distance is taken
above its own floor, that of the same scenes rendered with other seeds; likewise accuracy, below that of the renders. What has
left is another matter than what is drawn worse: so drift is also given for those scenes alone whose things stay in the picture.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np
import torch

from .config import Config
from .data import open_clips, world_config
from .evaluate import Evaluation, Judged, judge, rendered_again, varied
from .flowmap.chunks import chunk_plan, chunk_starts
from .frechet import bootstrap, frechet_distance, interval_around
from .generate import rollout_latents, to_bytes
from .latents import load_latents
from .vae import TEMPORAL_STRIDE
from .worlds import render, sample_scene
from .worlds.view import in_picture

LAST_CHUNK = 17
# What a prompt says of the picture rather than of the motion, which a window that begins late need not show.
LOOK = ("object", "colour", "material", "place")


@dataclass(frozen=True)
class Window:
    """Features of what was made, of renders of the same scenes, and of those scenes rendered with other seeds, ``[N, F]`` each."""

    made: np.ndarray
    real: np.ndarray
    again: np.ndarray

    def of(self, kept: np.ndarray) -> Window:
        """The clips that ``kept`` (bool ``[N]``) names."""
        return Window(self.made[kept], self.real[kept], self.again[kept])

    @cached_property
    def floor(self) -> float:
        return frechet_distance(self.again, self.real)

    def excess(self, drawn: np.ndarray) -> float:
        """Distance above the floor, of the clips ``drawn``."""
        return frechet_distance(self.made[drawn], self.real) - self.floor


def _drift(early: Window, late: Window, drawn: np.ndarray) -> float:
    return late.excess(drawn) - early.excess(drawn)


def _measured(early: Window, late: Window) -> dict[str, Any]:
    """What is said of a window of all clips or of some."""
    drift, clips = partial(_drift, early, late), len(late.made)
    return {
        "frechet": frechet_distance(late.made, late.real),
        "frechet_ci": list(bootstrap(late.made, late.real)),
        "floor": late.floor,
        "drift": drift(np.arange(clips)),
        "drift_ci": list(interval_around(drift, clips)),
    }


def trained_chunks(config: Config) -> int:
    """Chunks of a training clip."""
    return len(chunk_plan(config.latent_frames, config.sample.first, config.sample.rest))


def windows(config: Config) -> dict[int, int]:
    """Last chunk of a window (from 1) to the pixel frames made by then: the training clip's last chunk, 8, 17."""
    trained = trained_chunks(config)
    ends = sorted({trained, max(8, trained), LAST_CHUNK})
    frames = config.sample.first + config.sample.rest * (LAST_CHUNK - 1)
    starts = chunk_starts(chunk_plan(frames, config.sample.first, config.sample.rest))
    return {chunk: TEMPORAL_STRIDE * (starts[chunk] - 1) + 1 for chunk in ends}


def measure_drift(evaluation: Evaluation, config: Config, run: Any, steps: int, clips: int, seed: int) -> list[dict[str, Any]]:
    """A row a window, of ``clips`` clips made in ``steps`` steps.

    ``{chunk, frechet, frechet_ci, floor, drift, drift_ci, accuracy, render_accuracy, staying}``: ``floor`` is the renders' own
    distance in that window; accuracies are means over what a prompt names of the look (object, colour, material, place).
    ``drift`` is the distance above the floor less that of the first window; its 95% interval draws whole clips, so that what a
    clip has in all windows cancels (the floor is held). ``staying`` has the number of ``clips``, and the distances and drift of
    those alone, whose scenes, as rendered, show their things in all of the window's frames; null for fewer than two.

    Raises:
        ValueError: for a bidirectional student, which has one chunk only, or with fewer held-out clips than asked for.
    """
    if config.sample.first >= config.latent_frames:
        raise ValueError("drift is measured over chunks; a bidirectional student makes one")
    rows = open_clips(run / "data", "heldout").rows[:clips]
    if clips > len(rows):
        raise ValueError(f"--clips {clips}, but only {len(rows)} clips are held out; raise data.heldout_clips")
    text = load_latents(config, run, "heldout").text[:clips, 0].float()
    places = windows(config)
    total, length = max(places.values()), config.data.frames
    scenes = [sample_scene(row["seed"], world_config(config.data), "heldout") for row in rows]

    def cut(videos: Iterable[torch.Tensor]) -> dict[int, list[torch.Tensor]]:
        whole = list(videos)
        return {chunk: [video[end - length : end] for video in whole] for chunk, end in places.items()}

    def made() -> Iterator[torch.Tensor]:
        for start in range(0, clips, 8):
            part = text[start : start + 8].to(evaluation.device)
            numbers = range(seed + start, seed + start + len(part))
            latents = rollout_latents(
                config, evaluation.model, evaluation.kind, part, numbers, steps, (total - 1) // 4 + 1, max(3, trained_chunks(config))
            )
            with torch.inference_mode():
                yield from (to_bytes(evaluation.vae.decode(clip[None]))[0].cpu() for clip in latents)

    def rendered() -> Iterator[torch.Tensor]:
        for start in range(0, clips, 8):
            part = scenes[start : start + 8]
            yield from render(part, config.data.size, total, str(evaluation.device), planned=length).cpu()

    def judged(videos: Iterable[torch.Tensor]) -> dict[int, Judged]:
        return {chunk: judge(evaluation.recogniser, window) for chunk, window in cut(videos).items()}

    student, real, again = judged(made()), judged(rendered()), judged(rendered_again(config, rows, total))
    attributes, prompts = [row["attributes"] for row in rows], [row["captions"][0] for row in rows]
    look = [name for name in varied(config) if name in LOOK]

    def accuracy(found: Judged) -> float:
        return float(np.nanmean(list(found.accuracy(attributes, look, prompts).values())))

    cases = {chunk: Window(student[chunk].features, real[chunk].features, again[chunk].features) for chunk in places}
    early = cases[min(places)]
    shown = [in_picture(scene, total, length) for scene in scenes]
    result = []
    for chunk, window in cases.items():
        end = places[chunk]
        stays = np.array([bool(frames[end - length : end].all()) for frames in shown])
        result.append(
            {
                "chunk": chunk,
                **_measured(early, window),
                "accuracy": accuracy(student[chunk]),
                "render_accuracy": accuracy(real[chunk]),
                # The spread of features takes two clips.
                "staying": {"clips": int(stays.sum()), **_measured(early.of(stays), window.of(stays))} if stays.sum() > 1 else None,
            }
        )
    return result
