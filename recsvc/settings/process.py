"""The settings of a server process and of a reason worker: each with its unit, its default and the reason for it."""

import ssl
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlencode

from pydantic import Field, SecretStr, field_validator, model_validator

from recsvc.domain.serving_config import ServingConfig
from recsvc.settings.access import AccessSettings
from recsvc.settings.loading import CommonSettings, check_pair


def _log_format() -> Literal["json", "console"]:
    return "console" if sys.stderr.isatty() else "json"


class _Settings(CommonSettings):
    """The settings that a server process and a reason worker share."""

    # Which language model writes reasons.
    reason_generator: Literal["realiser", "transformers", "openai"] = Field(
        "realiser",
        description="realiser: the phrase bank words the reasons. transformers, openai: it also uses the patterns that "
        "a reason worker wrote with such a language model",
    )
    reason_model: str = Field(
        "", max_length=256, description="name of the language model, or its folder (transformers)"
    )
    reason_revision: str = Field(
        "", max_length=128, description="revision of the language model, so that it stays the same one"
    )

    # Where the state is stored.
    redis_url: SecretStr | None = Field(
        None,
        description="URL of a Redis server, cluster or sentinels; without it, a private Redis runs in the data "
        "directory. Set RECSVC_REDIS_URL if the URL holds a password: other users of the machine can see flags",
    )
    redis_ca: Path | None = Field(
        None, description="PEM file of the CA of Redis with TLS (rediss); without it, those of the machine"
    )
    redis_cert: Path | None = Field(
        None, description="PEM file of the certificate that Redis asks of its clients; needs redis_key"
    )
    redis_key: Path | None = Field(None, description="PEM file of the private key of redis_cert")
    namespace: str = Field(
        "recsvc",
        pattern=r"^[A-Za-z0-9_.-]{1,64}$",
        description="first part of every Redis key; several shops can share one Redis",
    )
    data_dir: Path = Field(Path("var/recsvc"), description="folder of the private Redis")
    store_timeout: Annotated[float, Field(gt=0, le=60, allow_inf_nan=False)] = Field(
        0.1, description="seconds to wait for Redis; after that a list is degraded and a write is refused"
    )

    # Logs.
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="lowest severity that is logged"
    )
    log_format: Literal["json", "console"] = Field(
        default_factory=_log_format, description="json or console; the default is console on a terminal, else json"
    )

    @property
    def redis_address(self) -> str | None:
        """The URL of Redis with its TLS files; None for a private Redis. It may hold a password."""
        if self.redis_url is None:
            return None
        files = {"ssl_ca_certs": self.redis_ca, "ssl_certfile": self.redis_cert, "ssl_keyfile": self.redis_key}
        options = urlencode({name: str(path) for name, path in files.items() if path is not None})
        url = self.redis_url.get_secret_value()
        return f"{url}{'&' if '?' in url else '?'}{options}" if options else url

    @model_validator(mode="after")
    def _files_of_redis_fit(self) -> Self:
        check_pair(self.redis_cert, self.redis_key, "redis_cert", "redis_key")
        files = (self.redis_ca, self.redis_cert)
        if not any(files):
            return self
        url = self.redis_url.get_secret_value() if self.redis_url is not None else ""
        if not url.startswith("rediss"):
            raise ValueError("redis_ca and redis_cert need a redis_url that begins with rediss")
        for name in ("redis_ca", "redis_cert", "redis_key"):
            path: Path | None = getattr(self, name)
            if path is not None:
                _check_readable(name, path)
        _check_fits("redis_ca must be a PEM file of a CA", lambda: ssl.create_default_context(cafile=self.redis_ca))
        if self.redis_cert is not None:
            cert, context = self.redis_cert, ssl.create_default_context()
            _check_fits(
                "redis_cert and redis_key must be PEM files, redis_key of this certificate and without a password",
                lambda: context.load_cert_chain(cert, self.redis_key, password=lambda: ""),
            )
        return self


def _check_readable(name: str, path: Path) -> None:
    """Raises ValueError if a file cannot be read."""
    try:
        path.open("rb").close()
    except OSError as error:
        raise ValueError(f"{name} cannot be read ({error.strerror}): correct its path, or its permissions") from None


def _check_fits(problem: str, load: Callable[[], object]) -> None:
    """Raises ValueError if files cannot be loaded."""
    try:
        load()
    except ssl.SSLError:
        raise ValueError(problem) from None


class Settings(AccessSettings, _Settings):
    """The settings of one server process. The descriptions are also the help of the flags."""

    # What is served.
    bundle: Path = Field(description="folder of the bundle to serve; required")
    text_encoder: str = Field(
        "auto",
        min_length=1,
        description="text encoder, the one that the bundle was trained with: auto takes the one that the bundle names; "
        "else embedded, multilingual, english, a sentence-transformers folder, or a name on the hub",
    )
    placements: Path | None = Field(None, description="TOML file of the shop's placements and segments")
    synonyms: Path | None = Field(
        None, description="text file of words that a search takes for each other: one group a line, commas between"
    )
    log_searches: bool = Field(
        default=False,
        description="true: the text of each search is kept with its list and exported, so that a report can say which "
        "searches find nothing. People type personal words too, so it is off unless you turn it on",
    )
    unknown_is_private: bool = Field(
        default=False,
        description="true: no reason uses what users did with items that have no category. For shops that sell "
        "sensitive things and have not put every item into a category",
    )
    reason_pronoun: Literal["您", "你"] = Field(
        "您", description="how Chinese reasons and copy address the shopper, throughout: 您 is polite, 你 familiar"
    )

    # What is stored of a user.
    history_limit: Annotated[int, Field(ge=1, le=10_000)] = Field(
        256,
        description="newest events stored for each user: this number of purchases, of returns, of hidden items, and of "
        "views and carts together; more of them cost memory and seldom help",
    )
    durability: str = Field(
        "redis",
        pattern=r"^(redis|fsync|replicas:[1-9])$",
        description="when a write is acknowledged: redis: Redis has it; fsync: Redis has synced its disk, which its "
        "setting appendfsync always does; replicas:N: N replicas have it",
    )

    # Where it listens.
    host: str = Field(
        "127.0.0.1",
        pattern=r"^[A-Za-z0-9_.:-]{1,253}$",
        description="address for gRPC and metrics; others than loopback need TLS and keys",
    )
    port: Annotated[int, Field(ge=0, le=65_535)] = Field(50_051, description="gRPC port; 0 for any free one")
    metrics_port: Annotated[int, Field(ge=-1, le=65_535)] = Field(
        9_464, description="Prometheus port; 0 for any free one, -1 for no metrics"
    )
    metrics_host: str = Field(
        "", pattern=r"^[A-Za-z0-9_.:-]{0,253}$", description="address for metrics, if it is not that of gRPC"
    )
    insecure_off_loopback: Literal["no", "yes-i-know"] = Field(
        "no",
        description="yes-i-know: listens on others than loopback without TLS or without keys. Anybody who reaches the "
        "ports can then read and erase users. For a mesh or proxy that encrypts and checks callers",
    )
    reuse_port: bool = Field(
        default=False,
        description="true: processes that are started apart share the gRPC port; on one machine, workers is simpler",
    )

    workers: Annotated[int, Field(ge=1, le=128)] = Field(
        1,
        description="processes that share the gRPC port, one for each core to use. With more than 1, a supervisor "
        "starts them, restarts one that crashes, and adds up their metrics",
    )

    # Where its traces go.
    trace_endpoint: str = Field(
        "",
        pattern=r"^(https?://[^@\s]{1,2040})?$",
        description="address of an OpenTelemetry collector for OTLP over HTTP, such as "
        "http://collector:4318/v1/traces; without it nothing is traced. Needs the extra tracing",
    )
    trace_share: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = Field(
        0.01,
        description="share of the calls that is traced, 0 to 1; a caller that sends a traceparent decides for its own",
    )

    # How it behaves.
    max_concurrent_requests: Annotated[int, Field(ge=1, le=100_000)] = Field(
        1_000, description="most lists at the same time; further ones are refused, so that the others are not late"
    )
    search_threads: Annotated[int, Field(ge=1, le=256)] = Field(
        1, description="cores for one search or one batch of user vectors; more than 1 helps above 100,000 items"
    )
    cache_size: Annotated[int, Field(ge=0, le=10_000_000)] = Field(
        10_000, description="users whose state a process keeps in memory: it saves work, and serves when Redis is away"
    )
    drain_seconds: Annotated[float, Field(ge=0, le=600, allow_inf_nan=False)] = Field(
        0.0,
        description="seconds in which calls are still accepted after SIGTERM, while health says NOT_SERVING. Behind a "
        "load balancer use 5, so that it notices",
    )
    grace_seconds: Annotated[float, Field(ge=0, le=600, allow_inf_nan=False)] = Field(
        10.0, description="seconds that accepted calls then get to finish"
    )

    @field_validator("port", mode="before")
    @classmethod
    def _not_a_service_link(cls, value: object) -> object:
        # Kubernetes sets RECSVC_PORT=tcp://... in every pod beside a Service named recsvc. No operator wrote that.
        if isinstance(value, str) and value.startswith("tcp://"):
            return cls.model_fields["port"].default
        return value

    def serving_config(self) -> ServingConfig:
        """The part of the settings that the rooms below the server read."""
        return ServingConfig(
            bundle=self.bundle,
            text_encoder=self.text_encoder,
            placements=self.placements,
            synonyms=self.synonyms,
            log_searches=self.log_searches,
            cache_size=self.cache_size,
            unknown_is_private=self.unknown_is_private,
            reason_pronoun=self.reason_pronoun,
            reason_generator=self.reason_generator,
            reason_model=self.reason_model,
            reason_revision=self.reason_revision,
        )


class WorkerSettings(_Settings):
    """The settings of a reason worker."""

    reason_generator: Literal["transformers", "openai"] = Field(description="kind of language model; required")
    reason_endpoint: str = Field(
        "", max_length=2_048, description="address of a server of the chat completions API, such as http://host/v1"
    )
    reason_api_key: SecretStr | None = Field(
        None, description="key of that server; set RECSVC_REASON_API_KEY, because other users can see flags"
    )
    reason_timeout: Annotated[float, Field(gt=0, le=3_600, allow_inf_nan=False)] = Field(
        120.0,
        description="seconds to wait for one call of the language model; a call that is too slow is repeated for half "
        "as many answers",
    )
    reason_batch: Annotated[int, Field(ge=1, le=64)] = Field(
        4, description="most answers that one call of the language model asks for; a claim gets a dozen"
    )


class BackupSettings(_Settings):
    """The settings of `recsvc backup` and `recsvc restore`."""
