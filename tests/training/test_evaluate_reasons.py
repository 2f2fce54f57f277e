"""The evaluation of reasons finds false reasons, and passes true ones."""

import functools
import json
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from recsvc.domain.reason import EvidenceKind, Reason
from recsvc.model import bundle_files as bundles
from recsvc.model.bundle import Bundle
from recsvc.reasons import ReasonWriter
from recsvc.reasons.claim import permitted_claim
from recsvc.reasons.grammar.pattern import PatternRequest, fill
from recsvc.reasons.realiser import Realiser
from training import evaluate_reasons
from training.data.shop import read_shop
from training.evaluate_reasons import GENERATORS
from training.reason_evaluation.mutations import caught
from training.reason_evaluation.offline_pages import Page, pages, records_of
from training.reason_evaluation.quality import lints, neighbours, variety
from training.reason_evaluation.truth import Purchases, Truth

K = EvidenceKind


@pytest.fixture(scope="module")
def shown(trained_bundle: Path, small_shop_folder: Path) -> tuple[Bundle, Truth, list[Page]]:
    bundle, shop = bundles.load(trained_bundle), read_shop(small_shop_folder)
    until = datetime.fromisoformat(bundle.provenance["data"]["learned_until"])
    events = shop.events.filter(shop.events["timestamp"] <= until)
    now = int(until.timestamp() * 1e6)
    user_ids = sorted(set(events["user_id"].to_list()))[:80]
    records = records_of(events, shop.users, user_ids, bundle.model.text_encoder)
    purchases = Purchases.of(events, (bundle.model.popularity_days, bundle.model.cohort_days))
    truth = Truth(bundle, purchases, now)
    return bundle, truth, list(pages(bundle, records, ReasonWriter(), k=12, language="en", now=now))


def reasons_of(bundle: Bundle, made: list[Page]):
    for page in made:
        for row, reason in zip(page.rows, page.reasons, strict=True):
            if reason is not None:
                yield page, bundle.catalogue.items[row], reason


def test_reasons_of_the_service_are_true(shown):
    bundle, truth, made = shown
    reasons = list(reasons_of(bundle, made))
    assert len(reasons) > 500
    assert not [problem for shown_reason in reasons for problem in truth.problems(*shown_reason)]
    causes = truth.causes
    assert causes.without_effect == 0
    assert causes.named >= causes.left_out == causes.lowered > 100
    assert causes.causal >= causes.causal_left_out == causes.off_page > 10
    kinds = {evidence.kind for _, _, reason in reasons for evidence in reason.evidence}
    assert {K.HISTORY_ITEM, K.REPEAT_PURCHASE} <= kinds


def test_false_reason_is_found_even_if_well_worded(shown):
    bundle, truth, made = shown
    stranger = bundle.catalogue.items[0]
    tried = set()
    for page, item, reason in reasons_of(bundle, made):
        (evidence, *_) = reason.evidence
        if evidence.kind is K.PROFILE or evidence.kind in tried:
            continue
        bought = {bundle.catalogue.items[row].item_id for row in page.state.bought_rows.tolist()}
        if evidence.kind in (K.HISTORY_ITEM, K.SIMILAR_ITEM):
            if stranger.item_id in bought:
                continue
            false = replace(evidence, anchor=stranger)
        elif evidence.kind is K.REPEAT_INTERVAL:
            false = replace(evidence, days=evidence.days + 1)
        else:
            false = replace(evidence, count=evidence.count + 1)
        claim = permitted_claim(false, item, "en")
        request = PatternRequest(claim.kind, claim.strength, claim.form, "en")
        text = fill(Realiser().patterns(request)[0], dict(claim.slots))
        assert truth.problems(page, item, Reason(text, "en", (false,), reason.provenance)), text
        tried.add(evidence.kind)
    assert len(tried) >= 4


def test_sentence_that_differs_from_its_evidence_is_found(shown):
    bundle, truth, made = shown
    page, item, reason = next(reasons_of(bundle, made))
    assert truth.problems(page, item, replace(reason, text="The best there is, and healthy."))


def test_lints_mark_bad_sentences_and_skip_names(shown):
    _, _, made = shown
    reasons = [reason for page in made for reason in page.reasons if reason is not None]
    reason = next(reason for reason in reasons if len(reason.evidence) == 1)
    for text, language in (
        ("Bought by a apple.", "en"),
        ("Bought by 12 people within 1 days.", "en"),
        ("Bought bought by you.", "en"),
        ("bought by you", "en"),
        ("Because you bought this, chosen because you bought this.", "en"),
        ("你买过,这件商品。", "zh"),
        ("你 买过。", "zh"),
        ("你之前买过它，你之前买过它。", "zh"),
    ):
        assert lints(replace(reason, text=text, language=language)), text
    assert not lints(replace(reason, text="Similar to “an  thing a apple,,”, which you bought.", language="en"))


def test_variety_tells_a_dull_page_from_a_varied_one():
    dull = [["because", "you", "bought", "{item}"]] * 6
    lively = [[*"abcd"], [*"efgh"], [*"ijkl"]]
    assert (variety(dull, "en")["opening_share"], variety(dull, "en")["patterns"]) == (1.0, 1)
    assert (variety(lively, "en")["opening_share"], variety(lively, "en")["patterns"]) == (pytest.approx(1 / 3), 3)


def test_neighbours_that_repeat_are_counted(shown):
    _, _, made = shown
    page = next(page for page in made if sum(reason is not None for reason in page.reasons) > 4)
    reason = next(reason for reason in page.reasons if reason is not None)
    other = replace(reason, text="Another.", evidence=(replace(reason.evidence[0], kind=K.POPULARITY),))
    assert reason.evidence[0].kind is not K.POPULARITY
    reasons = [reason, reason, None, reason, reason, reason, reason, other, reason]
    counts = neighbours([replace(page, reasons=reasons)])
    assert counts == {"pairs": 6, "repeated": 4, "longest_run": 4, "long_runs": 1}
    assert neighbours([replace(page, reasons=[None, reason])])["pairs"] == 0


def test_no_false_sentence_passes_the_verifier(shown):
    bundle, _, made = shown
    with_claims = [
        (reason, [permitted_claim(evidence, item, "en", reason.tone) for evidence in reason.evidence])
        for _, item, reason in reasons_of(bundle, made)
    ]
    names = [item.title for item in bundle.catalogue.items[:40]]
    for sort, counts in caught(with_claims, names, 0).items():
        assert counts["tried"] > 20, sort
        assert counts["passed"] == 0, sort


# A page begins with any of the wordings, so most must be lies.
LIES = ("You will love it, everybody says so.", "Everybody loves this.", "This is the best of its kind.")


class Liar(Realiser):
    name = "liar"

    def __init__(self) -> None:
        super().__init__()
        true = self.patterns

        def with_a_lie(request: PatternRequest) -> tuple[str, ...]:
            return (*LIES, *true(request)[:1])

        self.patterns = functools.cache(with_a_lie)


def test_command_writes_a_page_and_refuses_a_lying_generator(
    trained_bundle: Path, small_shop_folder: Path, tmp_path: Path, monkeypatch, capsys
):
    arguments = ["--bundle", str(trained_bundle), "--data", str(small_shop_folder), "--users", "40"]
    arguments += ["--out", str(tmp_path / "reasons.html"), "--json", str(tmp_path / "reasons.json")]
    assert evaluate_reasons.main(arguments) == 0
    figures = json.loads((tmp_path / "reasons.json").read_text())["languages"]
    for language in ("en", "zh"):
        assert figures[language]["unsupported"] == 0
        assert figures[language]["lints"] == {}
    assert "All checks passed" in (tmp_path / "reasons.html").read_text()
    monkeypatch.setitem(GENERATORS, "liar", Liar)
    assert evaluate_reasons.main([*arguments, "--generator", "liar", "--languages", "en"]) == 3
    assert "the verifier rejected" in capsys.readouterr().err
