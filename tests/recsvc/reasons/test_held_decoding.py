"""Decoding that is held to some sentences: whatever the scores, an answer is one of them, and each can be written."""

import random
from collections.abc import Sequence

import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from recsvc.reasons.authors.held_decoding import HeldToSentences, TokenBytes

SENTENCES = (
    "Because you bought [[item]].",
    "Because you bought [[item]] before.",
    "You bought [[item]], so you might like this.",
    "因为您买过[[item]]。",
    "您买过[[item]]，为您推荐这件商品。",
    "Café “[[item]]” 🦄",
)
PROMPT = 3  # tokens before the answers
Vocabulary = PreTrainedTokenizerFast


def fast(tokenizer: Tokenizer) -> Vocabulary:
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<end>", pad_token="<end>")  # noqa: S106


def byte_level(texts: Sequence[str] = SENTENCES, size: int = 400) -> Vocabulary:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(
        vocab_size=size, initial_alphabet=alphabet, special_tokens=["<end>"], show_progress=False
    )
    tokenizer.train_from_iterator(texts, trainer)
    return fast(tokenizer)


def sentencepiece(texts: Sequence[str] = SENTENCES, *, byte_fallback: bool = True) -> Vocabulary:
    """As Llama 2 and Gemma have: `▁` for a space, and a token for each byte, or none."""
    pieces = ["<end>", "<unk>", *(f"<0x{byte:02X}>" for byte in range(256) if byte_fallback)]
    pieces += sorted({character for text in texts for character in text.replace(" ", "▁")} | {"▁", "▁Because", "▁you"})
    tokenizer = Tokenizer(
        models.BPE({piece: at for at, piece in enumerate(pieces)}, [], unk_token="<unk>", byte_fallback=byte_fallback)  # noqa: S106
    )
    steps = [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    tokenizer.decoder = decoders.Sequence(steps)
    return fast(tokenizer)


def possible(scores: torch.Tensor) -> set[int]:
    return set(torch.isfinite(scores).nonzero().flatten().tolist())


def walk(held: HeldToSentences, tokenizer: Vocabulary, size: int, rng: random.Random) -> str:
    """Writes one answer, choosing any possible token."""
    ids = [5] * PROMPT
    while True:
        scores = held(torch.tensor([ids]), torch.zeros(1, size))[0]
        tokens = sorted(possible(scores))
        assert tokens, f"a dead end after {tokenizer.decode(ids[PROMPT:])!r}"
        ids.append(rng.choice(tokens))
        if ids[-1] == tokenizer.eos_token_id:
            return str(tokenizer.decode(ids[PROMPT:], skip_special_tokens=True)).strip()
        assert len(ids) - PROMPT < held.max_tokens


@pytest.mark.parametrize("make", [byte_level, sentencepiece])
def test_every_random_walk_ends_in_a_sentence_and_each_sentence_is_reached(make) -> None:
    tokenizer, rng = make(), random.Random(0)
    size = len(tokenizer) + 8  # a model may have more scores than tokens
    held = HeldToSentences(SENTENCES, TokenBytes(tokenizer, size), [tokenizer.eos_token_id], PROMPT)
    assert {walk(held, tokenizer, size, rng) for _ in range(120)} == set(SENTENCES)


def test_tokens_join_and_split_characters() -> None:
    tokenizer = byte_level()
    held = HeldToSentences(SENTENCES, TokenBytes(tokenizer, len(tokenizer)), [tokenizer.eos_token_id], PROMPT)
    for sentence in SENTENCES:
        for ids in (tokenizer(sentence).input_ids, [tokenizer(c).input_ids for c in sentence]):
            tokens = ids if isinstance(ids[0], int) else [token for of_character in ids for token in of_character]
            for at, token in enumerate([*tokens, tokenizer.eos_token_id]):
                scores = held(torch.tensor([[5] * PROMPT + tokens[:at]]), torch.zeros(1, len(tokenizer)))
                assert torch.isfinite(scores[0, token])


def test_sentence_that_the_vocabulary_cannot_spell_is_left_out() -> None:
    tokenizer, rng = sentencepiece(SENTENCES[:3], byte_fallback=False), random.Random(0)
    held = HeldToSentences(SENTENCES, TokenBytes(tokenizer, len(tokenizer)), [tokenizer.eos_token_id], PROMPT)
    assert {walk(held, tokenizer, len(tokenizer), rng) for _ in range(60)} == set(SENTENCES[:3])
    none = HeldToSentences(SENTENCES[3:], TokenBytes(tokenizer, len(tokenizer)), [tokenizer.eos_token_id], PROMPT)
    assert none.max_tokens == 0


def test_rows_of_a_batch_are_held_on_their_own_and_a_finished_row_stays_finished() -> None:
    tokenizer = byte_level()
    end = tokenizer.eos_token_id
    held = HeldToSentences(SENTENCES, TokenBytes(tokenizer, len(tokenizer)), [end], PROMPT)
    whole, begun = tokenizer(SENTENCES[0]).input_ids, tokenizer("您买").input_ids
    scores = held(torch.tensor([[5] * PROMPT + [*whole, end, end]]), torch.ones(1, len(tokenizer)))
    assert possible(scores[0]) == {end}
    rows = torch.tensor([[5] * PROMPT + whole[: len(begun)], [5] * PROMPT + begun])
    english, chinese = held(rows, torch.ones(2, len(tokenizer)))
    assert possible(english)
    assert possible(chinese)
    assert not possible(english) & possible(chinese)


def test_special_and_added_tokens_are_never_possible() -> None:
    tokenizer = byte_level()
    tokenizer.add_tokens(["Because you bought"])
    texts = TokenBytes(tokenizer, len(tokenizer)).texts
    assert tokenizer.convert_tokens_to_ids("Because you bought") not in texts
    assert tokenizer.eos_token_id not in texts
    assert b"".join(texts[token] for token in tokenizer("您 bought").input_ids) == "您 bought".encode()


def test_many_sentences_cost_little_memory_and_time_for_a_token() -> None:
    tokenizer = byte_level()
    many = [
        f"You bought {a} and {b} and {c}." for a in "abcdefghijklmnop" for b in "abcdefghijklmnop" for c in "abcdefg"
    ]
    held = HeldToSentences(many, TokenBytes(tokenizer, len(tokenizer)), [tokenizer.eos_token_id], PROMPT)
    assert walk(held, tokenizer, len(tokenizer), random.Random(0)) in many
    assert len(held._next) < held.max_tokens  # noqa: SLF001  what it keeps grows with the answers, not the sentences
