"""The recogniser's stage: rendered clips, softened at random so that it judges what is shown rather than how sharply."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor
from tqdm import tqdm

from ..config import Config
from ..data import Clips, open_clips
from ..device import pick_device
from ..recogniser import ATTRIBUTES, SIZE, Recogniser, correct, recognition_loss, thumbnails, truth
from .loop import Loop, atomic_save


def load_recogniser(run: Path) -> Recogniser:
    """The finished recogniser of a run.

    Raises:
        FileNotFoundError: if that stage has not finished.
    """
    path = run / "recogniser" / "recogniser.pt"
    if not path.exists():
        raise FileNotFoundError(f"{path} is missing: run `python -m anyflow train --stage recogniser` first")
    model = Recogniser()
    model.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    return model.eval().requires_grad_(False)


def clip_thumbnails(clips: Clips, name: str) -> Tensor:
    """All clips of a split as uint8 ``[N, 9, 3, 64, 64]``."""
    return torch.stack([thumbnails(clips.video(i)) for i in tqdm(range(len(clips)), desc=f"thumbnails {name}")])


def softened(clips: Tensor) -> Tensor:
    """Half the clips mirrored, half (others) blurred by a random amount: uint8, same shape.

    No attribute tells left from right. Decoded videos are softer than rendered ones.
    """
    clips = torch.where(torch.rand(len(clips), 1, 1, 1, 1, device=clips.device) < 0.5, clips.flip(-1), clips)
    small = int(torch.randint(SIZE // 3, SIZE, ()))
    frames = clips.flatten(0, 1).float()
    blurred = F.interpolate(F.interpolate(frames, size=(small, small), mode="area"), size=(SIZE, SIZE), mode="bilinear")
    blurred = blurred.round().clamp(0, 255).to(torch.uint8).view_as(clips)
    return torch.where(torch.rand(len(clips), 1, 1, 1, 1, device=clips.device) < 0.5, blurred, clips)


@torch.no_grad()
def accuracy(model: Recogniser, clips: Tensor, targets: dict[str, Tensor]) -> dict[str, float]:
    """Share of clips read correctly, for each attribute."""
    device = next(model.parameters()).device
    parts = [model(part.to(device)) for part in clips.split(128)]
    return {
        name: float(correct(torch.cat([p[name] for p in parts]).cpu(), targets[name]).float().mean()) for name in ATTRIBUTES
    }


def train_recogniser(config: Config, run: Path) -> None:
    """Train on rendered clips; writes ``recogniser/recogniser.pt`` and its held-out accuracies (``metrics.json``)."""
    folder, settings, device = run / "recogniser", config.recogniser, pick_device()
    if (folder / "recogniser.pt").exists():
        print("recogniser: done before")
        return
    train, heldout = open_clips(run / "data", "train"), open_clips(run / "data", "heldout")
    small = clip_thumbnails(train, "train")
    targets = truth([row["attributes"] for row in train.rows])
    torch.manual_seed(config.data.seed)
    model = Recogniser().to(device)
    ema = copy.deepcopy(model).requires_grad_(False)
    loop = Loop("recogniser", model, ema, settings, folder)

    def step(number: int) -> tuple[Tensor, dict[str, float]]:
        index = torch.randint(len(small), (settings.batch,))
        shown = {name: target[index].to(device) for name, target in targets.items()}
        logits = model(softened(small[index].to(device)))
        right = torch.stack([correct(logits[name].detach(), shown[name]) for name in ATTRIBUTES]).float().mean()
        return recognition_loss(logits, shown), {"accuracy": float(right)}

    loop.run(step)
    ema.eval()
    figures = accuracy(ema, clip_thumbnails(heldout, "heldout"), truth([row["attributes"] for row in heldout.rows]))
    (folder / "metrics.json").write_text(json.dumps({"heldout_accuracy": figures, "clips": len(heldout)}, indent=1))
    print("recogniser: held-out accuracy", ", ".join(f"{name} {value:.1%}" for name, value in figures.items()))
    atomic_save(ema.state_dict(), folder / "recogniser.pt")
