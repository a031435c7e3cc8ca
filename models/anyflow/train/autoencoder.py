"""The autoencoder's stage: crops around what stands out, L1 and L2 on pixels, L1 on image gradients, noisy latents."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import torch
from torch import Tensor, nn

from ..config import Config, VaeTraining
from ..data import Clips, open_clips
from ..device import pick_device, prepare
from ..vae import SPATIAL_STRIDE, TEMPORAL_STRIDE, VideoAutoencoder, group_frames, ungroup_frames
from .loop import Loop, atomic_save
from .pca import start_from_pca


def salient_pixel(frame: Tensor) -> tuple[int, int]:
    """A random pixel (y, x) of a uint8 frame ``[3, H, W]``, likelier where it differs from its row's median.

    Sky and ground change from row to row far more than along a row, so objects and their shadows are what is found.
    """
    pixels = frame.float()
    distance = (pixels - pixels.median(dim=-1, keepdim=True).values).square().sum(0)
    weight = (distance.flatten() - 900.0).clamp_min(0.0) + 1e-3  # 30 of 255 levels: more than the ground's texture
    place = int(torch.multinomial(weight, 1))
    return divmod(place, frame.shape[-1])


def _centred(middle: int, jitter: int, crop: int, length: int) -> int:
    start = middle - crop // 2 + int(torch.randint(-jitter, jitter + 1, ()))
    return min(max(start, 0), length - crop)


def salient_window(frame: Tensor, crop: int, share: float) -> tuple[int, int]:
    """Top and left of a square of a uint8 frame ``[3, H, W]``: with probability ``share`` around something that stands out."""
    height, width = frame.shape[-2:]
    if float(torch.rand(())) < share:
        row, column = salient_pixel(frame)
        return _centred(row, crop // 8, crop, height), _centred(column, crop // 8, crop, width)
    return int(torch.randint(height - crop + 1, ())), int(torch.randint(width - crop + 1, ()))


def sample_crops(clips: Clips, config: VaeTraining) -> Tensor:
    """Windows ``[batch, 4 (latent_frames - 1) + 1, 3, crop, crop]`` in 0..1 (torch's global generator).

    A share ``salient`` of them lies around something that stands out: objects fill an eighth of the picture and are
    what the viewer looks at.
    """
    frames = TEMPORAL_STRIDE * (config.latent_frames - 1) + 1
    length, _, height, width = clips.videos[0].shape[1:]
    crops = []
    for _ in range(config.batch):
        index = int(torch.randint(len(clips), ()))
        time = int(torch.randint(length - frames + 1, ()))
        middle = clips.crop(index, time + frames // 2, 1, 0, 0, max(height, width))[0]
        y, x = salient_window(middle, config.crop, config.salient)
        crops.append(clips.crop(index, time, frames, y, x, config.crop))
    return torch.stack(crops).float() / 255


def gradient_error(made: Tensor, real: Tensor) -> Tensor:
    """Mean L1 distance of horizontal, vertical and temporal differences: pulls edges and motion sharp."""
    difference = made - real
    return sum(difference.diff(dim=axis).abs().mean() for axis in (-1, -2, 1)) / 3


class ReconstructionError(nn.Module):
    """How far a drawn clip is from the real one, ``[l1, edges, mse]``; both ``[B, T, 3, H, W]`` in 0..1."""

    def forward(self, made: Tensor, video: Tensor) -> Tensor:
        error = made - video
        return torch.stack([error.abs().mean(), gradient_error(made, video), error.square().mean()])


class ReconstructionLoss(nn.Module):
    """Reconstruction of crops through noisy latents; returns ``[l1, edges, energy, mse]``.

    Each sample's noise has a deviation of its own, between 0 and ``config.noise`` times the latents' root mean square:
    a generated latent is never exactly right, and a decoder that has seen wrong ones draws something plausible
    from it, where one trained on exact latents draws the seams of its 16 x 16 blocks. (RAE, arXiv 2510.11690, trains its
    decoder so.) The mean square follows the gradient: louder latents would not drown the noise.
    """

    def __init__(self, vae: VideoAutoencoder):
        super().__init__()
        self.vae = vae
        self.error = ReconstructionError()

    def forward(self, video: Tensor, noise: Tensor) -> Tensor:
        latents = self.vae.encoder(group_frames(video))
        size = latents.square().mean().sqrt()
        made = ungroup_frames(self.vae.decoder(latents + size * noise))
        l1, edges, mse = self.error(made, video)
        return torch.stack([l1, edges, latents.square().mean(), mse])


@torch.no_grad()
def measure_latents(vae: VideoAutoencoder, clips: Clips, count: int = 64) -> None:
    """Set the latents' channel means and one common deviation from ``count`` whole clips.

    One deviation for all channels keeps their relative sizes, which follow how much of the picture each carries: the
    flow model then spends its effort where it shows, and settles the fine channels late in the trajectory.
    """
    vae.latent_mean.zero_()
    vae.latent_std.fill_(1.0)
    device = vae.latent_mean.device
    chosen = range(0, len(clips), max(1, len(clips) // count))
    latents = torch.cat([vae.encode(clips.video(i)[None].to(device).float() / 255) for i in chosen])
    vae.latent_mean.copy_(latents.mean(dim=(0, 1, 3, 4)))
    vae.latent_std.fill_(latents.sub_(vae.latent_mean.view(-1, 1, 1)).square().mean().sqrt())


@torch.no_grad()
def psnr(vae: VideoAutoencoder, clips: Clips, count: int) -> float:
    """Mean over ``count`` whole clips of each clip's PSNR in dB (8-bit rounding and clamping included)."""
    device = vae.latent_mean.device
    values = []
    for index in range(min(count, len(clips))):
        video = clips.video(index)[None].to(device).float() / 255
        made = (vae.decode(vae.encode(video)).clamp(0, 1) * 255).round() / 255
        values.append(-10 * torch.log10((made - video).square().mean()))
    return float(torch.stack(values).mean())


def load_vae(config: Config, run: Path) -> VideoAutoencoder:
    """The finished autoencoder of a run (EMA weights, statistics set; with the decoder stage's decoder once there is one),
    frozen, in eval mode.

    Raises:
        FileNotFoundError: if that stage has not finished.
    """
    path, last = run / "vae" / "vae.pt", run / "decoder" / "decoder.pt"
    path = last if last.exists() else path
    if not path.exists():
        raise FileNotFoundError(f"{path} is missing: run `python -m anyflow train --stage vae` first")
    vae = VideoAutoencoder(config.vae)
    vae.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    return vae.eval().requires_grad_(False)


def autoencoder_metrics(run: Path) -> dict[str, float] | None:
    """What the stage that made `load_vae`'s autoencoder measured; None where it did not (weights from a package)."""
    stage = "decoder" if (run / "decoder" / "decoder.pt").exists() else "vae"
    path = run / stage / "metrics.json"
    return json.loads(path.read_text()) if path.exists() else None


def train_vae(config: Config, run: Path) -> None:
    """Train, measure the latents and the held-out PSNR (``metrics.json``), write ``vae.pt``."""
    folder, settings = run / "vae", config.vae_training
    if (folder / "vae.pt").exists():
        print("vae: done before")
        return
    if settings.crop % SPATIAL_STRIDE or settings.crop > config.data.size:
        raise ValueError(f"vae_training.crop is {settings.crop}: use a multiple of 16 up to data.size ({config.data.size})")
    device = pick_device()
    torch.manual_seed(config.data.seed)
    vae = VideoAutoencoder(config.vae)
    if not (folder / "checkpoint.pt").exists():
        share = start_from_pca(vae, open_clips(run / "data", "train"))
        print(f"vae: starts from principal components that explain {share:.1%} of the variance")
    # The linear paths stay what they are: first steps of the same size for every weight would wreck them.
    vae.encoder.linear.requires_grad_(False)
    vae.decoder.linear.requires_grad_(False)
    vae = vae.to(device, memory_format=torch.channels_last)
    ema = copy.deepcopy(vae).requires_grad_(False)
    loop = Loop("vae", vae, ema, settings, folder)
    loss = prepare(ReconstructionLoss(vae), settings.compile)
    latent = settings.crop // SPATIAL_STRIDE
    noise_shape = (settings.batch, settings.latent_frames, config.vae.latent_channels, latent, latent)
    clips = open_clips(run / "data", "train")

    def step(number: int) -> tuple[Tensor, dict[str, float]]:
        nonlocal clips
        if number % 100 == 0:  # shards may still be arriving from a renderer beside us
            clips = open_clips(run / "data", "train")
        noise = config.vae.noise * torch.rand(settings.batch, 1, 1, 1, 1) * torch.randn(noise_shape)
        l1, edges, energy, mse = loss(sample_crops(clips, settings).to(device), noise.to(device))
        total = l1 + settings.edges * edges + settings.squared * mse + config.vae.energy * energy
        return total, {"psnr": float(-10 * torch.log10(mse.detach())), "energy": float(energy.detach())}

    loop.run(step)
    ema.eval()
    measure_latents(ema, clips)
    heldout = open_clips(run / "data", "heldout")
    figures = {"psnr_heldout_db": psnr(ema, heldout, 64), "steps": loop.step, "seconds": loop.seconds}
    (folder / "metrics.json").write_text(json.dumps(figures, indent=1))
    print(f"vae: held-out PSNR {figures['psnr_heldout_db']:.2f} dB after {loop.step} steps")
    atomic_save(ema.state_dict(), folder / "vae.pt")
