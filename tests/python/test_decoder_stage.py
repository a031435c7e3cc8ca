"""The decoder's stage: latents made again by a flow map, and windows that show the same place twice."""

import pytest
import torch
from torch import Tensor

from anyflow.config import DecoderTraining
from anyflow.train.decoder import redone, sample_windows
from anyflow.vae import SPATIAL_STRIDE


class MapToPoint:
    """The exact flow map of clips that are all the same: `u(z, t, 0) = (z - x) / t`."""

    full_chunk_limit = 2

    def __init__(self, clip: Tensor):
        self.clip = clip
        self.levels: list[Tensor] = []

    def forward_train(self, latents: Tensor, t: Tensor, r: Tensor, text: Tensor, chunks, clean: Tensor | None = None) -> Tensor:
        assert clean is not None
        assert not r.any()
        frames = clean.shape[1]
        noisy, t = latents[:, -frames:], t[:, -frames:]
        self.levels.append(t)
        return (noisy - self.clip[:, -frames:]) / t[:, :, None, None, None]


def test_an_exact_map_brings_every_clip_back() -> None:
    torch.manual_seed(0)
    clip = torch.randn(3, 5, 4, 2, 2)
    model = MapToPoint(clip)
    made = redone(model, clip, torch.zeros(3, 2, 6), (1, 2, 2), highest=0.5)
    torch.testing.assert_close(made, clip, rtol=1e-4, atol=1e-4)
    (levels,) = model.levels
    assert levels.shape == (3, 4)  # the first chunk is compressed context
    assert torch.equal(levels[:, 0], levels[:, 1])
    assert not torch.equal(levels[:, 1], levels[:, 2])
    assert levels.min() >= 0 and levels.max() < 0.5


def test_old_chunks_come_back_clean_and_others_keep_the_maps_error() -> None:
    torch.manual_seed(0)
    clip = torch.randn(1, 5, 4, 2, 2)
    wrong = clip + 1
    made = redone(MapToPoint(wrong), clip, torch.zeros(1, 2, 6), (1, 2, 2), highest=0.5)
    assert torch.equal(made[:, :1], clip[:, :1])
    torch.testing.assert_close(made[:, 1:], wrong[:, 1:], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("salient", [0.0, 1.0])
def test_windows_of_pixels_and_latents_show_the_same_place(salient: float) -> None:
    torch.manual_seed(0)
    cells = torch.arange(64).view(8, 8)
    pixels = cells.repeat_interleave(SPATIAL_STRIDE, 0).repeat_interleave(SPATIAL_STRIDE, 1)
    videos = [pixels.to(torch.uint8).expand(9, 3, -1, -1)] * 4
    latents = cells.float().expand(4, 3, 5, -1, -1)
    video, window = sample_windows(videos, latents, DecoderTraining(crop=64, salient=salient))
    assert video.shape == (4, 9, 3, 64, 64)
    assert window.shape == (4, 3, 5, 4, 4)
    corners = (video[:, 0, 0, ::SPATIAL_STRIDE, ::SPATIAL_STRIDE] * 255).round()
    torch.testing.assert_close(corners, window[:, 0, 0])

