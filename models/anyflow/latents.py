"""Rendered clips as training material for the transformer: normalised latents and text features, kept in memory.

``<run>/latents/<split>.safetensors`` holds ``latents`` fp16 ``[N, T', C, h, w]`` and ``text`` fp16 ``[N * captions, L, Dt]``;
``<split>.json`` the captions and attributes.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from tqdm import tqdm

from .config import Config
from .data import open_clips
from .device import pick_device
from .text import TextEncoder
from .train.autoencoder import load_vae


class Batch(NamedTuple):
    """``latents`` ``[B, T', C, h, w]``; ``text`` ``[B, L, Dt]``, any caption of each; ``plain``, one of those for the teacher
    (the same where ``text`` is one of them)."""

    latents: Tensor
    text: Tensor
    plain: Tensor


@dataclass
class LatentClips:
    """``latents`` ``[N, T', C, h, w]``, ``text`` ``[N, K, L, Dt]`` (K captions a clip), ``null_text`` ``[L, Dt]`` zeros.

    The first ``plain`` captions of a clip are what the teacher is told; the others are free wordings.
    """

    latents: Tensor
    text: Tensor
    rows: list[dict[str, Any]]
    plain: int

    @property
    def null_text(self) -> Tensor:
        """The text of "no text". All zeros, as padding is: no caption encodes to it."""
        return torch.zeros(self.text.shape[2:])

    def sample(self, batch: int, frames: int) -> Batch:
        """Random clips (torch's global generator) cut to ``frames`` latent frames, each with one of its captions."""
        index = torch.randint(len(self.latents), (batch,))
        which = torch.randint(self.text.shape[1], (batch,))
        latents, text = self.latents[index, :frames].float(), self.text[index, which].float()
        return Batch(latents, text, self.text[index, which % self.plain].float())


def make_latents(config: Config, run: Path) -> None:
    """Encode both splits; a finished split is left alone."""
    device = pick_device()
    vae = load_vae(config, run).to(device, memory_format=torch.channels_last)
    texts = TextEncoder(device=str(device))
    folder = run / "latents"
    folder.mkdir(parents=True, exist_ok=True)
    for split in ("heldout", "train"):
        target = folder / f"{split}.safetensors"
        if target.exists():
            continue
        clips = open_clips(run / "data", split)
        latents = []
        with torch.inference_mode():
            for start in tqdm(range(0, len(clips), 4), desc=f"encode {split}"):
                batch = torch.stack([clips.video(i) for i in range(start, min(start + 4, len(clips)))])
                latents.append(vae.encode(batch.to(device).float() / 255).half().cpu())
        captions = [text for row in clips.rows for text in row["captions"]]
        features = [
            texts.encode(captions[i : i + 256]).half().cpu()
            for i in tqdm(range(0, len(captions), 256), desc=f"text {split}")
        ]
        (folder / f"{split}.json").write_text(json.dumps(clips.rows))
        partial = folder / "partial.safetensors"
        save_file({"latents": torch.cat(latents), "text": torch.cat(features)}, partial)
        os.replace(partial, target)


def load_latents(config: Config, run: Path, split: str) -> LatentClips:
    """Load a split made by `make_latents`.

    Raises:
        FileNotFoundError: if it has not been made.
    """
    path = run / "latents" / f"{split}.safetensors"
    if not path.exists():
        raise FileNotFoundError(f"{path} is missing: run `python -m anyflow train --stage latents` first")
    tensors = load_file(path)
    rows = json.loads(path.with_suffix(".json").read_text())
    text = tensors["text"].unflatten(0, (len(rows), -1))
    return LatentClips(tensors["latents"], text, rows, min(config.data.captions, text.shape[1]))
