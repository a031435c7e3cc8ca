"""The streaming ``decoder`` and ``encoder`` graphs, traced from the autoencoder with its convolution state made explicit."""

from __future__ import annotations

import logging
import warnings
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from anyflow.export.builder import OPSET, WeightFile
from anyflow.vae import VideoAutoencoder

_INLINE_BYTES = 1024


class _DecoderStep(nn.Module):
    """``latents`` [1, 1, C, h, w] and states to ``frames`` [4, 3, H, W] and states."""

    def __init__(self, vae: VideoAutoencoder) -> None:
        super().__init__()
        self.vae = vae

    def forward(self, latents: Tensor, *states: Tensor) -> tuple[Tensor, ...]:
        frames, following = self.vae.decoder_step(latents[0], list(states))
        return frames, *following


class _EncoderStep(nn.Module):
    """``frames`` [4, 3, H, W] and states to ``latents`` [1, 1, C, h, w] and states."""

    def __init__(self, vae: VideoAutoencoder) -> None:
        super().__init__()
        self.vae = vae

    def forward(self, frames: Tensor, *states: Tensor) -> tuple[Tensor, ...]:
        latent, following = self.vae.encoder_step(frames, list(states))
        return latent[None], *following


def _store_weights(model: onnx.ModelProto, weights: WeightFile) -> None:
    """Move float weights over 1 KiB to ``weights`` as float16, each with a Cast to float32 in front of the graph."""
    kept: list[TensorProto] = []
    casts: list[onnx.NodeProto] = []
    for tensor in model.graph.initializer:
        array = numpy_helper.to_array(tensor)
        if array.dtype != np.float32 or array.nbytes <= _INLINE_BYTES:
            kept.append(numpy_helper.from_array(array, tensor.name))
            continue
        half = f"{tensor.name}_f16"
        kept.append(weights.add(half, array.astype(np.float16)))
        casts.append(helper.make_node("Cast", [half], [tensor.name], name=f"cast_{tensor.name}", to=TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.initializer[:], model.graph.node[:], model.graph.value_info[:], model.graph.metadata_props[:]
    for node in nodes:  # the tracer notes source lines and module paths on every node
        node.ClearField("doc_string")
        del node.metadata_props[:]
    model.graph.initializer.extend(kept)
    model.graph.node.extend(nodes)
    model.producer_name, model.producer_version = "anyflow-studio", ""


def _write(module: nn.Module, example: Tensor, states: list[Tensor], source: str, result: str, name: str, directory: Path) -> list[Path]:
    inputs = [source, *(f"state_{index}" for index in range(len(states)))]
    outputs = [result, *(f"next_state_{index}" for index in range(len(states)))]
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            module.eval(),
            (example, *states),
            input_names=inputs,
            output_names=outputs,
            opset_version=OPSET,
            dynamo=True,
            verbose=False,
        )
    assert program is not None
    model = program.model_proto
    weights = WeightFile(f"{name}.bin")
    _store_weights(model, weights)
    path = directory / f"{name}.onnx"
    onnx.save(model, path)
    return [path, weights.write(directory)]


def write_decoder_graph(vae: VideoAutoencoder, directory: Path, h: int, w: int) -> list[Path]:
    """``decoder.onnx`` and ``decoder.bin`` for latents of ``h x w``."""
    vae = vae.cpu().float()
    example = torch.zeros(1, 1, vae.config.latent_channels, h, w)
    states = vae.initial_decoder_states(1, h, w)
    return _write(_DecoderStep(vae), example, states, "latents", "frames", "decoder", directory)


def write_encoder_graph(vae: VideoAutoencoder, directory: Path, height: int, width: int) -> list[Path]:
    """``encoder.onnx`` and ``encoder.bin`` for frames of ``height x width`` pixels."""
    vae = vae.cpu().float()
    states = vae.initial_encoder_states(1, height, width)
    example = torch.zeros(4, 3, height, width)
    return _write(_EncoderStep(vae), example, states, "frames", "latents", "encoder", directory)
