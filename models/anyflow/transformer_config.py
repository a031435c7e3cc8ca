"""Numbers of the transformer, checked when they are read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any


@dataclass(frozen=True)
class TransformerConfig:
    """Numbers of the network, under diffusers' names."""

    patch_size: tuple[int, int, int] = (1, 2, 2)
    compressed_patch_size: tuple[int, int, int] = (1, 4, 4)
    full_chunk_limit: int = 3
    num_attention_heads: int = 6
    attention_head_dim: int = 32
    in_channels: int = 16
    out_channels: int = 16
    text_dim: int = 384
    freq_dim: int = 256
    ffn_dim: int = 768
    num_layers: int = 8
    cross_attn_norm: bool = True
    eps: float = 1e-6
    image_dim: int | None = None
    rope_max_seq_len: int = 1024
    gate_value: float = 0.25
    deltatime_type: str = "r"
    chunk_partition: tuple[int, ...] = (1, 2, 2, 2, 2)

    def __post_init__(self) -> None:
        for name in ("patch_size", "compressed_patch_size", "chunk_partition"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        if self.patch_size[0] != 1 or self.compressed_patch_size[0] != 1:
            raise ValueError("patches span one latent frame: patch_size[0] and compressed_patch_size[0] must be 1")
        if any(c % p for c, p in zip(self.compressed_patch_size, self.patch_size, strict=True)):
            raise ValueError("compressed_patch_size must be a multiple of patch_size on every axis")
        if self.attention_head_dim % 2 or self.attention_head_dim < 6:
            raise ValueError(f"attention_head_dim must be even and at least 6, got {self.attention_head_dim}")
        if self.image_dim is not None:
            raise ValueError("image_dim: image-embedding conditioning is not supported; give image frames as context")
        if self.deltatime_type not in ("r", "t-r"):
            raise ValueError(f"deltatime_type must be 'r' or 't-r', got {self.deltatime_type!r}")
        if self.full_chunk_limit < 1:
            raise ValueError(f"full_chunk_limit must be at least 1, got {self.full_chunk_limit}")

    @property
    def dim(self) -> int:
        return self.num_attention_heads * self.attention_head_dim

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> TransformerConfig:
        """From a mapping such as a diffusers `config.json`; its `_private` keys are ignored, unknown ones refused."""
        known = {field.name for field in fields(cls)}
        given = {key: value for key, value in values.items() if not key.startswith("_")}
        if unknown := sorted(given.keys() - known):
            raise ValueError(f"unknown transformer settings {unknown}; known are {sorted(known)}")
        return cls(**given)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)
