"""The parts of the demo that could be wrong without anybody noticing. CI also runs the whole demo."""

import io
import json
import shutil
from pathlib import Path

import pytest
from rich.console import Console

from recsvc.domain.shop import Item, Profile
from recsvc.v1.recommendation_pb2 import RecommendResponse
from training.config import TrainConfig
from training.data.shop import Shop, read_shop
from training.demo import shop as demo
from training.demo.client import TimedList
from training.demo.service import ServiceFailed, running_service
from training.demo.shoppers import best_seller_elsewhere, choose_shoppers
from training.demo.tables import change_table, list_table, profile_words, searches_table
from training.fitting.text_features import items_of

ITEMS = {name: Item(name, f"The {name}", price=1.5, currency="GBP") for name in "abcd"}


def answered(item_ids: str, reason: str = "") -> TimedList:
    response = RecommendResponse()
    for rank, item_id in enumerate(item_ids, 1):
        added = response.recommendations.add(item_id=item_id, rank=rank)
        if reason:
            added.reason.text = reason
    return TimedList(response, 1.0)


def printed(what: object, width: int = 100) -> list[str]:
    console = Console(width=width, record=True, file=io.StringIO())
    console.print(what)
    return console.export_text().splitlines()


@pytest.fixture(scope="module")
def shop(small_shop_folder: Path) -> Shop:
    return read_shop(small_shop_folder)


def test_change_table_marks_new_and_moved_items():
    lines = printed(change_table(answered("abc"), answered("dba"), ITEMS))[2:]
    assert [line.split()[5:] for line in lines] == [["new", "–"], ["–"], ["down", "2", "–"]]


def test_list_table_shows_a_missing_reason_as_a_dash_and_markup_as_text():
    [with_reason] = printed(list_table(answered("a", "Like [red]this[/red]"), ITEMS, "zh"))[2:]
    assert "Like [red]this[/red]" in with_reason
    assert "£1.50" in with_reason
    [without] = printed(list_table(answered("a"), ITEMS, "en"))[2:]
    assert without.rstrip().endswith("–")


def test_profile_words_show_text_and_attributes():
    assert printed(profile_words(Profile("tea", (("city", "Bath"),)))) == ["tea  ·  city: Bath"]
    assert printed(profile_words(None)) == ["no profile"]


def test_bundle_is_trained_again_only_after_a_change(
    shop: Shop, trained_bundle: Path, small_config: TrainConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    bundle = tmp_path / "bundle"
    shutil.copytree(trained_bundle, bundle)
    monkeypatch.setattr(demo, "BUNDLE", bundle)
    monkeypatch.setattr(demo, "CONFIG", small_config)
    manifest = json.loads((bundle / "manifest.json").read_text())

    def up_to_date_if(**training: int) -> bool:
        changed = manifest | {"training": manifest["training"] | training}
        (bundle / "manifest.json").write_text(json.dumps(changed))
        return not demo.demo_bundle(shop, Console(file=io.StringIO()))

    monkeypatch.setattr(demo, "train", lambda *_: None)
    assert up_to_date_if()
    assert up_to_date_if(factors=0)  # training found that the block adds nothing
    assert not up_to_date_if(factors=16)
    assert not up_to_date_if(text_epochs=0)


def test_three_shoppers_differ_in_history_and_profile(shop: Shop):
    regular, beginner, without_profile = choose_shoppers(shop, 400)
    assert regular.buys_again
    assert len(regular.purchases) > len(regular.purchases["item_id"].unique())
    assert 3 <= len(beginner.purchases) <= 4
    assert without_profile.profile is None
    assert beginner.profile is not None


def test_best_seller_elsewhere_is_of_a_department_new_to_the_shopper(shop: Shop):
    items = {item.item_id: item for item in items_of(shop.items)}
    for shopper in choose_shoppers(shop, 400):
        bought = {items[item_id].categories[0] for item_id in shopper.purchases["item_id"]}
        assert best_seller_elsewhere(shop, shopper, items).categories[0] not in bought


def test_service_that_does_not_start_shows_its_last_log_lines(tmp_path: Path):
    log = tmp_path / "serve.log"
    log.write_text('{"event": "serving", "host": "an earlier run", "port": 1}\n')
    with (
        pytest.raises(ServiceFailed, match=r"did not start(.|\n)*no-such-bundle"),
        running_service(tmp_path / "no-such-bundle", tmp_path / "data", log),
    ):
        pass


def test_searches_table_shows_the_query_its_meaning_and_titles_as_text():
    items = ITEMS | {"e": Item("e", "A [red]boot[/red]")}
    lines = printed(searches_table([("爬山穿的鞋", "shoes for hills", ["e", "a"]), ("mug", "", [])], items))
    text = "\n".join(lines)
    assert "爬山穿的鞋" in text
    assert "shoes for hills" in text
    assert "A [red]boot[/red]" in text
    assert next(line for line in lines if line.startswith("mug")).rstrip().endswith("–")
