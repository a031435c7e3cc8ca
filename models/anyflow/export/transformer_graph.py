"""The ``step`` and ``cache`` graphs, built node by node from the transformer's weights.

Built rather than traced, so that every node is one the WebGPU provider runs (DESIGN.md section 5), with few dispatches:
modulated normalisation is one LayerNormalization whose scale and bias are computed, queries, keys and values come from
one product, rotary embedding and attention are onnxruntime's fused operators, and no shape is computed at run time.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from onnx import TensorProto
from torch import Tensor

from anyflow.conditioning import TIMESTEP_SCALE
from anyflow.export.builder import CONTRIB, GraphBuilder, WeightFile
from anyflow.transformer import AnyFlowFARTransformer

_FLOAT, _INT = TensorProto.FLOAT, TensorProto.INT32
# Bound storage buffers per WebGPU shader are few (8 by default), so wide concatenations are made in a tree.
_CONCAT_FAN_IN = 4


@dataclass(frozen=True)
class Modulation:
    """Values computed from the timesteps: embedding [d] for the head, and [6 d] for the blocks, as graph values."""

    embedding: str
    projection: str


class TransformerGraph:
    """Shared parts of both graphs. ``height``, ``width`` are the latent's; ``tokens`` the text's length."""

    def __init__(self, name: str, model: AnyFlowFARTransformer, weights: WeightFile, height: int, width: int, tokens: int) -> None:
        self.model, self.config = model, model.config
        self.height, self.width, self.tokens = height, width, tokens
        self.state = {key: value.detach().float().cpu() for key, value in model.state_dict().items()}
        self.g = GraphBuilder(name, weights)

    # ---- layers ----

    def _array(self, name: str) -> np.ndarray:
        return self.state[name].numpy()

    def raw(self, name: str, tensor: Tensor) -> str:
        """A float32 weight: tables and vectors too small or too sensitive to round."""
        return self.g.raw_weight(name, np.ascontiguousarray(tensor.float().numpy()))

    def linear(self, x: str, *names: str, stored: str | None = None, bias: bool = True) -> str:
        """``x @ W.T + b``; several names are stacked into one product, stored under the name ``stored``."""
        stem = stored or names[0]
        matrix = torch.cat([self.state[f"{name}.weight"].flatten(1) for name in names])
        product = self.g.op("MatMul", x, self.g.weight(f"{stem}.weight", matrix.T.contiguous().numpy()))
        return self.g.op("Add", product, self.bias(*names, stored=stem)) if bias else product

    def bias(self, *names: str, stored: str | None = None) -> str:
        """The stacked biases of linear layers, float32."""
        return self.raw(f"{stored or names[0]}.bias", torch.cat([self.state[f"{name}.bias"] for name in names]))

    def layer_norm(self, x: str, scale: str, bias: str) -> str:
        return self.g.op("LayerNormalization", x, scale, bias, epsilon=self.config.eps, axis=-1)

    def rms_norm(self, x: str, name: str) -> str:
        """onnxruntime's RMS normalisation (registered in ONNX's own domain) over all heads together."""
        scale = self.raw(f"{name}.weight", self.state[f"{name}.weight"])
        return self.g.op("SimplifiedLayerNormalization", x, scale, epsilon=self.config.eps, axis=-1)

    def silu(self, x: str) -> str:
        return self.g.op("Mul", x, self.g.op("Sigmoid", x))

    def attention(self, q: str, k: str, v: str, bias: str = "") -> str:
        heads = self.config.num_attention_heads
        return self.g.op("MultiHeadAttention", q, k, v, "", "", bias, domain=CONTRIB, num_heads=heads)

    # ---- conditioning ----

    def _sinusoids(self, timesteps: str) -> str:
        """Cosines and sines of timesteps [2, 1]: [2, freq_dim], as ``conditioning.Sinusoid``.

        WGSL allows sin and cos an error of 2^-11, which a 1-step student would see. So both are folded onto
        sin(y) with |y| <= pi / 2, and that is summed as a Taylor series up to y^11 (error under 6e-8).
        """
        g = self.g
        frequencies = self.model.condition_embedder.timesteps_proj.frequencies.cpu()
        angle = g.op("Mul", timesteps, self.raw("time_frequencies", frequencies[None]))
        # As conditioning.reduce_angle: to -pi..pi; 6.28125 times a small integer is exact in float32.
        turns = g.op("Floor", g.op("Add", g.op("Mul", angle, g.scalar(1 / (2 * np.pi))), g.scalar(0.5)))
        x = g.op("Sub", angle, g.op("Mul", turns, g.scalar(6.28125)))
        x = g.op("Sub", x, g.op("Mul", turns, g.scalar(2 * np.pi - 6.28125)))
        quarter = g.scalar(np.pi / 2)
        of_cos = g.op("Sub", quarter, g.op("Abs", x))
        inner = g.op("Clip", x, g.scalar(-np.pi / 2), quarter)
        of_sin = g.op("Sub", g.op("Mul", inner, g.scalar(2)), x)
        y = g.op("Concat", of_cos, of_sin, axis=-1)
        square = g.op("Mul", y, y)
        total = g.scalar(-1 / math.factorial(11))
        for power, sign in ((9, 1), (7, -1), (5, 1), (3, -1), (1, 1)):
            total = g.op("Add", g.op("Mul", total, square), g.scalar(sign / math.factorial(power)))
        return g.op("Mul", total, y)

    def modulation(self, t: str, r: str) -> Modulation:
        """Both timesteps ([1] each) embedded, each by its own perceptron, and mixed by the fixed gate."""
        g, gate = self.g, self.config.gate_value
        delta = r if self.config.deltatime_type == "r" else g.op("Sub", t, r)
        times = g.op("Mul", g.reshape(g.op("Concat", t, delta, axis=0), 2, 1), g.scalar(TIMESTEP_SCALE))
        mixed = []
        rows = g.ops("Split", self._sinusoids(times), outputs=2, axis=0, num_outputs=2)
        for row, mlp, share in zip(rows, ("time_embedder", "delta_embedder"), (1 - gate, gate), strict=True):
            hidden = self.silu(self.linear(row, f"condition_embedder.{mlp}.linear_1"))
            mixed.append(g.op("Mul", self.linear(hidden, f"condition_embedder.{mlp}.linear_2"), g.scalar(share)))
        embedding = g.op("Add", *mixed)
        projection = self.linear(self.silu(embedding), "condition_embedder.time_proj")
        return Modulation(g.reshape(embedding, -1), g.reshape(projection, -1))

    def text(self, text: str) -> str:
        """Text features [1, L, Dt] to [1, L, d]."""
        hidden = self.linear(text, "condition_embedder.text_embedder.linear_1", bias=False)
        bias = self.bias("condition_embedder.text_embedder.linear_1")
        hidden = self.g.op("FastGelu", hidden, bias, domain=CONTRIB)
        return self.linear(hidden, "condition_embedder.text_embedder.linear_2")

    # ---- tokens and positions ----

    def patches(self, latents: str, compressed: bool = False) -> str:
        """Latents [1, F, C, h, w] to tokens [1, F tokens, d]."""
        name = "far_patch_embedding" if compressed else "patch_embedding"
        _, p, q = self.config.compressed_patch_size if compressed else self.config.patch_size
        channels = self.config.in_channels
        grid = self.g.reshape(latents, -1, channels, self.height // p, p, self.width // q, q)
        grid = self.g.op("Transpose", grid, perm=[0, 2, 4, 1, 3, 5])
        return self.linear(self.g.reshape(grid, 1, -1, channels * p * q), name)

    def rotation(self, positions: str, compressed: bool = False) -> tuple[str, str]:
        """Rotary tables of the tokens of frames ``positions`` int32 [F]: cosines and sines [F tokens, D / 2].

        The time table is zero where the space table is not and the other way round, so one Add joins them.
        """
        g, rope = self.g, self.model.rope
        kind = "compressed_" if compressed else ""
        _, p, q = self.config.compressed_patch_size if compressed else self.config.patch_size
        rows, columns = self.height // p, self.width // q
        parts: dict[str, list[Tensor]] = {"time": [], "space": []}
        for part in ("cos", "sin"):
            time = getattr(rope, f"time_{part}").cpu()
            space = torch.cat(
                (
                    getattr(rope, f"{kind}rows_{part}").cpu()[:rows, None].expand(-1, columns, -1),
                    getattr(rope, f"{kind}columns_{part}").cpu()[None, :columns].expand(rows, -1, -1),
                ),
                -1,
            ).flatten(0, 1)
            parts["time"] += [time, time.new_zeros(time.shape[0], space.shape[1])]
            parts["space"] += [space.new_zeros(space.shape[0], time.shape[1]), space]
        of_time = g.op("Gather", self.raw("rotary.time", torch.cat(parts["time"], -1)), positions)
        of_space = self.raw(f"rotary.{kind}space", torch.cat(parts["space"], -1)[None])
        table = g.op("Add", g.op("Unsqueeze", of_time, g.constant([1])), of_space)
        cos, sin = g.ops("Split", table, outputs=2, axis=-1, num_outputs=2)
        half = self.config.attention_head_dim // 2
        return g.reshape(cos, -1, half), g.reshape(sin, -1, half)

    def rotate(self, x: str, rotation: tuple[str, str]) -> str:
        """Rotate channel pairs of x [1, S, d]; a single position 0 means that token s takes row s of the tables."""
        first = self.g.constant([0])
        heads = self.config.num_attention_heads
        return self.g.op("RotaryEmbedding", x, first, *rotation, domain=CONTRIB, interleaved=1, num_heads=heads)

    # ---- blocks ----

    def modulations(self, index: int, modulation: Modulation) -> list[str]:
        """Shift, 1 + scale, gate of self-attention, then of the feed-forward: six vectors [d]."""
        table = self.state[f"blocks.{index}.scale_shift_table"][0].clone()
        table[[1, 4]] += 1
        stored = self.raw(f"blocks.{index}.modulation", table.flatten())
        return self.g.ops("Split", self.g.op("Add", modulation.projection, stored), outputs=6, axis=0, num_outputs=6)

    def self_qkv(self, index: int, x: str, shift: str, scale: str, rotation: tuple[str, str]) -> tuple[str, str, str]:
        """Queries, keys (both normalised and rotated) and values [1, S, d]."""
        stem = f"blocks.{index}.attn1"
        names = [f"{stem}.to_{part}" for part in "qkv"]
        product = self.linear(self.layer_norm(x, scale, shift), *names, stored=f"{stem}.qkv")
        q, k, v = self.g.ops("Split", product, outputs=3, axis=-1, num_outputs=3)
        q, k = (self.rotate(self.rms_norm(y, f"{stem}.norm_{part}"), rotation) for y, part in ((q, "q"), (k, "k")))
        return q, k, v

    def block(
        self,
        index: int,
        x: str,
        text: str,
        modulation: Modulation,
        rotation: tuple[str, str],
        bias: str,
        past: tuple[str, str] | None = None,
    ) -> tuple[str, tuple[str, str]]:
        """One Wan block; returns the tokens and the block's own keys and values (see ``TransformerBlock``)."""
        g, stem = self.g, f"blocks.{index}"
        shift, scale, gate, ff_shift, ff_scale, ff_gate = self.modulations(index, modulation)
        q, *own = self.self_qkv(index, x, shift, scale, rotation)
        seen = own if past is None else [g.op("Concat", old, new, axis=1) for old, new in zip(past, own, strict=True)]
        attended = self.linear(self.attention(q, *seen, bias), f"{stem}.attn1.to_out.0")
        x = g.op("Add", x, g.op("Mul", attended, gate))

        names = [f"{stem}.attn2.to_{part}" for part in "kv"]
        k, v = g.ops("Split", self.linear(text, *names, stored=f"{stem}.attn2.kv"), outputs=2, axis=-1, num_outputs=2)
        normed = x
        if self.config.cross_attn_norm:
            parts = [self.raw(f"{stem}.norm2.{part}", self.state[f"{stem}.norm2.{part}"]) for part in ("weight", "bias")]
            normed = self.layer_norm(x, *parts)
        q = self.rms_norm(self.linear(normed, f"{stem}.attn2.to_q"), f"{stem}.attn2.norm_q")
        attended = self.attention(q, self.rms_norm(k, f"{stem}.attn2.norm_k"), v)
        x = g.op("Add", x, self.linear(attended, f"{stem}.attn2.to_out.0"))

        hidden = self.linear(self.layer_norm(x, ff_scale, ff_shift), f"{stem}.ffn.net.0.proj", bias=False)
        hidden = g.op("FastGelu", hidden, self.bias(f"{stem}.ffn.net.0.proj"), domain=CONTRIB)
        update = g.op("Mul", self.linear(hidden, f"{stem}.ffn.net.2"), ff_gate)
        return g.op("Add", x, update), (own[0], own[1])

    def slot(self, cache: str, layer: int, part: int) -> str:
        """One layer's cached keys (part 0) or values (part 1), [1, S, d].

        A slice over two axes: onnxruntime would fuse single-axis ones into a Split with an output for each, which
        binds more buffers than WebGPU allows.
        """
        g = self.g
        start, stop = g.constant([layer, part]), g.constant([layer + 1, part + 1])
        return g.reshape(g.op("Slice", cache, start, stop, g.constant([0, 1])), 1, -1, self.config.dim)

    def head(self, x: str, modulation: Modulation) -> str:
        """Tokens [1, F P, d] to the velocity [1, F, C, h, w]."""
        table = self.state["scale_shift_table"][0].clone()
        table[1] += 1
        shift, scale = (
            self.g.op("Add", modulation.embedding, self.raw(f"head.{name}", table[row])) for row, name in enumerate(("shift", "scale"))
        )
        x = self.linear(self.layer_norm(x, scale, shift), "proj_out")
        _, p, q = self.config.patch_size
        channels = self.config.out_channels
        grid = self.g.reshape(x, -1, self.height // p, self.width // q, p, q, channels)
        grid = self.g.op("Transpose", grid, perm=[0, 5, 1, 3, 2, 4])
        return self.g.reshape(grid, 1, -1, channels, self.height, self.width)

    def concat_tree(self, values: Sequence[str], axis: int) -> str:
        """Concatenate in groups of a few, until one is left."""
        level = list(values)
        while len(level) > 1:
            groups = [level[i : i + _CONCAT_FAN_IN] for i in range(0, len(level), _CONCAT_FAN_IN)]
            level = [g[0] if len(g) == 1 else self.g.op("Concat", *g, axis=axis) for g in groups]
        return level[0]


def write_step_graph(model: AnyFlowFARTransformer, weights: WeightFile, directory: Path, height: int, width: int, tokens: int) -> Path:
    """``step.onnx``: one Euler update of a chunk (inputs and outputs in models/README.md)."""
    b = TransformerGraph("step", model, weights, height, width, tokens)
    g, config = b.g, model.config
    latent_shape = (1, "F", config.in_channels, height, width)
    latents = g.input("latents", _FLOAT, latent_shape)
    t, r = g.input("t", _FLOAT, (1,)), g.input("r", _FLOAT, (1,))
    positions = g.input("positions", _INT, ("F",))
    text = b.text(g.input("text", _FLOAT, (1, tokens, config.text_dim)))
    cache = g.input("cache", _FLOAT, (config.num_layers, 2, "S", config.dim))
    cache_bias = g.input("cache_bias", _FLOAT, (1, 1, 1, "S"))

    modulation = b.modulation(t, r)
    rotation = b.rotation(positions)
    # Zeros, one per own token, without computing a shape; then [1, 1, own, S + own] by broadcasting.
    first = g.op("Slice", rotation[0], g.constant([0]), g.constant([1]), g.constant([1]))
    zeros = g.op("Mul", first, g.scalar(0))
    row = g.op("Concat", cache_bias, g.reshape(zeros, 1, 1, 1, -1), axis=-1)
    bias = g.op("Add", row, g.reshape(zeros, 1, 1, -1, 1))

    x = b.patches(latents)
    for index in range(config.num_layers):
        x, _ = b.block(index, x, text, modulation, rotation, bias, (b.slot(cache, index, 0), b.slot(cache, index, 1)))
    update = g.op("Mul", b.head(x, modulation), g.op("Sub", t, r))
    g.output(g.op("Sub", latents, update), "next", _FLOAT, latent_shape)
    return g.save(directory)


def write_cache_graph(model: AnyFlowFARTransformer, weights: WeightFile, directory: Path, height: int, width: int, tokens: int) -> Path:
    """``cache.onnx``: keys and values of every context slot at t = r = 0 (inputs and outputs in models/README.md)."""
    b = TransformerGraph("cache", model, weights, height, width, tokens)
    g, config = b.g, model.config
    kinds = {}
    for name, frames in (("compressed", "Fc"), ("full", "Ff")):
        latents = g.input(name, _FLOAT, (1, frames, config.in_channels, height, width))
        kinds[name] = latents, g.input(f"{name}_positions", _INT, (frames,))
    bias = g.input("bias", _FLOAT, (1, 1, "S", "S"))
    text = b.text(g.input("text", _FLOAT, (1, tokens, config.text_dim)))

    zero = g.constant([0.0], np.float32)
    modulation = b.modulation(zero, zero)  # constant: onnxruntime computes it when the session is made
    tables = [b.rotation(positions, name == "compressed") for name, (_, positions) in kinds.items()]
    cos, sin = (g.op("Concat", tables[0][part], tables[1][part], axis=0) for part in (0, 1))
    tokens_of = [b.patches(latents, name == "compressed") for name, (latents, _) in kinds.items()]
    x = g.op("Concat", *tokens_of, axis=1)
    written: list[str] = []
    last = config.num_layers - 1
    for index in range(last):
        x, own = b.block(index, x, text, modulation, (cos, sin), bias)
        written += own
    shift, scale = b.modulations(last, modulation)[:2]
    _, *own = b.self_qkv(last, x, shift, scale, (cos, sin))
    slots = b.concat_tree([*written, *own], axis=0)
    shape = (config.num_layers, 2, "S", config.dim)
    g.output(g.op("Reshape", slots, g.constant([config.num_layers, 2, -1, config.dim])), "cache", _FLOAT, shape)
    return g.save(directory)
