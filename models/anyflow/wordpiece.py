"""BERT's uncased WordPiece tokenizer in plain Python: the exact rules the browser's tokenizer must follow.

Rules, in order (Devlin et al. 2018, BERT; the behaviour of Hugging Face's ``BertNormalizer`` + ``BertPreTokenizer``):

1. Drop U+0000, U+FFFD and control characters (category C*, other than tab, newline, return); any white space is a space.
2. Put a space around every CJK ideograph.
3. Decompose (NFD), drop combining marks (category Mn), lower-case.
4. Split at white space; every punctuation character (ASCII 33-47, 58-64, 91-96, 123-126, or category P*) is a word of its own.
5. Each word is cut greedily into the longest known pieces from the left; pieces after the first carry ``##``.
   A word of over 100 characters, or with an unknown piece, is ``[UNK]``.
6. ``[CLS]`` in front and ``[SEP]`` behind.
"""

from __future__ import annotations

import unicodedata
from pathlib import Path

PAD, UNK, CLS, SEP = "[PAD]", "[UNK]", "[CLS]", "[SEP]"
_MAX_WORD_CHARACTERS = 100
_CJK_RANGES = (
    (0x4E00, 0x9FFF),
    (0x3400, 0x4DBF),
    (0x20000, 0x2A6DF),
    (0x2A700, 0x2B73F),
    (0x2B740, 0x2B81F),
    (0x2B820, 0x2CEAF),
    (0xF900, 0xFAFF),
    (0x2F800, 0x2FA1F),
)


def _is_punctuation(character: str) -> bool:
    code = ord(character)
    ascii_symbol = 33 <= code <= 47 or 58 <= code <= 64 or 91 <= code <= 96 or 123 <= code <= 126
    return ascii_symbol or unicodedata.category(character).startswith("P")


def _is_cjk(character: str) -> bool:
    return any(low <= ord(character) <= high for low, high in _CJK_RANGES)


def split_words(text: str) -> list[str]:
    """Normalise ``text`` (rules 1 to 4) and return its words."""
    cleaned: list[str] = []
    for character in text:
        if character in "\t\n\r" or character.isspace():
            cleaned.append(" ")
        elif character in "\0\ufffd" or unicodedata.category(character).startswith("C"):
            continue
        elif _is_cjk(character):
            cleaned.append(f" {character} ")
        else:
            cleaned.append(character)
    decomposed = unicodedata.normalize("NFD", "".join(cleaned))
    lowered = "".join(c for c in decomposed if unicodedata.category(c) != "Mn").lower()
    spaced = "".join(f" {c} " if _is_punctuation(c) else c for c in lowered)
    return spaced.split()


class WordPiece:
    """Text to token ids, with the ids being the line numbers of ``vocab.txt``."""

    def __init__(self, vocabulary: list[str]) -> None:
        self.ids = {token: index for index, token in enumerate(vocabulary)}
        missing = [token for token in (PAD, UNK, CLS, SEP) if token not in self.ids]
        if missing or self.ids[PAD] != 0:
            raise ValueError(f"A WordPiece vocabulary starts with [PAD] and holds [UNK], [CLS], [SEP]; missing: {missing}")
        self.pad, self.unk, self.cls, self.sep = (self.ids[token] for token in (PAD, UNK, CLS, SEP))

    @classmethod
    def from_file(cls, path: Path) -> WordPiece:
        """Read a ``vocab.txt`` with one token a line."""
        return cls(path.read_text(encoding="utf-8").rstrip("\n").split("\n"))

    def _pieces(self, word: str) -> list[int]:
        if len(word) > _MAX_WORD_CHARACTERS:
            return [self.unk]
        pieces: list[int] = []
        start = 0
        while start < len(word):
            for end in range(len(word), start, -1):
                piece = self.ids.get(("##" if start else "") + word[start:end])
                if piece is not None:
                    pieces.append(piece)
                    start = end
                    break
            else:
                return [self.unk]
        return pieces

    def encode(self, text: str) -> list[int]:
        """Token ids of ``text`` with [CLS] and [SEP], however many there are."""
        return [self.cls, *(piece for word in split_words(text) for piece in self._pieces(word)), self.sep]
