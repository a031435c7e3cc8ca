"""Training losses of stages 1 and 2 (DESIGN.md section 2; AnyFlow, arXiv 2605.13724; the authors' trainers).

`z_t = (1 - t) x + t e`. A network predicts the mean velocity `u(z_t, t, r)` over the interval from t down to r.
Clips are trained with teacher forcing: noisy chunks see the clean chunks before them. Chunks older than the network's
`full_chunk_limit` are clean context only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, get_args

import torch
from torch import Tensor

from anyflow.flowmap.chunks import Chunks, Split, check_chunks, split_chunks
from anyflow.flowmap.schedule import apply_shift

Parts = dict[str, Tensor]
"""Detached scalars to log, left on the device so that logging does not force a synchronisation."""


class TrainableFlowMap(Protocol):
    """What the losses ask of a network; `AnyFlowFARTransformer` provides it."""

    @property
    def full_chunk_limit(self) -> int: ...

    def forward_train(
        self, latents: Tensor, t: Tensor, r: Tensor, text: Tensor, chunks: Sequence[int], clean: Tensor | None = None
    ) -> Tensor: ...


@dataclass(frozen=True)
class TimestepConfig:
    """How t is drawn: a density on 0..1, then the schedule's shift.

    density: `uniform`, or `logit_normal` (sigmoid of a normal with `mean` and `std`), the authors' teacher choice.
    per: one t for the whole `clip`, or one for each `chunk` (teacher forcing makes the chunks independent samples, so
        this shows the network more noise levels for the same cost).
    """

    density: Literal["uniform", "logit_normal"] = "uniform"
    mean: float = 0.0
    std: float = 1.0
    shift: float = 3.0
    per: Literal["clip", "chunk"] = "chunk"

    def draw(self, batch: int, split: Split, device: torch.device, generator: torch.Generator | None) -> Tensor:
        """Unshifted times `[batch, full chunks]`, all equal along a row for `per="clip"`."""
        columns = len(split.full) if self.per == "chunk" else 1
        if self.density == "uniform":
            t = torch.rand(batch, columns, device=device, generator=generator)
        else:
            t = torch.sigmoid(self.mean + self.std * torch.randn(batch, columns, device=device, generator=generator))
        return t.expand(batch, len(split.full))


def per_frame(per_chunk: Tensor, split: Split) -> Tensor:
    """Repeat `[B, full chunks]` over frames: `[B, full frames]`."""
    columns = [per_chunk[:, i : i + 1].expand(-1, frames) for i, frames in enumerate(split.full)]
    return torch.cat(columns, dim=1)


def over_latents(per_frame_value: Tensor) -> Tensor:
    """`[B, F]` to `[B, F, 1, 1, 1]`."""
    return per_frame_value[:, :, None, None, None]


def drop_text(
    text: Tensor, null_text: Tensor, probability: float, generator: torch.Generator | None
) -> tuple[Tensor, Tensor]:
    """Replace the text of random samples by the null text; returns it and which samples were dropped, bool `[B]`."""
    dropped = torch.rand(text.shape[0], device=text.device, generator=generator) < probability
    return torch.where(dropped[:, None, None], null_text.to(text).expand_as(text), text), dropped


@dataclass(frozen=True)
class Scene:
    """One batch cut for teacher forcing: what stays the same over all calls of an iteration."""

    chunks: Chunks
    split: Split
    context: Tensor
    clean: Tensor

    @classmethod
    def of(cls, latents: Tensor, chunks: Sequence[int], full_chunk_limit: int) -> Scene:
        plan = check_chunks(chunks, latents.shape[1])
        split = split_chunks(plan, full_chunk_limit, "train")
        return cls(plan, split, *latents.split((split.compressed_frames, split.full_frames), dim=1))

    def augmented(self, level: float, generator: torch.Generator | None) -> Scene:
        """The same scene with context noised to a random sigma below `level`, one per clip: a student's context is
        never as clean as data, and this narrows the gap."""
        if level == 0:
            return self
        shape, device = (self.clean.shape[0], 1, 1, 1, 1), self.clean.device
        sigma = level * torch.rand(shape, device=device, generator=generator)
        noised = [
            (1 - sigma) * part + sigma * torch.randn(part.shape, device=device, dtype=part.dtype, generator=generator)
            for part in (self.context, self.clean)
        ]
        return Scene(self.chunks, self.split, *noised)

    def rows(self, start: int, repeats: int = 1) -> Scene:
        """Samples from `start` on, stacked `repeats` times along the batch."""
        context, clean = (torch.cat([part[start:]] * repeats) for part in (self.context, self.clean))
        return Scene(self.chunks, self.split, context, clean)

    def predict(self, model: TrainableFlowMap, z: Tensor, t: Tensor, r: Tensor, text: Tensor) -> Tensor:
        """`u(z, t, r)` with t, r `[B, full frames]`; the context gets t = r = 0."""
        zero = t.new_zeros(t.shape[0], self.split.compressed_frames)
        times = torch.cat((zero, t), 1), torch.cat((zero, r), 1)
        return model.forward_train(torch.cat((self.context, z), 1), *times, text, self.chunks, self.clean)


def per_sample_error(prediction: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
    """Mean squared error of each sample `[B]` in float32; weight `[B, F]` per frame."""
    error = (prediction.float() - target.float()).square().mean(dim=(2, 3, 4))
    return (error if weight is None else error * weight).mean(1)


@dataclass(frozen=True)
class FlowMatchingLoss:
    """Stage 1, the teacher: `|u(z_t, t, t) - (e - x)|^2`."""

    timesteps: TimestepConfig = field(default_factory=lambda: TimestepConfig(density="logit_normal"))
    text_dropout: float = 0.1
    context_noise: float = 0.0

    def __call__(
        self,
        model: TrainableFlowMap,
        latents: Tensor,
        text: Tensor,
        null_text: Tensor,
        chunks: Sequence[int],
        generator: torch.Generator | None = None,
    ) -> tuple[Tensor, Parts]:
        """Loss of one batch.

        Args:
            model: the network; gradients flow into it.
            latents: clean `[B, T, C, h, w]`, normalised to about unit variance.
            text: `[B, L, D]`; null_text: `[L, D]` or `[1, L, D]`.
            chunks: plan over the T frames.
            generator: on the latents' device, for repeatable draws.
        """
        scene = Scene.of(latents, chunks, model.full_chunk_limit)
        x = scene.clean
        text, _ = drop_text(text, null_text, self.text_dropout, generator)
        t = self.timesteps.draw(len(x), scene.split, x.device, generator)
        t = per_frame(apply_shift(t, self.timesteps.shift), scene.split)
        e = torch.randn(x.shape, device=x.device, dtype=x.dtype, generator=generator)
        z = torch.lerp(x, e, over_latents(t).to(x.dtype))
        u = scene.augmented(self.context_noise, generator).predict(model, z, t, t, text)
        loss = per_sample_error(u, e - x).mean()
        return loss, {"loss": loss.detach()}


Target = Literal["teacher", "data", "authors"]
Difference = Literal["central", "discrete"]


@dataclass(frozen=True)
class FlowMapLoss:
    """Stage 2, forward flow-map training: `|u(z_t, t, r) - (v - (t - r) du/dt)|^2`, du/dt along v, without gradient.

    target:
        `teacher`: v is the guided velocity of a frozen teacher, `v_0 + w (v_c - v_0)`, so u becomes the map of the
            guided flow itself. No data noise in it (DESIGN.md section 6).
        `data`: `v = v_0 + w (e - x - v_0)`, v_0 = u(z, t, t) being the student's own unconditional velocity, as in
            MeanFlow (arXiv 2505.13447). Right on average at the same fixed point as `teacher`.
        `authors`: the published recipe: the loss compares `(u_c - (1 - w) u_0) / w`, with u_0 = u(z, t, r), to
            `e - x - (t - r) / w du/dt` along `e - x`. Equal to `data` for w = 1; for w > 1 and r < t it is an
            approximation (where the text changes nothing it shortens du/dt by w).
        Dropped-text samples of the last two use w = 1.
    guidance: w.
    diffusion_share: first share of the batch, with r = t (ordinary flow matching).
    consistency_share: next share, with r = 0. The rest draws t > r.
    difference:
        `central`: du/dt as a central difference, as above.
        `discrete`: an Euler step of length epsilon along v, then the student's own map from where it leads to r (no gradient),
            as in consistency distillation (Song et al., arXiv 2303.01469, algorithm 2, where r = 0). Off by O(epsilon),
            but a weighted mean of v and the student's output, so that errors cannot feed on themselves: with all samples
            at r = 0, where nothing else holds the map, `central` diverged (models/README.md). For `teacher` alone.
    epsilon: half-width of the central difference, or the Euler step's length, in sigma.
    text_dropout: 0 by default for `teacher`, whose student never runs without text; the others need some.
    difference_float32: run the difference's calls outside autocast: their difference is divided by 2 epsilon, which
        enlarges rounding a hundredfold.
    """

    target: Target = "teacher"
    guidance: float = 3.0
    timesteps: TimestepConfig = field(default_factory=TimestepConfig)
    diffusion_share: float = 0.5
    consistency_share: float = 0.25
    epsilon: float = 0.005
    text_dropout: float = 0.0
    context_noise: float = 0.0
    difference: Difference = "central"
    difference_float32: bool = True

    def __post_init__(self) -> None:
        if self.target not in get_args(Target):
            raise ValueError(f"target must be one of {', '.join(get_args(Target))}, got {self.target!r}")
        if not (self.diffusion_share >= 0 and self.consistency_share >= 0):
            raise ValueError("diffusion_share and consistency_share must not be negative")
        if self.diffusion_share + self.consistency_share > 1:
            raise ValueError("diffusion_share and consistency_share add up to more than 1")
        if self.difference not in get_args(Difference):
            raise ValueError(f"difference must be one of {', '.join(get_args(Difference))}, got {self.difference!r}")
        if self.difference == "discrete" and self.target != "teacher":
            raise ValueError("difference 'discrete' steps along the teacher's velocity: it needs target 'teacher'")
        if self.epsilon <= 0 or self.guidance <= 0:
            raise ValueError("epsilon and guidance must be positive")

    def __call__(
        self,
        model: TrainableFlowMap,
        latents: Tensor,
        text: Tensor,
        null_text: Tensor,
        chunks: Sequence[int],
        teacher: TrainableFlowMap | None = None,
        generator: torch.Generator | None = None,
        teacher_text: Tensor | None = None,
    ) -> tuple[Tensor, Parts]:
        """Loss of one batch; arguments as for `FlowMatchingLoss`, and the frozen teacher for `target="teacher"`.

        teacher_text: what the teacher is told instead of `text`, `[B, L, D]`: other words for the same clips, so that a
            student learns wordings that its teacher does not know. None: the same.

        Raises:
            ValueError: the target needs a teacher and none was given.
        """
        if self.target == "teacher" and teacher is None:
            raise ValueError("FlowMapLoss(target='teacher') needs the teacher network")
        scene = Scene.of(latents, chunks, model.full_chunk_limit)
        x = scene.clean
        text, dropped = drop_text(text, null_text, self.text_dropout, generator)
        t, r, diffusion = self.draw_times(len(x), scene.split, x.device, generator)
        e = torch.randn(x.shape, device=x.device, dtype=x.dtype, generator=generator)
        z = torch.lerp(x, e, over_latents(t).to(x.dtype))
        scene = scene.augmented(self.context_noise, generator)
        null = null_text.to(text).expand_as(text)

        w = torch.where(dropped, 1.0, self.guidance)[:, None, None, None, None]
        if teacher is not None and self.target == "teacher":
            v = self._teacher_velocity(teacher, scene, z, t, text if teacher_text is None else teacher_text, null)
        else:
            v = (e - x).float()
        if self.target == "data" and self.guidance != 1:
            v = torch.lerp(self._unconditional(model, scene, z, t, t, null), v, w)
        if self.difference == "discrete":
            goal = self._composed(model, scene, z, v, t, r, text, diffusion)
        else:
            change = over_latents(t - r) * self._derivative(model, scene, z, v, t, r, text, diffusion)
            goal = v - change
        u = scene.predict(model, z, t, r, text).float()

        if self.target == "teacher":
            return self._damped(per_sample_error(u, goal), diffusion)
        if self.target == "data":
            # Guidance enlarges the target's noise w-fold; dividing by w keeps all samples' errors comparable.
            error = (u - goal) / w
        else:
            if self.guidance != 1:
                u = (u - (1 - w) * self._unconditional(model, scene, z, t, r, null)) / w
            error = u - v + change / w
        return self._equalised(per_sample_error(error, torch.zeros_like(error), self.weight(t)), diffusion)

    def draw_times(
        self, batch: int, split: Split, device: torch.device, generator: torch.Generator | None
    ) -> tuple[Tensor, Tensor, int]:
        """Shifted t >= r, `[B, full frames]`, and how many samples, the first ones, have r = t.

        Counts are fixed rather than drawn, so every iteration has the same shapes.
        """
        a = self.timesteps.draw(batch, split, device, generator)
        b = self.timesteps.draw(batch, split, device, generator)
        t, r = torch.maximum(a, b), torch.minimum(a, b)
        diffusion = round(self.diffusion_share * batch)
        consistency = min(round(self.consistency_share * batch), batch - diffusion)
        r = torch.cat((t[:diffusion], torch.zeros_like(r[:consistency]), r[diffusion + consistency :]))
        t, r = (per_frame(apply_shift(s, self.timesteps.shift), split) for s in (t, r))
        return t, r, diffusion

    def weight(self, t: Tensor) -> Tensor:
        """`t (1 - t)^0.5`, scaled to mean 1 over the shifted schedule."""
        grid = apply_shift(torch.linspace(0, 1, 1001, device=t.device, dtype=t.dtype), self.timesteps.shift)
        return t * (1 - t).clamp_min(0).sqrt() / (grid * (1 - grid).clamp_min(0).sqrt()).mean()

    @torch.no_grad()
    def _teacher_velocity(
        self, teacher: TrainableFlowMap, scene: Scene, z: Tensor, t: Tensor, text: Tensor, null: Tensor
    ) -> Tensor:
        if self.guidance == 1:
            return scene.predict(teacher, z, t, t, text).float()
        t = torch.cat((t, t))
        both = scene.rows(0, repeats=2).predict(teacher, torch.cat((z, z)), t, t, torch.cat((text, null)))
        conditional, unconditional = both.float().chunk(2)
        return unconditional + self.guidance * (conditional - unconditional)

    @torch.no_grad()
    def _unconditional(
        self, model: TrainableFlowMap, scene: Scene, z: Tensor, t: Tensor, r: Tensor, null: Tensor
    ) -> Tensor:
        return scene.predict(model, z, t, r, null).float()

    @torch.no_grad()
    def _derivative(
        self,
        model: TrainableFlowMap,
        scene: Scene,
        z: Tensor,
        v: Tensor,
        t: Tensor,
        r: Tensor,
        text: Tensor,
        start: int,
    ) -> Tensor:
        """Total derivative du/dt along v, float32; zero for the first `start` samples, where t - r = 0."""
        derivative = torch.zeros(z.shape, device=z.device, dtype=torch.float32)
        if start == len(z):
            return derivative
        z, v, t, r, text = z[start:], v[start:], t[start:], r[start:], text[start:]
        # Both ends stay inside r..1, where the network is defined; the offsets make up for what was cut.
        after, before = (t + self.epsilon).clamp(max=1.0), torch.maximum(t - self.epsilon, r)
        moved = [z + over_latents(end - t).to(z.dtype) * v.to(z.dtype) for end in (after, before)]
        with torch.autocast(
            z.device.type, enabled=torch.is_autocast_enabled(z.device.type) and not self.difference_float32
        ):
            ends = scene.rows(start, repeats=2).predict(
                model, torch.cat(moved), torch.cat((after, before)), torch.cat((r, r)), torch.cat((text, text))
            )
        u_after, u_before = ends.float().chunk(2)
        derivative[start:] = (u_after - u_before) / over_latents((after - before).clamp_min(1e-6))
        return derivative

    @torch.no_grad()
    def _composed(
        self, model: TrainableFlowMap, scene: Scene, z: Tensor, v: Tensor, t: Tensor, r: Tensor, text: Tensor, start: int
    ) -> Tensor:
        """Mean velocity of an Euler step along v followed by the student's map to r, float32; v itself for the first
        `start` samples, where t - r = 0, and where the step alone reaches r."""
        goal = v.float().clone()
        if start == len(z):
            return goal
        z, v, t, r, text = z[start:], v[start:].float(), t[start:], r[start:], text[start:]
        step = torch.minimum(t - r, torch.full_like(t, self.epsilon))
        moved = z - over_latents(step).to(z.dtype) * v.to(z.dtype)
        rest = scene.rows(start).predict(model, moved, t - step, r, text).float()
        share = over_latents(step / (t - r).clamp_min(1e-6)).clamp(max=1)
        goal[start:] = torch.where(over_latents(t > r), torch.lerp(rest, v, share), v)
        return goal

    @staticmethod
    def _parts(loss: Tensor, diffusion: int) -> Parts:
        """Figures to watch, before any rescaling."""
        parts: Parts = {"loss": loss.detach().mean()}
        if diffusion > 0:
            parts["diffusion"] = loss[:diffusion].detach().mean()
        if diffusion < len(loss):
            parts["flow_map"] = loss[diffusion:].detach().mean()
        return parts

    def _equalised(self, loss: Tensor, diffusion: int) -> tuple[Tensor, Parts]:
        """The authors' balance: every r < t sample gets the size of the mean r = t loss.

        It presumes the noise floor that a data target gives both kinds of sample.
        """
        parts = self._parts(loss, diffusion)
        if not 0 < diffusion < len(loss):
            return loss.mean(), parts
        plain, mapped = loss[:diffusion], loss[diffusion:]
        mapped = mapped * (parts["diffusion"] / (mapped.detach() + 1e-5))
        return torch.cat((plain, mapped)).mean(), parts

    def _damped(self, loss: Tensor, diffusion: int) -> tuple[Tensor, Parts]:
        """Balance for a noiseless target, whose r = t loss goes to zero (and is zero where the student starts as the
        teacher): scaling by it would switch the flow map off. Errors of both kinds are velocities in the same units,
        so they stay as they are, but a sample far above the mean (a derivative gone wild) is bounded to twice it.
        """
        parts = self._parts(loss, diffusion)
        if diffusion == len(loss):
            return loss.mean(), parts
        plain, mapped = loss[:diffusion], loss[diffusion:]
        typical = parts["flow_map"]
        mapped = mapped * (2 * typical / (mapped.detach() + typical + 1e-12))
        return torch.cat((plain, mapped)).mean(), parts
