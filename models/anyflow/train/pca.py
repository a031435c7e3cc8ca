"""Principal components of pixel blocks, as the autoencoder's linear start."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ..data import Clips
from ..vae import SPATIAL_STRIDE, VideoAutoencoder, group_frames


def sample_blocks(clips: Clips, count: int, seed: int = 3) -> Tensor:
    """About ``count`` blocks ``[N, 3 * 4 * 16 * 16]`` in -1..1, in the layout of the linear path's weights."""
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(clips), generator=generator).tolist()
    blocks: list[Tensor] = []
    total = 0
    for index in order:
        groups = group_frames(clips.video(index)[None].float() / 127.5 - 1)[0]
        # One group in three: neighbours in time are nearly alike.
        picked = F.pixel_unshuffle(groups.flatten(1, 2)[:: 3], SPATIAL_STRIDE)
        blocks.append(picked.movedim(1, -1).flatten(0, 2))
        total += len(blocks[-1])
        if total >= count:
            break
    return torch.cat(blocks)


@torch.no_grad()
def start_from_pca(vae: VideoAutoencoder, clips: Clips, count: int = 16384) -> float:
    """Set the linear paths to the first principal components; returns the share of variance they explain.

    Component k's latent is scaled to deviation ``sqrt(std_k)`` over the geometric scale of all: between plain PCA (whose first
    component would drown the posterior's noise) and whitening (which would drown the picture in it).
    """
    blocks = sample_blocks(clips, count)
    mean = blocks.mean(0)
    channels = vae.config.latent_channels
    _, singular, vectors = torch.svd_lowrank(blocks - mean, q=min(channels + 16, *blocks.shape), niter=3)
    std, basis = singular[:channels] / len(blocks) ** 0.5, vectors[:, :channels]
    scale = std.clamp_min(1e-6).rsqrt()  # latent = scale * coefficient, so its deviation is sqrt(std)
    scale = scale / (scale * std).square().mean().sqrt()
    encoder, decoder = vae.encoder.linear, vae.decoder.linear
    encoder.weight.copy_((basis * scale).T.reshape(encoder.weight.shape))
    encoder.bias.copy_(-(mean @ basis) * scale)
    decoder.weight.copy_((basis / scale).reshape(decoder.weight.shape))
    decoder.bias.copy_(mean)
    return float(std.square().sum() / (blocks - mean).square().sum(1).mean())

