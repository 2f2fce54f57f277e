"""Decides whether a generator of reasons may be enabled, and whether copy may be used."""

from collections.abc import Iterator, Mapping
from typing import Any

from training.evaluation.html_page import percent
from training.reason_evaluation import bias
from training.reason_evaluation.fluency import MAX_PERPLEXITY_RATIO
from training.reason_evaluation.mutations import Counts, totals

# At least this share of a language model's answers must be licensed and new: below it, most of its work is wasted.
MIN_ACCEPTANCE = 0.70
MAX_UNANSWERED_SHARE = 0.3  # of the answers that a language model was asked for
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
            *failed_model_checks(figures["model"]),
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


def failed_model_checks(model: Mapping[str, Any] | None) -> Iterator[str]:
    """The reasons why a language model may not write, one sentence each.

    Copies of the phrase bank count as nothing. New sentences must keep the house style and read about as well as it.

    Args:
        model: The figures of `authors.acceptance` with those of `naturalness` as "natural"; None without a model.
    """
    if model is None or not model["asked"]:
        return
    if model["unanswered"] > MAX_UNANSWERED_SHARE * model["asked"]:
        yield f"{model['unanswered']} of {model['asked']} answers of the model did not come in time"
    if model["acceptance"] is not None and model["acceptance"] < MIN_ACCEPTANCE:
        yield (
            f"{percent(model['acceptance'])} of {model['answered']} answers are licensed and new, less than "
            f"{percent(MIN_ACCEPTANCE, 0)}; {model['copies']} copy the phrase bank"
        )
    natural = model["natural"]
    if natural["clean"] < natural["new"]:
        yield f"{natural['new'] - natural['clean']} of {natural['new']} new sentences break the house style"
    if natural["new"] and natural["perplexity"] > MAX_PERPLEXITY_RATIO * natural["bank_perplexity"]:
        yield (
            f"new sentences have a median perplexity of {natural['perplexity']:.2f}, more than "
            f"{MAX_PERPLEXITY_RATIO:g} times that of the phrase bank, {natural['bank_perplexity']:.2f}"
        )
