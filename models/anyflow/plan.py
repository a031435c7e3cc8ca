"""What a training run of a large model needs: memory on each GPU and time, from stated assumptions.

Nothing here is measured; every assumption is a setting of the command and is printed with the result.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from .config import Config, ConfigError
from .lora import adapt
from .transformer import AnyFlowFARTransformer

GIB = 2**30


@dataclass(frozen=True)
class Assumptions:
    """``peak_tflops`` bf16 of one GPU, the share ``mfu`` of it that training reaches, ``memory_gib`` a GPU has."""

    gpus: int = 8
    clips: int = 100_000
    peak_tflops: float = 989.0
    mfu: float = 0.40
    memory_gib: float = 80.0


@dataclass(frozen=True)
class Plan:
    """Parameters, bytes on each GPU by purpose, FLOP and seconds."""

    parameters: int
    trainable: int
    tokens: int
    memory: dict[str, float]
    flop_per_clip: float
    seconds_per_step: float
    hours_per_epoch: float

    @property
    def total_gib(self) -> float:
        return sum(self.memory.values()) / GIB


def build_on_meta(config: Config) -> AnyFlowFARTransformer:
    """The configuration's network without memory, adapted if the configuration says so."""
    with torch.device("meta"):
        model = AnyFlowFARTransformer(config.transformer)
    if config.lora.rank:
        adapt(model, config.lora.rank, config.lora.alpha, config.lora.modules, config.lora.also)
    return model


def clip_tokens(config: Config) -> tuple[int, int]:
    """Tokens of a clip, and of a training pass (teacher forcing sees noisy and clean tokens of the full-resolution chunks)."""
    shape, patch = config.clip, config.transformer.patch_size
    frames = (shape.frames - 1) // shape.temporal_stride + 1
    frame = (shape.height // shape.spatial_stride // patch[1]) * (shape.width // shape.spatial_stride // patch[2])
    chunks = config.transformer.chunk_partition
    if sum(chunks) != frames:
        raise ConfigError(f"transformer.chunk_partition covers {sum(chunks)} latent frames, a clip has {frames}")
    clean = sum(chunks[:-1])
    return frames * frame, (frames + clean) * frame


def plan(config: Config, assume: Assumptions) -> Plan:
    """Fully sharded (FSDP2) training of stage 2 with gradient checkpointing by blocks, one sample a GPU at a time.

    Memory: frozen weights in bf16, trainable ones in fp32 with gradient, two Adam moments and EMA (20 bytes each), all
    sharded, and a frozen bf16 teacher (sharded) where the target asks for one; two gathered blocks; the inputs of all
    blocks and the working set of one in bf16 (34 values a token and width: attention and feed-forward of a block,
    Korthikanti et al., arXiv 2205.05198, without the score matrix).
    Time: 2 FLOP a parameter and token for a forward pass plus 4 T^2 d a layer for attention; training costs four forward
    passes (recomputation included), the central difference on half the batch and guidance add two to four.
    """
    if assume.gpus < 1:
        raise ConfigError(f"--gpus must be at least 1, got {assume.gpus}")
    model = build_on_meta(config)
    counts = [(p.numel(), p.requires_grad) for p in model.parameters()]
    total = sum(count for count, _ in counts)
    trainable = sum(count for count, trains in counts if trains)
    block = sum(p.numel() for p in model.blocks[0].parameters())
    tokens, seen = clip_tokens(config)
    dim, layers = config.transformer.dim, config.transformer.num_layers
    frozen = total - trainable
    memory = {
        "frozen weights": 2.0 * frozen / assume.gpus,
        "trainable weights, gradients, Adam, EMA": 20.0 * trainable / assume.gpus,
        "teacher": 2.0 * total / assume.gpus if config.student.target == "teacher" else 0.0,
        "gathered blocks": 2 * 2.0 * block,
        "block inputs": 2.0 * seen * dim * layers,
        "working set of a block": 2.0 * 34 * seen * dim,
    }
    forward = 2.0 * (total - trainable if config.lora.rank else total) * seen + 4.0 * seen**2 * dim * layers
    passes = 4 + 2 + (2 if config.student.target == "teacher" else 1)
    flop = forward * passes
    rate = assume.peak_tflops * 1e12 * assume.mfu
    seconds = flop * max(1.0, config.student.batch / assume.gpus) / rate
    hours = flop * assume.clips / rate / assume.gpus / 3600
    return Plan(total, trainable, tokens, memory, flop, seconds, hours)


def describe(config: Config, assume: Assumptions) -> str:
    """The plan as text."""
    result = plan(config, assume)
    fits = "fits" if result.total_gib < 0.92 * assume.memory_gib else "does NOT fit (raise --gpus or shorten the clip)"
    shape = config.clip
    lines = [
        f"{config.name}: {result.parameters:,} parameters, {result.trainable:,} of them trained",
        f"clip {shape.width}x{shape.height}, {shape.frames} frames: {result.tokens:,} tokens",
        f"assumed: {assume.gpus} GPUs, {assume.peak_tflops:g} TFLOP/s bf16 each at {assume.mfu:.0%}, {assume.memory_gib:g} GiB, "
        f"{assume.clips:,} clips an epoch, batch {config.student.batch}",
        *(f"  {size / GIB:8.2f} GiB  {name}" for name, size in result.memory.items()),
        f"  {result.total_gib:8.2f} GiB  a GPU: {fits}",
        f"{result.flop_per_clip:.2e} FLOP a clip, {result.seconds_per_step:.1f} s a step, {result.hours_per_epoch:.1f} h an epoch",
    ]
    return "\n".join(lines)
