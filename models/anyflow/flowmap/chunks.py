"""Chunk plans: how latent frames are grouped for causal generation, and which groups stay at full resolution.

FAR (arXiv 2503.19325) keeps the latest chunks as full-resolution tokens and everything older as compressed tokens.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import accumulate
from typing import Literal, NamedTuple

Chunks = tuple[int, ...]
"""Latent frames in each chunk, in order."""

Pass = Literal["train", "cache", "step"]


def chunk_plan(latent_frames: int, first: int, rest: int) -> Chunks:
    """Split `latent_frames` into a chunk of `first`, then chunks of `rest`; the last may be shorter.

    Raises:
        ValueError: any number below 1.
    """
    if latent_frames < 1 or first < 1 or rest < 1:
        raise ValueError(f"latent_frames, first and rest must be at least 1, got {latent_frames}, {first}, {rest}")
    chunks = [min(first, latent_frames)]
    while (left := latent_frames - sum(chunks)) > 0:
        chunks.append(min(rest, left))
    return tuple(chunks)


def check_chunks(chunks: Sequence[int], frames: int | None = None) -> Chunks:
    """Return the plan as a tuple, or raise ValueError where it is empty, not positive, or does not cover `frames`."""
    plan = tuple(int(frame_count) for frame_count in chunks)
    if not plan or min(plan) < 1:
        raise ValueError(f"a chunk plan needs at least one chunk and every chunk at least one frame, got {plan}")
    if frames is not None and sum(plan) != frames:
        raise ValueError(f"the chunk plan {plan} covers {sum(plan)} latent frames, but {frames} were given")
    return plan


def chunk_starts(chunks: Chunks) -> Chunks:
    """First latent frame of each chunk, and the total at the end."""
    return tuple(accumulate(chunks, initial=0))


class Split(NamedTuple):
    """A plan divided into a compressed prefix and a full-resolution rest."""

    compressed: Chunks
    full: Chunks

    @property
    def compressed_frames(self) -> int:
        return sum(self.compressed)

    @property
    def full_frames(self) -> int:
        return sum(self.full)


def split_chunks(chunks: Chunks, full_chunk_limit: int, kind: Pass) -> Split:
    """Which chunks a pass holds compressed and which full.

    `train` and `step` plans include the chunk being denoised, which takes one of the `full_chunk_limit` places; a
    `cache` pass leaves that place free for the next chunk.
    """
    limit = full_chunk_limit - 1 if kind == "cache" else full_chunk_limit
    compressed = max(0, len(chunks) - limit)
    return Split(chunks[:compressed], chunks[compressed:])


def sample_training_chunks(plan: Chunks, full_chunk_limit: int, long_context: float, rng: random.Random) -> Chunks:
    """Draw how much of a clip one training iteration sees, so that compressed context gets trained too.

    With probability `long_context` the number of chunks is uniform from `full_chunk_limit` to all, else it is
    `full_chunk_limit` (the authors' recipe uses 0.5). Only the last `full_chunk_limit` chunks carry a loss.
    """
    shortest = min(full_chunk_limit, len(plan))
    count = rng.randint(shortest, len(plan)) if rng.random() < long_context else shortest
    return plan[:count]
