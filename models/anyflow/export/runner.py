"""Runs a model package with onnxruntime in Python: what the browser's engine does, for tests and for checking an export."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch
from torch import Tensor

from anyflow.export.manifest import check_package
from anyflow.flowmap.chunks import Chunks, chunk_plan, split_chunks
from anyflow.flowmap.masks import MASKED, padded_cache_bias, written_slots_bias
from anyflow.flowmap.rollout import generate_latents, seeded_noise
from anyflow.text import TextEncoder


@dataclass(frozen=True)
class Context:
    """A written cache [layers, 2, S, d], its bias [1, 1, 1, S], and the chunks it holds."""

    cache: np.ndarray
    bias: np.ndarray
    chunks: Chunks


class PackageRunner:
    """A loaded package. Offers ``write_cache`` and ``step``, so that ``flowmap.rollout.generate_latents`` drives it."""

    def __init__(self, directory: Path) -> None:
        self.manifest = check_package(directory)
        self.text_encoder = TextEncoder(directory)
        video, network = self.manifest["video"], self.manifest["transformer"]
        self.limit = int(network["fullChunkLimit"])
        self.height, self.width = (video[side] // video["spatialStride"] for side in ("height", "width"))
        self.latent_shape = (int(video["latentChannels"]), self.height, self.width)
        self.tokens, self.compressed_tokens = (
            (self.height // patch[1]) * (self.width // patch[2]) for patch in (network["patchSize"], network["compressedPatchSize"])
        )
        self._sessions = {
            name: onnxruntime.InferenceSession(str(directory / graph["file"]), providers=["CPUExecutionProvider"])
            for name, graph in self.manifest["graphs"].items()
            if name != "text"
        }

    def run(self, graph: str, **inputs: Any) -> list[np.ndarray]:
        """Run one graph; tensors or arrays in, arrays out, in the manifest's order."""
        return self._sessions[graph].run(None, {name: np.asarray(value) for name, value in inputs.items()})

    # ---- the transformer ----

    def _empty(self) -> Context:
        """The cache of the first chunk: padding alone."""
        network = self.manifest["transformer"]
        slots = self.compressed_tokens + self.tokens
        cache = np.zeros((network["layers"], 2, slots, network["dim"]), np.float32)
        return Context(cache, np.full((1, 1, 1, slots), MASKED, np.float32), ())

    def write_cache(self, latents: Tensor, text: Tensor, chunks: Sequence[int]) -> Context:
        """Write the context of finished ``chunks`` anew; ``latents`` [1, T, C, h, w], every frame from the first."""
        plan = tuple(chunks)
        split = split_chunks(plan, self.limit, "cache")
        compressed_frames = max(1, split.compressed_frames)
        sizes = (split, split.full_frames, compressed_frames, self.tokens, self.compressed_tokens)
        old = torch.zeros(1, compressed_frames, *self.latent_shape)
        old[:, : split.compressed_frames] = latents[:, : split.compressed_frames]
        (cache,) = self.run(
            "cache",
            compressed=old,
            compressed_positions=np.arange(compressed_frames, dtype=np.int32),
            full=latents[:, split.compressed_frames :],
            full_positions=np.arange(split.compressed_frames, sum(plan), dtype=np.int32),
            bias=padded_cache_bias(*sizes),
            text=text,
        )
        return Context(cache, written_slots_bias(*sizes).numpy(), plan)

    def next(self, latents: Tensor, t: float, r: float, text: Tensor, first: int, context: Context | None) -> Tensor:
        """One Euler update of a chunk [1, F, C, h, w] whose first frame is number ``first``."""
        context = context or self._empty()
        (result,) = self.run(
            "step",
            latents=latents,
            t=np.array([t], np.float32),
            r=np.array([r], np.float32),
            positions=np.arange(first, first + latents.shape[1], dtype=np.int32),
            text=text,
            cache=context.cache,
            cache_bias=context.bias,
        )
        return torch.from_numpy(result)

    def step(self, latents: Tensor, t: Tensor, r: Tensor, text: Tensor, chunks: Sequence[int], cache: Context | None) -> Tensor:
        """Mean velocity from t down to r < t, as the graph's update implies it."""
        following = self.next(latents, float(t), float(r), text, sum(chunks[:-1]), cache)
        return (latents - following) / (t - r)

    # ---- whole clips ----

    def decode(self, latents: Tensor) -> Tensor:
        """Latents [1, T, C, h, w] to frames [4 T - 3, 3, H, W], latent by latent."""
        graph = self.manifest["graphs"]["decoder"]
        states = {state["input"]: np.zeros(state["shape"], np.float32) for state in graph["state"]}
        pieces = []
        for index in range(latents.shape[1]):
            frames, *following = self.run("decoder", latents=latents[:, index : index + 1], **states)
            states = dict(zip(states, following, strict=True))
            pieces.append(torch.from_numpy(frames)[-1:] if index == 0 else torch.from_numpy(frames))
        return torch.cat(pieces)

    def latents(self, prompt: str, seed: int, steps: int, frames: int | None = None) -> Tensor:
        """Normalised latents [1, T, C, h, w] of a clip of at least ``frames`` pixel frames."""
        video, network = self.manifest["video"], self.manifest["transformer"]
        count = -(-((frames or video["defaultFrames"]) - 1) // video["temporalStride"]) + 1
        plan = chunk_plan(count, network["chunkPlan"]["first"], network["chunkPlan"]["rest"])
        noise = seeded_noise([seed], count, self.latent_shape)
        text = self.text_encoder.encode([prompt])
        return generate_latents(self, text, noise, plan, steps=steps, shift=network["shift"])

    def generate(self, prompt: str, seed: int, steps: int, frames: int | None = None) -> Tensor:
        """Video float32 [frames, 3, H, W], about 0..1."""
        video = self.decode(self.latents(prompt, seed, steps, frames))
        return video[: frames or self.manifest["video"]["defaultFrames"]]
