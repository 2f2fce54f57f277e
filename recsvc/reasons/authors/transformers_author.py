"""A language model on this machine, which writes patterns. It runs on CUDA if there is a GPU, else on the CPU."""

import functools
import re
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, LogitsProcessor, LogitsProcessorList

from recsvc.errors import SettingsError
from recsvc.reasons.authors.prompts import messages
from recsvc.reasons.grammar.pattern import PatternRequest
from recsvc.reasons.pattern_pool import model_name

MAX_TOKENS = 48
TEMPERATURE, TOP_P = 0.7, 0.9
# These are never decoded: numbers, prices, addresses, markup. Slots are marked by [[ ]] in the prompt.
_BANNED = re.compile(r"\d|[$€£¥%<>{}\\|^~@#*_=]|https?|www")


class _Ban(LogitsProcessor):
    """Makes some tokens impossible.

    Args:
        banned: Bool (vocabulary,), True for a token that must not be decoded.
    """

    def __init__(self, banned: torch.Tensor) -> None:
        self._banned = banned

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:  # noqa: ARG002  the library's
        return scores.masked_fill(self._banned[: scores.shape[-1]], -torch.inf)


class TransformersAuthor:
    """Loads a causal model and its tokenizer: safetensors only, and none of their code is run.

    Args:
        model: Name of the model, or its folder.
        revision: Revision of the model; "main" if empty.

    Raises:
        SettingsError: The model or its tokenizer cannot be loaded.
    """

    name = "transformers"

    def __init__(self, model: str, revision: str = "") -> None:
        self.model = model_name(model, revision)
        device = "cuda" if torch.cuda.is_available() else "cpu"
        options: dict[str, Any] = {"trust_remote_code": False, "revision": revision or "main"}
        try:
            self._tokenizer: Any = AutoTokenizer.from_pretrained(model, padding_side="left", **options)
            loaded: Any = AutoModelForCausalLM.from_pretrained(model, use_safetensors=True, **options)
        except (OSError, ValueError, ImportError) as error:
            raise SettingsError(f"reason_model: {model!r} cannot be loaded: {str(error).splitlines()[0]}") from None
        self._model: Any = loaded.to(device).eval()
        if self._tokenizer.pad_token_id is None:
            self._tokenizer.pad_token = self._tokenizer.eos_token

    @torch.inference_mode()
    def write(self, request: PatternRequest, known: tuple[str, ...], n: int) -> list[str]:
        """Writes `n` answers, sampled as one batch."""
        prompt = self._prompt(messages(request, known))
        ids = self._tokenizer(prompt, return_tensors="pt", add_special_tokens=False).to(self._model.device)
        generated = self._model.generate(
            **ids,
            max_new_tokens=MAX_TOKENS,
            do_sample=True,
            temperature=TEMPERATURE,
            top_p=TOP_P,
            num_return_sequences=n,
            logits_processor=LogitsProcessorList([_Ban(self._banned)]),
            pad_token_id=self._tokenizer.pad_token_id,
        )
        answers: list[str] = self._tokenizer.batch_decode(
            generated[:, ids.input_ids.shape[1] :], skip_special_tokens=True
        )
        return answers

    def _prompt(self, chat: list[dict[str, str]]) -> str:
        if self._tokenizer.chat_template is None:
            return "\n\n".join(message["content"] for message in chat) + "\n"
        options: Any = {"tokenize": False, "add_generation_prompt": True, "enable_thinking": False}
        return str(self._tokenizer.apply_chat_template(chat, **options))

    @functools.cached_property
    def _banned(self) -> torch.Tensor:
        size = self._model.get_output_embeddings().out_features
        texts = self._tokenizer.batch_decode([[token] for token in range(min(size, len(self._tokenizer)))])
        banned = torch.zeros(size, dtype=torch.bool)
        banned[: len(texts)] = torch.tensor([_BANNED.search(text) is not None for text in texts])
        banned[self._tokenizer.all_special_ids] = False
        return banned.to(self._model.device)
