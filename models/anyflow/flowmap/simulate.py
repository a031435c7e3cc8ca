"""Flow Map Backward Simulation: a student's own N-step rollout in three passes a chunk (DESIGN.md section 2, stage 3).

On-policy training needs what the student makes by itself, with gradients. An N-step Euler rollout would need N passes; a
flow map jumps: from noise to the step that is to be trained, over that step, and from there to data. So the cost of a
rollout does not depend on N (AnyFlow, arXiv 2605.13724).
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from anyflow.flowmap.chunks import check_chunks, chunk_starts
from anyflow.flowmap.rollout import CausalFlowMap, frames_of, seen_chunks
from anyflow.flowmap.schedule import sigmas


@dataclass(frozen=True)
class Shortcut:
    """The trained step of a rollout: it leads from sigma ``start`` to ``end``, two neighbours of an N-step schedule."""

    start: float
    end: float

    @property
    def points(self) -> tuple[float, ...]:
        """Sigmas the rollout visits, from 1 to 0; hops of no length are left out (so N = 1 is one pass)."""
        points = [1.0]
        for sigma in (self.start, self.end, 0.0):
            if sigma < points[-1]:
                points.append(sigma)
        return tuple(points)


def shortcut(steps: int, index: int, shift: float) -> Shortcut:
    """The ``index``-th step (from 0, at the noise end) of an N-step schedule.

    Raises:
        ValueError: if there is no such step.
    """
    if not 0 <= index < steps:
        raise ValueError(f"a schedule of {steps} steps has no step {index}; the last is {steps - 1}")
    schedule = sigmas(steps, shift)
    return Shortcut(float(schedule[index]), float(schedule[index + 1]))


def draw_shortcut(steps: Sequence[int], shift: float, rng: random.Random) -> Shortcut:
    """A step count from ``steps``, and one of its steps, both uniform."""
    count = rng.choice(list(steps))
    return shortcut(count, rng.randrange(count), shift)


def hop(
    model: CausalFlowMap, z: Tensor, t: float, r: float, text: Tensor, chunks: Sequence[int], cache: object
) -> Tensor:
    """``z_r = z_t - (t - r) u(z_t, t, r)`` for the last chunk of the plan."""
    times = z.new_full((z.shape[0],), t, dtype=torch.float32), z.new_full((z.shape[0],), r, dtype=torch.float32)
    return z - (t - r) * model.step(z, *times, text, chunks, cache)


def backward_simulation(
    model: CausalFlowMap,
    text: Tensor,
    noise: Tensor,
    chunks: Sequence[int],
    points: Sequence[float],
    *,
    window: int | None = None,
    trained: int | None = None,
) -> Tensor:
    """Roll the student out chunk by chunk along ``points`` (see `Shortcut.points`), on its own context.

    Gradients flow through the passes of each chunk, not through the cache: what an earlier chunk looks like is that
    chunk's business. A plan of one chunk is the bidirectional rollout.

    Args:
        text: ``[B, L, D]``; noise: ``[B, T, C, h, w]``; chunks: plan over the T frames.
        window: as in `generate_latents`, for rollouts that go on for longer than a training clip.
        trained: how many of the last chunks carry gradients (None: all), for judges that see no further back.

    Returns: clean latents ``[B, T, C, h, w]``.
    """
    plan = check_chunks(chunks, noise.shape[1])
    starts = chunk_starts(plan)
    untrained = 0 if trained is None else len(plan) - trained
    done: list[Tensor] = []
    for index in range(len(plan)):
        frames, before = frames_of(plan, seen_chunks(index, window))
        with torch.no_grad():
            cache = model.write_cache(torch.cat(done, 1)[:, frames], text, before) if done else None
        z = noise[:, starts[index] : starts[index + 1]]
        with torch.set_grad_enabled(torch.is_grad_enabled() and index >= untrained):
            for t, r in pairwise(points):
                z = hop(model, z, t, r, text, (*before, plan[index]), cache)
        done.append(z)
    return torch.cat(done, 1)


def last_window(plan: Sequence[int], window: int) -> tuple[list[int], tuple[int, ...]]:
    """What the last chunk of a rollout sees, and itself: its frames, and their plan (see `frames_of`)."""
    last = len(plan) - 1
    return frames_of(tuple(plan), [*seen_chunks(last, window), last])
