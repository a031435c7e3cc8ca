"""Clips on disk: shards with captions and, of rendered ones, ground truth.

``<run>/data/<split>/video_0003.npy`` is uint8 ``[N, T, 3, H, W]`` and ``captions_0003.json`` holds, for each clip,
``{"seed", "captions", "attributes"}``. A shard is there whole or not at all (written aside, then renamed; the JSON
last), so rendering goes on after a kill where it stopped.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from .config import DataConfig
from .worlds import WorldConfig, caption, free_caption, render, sample_scene

HELDOUT_SEED_OFFSET = 1_000_000_007  # held-out clips never share a scene seed with training ones


def world_config(config: DataConfig) -> WorldConfig:
    return WorldConfig.from_dict({**config.world, "size": config.size, "frames": config.frames})


def _clip(config: DataConfig, world: WorldConfig, split: str, index: int) -> tuple[Any, dict[str, Any]]:
    seed = config.seed * 10_000_019 + index + (HELDOUT_SEED_OFFSET if split == "heldout" else config.first_clip)
    scene = sample_scene(seed, world, split)
    written = [caption(scene, seed * 16 + k) for k in range(config.captions)]
    written += [free_caption(scene, seed * 16 + k) for k in range(config.free_captions)]
    return scene, {"seed": seed, "captions": written, "attributes": scene.attributes()}


def render_split(config: DataConfig, folder: Path, split: str, device: str = "cpu") -> None:
    """Render what is missing of a split ("train" or "heldout") below ``folder``."""
    world = world_config(config)
    target = folder / split
    target.mkdir(parents=True, exist_ok=True)
    total = config.clips if split == "train" else config.heldout_clips
    for number, start in enumerate(tqdm(range(0, total, config.shard), desc=f"render {split}", unit="shard")):
        if (target / f"captions_{number:04d}.json").exists():
            continue
        made = [_clip(config, world, split, i) for i in range(start, min(start + config.shard, total))]
        pixels = render([scene for scene, _ in made], config.size, config.frames, device)
        write_shard(target, number, pixels.cpu().numpy(), [row for _, row in made])


def write_shard(folder: Path, number: int, pixels: np.ndarray, rows: list[dict[str, Any]]) -> None:
    """Write uint8 clips ``[N, T, 3, H, W]`` and their rows, whole or not at all."""
    partial = folder / "partial.npy"
    np.save(partial, pixels)
    os.replace(partial, folder / f"video_{number:04d}.npy")
    partial.with_suffix(".json").write_text(json.dumps(rows))
    os.replace(partial.with_suffix(".json"), folder / f"captions_{number:04d}.json")


@dataclass
class Clips:
    """The finished shards of a split, memory-mapped. Index with a clip number."""

    videos: list[np.ndarray]
    rows: list[dict[str, Any]]

    def __post_init__(self) -> None:
        self._starts = np.cumsum([0, *(len(v) for v in self.videos)])

    def __len__(self) -> int:
        return int(self._starts[-1])

    def _place(self, index: int) -> tuple[np.ndarray, int]:
        shard = int(np.searchsorted(self._starts, index, side="right")) - 1
        return self.videos[shard], index - int(self._starts[shard])

    def video(self, index: int) -> Tensor:
        """Clip ``index``: uint8 ``[T, 3, H, W]``."""
        shard, at = self._place(index)
        return torch.from_numpy(np.array(shard[at]))

    def crop(self, index: int, time: int, frames: int, y: int, x: int, size: int) -> Tensor:
        """A window of a clip, read without the rest: uint8 ``[frames, 3, size, size]``."""
        shard, at = self._place(index)
        return torch.from_numpy(np.array(shard[at, time : time + frames, :, y : y + size, x : x + size]))


def open_clips(folder: Path, split: str) -> Clips:
    """Open the finished shards.

    Raises:
        FileNotFoundError: if there is none yet.
    """
    texts = sorted((folder / split).glob("captions_*.json"))
    if not texts:
        raise FileNotFoundError(f"no clips in {folder / split}: run `python -m anyflow train --stage data` first")
    videos = [np.load(p.with_name(p.stem.replace("captions", "video") + ".npy"), mmap_mode="r") for p in texts]
    rows = [row for p in texts for row in json.loads(p.read_text())]
    return Clips(videos, rows)
