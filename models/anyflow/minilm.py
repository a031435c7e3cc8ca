"""The MiniLM sentence encoder (a 6-layer post-norm BERT) in PyTorch.

Architecture: Devlin et al. 2018 (BERT); weights: all-MiniLM-L6-v2 (Wang et al. 2020, MiniLM; Apache 2.0).
Position and token-type embeddings are folded into one table of the first ``max_tokens`` positions.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

LAYER_NORM_EPS = 1e-12


@dataclass(frozen=True)
class MiniLMConfig:
    """Sizes of the encoder; the defaults are all-MiniLM-L6-v2's."""

    vocab_size: int = 30522
    dim: int = 384
    layers: int = 6
    heads: int = 12
    ffn_dim: int = 1536
    max_tokens: int = 32


class MiniLMLayer(nn.Module):
    """One transformer layer: attention and feed-forward, each followed by a residual LayerNorm."""

    def __init__(self, config: MiniLMConfig) -> None:
        super().__init__()
        self.heads = config.heads
        self.qkv = nn.Linear(config.dim, 3 * config.dim)
        self.out = nn.Linear(config.dim, config.dim)
        self.norm1 = nn.LayerNorm(config.dim, eps=LAYER_NORM_EPS)
        self.fc1 = nn.Linear(config.dim, config.ffn_dim)
        self.fc2 = nn.Linear(config.ffn_dim, config.dim)
        self.norm2 = nn.LayerNorm(config.dim, eps=LAYER_NORM_EPS)

    def forward(self, x: Tensor, bias: Tensor) -> Tensor:
        """``x`` [B, L, dim], ``bias`` [B, 1, 1, L] added to the attention scores; returns [B, L, dim]."""
        batch, length, dim = x.shape
        q, k, v = self.qkv(x).view(batch, length, 3, self.heads, dim // self.heads).permute(2, 0, 3, 1, 4)
        attended = F.scaled_dot_product_attention(q, k, v, attn_mask=bias)
        x = self.norm1(x + self.out(attended.transpose(1, 2).reshape(batch, length, dim)))
        return self.norm2(x + self.fc2(F.gelu(self.fc1(x))))


class MiniLM(nn.Module):
    """Token ids to the last hidden states."""

    def __init__(self, config: MiniLMConfig) -> None:
        super().__init__()
        self.config = config
        self.tokens = nn.Embedding(config.vocab_size, config.dim)
        self.positions = nn.Parameter(torch.zeros(config.max_tokens, config.dim))
        self.norm = nn.LayerNorm(config.dim, eps=LAYER_NORM_EPS)
        self.layers = nn.ModuleList(MiniLMLayer(config) for _ in range(config.layers))

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """``input_ids``, ``attention_mask`` int64 [B, L], L <= max_tokens; returns float32 [B, L, dim], zero where masked."""
        bias = (attention_mask[:, None, None, :].to(self.positions.dtype) - 1) * 1e4
        x = self.norm(self.tokens(input_ids) + self.positions[: input_ids.shape[1]])
        for layer in self.layers:
            x = layer(x, bias)
        return x * attention_mask[..., None].to(x.dtype)


def from_bert_state(state: dict[str, Tensor], keep_rows: Tensor, config: MiniLMConfig) -> MiniLM:
    """Build the encoder from a BERT state dict (Hugging Face names), keeping the vocabulary rows ``keep_rows`` [V]."""
    model = MiniLM(config)
    source = {name.removeprefix("bert."): tensor.float() for name, tensor in state.items()}
    target: dict[str, Tensor] = {
        "tokens.weight": source["embeddings.word_embeddings.weight"][keep_rows],
        "positions": source["embeddings.position_embeddings.weight"][: config.max_tokens]
        + source["embeddings.token_type_embeddings.weight"][0],
        "norm.weight": source["embeddings.LayerNorm.weight"],
        "norm.bias": source["embeddings.LayerNorm.bias"],
    }
    for index in range(config.layers):
        theirs = f"encoder.layer.{index}"
        for kind in ("weight", "bias"):
            qkv = [source[f"{theirs}.attention.self.{part}.{kind}"] for part in ("query", "key", "value")]
            target[f"layers.{index}.qkv.{kind}"] = torch.cat(qkv)
            for ours, name in (
                ("out", "attention.output.dense"),
                ("norm1", "attention.output.LayerNorm"),
                ("fc1", "intermediate.dense"),
                ("fc2", "output.dense"),
                ("norm2", "output.LayerNorm"),
            ):
                target[f"layers.{index}.{ours}.{kind}"] = source[f"{theirs}.{name}.{kind}"]
    model.load_state_dict(target)
    return model.eval()
