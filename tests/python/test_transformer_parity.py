"""The transformer against diffusers' AnyFlowFARTransformer3DModel on tiny random weights, fp32."""

from __future__ import annotations

import math

import pytest
import torch

from anyflow.flowmap.chunks import split_chunks
from anyflow.flowmap.masks import padded_cache_bias, written_slots_bias
from anyflow.transformer import AnyFlowFARTransformer, KVCache, TransformerConfig

TOLERANCE = 1e-4
PLAN = (1, 2, 2, 2, 2)
# 16 x 32 latents make 128 tokens a frame. diffusers pads a chunk's queries, keys and values to a multiple of 128 and
# lets the padding keys into the softmax of its cached path, so only such sizes are free of that artefact.
HEIGHT, WIDTH = 16, 32


def relative_error(actual: torch.Tensor, expected: torch.Tensor) -> float:
    return ((actual - expected).norm() / expected.norm()).item()


@pytest.fixture(scope="module")
def config() -> TransformerConfig:
    return TransformerConfig(
        num_attention_heads=2, attention_head_dim=20, text_dim=12, ffn_dim=48, num_layers=3, in_channels=4,
        out_channels=4, freq_dim=32, rope_max_seq_len=64,
    )  # fmt: skip


@pytest.fixture(scope="module")
def reference(config: TransformerConfig) -> torch.nn.Module:
    diffusers = pytest.importorskip("diffusers", reason="diffusers is the reference; install models' dev extra")
    torch.manual_seed(1)
    model = diffusers.AnyFlowFARTransformer3DModel(**config.to_dict()).eval()
    for parameter in model.parameters():  # larger than the default, so that every path shows in the output
        torch.nn.init.normal_(parameter, std=0.3 if parameter.dim() > 1 else 0.5)
    return model


@pytest.fixture(scope="module")
def model(config: TransformerConfig, reference: torch.nn.Module) -> AnyFlowFARTransformer:
    ours = AnyFlowFARTransformer(config).eval()
    ours.load_state_dict(reference.state_dict(), strict=True)
    return ours


def inputs(config: TransformerConfig, frames: int, batch: int = 2, height: int = HEIGHT, width: int = WIDTH):
    generator = torch.Generator().manual_seed(frames)
    latents = torch.randn(batch, frames, config.in_channels, height, width, generator=generator)
    text = torch.randn(batch, 5, config.text_dim, generator=generator)
    t = torch.rand(batch, frames, generator=generator)
    return latents, text, t, t * torch.rand(batch, frames, generator=generator)


def test_state_dict_loads_both_ways(config: TransformerConfig, reference: torch.nn.Module) -> None:
    ours = AnyFlowFARTransformer(config).state_dict()
    theirs = reference.state_dict()
    assert {k: v.shape for k, v in ours.items()} == {k: v.shape for k, v in theirs.items()}
    copy = type(reference)(**config.to_dict())
    assert not any(copy.load_state_dict(ours, strict=True))


def test_compressed_patches_start_as_in_diffusers(config: TransformerConfig) -> None:
    diffusers = pytest.importorskip("diffusers")
    theirs = diffusers.AnyFlowFARTransformer3DModel(**config.to_dict())
    ours = AnyFlowFARTransformer(config)
    ours.patch_embedding.load_state_dict(theirs.patch_embedding.state_dict())
    ours.init_compressed_patches()
    torch.testing.assert_close(ours.far_patch_embedding.state_dict(), theirs.far_patch_embedding.state_dict())


@pytest.mark.parametrize("with_clean", [False, True])
@pytest.mark.parametrize("chunks", [(5,), (1, 2, 2), PLAN])
@pytest.mark.parametrize("size", [(HEIGHT, WIDTH), (12, 8)])
@torch.no_grad()
def test_training_pass(config, reference, model, chunks, with_clean, size) -> None:
    latents, text, t, r = inputs(config, sum(chunks), height=size[0], width=size[1])
    split = split_chunks(chunks, config.full_chunk_limit, "train")
    t[:, : split.compressed_frames] = 0
    r[:, : split.compressed_frames] = 0
    clean = inputs(config, split.full_frames, height=size[0], width=size[1])[0] if with_clean else None
    expected = reference(
        hidden_states=latents,
        timestep=t * 1000,
        r_timestep=r * 1000,
        encoder_hidden_states=text,
        chunk_partition=list(chunks),
        clean_hidden_states=clean,
        clean_timestep=torch.zeros(len(t), split.full_frames) if with_clean else None,
    ).sample
    actual = model.forward_train(latents, t, r, text, chunks, clean)
    assert actual.shape == expected.shape == (2, split.full_frames, config.out_channels, *size)
    assert relative_error(actual, expected) < TOLERANCE


def reference_cache(config: TransformerConfig, batch: int) -> dict:
    tokens, compressed = HEIGHT // 2 * (WIDTH // 2), HEIGHT // 4 * (WIDTH // 4)
    frames = max(PLAN)

    def empty(slots: int) -> torch.Tensor:
        return torch.zeros(2, batch, config.num_attention_heads, slots, config.attention_head_dim)

    return {
        layer: {
            "full_cache": empty(config.full_chunk_limit * frames * tokens),
            "compressed_cache": empty(len(PLAN) * frames * compressed),
        }
        for layer in range(config.num_layers)
    }


@torch.no_grad()
def test_cached_inference_over_all_chunks(config, reference, model) -> None:
    latents, text, t, r = inputs(config, sum(PLAN))
    theirs, ours = reference_cache(config, 2), None
    for index, frames in enumerate(PLAN):
        so_far, start = PLAN[: index + 1], sum(PLAN[:index])
        chunk, t0, r0 = latents[:, start : start + frames], t[:, start], r[:, start]
        shared = {"encoder_hidden_states": text, "chunk_partition": list(so_far), "kv_cache": theirs}
        expected = reference(
            hidden_states=chunk,
            timestep=t0[:, None].expand(-1, frames) * 1000,
            r_timestep=r0[:, None].expand(-1, frames) * 1000,
            kv_cache_flag={"num_cached_chunks": index, "is_cache_step": False},
            **shared,
        ).sample
        actual = model.step(chunk, t0, r0, text, so_far, ours)
        assert relative_error(actual, expected) < TOLERANCE, f"chunk {index}"
        zeros = torch.zeros(2, sum(so_far))
        reference(
            hidden_states=latents[:, : sum(so_far)],
            timestep=zeros,
            r_timestep=zeros,
            kv_cache_flag={"num_cached_chunks": index, "is_cache_step": True},
            **shared,
        )
        ours = model.write_cache(latents[:, : sum(so_far)], text, so_far)


@torch.no_grad()
def test_training_pass_equals_cached_inference(config, model) -> None:
    """Teacher forcing sees what generation sees, as long as nothing is compressed differently."""
    chunks = (1, 2)
    latents, text, t, _ = inputs(config, 3, height=8, width=12)
    t = t[:, :1].expand(-1, 3)
    noisy = latents + 1
    trained = model.forward_train(noisy, t, t / 2, text, chunks, clean=latents)
    cache = model.write_cache(latents[:, :1], text, chunks[:1])
    stepped = model.step(noisy[:, 1:], t[:, 0], t[:, 0] / 2, text, chunks, cache)
    torch.testing.assert_close(trained[:, 1:], stepped, rtol=1e-4, atol=1e-5)


@torch.no_grad()
def test_graph_form_equals_cached_inference(config, model) -> None:
    """step_graph and cache_graph, with padded slots full of garbage, give what step and write_cache give."""
    height, width = 8, 12
    tokens, compressed_tokens = height // 2 * (width // 2), height // 4 * (width // 4)
    full_slots, compressed_slots = 4, 6
    latents, text, t, r = inputs(config, sum(PLAN), batch=1, height=height, width=width)
    cache = torch.randn(config.num_layers, 2, full_slots * tokens + compressed_slots * compressed_tokens, config.dim)
    written: KVCache | None = None
    split = split_chunks((), config.full_chunk_limit, "cache")
    for index, frames in enumerate(PLAN):
        so_far, start = PLAN[: index + 1], sum(PLAN[:index])
        chunk, t0, r0 = latents[:, start : start + frames], t[:, start], r[:, start]
        bias = written_slots_bias(split, full_slots, compressed_slots, tokens, compressed_tokens)
        positions = torch.arange(start, start + frames, dtype=torch.int32)
        following = model.step_graph(chunk, t0, r0, positions, text, cache, bias)
        u = model.step(chunk, t0, r0, text, so_far, written)
        torch.testing.assert_close(following, chunk - (t0 - r0) * u, rtol=1e-4, atol=1e-4)

        split = split_chunks(so_far, config.full_chunk_limit, "cache")
        garbage = torch.randn(1, compressed_slots + full_slots, config.in_channels, height, width)
        old, recent = garbage.split((compressed_slots, full_slots), dim=1)
        old_at, recent_at = torch.zeros(compressed_slots, dtype=torch.int32), torch.zeros(full_slots, dtype=torch.int32)
        kept, total = split.compressed_frames, sum(so_far)
        old[:, :kept], old_at[:kept] = latents[:, :kept], torch.arange(kept, dtype=torch.int32)
        recent[:, : total - kept] = latents[:, kept:total]
        recent_at[: total - kept] = torch.arange(kept, total, dtype=torch.int32)
        mask = padded_cache_bias(split, full_slots, compressed_slots, tokens, compressed_tokens)
        assert (mask.diagonal(dim1=-2, dim2=-1) == 0).all()
        cache = model.cache_graph(old, old_at, recent, recent_at, mask, text)
        written = model.write_cache(latents[:, :total], text, so_far)
        slots = torch.cat(
            (
                torch.arange(kept * compressed_tokens),
                compressed_slots * compressed_tokens + torch.arange((total - kept) * tokens),
            )
        )
        torch.testing.assert_close(cache[:, :, slots], written.tensor[:, :, 0], rtol=1e-4, atol=1e-4)


def test_rope_tables_survive_a_cast(config) -> None:
    model = AnyFlowFARTransformer(config)
    before = model.rope.time_cos.clone()
    model.bfloat16()
    assert model.rope.time_cos.dtype == torch.float32
    assert torch.equal(model.rope.time_cos, before)
    assert model.proj_out.weight.dtype == torch.bfloat16


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"chunks": (1, 1)}, "covers 2 latent frames, but 3"),
        ({"text": torch.zeros(1, 5, 7)}, "text must be"),
        ({"latents": torch.zeros(1, 3, 4, 7, 8)}, "cannot be cut into patches"),
        ({"t": torch.zeros(1, 2)}, "t and r must be"),
        ({"clean": torch.zeros(1, 2, 4, 8, 8)}, "clean must be"),
    ],
)
def test_bad_input_is_named(config, model, change, message) -> None:
    good = {
        "latents": torch.zeros(1, 3, 4, 8, 8), "t": torch.zeros(1, 3), "r": torch.zeros(1, 3),
        "text": torch.zeros(1, 5, 12), "chunks": (1, 2), "clean": None,
    }  # fmt: skip
    with pytest.raises(ValueError, match=message):
        model.forward_train(**{**good, **change})


def test_stale_cache_is_refused(config, model) -> None:
    latents, text, _, _ = inputs(config, 3, height=8, width=8)
    cache = model.write_cache(latents[:, :1], text, (1,))
    one = torch.ones(2)
    with pytest.raises(ValueError, match="call write_cache after every chunk"):
        model.step(latents[:, :1], one, one, text, (1, 1, 1), cache)


def test_attention_kernel_is_replaceable(config, model) -> None:
    """The exporter's hook reaches every attention and may compute with plain matrix products."""
    latents, text, t, r = inputs(config, 3, height=8, width=8)
    expected = model.forward_train(latents, t, r, text, (1, 2), latents)
    calls = 0

    def plain(q, k, v, bias, heads):
        nonlocal calls
        calls += 1
        q, k, v = (x.unflatten(-1, (heads, -1)).transpose(1, 2) for x in (q, k, v))
        scores = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])
        if bias is not None:
            scores = scores.masked_fill(~bias, -30000.0)
        return (scores.softmax(-1) @ v).transpose(1, 2).flatten(2)

    copy = AnyFlowFARTransformer(config)
    copy.load_state_dict(model.state_dict())
    copy.set_attention(plain)
    torch.testing.assert_close(copy.forward_train(latents, t, r, text, (1, 2), latents), expected, rtol=1e-4, atol=1e-4)
    assert calls == 2 * config.num_layers
