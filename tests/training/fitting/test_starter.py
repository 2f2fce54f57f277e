"""A shop that nothing can be learned from: a bundle all the same, or one line that says what is possible."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from recsvc.domain.shop import EventType, History
from recsvc.errors import BundleError, SettingsError
from recsvc.model import bundle_files, text_encoders
from recsvc.model.bundle import Bundle
from recsvc.model.towers.user import ProfileText
from training import train, tune
from training.config import TrainConfig
from training.data.interactions import Interactions
from training.data.shop import read_shop
from training.data.split import nothing_to_learn
from training.evaluation.release_gate import replaces_measured
from training.fitting.split_choice import make_split
from training.reason_evaluation.training_events import learned_events

TITLES = [f"{kind} of {material}" for kind in ("Tent", "Kettle", "Boots", "Lamp") for material in ("steel", "wool")]
START = datetime(2024, 1, 1, tzinfo=UTC)
SETTINGS = [word for setting in ("text_encoder=embedded", "text_dim=16") for word in ("--set", setting)]
Purchases = list[tuple[str, int, float]]  # user, item, day


def write(folder: Path, events: Purchases, kind: str = "purchase", titles: list[str] = TITLES) -> Path:
    folder.mkdir(exist_ok=True)
    items = [f"i{n},{title},Goods > {title[:4]}" for n, title in enumerate(titles)]
    (folder / "items.csv").write_text("\n".join(("item_id,title,categories", *items)) + "\n")
    rows = [f"{user},i{item},{(START + timedelta(days=day)).isoformat()},{kind}" for user, item, day in events]
    (folder / "events.csv").write_text("\n".join(("user_id,item_id,timestamp,event_type", *rows)) + "\n")
    return folder


def run(data: Path, out: Path, *more: str) -> int:
    return train.main(["--data", str(data), "--out", str(out), *SETTINGS, *more])


def many(users: int, items: int, days: float) -> Purchases:
    """Three purchases of each user, spread over the days."""
    n = 3 * users
    return [(f"u{place % users}", place * 7 % items, days * place / n) for place in range(n)]


def history(*rows: int) -> History:
    n = len(rows)
    types = np.full(n, EventType.VIEW, np.int8)
    return History(np.array(rows, np.int32), np.arange(n, dtype=np.int64) * 10**9, types, np.ones(n, np.float32))


def best(bundle: Bundle, *rows: int, profile: str = "") -> list[int]:
    """The rows of the best items for a user who viewed these."""
    embedding = text_encoders.load("embedded").encode([profile])[0]
    (vector,) = bundle.user_tower().user_vectors(
        [history(*rows)], [ProfileText(profile, embedding) if profile else None]
    )
    assert np.isfinite(vector).all()
    return np.argsort(-(bundle.item_vectors @ vector), kind="stable").tolist()


@pytest.fixture(scope="module")
def starter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of bundles of a shop without events."""
    folder = tmp_path_factory.mktemp("starter")
    assert run(write(folder / "data", []), folder / "bundles") == 0
    return folder / "bundles"


def test_a_shop_without_events_has_a_bundle_that_is_not_measured_and_says_so(starter: Path) -> None:
    folder = starter / "latest"
    manifest = bundle_files.read_manifest(folder)
    evaluation = json.loads((folder / "evaluation.json").read_text())
    assert manifest["ready"]
    assert manifest["evaluation"]["ndcg@10"] == {"mean": None, "low": None, "high": None}
    assert (manifest["evaluation"]["protocol"], evaluation["users"], evaluation["models"]) == ("none", 0, {})
    assert (manifest["data"]["events"], manifest["data"]["last_event"]) == (0, None)
    assert evaluation["not_measured"].startswith("there is no purchase")
    assert evaluation["not_measured"] in (folder / "report.html").read_text()


def test_the_bundle_ranks_by_the_texts_of_the_history_and_of_the_profile(starter: Path) -> None:
    bundle = bundle_files.load(starter / "latest")
    for row in range(len(TITLES)):
        assert best(bundle, row)[0] == row
        assert best(bundle, row)[1] == row ^ 1, "the item of the same kind is the most similar"
    assert best(bundle, 4, 0, 2)[:3] == [2, 0, 4], "newer items weigh more, and older ones still count"
    assert best(bundle, profile="I need a kettle of steel")[0] == TITLES.index("Kettle of steel")
    assert np.isfinite(bundle.item_vectors).all()
    assert not bundle.item_vectors[:, bundle.layout.prior].any()


@pytest.mark.parametrize(
    ("events", "kind", "titles", "reason"),
    [
        (many(20, 8, 120), "view", TITLES, "there is no purchase"),
        (many(20, 1, 120), "purchase", ["Tent"], "all purchases are of one item"),
        ([("u", 3, 5.0)], "purchase", TITLES, "the purchases that were not returned are 1"),
        ([], "purchase", [""], "there is no purchase"),
    ],
)
def test_a_shop_with_too_little_to_learn_has_a_bundle(
    events: Purchases, kind: str, titles: list[str], reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = write(tmp_path / "data", events, kind, titles)
    assert run(data, tmp_path / "out", "--set", "protocol=leave-one-out") == 0
    assert f"not measured: {reason}" in capsys.readouterr().out
    bundle = bundle_files.load(tmp_path / "out" / "latest")
    assert len(best(bundle, 0)) == len(titles)
    popularity = bundle.item_vectors[:, bundle.layout.prior].ravel()
    bought = np.array([any(item == row for _, item, _ in events) for row in range(len(titles))])
    assert ((popularity > 0) == (bought & (kind == "purchase"))).all()
    assert (bundle.buyers.sum() > 0) == popularity.any()
    if events:
        assert learned_events(read_shop(data).events, bundle).height == len(events)
    else:
        with pytest.raises(BundleError, match="without events"):
            learned_events(read_shop(data).events, bundle)


def interactions(tmp_path: Path, events: Purchases, kind: str = "purchase") -> Interactions:
    return Interactions.of(read_shop(write(tmp_path, events, kind)))


@pytest.mark.parametrize(
    ("events", "reason"),
    [
        (many(3, 8, 100), "the purchases that were not returned are 9, and learning takes at least 10"),
        ([("u", n % 8, n) for n in range(30)], "all purchases are by one user"),
        ([(f"u{n}", 2, n) for n in range(30)], "all purchases are of one item"),
        (many(4, 8, 100), None),
    ],
)
def test_a_model_learns_from_ten_purchases_of_two_users_and_items(
    events: Purchases, reason: str | None, tmp_path: Path
) -> None:
    assert nothing_to_learn(interactions(tmp_path, events)) == reason


def test_purchases_that_were_all_returned_are_nothing_to_learn(tmp_path: Path) -> None:
    data = write(tmp_path, many(20, 8, 100))
    returns = (data / "events.csv").read_text().replace("purchase", "return").split("\n", 1)[1]
    with (data / "events.csv").open("a") as file:
        file.write(returns)
    assert nothing_to_learn(Interactions.of(read_shop(data))) == (
        "the purchases that were not returned are 0, and learning takes at least 10"
    )


@pytest.mark.parametrize(
    ("events", "settings", "error", "possible"),
    [
        (many(40, 8, 20), [], "nobody buys anything before the last 60 days", "protocol=time-split --set test_days=7"),
        (many(40, 8, 0), [], "nobody buys anything before", "protocol=leave-one-out"),
        (
            many(40, 8, 400),
            ["test_days=399"],
            "nobody buys anything before the last 798 days",
            "protocol=time-split --set test_days=30",
        ),
        (
            [(user, item, day) for user, item, day in many(40, 8, 100) if not 39 < day < 71] + [("u", 1, 99.0)],
            [],
            "nobody buys anything in the 30 days of validation",
            "protocol=time-split --set test_days=14",
        ),
        (
            [(f"u{n}", n % 8, n) for n in range(100)],
            ["protocol=leave-one-out"],
            "no user has 3 purchases",
            "protocol=time-split --set test_days=30",
        ),
    ],
)
def test_a_split_that_the_events_do_not_allow_is_refused_with_one_that_they_do(
    events: Purchases, settings: list[str], error: str, possible: str, tmp_path: Path
) -> None:
    all_events = interactions(tmp_path, events)
    with pytest.raises(SettingsError) as refused:
        make_split(all_events, TrainConfig().changed(settings))
    assert error in str(refused.value)
    assert str(refused.value).endswith(f"--set {possible} is possible")
    split = make_split(all_events, TrainConfig().changed(possible.split(" --set ")))
    assert len(split.validation)
    assert len(split.test)


def test_events_that_no_split_divides_are_one_part(tmp_path: Path) -> None:
    one_each = interactions(tmp_path, [(f"u{n}", n % 8, 0.0) for n in range(30)])
    assert nothing_to_learn(one_each) is None
    assert make_split(one_each, TrainConfig()).protocol == "none"


def test_a_bundle_that_learned_nothing_never_replaces_one_that_learned(starter: Path, trained_bundle: Path) -> None:
    assert replaces_measured(starter / "nowhere") == []
    assert replaces_measured(starter / "latest") == []
    (sentence,) = replaces_measured(trained_bundle)
    assert trained_bundle.name in sentence


def test_tuning_a_shop_with_nothing_to_learn_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = write(tmp_path / "data", [])
    assert tune.main(["--data", str(data), "--study", str(tmp_path / "study"), "--trials", "1", *SETTINGS]) == 1
    assert capsys.readouterr().err.splitlines()[-1].startswith("error: there is no purchase")
