"""The parts that the recommenders of one process share."""

from collections.abc import Awaitable, Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field

from recsvc.domain.arrays import Floats
from recsvc.domain.serving_config import ServingConfig
from recsvc.model.words import Words
from recsvc.pipeline.popularity_scorer import Popularity
from recsvc.reasons import ReasonWriter
from recsvc.retrieval.synonyms import Groups, Synonyms
from recsvc.store import UserStore


@dataclass(frozen=True, kw_only=True, slots=True)
class ServingThreads:
    """One thread for each kind of work, so that a batch of searches does not wait for a slow text.

    Attributes:
        search: Searches items by vector and by words.
        tower: Computes user vectors.
        encode: Runs the language model.
    """

    search: Executor
    tower: Executor
    encode: Executor

    @classmethod
    def start(cls) -> "ServingThreads":
        """Makes the executors; each starts its thread with its first work."""
        return cls(
            search=ThreadPoolExecutor(1, "search"),
            tower=ThreadPoolExecutor(1, "tower"),
            encode=ThreadPoolExecutor(1, "encode"),
        )

    def shutdown(self) -> None:
        """Cancels work that has not begun. Does not wait for work that runs."""
        for executor in (self.search, self.tower, self.encode):
            executor.shutdown(wait=False, cancel_futures=True)


@dataclass(frozen=True, kw_only=True)
class ServingResources:
    """What the recommenders of one process share.

    Attributes:
        store: Redis.
        reasons: Writes the reasons.
        popularity: Orders items by their sales.
        encode: Returns the language model's embedding of a text, float32 (dim,).
        has_word: Whether the language model knows a word; see `recsvc.model.text_encoder.TextEncoder`.
        threads: Run the computations.
        synonyms: Expressions that a search takes for each other.
        config: What the process serves.
    """

    store: UserStore
    reasons: ReasonWriter
    popularity: Popularity
    encode: Callable[[str], Awaitable[Floats]]
    has_word: Callable[[str], bool]
    threads: ServingThreads
    synonyms: Groups
    config: ServingConfig
    _synonyms_by_language: dict[str, Synonyms] = field(default_factory=dict, init=False, repr=False, compare=False)

    def synonyms_in(self, words: Words) -> Synonyms:
        """Returns the synonyms as terms of a language. They are built once: a large file takes seconds."""
        synonyms = self._synonyms_by_language.get(words.language)
        if synonyms is None:
            synonyms = self._synonyms_by_language[words.language] = Synonyms(self.synonyms, words)
        return synonyms
