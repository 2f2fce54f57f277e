"""The settings of the commands: each with its unit, its default and the reason for it.

Only this module reads the environment. A flag goes before the variable RECSVC_<NAME>, and that before the default.
"""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from recsvc.domain.serving_config import ServingConfig
from recsvc.errors import SettingsError

_PREFIX = "RECSVC_"


def _log_format() -> Literal["json", "console"]:
    return "console" if sys.stderr.isatty() else "json"


class _Settings(BaseSettings):
    """The settings that a server process and a reason worker share."""

    # An empty variable counts as unset, as compose files leave them.
    model_config = SettingsConfigDict(
        env_prefix=_PREFIX, env_ignore_empty=True, extra="forbid", frozen=True, hide_input_in_errors=True
    )

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


class Settings(_Settings):
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
    # Where it listens.
    host: str = Field(
        "127.0.0.1",
        pattern=r"^[A-Za-z0-9_.:-]{1,253}$",
        description="address for gRPC and metrics; loopback by default, because neither is encrypted",
    )
    port: Annotated[int, Field(ge=0, le=65_535)] = Field(50_051, description="gRPC port; 0 for any free one")
    metrics_port: Annotated[int, Field(ge=-1, le=65_535)] = Field(
        9_464, description="Prometheus port; 0 for any free one, -1 for no metrics"
    )
    reuse_port: bool = Field(
        default=False,
        description="true: several processes share the gRPC port; one process uses about one core",
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
        1_000, description="most calls at the same time; further ones are refused, so that the others are not late"
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


SettingsKind = TypeVar("SettingsKind", bound=_Settings)


def load_settings(flags: Mapping[str, Any], kind: type[SettingsKind]) -> SettingsKind:
    """Reads and checks settings.

    Args:
        flags: Values from the command line by name. A flag that was not given is absent.
        kind: Which settings.

    Raises:
        SettingsError: Names every bad setting, and no value: a URL may hold a password.
    """
    try:
        return kind(**flags)
    except ValidationError as error:
        raise SettingsError("; ".join(_problem(details["loc"], details["msg"]) for details in error.errors())) from None


def _problem(location: tuple[int | str, ...], message: str) -> str:
    name = str(location[0]) if location else "settings"
    message = message.removeprefix("Value error, ")
    return f"{name} ({_PREFIX}{name.upper()}): {message[:1].lower()}{message[1:]}"
