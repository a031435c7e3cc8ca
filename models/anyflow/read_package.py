"""Weights read back from an exported package, the inverse of what `export` does to their layout."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from .config import Config
from .transformer import AnyFlowFARTransformer
from .vae import VideoAutoencoder


def package_stage(package: Path) -> str:
    """The training stage that a package's transformer comes from, "student" where it does not say."""
    return str(json.loads((package / "manifest.json").read_text())["provenance"].get("stage", "student"))


def _initialisers(package: Path, *graphs: str) -> dict[str, Tensor]:
    """All weights of some graphs by name, float32."""
    import onnx
    from onnx import numpy_helper

    found = {}
    for graph in graphs:
        for initialiser in onnx.load(package / f"{graph}.onnx").graph.initializer:
            array = np.asarray(numpy_helper.to_array(initialiser))
            found[initialiser.name.removesuffix("_f16")] = torch.from_numpy(array.astype("float32"))
    return found


def _checked(found: dict[str, Tensor], expected: dict[str, Tensor], package: Path, what: str) -> dict[str, Tensor]:
    wrong = sorted(name for name in expected if name not in found or found[name].shape != expected[name].shape)
    if wrong:
        raise ValueError(f"{package} does not hold this configuration's {what}: {wrong[0]} is missing or of another shape")
    return {name: found[name] for name in expected}


def vae_from_package(package: Path, config: Config) -> dict[str, Tensor]:
    """State dict of the autoencoder, from the initialisers of a package's decoder and encoder (their names are its own).

    Raises:
        FileNotFoundError: if the package is not there.
        ValueError: if its weights are not those of this configuration's autoencoder.
    """
    video = json.loads((package / "manifest.json").read_text())["video"]
    weights = _initialisers(package, "encoder", "decoder")
    found = {name.removeprefix("vae."): value for name, value in weights.items()}
    found |= {"latent_mean": torch.tensor(video["latentMean"]), "latent_std": torch.tensor(video["latentStd"])}
    return _checked(found, VideoAutoencoder(config.vae).state_dict(), package, "autoencoder")


def transformer_from_package(package: Path, config: Config) -> dict[str, Tensor]:
    """State dict of the transformer, from a package's step and cache graphs.

    `export.transformer_graph` stores linear layers transposed, those with a common input as one, and modulation tables with
    the 1 of "1 + scale" added; all three are undone here.

    Raises:
        FileNotFoundError: if the package is not there.
        ValueError: if its weights are not those of this configuration's transformer.
    """
    expected = AnyFlowFARTransformer(config.transformer).state_dict()
    stored = _initialisers(package, "step", "cache")
    found: dict[str, Tensor] = {}

    def take(source: str, *names: str) -> None:
        if f"{source}.weight" not in stored:
            return
        weights = stored[f"{source}.weight"].T if stored[f"{source}.weight"].dim() == 2 else stored[f"{source}.weight"]
        for name, part in zip(names, weights.chunk(len(names)), strict=True):
            found[f"{name}.weight"] = part.reshape(expected[f"{name}.weight"].shape).contiguous()
        if f"{source}.bias" in stored:
            for name, part in zip(names, stored[f"{source}.bias"].chunk(len(names)), strict=True):
                found[f"{name}.bias"] = part.clone()

    for index in range(config.transformer.num_layers):
        block = f"blocks.{index}"
        take(f"{block}.attn1.qkv", *(f"{block}.attn1.to_{part}" for part in "qkv"))
        take(f"{block}.attn2.kv", *(f"{block}.attn2.to_{part}" for part in "kv"))
        table = stored.get(f"{block}.modulation", torch.zeros(0)).reshape(1, 6, -1).clone()
        if table.numel():
            table[:, [1, 4]] -= 1
            found[f"{block}.scale_shift_table"] = table
    if "head.shift" in stored:
        found["scale_shift_table"] = torch.stack([stored["head.shift"], stored["head.scale"] - 1])[None]
    for name in expected:
        if name.endswith(".weight") and name not in found:
            take(name.removesuffix(".weight"), name.removesuffix(".weight"))
    return _checked(found, expected, package, "transformer")
