"""The queries in the repository fit the synthetic shops, and a wrong file is refused with every problem."""

from pathlib import Path

import polars as pl
import pytest

import training.search_evaluation
from recsvc.model.catalogue import Catalogue
from training.errors import DataError
from training.fitting.text_features import items_of
from training.search_evaluation.queries import shared_words
from training.search_evaluation.written_queries import SPLITS, answered_by, read_written_queries
from training.synthetic.shop import make_shop

FOLDER = Path(training.search_evaluation.__file__).parent
# Where no other word comes to a shopper's mind, a query may share one with the titles: "drink", "planters".
MOST_SHARING = {"en": 6, "zh": 6}


def catalogue_of(language: str) -> Catalogue:
    """The shop of the demo and of docs/search.md. The items depend on their number and the seed alone."""
    return Catalogue(items_of(make_shop(1_000, 20, seed=7, language=language).items))


@pytest.mark.parametrize("language", ["en", "zh"])
def test_written_queries_are_answered_by_the_synthetic_shop_in_other_words(language: str):
    file = f"queries_{language}.toml"
    queries, catalogue = read_written_queries(FOLDER / file), catalogue_of(language)
    assert [len(queries[split]) for split in SPLITS] == [50, 50]
    answered = {split: answered_by(queries[split], catalogue, file) for split in SPLITS}
    sharing = [query.text for split in SPLITS for query in answered[split] if shared_words(query, catalogue)]
    assert len(sharing) <= MOST_SHARING[language], sharing
    relevant = {split: {int(row) for query in answered[split] for row in query.relevant} for split in SPLITS}
    assert not relevant["dev"] & relevant["test"], "an item is tuned on and reported on"


@pytest.mark.parametrize("language", ["en", "zh"])
def test_written_queries_name_leaf_categories_of_every_department_in_both_splits(language: str):
    queries = read_written_queries(FOLDER / f"queries_{language}.toml")
    departments = {item.categories[0] for item in catalogue_of(language).items}
    for split in SPLITS:
        assert {path.split(" > ")[0] for query in queries[split] for path in query.relevant} == departments


def test_query_is_answered_by_its_category_and_those_below():
    items = pl.DataFrame(
        {
            "item_id": ["a", "b", "c"],
            "title": ["Mug", "Cup", "Mug Tree"],
            "categories": ["Kitchen > Mugs", "Kitchen > Mugs > Travel", "Kitchen > Mugs and more"],
        }
    )
    columns = {"brand": "", "price": None, "currency": "", "attributes": ""}
    catalogue = Catalogue(items_of(items.with_columns(**{name: pl.lit(value) for name, value in columns.items()})))
    file = FOLDER / "queries_en.toml"
    query = read_written_queries(file)["dev"][0]
    kitchen = type(query)("something to drink from", ("Kitchen > Mugs",), "phrase")
    [answered] = answered_by([kitchen], catalogue, file.name)
    assert answered.relevant.tolist() == [0, 1]
    with pytest.raises(DataError, match="footwear for climbing hills"):
        answered_by([query], catalogue, file.name)


def test_wrong_file_is_refused_with_every_problem(tmp_path: Path):
    file = tmp_path / "mine.toml"
    file.write_text(
        """
        dev = [
          { kind = "short", text = "tea", relevant = ["Tea"] },
          { kind = "short", text = " ", relevant = ["Tea"] },
          { kind = "odd", text = "cup", relevant = ["Tea"] },
          { kind = "short", text = "mug", relevant = [] },
          { kind = "short", text = "jug" },
        ]
        test = [{ kind = "short", text = "Tea", relevant = ["Tea"] }]
        """
    )
    with pytest.raises(DataError) as refused:
        read_written_queries(file)
    problems = [problem.message for problem in refused.value.problems]
    assert len(problems) == 5
    for part, problem in zip(("entry 2", "entry 3", "entry 4", "entry 5", "twice"), problems, strict=True):
        assert part in problem


@pytest.mark.parametrize("content", ["", "dev = [", "other = 1"])
def test_file_without_queries_is_refused(content: str, tmp_path: Path):
    (tmp_path / "mine.toml").write_text(content)
    with pytest.raises(DataError, match=r"mine\.toml"):
        read_written_queries(tmp_path / "mine.toml")
