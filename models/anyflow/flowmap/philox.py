"""Seeded noise by Philox4x32-10 (Salmon et al., SC 2011), as laid down in models/README.md ("Noise").

A frame's noise depends on the seed and the frame's number alone, and TypeScript draws the same numbers.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

_ROUNDS = 10
_MULTIPLIERS = np.array([0xD2511F53, 0xCD9E8D57], dtype=np.uint64)
_KEY_STEPS = np.array([0x9E3779B9, 0xBB67AE85], dtype=np.uint64)
_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)
MAX_SEED = 2**53 - 1


def philox4x32(counter: np.ndarray, key: np.ndarray) -> np.ndarray:
    """Ten rounds of Philox4x32.

    Args:
        counter: uint32 `[..., 4]`.
        key: uint32 `[2]`.

    Returns: uint32 `[..., 4]`.
    """
    c0, c1, c2, c3 = (counter[..., i].astype(np.uint64) for i in range(4))
    k0, k1 = (np.uint64(k) for k in key)
    for _ in range(_ROUNDS):
        product0, product1 = _MULTIPLIERS[0] * c0, _MULTIPLIERS[1] * c2
        c0, c1, c2, c3 = (
            (product1 >> _HALF) ^ c1 ^ k0,
            product1 & _LOW,
            (product0 >> _HALF) ^ c3 ^ k1,
            product0 & _LOW,
        )
        k0, k1 = (k0 + _KEY_STEPS[0]) & _LOW, (k1 + _KEY_STEPS[1]) & _LOW
    return np.stack((c0, c1, c2, c3), axis=-1).astype(np.uint32)


def noise_words(seed: int, frame: int, blocks: int) -> np.ndarray:
    """Raw words uint32 `[blocks, 4]` of one latent frame.

    Raises:
        ValueError: a seed outside 0..2^53-1 or a negative frame.
    """
    if not 0 <= seed <= MAX_SEED:
        raise ValueError(f"seed must be an integer from 0 to {MAX_SEED}, got {seed}")
    if not 0 <= frame < 2**32:
        raise ValueError(f"frame must be from 0 to 2^32 - 1, got {frame}")
    counter = np.zeros((blocks, 4), dtype=np.uint32)
    counter[:, 0] = np.arange(blocks, dtype=np.uint32)
    counter[:, 1] = frame
    return philox4x32(counter, np.array([seed & 0xFFFFFFFF, seed >> 32], dtype=np.uint32))


def noise(seed: int, frame: int, shape: tuple[int, ...]) -> np.ndarray:
    """Standard normal noise of one latent frame, float32 `shape` (usually `[C, h, w]`), by Box-Muller in float64."""
    count = math.prod(shape)
    words = noise_words(seed, frame, -(-count // 4)).astype(np.float64)
    radius = np.sqrt(-2.0 * np.log((words[:, 0::2] + 1.0) / 2.0**32))
    angle = 2.0 * np.pi * (words[:, 1::2] / 2.0**32)
    normals = np.stack((radius * np.cos(angle), radius * np.sin(angle)), axis=-1)
    return normals.reshape(-1)[:count].astype(np.float32).reshape(shape)


def clip_noise(seed: int, frames: Iterable[int], shape: tuple[int, ...]) -> np.ndarray:
    """Noise of several latent frames, float32 `[frames, *shape]`."""
    return np.stack([noise(seed, frame, shape) for frame in frames])
