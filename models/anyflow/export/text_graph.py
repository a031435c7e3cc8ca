"""The text graph: a quantised MiniLM as ONNX (``input_ids``, ``attention_mask`` -> ``features``)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from onnx import TensorProto
from torch import Tensor

from anyflow.export.builder import CONTRIB, GraphBuilder, WeightFile
from anyflow.export.quantise import Blocks, pack_halves, pack_nibbles, quantise_linear, quantise_rows
from anyflow.minilm import LAYER_NORM_EPS, MiniLM

LINEARS = ("qkv", "out", "fc1", "fc2")
# One block size for all linear layers; the embedding's is coarser, since it costs less there.
LINEAR_BLOCK = 32
EMBEDDING_BLOCK = 64


def quantise_minilm(model: MiniLM, ids: Tensor, mask: Tensor) -> dict[str, Blocks]:
    """Quantise ``model`` in place to 4 bits, layer after layer, calibrated on ``ids``, ``mask`` int64 [B, L].

    Every layer is calibrated on what the already quantised layers before it put out. Returns the codes by weight name.
    """
    result: dict[str, Blocks] = {}

    def replace(name: str, weight: Tensor, blocks: Blocks) -> None:
        result[name] = blocks
        weight.copy_(blocks.dequantise())

    with torch.no_grad():
        width = model.config.dim
        table = quantise_rows(model.tokens.weight, min(EMBEDDING_BLOCK, width))
        replace("tokens", model.tokens.weight, table)
        for index, layer in enumerate(model.layers):
            for part in LINEARS:
                linear = layer.get_submodule(part)
                seen: list[Tensor] = []
                hook = linear.register_forward_pre_hook(lambda _, args, seen=seen: seen.append(args[0][mask.bool()]))
                model(ids, mask)
                hook.remove()
                weight = linear.get_parameter("weight")
                replace(f"layers.{index}.{part}", weight, quantise_linear(weight, seen[0], LINEAR_BLOCK))
    return result


def _embedding(graph: GraphBuilder, blocks: Blocks, ids: str) -> str:
    """Look up packed rows and unpack them with float arithmetic only (exact for bytes), so that every provider can."""
    columns, count = blocks.codes.shape[1], blocks.scales.shape[1]
    packed = graph.op("Gather", graph.raw_weight("tokens.codes", pack_halves(blocks.codes)), ids)
    byte = graph.op("Cast", packed, to=TensorProto.FLOAT)
    high = graph.op("Floor", graph.op("Mul", byte, graph.scalar(1 / 16)))
    low = graph.op("Sub", byte, graph.op("Mul", high, graph.scalar(16)))
    codes = graph.reshape(graph.op("Concat", low, high, axis=-1), 0, 0, count, blocks.block)
    zeros = graph.op("Gather", graph.raw_weight("tokens.zeros", blocks.zeros.numpy()), ids)
    zeros = graph.reshape(graph.op("Cast", zeros, to=TensorProto.FLOAT), 0, 0, count, 1)
    scales = graph.op("Gather", graph.weight("tokens.scales", blocks.scales.numpy()), ids)
    scales = graph.reshape(scales, 0, 0, count, 1)
    return graph.reshape(graph.op("Mul", graph.op("Sub", codes, zeros), scales), 0, 0, columns)


def _linear(graph: GraphBuilder, name: str, blocks: Blocks, bias: Tensor, x: str) -> str:
    """``x @ W.T + bias`` with 4-bit W; activations stay float32 (accuracy_level 1), the same on every machine."""
    rows, columns = blocks.codes.shape
    count = columns // blocks.block
    codes = pack_nibbles(blocks.codes).reshape(rows, count, blocks.block // 2)
    zeros = blocks.zeros if count % 2 == 0 else torch.nn.functional.pad(blocks.zeros, (0, 1), value=8)
    product = graph.op(
        "MatMulNBits",
        x,
        graph.raw_weight(f"{name}.codes", codes),
        graph.weight(f"{name}.scales", blocks.scales.numpy().reshape(-1)),
        graph.raw_weight(f"{name}.zeros", pack_nibbles(zeros).reshape(-1)),
        domain=CONTRIB,
        K=columns,
        N=rows,
        bits=4,
        block_size=blocks.block,
        accuracy_level=1,
    )
    return graph.op("Add", product, graph.raw_weight(f"{name}.bias", bias.detach().numpy()))


def write_text_graph(model: MiniLM, blocks: dict[str, Blocks], directory: Path) -> list[Path]:
    """Write ``text.onnx`` and ``text.bin``; biases and norms float32, as they are small. Returns both paths."""
    weights = WeightFile("text.bin")
    graph = GraphBuilder("text", weights)
    config = model.config
    shape = ("batch", "tokens")
    ids = graph.input("input_ids", TensorProto.INT64, shape)
    mask = graph.op("Cast", graph.input("attention_mask", TensorProto.INT64, shape), to=TensorProto.FLOAT)

    def raw(name: str) -> str:
        return graph.raw_weight(name, model.get_parameter(name).detach().numpy())

    def norm(name: str, x: str) -> str:
        return graph.op("LayerNormalization", x, raw(f"{name}.weight"), raw(f"{name}.bias"), epsilon=LAYER_NORM_EPS)

    def linear(index: int, part: str) -> Callable[[str], str]:
        name = f"layers.{index}.{part}"
        return lambda x: _linear(graph, name, blocks[name], model.get_parameter(f"{name}.bias"), x)

    # [B, 1, 1, L] spread over the queries by adding zeros of [B, 1, L, 1]: cheaper to read than Shape + Expand.
    keys = graph.op("Unsqueeze", mask, graph.constant([1, 2]))
    queries = graph.op("Unsqueeze", mask, graph.constant([1, 3]))
    bias = graph.op("Mul", graph.op("Sub", keys, graph.scalar(1)), graph.scalar(1e4))
    bias = graph.op("Add", bias, graph.op("Mul", queries, graph.scalar(0)))

    length = graph.op("Shape", ids, start=1, end=2)
    positions = graph.op("Slice", raw("positions"), graph.constant([0]), length, graph.constant([0]))
    x = norm("norm", graph.op("Add", _embedding(graph, blocks["tokens"], ids), positions))
    for index in range(config.layers):
        q, k, v = graph.ops("Split", linear(index, "qkv")(x), outputs=3, axis=-1, num_outputs=3)
        attended = graph.op("MultiHeadAttention", q, k, v, "", "", bias, domain=CONTRIB, num_heads=config.heads)
        x = norm(f"layers.{index}.norm1", graph.op("Add", x, linear(index, "out")(attended)))
        hidden = graph.op("Gelu", linear(index, "fc1")(x))
        x = norm(f"layers.{index}.norm2", graph.op("Add", x, linear(index, "fc2")(hidden)))
    features = graph.op("Mul", x, graph.op("Unsqueeze", mask, graph.constant([2])))
    graph.output(features, "features", TensorProto.FLOAT, (*shape, config.dim))
    return [graph.save(directory), weights.write(directory)]
