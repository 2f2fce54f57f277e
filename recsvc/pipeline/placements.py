"""Named places in a shop, as an operator's TOML file describes them: what is listed there, by which rules, and which
share of the users gets which arm of an experiment. A caller names a placement, not a model.

    segments = ["de", "at"]

    [placements.home]
    surface = "for_you"
    repeat_policy = "when_due"
    tone = "warm"         # of the reasons: neutral, warm, or concise for narrow tiles; a caller's own goes first
    max_per_brand = 3
    pins = [{ item_id = "i00042", position = 1 }]
    boosts = [{ categories = ["Camping > Tents"], strength = 0.2 }]
    buried = [{ attributes = { condition = ["used"] } }]

    [[placements.home.arms]]
    name = "control"
    share = 0.5

    [[placements.home.arms]]
    name = "diverse"      # what it does not name is as above
    share = 0.5
    diversity = 0.3
    exploration = 0.05    # so many of its places show something from further down, for `training.off_policy`
    bundle_id = "0123456789abcdef"
"""

import hashlib
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from recsvc.domain.query import AttributeFilter, Boost, ItemFilter, Pin, Query, RepeatPolicy, Rules, Surface
from recsvc.domain.reason import Tone
from recsvc.domain.shop import CATEGORY_SEPARATOR, Event
from recsvc.errors import FieldViolation, InvalidRequest, SettingsError

# Metrics are labelled with them, and ids of lists carry them.
Name = Annotated[str, Field(pattern=r"^[a-z0-9_-]{1,24}$")]
Cap = Annotated[int, Field(ge=1, le=100)]
Price = Annotated[float, Field(ge=0, allow_inf_nan=False)]

MAX_RULES = 50
MAX_SEGMENTS = 100
CONTROL = "control"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Items(_Strict):
    categories: tuple[str, ...] = ()
    brands: tuple[str, ...] = ()
    min_price: Price | None = None
    max_price: Price | None = None
    attributes: dict[str, tuple[str, ...]] = {}
    item_ids: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _says_something(self) -> "_Items":
        if self.filter() == ItemFilter():
            raise ValueError("must name categories, brands, prices, attributes or item_ids: it would mean every item")
        return self

    def filter(self) -> ItemFilter:
        return ItemFilter(
            frozenset(tuple(path.split(CATEGORY_SEPARATOR)) for path in self.categories),
            frozenset(self.brands),
            self.min_price,
            self.max_price,
            frozenset(AttributeFilter(name, frozenset(values)) for name, values in self.attributes.items()),
            frozenset(self.item_ids),
        )


class _Boost(_Items):
    strength: Annotated[float, Field(ge=-1, le=1)]


class _Pin(_Strict):
    item_id: Annotated[str, Field(min_length=1, max_length=128)]
    position: Annotated[int, Field(ge=1, le=100)]


class _List(_Strict):
    surface: Surface = Surface.FOR_YOU
    repeat_policy: RepeatPolicy = RepeatPolicy.UNSPECIFIED
    reasons: bool = True
    tone: Tone = Tone.NEUTRAL
    boosts: Annotated[tuple[_Boost, ...], Field(max_length=MAX_RULES)] = ()
    buried: Annotated[tuple[_Items, ...], Field(max_length=MAX_RULES)] = ()
    pins: Annotated[tuple[_Pin, ...], Field(max_length=MAX_RULES)] = ()
    max_per_brand: Cap | None = None
    max_per_category: Cap | None = None
    diversity: Annotated[float, Field(ge=0, le=1)] = 0.0
    exploration: Annotated[float, Field(ge=0, le=0.5)] = 0.0
    bundle_id: Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")] | None = None

    def rules(self) -> Rules:
        return Rules(
            tuple(Boost(boost.filter(), boost.strength) for boost in self.boosts),
            tuple(items.filter() for items in self.buried),
            tuple(Pin(pin.item_id, pin.position) for pin in self.pins),
            self.max_per_brand,
            self.max_per_category,
            self.diversity,
        )


class _Arm(_List):
    name: Name
    share: Annotated[float, Field(gt=0, le=1)]


class _Placement(_List):
    arms: tuple[_Arm, ...] = ()

    @model_validator(mode="after")
    def _arms_share_everybody(self) -> "_Placement":
        if self.arms and abs(sum(arm.share for arm in self.arms) - 1) > 1e-9:
            raise ValueError("the shares of the arms must add up to 1")
        if len({arm.name for arm in self.arms}) < len(self.arms):
            raise ValueError("each arm must have a name of its own")
        return self


class _File(_Strict):
    segments: Annotated[tuple[Name, ...], Field(max_length=MAX_SEGMENTS)] = ()
    placements: dict[Name, _Placement] = {}


@dataclass(frozen=True, slots=True)
class Arm:
    """What one share of a placement's users gets. share: over 0, at most 1; a placement's add up to 1. bundle_id: of
    the bundle that answers, '' for the active one.
    """

    name: str
    share: float
    surface: Surface
    repeats: RepeatPolicy
    reasons: bool
    tone: Tone
    rules: Rules
    exploration: float
    bundle_id: str


class Placements:
    """arms: by placement, at least one each. segments: of the shop's users."""

    def __init__(self, arms: dict[str, tuple[Arm, ...]], segments: frozenset[str] = frozenset()) -> None:
        self._arms = arms
        self.segments = segments
        # A list that was asked for without a placement has neither name.
        self.bundle_ids = frozenset(arm.bundle_id for each in arms.values() for arm in each if arm.bundle_id)
        self.names = frozenset({("", ""), *((name, arm.name) for name, each in arms.items() for arm in each)})

    @classmethod
    def load(cls, file: Path | None) -> "Placements":
        """Reads the file; None is none. Raises SettingsError naming everything that is wrong."""
        if file is None:
            return cls({})
        try:
            read = _File.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise SettingsError(f"placements: {file} cannot be read: {error}") from None
        except ValidationError as error:
            problems = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
            raise SettingsError(f"placements: {file}: {problems}") from None
        return cls({name: _arms(one) for name, one in read.placements.items()}, frozenset(read.segments))

    def segmented(self, events: Iterable[Event]) -> list[Event]:
        """The events, those of a segment that is not configured as of none: callers may not make up what is kept."""
        return [
            event if not event.segment or event.segment in self.segments else replace(event, segment="")
            for event in events
        ]

    def applied(self, query: Query) -> Query:
        """The query as its placement has it for this user. Raises InvalidRequest for one that nobody knows."""
        if query.segment and query.segment not in self.segments:
            raise InvalidRequest([FieldViolation("context.segment", "must be one of the segments that are configured")])
        if not query.placement:
            return query
        arms = self._arms.get(query.placement)
        if arms is None:
            raise InvalidRequest([FieldViolation("placement", "must be one of the placements that are configured")])
        arm = _arm_of(arms, query.placement, query.user_id)
        return replace(
            query,
            arm=arm.name,
            propensity=arm.share,
            exploration=arm.exploration,
            surface=arm.surface,
            rules=arm.rules,
            bundle_id=arm.bundle_id,
            repeats=arm.repeats if query.repeats is RepeatPolicy.UNSPECIFIED else query.repeats,
            reasons=query.reasons and arm.reasons,
            tone=query.tone or arm.tone,
        )


def _arms(placement: _Placement) -> tuple[Arm, ...]:
    whole: dict[str, Any] = {name: getattr(placement, name) for name in placement.model_fields_set - {"arms"}}
    named = placement.arms or (_Arm(name=CONTROL, share=1),)
    each = [_Arm(**{**whole, **{name: getattr(arm, name) for name in arm.model_fields_set}}) for arm in named]
    return tuple(
        Arm(a.name, a.share, a.surface, a.repeat_policy, a.reasons, a.tone, a.rules(), a.exploration, a.bundle_id or "")
        for a in each
    )


def _arm_of(arms: tuple[Arm, ...], placement: str, user_id: str) -> Arm:
    """Always the same for a user, and of one placement independent of that of another."""
    digest = hashlib.blake2b(f"{placement}\0{user_id}".encode(), digest_size=8).digest()
    place = int.from_bytes(digest, "big") / 2**64
    for arm in arms:
        place -= arm.share
        if place < 0:
            return arm
    return arms[-1]
