"""The optimisation loop all stages share: resume, EMA, time limit, learning-rate schedule, log and curves."""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from tqdm import tqdm

from ..config import LoopConfig
from .curves import plot_curves
from .muon import make_optimizer

LossFunction = Callable[[int], tuple[Tensor, dict[str, float]]]


def schedule(progress: float, step: int, config: LoopConfig) -> float:
    """Share of the peak learning rate: warm-up by steps, plateau, a cosine from ``decay_from`` to 1 of the progress."""
    warm = min(1.0, (step + 1) / max(1, config.warmup))
    done = max(0.0, progress - config.decay_from) / max(1e-9, 1 - config.decay_from)
    cosine = 0.5 * (1 + math.cos(math.pi * min(1.0, done)))
    return warm * (config.final_lr + (1 - config.final_lr) * cosine)


def step_seed(seed: int, step: int) -> int:
    """Seed of a step's random numbers, a function of the run's seed and the step number alone."""
    return 0x5EED + 1_000_003 * seed + step


def atomic_save(state: object, path: Path) -> None:
    """Write beside the target and rename, so that a kill at any moment leaves a whole file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(path.suffix + ".partial")
    torch.save(state, partial)
    os.replace(partial, path)


class Loop:
    """Runs ``loss`` until the configured end, saving to ``folder / checkpoint.pt`` so that a killed run goes on.

    ``model`` holds the trained parameters; ``ema`` is a copy that follows them. The data's randomness comes from the
    step number (``step_seed``), so that a resumed run draws what the whole one would have.
    ``extras`` are other things with ``state_dict`` and ``load_state_dict`` that ``loss`` changes and a resumed run needs.
    """

    def __init__(
        self,
        name: str,
        model: nn.Module,
        ema: nn.Module,
        config: LoopConfig,
        folder: Path,
        extras: dict[str, Any] | None = None,
    ):
        self.name, self.model, self.ema, self.config, self.folder = name, model, ema, config, folder
        self.extras = extras or {}
        self.step = 0
        self.seconds = 0.0
        self.optimizer = make_optimizer(model, config.lr, config.matrix_lr, config.weight_decay, config.beta2)

    @property
    def checkpoint(self) -> Path:
        return self.folder / "checkpoint.pt"

    @property
    def progress(self) -> float:
        by_time = self.seconds / 60 / self.config.minutes if self.config.minutes else 0.0
        return min(1.0, max(self.step / self.config.steps, by_time))

    def resume(self) -> bool:
        """Load the last checkpoint, else the weights to start from (``start.pt``); True if a run goes on."""
        if not self.checkpoint.exists():
            start = self.folder / "start.pt"
            if start.exists():
                state = torch.load(start, map_location="cpu", weights_only=True)
                self.model.load_state_dict(state)
                self.ema.load_state_dict(state)
                print(f"{self.name}: starts from {start}")
            return False
        state = torch.load(self.checkpoint, map_location="cpu", weights_only=True)
        self.model.load_state_dict(state["model"])
        self.ema.load_state_dict(state["ema"])
        self.optimizer.load_state_dict(state["optimizer"])
        for name, extra in self.extras.items():
            extra.load_state_dict(state["extras"][name])
        self.step, self.seconds = state["step"], state["seconds"]
        return True

    def save(self) -> None:
        state = {
            "model": self.model.state_dict(),
            "ema": self.ema.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
            "seconds": self.seconds,
            "extras": {name: extra.state_dict() for name, extra in self.extras.items()},
        }
        atomic_save(state, self.checkpoint)

    @torch.no_grad()
    def _follow(self) -> None:
        # The average of few steps should not remember the initialisation: the decay rises with the step count.
        decay = min(self.config.ema, (1 + self.step) / (10 + self.step))
        ours, theirs = list(self.ema.parameters()), list(self.model.parameters())
        torch._foreach_lerp_(ours, theirs, 1 - decay)
        for buffer, source in zip(self.ema.buffers(), self.model.buffers(), strict=True):
            buffer.copy_(source)

    def run(self, loss: LossFunction, on_save: Callable[[int], None] | None = None) -> None:
        """Optimise to the end. ``loss(step)`` returns the loss and figures to log; ``on_save`` is called at each save."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if self.resume():
            print(f"{self.name}: resumed at step {self.step} ({self.seconds / 60:.1f} minutes)")
        log = self.folder / "log.jsonl"
        saved = last = time.monotonic()
        with tqdm(total=self.config.steps, initial=self.step, desc=self.name, mininterval=2.0) as bar:
            while self.progress < 1:
                torch.manual_seed(step_seed(self.config.seed, self.step))
                rate = schedule(self.progress, self.step, self.config)
                for group in self.optimizer.param_groups:
                    group["lr"] = rate * group["peak"]
                value, parts = loss(self.step)
                self.optimizer.zero_grad(set_to_none=True)
                value.backward()
                norm = nn.utils.clip_grad_norm_(self.model.parameters(), self.config.clip)
                if not torch.isfinite(norm):
                    raise FloatingPointError(
                        f"{self.name}: the gradient is not finite at step {self.step}; lower lr in the config and start "
                        f"again (the last checkpoint, {self.checkpoint}, is from before)"
                    )
                self.optimizer.step()
                self._follow()
                self.step += 1
                now = time.monotonic()
                self.seconds += now - last
                last = now
                row = {"step": self.step, "loss": float(value.detach()), "grad_norm": float(norm), "rate": rate, **parts}
                with log.open("a") as out:
                    out.write(json.dumps(row) + "\n")
                bar.update()
                bar.set_postfix(loss=f"{row['loss']:.4f}")
                if now - saved > self.config.save_seconds:
                    self._checkpoint(on_save)
                    saved = last = time.monotonic()
            self._checkpoint(on_save)

    def _checkpoint(self, on_save: Callable[[int], None] | None) -> None:
        self.save()
        plot_curves(self.folder / "log.jsonl", self.folder / "curves.png", self.name)
        if on_save is not None:
            on_save(self.step)
