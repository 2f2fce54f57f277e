"""The purchases of a shop that a bundle has not learned from."""

from datetime import datetime
from pathlib import Path

from recsvc.errors import SettingsError
from recsvc.model.bundle import Bundle
from training.data.interactions import Interactions
from training.data.shop import read_shop
from training.data.split import Holdout, leave_one_out, next_purchases


def unseen_purchases(folder: Path, bundle: Bundle) -> Holdout | None:
    """The users who bought something that the bundle has not learned from, with their events before it.

    Rows are those of the bundle's catalogue.

    Returns:
        The users; None if the bundle was trained on all purchases.

    Raises:
        DataError: The shop's tables cannot be read.
        SettingsError: The bundle was trained on other items.
    """
    shop = read_shop(folder)
    if shop.items["item_id"].to_list() != [item.item_id for item in bundle.catalogue.items]:
        raise SettingsError(f"the bundle was not trained on the items in {folder}")
    interactions, history_length = Interactions.of(shop), bundle.model.history_length
    training = bundle.provenance.get("training") or {}
    if training.get("refit") == "all":
        return None
    if training.get("protocol") == "leave-one-out":
        return leave_one_out(interactions, history_length).test
    learned_until = bundle.provenance["data"].get("learned_until")
    if learned_until is None:
        return None
    time = int(datetime.fromisoformat(learned_until).timestamp() * 1_000_000)
    before, after = (
        interactions.select(mask) for mask in (interactions.timestamps <= time, interactions.timestamps > time)
    )
    if not after.purchases.any():
        return None
    return next_purchases(before, after, time, history_length)
