"""The text encoder: tokenizer and network against Hugging Face's, quantisation against float32, both backends alike."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers
from torch.nn.functional import cosine_similarity
from transformers import BertConfig, BertModel

from anyflow.export.calibration import captions
from anyflow.export.quantise import quantise_linear, quantise_rows
from anyflow.minilm import MiniLMConfig, from_bert_state
from anyflow.text import TextEncoder, TextTooLongError

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures"
ODD_TEXTS = [
    "", "  A GOLDEN   CUBE!!! ", "don't; it's 3.5x", "Café naïve Über İstanbul", "日本語 text 中", "a\tb\u200bc\u00a0d\u2028e",
    "x" * 101, "$5^2 `~ €£ ♥ “quoted” —dash … end", "ﬁ ① Ⅷ ß ẞ Σς", "\U0001f600 smile", "a\u0301bc\u0336", "\x85nel\x1c[MASK]",
]  # fmt: skip


@pytest.fixture(scope="module")
def encoder() -> TextEncoder:
    return TextEncoder(threads=1)


def test_tokens_equal_hugging_face(encoder: TextEncoder) -> None:
    reference = Tokenizer(models.WordPiece(encoder.tokenizer.ids, unk_token="[UNK]"))
    reference.normalizer = normalizers.BertNormalizer()
    reference.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    for text in [*ODD_TEXTS, *captions(200, seed=3)]:
        expected = [encoder.tokenizer.cls, *reference.encode(text).ids, encoder.tokenizer.sep]
        assert encoder.tokenizer.encode(text) == expected, text
        assert encoder.count_tokens(text) == len(expected)


def test_network_equals_transformers_bert() -> None:
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=50, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=48,
        max_position_embeddings=20,
    )  # fmt: skip
    bert = BertModel(config, add_pooling_layer=False).eval()
    ours = MiniLMConfig(vocab_size=50, dim=32, layers=2, heads=4, ffn_dim=48, max_tokens=12)
    model = from_bert_state(bert.state_dict(), torch.arange(50), ours)
    ids = torch.randint(0, 50, (3, 12))
    mask = (torch.arange(12) < torch.tensor([[12], [5], [1]])).long()
    with torch.no_grad():
        expected = bert(input_ids=ids, attention_mask=mask).last_hidden_state
        actual = model(ids, mask)
    torch.testing.assert_close(actual[mask.bool()], expected[mask.bool()], atol=1e-5, rtol=1e-5)
    assert actual[~mask.bool()].abs().max() == 0


def test_quantised_features_are_close_to_float32(encoder: TextEncoder) -> None:
    reference = np.load(FIXTURES / "minilm-float32.npz")
    features = encoder.encode(list(reference["texts"]))
    real = features.abs().sum(-1) > 0
    similarity = cosine_similarity(features[real], torch.from_numpy(reference["features"]).float(), dim=-1)
    assert similarity.mean() > 0.99
    assert similarity.min() > 0.97


def test_backends_agree_and_padding_is_zero(encoder: TextEncoder) -> None:
    texts = ["", "a red ball", *captions(20, seed=4)]
    features = encoder.encode(texts)
    assert features.shape == (22, 32, 384) and features.dtype == torch.float32
    for row, text in enumerate(texts):
        assert features[row, encoder.count_tokens(text) :].abs().sum() == 0
    assert (TextEncoder(backend="torch").encode(texts) - features).abs().max() < 2e-5
    # A caption's features do not depend on which captions share its batch.
    assert (encoder.encode([texts[5]])[0] - features[5]).abs().max() < 2e-5


def test_errors_say_what_to_do(encoder: TextEncoder, tmp_path: Path) -> None:
    with pytest.raises(TextTooLongError, match="42 tokens used, 32 allowed"):
        encoder.encode(["ball " * 40])
    with pytest.raises(FileNotFoundError, match="text_assets"):
        TextEncoder(tmp_path)


def test_error_feedback_beats_rounding() -> None:
    torch.manual_seed(0)
    weight = torch.randn(24, 64)
    inputs = torch.randn(500, 8) @ torch.randn(8, 64) + 0.1 * torch.randn(500, 64)
    expected = inputs @ weight.T
    rounded = quantise_rows(weight, 32)
    fed_back = quantise_linear(weight, inputs, 32)
    errors = [((inputs @ blocks.dequantise().T - expected).norm() / expected.norm()).item() for blocks in (rounded, fed_back)]
    assert rounded.codes.max() <= 15 and fed_back.codes.max() <= 15
    assert errors[0] < 0.15
    assert errors[1] < 0.5 * errors[0]
