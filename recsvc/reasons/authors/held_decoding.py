"""Holds a model of transformers to some sentences: after each token, only tokens that lead to one of them are possible.

No automaton is built. The sentences are sorted, so those that continue a beginning stand side by side, and memory is
that of the sentences themselves.
"""

import json
from bisect import bisect_left
from collections.abc import Iterable, Sequence

import torch
from transformers import LogitsProcessor, PreTrainedTokenizerBase
from transformers.convert_slow_tokenizer import bytes_to_unicode

MAX_TOKEN_BYTES = 32  # longer tokens are not used: shorter ones spell the same
_AFTER_ALL = b"\xff"  # no byte of UTF-8, so it sorts behind every continuation
_SPACE = "\u2581"  # how sentencepiece writes a space


class TokenBytes:
    """The bytes that each token of a vocabulary stands for. Special and added tokens are left out.

    Knows byte-level BPE, and sentencepiece with or without tokens for single bytes.

    Args:
        tokenizer: A tokenizer of transformers.
        size: How many scores the model gives; it may have more than the tokenizer has tokens.

    Attributes:
        ids: The ids of the tokens, by their bytes.
        texts: The bytes, by id.
        is_byte_level: Whether the tokens are pieces of UTF-8. If not, a text may begin with a space that is no part
            of it.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase, size: int) -> None:
        self.is_byte_level = _is_byte_level(tokenizer)
        byte_of = {character: byte for byte, character in bytes_to_unicode().items()}  # type: ignore[no-untyped-call]
        count = min(size, len(tokenizer))
        left_out = set(tokenizer.all_special_ids) | set(tokenizer.added_tokens_decoder)
        self.ids: dict[bytes, list[int]] = {}
        self.texts: dict[int, bytes] = {}
        for token_id, token in enumerate(tokenizer.convert_ids_to_tokens(list(range(count)))):
            if token_id in left_out or token is None:
                continue
            if self.is_byte_level:
                text = bytes(byte_of[character] for character in token if character in byte_of)
            elif len(token) == len("<0x00>") and token.startswith("<0x") and token.endswith(">"):
                text = bytes.fromhex(token[3:5])
            else:
                text = token.replace(_SPACE, " ").encode()
            if 0 < len(text) <= MAX_TOKEN_BYTES:
                self.ids.setdefault(text, []).append(token_id)
                self.texts[token_id] = text


class HeldToSentences(LogitsProcessor):
    """Makes every token impossible that leads to none of some sentences. There is no dead end.

    Args:
        sentences: The sentences. Those that the vocabulary cannot spell are left out.
        tokens: The vocabulary.
        ends: Ids of the tokens that end an answer.
        prompt_tokens: How many tokens stand before the answers.

    Attributes:
        max_tokens: No answer has more tokens, the end included. 0 if no sentence can be spelled.
    """

    def __init__(self, sentences: Iterable[str], tokens: TokenBytes, ends: Sequence[int], prompt_tokens: int) -> None:
        texts = {sentence.encode() for sentence in sentences}
        if not tokens.is_byte_level:
            texts |= {b" " + text for text in texts}
        self._tokens, self._ends, self._prompt_tokens = tokens, list(ends), prompt_tokens
        is_complete = all(bytes([byte]) in tokens.ids for byte in set(b"".join(texts)))
        # By sentence, the places from which the rest can be spelled. Not needed if every byte has a token.
        self._open = None if is_complete else {text: self._spelled_from(text) for text in texts}
        self._sentences = sorted(text for text in texts if self._open is None or self._open[text][0])
        self._next: dict[bytes, torch.Tensor] = {}
        self.max_tokens = max((len(text) + 1 for text in self._sentences), default=0)

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """Masks the scores.

        Args:
            input_ids: int64 (answers, tokens), the prompt and what was written.
            scores: (answers, vocabulary).
        """
        held = torch.full_like(scores, -torch.inf)
        for row, written in enumerate(input_ids[:, self._prompt_tokens :].tolist()):
            possible = self._possible(written).to(scores.device)
            held[row, possible] = scores[row, possible]
        return held

    def _possible(self, written: Sequence[int]) -> torch.Tensor:
        if any(token in self._ends for token in written):
            return torch.tensor(self._ends)
        start = b"".join(self._tokens.texts[token] for token in written)
        if start not in self._next:
            self._next[start] = torch.tensor(sorted(self._ids_after(start)))
        return self._next[start]

    def _ids_after(self, start: bytes) -> set[int]:
        first = bisect_left(self._sentences, start)
        behind = bisect_left(self._sentences, start + _AFTER_ALL)
        at, pieces = len(start), set[bytes]()
        for text in self._sentences[first:behind]:
            if self._open is None:
                pieces.add(text[at : at + MAX_TOKEN_BYTES])
            else:
                open_from = self._open[text]
                pieces |= {text[at:end] for end in _ends_of_tokens(text, at) if open_from[end]}
        if self._open is None:
            pieces = {piece[:length] for piece in pieces for length in range(1, len(piece) + 1)}
        ids = {token_id for piece in pieces for token_id in self._tokens.ids.get(piece, ())}
        return ids | set(self._ends) if self._sentences[first] == start else ids

    def _spelled_from(self, text: bytes) -> list[bool]:
        open_from = [False] * len(text) + [True]
        for at in range(len(text) - 1, -1, -1):
            open_from[at] = any(
                open_from[end] and text[at:end] in self._tokens.ids for end in _ends_of_tokens(text, at)
            )
        return open_from


def _ends_of_tokens(text: bytes, at: int) -> range:
    """Where a token that starts at a place may end."""
    return range(at + 1, min(at + MAX_TOKEN_BYTES, len(text)) + 1)


def _is_byte_level(tokenizer: PreTrainedTokenizerBase) -> bool:
    """Whether the tokens are written in the alphabet of byte-level BPE."""
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None:
        return False
    return '"ByteLevel"' in json.dumps(json.loads(backend.to_str())["decoder"])
