"""Explains a reason in plain words: its facts, how much each counts, and who worded the sentence."""

from dataclasses import dataclass

from markupsafe import Markup

from deploy.storefront.catalogue import Catalogue, Product
from deploy.storefront.interface_words import Words, sellers
from recsvc.v1.events_pb2 import EVENT_TYPE_ADD_TO_CART, EVENT_TYPE_PURCHASE, EVENT_TYPE_VIEW
from recsvc.v1.reason_pb2 import Evidence, EvidenceKind, Reason

_PREFIX_LENGTH = len("EVIDENCE_KIND_")
_DID = {EVENT_TYPE_PURCHASE: "bought", EVENT_TYPE_VIEW: "viewed", EVENT_TYPE_ADD_TO_CART: "in_cart"}
_COUNTS_OTHERS = ("popularity", "co_purchase")
_MIN_SHARE = 0.01  # a smaller share is not shown
_WHOLE_LIFT = 10  # from here on, a lift is shown without decimals


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact. says: the fact itself. counts: how it affected the list. share: of all evidence, if large enough."""

    kind: str
    says: Markup
    counts: Markup
    share: Markup | None


@dataclass(frozen=True, slots=True)
class Explanation:
    """A reason with the facts behind it.

    Attributes:
        sentence: The reason. It is not trusted, like any text from outside.
        language: Of the sentence.
        ai_generated: Whether a language model worded it.
        facts: The facts that it is based on.
        sources: Who worded it, and which rules it was checked by.
        bought: Items among the facts that the shopper bought, and that may have been gifts.
    """

    sentence: str
    language: str
    ai_generated: bool
    facts: tuple[Fact, ...]
    sources: tuple[Markup, ...]
    bought: tuple[Product, ...]


def explain(reason: Reason, catalogue: Catalogue, words: Words) -> Explanation:
    """Explains a reason in the language of `words`."""
    kinds = [_kind(evidence) for evidence in reason.evidence]
    anchors = (catalogue.get(evidence.anchor_item_id) for evidence in reason.evidence if _bought(evidence))
    return Explanation(
        sentence=reason.text,
        language=reason.language,
        ai_generated=reason.provenance.ai_generated,
        facts=tuple(
            Fact(kind, _says(kind, evidence, catalogue, words), _strength(evidence, words), _share(evidence, words))
            for kind, evidence in zip(kinds, reason.evidence, strict=True)
        ),
        sources=_sources(reason, words, counts_others=any(kind in _COUNTS_OTHERS for kind in kinds)),
        bought=tuple(dict.fromkeys(anchor for anchor in anchors if anchor is not None)),
    )


def _kind(evidence: Evidence) -> str:
    """The kind in lower case, or "other" if a newer service has a kind that this shop does not know."""
    try:
        return EvidenceKind.Name(evidence.kind)[_PREFIX_LENGTH:].lower()
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
        lift=f"{evidence.lift:.1f}" if evidence.lift < _WHOLE_LIFT else f"{evidence.lift:.0f}",
    )


def _strength(evidence: Evidence, words: Words) -> Markup:
    key = f"strength_{evidence.strength}"
    return words(key) if key in words else Markup()


def _share(evidence: Evidence, words: Words) -> Markup | None:
    return words("share", share=f"{evidence.share:.0%}") if evidence.share >= _MIN_SHARE else None


def _sources(reason: Reason, words: Words, *, counts_others: bool) -> tuple[Markup, ...]:
    source = reason.provenance
    worded = words("worded_model", model=sellers(source.model)) if source.model else words("worded_realiser")
    sentences = [worded]
    if source.ai_generated:
        sentences.append(words("worded_ai"))
    if source.policy_version:
        sentences.append(words("policy", policy=source.policy_version))
    if source.verified:
        sentences.append(words("verified"))
    if counts_others:
        sentences.append(words("window"))
    return tuple(sentences)
