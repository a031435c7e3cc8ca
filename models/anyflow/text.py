"""Text to per-token features, with the very weights that the browser runs (kept once, in the bundled package).

Two backends compute the same function of the same quantised weights: ``onnx`` (onnxruntime, what the browser does) and
``torch`` (dequantised on load; for a GPU, or for many captions at once). They agree to about 1e-5.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from anyflow.minilm import MiniLM, MiniLMConfig
from anyflow.wordpiece import WordPiece

# The repository keeps these 12 MB in one place; its tree has a size limit.
ASSETS = Path(__file__).resolve().parents[2] / "public" / "models" / "worlds-128"
MAX_TOKENS = 32
Backend = Literal["onnx", "torch"]


class TextTooLongError(ValueError):
    """The text has more tokens than the encoder takes."""


def pad_tokens(tokenizer: WordPiece, texts: list[str], max_tokens: int) -> tuple[Tensor, Tensor]:
    """Token ids and mask, int64 [B, max_tokens] each; raises ``TextTooLongError`` naming the text and its length."""
    ids = torch.zeros(len(texts), max_tokens, dtype=torch.int64)
    mask = torch.zeros_like(ids)
    for row, text in enumerate(texts):
        tokens = tokenizer.encode(text)
        if len(tokens) > max_tokens:
            raise TextTooLongError(f"{len(tokens)} tokens used, {max_tokens} allowed; shorten: {text!r}")
        ids[row, : len(tokens)] = torch.tensor(tokens)
        mask[row, : len(tokens)] = 1
    return ids, mask


def _unpack_nibbles(packed: np.ndarray, count: int) -> Tensor:
    """Invert ``pack_nibbles``: uint8 [..., K / 2] to float32 [..., count]."""
    pairs = torch.from_numpy(np.stack([packed & 15, packed >> 4], axis=-1))
    return pairs.flatten(-2)[..., :count].float()


def _dequantised(directory: Path) -> MiniLM:
    """The PyTorch encoder with the weights of ``text.onnx`` (names as written by ``export.text_graph``)."""
    import onnx
    from onnx import numpy_helper

    proto = onnx.load(directory / "text.onnx")
    heads = next(attribute.i for node in proto.graph.node for attribute in node.attribute if attribute.name == "num_heads")
    arrays = {tensor.name: numpy_helper.to_array(tensor) for tensor in proto.graph.initializer}
    state: dict[str, Tensor] = {}
    for name, array in arrays.items():
        stem, _, kind = name.rpartition(".")
        if kind in ("weight", "bias") or name == "positions":
            state[name] = torch.from_numpy(array.copy())
        elif name == "tokens.codes":
            codes = torch.from_numpy(np.concatenate([array & 15, array >> 4], axis=-1)).float()
            zeros = torch.from_numpy(arrays["tokens.zeros"].copy()).float()
            scales = torch.from_numpy(arrays["tokens.scales"].astype(np.float32))
            grouped = codes.view(*scales.shape, -1)
            state["tokens.weight"] = ((grouped - zeros[..., None]) * scales[..., None]).flatten(1)
        elif kind == "codes":
            rows, blocks, half = array.shape
            zeros = _unpack_nibbles(arrays[f"{stem}.zeros"].reshape(rows, -1), blocks)
            scales = torch.from_numpy(arrays[f"{stem}.scales"].astype(np.float32)).view(rows, blocks)
            state[f"{stem}.weight"] = ((_unpack_nibbles(array, 2 * half) - zeros[..., None]) * scales[..., None]).flatten(1)
    config = MiniLMConfig(
        vocab_size=state["tokens.weight"].shape[0],
        dim=state["tokens.weight"].shape[1],
        layers=sum(name.endswith("qkv.weight") for name in state),
        heads=heads,
        ffn_dim=state["layers.0.fc1.weight"].shape[0],
        max_tokens=state["positions"].shape[0],
    )
    model = MiniLM(config)
    model.load_state_dict(state)
    return model.eval().requires_grad_(False)


class TextEncoder:
    """Captions to features, from a folder with ``text.onnx``, ``text.bin`` and ``vocab.txt``.

    ``device`` other than the CPU implies the torch backend. ``threads`` limits onnxruntime's (None: its own choice).
    """

    def __init__(
        self,
        directory: Path = ASSETS,
        backend: Backend = "onnx",
        device: str | torch.device = "cpu",
        threads: int | None = None,
        batch_size: int = 256,
    ) -> None:
        missing = [name for name in ("text.onnx", "text.bin", "vocab.txt") if not (directory / name).is_file()]
        if missing:
            raise FileNotFoundError(f"{directory} lacks {', '.join(missing)}; make it with: python -m anyflow.export.text_assets")
        self.device = torch.device(device)
        self.batch_size = batch_size
        self.tokenizer = WordPiece.from_file(directory / "vocab.txt")
        self._torch: MiniLM | None = None
        if backend == "torch" or self.device.type != "cpu":
            self._torch = _dequantised(directory).to(self.device)
            self.dim, self.max_tokens = self._torch.config.dim, self._torch.config.max_tokens
            return
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads or 0
        self._session = onnxruntime.InferenceSession(str(directory / "text.onnx"), options, providers=["CPUExecutionProvider"])
        self.dim = int(self._session.get_outputs()[0].shape[-1])
        self.max_tokens = MAX_TOKENS

    def count_tokens(self, text: str) -> int:
        """Tokens of ``text`` with [CLS] and [SEP]; more than ``max_tokens`` cannot be encoded."""
        return len(self.tokenizer.encode(text))

    def _run(self, ids: Tensor, mask: Tensor) -> Tensor:
        if self._torch is not None:
            return self._torch(ids.to(self.device), mask.to(self.device))
        inputs = {"input_ids": ids.numpy(), "attention_mask": mask.numpy()}
        return torch.from_numpy(self._session.run(["features"], inputs)[0])

    @torch.no_grad()
    def encode(self, texts: list[str]) -> Tensor:
        """Features float32 [B, max_tokens, dim] on ``device``: last hidden states, zero where there is no token.

        Raises ``TextTooLongError`` for a text of more than ``max_tokens`` tokens.
        """
        ids, mask = pad_tokens(self.tokenizer, texts, self.max_tokens)
        features = torch.zeros(len(texts), self.max_tokens, self.dim, device=self.device)
        # Texts of like length go together, so that short ones do not pay for long ones.
        order = mask.sum(1).argsort(stable=True)
        for rows in order.split(self.batch_size):
            length = int(mask[rows].sum(1).max()) if len(rows) else 0
            features[rows, :length] = self._run(ids[rows, :length], mask[rows, :length])
        return features
