"""Everything that recsvc raises on purpose.

    RecsvcError
    ├── InvalidRequest       the caller's fault; lists every field that is wrong
    ├── ItemNotFound         a named item is not in the catalogue
    ├── NothingToSay         too little is true of an item for a piece of copy
    ├── ListNotFound         a named list is not, or no longer, kept
    ├── StoreUnavailable     Redis did not answer in time
    ├── TextTurnedOff        the operator has turned texts of that sort off
    ├── TooManySwitches      more is turned off than a request can look through
    ├── ReasonRejected       a sentence did not pass the verifier
    ├── AuthorUnavailable    the language model that writes reasons cannot be asked now
    ├── SettingsError        the operator's configuration cannot be used
    ├── TextEncoderError     the text encoder cannot be loaded, or is not the one the bundle was trained with
    ├── BundleError          the bundle cannot be used: missing, altered, or of an unknown format
    └── BundleUnusable       a bundle that a running service was asked for cannot be taken into use
        ├── BundleNotFound   ... because there is none of that id
        └── NoPreviousBundle ... because none was active before

`recsvc.service` has the one table that turns these into gRPC statuses. Messages are written for the person who
has to act on them, and never carry keys, addresses or user data.
"""

from collections.abc import Sequence
from dataclasses import dataclass


class RecsvcError(Exception):
    """The root: catching it catches every failure that recsvc foresees."""


@dataclass(frozen=True, slots=True)
class FieldViolation:
    """One thing that is wrong with a request: the field's path in the proto, and what to do about it."""

    field: str
    description: str


class InvalidRequest(RecsvcError):
    """The request breaks a documented limit. All violations are listed, so the caller mends them in one go."""

    def __init__(self, violations: Sequence[FieldViolation]) -> None:
        self.violations = tuple(violations)
        super().__init__("; ".join(f"{v.field}: {v.description}" for v in self.violations))


class ItemNotFound(RecsvcError):
    def __init__(self, item_id: str) -> None:
        self.item_id = item_id
        super().__init__(f"item {item_id!r} is not in the catalogue")


class NothingToSay(RecsvcError):
    def __init__(self, item_id: str, recipe: str) -> None:
        self.item_id = item_id
        super().__init__(f"too little can be said of item {item_id!r} for {recipe}: give it a title and attributes")


class ListNotFound(RecsvcError):
    def __init__(self) -> None:
        super().__init__("no such list of this user is kept")


class TextTurnedOff(RecsvcError):
    def __init__(self) -> None:
        super().__init__("the operator has turned off texts of this recipe, language or category")


class TooManySwitches(RecsvcError):
    def __init__(self, most: int) -> None:
        super().__init__(f"{most} switches are off: turn one on, or one off that holds for more")


class StoreUnavailable(RecsvcError):
    """Redis refused, dropped or outlasted a command. A read degrades; a write must be sent again."""


class AuthorUnavailable(RecsvcError):
    """A language model, or the endpoint that serves it, does not answer. The phrase bank's reasons go on."""


class ReasonRejected(RecsvcError):
    """The verifier turned a sentence down; `rule` names the check that failed."""

    def __init__(self, rule: str, detail: str) -> None:
        self.rule = rule
        super().__init__(f"{rule}: {detail}")


class SettingsError(RecsvcError):
    pass


class TextEncoderError(RecsvcError):
    pass


class BundleError(RecsvcError):
    pass


class BundleUnusable(RecsvcError):
    def __init__(self, bundle_id: str, problem: str) -> None:
        super().__init__(f"bundle {bundle_id!r}: {problem}")


class BundleNotFound(BundleUnusable):
    def __init__(self, bundle_id: str) -> None:
        super().__init__(bundle_id, "is not in the service's folder of bundles")


class NoPreviousBundle(BundleUnusable):
    def __init__(self) -> None:
        RecsvcError.__init__(self, "no other bundle was active before this one")
