"""A case is called slower if it is slower by more than the rounds of both measurements differ."""

from pathlib import Path

from tests.benchmarks import reference
from tests.benchmarks.reference import Change


def result(ratios: list[float], items: int = 100) -> dict[str, object]:
    return {"setup": {"items": items}, "rows": {"Recommend": {"rounds": [{"ratio": ratio} for ratio in ratios]}}}


def test_a_clearly_slower_case_fell() -> None:
    assert Change.of([0.20, 0.21, 0.19], [0.15, 0.16, 0.155]).fell


def test_a_case_within_the_spread_of_the_rounds_did_not_fall() -> None:
    assert not Change.of([0.20, 0.23, 0.17], [0.18, 0.22, 0.16]).fell


def test_an_equal_or_faster_case_did_not_fall() -> None:
    assert not Change.of([0.20, 0.20], [0.20, 0.20]).fell
    assert not Change.of([0.20, 0.20], [0.40, 0.41]).fell


def test_what_was_kept_is_what_later_results_are_compared_with(tmp_path: Path) -> None:
    kept = tmp_path / "reference.json"
    reference.write(result([0.2, 0.2, 0.2]), kept)
    assert reference.changes(result([0.1, 0.1, 0.1]), kept)["Recommend"] == Change(0.5, 0.5)


def test_results_of_another_number_of_items_are_not_compared(tmp_path: Path) -> None:
    kept = tmp_path / "reference.json"
    reference.write(result([0.2]), kept)
    assert reference.changes(result([0.1], items=200), kept) == {}
    assert reference.changes(result([0.1]), tmp_path / "missing.json") == {}
