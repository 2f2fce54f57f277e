"""Decides for each call who makes it and whether it may be made, before anything is looked up."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from recsvc.access.audit import AuditLog
from recsvc.access.caller import Caller
from recsvc.access.keys import PREFIX, Keys, find_key
from recsvc.access.limits import CallerLimits
from recsvc.access.methods import MethodAccess
from recsvc.access.reloaded_file import ReloadedFile
from recsvc.access.scopes import Scope
from recsvc.access.tokens import TokenVerifier
from recsvc.errors import AccessRefused, PermissionDenied, RateLimited, Unauthenticated
from recsvc.runtime.logs import LineLimit
from recsvc.runtime.metrics import REFUSALS

METRICS_PATH = "/metrics"  # stands for a method in metrics and limits of lines

_SCHEME = "bearer "
_ANY_CALLER = MethodAccess(scope=None)
_NOBODY = Caller("", frozenset(Scope), float("inf"))


@dataclass(slots=True)
class AdmittedCall:
    """A call that may be made. Call `end` when it has ended."""

    leave: Callable[[], None] | None
    write: Callable[[str], None] | None

    def end(self, outcome: str) -> None:
        """Frees the call's place, and writes its line of the audit log.

        Args:
            outcome: Name of its gRPC status code.
        """
        if self.leave is not None:
            self.leave()
        if self.write is not None:
            self.write(outcome)


class AccessGate:
    """Admits calls by their key or token, its scopes and its limits. Threads may share it.

    Args:
        methods: What each method asks. Any other method asks for a valid key or token.
        audit: Takes a line for each audited call.
        keys: The file of keys.
        tokens: The JWKS file. Without both files anybody may call anything, and only the audit log is written.
        limits: Of callers.
    """

    def __init__(
        self,
        methods: Mapping[str, MethodAccess],
        audit: AuditLog,
        keys: ReloadedFile[Keys] | None,
        tokens: ReloadedFile[TokenVerifier] | None,
        limits: CallerLimits,
    ) -> None:
        self._methods = methods
        self._audit = audit
        self._keys = keys
        self._tokens = tokens
        self._limits = limits
        # Somebody who tries many wrong keys must not fill the disk.
        self._refusals = LineLimit(lines=5, seconds=10)
        if keys is not None or tokens is not None:
            for method in (*methods, METRICS_PATH):
                for cause in ("key", "scope"):
                    REFUSALS.labels(method, cause)  # Prometheus sees the first ones only if there was a zero before

    def admit(self, method: str, metadata: Iterable[tuple[str, str | bytes]]) -> AdmittedCall:
        """Admits a call.

        Args:
            method: Its full name, such as "/recsvc.v1.UserService/DeleteUser".
            metadata: Of the call: names in small letters, and values.

        Raises:
            Unauthenticated: There is no key or token, or it is not valid.
            PermissionDenied: It does not have the scope of the method.
            RateLimited: The caller makes too many calls.
        """
        access = self._methods.get(method, _ANY_CALLER)
        return self._admit(method, access, metadata)

    def admit_metrics(self, headers: Iterable[tuple[str, str | bytes]]) -> AdmittedCall:
        """Admits a request over HTTP for the page of metrics, whatever its path. See `admit`."""
        return self._admit(METRICS_PATH, MethodAccess(Scope.METRICS), headers)

    def _admit(self, method: str, access: MethodAccess, metadata: Iterable[tuple[str, str | bytes]]) -> AdmittedCall:
        credentials, traceparent = [], ""
        for name, value in metadata:
            if name == "authorization":
                credentials.append(value)
            elif name == "traceparent" and isinstance(value, str):
                traceparent = value
        caller = None
        try:
            caller = self._authenticate(credentials)
            if access.scope is not None and access.scope not in caller.scopes:
                raise PermissionDenied(f"the key or token does not have the scope {access.scope}")
            leave = self._limits.enter(caller)
        except AccessRefused as error:
            if caller is not None:
                error.caller_id = caller.caller_id
            REFUSALS.labels(method, error.cause).inc()
            left_out = self._refusals.left_out((method, type(error)), time.monotonic()) if access.audited else None
            if left_out is not None:
                self._audit.write(error.caller_id, method, _outcome(error), traceparent, **left_out)
            raise
        if not access.audited:
            return AdmittedCall(leave, None)
        caller_id = caller.caller_id
        return AdmittedCall(leave, lambda outcome: self._audit.write(caller_id, method, outcome, traceparent))

    def _authenticate(self, credentials: list[str | bytes]) -> Caller:
        if self._keys is None and self._tokens is None:
            return _NOBODY
        if len(credentials) > 1:
            raise Unauthenticated("the call has more than one authorization")
        text = credentials[0] if credentials else ""
        if not isinstance(text, str) or text[: len(_SCHEME)].lower() != _SCHEME:
            raise Unauthenticated("the call has no key or token: send it as metadata, authorization: Bearer KEY")
        secret = text[len(_SCHEME) :].strip()
        if secret.startswith(PREFIX):
            return self._by_key(secret)
        if self._tokens is None:
            raise Unauthenticated("the key is not known")
        return self._tokens.value.verify(secret)

    def _by_key(self, key: str) -> Caller:
        caller = find_key(self._keys.value, key) if self._keys is not None else None
        if caller is None:
            raise Unauthenticated("the key is not known")
        if caller.expires <= time.time():
            error = Unauthenticated("the key has expired")
            error.caller_id = caller.caller_id
            raise error
        return caller


def _outcome(error: AccessRefused) -> str:
    if isinstance(error, Unauthenticated):
        return "UNAUTHENTICATED"
    return "RESOURCE_EXHAUSTED" if isinstance(error, RateLimited) else "PERMISSION_DENIED"
