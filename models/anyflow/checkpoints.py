"""Weights that travel: a run's stages as fp16 safetensors in ``models/checkpoints/<config>/``, and back.

What the exported package in ``public/models/<id>/`` holds in fp16, the autoencoder and the student, need not be packed a
second time: `read_package` reads it back. A run's own checkpoints hold optimizer states and are too big to keep in the
repository. What is packed are the averaged (EMA) weights. Unpacked as "finished", a stage counts as done (and the next
can be trained, evaluated, exported); as "start", the stage is trained further from there with a fresh optimizer.

Students that are only measured are packed as four-bit differences from the package's transformer (`deltas`).
"""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from .config import MODELS_DIR, Config, load_config
from .deltas import decode, encode
from .read_package import package_stage, transformer_from_package, vae_from_package
from .train.loop import atomic_save

PACKED_STAGES = ("teacher", "student", "onpolicy", "recogniser")
STAGES = ("vae", "teacher", "student", "onpolicy", "consistency", "recogniser")
LIMIT_BYTES = 20 * 2**20


def folder_of(name: str) -> Path:
    return MODELS_DIR / "checkpoints" / name


def _halved(value: torch.Tensor) -> torch.Tensor:
    return (value.half() if value.is_floating_point() else value).contiguous()


def package_of(config: Config) -> Path:
    return MODELS_DIR.parent / "public" / "models" / config.id


def _base_of(config: Config) -> Path:
    """The package that differences are from: the configuration's own, else that of the one it shares a teacher with."""
    own = package_of(config)
    return own if (own / "manifest.json").exists() or not config.shares else package_of(load_config(config.shares))


def _weights_hash(package: Path) -> str:
    """What a difference from a package's transformer is bound to."""
    files = json.loads((package / "manifest.json").read_text())["files"]
    return str(next(file["sha256"] for file in files if file["path"] == "transformer.bin"))


def _measured_autoencoder(package: Path) -> dict[str, float]:
    """What a package's manifest says was measured of its autoencoder, as the stage that made it wrote it."""
    metrics = json.loads((package / "manifest.json").read_text())["provenance"]["metrics"]
    return {"psnr_heldout_db": metrics["psnrHeldoutDb"]} if "psnrHeldoutDb" in metrics else {}


def pack(
    config: Config, run: Path, stages: tuple[str, ...] = PACKED_STAGES, out: Path | None = None, delta: bool = False
) -> list[Path]:
    """Write each stage that has weights (finished, or its last checkpoint's average); returns the files.

    ``delta``: as differences from the package's transformer, which must be there (or that of the configuration named in ``shares``).

    Raises:
        FileNotFoundError: if the run has no weights at all, or no package is there.
        ValueError: if models/checkpoints/<config> would pass 20 MiB, the repository's share.
    """
    target = out or folder_of(config.name)
    target.mkdir(parents=True, exist_ok=True)
    written = []
    for stage in stages:
        finished, checkpoint = run / stage / f"{stage}.pt", run / stage / "checkpoint.pt"
        if finished.exists():
            state = torch.load(finished, map_location="cpu", weights_only=True)
        elif checkpoint.exists():
            state = torch.load(checkpoint, map_location="cpu", weights_only=True)["ema"]
        else:
            continue
        path = target / (f"{stage}.delta.safetensors" if delta else f"{stage}.safetensors")
        if delta:
            base = _base_of(config)
            packed = encode(state, transformer_from_package(base, config))
            save_file({name: value.contiguous() for name, value in packed.items()}, path, {"base": _weights_hash(base)})
        else:
            save_file({name: _halved(value) for name, value in state.items()}, path)
        written.append(path)
        metrics = run / stage / "metrics.json"
        if metrics.exists():
            (target / f"{stage}.json").write_text(metrics.read_text())
    if not written:
        raise FileNotFoundError(f"nothing to pack in {run}: run `python -m anyflow train` first")
    total = sum(path.stat().st_size for path in target.glob("*.safetensors"))
    if out is None and total > LIMIT_BYTES:
        raise ValueError(f"{target} holds {total / 2**20:.1f} MiB, more than 20 MiB: pack fewer stages (--stage)")
    return written


def unpack(
    config: Config, run: Path, stages: tuple[str, ...] = STAGES, start: bool = False, packed: str | None = None
) -> list[Path]:
    """Put packed weights into a run as finished stages, or (``start``) as the start of further training.

    ``packed`` names another configuration whose weights to take; its networks must be of the same shape.

    Raises:
        FileNotFoundError: if nothing is packed for this configuration.
        ValueError: if a difference is from another package than the one that is there.
    """
    written = []
    package = package_of(config)
    for stage in stages:
        source = folder_of(packed or config.name) / f"{stage}.safetensors"
        difference = source.with_suffix(".delta.safetensors")
        if source.exists():
            state = {name: value.float() if value.is_floating_point() else value for name, value in load_file(source).items()}
        elif difference.exists():
            base = _base_of(config)
            with safe_open(difference, "pt") as file:
                bound = file.metadata()["base"]
            if bound != _weights_hash(base):
                raise ValueError(f"{difference} is a difference from other weights than {base} holds: pack it again")
            state = decode(load_file(difference), transformer_from_package(base, config))
        elif (package / "manifest.json").exists() and stage in ("vae", package_stage(package)):
            state = vae_from_package(package, config) if stage == "vae" else transformer_from_package(package, config)
        else:
            continue
        path = run / stage / ("start.pt" if start else f"{stage}.pt")
        atomic_save(state, path)
        if stage == "vae" and not (source.exists() or start) and (measured := _measured_autoencoder(package)):
            (path.parent / "metrics.json").write_text(json.dumps(measured, indent=1))
        written.append(path)
        metrics = source.with_suffix(".json")
        if metrics.exists() and not start:
            (path.parent / "metrics.json").write_text(json.dumps(json.loads(metrics.read_text()), indent=1))
    if not written:
        raise FileNotFoundError(f"no packed weights in {folder_of(packed or config.name)}")
    return written
