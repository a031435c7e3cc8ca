"""Chunk-causal any-step sampling: each chunk is carried from noise to data, then written to the cache.

DESIGN.md section 2; the loop is that of diffusers' `AnyFlowFARPipeline`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import torch
from torch import Tensor

from anyflow.flowmap.chunks import Chunks, check_chunks, chunk_starts
from anyflow.flowmap.philox import clip_noise
from anyflow.flowmap.schedule import sigmas

Sampler = Literal["flow_map", "euler", "consistency"]


class CausalFlowMap(Protocol):
    """What the rollout asks of a network; `AnyFlowFARTransformer` provides it."""

    def write_cache(self, latents: Tensor, text: Tensor, chunks: Sequence[int]) -> Any: ...

    def step(
        self, latents: Tensor, t: Tensor, r: Tensor, text: Tensor, chunks: Sequence[int], cache: Any
    ) -> Tensor: ...


@dataclass(frozen=True)
class Progress:
    """Told to the callback after every step: `latents [B, F, C, h, w]` of the chunk, finished when step == steps."""

    chunk: int
    step: int
    steps: int
    latents: Tensor


def seeded_noise(
    seeds: Sequence[int], frames: int, shape: tuple[int, ...], device: torch.device | str = "cpu"
) -> Tensor:
    """Noise of a batch, one seed a clip: float32 `[len(seeds), frames, *shape]`."""
    clips = [torch.from_numpy(clip_noise(seed, range(frames), shape)) for seed in seeds]
    return torch.stack(clips).to(device)


def context_chunks(chunks: Chunks, frames: int) -> int:
    """How many chunks the given context frames fill.

    Raises:
        ValueError: the context ends inside a chunk, or covers the whole plan.
    """
    starts = chunk_starts(chunks)
    if frames not in starts[:-1]:
        raise ValueError(
            f"context of {frames} latent frames does not end where a chunk begins; "
            f"the plan {chunks} allows {', '.join(map(str, starts[:-1]))}"
        )
    return starts.index(frames)


def guided_velocity(u: Tensor, guidance: float) -> Tensor:
    """`u_uncond + w (u_cond - u_uncond)` of a batch that holds conditional samples, then unconditional ones."""
    conditional, unconditional = u.chunk(2)
    return unconditional + guidance * (conditional - unconditional)


@torch.no_grad()
def generate_latents(
    model: CausalFlowMap,
    text: Tensor,
    noise: Tensor,
    chunks: Sequence[int],
    *,
    steps: int,
    shift: float,
    guidance: float | None = None,
    null_text: Tensor | None = None,
    sampler: Sampler = "flow_map",
    generator: torch.Generator | None = None,
    context: Tensor | None = None,
    window: int | None = None,
    on_step: Callable[[Progress], None] | None = None,
) -> Tensor:
    """Sample clips.

    Args:
        model: the network.
        text: `[B, L, D]`.
        noise: `[B, T, C, h, w]`, see `seeded_noise`.
        chunks: plan over the T frames.
        steps: steps for every chunk.
        shift: of the sigma schedule.
        guidance: classifier-free guidance above 1 doubles the batch and needs `null_text`; leave out where guidance
            is fused into the student.
        null_text: `[L, D]` or `[1, L, D]`, the features that stood for dropped text in training.
        sampler: `flow_map` jumps from t to r by `u(z, t, r)`. `euler` gives the network r = t (the instantaneous
            velocity): Euler integration of a teacher's ODE. `consistency` predicts clean data by `u(z, t, 0)` and
            noises it again to r (Song et al., arXiv 2303.01469, algorithm 1), as consistency students are sampled.
        generator: draws the noise of `consistency`, on the noise's device.
        context: clean latents `[B, Tc, C, h, w]` of whole chunks to continue from (an image, the end of a clip).
        window: how many chunks a chunk may have to do with, itself included, at least 3. Of longer clips the first chunk stays
            and the oldest after it leaves, and positions are counted within the window, so that no chunk sees more than
            the network was trained on (the app's endless takes; src/flowmap/endless.ts). None: all chunks.
        on_step: called after each step; raise in it to stop.

    Returns: latents `[B, T, C, h, w]`, context included.

    Raises:
        ValueError: a plan, context or window that does not fit, or guidance without `null_text`.
    """
    plan = check_chunks(chunks, noise.shape[1])
    if window is not None and window < 3:
        raise ValueError(f"a window has at least 3 chunks, got {window}")
    if text.shape[0] != noise.shape[0]:
        raise ValueError(f"text holds {text.shape[0]} prompts for {noise.shape[0]} clips of noise")
    guided = guidance is not None and guidance != 1
    if guided:
        if null_text is None:
            raise ValueError("guidance needs null_text, the features used for dropped text in training")
        text = torch.cat((text, null_text.to(text).expand_as(text)))
    double = (lambda x: torch.cat((x, x))) if guided else (lambda x: x)

    first = 0
    result = noise.clone()
    starts = chunk_starts(plan)
    if context is not None:
        first = context_chunks(plan, context.shape[1])
        result[:, : starts[first]] = context
    schedule = torch.from_numpy(sigmas(steps, shift)).to(device=noise.device, dtype=torch.float32)
    for index in range(first, len(plan)):
        seen = seen_chunks(index, window)
        frames, before = frames_of(plan, seen)
        cache = model.write_cache(double(result[:, frames]), text, before) if seen else None
        z = result[:, starts[index] : starts[index + 1]]
        for step in range(steps):
            t, r = schedule[step], schedule[step + 1]
            aim = {"flow_map": r, "euler": t, "consistency": torch.zeros_like(r)}[sampler]
            times = t.expand(text.shape[0]), aim.expand(text.shape[0])
            u = model.step(double(z), *times, text, (*before, plan[index]), cache)
            u = guided_velocity(u, guidance) if guided else u
            if sampler == "consistency":
                fresh = torch.randn(z.shape, device=z.device, dtype=z.dtype, generator=generator)
                z = torch.lerp(z - t * u, fresh, r)
            else:
                z = z - (t - r) * u
            if on_step is not None:
                on_step(Progress(index, step + 1, steps, z))
        result[:, starts[index] : starts[index + 1]] = z
    return result


def seen_chunks(index: int, window: int | None) -> list[int]:
    """The finished chunks that chunk `index` sees; `window` as in `generate_latents`."""
    if window is None or index < window:
        return list(range(index))
    return [0, *range(index - window + 2, index)]


def frames_of(plan: Chunks, seen: Sequence[int]) -> tuple[list[int], Chunks]:
    """The latent frames that some chunks of a plan cover, and the plan that these chunks are by themselves."""
    starts = chunk_starts(plan)
    return [frame for chunk in seen for frame in range(starts[chunk], starts[chunk + 1])], tuple(plan[chunk] for chunk in seen)
