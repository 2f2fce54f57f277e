"""Makes a real, tiny causal language model, with a tokenizer and a chat template, that learns given answers."""

from collections.abc import Sequence
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

TEMPLATE = "{% for m in messages %}{{ m['content'] }}\n{% endfor %}"


def make(folder: Path, lessons: Sequence[tuple[str, str]] = (), steps: int = 0, batch: int = 1) -> Path:
    """Trains and saves a model that continues prompts.

    Args:
        folder: Where to save it.
        lessons: Pairs of a prompt's end and its answer.
        steps: Training steps.
        batch: Lessons in one step.
    """
    torch.manual_seed(0)
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(
        vocab_size=600, initial_alphabet=alphabet, special_tokens=["<end>"], show_progress=False
    )
    tokenizer.train_from_iterator([text for lesson in lessons for text in lesson], trainer)
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<end>", pad_token="<end>")  # noqa: S106
    fast.chat_template = TEMPLATE
    config = LlamaConfig(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=8_192,
        eos_token_id=0,
        bos_token_id=0,
        pad_token_id=0,
    )
    model = LlamaForCausalLM(config)
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)
    for step in range(steps):
        taught = [lessons[(step * batch + place) % len(lessons)] for place in range(batch)]
        starts = [fast(prompt).input_ids for prompt, _ in taught]
        sequences = [
            start + fast(answer + "\n").input_ids + [0] for start, (_, answer) in zip(starts, taught, strict=True)
        ]
        ids = torch.zeros(batch, max(map(len, sequences)), dtype=torch.long)
        labels = torch.full_like(ids, -100)
        for row, (start, sequence) in enumerate(zip(starts, sequences, strict=True)):
            ids[row, : len(sequence)] = torch.tensor(sequence)
            labels[row, len(start) : len(sequence)] = ids[row, len(start) : len(sequence)]
        # Padding is behind the lesson: no token of the lesson attends to it, and it has no labels.
        model(input_ids=ids, labels=labels).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    model.save_pretrained(folder, safe_serialization=True)
    fast.save_pretrained(folder)
    return folder
