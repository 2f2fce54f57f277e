"""The lexical encoder is the same in every process; the texts of items are read as the service reads them."""

from pathlib import Path

import numpy as np
import pytest

from recsvc.domain.shop import CATEGORY_SEPARATOR, Item, Taste, category_path
from recsvc.model.catalogue import Catalogue
from recsvc.users.taste import silent_rows
from recsvc.v1 import catalog_pb2, recommendation_pb2
from recsvc.wire.catalog import decode_upsert_items
from recsvc.wire.filters import item_filter
from tests.training.data.shop_files import good, write
from training.config import TrainConfig
from training.data.shop import read_shop
from training.fitting.text_features import fit_features, fit_lexical, items_of


def test_equally_frequent_terms_keep_the_order_of_the_texts() -> None:
    words = [f"word{number}" for number in range(60)]
    text = " ".join(words)
    assert list(fit_lexical([text, text, text], 4, seed=0).vocabulary) == words


def test_terms_of_a_single_text_are_no_features() -> None:
    lexical = fit_lexical(["kettle steel", "kettle copper", "kettle copper"], 2, seed=0)
    assert list(lexical.vocabulary) == ["kettle", "copper"]


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("Screens > Size >27 in", ("Screens", "Size >27 in")),
        ("A>B", ("A>B",)),
        ("Tools >> Hand", ("Tools >> Hand",)),
        ("A  >  B", ("A", "B")),
        ("A > > B", ("A", "B")),
        ("> A >", ("A",)),
        (" > A\u00a0>\u00a0B", ("A", "B")),
        ("Goods > Size > 27 > ", ("Goods", "Size", "27")),
        ("Tents", ("Tents",)),
        (">", ()),
    ],
)
def test_a_category_text_is_one_path_in_the_table_the_filter_the_upsert_and_the_rules(
    text: str, path: tuple[str, ...], tmp_path: Path
) -> None:
    tables = good()
    tables["items"]["categories"][0] = text
    (row, *_) = items_of(read_shop(write(tmp_path, "csv", tables)).items)
    assert row.categories == path
    assert item_filter(recommendation_pb2.Filter(categories=[text])).categories == {path}
    request = catalog_pb2.UpsertItemsRequest(
        items=[catalog_pb2.CatalogItem(item_id="a", title="Tent", categories=text)]
    )
    ((upserted, _),) = decode_upsert_items(request)
    assert upserted.categories == path
    assert category_path(CATEGORY_SEPARATOR.join(path)) == path


def test_a_taste_without_a_category_name_dislikes_nothing() -> None:
    catalogue = Catalogue([Item("a", "Tent", categories=("Camping",))])
    assert silent_rows(Taste(less_categories=frozenset({">", ""})), catalogue).tolist() == []
    assert silent_rows(Taste(less_categories=frozenset({"Camping >"})), catalogue).tolist() == [0]


@pytest.mark.parametrize("texts", [["steel kettle"], ["steel kettle"] * 5, ["", ""]])
def test_texts_that_are_all_alike_have_zero_features(texts: list[str]) -> None:
    embeddings = np.full((len(texts), 8), 0.1, np.float32)
    features = fit_features(embeddings, texts, TrainConfig())
    assert features.transform(embeddings, texts).tolist() == [[0.0]] * len(texts)
    assert features.transform(embeddings + 0.5, ["lamp"] * len(texts)).tolist() == [[0.0]] * len(texts)
