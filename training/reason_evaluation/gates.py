"""Decides whether a generator of reasons may be enabled, and whether copy may be used."""

from collections.abc import Mapping
from typing import Any

from training.evaluation.html_page import percent
from training.reason_evaluation import bias
from training.reason_evaluation.mutations import Counts, totals

# The verifier must accept at least this share of a language model's answers: below it, most of its work is wasted.
MIN_ACCEPTANCE = 0.70
MAX_REJECTED_SHARE = 0.3  # of the sentences of a generator
MAX_PASSED_SHARE = 0.005  # of all false sentences
MUST_BE_CAUGHT = ("number", "name", "price", "medical")  # sorts of which not one may pass


def failed_reason_checks(result: Mapping[str, Any]) -> list[str]:
    """Lists the reasons why the generator may not be enabled, one sentence each. Empty if it may."""
    failed = []
    for language, figures in result["languages"].items():
        checks = (
            _unsupported(figures),
            _causes(figures["causes"]),
            _rejected(figures),
            _passed(figures["mutations"]),
            _acceptance(figures["model"]),
        )
        failed += [f"{language}: {sentence}" for sentence in checks if sentence]
        failed += [f"{language}: {sentence}" for sentence in bias.failed_checks(figures["bias"])]
    return failed


def failed_copy_checks(rubric: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Lists the reasons why copy may not be used. If empty, it may, after somebody has read it."""
    failed = []
    for language, figures in rubric.items():
        if figures["unsupported"]:
            failed.append(f"{language}: {figures['unsupported']} texts say what the tables do not support")
        if sentence := _passed(figures["mutations"]):
            failed.append(f"{language}: {sentence}")
    return failed


def _unsupported(figures: Mapping[str, Any]) -> str:
    return f"{figures['unsupported']} claims are not supported" if figures["unsupported"] else ""


def _causes(causes: Mapping[str, int]) -> str:
    stayed = causes["causal_left_out"] - causes["off_page"]
    raised_nothing = causes["left_out"] - causes["lowered"] + causes["without_effect"]
    if not stayed and not raised_nothing:
        return ""
    return f"{stayed} items are called causal and are not; {raised_nothing} items are named and raised no score"


def _rejected(figures: Mapping[str, Any]) -> str:
    rejected = sum(figures["rejected"].values())
    sentences = rejected + figures["reasons"]
    if rejected <= MAX_REJECTED_SHARE * sentences:
        return ""
    return f"the verifier rejected {rejected} of {sentences} sentences"


def _passed(mutations: Mapping[str, Counts]) -> str:
    tried, passed = totals(mutations)
    if passed <= MAX_PASSED_SHARE * tried and not any(
        mutations[sort]["passed"] for sort in MUST_BE_CAUGHT if sort in mutations
    ):
        return ""
    return f"{passed} of {tried} false sentences passed the verifier"


def _acceptance(model: Mapping[str, Any] | None) -> str:
    if model is None or model["acceptance"] is None or model["acceptance"] >= MIN_ACCEPTANCE:
        return ""
    share = f"{percent(model['acceptance'])} of {model['asked']} answers, less than {percent(MIN_ACCEPTANCE, 0)}"
    return f"the verifier accepts {share}"
