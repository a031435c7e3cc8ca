"""Stage 3 on Gaussian data, where flow map and scores have closed forms."""

from __future__ import annotations

import random
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from anyflow.flowmap.distribution import DistributionMatchingLoss, fake_score_loss
from anyflow.flowmap.losses import TimestepConfig
from anyflow.flowmap.rollout import generate_latents
from anyflow.flowmap.schedule import sigmas
from anyflow.flowmap.simulate import Shortcut, backward_simulation, draw_shortcut, last_window, shortcut

CHUNKS = (1, 2, 2)
SHAPE = (2, 4, 4)


def spread(t: Tensor, std: Tensor | float) -> Tensor:
    """Standard deviation of z_t for data N(0, std^2)."""
    return ((1 - t) ** 2 * std**2 + t**2).sqrt()


class GaussianMap(nn.Module):
    """The exact flow map of data N(0, std^2), with a learnable std; counts its passes."""

    full_chunk_limit = 3

    def __init__(self, std: float) -> None:
        super().__init__()
        self.std = nn.Parameter(torch.tensor(std, dtype=torch.float64))
        self.passes = 0

    def velocity(self, z: Tensor, t: Tensor, r: Tensor) -> Tensor:
        self.passes += 1
        t, r = t.double(), r.double()
        gap = t - r
        instantaneous = (t - (1 - t) * self.std**2) / spread(t, self.std) ** 2
        mean = (1 - spread(r, self.std) / spread(t, self.std)) / gap.clamp_min(1e-9)
        return torch.where(gap > 1e-9, mean, instantaneous) * z

    def write_cache(self, latents: Tensor, text: Tensor, chunks: tuple[int, ...]) -> tuple[int, ...]:
        assert not torch.is_grad_enabled()
        assert latents.shape[1] == sum(chunks)
        return tuple(chunks)

    def step(self, latents, t, r, text, chunks, cache) -> Tensor:
        assert (cache or ()) == tuple(chunks[:-1])
        return self.velocity(latents, t[:, None, None, None, None], r[:, None, None, None, None])

    def forward_train(self, latents, t, r, text, chunks, clean=None) -> Tensor:
        return self.velocity(latents, t[..., None, None, None], r[..., None, None, None])


def noise(count: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, sum(CHUNKS), *SHAPE, generator=generator, dtype=torch.float64), torch.zeros(count, 1, 2)


@pytest.mark.parametrize("steps", [1, 2, 4, 32])
def test_a_shortcut_is_a_step_of_the_schedule(steps: int) -> None:
    schedule = [float(s) for s in sigmas(steps, 2.0)]
    for index, (start, end) in enumerate(pairwise(schedule)):
        found = shortcut(steps, index, 2.0)
        assert found == Shortcut(start, end)
        assert found.points[0] == 1.0
        assert found.points[-1] == 0.0
        assert len(found.points) == 4 - (index == 0) - (index == steps - 1)
    with pytest.raises(ValueError, match="no step"):
        shortcut(steps, steps, 2.0)


def test_draws_every_step_of_every_count() -> None:
    rng = random.Random(0)
    drawn = {draw_shortcut([1, 4], 2.0, rng) for _ in range(300)}
    assert drawn == {shortcut(1, 0, 2.0), *(shortcut(4, i, 2.0) for i in range(4))}


@pytest.mark.parametrize("chunks", [CHUNKS, (5,)])
def test_three_shortcuts_equal_the_full_rollout_in_the_limit(chunks: tuple[int, ...]) -> None:
    """Exact map: equal for every N. Euler on the velocity alone: equal as its steps get small."""
    exact = GaussianMap(0.5)
    z, text = noise(3)
    made = backward_simulation(exact, text, z, chunks, shortcut(8, 3, 2.0).points)
    whole = generate_latents(exact, text, z, chunks, steps=8, shift=2.0)
    assert torch.allclose(made, whole, atol=1e-6)
    errors = [
        float((generate_latents(exact, text, z, chunks, steps=n, shift=2.0, sampler="euler") - made.detach()).abs().max())
        for n in (16, 64, 256)
    ]
    assert errors[0] > 3 * errors[1] > 9 * errors[2]
    assert errors[2] < 0.02


def test_the_cost_of_a_rollout_does_not_grow_with_its_steps() -> None:
    counts = []
    for steps in (4, 16, 64):
        model = GaussianMap(0.5)
        backward_simulation(model, noise(1)[1], noise(1)[0], CHUNKS, shortcut(steps, steps // 2, 2.0).points)
        counts.append(model.passes)
    assert counts == [3 * len(CHUNKS)] * 3


def test_matching_pulls_towards_the_real_distribution_and_rests_there() -> None:
    loss = DistributionMatchingLoss(guidance=1.0, timesteps=TimestepConfig(per="clip", shift=2.0))
    real = GaussianMap(0.5)
    for std, sign in ((0.8, 1), (0.3, -1), (0.5, 0)):
        torch.manual_seed(1)
        student = GaussianMap(std)
        z, text = noise(64)
        value, _ = loss(backward_simulation(student, text, z, CHUNKS, (1.0, 0.0)), real, GaussianMap(std), text, text[0], CHUNKS)
        value.backward()
        slope = float(student.std.grad)
        assert abs(slope) < 1e-9 if sign == 0 else slope * sign > 0.05


@pytest.mark.parametrize("judge", ["whole", "causal"])
def test_alternate_training_finds_the_exact_map(judge: str) -> None:
    """Student and fake score, trained in turn from a wrong start, end at the real distribution's map."""
    torch.manual_seed(0)
    real, fake, student = GaussianMap(0.5), GaussianMap(0.5), GaussianMap(0.9)
    matching = DistributionMatchingLoss(guidance=1.0, judge=judge, timesteps=TimestepConfig(per="clip", shift=2.0))
    follow = fake_score_loss(judge, 2.0)
    students = torch.optim.Adam(student.parameters(), lr=0.02)
    fakes = torch.optim.Adam(fake.parameters(), lr=0.05)
    rng = random.Random(0)
    for step in range(150):
        z, text = noise(32, seed=step)
        made = backward_simulation(student, text, z, CHUNKS, draw_shortcut([1, 2, 4, 8], 2.0, rng).points)
        for _ in range(2):
            fakes.zero_grad()
            follow(fake, made, text, text[0], CHUNKS)[0].backward()
            fakes.step()
        students.zero_grad()
        matching(made, real, fake, text, text[0], CHUNKS)[0].backward()
        students.step()
    assert abs(float(student.std.detach()) - 0.5) < 0.02
    made = backward_simulation(student, text, z, CHUNKS, shortcut(4, 2, 2.0).points)
    assert np.isclose(float(made.std()), 0.5, atol=0.03)


def test_refuses_an_unknown_judge() -> None:
    with pytest.raises(ValueError, match="whole, causal"):
        DistributionMatchingLoss(judge="other")  # type: ignore[arg-type]


def test_long_rollouts_see_a_window_and_train_their_last_chunks() -> None:
    """As `generate_latents` goes on with a window; gradients reach no chunk but the last ones."""
    plan = (1, 2, 2, 2, 2, 2)
    z, text = torch.randn(2, sum(plan), *SHAPE, dtype=torch.float64, requires_grad=True), torch.zeros(2, 1, 2)
    model = GaussianMap(0.5)
    made = backward_simulation(model, text, z, plan, shortcut(4, 1, 2.0).points, window=4, trained=2)
    assert torch.allclose(made, generate_latents(model, text, z.detach(), plan, steps=4, shift=2.0, window=4), atol=1e-6)
    made.sum().backward()
    assert z.grad[:, -4:].abs().min() > 0
    assert z.grad[:, :-4].abs().max() == 0
    frames, judged = last_window(plan, 4)
    assert frames == [0, *range(5, 11)]
    assert judged == (1, 2, 2, 2)
    assert last_window(plan[:3], 4) == ([0, 1, 2, 3, 4], (1, 2, 2))
