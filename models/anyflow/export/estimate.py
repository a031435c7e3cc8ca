"""A linear map from latents to small pictures: what the app shows of a chunk while it is still being denoised.

Decoding every estimate would cost several passes. A linear map from each latent vector to the block of pixels it stands for,
at a quarter of the resolution, costs next to nothing and already has the colours and the layout. It is fitted by least
squares to what the decoder makes of the student's own takes, that is on just the latents that it will be used on.

Run ``python -m anyflow.export.estimate FOLDER`` to fit it for a package that exists; `export.export_package` does it by itself.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from anyflow.export.manifest import write_manifest
from anyflow.export.runner import PackageRunner

STEPS = 4
SEEDS = 2
# Relative to the latents' mean square; keeps the fit tame where few takes leave a channel nearly unused.
RIDGE = 1e-3
_REDUCTION = 4  # pictures are this much smaller than the video


@dataclass(frozen=True)
class EstimateMap:
    """``pixels = latent @ weights + bias`` for one latent vector.

    ``weights`` is ``[C, 3 patch^2]`` and ``bias`` ``[3 patch^2]``; output ``(c * patch + y) * patch + x`` is channel ``c``
    (red, green, blue in 0..1) of the pixel in row ``y``, column ``x`` of the latent's block of ``patch x patch`` pixels.
    """

    patch: int
    weights: Tensor
    bias: Tensor

    def pictures(self, latents: Tensor) -> Tensor:
        """Latents ``[T, C, h, w]`` to pictures ``[T, 3, h patch, w patch]``, about 0..1."""
        pixels = torch.einsum("tchw,co->tohw", latents, self.weights) + self.bias[:, None, None]
        return F.pixel_shuffle(pixels, self.patch)

    def entry(self) -> dict[str, Any]:
        """The manifest's ``estimate``. Five digits are far finer than a step of 1/255."""
        return {
            "patch": self.patch,
            "weights": [[round(value, 5) for value in row] for row in self.weights.tolist()],
            "bias": [round(value, 5) for value in self.bias.tolist()],
        }


def small_pictures(frames: Tensor, height: int, width: int, stride: int) -> Tensor:
    """The last frame of every latent frame of a clip ``[4 T - 3, 3, H, W]``, averaged down to ``[T, 3, height, width]``."""
    return F.interpolate(frames[::stride], size=(height, width), mode="area")


def fit_estimate(latents: Tensor, pictures: Tensor) -> EstimateMap:
    """Least squares from latents ``[N, C, h, w]`` to pictures ``[N, 3, h patch, w patch]``, with a small ridge.

    Raises:
        ValueError: the pictures' size is not a whole multiple of the latents'.
    """
    patch = pictures.shape[-1] // latents.shape[-1]
    if pictures.shape[-2:] != (patch * latents.shape[-2], patch * latents.shape[-1]):
        raise ValueError(f"pictures of {tuple(pictures.shape[-2:])} are no whole multiple of latents of {tuple(latents.shape[-2:])}")
    inputs = latents.permute(0, 2, 3, 1).flatten(0, 2).double()
    targets = F.pixel_unshuffle(pictures, patch).permute(0, 2, 3, 1).flatten(0, 2).double()
    mean, target_mean = inputs.mean(0), targets.mean(0)
    centred = inputs - mean
    ridge = RIDGE * centred.square().sum(0).mean() * torch.eye(inputs.shape[1], dtype=torch.float64)
    weights = torch.linalg.solve(centred.T @ centred + ridge, centred.T @ (targets - target_mean))
    return EstimateMap(patch, weights.float(), (target_mean - mean @ weights).float())


def package_estimate(directory: Path, prompts: Sequence[str] = ()) -> tuple[EstimateMap, float]:
    """Fit the map for a package on takes of ``prompts`` (the package's examples when there are none given).

    Returns it with its error: PSNR in dB against small decoded pictures of one more take of each prompt, not fitted on.
    """
    runner = PackageRunner(directory)
    video = runner.manifest["video"]
    patch = max(1, video["spatialStride"] // _REDUCTION)
    size = (runner.height * patch, runner.width * patch)
    prompts = prompts or [example["prompt"] for example in runner.manifest["examples"]]
    if not prompts:
        raise ValueError(f"{directory} has no example prompts; give some to fit the estimate on")

    def take(prompt: str, seed: int) -> tuple[Tensor, Tensor]:
        latents = runner.latents(prompt, seed, STEPS)
        return latents[0], small_pictures(runner.decode(latents), *size, video["temporalStride"])

    fitted_on = [take(prompt, seed) for prompt in prompts for seed in range(1, SEEDS + 1)]
    fitted = fit_estimate(torch.cat([z for z, _ in fitted_on]), torch.cat([pictures for _, pictures in fitted_on]))
    held_out = [take(prompt, SEEDS + 1) for prompt in prompts]
    error = torch.stack([(fitted.pictures(z).clamp(0, 1) - pictures.clamp(0, 1)).square().mean() for z, pictures in held_out]).mean()
    return fitted, -10 * math.log10(max(float(error), 1e-12))


def add_estimate(directory: Path, prompts: Sequence[str] = ()) -> float:
    """Fit the map and write it into the package's manifest; returns `package_estimate`'s PSNR."""
    fitted, psnr = package_estimate(directory, prompts)
    path = directory / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    manifest["estimate"] = fitted.entry()
    write_manifest(path, manifest)
    return psnr


def main() -> None:
    """Command line entry."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path)
    directory: Path = parser.parse_args().directory
    print(f"estimate in {directory}: {add_estimate(directory):.2f} dB against decoded pictures of takes not fitted on")


if __name__ == "__main__":
    main()
