"""Measures how reasons read: lints, variety, and whether a reason fits its user and item better than others."""

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer

from recsvc.domain.arrays import MICROSECONDS_A_DAY
from recsvc.domain.reason import EvidenceKind, Reason
from recsvc.explain.profile_phrases import linked_phrase, profile_phrases
from recsvc.explain.profile_terms import CategoryTerms
from recsvc.model.bundle import Bundle
from recsvc.reasons.claim import Claim, attribute_name, category_name, number_text, permitted_claim, times_text
from recsvc.reasons.seller_text.names import clean_name
from training.reason_evaluation.offline_pages import Page

DISTRACTORS = 19
_BLEU_ORDER = 4
_WORDS = {"en": re.compile(r"\{\w+\}|[^\s{},.]+"), "zh": re.compile(r"\{\w+\}|[^\s{}，。]")}
_OPENING_WORDS = {"en": 2, "zh": 3}
_LINTS = {
    "en": (
        ("two spaces or a loose mark", re.compile(r"\s{2}| [.,]|[.,]{2}")),
        ("a for an, or an for a", re.compile(r"\ba [aeio]\w*|\ban [^aeiouh\W]\w*", re.IGNORECASE)),
        ("one of several", re.compile(r"\b1 (?:days|times|people|shoppers)\b")),
        ("a word twice", re.compile(r"\b(\w+) \1\b", re.IGNORECASE)),
        ("no capital, or no full stop", re.compile(r"^[a-z]|[^.]$")),
    ),
    "zh": (
        ("half-width punctuation", re.compile(r"[,.;:!?](?![^“”]*”)")),
        ("a space", re.compile(r"\s(?![^“”]*”)")),
        ("the same character thrice", re.compile(r"([\u4e00-\u9fff])\1\1")),
        ("no full stop", re.compile(r"[^。]$")),
    ),
}
# For sentences of one claim: two claims may both say "in the last 28 days". The verifier accepts any row of permitted
# phrases, also the same phrase twice.
_SAID_TWICE = {
    "en": re.compile(r"\b(\w+ \w+ \w+)\b.*\b\1\b", re.IGNORECASE),
    "zh": re.compile(r"([\u4e00-\u9fff]{5}).*\1"),
}


def lints(reason: Reason, claims: Sequence[Claim] = ()) -> list[str]:
    """Lists what a proofreader would mark. Names are skipped, because they are spelt as the seller spelt them."""
    text = re.sub("“[^“”]*”", "“x”", reason.text)
    for claim in claims:
        for slot, value in claim.slots:
            if slot in ("item", "value"):
                text = text.replace(value, "“x”")
    marks = [name for name, pattern in _LINTS[reason.language] if pattern.search(text)]
    if len(reason.evidence) == 1 and _SAID_TWICE[reason.language].search(text):
        marks.append("the same words twice")
    return marks


def delexicalised(reason: Reason, claims: Sequence[Claim]) -> list[str]:
    """The words of a reason, or its Chinese characters, with {slots} in place of its values."""
    text = reason.text
    for claim in claims:
        for slot, value in sorted(claim.slots, key=lambda pair: -len(pair[1])):
            text = text.replace(value, f" {{{slot}}} ", 1)
    return [word.lower() for word in _WORDS[reason.language].findall(text)]


def variety(pages: Sequence[Sequence[list[str]]], language: str) -> dict[str, float]:
    """Measures how varied sentences are.

    Args:
        pages: The delexicalised sentences of each page.
        language: Of the sentences.

    Returns:
        openings: how many different openings there are. opening_share: the share of the commonest one. patterns: how
        many different sentences there are. distinct_2: different pairs of words over all pairs.
        page_repeated_patterns: how often a page repeats a pattern, averaged over pages. page_self_bleu: self-BLEU-4
        (Zhu et al., "Texygen", SIGIR 2018), averaged over pages.
    """
    sentences = [words for page in pages for words in page]
    openings = Counter(tuple(words[: _OPENING_WORDS[language]]) for words in sentences)
    pairs = Counter(pair for words in sentences for pair in pairwise(words))
    twice = [len(page) - len({tuple(words) for words in page}) for page in pages if page]
    bleu = [_self_bleu(page) for page in pages if len(page) > 1]
    return {
        "openings": len(openings),
        "opening_share": max(openings.values(), default=0) / max(len(sentences), 1),
        "patterns": len({tuple(words) for words in sentences}),
        "distinct_2": len(pairs) / max(sum(pairs.values()), 1),
        "page_repeated_patterns": float(np.mean(twice)) if twice else 0.0,
        "page_self_bleu": float(np.mean(bleu)) if bleu else 0.0,
    }


def relevance(bundle: Bundle, pages: Sequence[Page], *, now: int, seed: int, most: int) -> dict[tuple[int, int], float]:
    """Measures whether a reason identifies its user and item among DISTRACTORS other pairs of the sample.

    A pair scores by how many of the reason's slots it would fill in the same way; rare values count more. Equal scores
    count against the right pair.

    Args:
        bundle: The bundle.
        pages: The pages with their reasons.
        now: When the pages were shown, microseconds since 1970 UTC.
        seed: Of the sample and the distractors.
        most: How many reasons are measured at most.

    Returns:
        The reciprocal rank of the right pair, by page and place. Empty if there are no more than DISTRACTORS reasons.
    """
    rng = np.random.default_rng(seed)
    places = [(i, j) for i, page in enumerate(pages) for j, reason in enumerate(page.reasons) if reason is not None]
    if len(places) <= DISTRACTORS:
        return {}
    vectors = TfidfVectorizer(analyzer=lambda slots: slots, norm=None)
    terms = CategoryTerms(bundle.catalogue)
    fillings = vectors.fit_transform([_fillings(bundle, terms, pages[i], j, now) for i, j in places])
    ranks = {}
    for number in rng.permutation(len(places))[:most].tolist():
        page, at = pages[places[number][0]], places[number][1]
        slots = [f"{slot}={value}" for claim in claims_of(page, bundle, at) for slot, value in claim.slots]
        others = rng.choice(np.delete(np.arange(len(places)), number), DISTRACTORS, replace=False)
        filled = (fillings[[number, *others]] @ (vectors.transform([slots]) > 0).astype(float).T).toarray().ravel()
        ranks[places[number]] = 1 / (1 + int((filled[1:] >= filled[0]).sum()))
    return ranks


def claims_of(page: Page, bundle: Bundle, place: int) -> list[Claim]:
    """The claims that the reason at a place of a page may make. Empty if there is no reason."""
    reason, item = page.reasons[place], bundle.catalogue.items[page.rows[place]]
    return (
        [permitted_claim(evidence, item, reason.language) for evidence in reason.evidence] if reason is not None else []
    )


def is_user_specific(reason: Reason) -> bool:
    """Whether the reason says something about this user, and not only about all people."""
    return any(evidence.kind is not EvidenceKind.POPULARITY for evidence in reason.evidence)


def _fillings(bundle: Bundle, terms: CategoryTerms, page: Page, place: int, now: int) -> list[str]:
    """All ways in which the slots of a reason for this user and item could be filled, each once."""
    language = next(reason.language for reason in page.reasons if reason is not None)
    row, state, model = int(page.rows[place]), page.state, bundle.model
    item, bought = bundle.catalogue.items[row], [bundle.catalogue.items[r] for r in state.bought_rows.tolist()]
    times = int(state.purchases[state.bought_rows == row].sum())
    bought_at = state.history.timestamps[(state.history.rows == row) & state.history.purchases]
    counted = list(zip(bought, state.purchases.tolist(), strict=True))
    brands = sum(n for other, n in counted if other.brand == item.brand)
    categories = [sum(n for other, n in counted if name in other.categories) for name in item.categories]
    companions = bundle.companions[state.bought_rows] == row
    numbers = {
        "elapsed": ((now - bought_at[-1:]) // MICROSECONDS_A_DAY).tolist(),
        "days": [model.popularity_days, model.cohort_days],
        "count": [
            int(bundle.buyers[row]),
            brands,
            *categories,
            *bundle.companion_buyers[state.bought_rows][companions],
        ],
        "people": bundle.cohorts[state.bought_rows[companions.any(axis=1)]].tolist(),
    }
    for attribute in item.attributes:
        numbers["count"].append(sum(n for other, n in counted if attribute in other.attributes))
    words = [f"item=“{clean_name(other.title)}”" for other in bought]
    words += [f"value={attribute_name(value)}" for _, value in item.attributes]
    words += [f"value={clean_name(item.brand)}", *(f"value={category_name(name)}" for name in item.categories)]
    phrases = profile_phrases(state.about, terms)
    if (place_of_phrase := linked_phrase(phrases, item, row, terms)) >= 0:
        phrase = attribute_name(phrases[place_of_phrase].text)
        words += [f"value=“{phrase}”", f"value={phrase}"]
    words += [f"times={times_text(times, language)}"] if times > 1 else []
    words += [f"{slot}={number_text(int(number), language)}" for slot, values in numbers.items() for number in values]
    return sorted(set(words))


def _self_bleu(page: Sequence[list[str]]) -> float:
    """The BLEU-4 of a sentence against all others of the page, averaged over its sentences."""
    orders = range(1, _BLEU_ORDER + 1)
    counted = [[Counter(zip(*(words[i:] for i in range(n)), strict=False)) for n in orders] for words in page]
    scores = []
    for i, grams in enumerate(counted):
        precisions = []
        for n in range(_BLEU_ORDER):
            most = Counter[tuple[str, ...]]()
            for j, others in enumerate(counted):
                if j != i:
                    most |= others[n]
            total = sum(grams[n].values())
            precisions.append(sum((grams[n] & most).values()) / total if total else 0.0)
        scores.append(float(np.exp(np.mean(np.log(np.maximum(precisions, 1e-9))))))
    return float(np.mean(scores))
