"""A network that reads off a clip what it shows: the judge of prompt accuracy, and the features of the Fréchet distance.

It is trained on rendered clips alone (`train.recogniser`), so it knows nothing of any generator.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .config import ConfigError
from .worlds.vocabulary import CAMERAS, COLOURS, MATERIALS, MOTIONS, PLACES, SHAPES

FRAMES = 9
SIZE = 64
FEATURES = 64

ATTRIBUTES: Mapping[str, tuple[str, ...]] = {
    "object": tuple(SHAPES),
    "colour": tuple(COLOURS),
    "material": MATERIALS,
    "motion": MOTIONS,
    "place": tuple(PLACES),
    "camera": CAMERAS,
}
_OF_SCENE = ("place", "camera")


def thumbnails(video: Tensor) -> Tensor:
    """What the recogniser looks at: uint8 ``[..., T, 3, H, W]`` to uint8 ``[..., 9, 3, 64, 64]``, evenly in time."""
    lead = video.shape[:-4]
    index = torch.linspace(0, video.shape[-4] - 1, FRAMES).round().long()
    frames = video.index_select(video.dim() - 4, index.to(video.device)).flatten(0, -4).float()
    small = F.interpolate(frames, size=(SIZE, SIZE), mode="area")
    return small.round().clamp(0, 255).to(torch.uint8).view(*lead, FRAMES, 3, SIZE, SIZE)


def truth(rows: Sequence[Mapping[str, Any]]) -> dict[str, Tensor]:
    """Targets of clips from their ``attributes``: for each attribute ``[N, values]``, 1 where it is shown, divided by the count.

    Raises:
        ConfigError: of real clips, about which nothing is known but their captions.
    """
    if not all(rows):
        raise ConfigError("the recogniser and `evaluate` need rendered clips: real video has no ground truth of what it shows")
    targets = {}
    for name, values in ATTRIBUTES.items():
        target = torch.zeros(len(rows), len(values))
        for row, entry in enumerate(rows):
            shown = [entry[name]] if name in _OF_SCENE else [thing[name] for thing in entry["objects"]]
            for value in shown:
                target[row, values.index(value)] = 1
        targets[name] = target / target.sum(1, keepdim=True)
    return targets


def correct(logits: Tensor, target: Tensor) -> Tensor:
    """bool ``[N]``: the best k guesses are the k values shown."""
    shown = target > 0
    count = shown.sum(1)
    rank = logits.argsort(1, descending=True).argsort(1)
    return ((rank < count[:, None]) == shown).all(1)


class Recogniser(nn.Module):
    """Convolutions over thumbnails: each frame by itself, then over time; ``FEATURES`` numbers a clip, one head an attribute."""

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        w = width
        self.frames = nn.Sequential(
            nn.Conv2d(3, w, 5, stride=2, padding=2), nn.GroupNorm(8, w), nn.SiLU(),
            nn.Conv2d(w, 2 * w, 3, stride=2, padding=1), nn.GroupNorm(8, 2 * w), nn.SiLU(),
            nn.Conv2d(2 * w, 3 * w, 3, stride=2, padding=1), nn.GroupNorm(8, 3 * w), nn.SiLU(),
            nn.Conv2d(3 * w, 3 * w, 3, padding=1), nn.GroupNorm(8, 3 * w), nn.SiLU(),
        )  # fmt: skip
        # A frame and its neighbours in time, as channels of a 2-D convolution (fast on every device).
        self.times = nn.ModuleList(nn.Conv2d(3 * 3 * w, 3 * w, 3, padding=1) for _ in range(2))
        self.norms = nn.ModuleList(nn.GroupNorm(8, 3 * w) for _ in range(2))
        self.features = nn.Sequential(nn.Linear(2 * 3 * w, 2 * FEATURES), nn.SiLU(), nn.Linear(2 * FEATURES, FEATURES))
        self.heads = nn.ModuleDict({name: nn.Linear(FEATURES, len(values)) for name, values in ATTRIBUTES.items()})

    def embed(self, clips: Tensor) -> Tensor:
        """Thumbnails uint8 ``[N, 9, 3, 64, 64]`` to features ``[N, FEATURES]``."""
        count = clips.shape[0]
        x = self.frames(clips.flatten(0, 1).float() / 127.5 - 1)
        for conv, norm in zip(self.times, self.norms, strict=True):
            clip = F.pad(x.unflatten(0, (count, FRAMES)), (0, 0, 0, 0, 0, 0, 1, 1))
            near = torch.cat([clip[:, :-2], clip[:, 1:-1], clip[:, 2:]], dim=2).flatten(0, 1)
            x = x + F.silu(norm(conv(near)))
        clip = x.unflatten(0, (count, FRAMES))
        # The mean says what is everywhere (the place), the maximum what is somewhere (the object).
        pooled = torch.cat([clip.mean(dim=(1, 3, 4)), clip.amax(dim=(1, 3, 4))], dim=1)
        return self.features(pooled)

    def forward(self, clips: Tensor) -> dict[str, Tensor]:
        """Logits of each attribute, ``[N, values]``."""
        features = F.silu(self.embed(clips))
        return {name: head(features) for name, head in self.heads.items()}


def recognition_loss(logits: Mapping[str, Tensor], targets: Mapping[str, Tensor]) -> Tensor:
    """Mean cross-entropy over the attributes (soft targets where two objects are shown)."""
    return torch.stack([F.cross_entropy(logits[name], targets[name]) for name in ATTRIBUTES]).mean()
