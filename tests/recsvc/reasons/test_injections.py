"""Text that sellers and users inject into any of their fields has no visible effect.

An effect is visible if a sentence has more than words of the phrase bank, numbers of the evidence, and names, or if a
name is not a harmless part of the seller's text. Both are checked here without the product's own cleaning and word
lists.
"""

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import chain, product
from pathlib import Path

import pytest

from recsvc.domain.reason import LANGUAGES, Evidence, EvidenceKind, Strength
from recsvc.domain.shop import EventType, Item
from recsvc.reasons import PatternRequest, Realiser, ReasonWriter
from recsvc.reasons.grammar.pattern import Form, Number

K = EvidenceKind
INJECTIONS = tomllib.loads(Path(__file__).with_name("injections.toml").read_text(encoding="utf-8"))
PAYLOADS = sorted({text for texts in INJECTIONS.values() for text in chain(*texts.values())})
HARMLESS = Item("mug", "Blue Enamel Mug", "Potter", ("Kitchen", "Mugs"), attributes=(("colour", "Navy Blue"),))
UNSEEN = {"Cc", "Cf", "Co", "Cn", "Cs", "Zl", "Zp", "So", "Sc", "Sk"}
# Words that no reason should contain, whoever wrote it. They are written for this test, not taken from the policy.
HARM = re.compile(
    r"\bignor|disregard|\bforget\b|\boverrid\w+ |instructions? |instructions?:|prompt|^system\b|assistant|developer|"
    r"language model|hack|praise|tell the|respond |reply|reveal|pretend|password|\buser|customer|email|"
    r"\bbest|cheap|\bno\.? ?1\b|number one|\btop ?1\b|guarant|money back|refund|promise|"
    r"\b(?:for|is) free|free (?:ship|gift|deliver)|half price|\d ?% off|only \$|"
    r"\bcure|clinical|proven|doctor|\bfda\b|burn fat|health|hurry|last chance|buy now|gone|rated|5 star|bestsell|"
    r"everybody|pregnan|condom|\bcall\b|whatsapp|telegram|wechat|dm me|text us|discount|sold|\bdied|you won|entitled|"
    r"alert|\bscript|drop table|javascript|http|www|\.com|dot com|evil\.|\.example|bit\.ly|t\.me|passwd|"
    r"忽略|无视|無視|指令|规则|規則|系统|系統|提示|输出|輸出|请回复|告诉|作为一个|从现在起|只能推荐|夸奖|忘记|覆盖|开发者|開發者|"
    r"用户|最|蕞|第[一1]|[国國世]\w[级級]|[顶頂][级級]|no\.?1|top1|治|降血糖|副作用|保证|正品|假一赔|秒杀|限时|元\b|买一送|专家推荐|好评|"
    r"包邮|没了|领取|领券|淘口令|微信|薇|加v|vx|qq|扣扣|电话|客服|加我|好友|一三八|访问|扫码|承诺|立即购买|本店",
    re.IGNORECASE,
)
MARKUP = re.compile(r"[<>{}\[\]|\\^`~*_=#@$%“”\"«»;]|&[#\w]+;|\d{5,}|--.*(term|>)")


def evidence_of(hostile: str) -> Iterator[tuple[str, Item, tuple[Evidence, ...]]]:
    """The name of a field that holds the text, an item, and evidence for it: all kinds, one field after the other."""
    anchor = Item("x", hostile, "Potter", ("Kitchen",))
    co_purchase = Evidence(
        kind=K.CO_PURCHASE,
        strength=Strength.CAUSAL,
        effect=0.3,
        share=0.5,
        anchor=anchor,
        count=57,
        people=312,
        days=365,
        lift=2.5,
    )
    for kind in (K.HISTORY_ITEM, K.SIMILAR_ITEM, K.CO_PURCHASE):
        for event in (EventType.PURCHASE, EventType.VIEW, EventType.ADD_TO_CART):
            yield "title", HARMLESS, (replace(co_purchase, kind=kind, event=event),)
    item = Item("target", hostile, hostile, ("Kitchen", hostile), attributes=(("colour", hostile), (hostile, "x")))
    relational = Strength.RELATIONAL
    preference = Evidence(kind=K.BRAND, strength=relational, value=hostile, count=7, lift=2.5)
    yield "brand", item, (preference,)
    yield "category", item, (replace(preference, kind=K.CATEGORY),)
    yield "path", item, (replace(preference, kind=K.CATEGORY, value=f"Kitchen > {hostile}"),)
    yield "attribute", item, (replace(preference, kind=K.ATTRIBUTE, name="colour"),)
    yield "attribute", item, (replace(preference, kind=K.ATTRIBUTE, name=hostile, value="x"),)
    yield (
        "profile",
        item,
        (Evidence(K.PROFILE, Strength.CONTRIBUTORY, effect=0.3, share=0.5, value=hostile, name=hostile),),
    )
    yield "title", item, (Evidence(K.REPEAT_PURCHASE, relational, effect=0.3, share=0.5, count=7, elapsed=31),)
    yield "title", item, (Evidence(K.REPEAT_INTERVAL, relational, count=7, days=28, elapsed=31),)
    yield "title", item, (Evidence(K.POPULARITY, Strength.NEUTRAL, count=312, days=28),)
    anchored = Evidence(K.HISTORY_ITEM, Strength.CAUSAL, effect=0.3, share=0.5, anchor=anchor)
    yield "all", item, (anchored, preference, Evidence(K.POPULARITY, Strength.NEUTRAL, count=312, days=28))


def sentences_of_the_bank(language: str) -> list[re.Pattern[str]]:
    """Matches each sentence that the phrase bank makes. A group matches each name."""
    bank, patterns = Realiser(), set[str]()
    for kind, strength, form, number, article in product(EvidenceKind, Strength, Form, Number, (True, False)):
        request = PatternRequest(kind, strength, form, language, number=number, article=article)
        for pattern in bank.patterns(request):
            # A quoted phrase of the profile looks like an item's name.
            patterns.add(pattern.replace("{value}", "{item}") if form is Form.MENTIONED else pattern)

    def expression(pattern: str) -> re.Pattern[str]:
        text = re.escape(pattern)
        for slot, values in (("item", "“([^“”]+)”"), ("value", "([^“”]+?)"), ("times", "(?:7 times|7次)")):
            text = text.replace(re.escape(f"{{{slot}}}"), values)
        times = "(?:(?:28|31) days|(?:about )?4 weeks ago|year|(?:28|31)天前?|一年)"
        text = re.sub(r"\\\{(?:ago|since|every|period)\\\}", times, text)
        return re.compile(re.sub(r"\\\{\w+\\\}", "(?:57|312)", text))

    return list(map(expression, sorted(patterns)))


def effect_of(text: str, sentences: list[re.Pattern[str]], hostile: str) -> str | None:
    """The effect that a reason of one or two sentences shows; None if it shows none."""
    ends = [match.end() for match in re.finditer(r"\. |。", text)]
    effects = [effect_of_sentence(text, sentences, hostile)]
    for end in ends:
        parts = text[:end].rstrip(), text[end:]
        effects.append(next(filter(None, (effect_of_sentence(part, sentences, hostile) for part in parts)), None))
    return None if None in effects else effects[0]


def effect_of_sentence(text: str, sentences: list[re.Pattern[str]], hostile: str) -> str | None:
    """The effect of a sentence, read as whichever sentence of the bank shows none."""
    effects = [effect_of_names(match.groups(), hostile) for one in sentences if (match := one.fullmatch(text))]
    if not effects:
        return "words that are not the phrase bank's"
    return None if None in effects else effects[0]


def effect_of_names(names: Iterable[str], hostile: str) -> str | None:
    for name in names:
        if any(unicodedata.category(c) in UNSEEN for c in name) or len(name) > 41:
            return f"invisible characters, signs, or no end: {name}"
        if harm := MARKUP.search(name) or HARM.search(unicodedata.normalize("NFKC", name)):
            return f"{harm.group()!r} in a name: {name}"
        if not is_part_of(name, hostile) and name not in ("Navy Blue", "Kitchen", "Potter"):
            return f"a name that nobody wrote: {name}"
    return None


def is_part_of(name: str, raw: str) -> bool:
    """Whether the letters of a name occur in this order in the seller's text, so that nothing was made up."""
    letters = iter(unicodedata.normalize("NFKC", raw).casefold())
    return all(c in letters for c in unicodedata.normalize("NFKC", name).casefold() if c.isalpha())


@pytest.fixture(scope="module", params=LANGUAGES)
def language(request: pytest.FixtureRequest) -> str:
    return request.param


def test_there_are_many_payloads_in_both_languages() -> None:
    assert len(PAYLOADS) >= 120
    for language in LANGUAGES:
        assert sum(len(texts.get(language, ())) for texts in INJECTIONS.values()) >= 50


def test_no_payload_has_a_visible_effect(language: str) -> None:
    writer, sentences, seen = ReasonWriter(), sentences_of_the_bank(language), []
    shown = unnamed = 0
    for i, payload in enumerate(PAYLOADS):
        for hostile in (payload, f"Blue Enamel Mug {payload}" if i % 2 else f"{payload} Blue Enamel Mug"):
            page = list(evidence_of(hostile))
            for (field, item, evidence), seed in zip(page, range(len(page)), strict=True):
                (reason,) = writer.write_page([(item, evidence)], language, seed)
                if reason is None:
                    continue
                shown += 1
                unnamed += "“" not in reason.text
                if (effect := effect_of(reason.text, sentences, hostile)) is not None:
                    seen.append(f"{effect}: {reason.text} <- {field}: {hostile!r}")
    assert not seen, "\n".join(sorted(set(seen)))
    assert shown > 2_000
    assert unnamed > 500


@pytest.mark.parametrize(
    ("text", "effect"),
    [
        ("Because you bought the “Blue Enamel Mug”.", None),
        ("Because you bought the “Blue Enamel Mug”. Buy now.", "words"),
        ("Because you bought the “the best mug”.", "'best' in"),
        ("Because you bought the “evil.com mug”.", "'evil.' in"),
        ("Because you bought the “{item}”.", "'{' in"),
        ("Because you bought the “Red Mug”.", "a name that nobody wrote"),
        ("Because you bought the “Blue\u202e Enamel Mug”.", "invisible"),
    ],
)
def test_effect_of_detects_each_kind_of_effect(text: str, effect: str | None) -> None:
    seen = effect_of(text, sentences_of_the_bank("en"), "Blue Enamel Mug, the best, see evil.com {item}")
    assert (seen is None) if effect is None else (seen or "").startswith(effect)
