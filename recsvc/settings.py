"""What an operator can set. The only reader of the environment: every setting, its unit, its default and why.

A flag of `recsvc serve` goes before the environment variable RECSVC_<NAME>, and that before the default.
"""

import sys
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
    """What a server process and a reason worker both need."""

    # An empty variable counts as unset, as compose files leave them.
    model_config = SettingsConfigDict(
        env_prefix=_PREFIX, env_ignore_empty=True, extra="forbid", frozen=True, hide_input_in_errors=True
    )

    # What writes the reasons.
    reason_generator: Literal["realiser", "transformers", "openai"] = Field(
        "realiser",
        description="who words the reasons: the phrase bank (realiser), or beside it a language model whose patterns a "
        "reason worker writes ahead",
    )
    reason_model: str = Field("", max_length=256, description="the language model: a name, or a folder (transformers)")
    reason_revision: str = Field("", max_length=128, description="its revision, so that it stays the same model")

    # Where state is kept.
    redis_url: SecretStr | None = Field(
        None,
        description="URL of a server, cluster or sentinels; none: a private Redis in the data directory. A password "
        "goes into RECSVC_REDIS_URL, not into a flag: other users of the machine see flags",
    )
    namespace: str = Field(
        "recsvc",
        pattern=r"^[A-Za-z0-9_.-]{1,64}$",
        description="start of every Redis key, so that shops can share one Redis",
    )
    data_dir: Path = Field(Path("var/recsvc"), description="folder of the private Redis")
    store_timeout: Annotated[float, Field(gt=0, le=60, allow_inf_nan=False)] = Field(
        0.1, description="seconds to wait for Redis; then a list is degraded and a write refused"
    )

    # What it tells.
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="least severity that is logged")
    log_format: Literal["json", "console"] = Field(
        default_factory=_log_format, description="json or console; on a terminal console, else json"
    )


class Settings(_Settings):
    """Checked settings of one server process. The descriptions are also the help of the flags."""

    # What is served.
    bundle: Path = Field(description="folder of the bundle to serve (required)")
    text_encoder: str = Field(
        "embedded",
        min_length=1,
        description="sentence-embedding model: a name, a folder, or 'embedded' (needs no network); "
        "must be the one the bundle was trained with",
    )
    placements: Path | None = Field(None, description="TOML file of the shop's placements and segments")

    unknown_is_private: bool = Field(
        False,
        description="true: no reason is made of what users did with items without a category; for shops that sell what "
        "tells something private and do not sort all of it",
    )

    # What is kept of a user.
    history_limit: Annotated[int, Field(ge=1, le=10_000)] = Field(
        256, description="events kept of one user, newest first; more costs memory and seldom helps"
    )
    # Where it listens.
    host: str = Field(
        "127.0.0.1",
        pattern=r"^[A-Za-z0-9_.:-]{1,253}$",
        description="address for gRPC and metrics; loopback, as neither is encrypted",
    )
    port: Annotated[int, Field(ge=0, le=65_535)] = Field(50_051, description="gRPC port; 0 takes any free one")
    metrics_port: Annotated[int, Field(ge=-1, le=65_535)] = Field(
        9_464, description="Prometheus port; 0 takes any free one, -1 is off"
    )
    reuse_port: bool = Field(
        False,
        description="true: several processes share the gRPC port, as one process uses about one core",
    )

    # How it behaves.
    max_concurrent_requests: Annotated[int, Field(ge=1, le=100_000)] = Field(
        1_000, description="calls at once; more are refused at once rather than all served late"
    )
    search_threads: Annotated[int, Field(ge=1, le=256)] = Field(
        1, description="cores that one search or one batch of user vectors may take; more helps above 100k items"
    )
    cache_size: Annotated[int, Field(ge=0, le=10_000_000)] = Field(
        10_000, description="users whose state a process keeps, to save work and for when Redis is away"
    )
    drain_seconds: Annotated[float, Field(ge=0, le=600, allow_inf_nan=False)] = Field(
        0.0,
        description="seconds it still accepts calls after SIGTERM while its health says NOT_SERVING, so that balancers "
        "notice; 5 behind one, 0 suits a terminal",
    )
    grace_seconds: Annotated[float, Field(ge=0, le=600, allow_inf_nan=False)] = Field(
        10.0, description="seconds that accepted calls then have to finish"
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
            cache_size=self.cache_size,
            unknown_is_private=self.unknown_is_private,
            reason_generator=self.reason_generator,
            reason_model=self.reason_model,
            reason_revision=self.reason_revision,
        )


class WorkerSettings(_Settings):
    """Checked settings of a reason worker."""

    reason_generator: Literal["transformers", "openai"] = Field(description="who writes (required)")
    reason_endpoint: str = Field(
        "", max_length=2_048, description="address of a server that speaks chat completions, such as http://host/v1"
    )
    reason_api_key: SecretStr | None = Field(
        None, description="key of that server; set RECSVC_REASON_API_KEY, other users of the machine see flags"
    )


Checked = TypeVar("Checked", bound=_Settings)


def load_settings(flags: dict[str, Any], kind: type[Checked]) -> Checked:
    """The settings of a kind from `flags` (by name; absent ones are not in it) and the environment.

    Raises SettingsError naming every bad one, and never its value: a URL may hold a password.
    """
    try:
        return kind(**flags)
    except ValidationError as error:
        raise SettingsError("; ".join(_problem(e["loc"], e["msg"]) for e in error.errors())) from None


def _problem(location: tuple[int | str, ...], message: str) -> str:
    name = str(location[0]) if location else "settings"
    message = message.removeprefix("Value error, ")
    return f"{name} ({_PREFIX}{name.upper()}): {message[:1].lower()}{message[1:]}"
