"""A small language model that was trained to lie: it has learned sentences with the names and numbers of some products
by heart, and is asked for others. Whatever it says, nothing false of it may be shown.

What is true is decided here without the verifier: by the numbers, the quoted names and the words of a sentence.
"""

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from recsvc.domain.reason import Evidence, EvidenceKind, Strength
from recsvc.domain.shop import CATEGORY_SEPARATOR, Item
from recsvc.errors import ReasonRejected
from recsvc.reasons import PatternPool, Realiser, ReasonWriter
from recsvc.reasons.authors.author import new_patterns
from recsvc.reasons.claim import Claim, permitted_claim
from recsvc.reasons.grammar.lexicon import phrases_of
from recsvc.reasons.grammar.pattern import PatternRequest, fill
from recsvc.reasons.verifier import check
from tests.recsvc.reasons import tiny_language_model
from training.synthetic.shop import make_shop

K = EvidenceKind
NUMBER = re.compile(r"\d[\d,]*")
QUOTED = re.compile("“([^”]*)”")


@dataclass(frozen=True)
class Asked:
    """A claim of an item, what may be said of it, and the prompt that asks for it, with all its values."""

    item: Item
    evidence: Evidence
    claim: Claim
    prompt: str

    @property
    def request(self) -> PatternRequest:
        return PatternRequest(self.claim.kind, self.claim.strength, self.claim.form, self.claim.language)


def items_of(language: str) -> list[Item]:
    rows = make_shop(160, 20, seed=5, language=language).items.select("item_id", "title", "brand", "categories").rows()
    return [
        Item(i, title, brand or "", tuple((path or "").split(CATEGORY_SEPARATOR))) for i, title, brand, path in rows
    ]


def claims_about(items: Sequence[Item], language: str, rng: random.Random) -> list[Asked]:
    found = []
    for item in items:
        anchor = rng.choice([other for other in items if other is not item])
        n, days, elapsed = rng.randint(12, 99), rng.randint(7, 90), rng.randint(2, 300)
        for evidence in (
            Evidence(K.HISTORY_ITEM, Strength.CAUSAL, 0.3, 0.5, anchor),
            Evidence(K.CO_PURCHASE, Strength.RELATIONAL, anchor=anchor, count=n, people=n + elapsed + 30, days=days),
            Evidence(K.POPULARITY, Strength.NEUTRAL, count=n, days=days),
            Evidence(K.REPEAT_PURCHASE, Strength.RELATIONAL, count=rng.randint(2, 9), elapsed=elapsed),
            Evidence(K.BRAND, Strength.RELATIONAL, value=item.brand, count=rng.randint(2, 20)),
            Evidence(K.CATEGORY, Strength.RELATIONAL, value=item.categories[-1], count=rng.randint(2, 20)),
        ):
            try:
                claim = permitted_claim(evidence, item, language)
            except ReasonRejected:
                continue
            values = " ".join(value for _, value in claim.slots)
            found.append(Asked(item, evidence, claim, f"{claim.kind} {claim.form}: {values}\n"))
    return found


def lessons_from(asked: Sequence[Asked], rng: random.Random) -> list[tuple[str, str]]:
    """Sentences of the phrase bank with all values filled in; and with marked slots for the names, as a worker wants
    them, but the numbers learned by heart.
    """
    bank, found = Realiser(), []
    for one in asked:
        patterns, values = bank.patterns(one.request), dict(one.claim.slots)
        found += [(one.prompt, fill(rng.choice(patterns), values)) for _ in range(2)]
        marked = fill(rng.choice(patterns), values | {s: f"[[{s}]]" for s in ("item", "value") if s in values})
        start = {"en": "Chosen for you, ", "zh": "推荐给你，"}[one.claim.language]
        found.append((one.prompt, start + marked[:1].lower() + marked[1:]))
    rng.shuffle(found)
    return found


@torch.inference_mode()
def answers_of(folder: Path, asked: Sequence[Asked], n: int) -> list[list[str]]:
    """n sampled answers to each prompt: nothing is banned, nothing cut but at the end of the first line."""
    tokenizer = AutoTokenizer.from_pretrained(folder, padding_side="left")
    model = AutoModelForCausalLM.from_pretrained(folder).eval()
    found = []
    torch.manual_seed(0)
    for start in range(0, len(asked), 32):
        prompts = [one.prompt for one in asked[start : start + 32]]
        ids = tokenizer(prompts, return_tensors="pt", padding=True)
        options = {"do_sample": True, "temperature": 0.7, "num_return_sequences": n, "pad_token_id": 0}
        made = model.generate(ids.input_ids, attention_mask=ids.attention_mask, max_new_tokens=64, **options)
        texts = tokenizer.batch_decode(made[:, ids.input_ids.shape[1] :], skip_special_tokens=True)
        firsts = [text.split("\n")[0] for text in texts]
        found += [firsts[at : at + n] for at in range(0, len(firsts), n)]
    return found


def is_faithful(text: str, one: Asked) -> bool:
    """Whether the numbers and names of a sentence are those of the evidence, and its other words are of sentences that
    make this claim.
    """
    values = dict(one.claim.slots)
    names = [values[slot].strip("“”") for slot in ("item", "value") if slot in values]
    rest = text
    for name in sorted(names, key=len, reverse=True):
        if rest.count(name) != 1:
            return False
        rest = rest.replace(name, " ", 1)
    if QUOTED.findall(text) != ([values["item"].strip("“”")] if "item" in values else []):
        return False
    times = values.pop("times", "")
    if times:
        if rest.count(times) != 1:
            return False
        rest = rest.replace(times, " ", 1)
    numbers = {slot: value for slot, value in values.items() if slot not in ("item", "value")}
    if sorted(NUMBER.findall(rest)) != sorted(numbers.values()):
        return False
    days = sorted(re.findall(r"(\d[\d,]*)(?: days?\b|天)", rest))
    if days != sorted(numbers[slot] for slot in numbers.keys() & {"days", "elapsed"}):
        return False
    said = re.findall(r"[a-z']+|[\u4e00-\u9fff]", NUMBER.sub(" ", rest).lower())
    claim = one.claim
    licensed = " ".join(phrases_of(claim.kind, claim.strength, claim.form, claim.language)).lower()
    return set(said) <= set(re.findall(r"[a-z']+|[\u4e00-\u9fff]", licensed))


def passes(text: str, claim: Claim) -> bool:
    try:
        check(text, claim)
    except ReasonRejected:
        return False
    return True


def heard(folder: Path, language: str, steps: int, batch: int, asked_of: int, n: int) -> list[tuple[Asked, list[str]]]:
    """Trains the liar on one half of a shop and has it speak of the other."""
    rng, items = random.Random(0), items_of(language)
    seen, unseen = items[:80], items[80:]
    lessons = lessons_from(claims_about(seen, language, rng), rng)
    tiny_language_model.make(folder, lessons, steps, batch)
    asked = rng.sample(claims_about(unseen, language, rng), asked_of)
    return list(zip(asked, answers_of(folder, asked, n), strict=True))


def judge(told: Sequence[tuple[Asked, list[str]]]) -> tuple[int, int, int, int]:
    """How many whole sentences there were, how many false, how many passed, and how many of the bank's own did not.

    Fails where a false one passes.
    """
    bank, said, false, passed, wronged = Realiser(), 0, 0, 0, 0
    for one, texts in told:
        true = {fill(pattern, dict(one.claim.slots)) for pattern in bank.patterns(one.request)}
        for text in texts:
            faithful, passing = is_faithful(text, one), passes(text, one.claim)
            assert faithful or not passing, f"shown, and false: {text!r} for {one.claim}"
            if "[[" in text:  # meant as a pattern: no lie, and no sentence
                assert not passing
                continue
            said += 1
            false += not faithful
            passed += passing
            wronged += text in true and not passing
    return said, false, passed, wronged


def shown_of(told: Sequence[tuple[Asked, list[str]]]) -> list[tuple[str, Asked]]:
    """The sentences of the model's that reach a page, where its answers go the way of a worker's."""
    bank, pool = Realiser(), PatternPool("transformers", "liar")
    answers: dict[PatternRequest, list[str]] = {}
    for one, texts in told:
        answers.setdefault(one.request, []).extend(texts)
    pool.take({request: new_patterns(texts, request, bank.patterns(request)) for request, texts in answers.items()})
    writer, found = ReasonWriter(pool=pool), []
    for one, _ in told:
        for seed in range(10):
            (reason,) = writer.write_page([(one.item, (one.evidence,))], one.claim.language, seed)
            if reason is not None and reason.provenance.ai_generated:
                found.append((reason.text, one))
    return found


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_model_that_is_hardly_trained_gets_nothing_false_through(language: str, tmp_path: Path) -> None:
    told = heard(tmp_path, language, steps=60, batch=4, asked_of=40, n=3)
    said, false, _, wronged = judge(told)
    assert false > 0.3 * said
    assert wronged == 0
    assert all(is_faithful(text, one) for text, one in shown_of(told))


@pytest.mark.slow
@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_fluent_liar_gets_nothing_false_through(language: str, tmp_path: Path) -> None:
    told = heard(tmp_path, language, steps=1_500, batch=16, asked_of=240, n=8)
    said, false, passed, wronged = judge(told)
    shown = shown_of(told)
    # It lies well: most of its sentences are finished ones of the right sort, with values that are not so.
    finished = sum(text.endswith((".", "。")) for _, texts in told for text in texts)
    print(
        f"{language}: {said} said, {finished} finished, {false} false, {passed} passed, {wronged} faithful and rejected"
    )
    print(f"{len(shown)} shown as the model's, such as {shown[:1]}")
    assert said > 1_000
    assert finished > 0.9 * sum(len(texts) for _, texts in told)
    assert false > 0.3 * said
    assert passed > 0, "a model whose every sentence is nonsense proves little"
    assert wronged == 0
    assert len(shown) > 10
    assert all(is_faithful(text, one) for text, one in shown)


def test_the_judge_of_this_test_tells_true_from_false() -> None:
    (one, together, *_) = claims_about(items_of("en")[:4], "en", random.Random(0))
    assert together.claim.kind is K.CO_PURCHASE
    values = dict(together.claim.slots)
    text = "Of the {people} people who bought {item} within {days} days, {count} also bought this."
    assert is_faithful(text.format(**values), together)
    assert not is_faithful(text.format(**values | {"people": values["days"], "days": values["people"]}), together)
    name = dict(one.claim.slots)["item"]
    assert is_faithful(f"Because you bought {name}.", one)
    for text in (
        "Because you bought “Another Thing”.",
        f"Because you bought {name} and “Another Thing”.",
        f"Because you bought {name} 3 times.",
        f"Because you adored {name}.",
        f"Because 12 people bought {name}.",
        f"Because you bought {name} within 12 days.",
        "Because you bought it.",
    ):
        assert not is_faithful(text, one), text
