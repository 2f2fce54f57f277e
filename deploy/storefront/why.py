"""What stands behind a reason, in plain words: each fact, how much it counts, and who chose the sentence's words."""

from dataclasses import dataclass

from markupsafe import Markup

from deploy.storefront.catalogue import Catalogue, Product
from deploy.storefront.interface_words import Words, sellers
from recsvc.v1.events_pb2 import EVENT_TYPE_ADD_TO_CART, EVENT_TYPE_PURCHASE, EVENT_TYPE_VIEW
from recsvc.v1.reason_pb2 import Evidence, EvidenceKind, Reason

_KIND = len("EVIDENCE_KIND_")
_DID = {EVENT_TYPE_PURCHASE: "bought", EVENT_TYPE_VIEW: "viewed", EVENT_TYPE_ADD_TO_CART: "in_cart"}
_COUNTS_OTHERS = ("popularity", "co_purchase")


@dataclass(frozen=True, slots=True)
class Fact:
    """says: what is known. counts: how much it moved the list, and its share of that where it has one."""

    kind: str
    says: Markup
    counts: Markup
    share: Markup | None


@dataclass(frozen=True, slots=True)
class Why:
    """sentence: the service's, untrusted like any text. sources: who worded it, under which rules. bought: items of the
    shopper's history among the facts, which may have been gifts.
    """

    sentence: str
    language: str
    ai_generated: bool
    facts: tuple[Fact, ...]
    sources: tuple[Markup, ...]
    bought: tuple[Product, ...]


def why(reason: Reason, catalogue: Catalogue, words: Words) -> Why:
    kinds = [_kind(each) for each in reason.evidence]
    anchors = (catalogue.get(each.anchor_item_id) for each in reason.evidence if _bought(each))
    return Why(
        sentence=reason.text,
        language=reason.language,
        ai_generated=reason.provenance.ai_generated,
        facts=tuple(
            Fact(kind, _says(kind, each, catalogue, words), _strength(each, words), _share(each, words))
            for kind, each in zip(kinds, reason.evidence, strict=True)
        ),
        sources=_sources(reason, any(kind in _COUNTS_OTHERS for kind in kinds), words),
        bought=tuple(dict.fromkeys(anchor for anchor in anchors if anchor is not None)),
    )


def _kind(evidence: Evidence) -> str:
    """Lower case, or "other" for one that a newer service has and this shop does not."""
    try:
        return EvidenceKind.Name(evidence.kind)[_KIND:].lower()
    except ValueError:
        return "other"


def _bought(evidence: Evidence) -> bool:
    return bool(evidence.anchor_item_id) and evidence.anchor_event == EVENT_TYPE_PURCHASE


def _says(kind: str, evidence: Evidence, catalogue: Catalogue, words: Words) -> Markup:
    did = _DID.get(evidence.anchor_event, "bought")
    key = {"history_item": f"fact_{did}", "similar_item": f"fact_similar_{did}"}.get(kind, f"fact_{kind}")
    if kind == "profile" and evidence.value:
        key = "fact_mentioned"
    anchor = catalogue.get(evidence.anchor_item_id)
    return words(
        key if key in words else "fact_other",
        title=sellers(anchor.title) if anchor else words("another_item"),
        value=sellers(evidence.value),
        name=sellers(evidence.name),
        count=evidence.count,
        people=evidence.people,
        days=words("span", count=evidence.days),
        elapsed=words("span", count=evidence.elapsed_days),
        lift=f"{evidence.lift:.1f}" if evidence.lift < 10 else f"{evidence.lift:.0f}",
    )


def _strength(evidence: Evidence, words: Words) -> Markup:
    key = f"strength_{evidence.strength}"
    return words(key) if key in words else Markup()


def _share(evidence: Evidence, words: Words) -> Markup | None:
    return words("share", share=f"{evidence.share:.0%}") if evidence.share >= 0.01 else None


def _sources(reason: Reason, counts_others: bool, words: Words) -> tuple[Markup, ...]:
    source = reason.provenance
    worded = words("worded_model", model=sellers(source.model)) if source.model else words("worded_realiser")
    says = [worded]
    if source.ai_generated:
        says.append(words("worded_ai"))
    if source.policy_version:
        says.append(words("policy", policy=source.policy_version))
    if source.verified:
        says.append(words("verified"))
    if counts_others:
        says.append(words("window"))
    return tuple(says)
