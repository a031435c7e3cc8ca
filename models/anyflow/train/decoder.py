"""The decoder's last lesson: to draw clean pictures from the latents that the student makes.

The autoencoder's stage noises latents independently, value by value. A student errs otherwise: a corner that is too round
is wrong in neighbouring latents and in all of their channels together. Here clean latents are noised to a random level and
taken back to data in one hop of the student's own map, and the decoder learns to draw the real clip from the result. The
level stays low enough that what is drawn, and where, is still decided by the clip. Encoder and latents stay as they are,
so that nothing trained on them changes.
"""

from __future__ import annotations

import copy
import json
import random
from pathlib import Path

import torch
from torch import Tensor, nn

from ..config import Config, DecoderTraining
from ..data import Clips, open_clips
from ..device import mixed_precision, pick_device, prepare
from ..flowmap.chunks import Chunks, chunk_plan, sample_training_chunks
from ..flowmap.losses import Scene, TrainableFlowMap, over_latents, per_frame
from ..latents import LatentClips, load_latents
from ..vae import SPATIAL_STRIDE, TEMPORAL_STRIDE, VideoAutoencoder
from .autoencoder import ReconstructionError, load_vae, psnr, salient_window
from .flow import load_transformer
from .loop import Loop, atomic_save, step_seed


@torch.no_grad()
def redone(model: TrainableFlowMap, latents: Tensor, text: Tensor, chunks: Chunks, highest: float) -> Tensor:
    """Latents as the student would make them: each chunk noised to a level of its own below ``highest`` (a sigma) and
    mapped back, `x = z_t - t u(z_t, t, 0)`, after the clean chunks before it.

    Args:
        latents: clean ``[B, T, C, h, w]``, normalised; text: ``[B, L, Dt]``; chunks: plan over the T frames.

    Returns: ``[B, T, C, h, w]``; chunks older than the network's ``full_chunk_limit`` come back clean.
    """
    scene = Scene.of(latents, chunks, model.full_chunk_limit)
    t = per_frame(highest * torch.rand(len(latents), len(scene.split.full), device=latents.device), scene.split)
    z = torch.lerp(scene.clean, torch.randn_like(scene.clean), over_latents(t))
    u = scene.predict(model, z, t, torch.zeros_like(t), text).float()
    return torch.cat((scene.context, z - over_latents(t) * u), 1)


class DrawingLoss(nn.Module):
    """Error of the clip drawn from latents, noised as in the autoencoder's stage where ``noise`` is not 0; ``[l1, edges, mse]``."""

    def __init__(self, vae: VideoAutoencoder):
        super().__init__()
        self.vae = vae
        self.error = ReconstructionError()

    def forward(self, latents: Tensor, noise: Tensor, video: Tensor) -> Tensor:
        size = latents.square().mean().sqrt()
        return self.error(self.vae.decode(latents + size * noise), video)


def sample_windows(videos: list[Tensor], latents: Tensor, config: DecoderTraining) -> tuple[Tensor, Tensor]:
    """The same square of clips ``[T, 3, H, W]`` (uint8) and of their latents ``[B, T', C, h, w]``, on the latents' grid.

    Returns: video ``[B, T, 3, crop, crop]`` in 0..1 and latents ``[B, T', C, crop / 16, crop / 16]``.
    """
    side = config.crop // SPATIAL_STRIDE
    pixels, chosen = [], []
    for video, latent in zip(videos, latents, strict=True):
        middle = video[len(video) // 2]
        y, x = (start // SPATIAL_STRIDE for start in salient_window(middle, config.crop, config.salient))
        top, left = y * SPATIAL_STRIDE, x * SPATIAL_STRIDE
        pixels.append(video[:, :, top : top + config.crop, left : left + config.crop])
        chosen.append(latent[:, :, y : y + side, x : x + side])
    return torch.stack(pixels).float() / 255, torch.stack(chosen)


@torch.no_grad()
def psnr_of_redone(
    vae: VideoAutoencoder, model: TrainableFlowMap, latents: LatentClips, clips: Clips, plan: Chunks, highest: float, count: int
) -> float:
    """Mean PSNR in dB of ``count`` clips drawn from latents that the student made again (always the same draws)."""
    device = vae.latent_mean.device
    torch.manual_seed(0)
    values = []
    for index in range(min(count, len(clips))):
        clean, text = latents.latents[index : index + 1].float(), latents.text[index, :1].float()
        made = redone(model, clean.to(device), text.to(device), plan, highest)
        real = clips.video(index)[None].to(device).float() / 255
        values.append(-10 * torch.log10((vae.decode(made).clamp(0, 1) - real).square().mean()))
    return float(torch.stack(values).mean())


def train_decoder(config: Config, run: Path) -> None:
    """Train, measure on held-out clips (``decoder/metrics.json``), write the autoencoder with it as ``decoder/decoder.pt``."""
    folder, settings = run / "decoder", config.decoder
    if (folder / "decoder.pt").exists():
        print("decoder: done before")
        return
    device = pick_device()
    latents, clips = load_latents(config, run, "train"), open_clips(run / "data", "train")
    model = load_transformer(config, run, "student").to(device).requires_grad_(False)
    vae = load_vae(config, run).to(device, memory_format=torch.channels_last)
    before = copy.deepcopy(vae)
    vae.decoder.requires_grad_(True)
    vae.decoder.linear.requires_grad_(False)  # as in the autoencoder's stage
    ema = copy.deepcopy(vae.decoder).requires_grad_(False)
    model.prepare_training(settings.compile)
    loop = Loop("decoder", vae.decoder, ema, settings, folder)
    loss = prepare(DrawingLoss(vae), settings.compile)
    plan = chunk_plan(config.latent_frames, config.sample.first, config.sample.rest)
    exact = round(settings.exact * settings.batch)

    def step(number: int) -> tuple[Tensor, dict[str, float]]:
        draw = random.Random(step_seed(settings.seed, number))
        chunks = sample_training_chunks(plan, model.full_chunk_limit, settings.long_context, draw)
        frames = sum(chunks)
        index = torch.randint(len(clips), (settings.batch,))
        which = torch.randint(latents.text.shape[1], (settings.batch,))
        clean, text = latents.latents[index, :frames].float().to(device), latents.text[index, which].float().to(device)
        with mixed_precision(device, settings.cpu_bfloat16):
            made = redone(model, clean, text, chunks, settings.highest)
        made[:exact] = clean[:exact]
        length = TEMPORAL_STRIDE * (frames - 1) + 1
        video, window = sample_windows([clips.crop(int(i), 0, length, 0, 0, config.data.size) for i in index], made, settings)
        noise = config.vae.noise * torch.rand(settings.batch, 1, 1, 1, 1) * torch.randn(window.shape)
        noise[exact:] = 0
        l1, edges, mse = loss(window.contiguous(), noise.to(device), video.to(device))
        total = l1 + settings.edges * edges + settings.squared * mse
        return total, {"psnr": float(-10 * torch.log10(mse.detach()))}

    loop.run(step)
    vae.decoder.load_state_dict(ema.state_dict())
    vae.eval()
    heldout, real = load_latents(config, run, "heldout"), open_clips(run / "data", "heldout")
    figures = {"psnr_heldout_db": psnr(vae, real, 64), "steps": loop.step, "seconds": loop.seconds}
    for name, network in (("psnr_redone_before_db", before), ("psnr_redone_db", vae)):
        figures[name] = psnr_of_redone(network, model, heldout, real, plan, settings.highest, 64)
    (folder / "metrics.json").write_text(json.dumps(figures, indent=1))
    print("decoder: " + ", ".join(f"{name} {value:.2f}" for name, value in figures.items()))
    atomic_save(vae.state_dict(), folder / "decoder.pt")
