"""Schedule, chunks, masks, seeded noise and rollout."""

from __future__ import annotations

import importlib.util
import json
import random
from pathlib import Path

import numpy as np
import pytest
import torch

from anyflow.flowmap.chunks import Split, chunk_plan, sample_training_chunks, split_chunks
from anyflow.flowmap.masks import train_mask
from anyflow.flowmap.philox import MAX_SEED, clip_noise, noise, philox4x32
from anyflow.flowmap.rollout import Progress, generate_latents, seeded_noise
from anyflow.flowmap.schedule import sigmas

VECTORS = Path(__file__).resolve().parents[1] / "vectors"
_spec = importlib.util.spec_from_file_location("make_vectors", VECTORS / "make.py")
assert _spec
assert _spec.loader
make_vectors = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(make_vectors)


@pytest.mark.parametrize("shift", [1.0, 3.0, 5.0])
def test_schedule_agrees_with_diffusers(shift: float) -> None:
    diffusers = pytest.importorskip("diffusers")
    scheduler = diffusers.FlowMapEulerDiscreteScheduler(shift=shift)
    for steps in range(1, 65):
        scheduler.set_timesteps(steps)
        ours = sigmas(steps, shift)
        assert ours.dtype == np.float64
        assert ours[0] == 1
        assert ours[-1] == 0
        np.testing.assert_allclose(ours, scheduler.sigmas.numpy(), atol=1e-6, rtol=0)


@pytest.mark.parametrize(("steps", "shift", "word"), [(0, 1.0, "steps"), (4, 0.0, "shift"), (4, float("nan"), "shift")])
def test_schedule_refuses(steps: int, shift: float, word: str) -> None:
    with pytest.raises(ValueError, match=word):
        sigmas(steps, shift)


@pytest.mark.parametrize(
    ("counter", "key", "words"),
    [  # published with Random123 (kat_vectors, philox4x32 10 rounds)
        ("00000000 00000000 00000000 00000000", "00000000 00000000", "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
        ("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff", "408f276d 41c83b0e a20bc7c6 6d5451fd"),
        ("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0", "d16cfe09 94fdcceb 5001e420 24126ea1"),
    ],
)
def test_philox_known_answers(counter: str, key: str, words: str) -> None:
    def parse(text: str) -> np.ndarray:
        return np.array([int(word, 16) for word in text.split()], dtype=np.uint32)

    assert philox4x32(parse(counter), parse(key)).tolist() == parse(words).tolist()


def test_noise_is_standard_normal_and_separate() -> None:
    shape = (16, 32, 32)
    clip = clip_noise(5, range(8), shape)
    assert clip.dtype == np.float32
    count = clip.size
    assert abs(clip.mean()) < 5 / np.sqrt(count)
    assert abs(clip.var() - 1) < 5 * np.sqrt(2 / count)
    assert abs((clip**4).mean() - 3) < 5 * np.sqrt(96 / count)
    flat = np.stack([clip[0].ravel(), clip[1].ravel(), noise(6, 0, shape).ravel(), noise(5 + 2**32, 0, shape).ravel()])
    correlation = np.corrcoef(flat) - np.eye(4)
    assert np.abs(correlation).max() < 5 / np.sqrt(flat.shape[1])
    np.testing.assert_array_equal(clip[3], noise(5, 3, shape))


@pytest.mark.parametrize("seed", [-1, MAX_SEED + 1])
def test_noise_refuses_seed(seed: int) -> None:
    with pytest.raises(ValueError, match="seed must be"):
        noise(seed, 0, (1,))


def test_chunk_plans_cover_all_frames() -> None:
    for frames in range(1, 30):
        for first in (1, 2, 3):
            for rest in (1, 2, 3):
                plan = chunk_plan(frames, first, rest)
                assert sum(plan) == frames
                assert plan[0] == min(first, frames)
                assert all(chunk == rest for chunk in plan[1:-1])
    with pytest.raises(ValueError, match="at least 1"):
        chunk_plan(0, 1, 2)


def test_step_context_is_what_the_cache_pass_wrote() -> None:
    for count in range(1, 8):
        plan = (1, 2, 2, 2, 2, 2, 2)[:count]
        step, cache = split_chunks(plan, 3, "step"), split_chunks(plan[:-1], 3, "cache")
        assert step.compressed == cache.compressed
        assert step.full[:-1] == cache.full


def test_training_chunks_cover_all_lengths() -> None:
    rng = random.Random(0)
    plan = (1, 2, 2, 2, 2)
    lengths = [len(sample_training_chunks(plan, 3, 0.5, rng)) for _ in range(600)]
    assert set(lengths) == {3, 4, 5}
    assert 0.6 < lengths.count(3) / 600 < 0.74  # a half, and a third of the other half
    assert sample_training_chunks((1, 2), 3, 1.0, rng) == (1, 2)


def test_train_mask_follows_the_rules() -> None:
    split = Split((1,), (1, 2))
    mask = train_mask(split, full_tokens=2, compressed_tokens=1, clean_chunks=1)
    tokens = [("context", 0)] + [("noisy", 1)] * 2 + [("noisy", 2)] * 4 + [("clean", 1)] * 2
    assert mask.shape == (len(tokens), len(tokens))
    for q, (q_kind, q_chunk) in enumerate(tokens):
        for k, (k_kind, k_chunk) in enumerate(tokens):
            if k_kind == "noisy":
                allowed = q_kind == "noisy" and q_chunk == k_chunk
            elif q_kind == "noisy":
                allowed = k_chunk < q_chunk
            else:
                allowed = k_chunk <= q_chunk
            assert mask[q, k] == allowed, (tokens[q], tokens[k])


class GaussianFlowMap:
    """The exact flow map of data N(0, s^2) with independent frames: `z_r = z_t sigma_r / sigma_t`."""

    def __init__(self, s: float) -> None:
        self.s = s
        self.written: list[tuple[tuple[int, ...], torch.Tensor]] = []

    def write_cache(self, latents: torch.Tensor, text: torch.Tensor, chunks: tuple[int, ...]) -> int:
        self.written.append((chunks, latents.clone()))
        return len(chunks)

    def step(self, latents, t, r, text, chunks, cache) -> torch.Tensor:
        assert (cache or 0) == len(chunks) - 1
        sigma_t, sigma_r = (((1 - x) ** 2 * self.s**2 + x**2).sqrt() for x in (t, r))
        return latents * ((1 - sigma_r / sigma_t) / (t - r))[:, None, None, None, None]


@pytest.mark.parametrize("steps", [1, 2, 7, 64])
@pytest.mark.parametrize("shift", [1.0, 5.0])
def test_any_number_of_steps_of_an_exact_map_agree(steps: int, shift: float) -> None:
    z = seeded_noise([3, 4], 5, (2, 2, 2))
    result = generate_latents(GaussianFlowMap(0.3), torch.zeros(2, 1, 1), z, (1, 2, 2), steps=steps, shift=shift)
    torch.testing.assert_close(result, 0.3 * z, rtol=1e-4, atol=1e-5)


def test_context_is_kept_and_cached_first() -> None:
    model, z = GaussianFlowMap(0.5), seeded_noise([1], 5, (1, 2, 2))
    context = torch.full((1, 3, 1, 2, 2), 7.0)
    seen: list[Progress] = []
    result = generate_latents(
        model, torch.zeros(1, 1, 1), z, (1, 2, 2), steps=3, shift=1.0, context=context, on_step=seen.append
    )
    assert torch.equal(result[:, :3], context)
    torch.testing.assert_close(result[:, 3:], 0.5 * z[:, 3:])
    assert [chunks for chunks, _ in model.written] == [(1, 2)]
    assert torch.equal(model.written[0][1], context)
    assert [(p.chunk, p.step, p.steps) for p in seen] == [(2, 1, 3), (2, 2, 3), (2, 3, 3)]
    torch.testing.assert_close(seen[-1].latents, result[:, 3:])
    with pytest.raises(ValueError, match=r"the plan .* allows 0, 1, 3"):
        generate_latents(model, torch.zeros(1, 1, 1), z, (1, 2, 2), steps=1, shift=1.0, context=context[:, :2])


def test_a_window_holds_the_first_chunk_and_the_newest() -> None:
    model, z = GaussianFlowMap(0.5), seeded_noise([1], 9, (1, 2, 2))
    result = generate_latents(model, torch.zeros(1, 1, 1), z, (1, 2, 2, 2, 2), steps=2, shift=1.0, window=3)
    # The third chunk is the last with a place; after it the chunk that follows the first leaves each time.
    assert [chunks for chunks, _ in model.written] == [(1,), (1, 2), (1, 2), (1, 2)]
    for (_, latents), frames in zip(model.written, ([0], [0, 1, 2], [0, 3, 4], [0, 5, 6]), strict=True):
        assert torch.equal(latents, result[:, frames])
    with pytest.raises(ValueError, match="at least 3 chunks, got 2"):
        generate_latents(model, torch.zeros(1, 1, 1), z, (1, 2, 2, 2, 2), steps=1, shift=1.0, window=2)


class TextVelocity:
    """A velocity equal to the text's mean; remembers the times it was asked for."""

    def __init__(self) -> None:
        self.times: list[tuple[float, float]] = []

    def write_cache(self, latents, text, chunks) -> None:
        assert len(latents) == len(text)

    def step(self, latents, t, r, text, chunks, cache) -> torch.Tensor:
        self.times.append((t[0].item(), r[0].item()))
        return text.mean((1, 2))[:, None, None, None, None].expand_as(latents)


def test_guided_teacher_runs_euler_on_the_guided_velocity() -> None:
    model, z = TextVelocity(), seeded_noise([1], 3, (1, 2, 2))
    result = generate_latents(
        model, torch.full((1, 2, 2), 2.0), z, (1, 2), steps=4, shift=3.0, guidance=3.0,
        null_text=torch.full((2, 2), 0.5), sampler="euler",
    )  # fmt: skip
    torch.testing.assert_close(result, z - (0.5 + 3 * 1.5))
    assert all(t == r for t, r in model.times)
    assert len(model.times) == 8
    with pytest.raises(ValueError, match="needs null_text"):
        generate_latents(model, torch.zeros(1, 1, 1), z, (1, 2), steps=1, shift=1.0, guidance=3.0)


def same(actual: object, stored: object, where: str) -> None:
    """Equal structure, numbers to 1e-6."""
    if isinstance(stored, dict):
        assert isinstance(actual, dict)
        assert actual.keys() == stored.keys(), where
        for key, value in stored.items():
            same(actual[key], value, f"{where}.{key}")
    elif isinstance(stored, list):
        assert isinstance(actual, list | tuple)
        assert len(actual) == len(stored), where
        for index, value in enumerate(stored):
            same(actual[index], value, f"{where}[{index}]")
    elif isinstance(stored, float):
        assert actual == pytest.approx(stored, abs=1e-6), where
    else:
        assert actual == stored, where


@pytest.mark.parametrize("name", sorted(make_vectors.VECTORS))
def test_shared_vectors_are_current(name: str) -> None:
    if name == "schedule":
        pytest.importorskip("diffusers")
    same(make_vectors.VECTORS[name](), json.loads((VECTORS / f"{name}.json").read_text()), name)
