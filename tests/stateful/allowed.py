"""What the model allows in the service's answers. Every function returns complaints in words; none if all is right."""

import re
from collections.abc import Iterable, Iterator

from recsvc.v1 import reason_pb2, recommendation_pb2, users_pb2
from tests.stateful.shop_model import Product, ShopModel, Shopper

_OWN_PURCHASES = {"REPEAT_PURCHASE", "REPEAT_INTERVAL"}
_ANCHORED = {"HISTORY_ITEM", "SIMILAR_ITEM", "CO_PURCHASE"}
_PREFERENCES = {"BRAND", "CATEGORY", "ATTRIBUTE"}
_QUOTED = re.compile(r"“([^”]*)”")


def not_for_sale(model: ShopModel, shopper: Shopper, listed: Iterable[str]) -> Iterator[str]:
    """No list has an item that is sold out, deleted, or hidden by its reader."""
    hidden = shopper.hidden()
    for item_id in listed:
        product = model.products[item_id]
        for wrong, why in (
            (product.sold_out, "is sold out"),
            (product.deleted, "is deleted"),
            (item_id in hidden, "was hidden by the shopper"),
        ):
            if wrong:
                yield f"{item_id} is listed, and {why}"


def without_repeats(model: ShopModel, shopper: Shopper, brand: str, listed: Iterable[str]) -> Iterator[str]:
    """A list of one brand without repeats has all of the brand that is for sale and new to the shopper, and no more."""
    shown = set(listed)
    of_brand = model.of_brand(brand)
    known = set(shopper.kept_purchases()) | shopper.sent_back() | shopper.looked_at()
    for item_id in sorted(shown - of_brand):
        yield f"{item_id} is listed among {brand}, and is of {model.products[item_id].brand}"
    for item_id in sorted(shown & known):
        yield f"{item_id} is listed without repeats, and the shopper has bought it, sent it back or looked at it"
    for item_id in sorted((of_brand & model.for_sale()) - shopper.ever_touched() - shown):
        yield f"{item_id} of {brand} is for sale and new to the shopper, and is not listed"


def below_a_price(model: ShopModel, brand: str, limit: float, listed: Iterable[str]) -> Iterator[str]:
    """A list below a price has all of the brand that costs as much or less by the shop's last word, and no more."""
    shown = set(listed)
    cheap = {item_id for item_id in model.of_brand(brand) if (model.price(item_id) or limit + 1) <= limit}
    for item_id in sorted(shown - cheap):
        yield f"{item_id} is listed up to {limit}, and costs {model.price(item_id)}"
    for item_id in sorted((cheap & model.for_sale()) - shown):
        yield f"{item_id} is for sale at {model.price(item_id)}, and is not listed up to {limit}"


def buy_again(model: ShopModel, shopper: Shopper, listed: Iterable[str]) -> Iterator[str]:
    """The list "buy again" has what the shopper bought and kept, and no more. Gifts may be in it or not."""
    shown = set(listed)
    kept = set(shopper.kept_purchases())
    for item_id in sorted(shown - kept):
        yield f"{item_id} is offered again, and the shopper has not bought it or has sent it back"
    counted = set(model.counted_purchases(shopper))
    for item_id in sorted((counted & model.for_sale()) - shopper.hidden() - shown):
        yield f"{item_id} was bought and kept and is for sale, and is not offered again"


def taste(model: ShopModel, shopper: Shopper, answer: users_pb2.GetTasteProfileResponse) -> Iterator[str]:
    """The taste profile has what the shopper said, and counts what they bought and kept."""
    for name, said, held in (
        ("profile", {shopper.profile}, {answer.profile.text}),
        ("gifts", shopper.gifts, set(answer.taste.gift_item_ids)),
        ("less of these brands", shopper.less_brands, set(answer.taste.less_brands)),
    ):
        if said != held:
            yield f"the shopper said {name}: {sorted(said)}; the taste profile has {sorted(held)}"
    counted = model.counted_purchases(shopper)
    if answer.purchases != model.times_bought(shopper, counted):
        yield f"the taste profile counts {answer.purchases} purchases of {model.times_bought(shopper, counted)}"
    for preference in answer.brands:
        times = model.times_bought(shopper, model.of_brand(preference.value))
        if preference.purchases != times:
            yield f"the taste profile counts {preference.purchases} purchases of {preference.value}, of {times}"


def personal(model: ShopModel, shopper: Shopper, answer: recommendation_pb2.RecommendResponse) -> Iterator[str]:
    """A list is personal if something is known of its reader, and for a stranger it is not."""
    if answer.personalised and not (shopper.acts or shopper.profile or shopper.less_brands):
        yield "a list is personal, and nothing is known of its reader"
    if not answer.personalised and (model.counted_purchases(shopper) or shopper.profile):
        yield "a list is not personal, and its reader has bought something or has a profile"


def reasons(model: ShopModel, shopper: Shopper, answer: recommendation_pb2.RecommendResponse) -> Iterator[str]:
    """Every reason says what the model knows."""
    for recommendation in answer.recommendations:
        reason = recommendation.reason
        for evidence in reason.evidence:
            for complaint in _evidence(model, shopper, recommendation.item_id, evidence):
                yield f"{recommendation.item_id}: “{reason.text}”: {complaint}"
        if reason.text:
            for complaint in _quoted(model, recommendation.item_id, reason):
                yield f"{recommendation.item_id}: “{reason.text}”: {complaint}"


def _evidence(model: ShopModel, shopper: Shopper, item_id: str, evidence: reason_pb2.Evidence) -> Iterator[str]:
    kind = reason_pb2.EvidenceKind.Name(evidence.kind).removeprefix("EVIDENCE_KIND_")
    counted = model.counted_purchases(shopper)
    if kind in _OWN_PURCHASES:
        purchases = counted.get(item_id, [])
        days = purchases[-1].days_ago if purchases else None
        if (evidence.count, evidence.elapsed_days) != (len(purchases), days):
            yield (
                f"it says {evidence.count} times, last {evidence.elapsed_days} days ago; bought and kept "
                f"{len(purchases)} times, last {days} days ago"
            )
    elif kind in _ANCHORED:
        if evidence.anchor_item_id not in counted:
            yield f"{evidence.anchor_item_id} was not bought, or was sent back, or says nothing about taste"
    elif kind in _PREFERENCES:
        if not _has(model.products[item_id], kind, evidence.name, evidence.value):
            yield f"the item has no {kind.lower()} {evidence.value}"
        alike = [i for i, product in model.products.items() if _has(product, kind, evidence.name, evidence.value)]
        times = model.times_bought(shopper, alike)
        if evidence.count != times:
            yield f"it says {evidence.count} purchases of {evidence.value}; {times} were kept"
    elif kind == "PROFILE" and evidence.value.casefold() not in shopper.profile.casefold():
        yield f"the profile does not say {evidence.value}: {shopper.profile!r}"


def _has(product: Product, kind: str, name: str, value: str) -> bool:
    if kind == "BRAND":
        return product.brand == value
    return value in product.categories if kind == "CATEGORY" else (name, value) in product.attributes


def _quoted(model: ShopModel, item_id: str, reason: reason_pb2.Reason) -> Iterator[str]:
    """A name in quotation marks is made of words that an item of the evidence has now."""
    products = [model.products[anchor] for e in reason.evidence if (anchor := e.anchor_item_id or item_id)]
    present = {
        word
        for product in products
        for text in (product.title, product.brand, *product.categories, *(e.value for e in reason.evidence))
        for word in _words(text)
    }
    for name in _QUOTED.findall(reason.text):
        if strange := _words(name) - present:
            yield f"{sorted(strange)} is in no name of today: {[product.title for product in products]}"


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.casefold()))
