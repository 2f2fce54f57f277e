"""Asks for the users whom an item suits best."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AudiencePlace:
    """The last user of a page of an audience. The next page has those who come after.

    Attributes:
        bundle_id: The bundle that computed the affinity.
        affinity: Of the user.
        user_id: The user.
    """

    bundle_id: str
    affinity: float
    user_id: str


@dataclass(frozen=True, slots=True)
class AudienceQuery:
    """Asks for the users whom an item suits best.

    Attributes:
        item_id: The item.
        k: How many users to return.
        new_buyers_only: Whether users who bought the item are left out.
        after: Where the page begins; None for the first one.
    """

    item_id: str
    k: int
    new_buyers_only: bool = False
    after: AudiencePlace | None = None
