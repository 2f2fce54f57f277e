"""A page of reasons: which evidence is stated, in which words, and what is never stated."""

import dataclasses
import itertools

import pytest

from recsvc.domain.reason import LANGUAGES, EvidenceKind, Strength, Tone
from recsvc.domain.shop import Item
from recsvc.errors import ReasonRejected
from recsvc.reasons import PatternRequest, Realiser, ReasonWriter
from recsvc.reasons.claim import permitted_claim
from recsvc.reasons.grammar.lexicon import SENTENCE_SEPARATORS, STOP
from recsvc.reasons.grammar.pattern import fill
from recsvc.reasons.plan import MAX_IN_A_ROW
from recsvc.reasons.seller_text.sensitive import is_sensitive
from recsvc.reasons.verifier import POLICY_VERSION, check_both
from tests.recsvc.reasons.reason_samples import CLOCK, CUP, MUG, TRAY, evidence_for

K, S = EvidenceKind, Strength
WRITER = ReasonWriter()  # loading the phrase banks takes a while
ITEMS = [dataclasses.replace(MUG, item_id=f"mug-{i}") for i in range(10)]


def kinds(reasons):
    return [reason.evidence[0].kind if reason else None for reason in reasons]


def first_sentence(reason):
    return reason.text.split(STOP[reason.language])[0]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("tone", Tone)
def test_reasons_of_one_claim_have_one_wording_on_a_page(language, tone):
    for kind, strength in ((K.HISTORY_ITEM, S.CAUSAL), (K.POPULARITY, S.NEUTRAL), (K.REPEAT_PURCHASE, S.RELATIONAL)):
        for seed in range(10):
            page = [(item, (evidence_for(kind, strength),)) for item in ITEMS]
            reasons = WRITER.write_page(page, language, seed, tone)
            assert len({reason and reason.text for reason in reasons}) == 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_other_fact_is_stated_rather_than_the_sentence_above(language):
    tray, clock = (evidence_for(K.HISTORY_ITEM, S.CAUSAL, anchor=anchor) for anchor in (TRAY, CLOCK))
    page = [(item, (tray, dataclasses.replace(clock, share=0.2))) for item in ITEMS]
    reasons = WRITER.write_page(page, language, 3)
    assert all(above.text != below.text for above, below in itertools.pairwise(reasons))


@pytest.mark.parametrize("language", LANGUAGES)
def test_second_sentence_follows_only_one_that_the_page_has(language):
    bought = evidence_for(K.HISTORY_ITEM, S.CAUSAL)
    page = [
        (item, (bought, dataclasses.replace(evidence_for(K.POPULARITY, S.NEUTRAL), count=100 + n)))
        for n, item in enumerate(ITEMS[:3])
    ]
    first, *others = WRITER.write_page(page, language, 3)
    assert first.evidence == (bought,)
    assert [[fact.kind for fact in reason.evidence] for reason in others] == [[K.HISTORY_ITEM, K.POPULARITY]] * 2
    for reason in others:
        assert reason.text.startswith(first.text + SENTENCE_SEPARATORS[language])
    concise = WRITER.write_page(page, language, 3, Tone.CONCISE)
    assert all(reason is None or len(reason.evidence) == 1 for reason in concise)


@pytest.mark.parametrize("language", LANGUAGES)
def test_at_most_three_of_a_kind_stand_in_a_row_where_another_fact_is_known(language):
    for seed in range(5):
        page = []
        for n, item in enumerate(ITEMS):
            repeat = dataclasses.replace(evidence_for(K.REPEAT_PURCHASE, S.RELATIONAL), count=2 + n)
            popular = dataclasses.replace(evidence_for(K.POPULARITY, S.NEUTRAL), count=100 + n)
            page.append((item, (repeat, popular)))
        runs = [len(list(run)) for _, run in itertools.groupby(kinds(WRITER.write_page(page, language, seed)))]
        assert max(runs) == MAX_IN_A_ROW
        only = [(item, evidence[:1]) for item, evidence in page]
        assert kinds(WRITER.write_page(only, language, seed)) == [K.REPEAT_PURCHASE] * len(ITEMS)


def test_neighbours_alternate_between_two_anchors():
    both = (
        evidence_for(K.HISTORY_ITEM, S.CONTRIBUTORY, anchor=TRAY),
        dataclasses.replace(evidence_for(K.HISTORY_ITEM, S.CONTRIBUTORY, anchor=CLOCK), share=0.2),
    )
    reasons = ReasonWriter().write_page([(item, both) for item in ITEMS], "en", 3)
    assert [reason.evidence[0].anchor for reason in reasons] == [TRAY, CLOCK] * 5


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
    first = evidence_for(K.REPEAT_PURCHASE, S.RELATIONAL)
    for second in (evidence_for(K.BRAND, S.RELATIONAL), evidence_for(K.POPULARITY, S.NEUTRAL)):
        reasons = [WRITER.write_page([(MUG, (fact,))], language, 1)[0] for fact in (first, second)]
        text = SENTENCE_SEPARATORS[language].join(reason.text for reason in reasons)
        claims = [permitted_claim(fact, MUG, language) for fact in (first, second)]
        check_both(text, *claims)
        for wrong in (dataclasses.replace(second, count=second.count + 1), dataclasses.replace(first, count=8)):
            changed = [permitted_claim(wrong, MUG, language) if wrong.kind is claim.kind else claim for claim in claims]
            with pytest.raises(ReasonRejected):
                check_both(text, *changed)
        with pytest.raises(ReasonRejected):
            check_both(text, *reversed(claims))
        stop, separator = STOP[language], SENTENCE_SEPARATORS[language]
        left, right = text[: -len(stop)].split(stop + separator)
        for joined in (f"{left}, {right}{stop}", f"{left}{stop}{stop}{separator}{right}{stop}", f"{left}{stop}"):
            with pytest.raises(ReasonRejected):
                check_both(joined, *claims)


def test_larger_share_comes_first_at_equal_priority():
    small, large = (dataclasses.replace(evidence_for(K.HISTORY_ITEM, S.CAUSAL), share=share) for share in (0.1, 0.6))
    (reason,) = ReasonWriter().write_page([(MUG, (small, large))], "en", 1)
    assert reason.evidence[0] is large


def test_anchor_without_a_name_gives_no_reason():
    nameless = evidence_for(K.HISTORY_ITEM, S.CAUSAL, anchor=Item("x", "BEST DEAL $$$"))
    for language in LANGUAGES:
        popular = evidence_for(K.POPULARITY, S.NEUTRAL)
        assert WRITER.write_page([(MUG, (nameless,))], language, 1) == [None]
        assert kinds(WRITER.write_page([(MUG, (nameless, popular))], language, 1)) == [K.POPULARITY]


@pytest.mark.parametrize("language", LANGUAGES)
def test_seed_decides_the_words(language):
    page = [(item, (evidence_for(K.HISTORY_ITEM, S.CAUSAL), evidence_for(K.POPULARITY, S.NEUTRAL))) for item in ITEMS]
    writer = ReasonWriter()
    assert writer.write_page(page, language, 7) == writer.write_page(page, language, 7)
    assert writer.write_page(page, language, 7) == ReasonWriter().write_page(page, language, 7)
    first = {writer.write_page(page, language, seed)[0].text for seed in range(-50, 50)}
    claim = permitted_claim(page[0][1][0], MUG, language)
    bank = Realiser().patterns(PatternRequest(claim.kind, claim.strength, claim.form, language))
    assert first == {fill(pattern, dict(claim.slots)) for pattern in bank}
    assert writer.write_page(page, language, 2**80)


def test_cached_sentences_equal_fresh_ones_and_have_their_own_evidence():
    writer, uncached = ReasonWriter(), ReasonWriter(cache_size=0)
    mine = evidence_for(K.HISTORY_ITEM, S.CAUSAL)
    yours = dataclasses.replace(mine, effect=0.9, share=0.8)
    first, second = (writer.write_page([(MUG, (e,))], "en", 1)[0] for e in (mine, yours))
    assert writer._sentences.one.cache_info().hits == 1  # noqa: SLF001  else nothing shows that it was cached
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
