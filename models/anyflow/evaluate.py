"""Measuring a run against its number of steps: Fréchet video distance, prompt accuracy, plausible motion, flicker.

The judge is the run's recogniser (`recogniser`), trained on rendered clips alone. The distance is between its features of
generated clips and of the held-out renders with the same prompts; its floor is that between these renders and others
of the same scenes, drawn with other seeds. The same with the others gone through the autoencoder is the floor of every
network behind that autoencoder. Accuracy is read per attribute that the prompt names, on captions of held-out
combinations and on paraphrases that the caption grammar cannot write (`paraphrases.json`).
"""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from .config import Config
from .data import open_clips
from .device import pick_device
from .frechet import bootstrap, frechet_distance, paired_bootstrap, share_interval
from .generate import sample_latents, to_bytes
from .latents import load_latents
from .plausibility import MotionJudge
from .recogniser import ATTRIBUTES, Recogniser, correct, thumbnails, truth
from .text import TextEncoder
from .train.autoencoder import autoencoder_metrics, load_vae
from .train.flow import load_transformer
from .train.recogniser import load_recogniser
from .vae import VideoAutoencoder
from .worlds import leaves_open, render, scene_from_attributes

FLOOR_SEED_OFFSET = 2_000_000_011
LIMIT_RENDERS = 1024  # training renders that say how evenly things move
PARAPHRASES = Path(__file__).parent / "paraphrases.json"


@dataclass
class Judged:
    """What the recogniser says of a set of clips, and how much they flicker."""

    features: np.ndarray
    logits: dict[str, Tensor]
    flicker: float

    def accuracy(
        self, rows: list[dict[str, Any]], names: list[str], prompts: list[str] | None = None
    ) -> dict[str, np.ndarray]:
        """Right or wrong for each clip (0 or 1, ``[N]``) and attribute; nan where the clip's prompt leaves it open."""
        targets = truth(rows)
        right = {name: correct(self.logits[name], targets[name]).double().numpy() for name in names}
        for index, prompt in enumerate(prompts or ()):
            for name in leaves_open(prompt, rows[index]).intersection(names):
                right[name][index] = np.nan
        return right


def flicker(video: Tensor) -> float:
    """Mean absolute second difference in time of uint8 ``[T, 3, H, W]``, in levels of 255: what moves smoothly has little."""
    frames = video.float()
    return float((frames[2:] - 2 * frames[1:-1] + frames[:-2]).abs().mean())


@torch.inference_mode()
def judge(recogniser: Recogniser, videos: list[Tensor]) -> Judged:
    """Judge uint8 clips ``[T, 3, H, W]``."""
    device = next(recogniser.parameters()).device
    clips = torch.stack([thumbnails(video) for video in videos])
    features, logits = [], []
    for part in clips.split(64):
        features.append(recogniser.embed(part.to(device)).double().cpu())
        logits.append({name: value.cpu() for name, value in recogniser(part.to(device)).items()})
    whole = {name: torch.cat([part[name] for part in logits]) for name in ATTRIBUTES}
    return Judged(torch.cat(features).numpy(), whole, float(np.mean([flicker(video) for video in videos])))


def rendered_again(config: Config, rows: list[dict[str, Any]], frames: int | None = None) -> list[Tensor]:
    """The scenes of ``rows`` with other seeds: what the attributes leave open differs. Uint8 ``[T, 3, H, W]`` each, with T
    that of the run's clips, or ``frames`` where they go on for longer.
    """
    device = str(pick_device())
    videos: list[Tensor] = []
    for start in range(0, len(rows), 32):
        scenes = [scene_from_attributes(row["attributes"], row["seed"] + FLOOR_SEED_OFFSET) for row in rows[start : start + 32]]
        videos += render(scenes, config.data.size, frames or config.data.frames, device, planned=config.data.frames).cpu()
    return videos


def varied(config: Config) -> list[str]:
    """Attributes that the configuration's world has more than one value of; the others say nothing about a model."""
    plural = {"object": "objects", "colour": "colours", "material": "materials", "motion": "motions", "place": "places",
              "camera": "cameras"}  # fmt: skip
    world = config.data.world
    return [name for name, values in ATTRIBUTES.items() if len(world.get(plural[name], values)) > 1]


def kind_of(attributes: dict[str, Any]) -> tuple[str, str]:
    """What limits of `MotionJudge` hold for a scene: the motion of its first object, and its place."""
    return attributes["objects"][0]["motion"], attributes["place"]


def paraphrases(config: Config) -> list[dict[str, Any]]:
    """Hand-written prompts whose attributes the configuration's world has: ``{"text", "attributes"}``.

    ``attributes`` lack what the prompt leaves open (material, camera).
    """
    world = config.data.world
    chosen = []
    for entry in json.loads(PARAPHRASES.read_text()):
        allowed = (
            entry["object"] in world.get("objects", ATTRIBUTES["object"])
            and entry["colour"] in world.get("colours", ATTRIBUTES["colour"])
            and entry["motion"] in world.get("motions", ATTRIBUTES["motion"])
            and entry["place"] in world.get("places", ATTRIBUTES["place"])
        )
        if allowed:
            thing = {"object": entry["object"], "colour": entry["colour"], "motion": entry["motion"], "material": "matte"}
            chosen.append({"text": entry["text"], "attributes": {"objects": [thing], "place": entry["place"], "camera": "static"}})
    return chosen


class Evaluation:
    """One run's generator and judge, loaded once."""

    def __init__(self, config: Config, run: Path, kind: str) -> None:
        self.config, self.kind, self.device = config, kind, pick_device()
        self.model = load_transformer(config, run, kind).to(self.device)
        self.vae: VideoAutoencoder = load_vae(config, run).to(self.device)
        self.recogniser = load_recogniser(run).to(self.device)

    def through_autoencoder(self, videos: list[Tensor]) -> list[Tensor]:
        """Uint8 clips ``[T, 3, H, W]``, encoded and decoded."""
        redone: list[Tensor] = []
        with torch.inference_mode():
            for start in range(0, len(videos), 4):
                batch = torch.stack(videos[start : start + 4]).to(self.device).float() / 255
                redone += to_bytes(self.vae.decode(self.vae.encode(batch))).cpu()
        return redone

    def make(self, text: Tensor, steps: int, seed: int) -> tuple[list[Tensor], float]:
        """Clips (uint8) of text features ``[N, L, Dt]`` with seeds from ``seed``, and the seconds of sampling a clip."""
        videos, seconds = [], 0.0
        for start in tqdm(range(0, len(text), 32), desc=f"{self.kind} {steps} steps", leave=False):
            part = text[start : start + 32].float().to(self.device)
            begin = time.perf_counter()
            seeds = range(seed + start, seed + start + len(part))
            latents = sample_latents(self.config, self.model, self.kind, part, seeds, steps)
            if self.device.type == "cuda":
                torch.cuda.synchronize()
            seconds += time.perf_counter() - begin
            with torch.inference_mode():
                videos += [to_bytes(self.vae.decode(clip[None]))[0].cpu() for clip in latents]
        return videos, seconds / len(text)


def _in_words(row: dict[str, Any], first: int) -> str:
    """A row of the result as a line; ``first`` is the step count that the others are compared with."""
    low, high = row["frechet_ci"]
    change = "" if row["nfe"] == first else " (against {} steps {:+.1f} to {:+.1f})".format(first, *row["frechet_change_ci"])
    each = ", ".join(f"{name} {value:.0%}" for name, value in row["accuracy"].items())
    return (
        f"  {row['nfe']:3d} steps: Frechet {row['frechet']:.2f} [{low:.2f}, {high:.2f}]{change}, "
        f"accuracy {row['prompt_accuracy']:.1%} ({each}), paraphrases {row['paraphrase_accuracy']:.1%}, "
        f"motion plausible {row['motion_plausible']:.0%}, flicker {row['flicker']:.2f}, {row['seconds_per_clip']:.3f} s a clip"
    )


def teacher_mark(config: Config, run: Path) -> str | None:
    """The run's teacher, by what its weights are in fp16 (as they are packed): 12 digits of their SHA-256. None without one."""
    try:
        weights = load_transformer(config, run, "teacher").state_dict()
    except FileNotFoundError:
        return None
    digest = hashlib.sha256()
    for name, value in sorted(weights.items()):
        digest.update(name.encode() + value.half().numpy().tobytes())
    return digest.hexdigest()[:12]


def architecture(config: Config) -> str:
    """What a configuration's chunk plan makes of the network: all frames at once, or chunk by chunk."""
    return "bidirectional" if config.sample.first >= config.latent_frames else "causal"


def evaluate_drift(config: Config, run: Path, kind: str, steps: int, clips: int, seed: int, out: Path) -> None:
    """Write ``<kind>-drift.json`` (see `drift`) at one step count, and print a line a window."""
    from .drift import measure_drift

    windows = measure_drift(Evaluation(config, run, kind), config, run, steps, clips, seed)
    result = {"model": config.id, "architecture": architecture(config), "method": kind, "clips": clips, "seed": seed}
    print(f"{kind}: drift at {steps} steps, {clips} clips")
    for row in windows:
        low, high = row["frechet_ci"]
        print(
            f"  to chunk {row['chunk']:2d}: Frechet {row['frechet']:.2f} [{low:.2f}, {high:.2f}], floor {row['floor']:.2f}, "
            "drift {:+.2f} [{:+.2f}, {:+.2f}], ".format(row["drift"], *row["drift_ci"])
            + f"look {row['accuracy']:.1%} (renders {row['render_accuracy']:.1%})"
        )
        if staying := row["staying"]:
            text = "    {} of them in the picture throughout: drift {:+.2f} [{:+.2f}, {:+.2f}]"
            print(text.format(staying["clips"], staying["drift"], *staying["drift_ci"]))
    out.mkdir(parents=True, exist_ok=True)
    (out / f"{kind}-drift.json").write_text(json.dumps(result | {"nfe": steps, "windows": windows}, indent=1))


def evaluate(config: Config, run: Path, kind: str, steps: list[int], clips: int, seed: int, out: Path) -> None:
    """Write ``<kind>.json`` (and the features behind it, ``<kind>.npz``) and print a row for each step count.

    Raises:
        FileNotFoundError: if the run lacks a stage.
        ValueError: with fewer held-out clips than asked for.
    """
    heldout, renders = load_latents(config, run, "heldout"), open_clips(run / "data", "heldout")
    if clips > len(renders):
        raise ValueError(f"--clips {clips}, but only {len(renders)} clips are held out; raise data.heldout_clips")
    evaluation = Evaluation(config, run, kind)
    real = judge(evaluation.recogniser, [renders.video(i) for i in range(clips)])
    again = rendered_again(config, renders.rows[:clips])
    floor, behind = (
        frechet_distance(judge(evaluation.recogniser, videos).features, real.features)
        for videos in (again, evaluation.through_autoencoder(again))
    )
    names, rows = varied(config), [row["attributes"] for row in renders.rows[:clips]]
    examples = open_clips(run / "data", "train")
    shown = range(min(LIMIT_RENDERS, len(examples)))
    motion = MotionJudge((examples.video(i) for i in shown), [kind_of(examples.rows[i]["attributes"]) for i in shown])
    kinds, prompts = [kind_of(row) for row in rows], [row["captions"][0] for row in renders.rows[:clips]]
    free = paraphrases(config)
    free_text = TextEncoder(device=str(evaluation.device)).encode([entry["text"] for entry in free])
    result: dict[str, Any] = {
        "model": config.id,
        "architecture": architecture(config),
        "method": kind,
        "teacher": teacher_mark(config, run),
        "clips": clips,
        "paraphrases": len(free),
        "seed": seed,
        "frechet_floor": floor,
        "frechet_floor_autoencoder": behind,
        "render_accuracy": {name: float(value.mean()) for name, value in real.accuracy(rows, names).items()},
        "render_flicker": real.flicker,
        "render_motion_plausible": float(motion.plausible((renders.video(i) for i in range(clips)), kinds).mean()),
        "autoencoder": autoencoder_metrics(run),
        "rows": [],
    }
    print(
        f"{kind}: {clips} held-out prompts, {len(free)} paraphrases; floor {floor:.2f} "
        f"(through the autoencoder {behind:.2f}), renders: "
        f"motion plausible {result['render_motion_plausible']:.0%}, flicker {real.flicker:.2f}"
    )
    features = {"real": real.features}
    for count in steps:
        videos, seconds = evaluation.make(heldout.text[:clips, 0], count, seed)
        made = judge(evaluation.recogniser, videos)
        right = made.accuracy(rows, names, prompts)
        mean = np.nanmean(list(right.values()), axis=0)
        others, _ = evaluation.make(free_text, count, seed)
        said = [name for name in names if name not in ("material", "camera")]
        free_right = judge(evaluation.recogniser, others).accuracy([entry["attributes"] for entry in free], said)
        features[str(count)] = made.features
        first = features[str(steps[0])]
        row = {
            "nfe": count,
            "frechet": frechet_distance(made.features, real.features),
            "frechet_ci": list(bootstrap(made.features, real.features)),
            "frechet_change_ci": list(paired_bootstrap(made.features, first, real.features)),
            "prompt_accuracy": float(mean.mean()),
            "prompt_accuracy_ci": list(share_interval(mean)),
            "accuracy": {name: float(np.nanmean(value)) for name, value in right.items()},
            "paraphrase_accuracy": float(np.mean([value.mean() for value in free_right.values()])),
            "motion_plausible": float(motion.plausible(videos, kinds).mean()),
            "flicker": made.flicker,
            "seconds_per_clip": seconds,
        }
        result["rows"].append(row)
        print(_in_words(row, steps[0]))
    out.mkdir(parents=True, exist_ok=True)
    np.savez(out / f"{kind}.npz", **features)
    (out / f"{kind}.json").write_text(json.dumps(result, indent=1))
