"""Many requests of many kinds and users: memory, descriptors and keys stay level."""

import itertools
import random
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from google.protobuf.message import Message

from recsvc.v1 import catalog_pb2, events_pb2, recommendation_pb2, users_pb2
from tests.benchmarks.load import Load, run
from tests.faults.row import Figures, Row
from tests.faults.site import Site, descriptors, resident_mb, unforeseen
from tests.serving_bundle import ITEMS

# More than the cache of a process: 10,000.
USERS = 12_000
ROUNDS = 10
# Tasks of a round that are sent in a circle.
TASKS = 20_000
IN_FLIGHT = 8
QUERIES = ("saucepan", "walking boots", "seed tray for herbs", "red wok", "cookery book")


def measure(bundle: Path, requests: int = 100_000) -> Figures:
    """Makes requests in ten rounds, and reads the gauges after each. The table's length is 5,000,000.

    Args:
        bundle: Folder of the bundle that is served.
        requests: How many are made, about.
    """
    rng = random.Random(1)
    with Site(bundle) as site:
        service = site.start(store_timeout=5)
        resident, opened, keys = [], [], []
        answered, failed, rate, began = 0, 0, 100.0, time.monotonic()
        for number in range(ROUNDS):
            while answered + failed < requests * (number + 1) // ROUNDS:
                missing = requests * (number + 1) // ROUNDS - answered - failed
                tasks = [(call,) for call in itertools.islice(_calls(rng), TASKS)]
                seconds = min(max(missing / rate, 0.5), 60.0)
                measured = run(Load(service.port, tasks, seconds, warm_up=0.0, in_flight=IN_FLIGHT))
                answered += measured.completed
                failed += sum(measured.failed.values())
                rate = max(measured.completed / seconds, 1.0)
            resident.append(round(resident_mb(service), 1))
            opened.append(descriptors(service))
            keys.append(site.redis.client.dbsize())
        # The caches are full after half of the requests.
        half = ROUNDS // 2 - 1
        return {
            "answered": answered,
            "failed": failed,
            "requests_per_second": round(answered / (time.monotonic() - began)),
            "resident_mb": resident,
            "growth_mb_of_second_half": round(resident[-1] - resident[half], 1),
            "descriptors": opened,
            "descriptors_growth": opened[-1] - opened[half],
            "keys": keys,
            "keys_growth_of_second_half": keys[-1] - keys[half],
            "unforeseen": unforeseen(service),
        }


def _calls(rng: random.Random) -> Iterator[tuple[str, bytes]]:
    """Calls in the mix of a shop: most ask for lists, some change something."""
    kinds = (
        (40, "RecommendationService/Recommend", _list),
        (15, "EventService/WriteEvents", _events),
        (10, "RecommendationService/SimilarItems", _similar),
        (10, "RecommendationService/Rank", _rank),
        (10, "RecommendationService/Recommend", _search),
        (5, "RecommendationService/BatchRecommend", _batch),
        (4, "UserService/GetTasteProfile", _taste),
        (3, "UserService/SetProfile", _profile),
        (2, "CatalogService/SetInventory", _inventory),
        (1, "UserService/DeleteUser", _erasure),
    )
    weights = [weight for weight, *_ in kinds]
    while True:
        for _, method, make in rng.choices(kinds, weights, k=100):
            yield f"/recsvc.v1.{method}", make(rng).SerializeToString()


def _user(rng: random.Random) -> str:
    return f"u{rng.randrange(USERS):05d}"


def _item(rng: random.Random) -> str:
    return f"i{rng.randrange(ITEMS):05d}"


def _items(rng: random.Random, count: int) -> Sequence[str]:
    return [f"i{number:05d}" for number in rng.sample(range(ITEMS), count)]


def _list(rng: random.Random) -> recommendation_pb2.RecommendRequest:
    request = recommendation_pb2.RecommendRequest(user_id=_user(rng), k=10)
    request.reason_options.disabled = rng.random() < 0.5
    return request


def _events(rng: random.Random) -> Message:
    kinds = (events_pb2.EVENT_TYPE_PURCHASE, events_pb2.EVENT_TYPE_VIEW)
    event = events_pb2.Event(
        event_id=f"{rng.getrandbits(64):x}", user_id=_user(rng), item_id=_item(rng), event_type=rng.choice(kinds)
    )
    return events_pb2.WriteEventsRequest(events=[event])


def _similar(rng: random.Random) -> Message:
    return recommendation_pb2.SimilarItemsRequest(item_id=_item(rng), k=10)


def _rank(rng: random.Random) -> Message:
    return recommendation_pb2.RankRequest(user_id=_user(rng), item_ids=_items(rng, 30))


def _search(rng: random.Random) -> Message:
    request = recommendation_pb2.RecommendRequest(user_id=_user(rng), k=10, surface=recommendation_pb2.SURFACE_SEARCH)
    request.context.query = f"{rng.choice(QUERIES)} {rng.randrange(10)}"
    request.reason_options.disabled = True
    return request


def _batch(rng: random.Random) -> Message:
    return recommendation_pb2.BatchRecommendRequest(requests=[_list(rng), _list(rng)])


def _taste(rng: random.Random) -> Message:
    return users_pb2.GetTasteProfileRequest(user_id=_user(rng))


def _profile(rng: random.Random) -> Message:
    attribute = users_pb2.ProfileAttribute(name="hobby", value=rng.choice(("camping", "baking", "gardening")))
    return users_pb2.SetProfileRequest(user_id=_user(rng), profile=users_pb2.Profile(attributes=[attribute]))


def _inventory(rng: random.Random) -> Message:
    entry = catalog_pb2.Inventory(item_id=_item(rng), stock=rng.randrange(1, 50))
    return catalog_pb2.SetInventoryRequest(inventory=[entry])


def _erasure(rng: random.Random) -> Message:
    return users_pb2.DeleteUserRequest(user_id=_user(rng))


ROW = Row(
    measure,
    # Users get their first records all the while, and a record is two or three keys.
    at_most={
        "growth_mb_of_second_half": 20,
        "descriptors_growth": 5,
        "keys_growth_of_second_half": 3 * USERS,
        "failed": 0,
        "unforeseen": 0,
    },
    at_least={"answered": 1},
)

if __name__ == "__main__":
    ROW.main()
