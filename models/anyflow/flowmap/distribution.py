"""Distribution matching on a student's own clips (stage 3; DMD, Yin et al., arXiv 2311.18828 and 2405.14867).

The gradient of KL(student || teacher) at a clip x is the difference of two scores at a noised x, one of the student's
distribution ("fake") and one of the teacher's ("real"). Both scores come from velocity networks:
`x0 = z - t u(z, t, t)` is the expected clean clip, and the scores' difference is proportional to that of the x0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

import torch
from torch import Tensor

from anyflow.flowmap.chunks import Split
from anyflow.flowmap.losses import FlowMatchingLoss, Parts, Scene, TimestepConfig, TrainableFlowMap, over_latents
from anyflow.flowmap.schedule import apply_shift

Judge = Literal["whole", "causal"]


def judged_plan(judge: Judge, chunks: Sequence[int]) -> tuple[int, ...]:
    """The chunk plan under which the score networks see a clip."""
    return (sum(chunks),) if judge == "whole" else tuple(chunks)


@dataclass(frozen=True)
class DistributionMatchingLoss:
    """The student's side of stage 3.

    guidance: of the real score, `u_0 + w (u_c - u_0)`. (The authors' `real_guidance_scale` s is w - 1.)
    judge: `whole` scores all frames together, as the authors do: errors between chunks count too. It needs a teacher
        trained on bidirectional batches. `causal` scores each chunk given the student's own chunks before it (only the
        last `full_chunk_limit` of a plan, as in training).
    timesteps: how the noise level is drawn, one for a clip; kept inside `lowest..highest`.
    """

    guidance: float = 3.0
    judge: Judge = "whole"
    timesteps: TimestepConfig = field(default_factory=lambda: TimestepConfig(per="clip"))
    lowest: float = 0.02
    highest: float = 0.98

    def __post_init__(self) -> None:
        if self.judge not in get_args(Judge):
            raise ValueError(f"judge must be one of {', '.join(get_args(Judge))}, got {self.judge!r}")

    def __call__(
        self,
        clips: Tensor,
        real: TrainableFlowMap,
        fake: TrainableFlowMap,
        text: Tensor,
        null_text: Tensor,
        chunks: Sequence[int],
        generator: torch.Generator | None = None,
    ) -> tuple[Tensor, Parts]:
        """Loss whose gradient at ``clips`` is the normalised difference of scores.

        Args:
            clips: the student's ``[B, T, C, h, w]``, with gradients.
            real, fake: teacher and the network that follows the student; neither gets gradients.
            text: ``[B, L, D]``; null_text: ``[L, D]`` or ``[1, L, D]``.
            chunks: plan over the T frames.
        """
        with torch.no_grad():
            x = clips.detach()
            scene = Scene.of(x, judged_plan(self.judge, chunks), real.full_chunk_limit)
            t = self._times(len(x), scene.split, x.device, generator)
            e = torch.randn(scene.clean.shape, device=x.device, dtype=x.dtype, generator=generator)
            z = torch.lerp(scene.clean, e, over_latents(t).to(x.dtype))
            null = null_text.to(text).expand_as(text)
            level = over_latents(t)
            fake_clean = z - level * scene.predict(fake, z, t, t, text).float()
            conditional = scene.predict(real, z, t, t, text).float()
            velocity = conditional
            if self.guidance != 1:
                unconditional = scene.predict(real, z, t, t, null).float()
                velocity = unconditional + self.guidance * (conditional - unconditional)
            real_clean = z - level * velocity
            # Dividing by the distance to the real estimate makes all noise levels pull equally (arXiv 2311.18828, eq. 8).
            size = (scene.clean - real_clean).abs().mean(dim=(1, 2, 3, 4), keepdim=True)
            gradient = torch.nan_to_num((fake_clean - real_clean) / size.clamp_min(1e-6))
            target = scene.clean - gradient
        judged = clips[:, scene.split.compressed_frames :]
        loss = 0.5 * (judged.float() - target).square().mean()
        return loss, {"dmd": gradient.abs().mean()}

    def _times(self, batch: int, split: Split, device: torch.device, generator: torch.Generator | None) -> Tensor:
        t = apply_shift(self.timesteps.draw(batch, split, device, generator), self.timesteps.shift)
        return t.clamp(self.lowest, self.highest)[:, :1].expand(batch, split.full_frames).contiguous()


def fake_score_loss(judge: Judge, shift: float) -> FlowMatchingLossOnClips:
    """The loss that keeps the fake score on the student's distribution."""
    return FlowMatchingLossOnClips(judge, FlowMatchingLoss(TimestepConfig(density="logit_normal", shift=shift), text_dropout=0.0))


@dataclass(frozen=True)
class FlowMatchingLossOnClips:
    """Stage 1's loss on clips the student made, under the judge's plan."""

    judge: Judge
    loss: FlowMatchingLoss

    def __call__(
        self, fake: TrainableFlowMap, clips: Tensor, text: Tensor, null_text: Tensor, chunks: Sequence[int]
    ) -> tuple[Tensor, Parts]:
        return self.loss(fake, clips.detach(), text, null_text, judged_plan(self.judge, chunks))
