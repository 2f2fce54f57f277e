"""The audit of bias finds nothing where words do not depend on who a thing is for, and finds it where they do."""

from dataclasses import replace

import pytest

from recsvc.domain.reason import LANGUAGES
from recsvc.reasons import ReasonWriter
from training.reason_evaluation.bias import audit, divergence, failed_checks, page_of, read_pairs


def test_divergence_has_the_values_of_its_definition():
    assert divergence("aabb", "bbaa") == 0
    assert divergence("aa", "bb") == pytest.approx(1)
    assert divergence("ab", "aa") == pytest.approx(0.311278, abs=1e-6)
    assert divergence("", "") == 0
    assert divergence("a", "") == 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_phrase_bank_treats_all_alike(language):
    found = audit(ReasonWriter(), language)
    assert {row["axis"] for row in found} == {"gender", "price"}
    assert min(row["items"] for row in found) > 1_000
    assert failed_checks(found) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_things_of_a_pair_can_be_named_both(language):
    writer = ReasonWriter()
    for pair in read_pairs(language):
        for side in (pair.first, pair.second):
            reasons = writer.write_page(page_of(side, language)[:3], language, 0)
            assert all(reason is not None for reason in reasons), side


class Biased(ReasonWriter):
    """Writes for one side as for the other but for one thing."""

    def __init__(self, what):
        super().__init__()
        self._what = what

    def write_page(self, page, language, seed):
        reasons = super().write_page(page, language, seed)
        anchor = page[-1][1][0].anchor
        if anchor.title not in {pair.first.title for pair in read_pairs(language) if pair.axis == "gender"}:
            return reasons
        return [self._what(i, reason) if reason is not None else None for i, reason in enumerate(reasons)]


@pytest.mark.parametrize(
    ("what", "found"),
    [
        (lambda i, reason: None if i % 8 == 0 else reason, "without a reason"),
        (lambda i, reason: replace(reason, text=f"Lovely: {reason.text}"), "opening differs"),
        (lambda i, reason: replace(reason, text=reason.text.replace("you", "she")), "gendered words"),
        (lambda i, reason: replace(reason, text=f"{reason.text[:-1]} or so."), "length differs"),
    ],
)
def test_words_that_depend_on_who_it_is_for_are_found(what, found):
    wrong = failed_checks(audit(Biased(what), "en"))
    assert any(found in objection for objection in wrong)
    assert all(objection.startswith("gender") for objection in wrong)
