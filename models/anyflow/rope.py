"""Three-axis rotary position embedding for full and compressed latent frames.

A token of latent frame `f` at patch `(i, j)` is rotated by angles from three frequency bands: time, rows, columns.
Compressed tokens cover a block of full-resolution patches; their row and column rotation is the normalised mean of
the block's rotations (FAR, arXiv 2503.19325; diffusers' `AnyFlowCausalRotaryPosEmbed`).

Tables are made in float64 and held as real float32 pairs (cos, sin), so that the same code trains, compiles and
exports to ONNX without complex numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

Rotation = tuple[Tensor, Tensor]
"""Cosines and sines, each float32 `[tokens, head_dim / 2]`."""


class Float32Module(nn.Module):
    """A module whose buffers stay float32 when the model around it is cast (`.bfloat16()`, `.half()`)."""

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Any:
        exact = dict(self.named_buffers(recurse=False))
        result = super()._apply(fn, recurse)
        for name, value in exact.items():
            moved = getattr(self, name)
            # Take only the new device from the cast copy: rounding position tables would shift every token.
            setattr(self, name, value if moved.is_meta else value.to(moved.device))
        return result


def axis_angles(dim: int, positions: int, theta: float = 10000.0) -> Tensor:
    """Angles of one axis, float64 `[positions, dim / 2]`: `position * theta^(-2k / dim)`."""
    frequency = 1.0 / theta ** (torch.arange(0, dim, 2, dtype=torch.float64) / dim)
    return torch.outer(torch.arange(positions, dtype=torch.float64), frequency)


def pool_rotation(angles: Tensor, factor: int) -> Rotation:
    """Normalised mean rotation of each run of `factor` positions, float64 `[positions // factor, dim / 2]` twice."""
    runs = angles[: angles.shape[0] // factor * factor].unflatten(0, (-1, factor))
    cos, sin = runs.cos().mean(1), runs.sin().mean(1)
    norm = (cos.square() + sin.square()).sqrt()
    return cos / norm, sin / norm


def rotate(x: Tensor, rotation: Rotation, heads: int) -> Tensor:
    """Rotate neighbouring channel pairs of every head.

    Args:
        x: `[B, S, heads * head_dim]`.
        rotation: cos and sin `[S, head_dim / 2]`.
        heads: number of heads.
    """
    cos, sin = (table.unsqueeze(1) for table in rotation)
    pairs = x.float().unflatten(-1, (heads, -1, 2))
    # (a, b) -> (a cos - b sin, b cos + a sin): rolling swaps the pair, which is cheaper than taking it apart.
    rotated = torch.addcmul(pairs * torch.stack((cos, cos), -1), pairs.roll(1, -1), torch.stack((-sin, sin), -1))
    return rotated.flatten(-3).type_as(x)


class RotaryTables(Float32Module):
    """Rotation tables of one model; `forward` gathers the rotation of every token of some latent frames."""

    def __init__(
        self,
        head_dim: int,
        patch: tuple[int, int, int],
        compressed_patch: tuple[int, int, int],
        max_positions: int,
    ) -> None:
        super().__init__()
        space = 2 * (head_dim // 6)
        time_angles = axis_angles(head_dim - 2 * space, max_positions)
        space_angles = axis_angles(space, max_positions)
        self.max_positions = max_positions
        self._add("time", (time_angles.cos(), time_angles.sin()))
        self._add("rows", (space_angles.cos(), space_angles.sin()))
        self._add("columns", (space_angles.cos(), space_angles.sin()))
        self._add("compressed_rows", pool_rotation(space_angles, compressed_patch[1] // patch[1]))
        self._add("compressed_columns", pool_rotation(space_angles, compressed_patch[2] // patch[2]))

    def _add(self, name: str, rotation: Rotation) -> None:
        for part, table in zip(("cos", "sin"), rotation, strict=True):
            self.register_buffer(f"{name}_{part}", table.float(), persistent=False)

    def forward(self, positions: Tensor, rows: int, columns: int, compressed: bool) -> Rotation:
        """Rotation of all tokens of the frames at `positions` (int `[F]`), frame-major: `[F * rows * columns, D/2]`."""
        prefix = "compressed_" if compressed else ""
        cos, sin = (self._gather(part, positions, rows, columns, prefix) for part in ("cos", "sin"))
        return cos, sin

    def _gather(self, part: str, positions: Tensor, rows: int, columns: int, prefix: str) -> Tensor:
        row_table = getattr(self, f"{prefix}rows_{part}")[:rows]
        column_table = getattr(self, f"{prefix}columns_{part}")[:columns]
        space = torch.cat(
            (
                row_table[:, None].expand(rows, columns, row_table.shape[1]),
                column_table[None].expand(rows, columns, column_table.shape[1]),
            ),
            dim=-1,
        ).flatten(0, 1)
        time = getattr(self, f"time_{part}").index_select(0, positions)
        frames, tokens = positions.shape[0], rows * columns
        return torch.cat(
            (
                time[:, None].expand(frames, tokens, time.shape[1]),
                space[None].expand(frames, tokens, space.shape[1]),
            ),
            dim=-1,
        ).flatten(0, 1)
