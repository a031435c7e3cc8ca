"""AnyFlow's chunk-causal video transformer (Wan2.1 blocks, dual timesteps, FAR context compression).

Parameter names and shapes are those of diffusers' `AnyFlowFARTransformer3DModel`, so either loads the other's state
dict strictly. Sources: AnyFlow, arXiv 2605.13724; FAR, arXiv 2503.19325; Wan2.1.

Shapes: B batch, T latent frames, C latent channels, H x W latent size, P = (H/2)(W/2) tokens of a full frame,
Pc = (H/4)(W/4) of a compressed one, d width, L text tokens. Timesteps are sigmas in 0..1.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from anyflow.attention import Attention, AttentionKernel, LayerNorm, TransformerBlock, matmul_attention
from anyflow.conditioning import ConditionEmbedder
from anyflow.flowmap.chunks import Chunks, Split, check_chunks, split_chunks
from anyflow.flowmap.masks import cache_mask, clean_chunk_count, train_mask
from anyflow.rope import RotaryTables, Rotation
from anyflow.transformer_config import TransformerConfig

__all__ = ["AnyFlowFARTransformer", "KVCache", "TransformerConfig"]


@dataclass(frozen=True)
class KVCache:
    """Context of the chunks written so far: `tensor [layers, 2 (keys, values), B, S, d]`, keys already rotated."""

    tensor: Tensor
    chunks: Chunks


@dataclass(frozen=True)
class _TrainPlan:
    """Constant tensors of one training layout."""

    mask: Tensor | None
    groups: Tensor
    rotation: Rotation


class AnyFlowFARTransformer(nn.Module):
    """Predicts the mean velocity `u(z_t, t, r, text)` over the interval from t down to r."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.config = config
        dim, patch, compressed = config.dim, config.patch_size, config.compressed_patch_size
        self.rope = RotaryTables(config.attention_head_dim, patch, compressed, config.rope_max_seq_len)
        self.patch_embedding = nn.Conv3d(config.in_channels, dim, patch, patch)
        self.far_patch_embedding = nn.Conv3d(config.in_channels, dim, compressed, compressed)
        self.condition_embedder = ConditionEmbedder(
            dim, config.freq_dim, config.text_dim, config.gate_value, config.deltatime_type
        )
        self.blocks = nn.ModuleList(
            TransformerBlock(dim, config.ffn_dim, config.num_attention_heads, config.cross_attn_norm, config.eps)
            for _ in range(config.num_layers)
        )
        self.norm_out = LayerNorm(dim, config.eps, elementwise_affine=False)
        self.proj_out = nn.Linear(dim, config.out_channels * math.prod(patch))
        self.scale_shift_table = nn.Parameter(torch.randn(1, 2, dim) / dim**0.5)
        self._plans: dict[tuple[Any, ...], _TrainPlan] = {}
        self.init_weights()

    @property
    def full_chunk_limit(self) -> int:
        return self.config.full_chunk_limit

    def init_weights(self) -> None:
        """Wan's initialisation for training from nothing; the output projection starts at zero."""
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                nn.init.zeros_(module.bias)
        embedder = self.condition_embedder
        for linear in (embedder.text_embedder.linear_1, embedder.text_embedder.linear_2):
            nn.init.normal_(linear.weight, std=0.02)
        for mlp in (embedder.time_embedder, embedder.delta_embedder):
            nn.init.normal_(mlp.linear_1.weight, std=0.02)
            nn.init.normal_(mlp.linear_2.weight, std=0.02)
        nn.init.xavier_uniform_(self.patch_embedding.weight.flatten(1))
        nn.init.zeros_(self.patch_embedding.bias)
        nn.init.zeros_(self.proj_out.weight)
        self.init_compressed_patches()

    @torch.no_grad()
    def init_compressed_patches(self) -> None:
        """Start the compressed patch embedding from the full one, stretched over the larger patch (as FAR does)."""
        config, weight = self.config, self.patch_embedding.weight
        stretched = F.interpolate(
            weight.reshape(-1, 1, *config.patch_size), size=config.compressed_patch_size, mode="trilinear"
        )
        self.far_patch_embedding.weight.copy_(stretched.view_as(self.far_patch_embedding.weight))
        self.far_patch_embedding.bias.copy_(self.patch_embedding.bias)

    def set_attention(self, kernel: AttentionKernel) -> None:
        """Replace the attention kernel of every layer (used by the exporter)."""
        for module in self.modules():
            if isinstance(module, Attention):
                module.kernel = kernel

    def prepare_training(self, compiled: bool) -> None:
        """Choose the attention kernel that trains fastest on the network's device, and compile the blocks if asked to."""
        if next(self.parameters()).device.type == "cpu":
            self.set_attention(matmul_attention)
        if compiled:
            self.compile_training()

    def compile_training(self, **options: Any) -> None:
        """Compile the blocks with torch.compile (static shapes unless told otherwise).

        Blocks rather than the whole pass: all layers share one compilation, which keeps the many shapes of an
        iteration (student, guided teacher, difference, plan lengths) affordable. A deep copy is not compiled.
        """
        # Every batch size, plan length and grad mode is one specialisation; past the default of 8 torch runs eagerly.
        torch._dynamo.config.recompile_limit = max(64, torch._dynamo.config.recompile_limit)
        for block in self.blocks:
            block.compile(**{"dynamic": False, **options})

    # ---- pieces ----

    def _patches(self, latents: Tensor, compressed: bool = False) -> Tensor:
        """Embed `[B, F, C, H, W]` as tokens `[B, F * tokens, d]`: a convolution without overlap is a matrix product."""
        conv = self.far_patch_embedding if compressed else self.patch_embedding
        size = conv.kernel_size[1:]
        grid = latents.unflatten(-1, (-1, size[1])).unflatten(-3, (-1, size[0]))
        tokens = grid.permute(0, 1, 3, 5, 2, 4, 6).flatten(4).flatten(1, 3)
        # Tokens take the weights' type: under autocast the residual stream stays in float32.
        return F.linear(tokens.to(conv.weight.dtype), conv.weight.flatten(1), conv.bias).to(conv.weight.dtype)

    def _latents(self, tokens: Tensor, height: int, width: int) -> Tensor:
        """Project tokens `[B, F * P, d]` to latents `[B, F, C, H, W]`."""
        _, p, q = self.config.patch_size
        grid = tokens.unflatten(-1, (p, q, -1)).unflatten(1, (-1, height // p, width // q))
        return grid.permute(0, 1, 6, 2, 4, 3, 5).flatten(-2).flatten(-3, -2)

    def _head(self, x: Tensor, embedding: Tensor) -> Tensor:
        """Final modulated norm and projection. `embedding [B, groups, d]`, tokens divisible by groups."""
        shift, scale = (self.scale_shift_table.float()[:, None] + embedding.float().unsqueeze(2)).split(1, dim=2)
        normed = self.norm_out(x).unflatten(1, (embedding.shape[1], -1)) * (1 + scale) + shift
        return self.proj_out(normed.flatten(1, 2).type_as(x))

    def _grid(self, height: int, width: int, compressed: bool = False) -> tuple[int, int]:
        _, p, q = self.config.compressed_patch_size if compressed else self.config.patch_size
        return height // p, width // q

    def _rotation(self, positions: Tensor, height: int, width: int, compressed: bool = False) -> Rotation:
        return self.rope(positions, *self._grid(height, width, compressed), compressed)

    def _check(self, latents: Tensor, text: Tensor, last_position: int, compressed_too: bool) -> None:
        config, (height, width) = self.config, latents.shape[-2:]
        patch = config.compressed_patch_size if compressed_too else config.patch_size
        if latents.dim() != 5 or latents.shape[2] != config.in_channels:
            raise ValueError(f"latents must be [B, T, {config.in_channels}, H, W], got {tuple(latents.shape)}")
        if height % patch[1] or width % patch[2]:
            raise ValueError(f"latents of {height}x{width} cannot be cut into patches of {patch[1]}x{patch[2]}")
        if text.dim() != 3 or text.shape[0] != latents.shape[0] or text.shape[2] != config.text_dim:
            raise ValueError(f"text must be [{latents.shape[0]}, L, {config.text_dim}], got {tuple(text.shape)}")
        if last_position > self.rope.max_positions:
            raise ValueError(
                f"{last_position} latent frames exceed the model's {self.rope.max_positions} positions "
                "(rope_max_seq_len); generate a shorter clip"
            )

    # ---- training ----

    def _train_plan(self, split: Split, clean_chunks: int, height: int, width: int, device: torch.device) -> _TrainPlan:
        key = (split, clean_chunks, height, width, device)
        if key in self._plans:
            return self._plans[key]
        tokens, compressed_tokens = math.prod(self._grid(height, width)), math.prod(self._grid(height, width, True))
        compressed_frames, full_frames = split.compressed_frames, split.full_frames
        total, clean_frames = compressed_frames + full_frames, sum(split.full[:clean_chunks])
        # One modulation serves a group of tokens. Full and compressed frames hold different numbers of tokens, so a
        # group is their greatest common divisor; without compressed frames it is a whole frame.
        group = math.gcd(tokens, compressed_tokens) if compressed_frames else tokens
        per_compressed, per_full = compressed_tokens // group, tokens // group
        frame_of_group = torch.cat(
            (
                torch.arange(compressed_frames).repeat_interleave(per_compressed),
                torch.arange(compressed_frames, total).repeat_interleave(per_full),
                torch.full((clean_frames * per_full,), total),  # the extra entry for t = r = 0
            )
        )
        positions = torch.arange(total, device=device)
        kept, full = positions[:compressed_frames], positions[compressed_frames:]
        parts = [
            self._rotation(kept, height, width, True),
            self._rotation(full, height, width),
            self._rotation(full[:clean_frames], height, width),
        ]
        rotation = (torch.cat([cos for cos, _ in parts]), torch.cat([sin for _, sin in parts]))
        alone = total == full_frames and len(split.full) == 1
        mask = None if alone else train_mask(split, tokens, compressed_tokens, clean_chunks).to(device)
        plan = _TrainPlan(mask, frame_of_group.to(device), rotation)
        self._plans[key] = plan
        return plan

    def forward_train(
        self, latents: Tensor, t: Tensor, r: Tensor, text: Tensor, chunks: Sequence[int], clean: Tensor | None = None
    ) -> Tensor:
        """Predict all full-resolution chunks at once, each seeing the clean chunks before it.

        Args:
            latents: `[B, T, C, H, W]`; the frames of chunks older than `full_chunk_limit` are clean context (give
                them t = r = 0), the others noisy.
            t, r: sigmas `[B, T]`.
            text: `[B, L, text_dim]`.
            chunks: plan over the T frames; `(T,)` makes the pass bidirectional.
            clean: clean latents of the full-resolution frames `[B, Tfull, C, H, W]`; None lets noisy chunks see
                earlier noisy chunks instead (plain block-causal attention).

        Returns: mean velocities of the full-resolution frames `[B, Tfull, C, H, W]`.

        Raises:
            ValueError: shapes that disagree with the plan or the configuration.
        """
        plan = check_chunks(chunks, latents.shape[1])
        split = split_chunks(plan, self.config.full_chunk_limit, "train")
        self._check(latents, text, sum(plan), split.compressed_frames > 0)
        if t.shape != latents.shape[:2] or r.shape != t.shape:
            raise ValueError(f"t and r must be {tuple(latents.shape[:2])}, got {tuple(t.shape)} and {tuple(r.shape)}")
        clean_chunks = 0
        if clean is not None:
            expected = (latents.shape[0], split.full_frames, *latents.shape[2:])
            if tuple(clean.shape) != expected:
                raise ValueError(f"clean must be {expected}, got {tuple(clean.shape)}")
            clean_chunks = clean_chunk_count(split.full)
            clean = clean[:, : sum(split.full[:clean_chunks])]
        if clean_chunks == 0:
            clean = None
        layout = self._train_plan(split, clean_chunks, *latents.shape[-2:], latents.device)
        context, noisy = latents.split((split.compressed_frames, split.full_frames), dim=1)
        seen = context if split.compressed_frames else None
        return self._predict(noisy, seen, clean, t, r, text, layout.mask, layout.groups, layout.rotation)

    forward = forward_train

    def _predict(
        self,
        noisy: Tensor,
        context: Tensor | None,
        clean: Tensor | None,
        t: Tensor,
        r: Tensor,
        text: Tensor,
        mask: Tensor | None,
        groups: Tensor,
        rotation: Rotation,
    ) -> Tensor:
        zero = t.new_zeros(t.shape[0], 1)
        embedding, modulation = self.condition_embedder.times(torch.cat((t, zero), 1), torch.cat((r, zero), 1))
        modulation = modulation.index_select(1, groups)
        text = self.condition_embedder.text_embedder(text)
        parts = [] if context is None else [self._patches(context, compressed=True)]
        parts.append(self._patches(noisy))
        start = 0 if context is None else parts[0].shape[1]
        stop = start + parts[-1].shape[1]
        if clean is not None:
            parts.append(self._patches(clean))
        x = torch.cat(parts, 1)
        for block in self.blocks:
            x, _ = block(x, text, modulation, rotation, mask)
        # Groups are equally long, so the noisy tokens' share of the groups follows from their share of the tokens.
        size = x.shape[1] // groups.shape[0]
        of_noisy = embedding.index_select(1, groups[start // size : stop // size])
        return self._latents(self._head(x[:, start:stop], of_noisy), *noisy.shape[-2:])

    # ---- generation with a cache ----

    def write_cache(self, latents: Tensor, text: Tensor, chunks: Sequence[int]) -> KVCache:
        """Write keys and values of finished chunks anew: the latest at full resolution, older ones compressed.

        Args:
            latents: clean `[B, T, C, H, W]`, all frames from the first.
            text: `[B, L, text_dim]`.
            chunks: plan of the finished chunks, over the T frames.

        Raises:
            ValueError: shapes that disagree with the plan or the configuration.
        """
        plan = check_chunks(chunks, latents.shape[1])
        split = split_chunks(plan, self.config.full_chunk_limit, "cache")
        self._check(latents, text, sum(plan), split.compressed_frames > 0)
        (height, width), device = latents.shape[-2:], latents.device
        tokens, compressed_tokens = math.prod(self._grid(height, width)), math.prod(self._grid(height, width, True))
        mask = cache_mask(split, tokens, compressed_tokens).to(device)
        positions = torch.arange(sum(plan), device=device)
        context, full = latents.split((split.compressed_frames, split.full_frames), dim=1)
        old, recent = positions.split((split.compressed_frames, split.full_frames))
        return KVCache(self._write(context, old, full, recent, mask, text), plan)

    def _write(self, context: Tensor, old: Tensor, full: Tensor, recent: Tensor, bias: Tensor, text: Tensor) -> Tensor:
        height, width = full.shape[-2:]
        zero = text.new_zeros(text.shape[0], 1, dtype=torch.float32)
        _, modulation = self.condition_embedder.times(zero, zero)
        text = self.condition_embedder.text_embedder(text)
        rotations = self._rotation(old, height, width, True), self._rotation(recent, height, width)
        rotation = (torch.cat([part[0] for part in rotations]), torch.cat([part[1] for part in rotations]))
        x = torch.cat((self._patches(context, compressed=True), self._patches(full)), 1)
        written = []
        for block in self.blocks[:-1]:
            x, own = block(x, text, modulation, rotation, bias)
            written.append(torch.stack(own))
        written.append(torch.stack(self.blocks[-1].own_keys_values(x, modulation, rotation)))
        return torch.stack(written)

    def step(
        self, latents: Tensor, t: Tensor, r: Tensor, text: Tensor, chunks: Sequence[int], cache: KVCache | None = None
    ) -> Tensor:
        """Mean velocity of the current chunk, which sees itself and the cache.

        Args:
            latents: noisy `[B, F, C, H, W]`, F = the last chunk of the plan.
            t, r: sigmas `[B]`.
            text: `[B, L, text_dim]`.
            chunks: plan up to and including the current chunk.
            cache: what `write_cache` returned for the chunks before; None for the first chunk.

        Returns: `[B, F, C, H, W]`.

        Raises:
            ValueError: a cache that was not written for the chunks before, or shapes that disagree.
        """
        plan = check_chunks(chunks)
        if latents.shape[1] != plan[-1]:
            raise ValueError(f"the plan's last chunk has {plan[-1]} frames, the latents {latents.shape[1]}")
        if (cache.chunks if cache else ()) != plan[:-1]:
            raise ValueError(
                f"the cache holds chunks {cache.chunks if cache else ()}, but the plan needs {plan[:-1]}; "
                "call write_cache after every chunk"
            )
        self._check(latents, text, sum(plan), False)
        positions = torch.arange(sum(plan[:-1]), sum(plan), device=latents.device)
        return self._velocity(latents, t, r, positions, text, cache.tensor if cache else None, None)

    def _velocity(
        self,
        latents: Tensor,
        t: Tensor,
        r: Tensor,
        positions: Tensor,
        text: Tensor,
        cache: Tensor | None,
        bias: Tensor | None,
    ) -> Tensor:
        height, width = latents.shape[-2:]
        embedding, modulation = self.condition_embedder.times(t[:, None], r[:, None])
        text = self.condition_embedder.text_embedder(text)
        rotation = self._rotation(positions, height, width)
        x = self._patches(latents)
        for layer, block in enumerate(self.blocks):
            past = None if cache is None else (cache[layer, 0], cache[layer, 1])
            x, _ = block(x, text, modulation, rotation, bias, past)
        return self._latents(self._head(x, embedding), height, width)

    # ---- the ONNX graphs of models/README.md: plain tensors, batch 1 ----

    def step_graph(
        self, latents: Tensor, t: Tensor, r: Tensor, positions: Tensor, text: Tensor, cache: Tensor, cache_bias: Tensor
    ) -> Tensor:
        """The `step` graph: `latents - (t - r) u`. Shapes as in models/README.md; `cache` has no batch axis."""
        height, width = latents.shape[-2:]
        own = positions.shape[0] * math.prod(self._grid(height, width))
        # The fused attention operator broadcasts a bias over heads, not over query rows.
        slots = cache_bias.expand(1, 1, own, cache_bias.shape[3])
        bias = torch.cat((slots, slots.new_zeros(1, 1, own, own)), dim=3)
        u = self._velocity(latents, t, r, positions, text, cache.unsqueeze(2), bias)
        return latents - (t - r) * u

    def cache_graph(
        self,
        compressed: Tensor,
        compressed_positions: Tensor,
        full: Tensor,
        full_positions: Tensor,
        bias: Tensor,
        text: Tensor,
    ) -> Tensor:
        """The `cache` graph: keys and values of every slot `[layers, 2, S, d]`. Shapes as in models/README.md."""
        return self._write(compressed, compressed_positions, full, full_positions, bias, text).squeeze(2)
