"""Measures how reasons read: lints, variety, neighbours, and whether a reason fits its user and item best."""

import re
from collections import Counter
from collections.abc import Sequence
from itertools import groupby, pairwise

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer

from recsvc.domain.arrays import MICROSECONDS_A_DAY
from recsvc.domain.reason import EvidenceKind, Reason
from recsvc.explain.profile_phrases import linked_phrases, profile_phrases
from recsvc.explain.profile_terms import CategoryTerms
from recsvc.model.bundle import Bundle
from recsvc.reasons.amounts import ago_text, number_text, period_text, times_text
from recsvc.reasons.claim import Claim, attribute_name, category_name, permitted_claim
from recsvc.reasons.plan import MAX_IN_A_ROW
from recsvc.reasons.seller_text.names import clean_label, clean_name
from training.reason_evaluation.offline_pages import Page

DISTRACTORS = 19
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


def variety(sentences: Sequence[list[str]], language: str) -> dict[str, float]:
    """Measures how varied sentences are.

    Args:
        sentences: Delexicalised.
        language: Of the sentences.

    Returns:
        openings: how many different openings there are. opening_share: the share of the commonest one. patterns: how
        many different sentences there are. distinct_2: different pairs of words over all pairs.
    """
    openings = Counter(tuple(words[: _OPENING_WORDS[language]]) for words in sentences)
    pairs = Counter(pair for words in sentences for pair in pairwise(words))
    return {
        "openings": len(openings),
        "opening_share": max(openings.values(), default=0) / max(len(sentences), 1),
        "patterns": len({tuple(words) for words in sentences}),
        "distinct_2": len(pairs) / max(sum(pairs.values()), 1),
    }


def neighbours(pages: Sequence[Page]) -> dict[str, int]:
    """Counts how the reasons of neighbouring places are alike.

    Returns:
        pairs: neighbouring places that both have a reason. repeated: pairs with the same text. longest_run: the most
        reasons in a row of one kind. long_runs: runs of one kind that are longer than `MAX_IN_A_ROW`, as they are
        where no other fact is known.
    """
    both = [pair for page in pages for pair in pairwise(page.reasons)]
    texts = [(left.text, right.text) for left, right in both if left is not None and right is not None]
    kinds = [[reason.evidence[0].kind if reason is not None else None for reason in page.reasons] for page in pages]
    runs = [len(list(run)) for page in kinds for kind, run in groupby(page) if kind is not None]
    return {
        "pairs": len(texts),
        "repeated": sum(left == right for left, right in texts),
        "longest_run": max(runs, default=0),
        "long_runs": sum(run > MAX_IN_A_ROW for run in runs),
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
    if reason is None:
        return []
    return [permitted_claim(evidence, item, reason.language, reason.tone) for evidence in reason.evidence]


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
    with_attribute = [sum(n for other, n in counted if pair in other.attributes) for pair in item.attributes]
    counts = [int(bundle.buyers[row]), *bundle.companion_buyers[state.bought_rows][companions].tolist()]
    people = bundle.cohorts[state.bought_rows[companions.any(axis=1)]].tolist()
    elapsed = ((now - bought_at[-1:]) // MICROSECONDS_A_DAY).tolist()
    words = [f"item=“{clean_name(other.title, brand=other.brand)}”" for other in bought]
    words += [f"value={attribute_name(value)}" for _, value in item.attributes]
    words += [f"value={clean_label(item.brand)}", *(f"value={category_name(name)}" for name in item.categories)]
    phrases = profile_phrases(state.about, terms)
    if (place := linked_phrases(phrases, [item], [row], terms)[0]) >= 0:
        phrase = attribute_name(phrases[place].text)
        words += [f"value=“{phrase}”", f"value={phrase}"]
    words += [f"times={times_text(n, language)}" for n in (times, brands, *categories, *with_attribute) if n > 1]
    words += [f"ago={ago_text(days, language)}" for days in elapsed if days > 0]
    words += [f"period={period_text(days, language)}" for days in (model.popularity_days, model.cohort_days)]
    words += [
        f"{slot}={number_text(n, language)}" for slot, many in (("count", counts), ("people", people)) for n in many
    ]
    return sorted(set(words))
