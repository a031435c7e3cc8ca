"""A tiny package of random weights for tests: every graph real, every size small, deterministic.

Run: ``python -m anyflow.export.fixture tests/fixtures/tiny``. Beside the folder it writes ``<name>.reference.json``: what
PyTorch (not onnxruntime) makes of a prompt, for other runtimes to agree with.
"""

from __future__ import annotations

import argparse
import json
import math
import tempfile
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor, nn

from anyflow.export.manifest import PackageInfo
from anyflow.export.package import export_package
from anyflow.export.text_graph import quantise_minilm, write_text_graph
from anyflow.flowmap.chunks import chunk_plan
from anyflow.flowmap.rollout import generate_latents, seeded_noise
from anyflow.minilm import MiniLM, MiniLMConfig
from anyflow.text import ASSETS, MAX_TOKENS, TextEncoder, pad_tokens
from anyflow.transformer import AnyFlowFARTransformer, TransformerConfig
from anyflow.vae import VaeConfig, VideoAutoencoder
from anyflow.wordpiece import WordPiece

Module = TypeVar("Module", bound=nn.Module)

SEED = 20260513
SIZE = 64
_WORDS = 2000
_PROMPT = "a red ball bouncing on grass"
_STEPS, _FRAMES, _TAKE_SEED = 3, 33, 7

INFO = PackageInfo(
    id="tiny-fixture",
    name="Tiny fixture",
    description="Random weights for tests; its frames mean nothing.",
    config="fixture",
    date="2026-11-23",
    commit="none",
    shift=3.0,
    chunk_first=1,
    chunk_rest=2,
    max_frames=129,
    default_frames=17,
    guidance_fused=True,
    licence={"name": "CC0-1.0"},
    examples=((_PROMPT, 1), ("a blue cube spinning on snow", 2)),
)


def _vocabulary() -> list[str]:
    """Special tokens, all single characters, then the most frequent words of the real vocabulary."""
    tokens = (ASSETS / "vocab.txt").read_text(encoding="utf-8").split("\n")
    special = tokens[:5]
    pieces = [token for token in tokens[5:] if len(token.removeprefix("##")) == 1]
    words = [token for token in tokens[5:] if token.isalpha() and len(token) > 1]
    needed = [word for word in _PROMPT.split() if len(word) > 1]
    return list(dict.fromkeys([*special, *pieces, *needed, *words]))[:_WORDS]


def write_text(directory: Path) -> None:
    """``text.onnx``, ``text.bin``, ``vocab.txt`` of a two-layer encoder of width 32."""
    directory.mkdir(parents=True, exist_ok=True)
    vocabulary = _vocabulary()
    torch.manual_seed(SEED)
    config = MiniLMConfig(vocab_size=len(vocabulary), dim=32, layers=2, heads=2, ffn_dim=64, max_tokens=MAX_TOKENS)
    model = MiniLM(config).eval()
    nn.init.normal_(model.positions, std=0.1)
    ids, mask = pad_tokens(WordPiece(vocabulary), ["a red ball", "the world of water"], MAX_TOKENS)
    write_text_graph(model, quantise_minilm(model, ids, mask), directory)
    (directory / "vocab.txt").write_text("\n".join(vocabulary) + "\n", encoding="utf-8")


def tiny_transformer() -> AnyFlowFARTransformer:
    """Two layers of width 32; scaled so that text, time and context all change the result visibly."""
    torch.manual_seed(SEED)
    model = AnyFlowFARTransformer(
        TransformerConfig(
            num_attention_heads=2,
            attention_head_dim=16,
            in_channels=4,
            out_channels=4,
            text_dim=32,
            freq_dim=32,
            ffn_dim=64,
            num_layers=2,
            full_chunk_limit=3,
            rope_max_seq_len=64,
            chunk_partition=(1, 2, 2, 2, 2),
        )
    ).eval()
    for module in model.modules():
        if isinstance(module, nn.Linear):
            nn.init.xavier_normal_(module.weight, gain=1.2)
            nn.init.normal_(module.bias, std=0.1)
    return round_weights(model)


def tiny_autoencoder() -> VideoAutoencoder:
    """A few channels a stage; gains chosen for frames that use most of 0..1."""
    torch.manual_seed(SEED + 1)
    vae = VideoAutoencoder(VaeConfig(latent_channels=4, width8=8, width16=8, width32=8, decoder_blocks=1)).eval()
    for module in vae.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.normal_(module.weight, std=1.3 / math.sqrt(module.weight[0].numel()))
            assert module.bias is not None
            nn.init.normal_(module.bias, std=0.1)
    # One value for all pixels that a layer shuffles out of one place: smooth patches survive video compression.
    for layer, pixels in ((vae.decoder.up16, 4), (vae.decoder.up32, 4), (vae.decoder.head, 16)):
        for parameter in layer.parameters():
            grouped = parameter.data.unflatten(0, (-1, pixels))
            grouped.copy_(grouped[:, :1].expand_as(grouped))
    vae.decoder.head.weight.data *= 0.3
    vae.latent_mean.copy_(torch.tensor([0.1, -0.2, 0.3, 0.0]))
    vae.latent_std.copy_(torch.tensor([1.0, 0.8, 1.2, 1.1]))
    return round_weights(vae)


def round_weights(module: Module) -> Module:
    """Round every parameter to float16's grid, so that PyTorch computes with exactly what the package stores."""
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(parameter.half().float())
    return module


def _listed(tensor: Tensor) -> list[float]:
    return [round(value, 6) for value in tensor.flatten().tolist()]


@torch.no_grad()
def reference(text_directory: Path, transformer: AnyFlowFARTransformer, vae: VideoAutoencoder) -> dict[str, object]:
    """PyTorch's take of the fixture's prompt: tokens, features, latents, and the frames' means and corners."""
    encoder = TextEncoder(text_directory, backend="torch")
    features = encoder.encode([_PROMPT])
    latent_frames = (_FRAMES - 1) // 4 + 1
    plan = chunk_plan(latent_frames, INFO.chunk_first, INFO.chunk_rest)
    noise = seeded_noise([_TAKE_SEED], latent_frames, (4, SIZE // 16, SIZE // 16))
    latents = generate_latents(transformer, features, noise, plan, steps=_STEPS, shift=INFO.shift)
    frames = vae.decode(latents)[0]
    # The same weights as a bidirectional student: one chunk, which sees all of itself.
    whole = vae.decode(generate_latents(transformer, features, noise, (latent_frames,), steps=_STEPS, shift=INFO.shift))[0]
    return {
        "prompt": _PROMPT,
        "seed": _TAKE_SEED,
        "steps": _STEPS,
        "frames": _FRAMES,
        "tokens": encoder.tokenizer.encode(_PROMPT),
        "features": {"shape": list(features.shape), "first_token": _listed(features[0, 0])},
        "latents": {"shape": list(latents.shape[1:]), "data": _listed(latents)},
        "frame_means": [_listed(frame.mean((1, 2))) for frame in frames],
        "frame_centres": [_listed(frame[:, SIZE // 2, SIZE // 2]) for frame in frames],
        "bidirectional": {"chunk_first": latent_frames, "frame_means": [_listed(frame.mean((1, 2))) for frame in whole]},
    }


def write_fixture(directory: Path) -> Path:
    """Write the package into ``directory`` and its reference beside it; returns the manifest's path."""
    transformer, vae = tiny_transformer(), tiny_autoencoder()
    with tempfile.TemporaryDirectory() as temporary:
        text = Path(temporary)
        write_text(text)
        manifest = export_package(directory, transformer, vae, INFO, SIZE, SIZE, text)
        data = reference(text, transformer, vae)
    directory.with_suffix(".reference.json").write_text(json.dumps(data) + "\n", encoding="utf-8")
    return manifest


def main() -> None:
    """Command line entry."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path)
    directory: Path = parser.parse_args().directory
    write_fixture(directory)
    print(f"{sum(path.stat().st_size for path in directory.iterdir()) / 1000:.0f} kB in {directory}")


if __name__ == "__main__":
    main()
