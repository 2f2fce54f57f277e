"""Every error that recsvc raises on purpose.

    RecsvcError
    ├── InvalidRequest       the request is wrong; lists every field that is wrong
    ├── ItemNotFound         an item is not in the catalogue
    ├── NothingToSay         too little is known of an item to write copy about it
    ├── ListNotFound         a served list is not stored, or not any more
    ├── StoreUnavailable     Redis did not answer in time
    ├── TextEncoderFailing   the text encoder raises errors now
    ├── DeadlinePassed       the caller cannot get the answer in time any more
    ├── TooBusy              the process works on as many such calls as it may
    ├── AccessRefused        the caller may not make the call
    │   ├── Unauthenticated  ... because it has no valid key or token
    │   ├── PermissionDenied ... because its key or token does not have the scope
    │   └── RateLimited      ... because it makes more calls than it may
    ├── TextTurnedOff        the operator turned such texts off
    ├── TooManySwitches      more switches are off than a request can check
    ├── ReasonRejected       a sentence did not pass the verifier
    ├── AuthorUnavailable    the language model that writes reasons does not answer now
    ├── CallFailed           a service that a command called did not answer, or refused the call
    ├── BackupError          a backup cannot be written, read or restored
    ├── SettingsError        the configuration cannot be used
    ├── WorkersFailing       workers end again and again, and none answers
    ├── TextEncoderError     the text encoder cannot be loaded, or is not the one of the bundle
    ├── BundleError          the bundle cannot be used: missing, altered, or of an unknown format
    │   └── BundleFormatError ... because this version does not read its format
    └── BundleUnusable       a running service cannot load or activate a bundle
        ├── BundleNotFound   ... because no bundle has that id
        └── NoPreviousBundle ... because no other bundle was active before

`recsvc.service.status` has the one table from errors to gRPC statuses. A message says what to do, and never holds keys,
addresses of Redis or user data.
"""

from collections.abc import Sequence
from dataclasses import dataclass


class RecsvcError(Exception):
    """The root of all expected errors."""


@dataclass(frozen=True, slots=True)
class FieldViolation:
    """One thing that is wrong with a request.

    Attributes:
        field: Path of the field in the proto.
        description: What the field must be.
    """

    field: str
    description: str


class InvalidRequest(RecsvcError):
    """The request breaks a documented limit. Lists all violations, so that the caller can fix them at once."""

    def __init__(self, violations: Sequence[FieldViolation]) -> None:
        self.violations = tuple(violations)
        super().__init__("; ".join(f"{v.field}: {v.description}" for v in self.violations))


class ItemNotFound(RecsvcError):
    """The catalogue does not have an item."""

    def __init__(self, item_id: str) -> None:
        self.item_id = item_id
        super().__init__(f"item {item_id!r} is not in the catalogue")


class NothingToSay(RecsvcError):
    """Too little is known of an item to write copy about it."""

    def __init__(self, item_id: str, recipe: str) -> None:
        self.item_id = item_id
        super().__init__(f"too little can be said of item {item_id!r} for {recipe}: give it a title and attributes")


class ListNotFound(RecsvcError):
    """A list of a user is not stored."""

    def __init__(self) -> None:
        super().__init__("no such list of this user is stored, or not any more")


class DeadlinePassed(RecsvcError):
    """The caller has left, or would have by the time of the answer."""

    def __init__(self) -> None:
        super().__init__("the deadline is too near for an answer in time")


class TooBusy(RecsvcError):
    """The process works on as many calls of this kind as it may. The caller can try again later."""


class AccessRefused(RecsvcError):
    """A caller may not make a call. No message has a part of a key or token.

    Attributes:
        cause: A label of metrics.
        caller_id: Who called, for the log; "" if that is not known.
    """

    cause = "key"
    caller_id = ""


class Unauthenticated(AccessRefused):
    """A call has no key or token, or one that is not valid."""

    cause = "key"


class PermissionDenied(AccessRefused):
    """A key or token does not have the scope that a call needs."""

    cause = "scope"


class RateLimited(AccessRefused):
    """A caller makes more calls than it may."""

    def __init__(self, cause: str, problem: str, retry_after_seconds: float) -> None:
        self.cause = cause
        self.retry_after_seconds = retry_after_seconds
        super().__init__(f"{problem}; try again later")


class TextTurnedOff(RecsvcError):
    """The operator turned the requested texts off."""

    def __init__(self) -> None:
        super().__init__("the operator has turned off texts of this recipe, language or category")


class TooManySwitches(RecsvcError):
    """No further switch can be turned off."""

    def __init__(self, most: int) -> None:
        super().__init__(f"{most} switches are off, which is the limit: turn one on, or use one that covers more texts")


class StoreUnavailable(RecsvcError):
    """Redis refused a command, dropped it, or was too slow. A read degrades; a write must be sent again.

    Attributes:
        rung: The value of the `recsvc.runtime.rungs.Rung` that explains the refusal; '' if none does.
    """

    def __init__(self, problem: str, rung: str = "") -> None:
        self.rung = rung
        super().__init__(problem)


class TextEncoderFailing(RecsvcError):
    """The text encoder raises errors now. A search goes on by words; what needs a vector must be sent again."""

    def __init__(self) -> None:
        super().__init__("the text encoder fails; the server's log says why: send it again later")


class AuthorUnavailable(RecsvcError):
    """A language model, or its endpoint, does not answer. The phrase bank still words the reasons."""


class CallFailed(RecsvcError):
    """A service that a command called did not answer, or refused the call."""


class ReasonRejected(RecsvcError):
    """The verifier rejected a sentence. `rule` names the check that failed."""

    def __init__(self, rule: str, detail: str) -> None:
        self.rule = rule
        super().__init__(f"{rule}: {detail}")


class BackupError(RecsvcError):
    """A backup cannot be written, read or restored."""


class SettingsError(RecsvcError):
    """The configuration cannot be used."""


class WorkersFailing(RecsvcError):
    """Workers end again and again, and none answers. The process ends with the code of a crash."""


class TextEncoderError(RecsvcError):
    """The text encoder cannot be loaded, or is not the one that the bundle was trained with."""


class BundleError(RecsvcError):
    """A bundle is missing, altered, incomplete, or of an unknown format."""


class BundleFormatError(BundleError):
    """A bundle is of a format that this version does not read. `problem` says so without the folder."""

    def __init__(self, folder: object, version: object, readable: int, converted: Sequence[int]) -> None:
        shown = version if isinstance(version, int) else "of an unknown kind"
        self.problem = f"has bundle format {shown}; this recsvc reads format {readable}"
        message = f"{folder} {self.problem}"
        if isinstance(version, int) and version in converted:
            self.problem += ": convert it with recsvc bundles convert FOLDER"
            message += f": convert it with recsvc bundles convert {folder}"
        super().__init__(message)


class BundleUnusable(RecsvcError):
    """A running service cannot load or activate a bundle."""

    def __init__(self, bundle_id: str, problem: str) -> None:
        super().__init__(f"bundle {bundle_id!r}: {problem}")


class BundleNotFound(BundleUnusable):
    """The service's folder has no bundle of that id."""

    def __init__(self, bundle_id: str) -> None:
        super().__init__(bundle_id, "is not in the service's folder of bundles")


class NoPreviousBundle(BundleUnusable):
    """There is no bundle to roll back to."""

    def __init__(self) -> None:
        RecsvcError.__init__(self, "no other bundle was active before this one")
