"""Who may call a server process: TLS, keys, tokens, limits, the audit log."""

from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from recsvc.settings.loading import CommonSettings, check_pair


class AccessSettings(CommonSettings):
    """The settings of TLS and of callers."""

    tls_cert: Path | None = Field(
        None,
        description="PEM file of the certificate for gRPC and metrics, with those between it and its CA. A changed "
        "file is used within seconds",
    )
    tls_key: Path | None = Field(None, description="PEM file of the private key of tls_cert, without a password")
    tls_client_ca: Path | None = Field(
        None, description="PEM file of the CA of clients: every client then needs a certificate of it (mTLS)"
    )
    keys_file: Path | None = Field(
        None, description="TOML file of API keys: their hashes, scopes and limits. `recsvc key new` makes a key"
    )
    jwks_file: Path | None = Field(
        None, description="JWKS file with the public keys of tokens (JWT); needs jwt_issuer and jwt_audience"
    )
    jwt_issuer: str = Field("", max_length=512, description="iss that a token must have")
    jwt_audience: str = Field("", max_length=512, description="aud that a token must have")
    jwt_scopes_claim: str = Field(
        "scope", min_length=1, max_length=128, description="claim of a token that has its scopes"
    )
    key_requests_per_second: Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False)] = Field(
        0.0, description="calls a second of each key that names no limit, and of each client with tokens; 0: no limit"
    )
    key_concurrent: Annotated[int, Field(ge=0, le=100_000)] = Field(
        0, description="calls at the same time of each key that names no limit, and of each such client; 0: no limit"
    )
    audit_log: Path | None = Field(
        None,
        description="file with a JSON line for each call that changes something or shows data of users. Without it, "
        "and with keys or tokens, the lines are in the log",
    )

    @model_validator(mode="after")
    def _files_of_access_fit(self) -> Self:
        check_pair(self.tls_cert, self.tls_key, "tls_cert", "tls_key")
        if self.tls_client_ca is not None and self.tls_cert is None:
            raise ValueError("tls_client_ca needs tls_cert and tls_key")
        if (self.jwks_file is not None) != bool(self.jwt_issuer and self.jwt_audience):
            raise ValueError("jwks_file, jwt_issuer and jwt_audience need each other")
        return self

    @property
    def checks_callers(self) -> bool:
        """Whether callers need a key or token."""
        return self.keys_file is not None or self.jwks_file is not None
