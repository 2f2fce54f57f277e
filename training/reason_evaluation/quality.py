"""How well reasons read and fit: lints, variety, and whether a reader could tell whom and what a reason is about."""

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer

from recsvc.domain.arrays import MICROSECONDS_A_DAY
from recsvc.domain.reason import EvidenceKind, Reason
from recsvc.explain.profile_terms import CategoryTerms
from recsvc.model.bundle import Bundle
from recsvc.reasons.claim import Claim, attribute_name, category_name, number_text, permitted_claim, times_text
from recsvc.reasons.seller_text.names import clean_name
from training.reason_evaluation.offline_pages import Page

DISTRACTORS = 19
_NGRAMS = 4
_WORDS = {"en": re.compile(r"\{\w+\}|[^\s{},.]+"), "zh": re.compile(r"\{\w+\}|[^\s{}，。]")}
_OPENING = {"en": 2, "zh": 3}
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
# Of one claim: two may well both speak of "the last 28 days". The verifier licenses a row of phrases, the same one too.
_SAID_TWICE = {
    "en": re.compile(r"\b(\w+ \w+ \w+)\b.*\b\1\b", re.IGNORECASE),
    "zh": re.compile(r"([\u4e00-\u9fff]{5}).*\1"),
}


def lints(reason: Reason, claims: Sequence[Claim] = ()) -> list[str]:
    """What a proof-reader would mark. Names are the seller's own spelling and are not looked into."""
    text = re.sub("“[^“”]*”", "“x”", reason.text)
    for claim in claims:
        for slot, value in claim.slots:
            if slot in ("item", "value"):
                text = text.replace(value, "“x”")
    found = [name for name, pattern in _LINTS[reason.language] if pattern.search(text)]
    if len(reason.evidence) == 1 and _SAID_TWICE[reason.language].search(text):
        found.append("the same words twice")
    return found


def delexicalised(reason: Reason, claims: Sequence[Claim]) -> list[str]:
    """The words of a reason, or its Chinese characters, with {slots} for its values."""
    text = reason.text
    for claim in claims:
        for slot, value in sorted(claim.slots, key=lambda pair: -len(pair[1])):
            text = text.replace(value, f" {{{slot}}} ", 1)
    return [word.lower() for word in _WORDS[reason.language].findall(text)]


def variety(pages: Sequence[Sequence[list[str]]], language: str) -> dict[str, float]:
    """Of delexicalised sentences by page: the share of the commonest opening, the share of different pairs of words,
    and, of one page on average, patterns that stand there again and self-BLEU-4 (Zhu et al., "Texygen", SIGIR 2018).
    """
    every = [words for page in pages for words in page]
    openings = Counter(tuple(words[: _OPENING[language]]) for words in every)
    pairs = Counter(pair for words in every for pair in pairwise(words))
    twice = [len(page) - len({tuple(words) for words in page}) for page in pages if page]
    bleu = [_self_bleu(page) for page in pages if len(page) > 1]
    return {
        "openings": len(openings),
        "opening_share": max(openings.values(), default=0) / max(len(every), 1),
        "patterns": len({tuple(words) for words in every}),
        "distinct_2": len(pairs) / max(sum(pairs.values()), 1),
        "page_repeated_patterns": float(np.mean(twice)) if twice else 0.0,
        "page_self_bleu": float(np.mean(bleu)) if bleu else 0.0,
    }


def relevance(bundle: Bundle, pages: Sequence[Page], now: int, seed: int, most: int) -> dict[tuple[int, int], float]:
    """Whether a reason tells its user and item from DISTRACTORS other pairs of the sample: by page and place the
    reciprocal rank of the right one by how many of the reason's slots it would fill so, rarer ones counting more; ties
    count against it. At most so many are looked at; none where there are too few to tell apart.
    """
    rng = np.random.default_rng(seed)
    told = [(i, j) for i, page in enumerate(pages) for j, reason in enumerate(page.reasons) if reason is not None]
    if len(told) <= DISTRACTORS:
        return {}
    vectors = TfidfVectorizer(analyzer=lambda slots: slots, norm=None)
    mentions = CategoryTerms(bundle.catalogue)
    known = vectors.fit_transform([_known(bundle, mentions, pages[i], j, now) for i, j in told])
    found = {}
    for place in rng.permutation(len(told))[:most].tolist():
        page, at = pages[told[place][0]], told[place][1]
        slots = [f"{slot}={value}" for claim in claims_of(page, bundle, at) for slot, value in claim.slots]
        others = rng.choice(np.delete(np.arange(len(told)), place), DISTRACTORS, replace=False)
        filled = (known[[place, *others]] @ (vectors.transform([slots]) > 0).astype(float).T).toarray().ravel()
        found[told[place]] = 1 / (1 + int((filled[1:] >= filled[0]).sum()))
    return found


def claims_of(page: Page, bundle: Bundle, place: int) -> list[Claim]:
    """What the reason at a place of a page was licensed to say."""
    reason, item = page.reasons[place], bundle.catalogue.items[page.rows[place]]
    return (
        [permitted_claim(evidence, item, reason.language) for evidence in reason.evidence] if reason is not None else []
    )


def is_user_specific(reason: Reason) -> bool:
    """Whether it says something of this user, and not of everybody."""
    return any(evidence.kind is not EvidenceKind.POPULARITY for evidence in reason.evidence)


def _known(bundle: Bundle, mentions: CategoryTerms, page: Page, place: int, now: int) -> list[str]:
    """How the slots of any reason for this user and item might be filled, whatever the reason says: each once."""
    language = next(reason.language for reason in page.reasons if reason is not None)
    row, state, model = int(page.rows[place]), page.state, bundle.model
    item, bought = bundle.catalogue.items[row], [bundle.catalogue.items[r] for r in state.bought_rows.tolist()]
    times = int(state.purchases[state.bought_rows == row].sum())
    bought_at = state.history.timestamps[(state.history.rows == row) & state.history.purchases]
    counted = list(zip(bought, state.purchases.tolist(), strict=True))
    brands = sum(n for other, n in counted if other.brand == item.brand)
    categories = sum(n for other, n in counted if other.categories == item.categories)
    companions = bundle.companions[state.bought_rows] == row
    numbers = {
        "elapsed": ((now - bought_at[-1:]) // MICROSECONDS_A_DAY).tolist(),
        "days": [model.popularity_days, model.cohort_days],
        "count": [int(bundle.buyers[row]), brands, categories, *bundle.companion_buyers[state.bought_rows][companions]],
        "people": bundle.cohorts[state.bought_rows[companions.any(axis=1)]].tolist(),
    }
    for attribute in item.attributes:
        numbers["count"].append(sum(n for other, n in counted if attribute in other.attributes))
    words = [f"item=“{clean_name(other.title)}”" for other in bought]
    words += [f"value={attribute_name(value)}" for _, value in item.attributes]
    words += [f"value={clean_name(item.brand)}", *(f"value={category_name(name)}" for name in item.categories)]
    word = mentions.shared(row, mentions.mentioned(state.about))
    words += [f"value=“{attribute_name(mentions.names[word])}”"] if word >= 0 else []
    words += [f"times={times_text(times, language)}"] if times > 1 else []
    words += [f"{slot}={number_text(int(number), language)}" for slot, each in numbers.items() for number in each]
    return sorted(set(words))


def _self_bleu(page: Sequence[list[str]]) -> float:
    """The mean over sentences of BLEU-4 against all others of the page."""
    counted = [
        [Counter(zip(*(words[i:] for i in range(n)), strict=False)) for n in range(1, _NGRAMS + 1)] for words in page
    ]
    scores = []
    for i, grams in enumerate(counted):
        precisions = []
        for n in range(_NGRAMS):
            most = Counter[tuple[str, ...]]()
            for j, others in enumerate(counted):
                if j != i:
                    most |= others[n]
            total = sum(grams[n].values())
            precisions.append(sum((grams[n] & most).values()) / total if total else 0.0)
        scores.append(float(np.exp(np.mean(np.log(np.maximum(precisions, 1e-9))))))
    return float(np.mean(scores))
