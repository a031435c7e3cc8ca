"""Exported graphs against PyTorch on the same inputs and the same (float16-rounded) weights."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch import Tensor

from anyflow.export import PackageError, check_package, export_package
from anyflow.export.builder import WeightFile
from anyflow.export.estimate import EstimateMap, fit_estimate, small_pictures
from anyflow.export.fixture import (
    INFO,
    SIZE,
    tiny_autoencoder,
    tiny_transformer,
    write_fixture,
)
from anyflow.export.runner import PackageRunner
from anyflow.export.transformer_graph import write_cache_graph, write_step_graph
from anyflow.flowmap.chunks import chunk_plan, split_chunks
from anyflow.flowmap.masks import padded_cache_bias, written_slots_bias
from anyflow.flowmap.rollout import generate_latents, seeded_noise
from anyflow.transformer import AnyFlowFARTransformer, TransformerConfig

TOLERANCE = 1e-5  # the contract asks for 1e-3
COMMITTED = Path(__file__).resolve().parents[1] / "fixtures" / "tiny"
PLAN = (1, 2, 2, 2, 2)
# What DESIGN.md section 5 and a run in Chromium found on the WebGPU provider; Cast must be folded away.
ON_WEBGPU = {
    "Abs", "Add", "Clip", "Concat", "Conv", "DepthToSpace", "Div", "FastGelu", "Floor", "Gather", "Gemm", "LayerNormalization",
    "MatMul", "Mul", "MultiHeadAttention", "Reshape", "RotaryEmbedding", "Sigmoid", "SimplifiedLayerNormalization", "Slice",
    "Split", "Squeeze", "Sub", "Transpose", "Unsqueeze",
}  # fmt: skip


def relative_error(actual: np.ndarray | Tensor, expected: Tensor) -> float:
    difference = torch.as_tensor(actual) - expected
    return (difference.abs().max() / expected.abs().max()).item()


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("export") / "tiny"
    write_fixture(directory)
    return directory


@pytest.fixture(scope="module")
def runner(package: Path) -> PackageRunner:
    return PackageRunner(package)


@torch.no_grad()
def test_cache_and_step_graphs_equal_pytorch(runner: PackageRunner) -> None:
    model = tiny_transformer()
    torch.manual_seed(1)
    text = runner.text_encoder.encode(["a green cone falling on sand"])
    split = split_chunks(PLAN[:4], model.full_chunk_limit, "cache")
    assert (split.compressed, split.full) == ((1, 2), (2, 2))
    slots = (split, 6, 4, runner.tokens, runner.compressed_tokens)  # two full frames and one compressed are padding
    inputs = {
        "compressed": torch.randn(1, 4, 4, 4, 4),
        "compressed_positions": torch.tensor([0, 1, 2, 0], dtype=torch.int32),
        "full": torch.randn(1, 6, 4, 4, 4),
        "full_positions": torch.tensor([3, 4, 5, 6, 0, 0], dtype=torch.int32),
        "bias": padded_cache_bias(*slots),
        "text": text,
    }
    cache = model.cache_graph(**inputs)
    assert relative_error(runner.run("cache", **inputs)[0], cache) < TOLERANCE
    for t, r in ((1.0, 0.0), (0.73, 0.21), (0.02, 0.0), (0.5, 0.5)):
        step = {
            "latents": torch.randn(1, 2, 4, 4, 4),
            "t": torch.tensor([t]),
            "r": torch.tensor([r]),
            "positions": torch.tensor([7, 8], dtype=torch.int32),
            "text": text,
            "cache": cache,
            "cache_bias": written_slots_bias(*slots),
        }
        assert relative_error(runner.run("step", **step)[0], model.step_graph(**step)) < TOLERANCE
    # What lies in padding slots changes nothing.
    spoilt = inputs | {"full": inputs["full"].clone()}
    spoilt["full"][:, 4:] = 50
    written = written_slots_bias(*slots)[0, 0, 0] == 0
    torch.testing.assert_close(runner.run("cache", **spoilt)[0][:, :, written.numpy()], cache[:, :, written].numpy(), atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_other_architecture_options_equal_pytorch(tmp_path: Path) -> None:
    """Published checkpoints may lack the cross-attention norm and may embed t - r."""
    torch.manual_seed(2)
    config = TransformerConfig(
        num_attention_heads=3, attention_head_dim=12, in_channels=4, out_channels=4, text_dim=8, freq_dim=16, ffn_dim=40,
        num_layers=3, rope_max_seq_len=16, cross_attn_norm=False, deltatime_type="t-r", gate_value=0.4,
    )  # fmt: skip
    model = AnyFlowFARTransformer(config).eval()
    for parameter in model.parameters():
        parameter.copy_((parameter + 0.1 * torch.randn_like(parameter)).half().float())
    weights = WeightFile("transformer.bin")
    paths = [write(model, weights, tmp_path, 4, 8, 6) for write in (write_step_graph, write_cache_graph)]
    weights.write(tmp_path)
    step, cache = (onnxruntime.InferenceSession(str(path)) for path in paths)
    text = torch.randn(1, 6, 8)
    full = torch.randn(1, 1, 4, 4, 8)
    inputs = {
        "compressed": torch.randn(1, 2, 4, 4, 8), "compressed_positions": torch.tensor([0, 1], dtype=torch.int32),
        "full": full, "full_positions": torch.tensor([2], dtype=torch.int32), "bias": torch.zeros(1, 1, 12, 12), "text": text,
    }  # fmt: skip
    written = model.cache_graph(**inputs)
    assert relative_error(cache.run(None, {k: v.numpy() for k, v in inputs.items()})[0], written) < TOLERANCE
    inputs = {
        "latents": full, "t": torch.tensor([0.9]), "r": torch.tensor([0.3]), "positions": torch.tensor([3], dtype=torch.int32),
        "text": text, "cache": written, "cache_bias": torch.zeros(1, 1, 1, 12),
    }  # fmt: skip
    assert relative_error(step.run(None, {k: v.numpy() for k, v in inputs.items()})[0], model.step_graph(**inputs)) < TOLERANCE


@torch.no_grad()
def test_streaming_decoder_and_encoder_equal_pytorch(runner: PackageRunner) -> None:
    vae = tiny_autoencoder()
    torch.manual_seed(3)
    states = vae.initial_decoder_states(1, SIZE // 16, SIZE // 16)
    fed = {state["input"]: np.zeros(state["shape"], np.float32) for state in runner.manifest["graphs"]["decoder"]["state"]}
    for _ in range(3):
        latents = torch.randn(1, 1, 4, 4, 4)
        frames, states = vae.decoder_step(latents[0], states)
        result, *following = runner.run("decoder", latents=latents, **fed)
        fed = dict(zip(fed, following, strict=True))
        assert relative_error(result, frames) < TOLERANCE
        assert max(relative_error(a, b) for a, b in zip(following, states, strict=True)) < TOLERANCE
    states = vae.initial_encoder_states(1, SIZE, SIZE)
    fed = {state["input"]: np.zeros(state["shape"], np.float32) for state in runner.manifest["graphs"]["encoder"]["state"]}
    for _ in range(3):
        pixels = torch.rand(4, 3, SIZE, SIZE)
        latent, states = vae.encoder_step(pixels, states)
        result, *following = runner.run("encoder", frames=pixels, **fed)
        fed = dict(zip(fed, following, strict=True))
        assert relative_error(result[0], latent) < TOLERANCE


@torch.no_grad()
@pytest.mark.parametrize("steps", [1, 4])
def test_whole_take_equals_pytorch(runner: PackageRunner, steps: int) -> None:
    prompt, seed, frames = "a blue cube spinning on snow", 2**40 + 5, 33
    model, vae = tiny_transformer(), tiny_autoencoder()
    features = runner.text_encoder.encode([prompt])
    noise = seeded_noise([seed], 9, (4, 4, 4))
    assert chunk_plan(9, INFO.chunk_first, INFO.chunk_rest) == PLAN
    expected = generate_latents(model, features, noise, PLAN, steps=steps, shift=INFO.shift)
    latents = runner.latents(prompt, seed, steps, frames)
    assert relative_error(latents, expected) < TOLERANCE
    video = runner.generate(prompt, seed, steps, frames)
    assert video.shape == (33, 3, SIZE, SIZE)
    assert relative_error(video, vae.decode(expected)[0]) < TOLERANCE
    assert video.std() > 0.1 and (video[1:] - video[:-1]).abs().mean() > 0.02


def test_committed_fixture_equals_its_reference() -> None:
    reference = json.loads(COMMITTED.with_suffix(".reference.json").read_text())
    committed = PackageRunner(COMMITTED)
    latents = committed.latents(reference["prompt"], reference["seed"], reference["steps"], reference["frames"])
    expected = torch.tensor(reference["latents"]["data"]).view(1, *reference["latents"]["shape"])
    assert relative_error(latents, expected) < TOLERANCE
    means = torch.tensor(reference["frame_means"])
    assert relative_error(committed.decode(latents).mean((2, 3)), means) < TOLERANCE
    assert committed.text_encoder.tokenizer.encode(reference["prompt"]) == reference["tokens"]


@pytest.mark.parametrize("graph", ["step", "cache", "decoder", "encoder"])
def test_every_node_can_run_on_webgpu(package: Path, tmp_path: Path, graph: str) -> None:
    """At the level shared by all providers: weights' casts folded away, nothing but known operators left."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(tmp_path / "optimised.onnx")
    onnxruntime.InferenceSession(str(package / f"{graph}.onnx"), options)
    nodes = onnx.load(options.optimized_model_filepath, load_external_data=False).graph.node
    assert {node.op_type for node in nodes} <= ON_WEBGPU
    # A shader has few storage buffers: 8 by default, with one for each input and output.
    assert max(len(node.input) + len(node.output) for node in nodes) <= 8


def test_manifest_round_trip(package: Path) -> None:
    manifest = check_package(package)
    assert {entry["path"] for entry in manifest["files"]} == {path.name for path in package.iterdir()} - {"manifest.json"}
    assert sum(entry["bytes"] for entry in manifest["files"]) < 400_000
    assert manifest["graphs"]["step"]["externalData"] == manifest["graphs"]["cache"]["externalData"] == ["transformer.bin"]
    names = {name: [tensor["name"] for tensor in graph["inputs"]] for name, graph in manifest["graphs"].items()}
    assert names["text"] == ["input_ids", "attention_mask"]
    assert names["step"] == ["latents", "t", "r", "positions", "text", "cache", "cache_bias"]
    assert names["cache"] == ["compressed", "compressed_positions", "full", "full_positions", "bias", "text"]
    shapes = {tensor["name"]: tensor["shape"] for tensor in manifest["graphs"]["step"]["inputs"]}
    assert shapes["latents"] == [1, "F", 4, 4, 4] and shapes["cache"] == [2, 2, "S", 32] and shapes["text"] == [1, 32, 32]
    states = manifest["graphs"]["decoder"]["state"]
    assert [state["input"] for state in states] == [f"state_{index}" for index in range(len(states))]
    for state in states:
        assert state["output"] == f"next_{state['input']}"


def test_a_broken_package_is_refused(package: Path, tmp_path: Path) -> None:
    with pytest.raises(PackageError, match=r"no manifest.json"):
        check_package(tmp_path)
    for path in package.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    weights = tmp_path / "transformer.bin"
    data = bytearray(weights.read_bytes())
    data[100] ^= 1
    weights.write_bytes(bytes(data))
    with pytest.raises(PackageError, match=r"transformer\.bin.*export the model again"):
        check_package(tmp_path)
    weights.unlink()
    with pytest.raises(PackageError, match=r"lacks transformer\.bin"):
        check_package(tmp_path)
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    (tmp_path / "manifest.json").write_text(json.dumps(manifest | {"format": "anyflow-studio/9"}))
    with pytest.raises(PackageError, match="anyflow-studio/9"):
        check_package(tmp_path)


def test_parts_that_do_not_fit_are_refused(package: Path, tmp_path: Path) -> None:
    model, vae = tiny_transformer(), tiny_autoencoder()
    with pytest.raises(ValueError, match="multiples of 64"):
        export_package(tmp_path, model, vae, INFO, 80, 64, package)
    with pytest.raises(ValueError, match="text features of 32, the encoder makes 384"):
        export_package(tmp_path, model, vae, INFO, SIZE, SIZE)
    with pytest.raises(ValueError, match="needs 101 positions of 64"):
        export_package(tmp_path, model, vae, replace(INFO, max_frames=401), SIZE, SIZE, package)
    with pytest.raises(ValueError, match="65504"), torch.no_grad():
        model.blocks[0].attn1.to_q.weight[0, 0] = 1e5
        export_package(tmp_path, model, vae, INFO, SIZE, SIZE, package)


def test_estimate_is_the_least_squares_map() -> None:
    generator = torch.Generator().manual_seed(5)
    latents = torch.randn(12, 4, 3, 5, generator=generator)
    weights, bias = torch.randn(4, 12, generator=generator), torch.randn(12, generator=generator)
    exact = EstimateMap(2, weights, bias)
    pictures = exact.pictures(latents)
    assert pictures.shape == (12, 3, 6, 10)
    # Written out for one pixel: row 2 * 1 + 1, column 2 * 4, green.
    expected = latents[7, :, 1, 4] @ weights[:, 1 * 4 + 1 * 2 + 0] + bias[1 * 4 + 1 * 2 + 0]
    torch.testing.assert_close(pictures[7, 1, 3, 8], expected)
    fitted = fit_estimate(latents, pictures)
    assert fitted.patch == 2
    # The ridge holds it back by about a thousandth.
    torch.testing.assert_close(fitted.pictures(latents), pictures, atol=0.05, rtol=0)
    with pytest.raises(ValueError, match="whole multiple"):
        fit_estimate(latents, pictures[..., :7])


def test_package_has_an_estimate_fitted_on_its_examples(package: Path, runner: PackageRunner) -> None:
    entry = json.loads((package / "manifest.json").read_text())["estimate"]
    assert entry["patch"] == 4
    stored = EstimateMap(entry["patch"], torch.tensor(entry["weights"]), torch.tensor(entry["bias"]))
    takes = [runner.latents(example["prompt"], seed, 4) for example in runner.manifest["examples"] for seed in (1, 2)]
    latents = torch.cat([take[0] for take in takes])
    pictures = torch.cat([small_pictures(runner.decode(take), SIZE // 4, SIZE // 4, 4) for take in takes])
    error = (stored.pictures(latents) - pictures).square().mean()
    assert error < 0.9 * (pictures - pictures.mean((0, 2, 3), keepdim=True)).square().mean()
    torch.testing.assert_close(fit_estimate(latents, pictures).weights, stored.weights, atol=1e-3, rtol=1e-3)
