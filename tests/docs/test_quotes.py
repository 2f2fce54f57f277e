"""Every file, name, command and flag that a page quotes exists."""

from pathlib import Path

import pytest

from tests.docs.pages import PAGES, ROOT, name_of
from tests.docs.quotes import problems

FENCE = "```"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_a_page_quotes_only_what_exists(page: Path) -> None:
    assert problems(page.read_text("utf-8")) == []


def test_the_readme_and_the_pages_of_docs_are_read() -> None:
    names = {name_of(page) for page in PAGES}
    assert {
        "README.md",
        "CONTRIBUTING.md",
        "docs/surfaces.md",
        "docs/decisions/README.md",
        "training/README.md",
    } <= names
    assert len(names) >= 40


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("see `recsvc/nowhere.py`", "there is no recsvc/nowhere.py"),
        ("see `nowhere/at/all.py`", "begins with no folder of the repository"),
        ("see `nowhere.toml`", "no file of the repository is called nowhere.toml"),
        ("call `recsvc.ranking.order_items`", "recsvc.ranking.order_items cannot be imported"),
        ("call `training.nowhere.run()`", "training.nowhere.run cannot be imported"),
        ("call `Bundle.grow_by_items`", "Bundle has no grow_by_items"),
        ("call `Bundles.with_items`", "no class, message or service is called Bundles"),
        ("set `RecommendRequest.user_name`", "RecommendRequest has no user_name"),
        ("the function `rank_all_of_them`", "no source has the name rank_all_of_them"),
        ("the class `SlateMaker`", "no source has the name SlateMaker"),
        ("the constant `MAX_HOUSES`", "no source has the name MAX_HOUSES"),
        ("set `RECSVC_HOUSE`", "no source has the name RECSVC_HOUSE"),
        ("the flag `--house-number`", "no command has the flag --house-number"),
        ("run `make house`", "make has no target house"),
        ("run `make train HOUSES=2`", "the Makefile does not use HOUSES"),
        ("run `python -m training.build_houses`", "no such module"),
        ("run `recsvc build`", "recsvc has no command build"),
        ("text\n\n    python -m training.train --houses 2\n\ntext", "python -m training.train has no flag --houses"),
        (f"{FENCE}sh\nrecsvc serve --bundle b \\\n  --houses 2\n{FENCE}\n", "recsvc serve has no flag --houses"),
        (f"{FENCE}sh\npython -m training.train --set houses=2\n{FENCE}\n", "training has no setting houses"),
        ("text\n\n    python -m pytest tests/nowhere\n\ntext", "there is no tests/nowhere"),
    ],
)
def test_a_quote_of_nothing_is_a_problem(text: str, problem: str) -> None:
    found = problems(text)
    assert len(found) == 1
    assert problem in found[0]


@pytest.mark.parametrize(
    "text",
    [
        "see `recsvc/ranking.py`, `recsvc/v1` and `pyproject.toml`, but not `my-shop/events` or `bundles/<bundle_id>/`",
        "call `recsvc.ranking.rank`, `Bundle.with_items`, `ExplainService.WhyNot` and `RecommendRequest(user_id='u')`",
        "`Event.recommendation_id`, `SURFACE_FOR_YOU`, `RECSVC_REDIS_URL`, `--store-timeout`, `lexical`",
        "run `make train DATA=my-shop`, `python -m training.data --data my-shop` and `recsvc serve --bundle b`",
        f"{FENCE}sh\nRECSVC_REDIS_URL=... python -m training.train --data d --set test_days=3   # --houses\n{FENCE}\n",
    ],
)
def test_a_quote_of_something_is_no_problem(text: str) -> None:
    assert problems(text) == []


def test_the_root_of_the_repository_is_right() -> None:
    assert (ROOT / "pyproject.toml").is_file()
