"""A page of reasons: which evidence is stated, in which words, and what is never stated."""

import dataclasses
import itertools
import re
from collections import Counter

import pytest

from recsvc.domain.reason import LANGUAGES, Evidence, EvidenceKind, Strength, Tone
from recsvc.domain.shop import Item
from recsvc.errors import ReasonRejected
from recsvc.reasons import ReasonWriter
from recsvc.reasons.claim import permitted_claim
from recsvc.reasons.grammar.lexicon import STOP
from recsvc.reasons.grammar.pattern import is_short
from recsvc.reasons.plan import MAX_OF_A_KIND, opening
from recsvc.reasons.seller_text.sensitive import is_sensitive
from recsvc.reasons.verifier import POLICY_VERSION, check, check_both
from tests.recsvc.reasons.reason_samples import CLOCK, CUP, MUG, TRAY, evidence_for

K, S = EvidenceKind, Strength
WRITER = ReasonWriter()  # loading the phrase banks takes a while
ITEMS = [dataclasses.replace(MUG, item_id=f"mug-{i}") for i in range(10)]


def kinds(reasons):
    return [reason.evidence[0].kind if reason else None for reason in reasons]


@pytest.mark.parametrize("language", LANGUAGES)
def test_neighbours_of_one_anchor_have_different_openings(language):
    for strength in (S.CAUSAL, S.CONTRIBUTORY):
        for seed in range(20):
            page = [(item, (evidence_for(K.HISTORY_ITEM, strength),)) for item in ITEMS]
            reasons = WRITER.write_page(page, language, seed)
            assert sum(reason is not None for reason in reasons) >= 6
            texts = [reason.text for reason in reasons if reason is not None]
            openings = [opening(text.replace("“Bamboo Serving Tray”", "{item}"), language) for text in texts]
            assert all(a != b for a, b in itertools.pairwise(openings)), texts
            assert len(set(texts)) == len(texts), texts  # rather no reason than a repeated one


def test_neighbours_alternate_between_two_anchors():
    both = (
        evidence_for(K.HISTORY_ITEM, S.CONTRIBUTORY, anchor=TRAY),
        dataclasses.replace(evidence_for(K.HISTORY_ITEM, S.CONTRIBUTORY, anchor=CLOCK), share=0.2),
    )
    reasons = ReasonWriter().write_page([(item, both) for item in ITEMS], "en", 3)
    assert [reason.evidence[0].anchor for reason in reasons] == [TRAY, CLOCK] * 5


def test_variety_never_replaces_a_personal_reason():
    one = (
        evidence_for(K.HISTORY_ITEM, S.CAUSAL),
        evidence_for(K.PROFILE, S.NEUTRAL),
        evidence_for(K.POPULARITY, S.NEUTRAL),
    )
    assert kinds(ReasonWriter().write_page([(item, one) for item in ITEMS], "en", 3)) == [K.HISTORY_ITEM] * 10


def test_repeat_purchases_are_limited_on_a_page():
    both = (evidence_for(K.REPEAT_PURCHASE, S.CONTRIBUTORY), evidence_for(K.HISTORY_ITEM, S.CAUSAL))
    stated = kinds(ReasonWriter().write_page([(item, both) for item in ITEMS], "en", 3))
    assert stated[:MAX_OF_A_KIND] == [K.REPEAT_PURCHASE] * MAX_OF_A_KIND
    assert set(stated) == {K.REPEAT_PURCHASE, K.HISTORY_ITEM}


def test_evidence_is_stated_in_order_of_priority():
    ordered = [
        evidence_for(K.REPEAT_INTERVAL, S.RELATIONAL),
        evidence_for(K.REPEAT_PURCHASE, S.CONTRIBUTORY),
        evidence_for(K.CO_PURCHASE, S.RELATIONAL),
        evidence_for(K.HISTORY_ITEM, S.CAUSAL),
        evidence_for(K.HISTORY_ITEM, S.CONTRIBUTORY),
        evidence_for(K.SIMILAR_ITEM, S.RELATIONAL),
        evidence_for(K.BRAND, S.RELATIONAL),
        evidence_for(K.PROFILE, S.CONTRIBUTORY),
        evidence_for(K.POPULARITY, S.NEUTRAL),
    ]
    for best in range(len(ordered)):
        (reason,) = ReasonWriter().write_page([(MUG, tuple(reversed(ordered[best:])))], "en", 1)
        assert reason.evidence[0] == ordered[best]


@pytest.mark.parametrize("language", LANGUAGES)
def test_second_claim_is_verified(language):
    anchored, brand = (evidence_for(kind, S.RELATIONAL) for kind in (K.SIMILAR_ITEM, K.BRAND))
    popular = evidence_for(K.POPULARITY, S.NEUTRAL)
    items = [dataclasses.replace(MUG, item_id=f"mug {n}") for n in range(40)]
    with_second = Counter()
    for second in (brand, popular):
        for item in items:  # one page each: neighbours on one page have different anchors
            (reason,) = WRITER.write_page([(item, (anchored, second))], language, 1)
            assert reason.evidence in ((anchored,), (anchored, second))
            with_second[second.kind] += len(reason.evidence) == 2
            if len(reason.evidence) == 2:
                first, other = (permitted_claim(evidence, item, language) for evidence in reason.evidence)
                check_both(reason.text, first, other)
                for wrong in (
                    dataclasses.replace(second, count=second.count + 1),
                    dataclasses.replace(anchored, anchor=CLOCK),
                ):
                    claims = [
                        permitted_claim(wrong, item, language) if wrong.kind is c.kind else c for c in (first, other)
                    ]
                    with pytest.raises(ReasonRejected):
                        check_both(reason.text, *claims)
                with pytest.raises(ReasonRejected):
                    check_both(reason.text, other, first)
    assert min(with_second.values()) > 30  # a long name leaves no room for a second claim


def test_larger_share_comes_first_at_equal_priority():
    small, large = (dataclasses.replace(evidence_for(K.HISTORY_ITEM, S.CAUSAL), share=share) for share in (0.1, 0.6))
    (reason,) = ReasonWriter().write_page([(MUG, (small, large))], "en", 1)
    assert reason.evidence[0] is large


def test_named_anchor_comes_before_an_unnamed_one():
    nameless = evidence_for(K.HISTORY_ITEM, S.CAUSAL, anchor=Item("x", "BEST DEAL $$$"))
    writer = ReasonWriter()
    (reason,) = writer.write_page([(MUG, (nameless, evidence_for(K.SIMILAR_ITEM, S.RELATIONAL)))], "en", 1)
    assert reason.evidence[0].kind is K.SIMILAR_ITEM
    for language in LANGUAGES:
        (reason,) = writer.write_page([(MUG, (nameless, evidence_for(K.POPULARITY, S.NEUTRAL)))], language, 1)
        assert reason.evidence[0] == nameless
        assert "“" not in reason.text
        assert "BEST" not in reason.text.upper()


@pytest.mark.parametrize("language", LANGUAGES)
def test_seed_decides_the_words(language):
    page = [(item, (evidence_for(K.HISTORY_ITEM, S.CAUSAL), evidence_for(K.POPULARITY, S.NEUTRAL))) for item in ITEMS]
    writer = ReasonWriter()
    assert writer.write_page(page, language, 7) == writer.write_page(page, language, 7)
    assert writer.write_page(page, language, 7) == ReasonWriter().write_page(page, language, 7)
    first = {writer.write_page(page, language, seed)[0].text for seed in range(-50, 50)}
    assert len(first) >= 6
    assert writer.write_page(page, language, 2**80)


@pytest.mark.parametrize("language", LANGUAGES)
def test_warm_page_falls_back_to_neutral_rather_than_repeat_openings(language):
    page = [(item, (evidence_for(K.HISTORY_ITEM, S.CAUSAL),)) for item in (*ITEMS, *[MUG] * 10)]
    for seed in range(20):
        reasons = [reason for reason in WRITER.write_page(page, language, seed, Tone.WARM) if reason is not None]
        tones = [reason.tone for reason in reasons]
        assert tones[:6] == [Tone.WARM] * 6
        assert set(tones) == {Tone.WARM, Tone.NEUTRAL}
        texts = [reason.text for reason in reasons]
        assert len(set(texts)) == len(texts)
        plain = {reason.text for reason in WRITER.write_page(page, language, seed) if reason is not None}
        neutral = {reason.text for reason in reasons if reason.tone is Tone.NEUTRAL}
        assert len(plain) >= 10
        assert not plain & {reason.text for reason in reasons if reason.tone is Tone.WARM}
        assert neutral


@pytest.mark.parametrize("language", LANGUAGES)
def test_concise_page_is_short_with_one_claim_a_reason(language):
    both = (evidence_for(K.SIMILAR_ITEM, S.RELATIONAL), evidence_for(K.BRAND, S.RELATIONAL))
    for seed in range(20):
        for evidence in (both, (evidence_for(K.HISTORY_ITEM, S.CAUSAL),), (evidence_for(K.POPULARITY, S.NEUTRAL),)):
            page = WRITER.write_page([(item, evidence) for item in ITEMS], language, seed, Tone.CONCISE)
            reasons = [reason for reason in page if reason is not None]
            assert len(reasons) >= 6
            for reason in reasons:
                assert (reason.tone, len(reason.evidence)) == (Tone.CONCISE, 1)
                values = dict(permitted_claim(reason.evidence[0], MUG, language).slots)
                pattern = reason.text
                for slot, value in values.items():
                    pattern = pattern.replace(value, f"{{{slot}}}", 1)
                assert is_short(pattern, language), reason.text


def test_default_tone_is_neutral():
    page = [(item, (evidence_for(K.HISTORY_ITEM, S.CAUSAL),)) for item in ITEMS]
    reasons = ReasonWriter().write_page(page, "en", 7)
    assert reasons == ReasonWriter().write_page(page, "en", 7, Tone.NEUTRAL)
    assert {reason.tone for reason in reasons if reason is not None} == {Tone.NEUTRAL}


def test_cached_sentences_equal_fresh_ones_and_have_their_own_evidence():
    writer, uncached = ReasonWriter(), ReasonWriter(cache_size=0)
    mine = evidence_for(K.HISTORY_ITEM, S.CAUSAL)
    yours = dataclasses.replace(mine, effect=0.9, share=0.8)
    first, second = (writer.write_page([(MUG, (e,))], "en", 1)[0] for e in (mine, yours))
    assert writer._sentence.cache_info().hits == 1  # noqa: SLF001  else nothing shows that it was cached
    assert first.text == second.text
    assert (first.evidence, second.evidence) == ((mine,), (yours,))
    assert uncached.write_page([(MUG, (yours,))], "en", 1) == [second]


def test_cached_sentence_is_not_used_for_a_new_title():
    writer = ReasonWriter()
    for title in ("Bamboo Serving Tray", "Walnut Serving Tray"):
        anchor = dataclasses.replace(TRAY, title=title)
        (reason,) = writer.write_page([(MUG, (evidence_for(K.HISTORY_ITEM, S.CAUSAL, anchor=anchor),))], "en", 1)
        assert f"“{title}”" in reason.text


SENSITIVE = [
    Item("s", "Ibuprofen Tablets 200 mg"), Item("s", "Soft Cotton Romper", categories=("Clothing", "Baby")),
    Item("s", "Folic Acid for Pregnancy"), Item("s", "Silver Crucifix"), Item("s", "Rabbit Vibrator"),
    Item("s", "Election Campaign Sign"), Item("s", "Rifle Scope"), Item("s", "Getting Out of Debt, paperback"),
    Item("s", "Rainbow Flag", brand="LGBTQ Store"), Item("s", "Nicotine Gum"), Item("s", "D I A B E T E S 血糖仪"),
    Item("s", "孕妇枕"), Item("s", "婴儿奶瓶"), Item("s", "古兰经"), Item("s", "情趣内衣"), Item("s", "气枪"),
    Item("s", "网贷指南"), Item("s", "卫 生 巾"), Item("s", "胶囊", brand="某药业"), Item("s", "电子烟"),
]  # fmt: skip


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("sensitive", SENSITIVE, ids=lambda item: item.title)
def test_sensitive_items_get_no_personal_reason(sensitive, language):
    writer = ReasonWriter()
    # Recommended itself: its reason states only how many people bought it.
    item = sensitive if sensitive.categories and sensitive.attributes else MUG
    personal = tuple(evidence_for(k, S.CAUSAL, item=item) for k in K if k is not K.POPULARITY)
    popular = evidence_for(K.POPULARITY, S.NEUTRAL)
    assert writer.write_page([(sensitive, personal)], language, 1) == [None]
    assert kinds(writer.write_page([(sensitive, (*personal, popular))], language, 1)) == [K.POPULARITY]
    # Bought before: no reason mentions it, named or not.
    cited = tuple(evidence_for(k, S.CAUSAL, anchor=sensitive) for k in (K.HISTORY_ITEM, K.SIMILAR_ITEM, K.CO_PURCHASE))
    assert writer.write_page([(MUG, cited)], language, 1) == [None]
    assert kinds(writer.write_page([(MUG, (*cited, popular))], language, 1)) == [K.POPULARITY]


@pytest.mark.parametrize(
    "title", ["Blue Enamel Mug", "Christmas Star Decoration", "Christian Dior Lipstick", "陶瓷马克杯"]
)
def test_ordinary_goods_are_not_sensitive(title):
    (reason,) = ReasonWriter().write_page([(Item("o", title), (evidence_for(K.HISTORY_ITEM, S.CAUSAL),))], "en", 1)
    assert reason is not None


@pytest.mark.parametrize(
    ("evidence", "rule"),
    [
        (evidence_for(K.HISTORY_ITEM, S.NEUTRAL), "strength"),
        (Evidence(K.HISTORY_ITEM, S.CAUSAL, effect=0.0, anchor=TRAY), "evidence"),
        (Evidence(K.HISTORY_ITEM, S.CAUSAL, effect=-0.1, anchor=TRAY), "evidence"),
        (Evidence(K.HISTORY_ITEM, S.CAUSAL, effect=float("nan"), anchor=TRAY), "evidence"),
        (Evidence(K.HISTORY_ITEM, S.CAUSAL, effect=0.1), "evidence"),
        (Evidence(K.SIMILAR_ITEM, S.RELATIONAL, anchor=MUG), "evidence"),  # the item itself
        (Evidence(K.REPEAT_PURCHASE, S.CAUSAL, count=0), "evidence"),
        (Evidence(K.BRAND, S.RELATIONAL, value="Grove", count=5), "evidence"),  # another item's brand
        (Evidence(K.BRAND, S.RELATIONAL, value="", count=5), "evidence"),
        (Evidence(K.BRAND, S.RELATIONAL, value=MUG.brand, count=1), "evidence"),
        (Evidence(K.CATEGORY, S.RELATIONAL, value="Trays", count=5), "evidence"),
        (Evidence(K.PROFILE, S.NEUTRAL, effect=0.0), "evidence"),
        (Evidence(K.POPULARITY, S.NEUTRAL, count=9, days=30), "evidence"),
        (Evidence(K.POPULARITY, S.NEUTRAL, count=50, days=0), "evidence"),
    ],
)
def test_insufficient_evidence_is_rejected(evidence, rule):
    with pytest.raises(ReasonRejected) as rejected:
        permitted_claim(evidence, MUG, "en")
    assert rejected.value.rule == rule
    assert ReasonWriter().write_page([(MUG, (evidence,))], "en", 1) == [None]


def test_brand_without_a_clean_name_is_skipped():
    item = dataclasses.replace(MUG, brand="Unknown")
    assert ReasonWriter().write_page([(item, (evidence_for(K.BRAND, S.RELATIONAL, item=item),))], "en", 1) == [None]


def test_long_number_is_grouped_only_in_english():
    evidence = Evidence(K.POPULARITY, S.NEUTRAL, count=1312, days=30)
    writer = ReasonWriter()
    assert "1,312 " in writer.write_page([(MUG, (evidence,))], "en", 1)[0].text
    assert "1312" in writer.write_page([(MUG, (evidence,))], "zh", 1)[0].text


def test_two_times_is_the_word_twice():
    evidence = Evidence(K.REPEAT_PURCHASE, S.CONTRIBUTORY, count=2)
    writer = ReasonWriter()
    for seed in range(10):
        assert " twice" in writer.write_page([(MUG, (evidence,))], "en", seed)[0].text
        assert "两次" in writer.write_page([(MUG, (evidence,))], "zh", seed)[0].text


def test_empty_page_and_items_without_evidence_get_no_reasons():
    assert ReasonWriter().write_page([], "en", 0) == []
    assert ReasonWriter().write_page([(MUG, ()), (CUP, ())], "zh", 0) == [None, None]


def test_provenance_names_the_generator_and_the_policy():
    (reason,) = ReasonWriter().write_page([(MUG, (evidence_for(K.PROFILE, S.CONTRIBUTORY),))], "en", 0)
    assert reason.provenance.generator == "realiser"
    assert reason.provenance.policy_version == ReasonWriter().policy_version == POLICY_VERSION
    assert reason.provenance.verified
    assert not reason.provenance.ai_generated


def test_unknown_language_raises_and_lists_the_languages():
    with pytest.raises(ValueError, match=r"'fr'.*en, zh"):
        ReasonWriter().write_page([], "fr", 0)


class Liar:
    """A generator that writes what is not so, whatever it is asked for."""

    name = "liar"
    model = "liar-1"
    ai_generated = True

    def patterns(self, request):
        return (
            "The cheapest one, because you bought {item}.",
            "Because you bought {brand}.",
            "Rated 5 stars by {count} people.",
        )


def test_false_patterns_of_a_generator_are_all_rejected():
    writer = ReasonWriter(Liar())
    page = [(MUG, tuple(evidence_for(kind, S.CAUSAL) for kind in K))]
    for language in LANGUAGES:
        assert writer.write_page(page, language, 1) == [None]
    assert sum(writer.rejected.values()) > 0
    rejected = dict(writer.rejected)
    writer.write_page(page, "en", 1)
    assert dict(writer.rejected) == rejected  # rejections are cached too


@pytest.mark.parametrize(
    ("first", "second", "language", "passes"),
    [
        ("In line with “Bamboo Serving Tray”, which you bought", "312 people bought this within 28 days", "en", True),
        ("In line with “Bamboo Serving Tray”, which you bought", "bought by 312 people within 28 days", "en", False),
        ("参考了你买过的“Bamboo Serving Tray”", "这件商品28天内有312人买过", "zh", True),
        ("参考了你买过的“Bamboo Serving Tray”", "28天内有312人买过", "zh", False),
    ],
)
def test_second_claim_must_name_its_item(first, second, language, passes):
    facts = (evidence_for(K.HISTORY_ITEM, S.CONTRIBUTORY), evidence_for(K.POPULARITY, S.NEUTRAL))
    claims = [permitted_claim(fact, MUG, language) for fact in facts]
    text = {"en": f"{first}, and {second}.", "zh": f"{first}，{second}。"}[language]
    check(f"{first}{STOP[language]}", claims[0])
    if passes:
        check_both(text, *claims)
    else:
        check(f"{second[:1].upper()}{second[1:]}{STOP[language]}", claims[1])  # alone it is well said
        with pytest.raises(ReasonRejected):
            check_both(text, *claims)


def test_profile_reason_quotes_the_shared_word():
    evidence = dataclasses.replace(evidence_for(K.PROFILE, S.CONTRIBUTORY), value="Mug")
    writer = ReasonWriter()
    texts = [writer.write_page([(MUG, (evidence,))], "en", seed)[0].text for seed in range(20)]
    assert all(re.search(r"\bmug\b", text) and "profile" in text for text in texts)


@pytest.mark.parametrize("word", ["Diabetes", "alert(1)", "50 off", "best"])
def test_unfit_word_of_the_profile_is_not_quoted(word):
    item = dataclasses.replace(MUG, categories=("Kitchen", f"{word} Mugs"))
    evidence = dataclasses.replace(evidence_for(K.PROFILE, S.CONTRIBUTORY), value=word)
    (reason,) = ReasonWriter().write_page([(item, (evidence,))], "en", 0)
    assert reason is None or word.lower() not in reason.text.lower()


def test_profile_word_that_the_item_lacks_is_rejected():
    evidence = dataclasses.replace(evidence_for(K.PROFILE, S.CONTRIBUTORY), value="hiking")
    assert ReasonWriter().write_page([(MUG, (evidence,))], "en", 0) == [None]


@pytest.mark.parametrize("language", LANGUAGES)
def test_item_without_a_category_is_private_if_configured(language):
    unknown = dataclasses.replace(TRAY, categories=())
    bought, popular = evidence_for(K.HISTORY_ITEM, S.CAUSAL, anchor=unknown), evidence_for(K.POPULARITY, S.NEUTRAL)
    repeat = evidence_for(K.REPEAT_PURCHASE, S.RELATIONAL)
    careful, other = ReasonWriter(unknown_is_private=True), ReasonWriter()
    for item, evidence in ((MUG, (bought,)), (dataclasses.replace(MUG, categories=()), (repeat,))):
        assert careful.write_page([(item, evidence)], language, 0) == [None]
        assert other.write_page([(item, evidence)], language, 0) != [None]
        (reason,) = careful.write_page([(item, (*evidence, popular))], language, 0)
        assert reason.evidence == (popular,)
    known = evidence_for(K.HISTORY_ITEM, S.CAUSAL, anchor=TRAY)
    assert careful.write_page([(MUG, (known,))], language, 0) == other.write_page([(MUG, (known,))], language, 0)


@pytest.mark.parametrize("step", ["HEALTH", "Vitamins & Supplements", "vitamins supplement", "医药健康"])
def test_items_under_a_private_category_are_sensitive(step):
    assert is_sensitive(Item("a", "Rainbow Box", categories=("Shop", step, "Boxes")))
    assert not is_sensitive(Item("a", "Rainbow Box", categories=("Shop", "Healthy Living", "Boxes")))
