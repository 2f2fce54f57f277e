"""Everything behind the gRPC services of one process: puts it together, starts it and stops it."""

from collections.abc import Callable

import structlog

from recsvc.domain.serving_config import ServingConfig
from recsvc.errors import SettingsError, TextEncoderError
from recsvc.model import bundle_files, text_encoders
from recsvc.model.batched_encoder import BatchedTextEncoder
from recsvc.model.bundle import Bundle
from recsvc.model.text_encoder import TextEncoder
from recsvc.pipeline.event_intake import EventIntake
from recsvc.pipeline.placements import Placements
from recsvc.pipeline.popularity_scorer import Popularity
from recsvc.pipeline.serving_resources import ServingResources, ServingThreads
from recsvc.reasons import PatternPool, model_name
from recsvc.registry.encoder_check import EncoderCheck
from recsvc.registry.model_registry import ModelRegistry
from recsvc.registry.pattern_follower import PatternFollower
from recsvc.registry.reason_stream import ReasonStream
from recsvc.registry.router import Router
from recsvc.registry.store_follower import StoreFollower
from recsvc.registry.text_policy import TextPolicy
from recsvc.retrieval.synonyms import read_synonyms
from recsvc.store import UserStore

SHOWN_PINS = 20  # item ids in one line of the log

_log = structlog.get_logger(__name__)


class Backend:
    """Loads a bundle and builds the parts that the services use. Takes seconds: not for the event loop.

    Args:
        config: What to serve.
        store: The shared state.
        on_bundle_loaded: Called after each bundle that was loaded.

    Attributes:
        store: The shared state.
        registry: The bundles in memory.
        router: Answers queries.
        event_intake: Writes events.
        encoder: Embeds profiles and new items.
        text_policy: The writers of texts, and which texts are turned off.
        reason_stream: Streams better reasons.

    Raises:
        BundleError: The bundle cannot be used.
        TextEncoderError: The text encoder cannot be loaded, or is not the one of the bundle.
        SettingsError: The placements file, the synonyms file or the language model's settings cannot be used.
    """

    def __init__(
        self, config: ServingConfig, store: UserStore, on_bundle_loaded: Callable[[], object] = lambda: None
    ) -> None:
        pool = pattern_pool(config)
        placements = self._placements = Placements.load(config.placements)
        synonyms = read_synonyms(config.synonyms)
        bundle = bundle_files.load(config.bundle)
        encoder = load_encoder(config.text_encoder, bundle)
        self._threads = ServingThreads.start()
        self.store = store
        self.encoder = BatchedTextEncoder(encoder, self._threads.encode, store.condition)
        self.text_policy = TextPolicy(
            store.switches,
            pool,
            condition=store.condition,
            unknown_is_private=config.unknown_is_private,
            pronoun=config.reason_pronoun,
        )
        self._patterns = PatternFollower(store.patterns, pool, store.condition) if pool is not None else None
        self.reason_stream = ReasonStream(self.text_policy.writer, self._patterns)
        resources = ServingResources(
            store=store,
            reasons=self.text_policy.writer,
            popularity=Popularity(store.popularity),
            encode=self.encoder.encode,
            has_word=self.encoder.has_word,
            threads=self._threads,
            synonyms=synonyms,
            config=config,
        )
        self.registry = ModelRegistry(
            bundle,
            bundles_dir=config.bundle.resolve().parent,
            always_loaded=placements.bundle_ids,
            resources=resources,
            encoder=self.encoder,
            reason_stream=self.reason_stream,
            on_loaded=on_bundle_loaded,
        )
        self.router = Router(
            self.registry, placements, store.lists, self.text_policy.content, log_searches=config.log_searches
        )
        self.event_intake = EventIntake(store, placements, self.registry)
        self._store_follower = StoreFollower(store, store.condition)
        self._encoder_check = EncoderCheck(self.encoder, store.condition)

    async def start(self) -> None:
        """Returns when the wanted bundles are loaded and everything is as Redis has it.

        Raises:
            BundleUnusable: A bundle that a placement names is missing or cannot be used.
        """
        await self._store_follower.start()
        await self._encoder_check.start()
        await self.registry.start()
        self._warn_of_unknown_pins()
        await self.text_policy.start()
        if self._patterns is not None:
            await self._patterns.start()

    def _warn_of_unknown_pins(self) -> None:
        unknown = sorted(item for item in self._placements.pinned_ids if not self.registry.current.knows_item(item))
        if unknown:
            _log.warning("pins_of_unknown_items", item_ids=unknown[:SHOWN_PINS], items=len(unknown))

    async def close(self) -> None:
        """Finishes the writes that are under way, and stops the threads. Also after a start that failed."""
        await self._store_follower.close()
        await self._encoder_check.close()
        await self.registry.close()
        await self.text_policy.close()
        if self._patterns is not None:
            await self._patterns.close()
        self._threads.shutdown()


def pattern_pool(config: ServingConfig) -> PatternPool | None:
    """Returns an empty pool for the patterns of the configured language model; None without one.

    Raises:
        SettingsError: The model has no name.
    """
    if config.reason_generator == "realiser":
        return None
    if not config.reason_model:
        raise SettingsError(f"reason_model: names the model of {config.reason_generator}, as its worker has it")
    return PatternPool(config.reason_generator, model_name(config.reason_model, config.reason_revision))


def load_encoder(name: str, bundle: Bundle) -> TextEncoder:
    """Loads the text encoder of a bundle. name: of the encoder; "auto" for the one that the bundle names.

    Raises:
        TextEncoderError: The encoder cannot be loaded, or the bundle was trained with another one.
    """
    if name == text_encoders.AUTO:
        name = bundle.model.text_encoder
    encoder = text_encoders.load(name)
    trained_with = bundle.model.text_encoder
    if encoder.fingerprint == bundle.model.text_encoder_fingerprint:
        return encoder
    if name == trained_with:
        raise TextEncoderError(
            f"the weights of the text encoder {name!r} here are not those of the bundle: install the "
            "same ones, or train the bundle again"
        )
    raise TextEncoderError(
        f"the bundle was trained with the text encoder {trained_with!r}, whose weights are not those of {name!r}: set "
        "text_encoder to auto, or to the bundle's"
    )
