"""Writes a whole model package from a trained transformer and autoencoder."""

from __future__ import annotations

import math
import shutil
from pathlib import Path

from anyflow.conditioning import TIMESTEP_SCALE
from anyflow.export.builder import WeightFile
from anyflow.export.manifest import FORMAT, GRAPHS, PackageInfo, check_package, file_entry, graph_entry, write_manifest
from anyflow.export.transformer_graph import write_cache_graph, write_step_graph
from anyflow.export.vae_graph import write_decoder_graph, write_encoder_graph
from anyflow.text import ASSETS, MAX_TOKENS, TextEncoder
from anyflow.transformer import AnyFlowFARTransformer
from anyflow.vae import SPATIAL_STRIDE, TEMPORAL_STRIDE, VideoAutoencoder

TEXT_FILES = ("text.onnx", "text.bin", "vocab.txt")


def _check_fit(
    transformer: AnyFlowFARTransformer, vae: VideoAutoencoder, text_dim: int, info: PackageInfo, height: int, width: int
) -> None:
    config = transformer.config
    step = SPATIAL_STRIDE * math.lcm(*config.compressed_patch_size[1:])
    if height % step or width % step:
        raise ValueError(f"{width}x{height} cannot be cut into latents and compressed patches; use multiples of {step}")
    if config.in_channels != vae.config.latent_channels:
        raise ValueError(
            f"the transformer works on {config.in_channels} latent channels, the autoencoder makes "
            f"{vae.config.latent_channels}; export models that were trained together"
        )
    if config.text_dim != text_dim:
        raise ValueError(f"the transformer takes text features of {config.text_dim}, the encoder makes {text_dim}")
    latents = (info.max_frames - 1) // TEMPORAL_STRIDE + 1
    if latents > config.rope_max_seq_len:
        raise ValueError(f"max_frames {info.max_frames} needs {latents} positions of {config.rope_max_seq_len}")


def export_package(
    directory: Path,
    transformer: AnyFlowFARTransformer,
    vae: VideoAutoencoder,
    info: PackageInfo,
    height: int,
    width: int,
    text_directory: Path = ASSETS,
) -> Path:
    """Write graphs, weights, text encoder and manifest for video of ``width x height`` pixels.

    Returns the manifest's path. An existing package in ``directory`` is replaced, file by file, manifest last, so that a
    killed export never leaves a manifest that lists half-written files as whole (their hashes would differ).

    Raises:
        ValueError: parts or sizes that do not fit together.
    """
    config = transformer.config
    text = TextEncoder(text_directory)
    _check_fit(transformer, vae, text.dim, info, height, width)
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "manifest.json").unlink(missing_ok=True)
    h, w = height // SPATIAL_STRIDE, width // SPATIAL_STRIDE

    for name in () if text_directory.resolve() == directory.resolve() else TEXT_FILES:
        shutil.copyfile(text_directory / name, directory / name)
    weights = WeightFile("transformer.bin")
    write_step_graph(transformer, weights, directory, h, w, MAX_TOKENS)
    write_cache_graph(transformer, weights, directory, h, w, MAX_TOKENS)
    weights.write(directory)
    write_decoder_graph(vae, directory, h, w)
    write_encoder_graph(vae, directory, height, width)

    text_sizes = {"batch": 1, "tokens": MAX_TOKENS}
    graphs = {name: graph_entry(directory, name, text_sizes if name == "text" else None) for name in GRAPHS}
    files = {path for graph in graphs.values() for path in (graph["file"], *graph["externalData"])} | {"vocab.txt"}
    manifest = {
        "format": FORMAT,
        "id": info.id,
        "name": info.name,
        "description": info.description,
        "licence": dict(info.licence),
        "provenance": {
            "commit": info.commit,
            "config": info.config,
            "stage": info.stage,
            "date": info.date,
            "metrics": dict(info.metrics),
        },
        "video": {
            "width": width,
            "height": height,
            "fps": info.fps,
            "spatialStride": SPATIAL_STRIDE,
            "temporalStride": TEMPORAL_STRIDE,
            "latentChannels": vae.config.latent_channels,
            "latentMean": vae.latent_mean.tolist(),
            "latentStd": vae.latent_std.tolist(),
            "maxFrames": info.max_frames,
            "defaultFrames": info.default_frames,
        },
        "text": {
            "tokenizer": "bert-wordpiece",
            "vocab": "vocab.txt",
            "lowercase": True,
            "maxTokens": MAX_TOKENS,
            "dim": text.dim,
        },
        "transformer": {
            "architecture": "far",
            "layers": config.num_layers,
            "heads": config.num_attention_heads,
            "dim": config.dim,
            "patchSize": list(config.patch_size),
            "compressedPatchSize": list(config.compressed_patch_size),
            "chunkPlan": {"first": info.chunk_first, "rest": info.chunk_rest},
            "fullChunkLimit": config.full_chunk_limit,
            "shift": info.shift,
            "timestepScale": int(TIMESTEP_SCALE),
            "guidanceFused": info.guidance_fused,
            "maxPositions": config.rope_max_seq_len,
        },
        "graphs": graphs,
        "files": [file_entry(directory, path) for path in sorted(files)],
        "examples": [{"prompt": prompt, "seed": seed} for prompt, seed in info.examples],
    }
    path = directory / "manifest.json"
    write_manifest(path, manifest)
    check_package(directory)
    # Fitted on takes of the examples, so a package without any has no live estimate.
    if info.examples:
        # Here, because the module is also run by itself.
        from anyflow.export.estimate import add_estimate

        add_estimate(directory)
    return path
