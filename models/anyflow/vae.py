"""Causal video autoencoder with high compression (16 x 16 pixels x 4 frames to one latent vector).

Video is grouped by latent frame: group 0 is pixel frame 0 four times, group ``i`` is frames ``4i-3 .. 4i``
(`group_frames`). Every temporal connection is a convolution that sees one latent frame and the one before it, so
decoding a clip whole and decoding it latent by latent with carried states are the same computation.

Encoder and decoder each have a linear path beside the convolutions: a projection of the 16 x 16 x 4 block of pixels and
its transpose. Started at the data's principal components (`train.pca`), with the convolutions' last layers near zero, the
autoencoder begins as PCA and learns what PCA misses; from a random start it took several times as long.

The latents are noised in training at random levels up to ``noise`` (relative to their size) instead of drawn from a
learnt posterior: that bounds the information they carry (compare the "constant-variance VAE" of Ghosh et al. 2020,
arXiv 1903.12436), keeps the space smooth for the flow model, and teaches the decoder to make do with latents that are not exact.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

SPATIAL_STRIDE = 16
TEMPORAL_STRIDE = 4
_PIXEL_PATCH = 4  # the finest convolutions run at a quarter of the resolution


@dataclass
class VaeConfig:
    """Widths of the stages, coarse to fine; ``latent_channels`` values a latent position.

    ``width8``, ``width16`` are channels at 1/16 and 1/8 resolution (at the latent frame rate), ``width32`` at 1/4
    resolution (at the pixel frame rate). ``noise`` is the highest standard deviation of the training noise, as a
    share of the latents' root mean square, ``energy`` the weight of their mean square in the loss.
    """

    latent_channels: int = 16
    width8: int = 192
    width16: int = 128
    width32: int = 48
    decoder_blocks: int = 2
    noise: float = 0.3
    energy: float = 1e-3


def group_frames(video: Tensor) -> Tensor:
    """Group pixel frames by latent frame.

    Args:
        video: ``[B, T, 3, H, W]`` with ``T = 4 n + 1``.
    Returns:
        ``[B, n + 1, 4, 3, H, W]``; group 0 repeats frame 0.
    Raises:
        ValueError: if ``T - 1`` is not a multiple of 4.
    """
    frames = video.shape[1]
    if frames % TEMPORAL_STRIDE != 1:
        raise ValueError(f"a clip must have 4 n + 1 frames, got {frames}; cut it to {max(1, (frames - 1) // 4 * 4 + 1)}")
    first = video[:, :1].expand(-1, TEMPORAL_STRIDE, -1, -1, -1)
    return torch.cat([first, video[:, 1:]], dim=1).unflatten(1, (-1, TEMPORAL_STRIDE))


def ungroup_frames(groups: Tensor) -> Tensor:
    """Inverse of `group_frames`: ``[B, n + 1, 4, 3, H, W]`` to ``[B, 4 n + 1, 3, H, W]``."""
    return groups.flatten(1, 2)[:, TEMPORAL_STRIDE - 1 :]


class TemporalConv(nn.Module):
    """3 x 3 convolution over a latent frame and its predecessor (a causal 2 x 3 x 3 one, written as Conv2d).

    As a 2-D convolution over concatenated channels it runs on every ONNX provider's fast path.
    """

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.conv = nn.Conv2d(2 * inputs, outputs, 3, padding=1)

    def forward(self, x: Tensor, batch: int) -> Tensor:
        """``x``: ``[B * T, C, h, w]``, B-major; before the first frame stands zero."""
        clip = x.unflatten(0, (batch, -1))
        previous = torch.cat([torch.zeros_like(clip[:, :1]), clip[:, :-1]], dim=1).flatten(0, 1)
        return self.conv(torch.cat([previous, x], dim=1))

    def step(self, x: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """One latent frame ``[B, C, h, w]`` with its predecessor; returns the output and the next state."""
        return self.conv(torch.cat([state, x], dim=1)), x


class ResBlock(nn.Module):
    """Two convolutions around a skip; ``temporal`` makes the first one causal in time."""

    def __init__(self, width: int, temporal: bool):
        super().__init__()
        self.width = width
        self.temporal = temporal
        self.first = TemporalConv(width, width) if temporal else nn.Conv2d(width, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x: Tensor, batch: int) -> Tensor:
        h = F.silu(x)
        h = self.first(h, batch) if self.temporal else self.first(h)
        return x + self.second(F.silu(h))

    def step(self, x: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        h, state = self.first.step(F.silu(x), state)
        return x + self.second(F.silu(h)), state


def _initialise(module: nn.Module, last: nn.Conv2d) -> None:
    """He initialisation; residual branches start small, the ``last`` convolution smaller, so that PCA is the start."""
    for part in module.modules():
        if isinstance(part, nn.Conv2d):
            nn.init.kaiming_normal_(part.weight, nonlinearity="relu")
            nn.init.zeros_(part.bias)
    with torch.no_grad():
        last.weight.mul_(0.03)
        for block in module.modules():
            if isinstance(block, ResBlock):
                block.second.weight.mul_(0.3)


class Encoder(nn.Module):
    """Grouped frames ``[B, T', 4, 3, H, W]`` in 0..1 to raw latents ``[B, T', C, H / 16, W / 16]``."""

    def __init__(self, config: VaeConfig):
        super().__init__()
        w8, w16, w32 = config.width8, config.width16, config.width32
        self.stem = nn.Conv2d(3 * _PIXEL_PATCH**2, w32, 3, padding=1)
        self.down16 = nn.Conv2d(TEMPORAL_STRIDE * w32, w16, 3, stride=2, padding=1)
        self.block16 = ResBlock(w16, temporal=True)
        self.down8 = nn.Conv2d(w16, w8, 3, stride=2, padding=1)
        self.block8 = ResBlock(w8, temporal=True)
        self.head = nn.Conv2d(w8, config.latent_channels, 3, padding=1)
        self.linear = nn.Conv2d(3 * TEMPORAL_STRIDE, config.latent_channels, SPATIAL_STRIDE, stride=SPATIAL_STRIDE)
        _initialise(self, last=self.head)

    def _stem(self, frames: Tensor) -> Tensor:
        """``[N, 4, 3, H, W]`` to ``[N, w16, H / 8, W / 8]``; the four frames of a group are channels from here."""
        patches = F.pixel_unshuffle(frames.flatten(0, 1) * 2 - 1, _PIXEL_PATCH)
        h = F.silu(self.stem(patches)).unflatten(0, (-1, TEMPORAL_STRIDE)).flatten(1, 2)
        return self.down16(h)

    def forward(self, groups: Tensor) -> Tensor:
        batch = groups.shape[0]
        h = self.block16(self._stem(groups.flatten(0, 1)), batch)
        h = self.block8(self.down8(F.silu(h)), batch)
        linear = self.linear(groups.flatten(2, 3).flatten(0, 1) * 2 - 1)
        return (linear + self.head(F.silu(h))).unflatten(0, (batch, -1))

    def step(self, frames: Tensor, states: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        h, s16 = self.block16.step(self._stem(frames.unsqueeze(0)), states[0])
        h, s8 = self.block8.step(self.down8(F.silu(h)), states[1])
        linear = self.linear(frames.flatten(0, 1).unsqueeze(0) * 2 - 1)
        return linear + self.head(F.silu(h)), [s16, s8]


class Decoder(nn.Module):
    """Raw latents ``[B, T', C, h, w]`` to grouped frames ``[B, T', 4, 3, 16 h, 16 w]``, about 0..1, not clamped."""

    def __init__(self, config: VaeConfig):
        super().__init__()
        w8, w16, w32 = config.width8, config.width16, config.width32
        self.stem = TemporalConv(config.latent_channels, w8)
        self.blocks8 = nn.ModuleList(ResBlock(w8, temporal=True) for _ in range(config.decoder_blocks))
        self.up16 = nn.Conv2d(w8, w16 * 4, 1)
        self.blocks16 = nn.ModuleList(ResBlock(w16, temporal=True) for _ in range(config.decoder_blocks))
        self.up32 = nn.Conv2d(w16, w32 * 4 * TEMPORAL_STRIDE, 1)
        self.blocks32 = nn.ModuleList(ResBlock(w32, temporal=False) for _ in range(config.decoder_blocks))
        self.head = nn.Conv2d(w32, 3 * _PIXEL_PATCH**2, 3, padding=1)
        self.linear = nn.Conv2d(config.latent_channels, 3 * TEMPORAL_STRIDE * SPATIAL_STRIDE**2, 1)
        _initialise(self, last=self.head)

    def _up32(self, h: Tensor) -> Tensor:
        """``[N, w16, h, w]`` to ``[N * 4, w32, 2 h, 2 w]``: from the latent's frame rate to the pixels'."""
        h = self.up32(F.silu(h)).unflatten(1, (TEMPORAL_STRIDE, -1)).flatten(0, 1)
        return F.pixel_shuffle(h, 2)

    def _pixels(self, h: Tensor, latents: Tensor) -> Tensor:
        """``[N * 4, w32, H / 4, W / 4]`` and the latents ``[N, C, H / 16, W / 16]`` to ``[N, 4, 3, H, W]``."""
        for block in self.blocks32:
            h = block(h, 1)
        frames = F.pixel_shuffle(self.head(F.silu(h)), _PIXEL_PATCH)
        linear = F.pixel_shuffle(self.linear(latents), SPATIAL_STRIDE).unflatten(1, (TEMPORAL_STRIDE, 3))
        return (frames.unflatten(0, (-1, TEMPORAL_STRIDE)) + linear) * 0.5 + 0.5

    def forward(self, latents: Tensor) -> Tensor:
        batch = latents.shape[0]
        h = self.stem(latents.flatten(0, 1), batch)
        for block in self.blocks8:
            h = block(h, batch)
        h = F.pixel_shuffle(self.up16(F.silu(h)), 2)
        for block in self.blocks16:
            h = block(h, batch)
        return self._pixels(self._up32(h), latents.flatten(0, 1)).unflatten(0, (batch, -1))

    def step(self, latent: Tensor, states: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        following: list[Tensor] = []
        h, state = self.stem.step(latent, states[0])
        following.append(state)
        for block in self.blocks8:
            h, state = block.step(h, states[len(following)])
            following.append(state)
        h = F.pixel_shuffle(self.up16(F.silu(h)), 2)
        for block in self.blocks16:
            h, state = block.step(h, states[len(following)])
            following.append(state)
        return self._pixels(self._up32(h), latent).squeeze(0), following


class VideoAutoencoder(nn.Module):
    """Encoder and decoder with the latents' normalisation (buffers ``latent_mean``, ``latent_std``, measured once)."""

    def __init__(self, config: VaeConfig):
        super().__init__()
        self.config = config
        self.encoder = Encoder(config)
        self.decoder = Decoder(config)
        self.register_buffer("latent_mean", torch.zeros(config.latent_channels))
        self.register_buffer("latent_std", torch.ones(config.latent_channels))

    def _statistics(self) -> tuple[Tensor, Tensor]:
        return self.latent_mean.view(-1, 1, 1), self.latent_std.view(-1, 1, 1)

    def encode(self, video: Tensor) -> Tensor:
        """Video ``[B, 4 n + 1, 3, H, W]`` in 0..1 to normalised latents ``[B, n + 1, C, H / 16, W / 16]``.

        Raises:
            ValueError: if H or W is not a multiple of 16, or T is not ``4 n + 1``.
        """
        if video.shape[-1] % SPATIAL_STRIDE or video.shape[-2] % SPATIAL_STRIDE:
            raise ValueError(f"height and width must be multiples of 16, got {tuple(video.shape[-2:])}")
        mean, std = self._statistics()
        return (self.encoder(group_frames(video)) - mean) / std

    def decode(self, latents: Tensor) -> Tensor:
        """Normalised latents ``[B, n + 1, C, h, w]`` to video ``[B, 4 n + 1, 3, 16 h, 16 w]``, about 0..1."""
        mean, std = self._statistics()
        return ungroup_frames(self.decoder(latents * std + mean))

    def initial_decoder_states(self, batch: int, h: int, w: int) -> list[Tensor]:
        """Zero states of the streaming decoder for latents of ``h x w``."""
        c = self.config
        shapes = [(c.latent_channels, h, w)]
        shapes += [(c.width8, h, w)] * c.decoder_blocks + [(c.width16, 2 * h, 2 * w)] * c.decoder_blocks
        return [torch.zeros(batch, *shape, device=self.latent_mean.device) for shape in shapes]

    def initial_encoder_states(self, batch: int, height: int, width: int) -> list[Tensor]:
        """Zero states of the streaming encoder for frames of ``height x width`` pixels."""
        c = self.config
        shapes = [(c.width16, height // 8, width // 8), (c.width8, height // 16, width // 16)]
        return [torch.zeros(batch, *shape, device=self.latent_mean.device) for shape in shapes]

    def decoder_step(self, latent: Tensor, states: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """One normalised latent frame ``[1, C, h, w]`` to ``[4, 3, H, W]``; of the first latent's four only the last counts."""
        mean, std = self._statistics()
        return self.decoder.step(latent * std + mean, states)

    def encoder_step(self, frames: Tensor, states: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """Four frames ``[4, 3, H, W]`` in 0..1 (frame 0: four copies) to a normalised latent ``[1, C, h, w]``."""
        mean, std = self._statistics()
        latent, states = self.encoder.step(frames, states)
        return (latent - mean) / std, states
