"""Reads placements, the named places in a shop, from an operator's TOML file.

A placement says what is listed there, by which rules, and which share of the users gets which arm of an experiment. A
caller names a placement, not a model.

    segments = ["de", "at"]

    [placements.home]
    surface = "for_you"
    repeat_policy = "when_due"
    tone = "warm"         # of the reasons: neutral, warm, or concise for narrow tiles; a tone in the request wins
    max_per_brand = 3
    pins = [{ item_id = "i00042", position = 1 }]
    boosts = [{ categories = ["Camping > Tents"], strength = 0.2 }]
    buried = [{ attributes = { condition = ["used"] } }]

    [[placements.home.arms]]
    name = "control"
    share = 0.5

    [[placements.home.arms]]
    name = "diverse"      # settings that it does not name are those of the placement
    share = 0.5
    diversity = 0.3
    exploration = 0.05    # this share of its places shows an item from further down, for `training.off_policy`
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
from recsvc.domain.shop import Event, category_path
from recsvc.errors import FieldViolation, InvalidRequest, SettingsError

# Metrics have them as labels, and the ids of lists contain them.
Name = Annotated[str, Field(pattern=r"^[a-z0-9_-]{1,24}$")]
Cap = Annotated[int, Field(ge=1, le=100)]
Price = Annotated[float, Field(ge=0, allow_inf_nan=False)]

MAX_RULES = 50
MAX_SEGMENTS = 100
# The only arm of a placement without an experiment.
CONTROL = "control"
# The shares of the arms may miss 1 by this much, for rounding.
SHARE_TOLERANCE = 1e-9


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
    def _has_criterion(self) -> "_Items":
        if self.filter() == ItemFilter():
            raise ValueError("must name categories, brands, prices, attributes or item_ids: it would mean every item")
        return self

    def filter(self) -> ItemFilter:
        return ItemFilter(
            frozenset(map(category_path, self.categories)),
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
    def _arms_cover_all_users(self) -> "_Placement":
        if self.arms and abs(sum(arm.share for arm in self.arms) - 1) > SHARE_TOLERANCE:
            raise ValueError("the shares of the arms must add up to 1")
        if len({arm.name for arm in self.arms}) < len(self.arms):
            raise ValueError("each arm must have a name of its own")
        return self


class _File(_Strict):
    segments: Annotated[tuple[Name, ...], Field(max_length=MAX_SEGMENTS)] = ()
    placements: dict[Name, _Placement] = {}


@dataclass(frozen=True, kw_only=True, slots=True)
class Arm:
    """The settings that one share of a placement's users gets.

    Attributes:
        name: Distinct within the placement.
        share: Of the users, over 0 and at most 1. The shares of a placement add up to 1.
        surface: Of the lists.
        repeats: The repeat policy, unless the request has one.
        reasons: Whether lists have reasons.
        tone: Of the reasons, unless the request has one.
        rules: The shop's rules.
        exploration: The probability that a place explores, 0 to 0.5.
        bundle_id: Of the bundle that answers; "" for the active one.
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
    """The placements of a shop, and the segments of its users.

    Args:
        arms: By placement, at least one each.
        segments: That callers may name.

    Attributes:
        bundle_ids: The bundles that any arm names.
        pinned_ids: The items that any arm pins.
        names: Each placement with each of its arms; ("", "") stands for a list without a placement.
    """

    def __init__(self, arms: dict[str, tuple[Arm, ...]], segments: frozenset[str] = frozenset()) -> None:
        self._arms = arms
        self.segments = segments
        pairs = [(name, arm) for name, arms_of_placement in arms.items() for arm in arms_of_placement]
        self.bundle_ids = frozenset(arm.bundle_id for _, arm in pairs if arm.bundle_id)
        self.pinned_ids = frozenset(pin.item_id for _, arm in pairs for pin in arm.rules.pins)
        self.names = frozenset({("", ""), *((name, arm.name) for name, arm in pairs)})

    @classmethod
    def load(cls, file: Path | None) -> "Placements":
        """Reads a file; without one there are no placements.

        Raises:
            SettingsError: The file cannot be read, or is wrong; the message names every problem.
        """
        if file is None:
            return cls({})
        try:
            parsed = _File.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise SettingsError(f"placements: {file} cannot be read: {error}") from None
        except ValidationError as error:
            problems = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
            raise SettingsError(f"placements: {file}: {problems}") from None
        arms = {name: _arms(placement) for name, placement in parsed.placements.items()}
        return cls(arms, frozenset(parsed.segments))

    def segmented(self, events: Iterable[Event]) -> list[Event]:
        """Returns the events; an unknown segment becomes "", because counts are kept for each segment."""
        return [
            event if not event.segment or event.segment in self.segments else replace(event, segment="")
            for event in events
        ]

    def applied(self, query: Query) -> Query:
        """Returns the query with the settings of its placement for this user.

        Raises:
            InvalidRequest: The placement or the segment is not configured.
        """
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
    """Returns the arms of a placement. Settings that an arm does not name are those of the placement."""
    defaults: dict[str, Any] = {name: getattr(placement, name) for name in placement.model_fields_set - {"arms"}}
    arms = placement.arms or (_Arm(name=CONTROL, share=1),)
    merged = [_Arm(**{**defaults, **{name: getattr(arm, name) for name in arm.model_fields_set}}) for arm in arms]
    return tuple(
        Arm(
            name=arm.name,
            share=arm.share,
            surface=arm.surface,
            repeats=arm.repeat_policy,
            reasons=arm.reasons,
            tone=arm.tone,
            rules=arm.rules(),
            exploration=arm.exploration,
            bundle_id=arm.bundle_id or "",
        )
        for arm in merged
    )


def _arm_of(arms: tuple[Arm, ...], placement: str, user_id: str) -> Arm:
    """Returns the arm of a user: always the same, and independent of the user's arms in other placements."""
    digest = hashlib.blake2b(f"{placement}\0{user_id}".encode(), digest_size=8).digest()
    place = int.from_bytes(digest, "big") / 2**64
    for arm in arms:
        place -= arm.share
        if place < 0:
            return arm
    return arms[-1]
