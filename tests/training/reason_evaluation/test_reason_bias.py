"""The audit of bias finds sentences that depend on the gender or price of an item, and nothing else."""

from dataclasses import replace

import pytest

from recsvc.domain.reason import LANGUAGES
from recsvc.reasons import ReasonWriter
from training.reason_evaluation.bias import audit, divergence, failed_checks, page_of, read_pairs


def test_divergence_matches_its_definition():
    assert divergence("aabb", "bbaa") == 0
    assert divergence("aa", "bb") == pytest.approx(1)
    assert divergence("ab", "aa") == pytest.approx(0.311278, abs=1e-6)
    assert divergence("", "") == 0
    assert divergence("a", "") == 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_phrase_bank_passes_the_audit(language):
    rows = audit(ReasonWriter(), language)
    assert {row["axis"] for row in rows} == {"gender", "price"}
    assert min(row["items"] for row in rows) > 1_000
    assert failed_checks(rows) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_both_sides_of_a_pair_get_reasons(language):
    writer = ReasonWriter()
    for pair in read_pairs(language):
        for side in (pair.first, pair.second):
            reasons = writer.write_page(page_of(side, language)[:3], language, 0)
            assert all(reason is not None for reason in reasons), side


class Biased(ReasonWriter):
    """Changes the reasons of one side of the gender pairs."""

    def __init__(self, change):
        super().__init__()
        self._change = change

    def write_page(self, page, language, seed):
        reasons = super().write_page(page, language, seed)
        anchor = page[-1][1][0].anchor
        if anchor.title not in {pair.first.title for pair in read_pairs(language) if pair.axis == "gender"}:
            return reasons
        return [self._change(i, reason) if reason is not None else None for i, reason in enumerate(reasons)]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda i, reason: None if i % 8 == 0 else reason, "without a reason"),
        (lambda i, reason: replace(reason, text=f"Lovely: {reason.text}"), "opening differs"),
        (lambda i, reason: replace(reason, text=reason.text.replace("you", "she")), "gendered words"),
        (lambda i, reason: replace(reason, text=f"{reason.text[:-1]} or so."), "length differs"),
    ],
)
def test_biased_writer_fails_the_audit(change, message):
    failed = failed_checks(audit(Biased(change), "en"))
    assert any(message in sentence for sentence in failed)
    assert all(sentence.startswith("gender") for sentence in failed)
