"""Faults that the service has today. The test does without what shows them. Delete a line when its fault is mended."""

KNOWN_FAULTS = {
    "clocks": "a later word is lost if a server whose clock is ahead got the earlier one: both clocks are right",
    "time ahead": "a purchase dated ahead outlasts a hide of now: no event is dated ahead",
    "set time ahead": "a set_time ahead outlasts the words of the next minute: no set_time is ahead",
    "returns": "what was sent back counts as bought in reasons and taste: nothing is sent back",
    "room": "page views push purchases out of the history: nobody looks at hundreds of pages",
    "sent again": "an event that is sent again is counted again: a click is sent once",
    "crowd": "one visitor's many views lead POPULAR: no visitor looks many times",
    "kept names": "a kept reason has an old name: names in reasons are not compared",
    "old price": "a price set long ago beats a newer table: no price is set long ago",
    "profile": "an empty profile removes the taste that was stated: no profile is removed",
    "failover": "after a failover a server skips changes, and what Redis lost stays lost: the staff says nothing, and "
    "nobody asks to be forgotten, while the replica is behind",
    "demoted": "a demoted Redis is written to for ever: the old master dies",
    "emptied": "a Redis that comes back empty has lost all, unnoticed: it never does",
}


def known(fault: str) -> bool:
    """Whether the service has a fault today."""
    return fault in KNOWN_FAULTS
