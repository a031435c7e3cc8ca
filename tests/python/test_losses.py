"""The losses against cases with a known answer: Gaussian data, whose velocity and flow map have a closed form."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from torch import Tensor, nn

from anyflow.flowmap.chunks import split_chunks
from anyflow.flowmap.losses import Difference, FlowMapLoss, FlowMatchingLoss, Scene, TimestepConfig
from anyflow.transformer import AnyFlowFARTransformer, TransformerConfig

CHUNKS = (1, 2, 2, 2)  # with a limit of 3 the first frame is compressed context
S = 0.5
NULL = torch.zeros(1, 2)


def spread(t: Tensor) -> Tensor:
    """Standard deviation of z_t for data N(0, S^2)."""
    return ((1 - t) ** 2 * S**2 + t**2).sqrt()


def exact_factor(t: Tensor, r: Tensor) -> Tensor:
    """The exact mean velocity is this times z. With r = t it is the velocity (sigma_t' / sigma_t)."""
    velocity = (t - (1 - t) * S**2) / spread(t) ** 2
    gap = t - r
    return torch.where(gap > 1e-7, (1 - spread(r) / spread(t)) / gap.clamp_min(1e-7), velocity)


class Scaled(nn.Module):
    """The exact map times a learnable `1 + error`, the error growing with the interval and zero at r = t."""

    full_chunk_limit = 3

    def __init__(self, error: float = 0.0) -> None:
        super().__init__()
        self.error = nn.Parameter(torch.tensor(error, dtype=torch.float64))

    def forward_train(self, latents, t, r, text, chunks, clean=None) -> Tensor:
        split = split_chunks(tuple(chunks), self.full_chunk_limit, "train")
        skip = split.compressed_frames
        assert (t[:, :skip] == 0).all()
        assert clean.shape[1] == split.full_frames
        z, t, r = latents[:, skip:], t[:, skip:].double(), r[:, skip:].double()
        factor = exact_factor(t, r) * (1 + self.error * (t - r))
        return z * factor[:, :, None, None, None]


def batch(count: int, size: int = 16) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    x = S * torch.randn(count, sum(CHUNKS), 4, size, size, generator=generator, dtype=torch.float64)
    return x, torch.zeros(count, 1, 2)


@pytest.mark.parametrize("per", ["clip", "chunk"])
@pytest.mark.parametrize("guidance", [1.0, 3.0])
def test_teacher_target_vanishes_at_the_exact_map(per: str, guidance: float) -> None:
    x, text = batch(32, 4)
    loss = FlowMapLoss(guidance=guidance, timesteps=TimestepConfig(per=per))
    generator = torch.Generator().manual_seed(1)
    _, exact = loss(Scaled(), x, text, NULL, CHUNKS, teacher=Scaled(), generator=generator)
    generator.manual_seed(1)
    _, wrong = loss(Scaled(0.3), x, text, NULL, CHUNKS, teacher=Scaled(), generator=generator)
    assert exact["diffusion"] < 1e-10
    assert exact["flow_map"] < 1e-5 * wrong["flow_map"]  # what is left is the central difference's own error
    assert wrong["flow_map"] > 1e-3


@pytest.mark.parametrize(("target", "guidance"), [("data", 1.0), ("data", 3.0), ("authors", 1.0)])
def test_data_targets_have_no_gradient_at_the_exact_map(target: str, guidance: float) -> None:
    """With e - x in the target only the expectation vanishes; large samples make it visible."""
    x, text = batch(64)
    gradients = {}
    for error in (0.0, 0.3):
        model = Scaled(error)
        loss = FlowMapLoss(target=target, guidance=guidance, diffusion_share=0.0)
        total, _ = loss(model, x, text, NULL, CHUNKS, generator=torch.Generator().manual_seed(1))
        total.backward()
        gradients[error] = model.error.grad.item()
    assert gradients[0.3] > 0.01  # and points back towards zero
    assert abs(gradients[0.0]) < 0.05 * gradients[0.3]


class Constant(nn.Module):
    """A velocity that is the text's mean: its flow map is itself."""

    full_chunk_limit = 3

    def __init__(self, guided: float | None = None) -> None:
        super().__init__()
        self.guided = guided
        self.batches: list[int] = []

    def forward_train(self, latents, t, r, text, chunks, clean=None) -> Tensor:
        self.batches.append(len(latents))
        value = text.mean((1, 2))
        if self.guided is not None:
            value = NULL.mean() + self.guided * (value - NULL.mean())
        return value[:, None, None, None, None].expand_as(clean)


def test_teacher_target_is_the_guided_velocity_in_three_calls() -> None:
    x, _ = batch(8, 2)
    text = torch.randn(8, 1, 2)
    student, teacher = Constant(guided=3.0), Constant()
    total, parts = FlowMapLoss(guidance=3.0)(student, x, text, NULL, CHUNKS, teacher=teacher)
    assert total.item() == pytest.approx(0, abs=1e-10)
    assert parts["loss"].item() == pytest.approx(0, abs=1e-10)
    assert teacher.batches == [16]  # conditional and unconditional together
    assert student.batches == [8, 8]  # both ends of the difference for the four samples with r < t, then the batch


def test_a_teacher_told_in_other_words_sets_the_target_of_the_same_clips() -> None:
    x, _ = batch(8, 2)
    told, asked = torch.randn(8, 1, 2), torch.randn(8, 1, 2)

    class Translating(Constant):
        """Knows what the teacher was told, whatever it is asked."""

        def forward_train(self, latents, t, r, text, chunks, clean=None) -> Tensor:
            rows = [(asked == row).all(dim=(1, 2)).nonzero().item() for row in text]
            return super().forward_train(latents, t, r, told[rows], chunks, clean)

    loss = FlowMapLoss(guidance=3.0)
    total, _ = loss(Translating(guided=3.0), x, asked, NULL, CHUNKS, teacher=Constant(), teacher_text=told)
    assert total.item() == pytest.approx(0, abs=1e-10)
    total, _ = loss(Translating(guided=3.0), x, asked, NULL, CHUNKS, teacher=Constant())
    assert total.item() > 0.1


@pytest.mark.parametrize("target", ["data", "authors"])
def test_fused_guidance_of_the_data_targets(target: str) -> None:
    """A student `u_0 + w (v - u_0)` has no loss where u_0 is its own unconditional output."""
    x, text = batch(4, 2)
    w = 3.0

    class Oracle(nn.Module):
        full_chunk_limit = 3

        def forward_train(self, latents, t, r, text, chunks, clean=None) -> Tensor:
            # z = (1 - t) x + t e, so v = e - x = (z - x) / t
            v = (latents[:, -clean.shape[1] :] - clean) / t[:, -clean.shape[1] :, None, None, None]
            conditional = text.mean((1, 2))[:, None, None, None, None] > 0
            return torch.where(conditional, 0.2 + w * (v - 0.2), 0.2)

    loss = FlowMapLoss(target=target, guidance=w, diffusion_share=1.0, consistency_share=0.0)
    _, parts = loss(Oracle(), x, text + 1, NULL, CHUNKS)
    assert parts["diffusion"].item() < 1e-8


def test_draws_respect_shares_order_and_bounds() -> None:
    split = split_chunks(CHUNKS, 3, "train")
    loss = FlowMapLoss()
    t, r, diffusion = loss.draw_times(64, split, torch.device("cpu"), torch.Generator().manual_seed(0))
    assert t.shape == r.shape == (64, 6)
    assert diffusion == 32
    assert torch.equal(t[:32], r[:32])
    assert (r[32:48] == 0).all()
    assert (r[48:] <= t[48:]).all()
    assert (r[48:] < t[48:]).float().mean() > 0.99
    assert t.min() >= 0
    assert t.max() <= 1
    assert torch.equal(t[:, 0], t[:, 1])  # frames of a chunk share a time
    assert not torch.equal(t[:, 0], t[:, 2])
    together, _, _ = FlowMapLoss(timesteps=TimestepConfig(per="clip")).draw_times(4, split, torch.device("cpu"), None)
    assert (together == together[:, :1]).all()


def test_weight_has_mean_one_over_the_schedule() -> None:
    loss = FlowMapLoss()
    u = torch.rand(200_000, generator=torch.Generator().manual_seed(0))
    shifted = 3 * u / (1 + 2 * u)
    assert loss.weight(shifted).mean().item() == pytest.approx(1, abs=0.01)
    assert loss.weight(torch.tensor([0.0, 1.0])).tolist() == [0, 0]


@pytest.mark.parametrize(("t", "r"), [(1.0, 1.0), (1.0, 0.0), (1.0, 1 - 1e-7), (0.0, 0.0), (1e-7, 0.0), (0.5, 0.5)])
def test_difference_is_finite_at_the_ends(t: float, r: float) -> None:
    x, text = batch(2, 2)
    scene = Scene.of(x, CHUNKS, 3)
    times = torch.full((2, 6), t), torch.full((2, 6), r)
    z, v = torch.randn_like(scene.clean), torch.randn_like(scene.clean)
    derivative = FlowMapLoss()._derivative(Scaled(), scene, z, v, *times, text, 0)
    assert derivative.isfinite().all()
    assert (derivative * (t - r)).abs().max() < 100


def test_derivative_matches_autograd() -> None:
    x, text = batch(2, 2)
    scene, model = Scene.of(x, CHUNKS, 3), Scaled(0.2)
    t, r = torch.full((2, 6), 0.7, dtype=torch.float64), torch.full((2, 6), 0.2, dtype=torch.float64)
    generator = torch.Generator().manual_seed(2)
    z, v = (torch.randn(scene.clean.shape, generator=generator, dtype=torch.float64) for _ in range(2))
    actual = FlowMapLoss()._derivative(model, scene, z, v, t, r, text, 0)
    _, expected = torch.autograd.functional.jvp(
        lambda z, t: scene.predict(model, z, t, r, text), (z, t), (v, torch.ones_like(t))
    )
    assert (actual - expected).norm() < 1e-3 * expected.norm()


def test_discrete_target_is_an_euler_step_and_then_the_map() -> None:
    """On a straight flow both parts are exact, so the target is the constant velocity; else it is a weighted mean of both."""

    class Elsewhere(nn.Module):
        """Predicts ``value``, and remembers which times it was asked about."""

        full_chunk_limit = 3

        def __init__(self, value: float) -> None:
            super().__init__()
            self.value, self.asked = value, []

        def forward_train(self, latents, t, r, text, chunks, clean=None) -> Tensor:
            self.asked.append((t[:, -6:], r[:, -6:]))
            return torch.full_like(latents[:, -6:], self.value)

    x, _ = batch(2, 2)
    scene = Scene.of(x, CHUNKS, 3)
    model, v = Elsewhere(3.0), torch.ones_like(scene.clean)
    t, r = torch.full((2, 6), 0.6), torch.full((2, 6), 0.2)
    loss = FlowMapLoss(difference="discrete", epsilon=0.1)
    goal = loss._composed(model, scene, scene.clean, v, t, r, torch.zeros(2, 1, 2), 0)
    assert torch.allclose(goal, torch.full_like(goal, (0.1 * 1 + 0.3 * 3) / 0.4))
    assert torch.allclose(model.asked[0][0], t - 0.1) and torch.equal(model.asked[0][1], r)
    # An interval that one step covers, and one of no length, get the teacher's velocity alone.
    for gap in (0.05, 0.0):
        goal = loss._composed(model, scene, scene.clean, v, t, t - gap, torch.zeros(2, 1, 2), 0)
        assert torch.allclose(goal, v.float())


class Learned(nn.Module):
    """`u = f(t, r) z` with a small network f."""

    full_chunk_limit = 3

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Linear(2, 64), nn.SiLU(), nn.Linear(64, 64), nn.SiLU(), nn.Linear(64, 1))

    def factor(self, t: Tensor, r: Tensor) -> Tensor:
        return self.net(torch.stack((t, r), -1)).squeeze(-1)

    def forward_train(self, latents, t, r, text, chunks, clean=None) -> Tensor:
        frames = clean.shape[1]
        return latents[:, -frames:] * self.factor(t[:, -frames:], r[:, -frames:])[:, :, None, None, None]


# An Euler step of 0.02 is off by about that much, a central difference of 0.005 by nothing that shows.
@pytest.mark.parametrize(("difference", "epsilon", "off"), [("central", 0.005, 0.06), ("discrete", 0.02, 0.1)])
def test_training_finds_the_flow_map(difference: Difference, epsilon: float, off: float) -> None:
    """Both stages from nothing: the student then makes data of the right spread in one step, and in four."""
    torch.manual_seed(0)
    teacher, student = Learned(), Learned()
    text, chunks = torch.zeros(64, 1, 2), (1, 2, 2)
    times = TimestepConfig(shift=1.0)

    def train(model: Learned, loss, iterations: int, **extra) -> None:
        optimizer = torch.optim.Adam(model.parameters(), lr=4e-3)
        for step in range(iterations):
            optimizer.param_groups[0]["lr"] = 4e-3 * (1 - step / iterations)
            total, _ = loss(model, S * torch.randn(64, 5, 4, 2, 2), text, NULL, chunks, **extra)
            optimizer.zero_grad()
            total.backward()
            optimizer.step()

    train(teacher, FlowMatchingLoss(timesteps=times), 300)
    student.load_state_dict(teacher.state_dict())
    loss = FlowMapLoss(timesteps=times, difference=difference, epsilon=epsilon)
    train(student, loss, 400, teacher=teacher)
    for steps in (1, 4):
        grid = torch.linspace(1, 0, steps + 1)
        end = torch.ones(())
        for t, r in pairwise(grid):
            end = end * (1 - (t - r) * student.factor(t, r))
        assert end.item() == pytest.approx(S, rel=off), f"{steps} steps"
    # The teacher's own single step is far off (its velocity at t = 1 points at the mean): the map was learnt.
    assert abs((1 - teacher.factor(torch.ones(()), torch.ones(()))).item()) < 0.1


def test_bad_settings_are_named() -> None:
    with pytest.raises(ValueError, match="add up to more than 1"):
        FlowMapLoss(diffusion_share=0.8, consistency_share=0.4)
    with pytest.raises(ValueError, match="target must be"):
        FlowMapLoss(target="both")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="difference must be"):
        FlowMapLoss(difference="forward")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="needs target 'teacher'"):
        FlowMapLoss(target="data", difference="discrete")
    x, text = batch(2, 2)
    with pytest.raises(ValueError, match="needs the teacher"):
        FlowMapLoss()(Scaled(), x, text, NULL, CHUNKS)


@pytest.mark.parametrize("target", ["teacher", "data", "authors"])
@pytest.mark.parametrize("chunks", [(1, 2, 2), CHUNKS, (5,)])
def test_losses_train_the_transformer(target: str, chunks: tuple[int, ...]) -> None:
    """Every parameter the layout uses gets a finite gradient, and the difference sends none back."""
    torch.manual_seed(0)
    config = TransformerConfig(
        num_attention_heads=2,
        attention_head_dim=12,
        text_dim=2,
        ffn_dim=24,
        num_layers=2,
        in_channels=4,
        out_channels=4,
        freq_dim=16,
    )
    model = AnyFlowFARTransformer(config)
    nn.init.normal_(model.proj_out.weight, std=0.1)
    x = torch.randn(4, sum(chunks), 4, 8, 8)
    text = torch.randn(4, 3, 2)
    loss = FlowMapLoss(target=target, text_dropout=0.3, context_noise=0.1)
    total, parts = loss(model, x, text, torch.zeros(3, 2), chunks, teacher=model)
    total.backward()
    assert total.isfinite()
    assert all(value.isfinite() for value in parts.values())
    missing = [name for name, p in model.named_parameters() if p.grad is None or not p.grad.isfinite().all()]
    compressed = len(chunks) > config.full_chunk_limit
    assert missing == ([] if compressed else ["far_patch_embedding.weight", "far_patch_embedding.bias"])
