"""A language model on this machine, which writes patterns. It runs on CUDA if there is a GPU, else on the CPU."""

import functools
import time
from typing import Any

import structlog
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, BatchEncoding, LogitsProcessorList

from recsvc.errors import AuthorUnavailable, SettingsError
from recsvc.reasons.authors.choices import choices
from recsvc.reasons.authors.gguf_file import gguf_of, not_loaded
from recsvc.reasons.authors.held_decoding import HeldToSentences, TokenBytes
from recsvc.reasons.authors.prompts import messages
from recsvc.reasons.grammar.pattern import PatternRequest
from recsvc.reasons.pattern_pool import model_name

TIMEOUT_SECONDS = 120.0
TEMPERATURE, TOP_P = 0.7, 0.9
MAX_PROBLEM = 400  # characters of the library's error that are shown

_log = structlog.get_logger(__name__)


class TransformersAuthor:
    """Loads a causal model and its tokenizer: safetensors or GGUF only, and none of their code is run.

    Its answers are licensed sentences, because decoding is held to them.

    Args:
        model: Name of the model, or its folder, or a GGUF file.
        revision: Revision of the model; "main" if empty.
        timeout_seconds: Of each batch. Answers that are not finished by then are lost, and no others.
        batch: Answers that are written side by side.

    Raises:
        SettingsError: The model or its tokenizer cannot be loaded.
    """

    name = "transformers"

    def __init__(
        self, model: str, revision: str = "", timeout_seconds: float = TIMEOUT_SECONDS, batch: int = 1
    ) -> None:
        self.model = model_name(model, revision)
        self._timeout_seconds, self._batch = timeout_seconds, batch
        self._tokenizer, loaded = _loaded(model, revision)
        device = "cuda" if torch.cuda.is_available() else "cpu"
        self._model: Any = loaded.to(device).eval()
        if self._tokenizer.pad_token_id is None:
            self._tokenizer.pad_token = self._tokenizer.eos_token

    @torch.inference_mode()
    def write(self, request: PatternRequest, known: tuple[str, ...], n: int) -> list[str]:
        """Writes at most `n` answers, none of which is known, in batches.

        Raises:
            AuthorUnavailable: Not one answer was finished in time.
        """
        prompt = self._prompt(messages(request, known))
        ids = self._tokenizer(prompt, return_tensors="pt", add_special_tokens=False).to(self._model.device)
        written: list[str] = []
        while len(written) < n:
            left = [sentence for sentence in choices(request, known) if sentence not in written]
            held = HeldToSentences(left, self._tokens, self._ends, ids.input_ids.shape[1])
            if not held.max_tokens:
                break
            answers = self._answers(ids, held, min(self._batch, n - len(written)))
            if not answers and not written:
                raise AuthorUnavailable(
                    f"no answer was finished within {self._timeout_seconds:g} s; --reason-timeout sets how long to wait"
                )
            if not answers:
                _log.warning("answers_missing", asked=n, answered=len(written), problem="too slow")
                break
            written += answers
        return written

    def _answers(self, ids: BatchEncoding, held: HeldToSentences, n: int) -> list[str]:
        """The answers that were finished in time."""
        started = time.monotonic()
        generated = self._model.generate(
            **ids,
            max_new_tokens=held.max_tokens,
            max_time=self._timeout_seconds,
            do_sample=True,
            temperature=TEMPERATURE,
            top_p=TOP_P,
            num_return_sequences=n,
            logits_processor=LogitsProcessorList([held]),
            eos_token_id=self._ends,
            pad_token_id=self._tokenizer.pad_token_id,
        )[:, ids.input_ids.shape[1] :]
        finished = torch.isin(generated, torch.tensor(self._ends, device=generated.device)).any(dim=1)
        if not finished.all() and time.monotonic() - started > self._timeout_seconds and self._batch > 1:
            self._batch = max(self._batch // 2, 1)
        # One by one: of no rows, batch_decode makes one empty text.
        return [self._tokenizer.decode(ids_of_one, skip_special_tokens=True) for ids_of_one in generated[finished]]

    def _prompt(self, chat: list[dict[str, str]]) -> str:
        if self._tokenizer.chat_template is None:
            return "\n\n".join(message["content"] for message in chat) + "\n"
        options: Any = {"tokenize": False, "add_generation_prompt": True, "enable_thinking": False}
        return str(self._tokenizer.apply_chat_template(chat, **options))

    @functools.cached_property
    def _tokens(self) -> TokenBytes:
        return TokenBytes(self._tokenizer, self._model.get_output_embeddings().out_features)

    @functools.cached_property
    def _ends(self) -> list[int]:
        ends = self._model.generation_config.eos_token_id
        ends = self._tokenizer.eos_token_id if ends is None else ends
        return list(ends) if isinstance(ends, list) else [int(ends)]


def _loaded(model: str, revision: str) -> tuple[Any, Any]:
    """A tokenizer and a model. Raises SettingsError."""
    gguf = gguf_of(model)
    options: dict[str, Any] = {"trust_remote_code": False, "revision": revision or "main"}
    weights: dict[str, Any] = {"use_safetensors": True}
    folder = model
    if gguf is not None:
        folder, options["gguf_file"] = gguf
        weights = {"dtype": torch.float32}  # of the products: the weights stay packed
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, padding_side="left", **options)
        return tokenizer, AutoModelForCausalLM.from_pretrained(folder, **weights, **options)
    except (OSError, ValueError, ImportError, KeyError, NotImplementedError) as error:
        problem = whole_sentences(str(error)) or type(error).__name__
        message = not_loaded(model, problem) if gguf else f"reason_model: {model!r} cannot be loaded: {problem}"
        raise SettingsError(message) from None


def whole_sentences(text: str) -> str:
    """A text on one line, at most `MAX_PROBLEM` characters of it, cut between two sentences."""
    line = " ".join(text.split())
    if len(line) <= MAX_PROBLEM:
        return line.rstrip(".")
    end = line.rfind(". ", 0, MAX_PROBLEM)
    return line[:end] if end > 0 else line
