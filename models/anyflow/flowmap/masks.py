"""Attention masks of the chunk-causal transformer, as dense booleans (True = may see), rows are queries."""

from __future__ import annotations

import torch
from torch import Tensor

from anyflow.flowmap.chunks import Chunks, Split

MASKED = -30000.0
"""Additive bias of a forbidden key: far below any score, yet finite in fp16."""


def chunk_of_token(split: Split, full_tokens: int, compressed_tokens: int) -> Tensor:
    """Chunk number of every token, int64 `[Tc * compressed_tokens + Tf * full_tokens]`, compressed frames first."""
    counts = [frames * compressed_tokens for frames in split.compressed] + [f * full_tokens for f in split.full]
    return torch.repeat_interleave(torch.arange(len(counts)), torch.tensor(counts))


def cache_mask(split: Split, full_tokens: int, compressed_tokens: int) -> Tensor:
    """Block-causal mask `[S, S]`: a token sees its own chunk and earlier ones."""
    chunk = chunk_of_token(split, full_tokens, compressed_tokens)
    return chunk[:, None] >= chunk[None, :]


def train_mask(split: Split, full_tokens: int, compressed_tokens: int, clean_chunks: int) -> Tensor:
    """Teacher-forcing mask over `[compressed | noisy | clean]` tokens.

    A noisy token sees its own noisy chunk, and earlier chunks compressed or clean. Context tokens (compressed and
    clean) are block-causal among themselves; only noisy ones see noise.

    Args:
        split: the plan's compressed and full chunks.
        full_tokens, compressed_tokens: tokens of one frame.
        clean_chunks: how many of the full chunks have a clean copy; 0 for plain block-causal attention.
    """
    if clean_chunks == 0:
        return cache_mask(split, full_tokens, compressed_tokens)
    chunk = chunk_of_token(split, full_tokens, compressed_tokens)
    context = split.compressed_frames * compressed_tokens
    clean = chunk[context : context + sum(split.full[:clean_chunks]) * full_tokens]
    noisy = torch.zeros(len(chunk) + len(clean), dtype=torch.bool)
    noisy[context : len(chunk)] = True
    chunk = torch.cat((chunk, clean))
    earlier = chunk[:, None] > chunk[None, :]
    same = chunk[:, None] == chunk[None, :]
    return torch.where(noisy[None, :], noisy[:, None] & same, earlier | (same & ~noisy[:, None]))


def padded_cache_bias(
    split: Split, full_slots: int, compressed_slots: int, full_tokens: int, compressed_tokens: int
) -> Tensor:
    """The `bias` input of the cache graph, float32 `[1, 1, S, S]`, for frame slots padded to a fixed number.

    Slots past the split's frames are padding: such a frame sees itself only, and nobody else sees it.

    Raises:
        ValueError: fewer slots than frames.
    """
    if full_slots < split.full_frames or compressed_slots < split.compressed_frames:
        raise ValueError(
            f"{compressed_slots} compressed and {full_slots} full slots cannot hold "
            f"{split.compressed_frames} compressed and {split.full_frames} full frames"
        )
    # Every padding frame becomes a chunk of its own, so that its tokens see each other and nothing else.
    old, recent = (1,) * (compressed_slots - split.compressed_frames), (1,) * (full_slots - split.full_frames)
    slots = Split((*split.compressed, *old), (*split.full, *recent))
    chunk = chunk_of_token(slots, full_tokens, compressed_tokens)
    real = torch.tensor(
        [True] * len(split.compressed) + [False] * len(old) + [True] * len(split.full) + [False] * len(recent)
    )
    written = real[chunk]
    causal = (chunk[:, None] >= chunk[None, :]) & written[:, None] & written[None, :]
    seen = causal | (chunk[:, None] == chunk[None, :])
    return torch.where(seen, 0.0, MASKED).float()[None, None]


def written_slots_bias(
    split: Split, full_slots: int, compressed_slots: int, full_tokens: int, compressed_tokens: int
) -> Tensor:
    """The `cache_bias` input of the step graph, float32 `[1, 1, 1, S]`: 0 for written slots, MASKED for padding."""
    compressed = torch.arange(compressed_slots * compressed_tokens) < split.compressed_frames * compressed_tokens
    full = torch.arange(full_slots * full_tokens) < split.full_frames * full_tokens
    return torch.where(torch.cat((compressed, full)), 0.0, MASKED).float()[None, None, None]


def clean_chunk_count(chunks_full: Chunks) -> int:
    """Full chunks that need a clean copy: all but the last, which nobody comes after."""
    return len(chunks_full) - 1
