"""Requests of every method: wrong ones, with the fields that are wrong, and one right one each."""

import base64
import math
import time
from functools import partial
from typing import Any

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from recsvc.v1 import catalog_pb2 as cat
from recsvc.v1 import content_pb2 as con
from recsvc.v1 import events_pb2 as ev
from recsvc.v1 import explain_pb2 as exp
from recsvc.v1 import models_pb2 as mod
from recsvc.v1 import policy_pb2 as pol
from recsvc.v1 import recommendation_pb2 as rec
from recsvc.v1 import users_pb2 as us
from tests.recsvc.service.edge import KNOWN_ITEM

LONG = "x" * 129


def untyped(**fields: Any) -> dict[str, Any]:
    """Fields with values that the types of the stubs do not allow."""
    return fields


def event(**changes: Any) -> ev.Event:
    return ev.Event(**{"event_id": "e", "user_id": "u", "item_id": "i", "event_type": ev.EVENT_TYPE_VIEW, **changes})


def batch(**changes: Any) -> ev.WriteEventsRequest:
    """Three good events, then the bad one: events[3]."""
    return ev.WriteEventsRequest(events=[event(), event(), event(), event(**changes)])


def profile(**fields: Any) -> us.SetProfileRequest:
    return us.SetProfileRequest(user_id="u", profile=us.Profile(**fields))


def attributes(*pairs: tuple[str, str]) -> us.SetProfileRequest:
    return profile(attributes=[us.ProfileAttribute(name=n, value=v) for n, v in pairs])


def added(**fields: Any) -> cat.UpsertItemsRequest:
    """A good item, then one with these fields: items[1]."""
    good = cat.CatalogItem(item_id="i", title="Kettle")
    return cat.UpsertItemsRequest(items=[good, cat.CatalogItem(**{"item_id": "j", **fields})])


def generate(**fields: Any) -> con.GenerateRequest:
    return con.GenerateRequest(**{"recipe": "title.v1", "item_id": "i", **fields})


def inventory(**changes: Any) -> cat.SetInventoryRequest:
    """A good change, then one with these fields: inventory[1]."""
    good = cat.Inventory(item_id="i", stock=3)
    return cat.SetInventoryRequest(inventory=[good, cat.Inventory(**{"item_id": "j", "stock": 0, **changes})])


def ahead(seconds: float) -> Timestamp:
    return Timestamp(seconds=int(time.time() + seconds))


STREAM = "RecommendationService/StreamReasons"
OFF, ON = "PolicyService/TurnOff", "PolicyService/TurnOn"
RANK, PAGE = "RecommendationService/Rank", "RecommendationService/BatchRecommend"
RECOMMEND, SIMILAR = "RecommendationService/Recommend", "RecommendationService/SimilarItems"
ADD = "CatalogService/UpsertItems"
STOCK, REMOVE = "CatalogService/SetInventory", "CatalogService/DeleteItems"
GENERATE, RECIPES = "ContentService/Generate", "ContentService/ListRecipes"
WHY_NOT, SERVED = "ExplainService/WhyNot", "ExplainService/ExplainRecommendation"
AUDIENCE = "RecommendationService/FindAudience"
TASTE_PROFILE, TASTE = "UserService/GetTasteProfile", "UserService/UpdateTasteProfile"
ERASURE = "UserService/GetErasure"
LOAD, ACTIVATE = "ModelService/LoadBundle", "ModelService/ActivateBundle"
EXPORT = "UserService/ExportUser"
WRITE, SET, DELETE = "EventService/WriteEvents", "UserService/SetProfile", "UserService/DeleteUser"

R, S, K = rec.RecommendRequest, rec.SimilarItemsRequest, rec.RankRequest
P = rec.BatchRecommendRequest
BAD_IDS = {"empty": "", "long": LONG, "newline": "a\nb", "null": "\x00", "delete": "a\x7f", "c1": "a\x85"}
BAD_KS = [0, 101, 10_000, 2**32 - 1]

FILTERS: dict[str, list[Any]] = {
    "categories": [["A > B"] * 101, [""], ["x" * 1001]],
    "brands": [["b"] * 101, [""], ["x" * 257]],
    "min_price": [-0.01, math.nan, math.inf],
    "max_price": [-1.0, math.nan, math.inf],
}

BAD_REQUESTS: list[tuple[str, Message, list[str]]] = [
    *((RECOMMEND, R(user_id=bad, k=5), ["user_id"]) for bad in BAD_IDS.values()),
    *((RECOMMEND, R(user_id="u", k=k), ["k"]) for k in BAD_KS),
    *(
        (RECOMMEND, R(user_id="u", k=5, context=rec.Context(language=tag)), ["context.language"])
        for tag in ("fr", "english", "en_GB", "en-", "-en", "zho", "e", "en " + "x" * 5000, "\x00")
    ),
    (RECOMMEND, R(user_id="u", k=5, context=rec.Context(time=Timestamp(nanos=-1))), ["context.time"]),
    (RECOMMEND, R(user_id="u", k=5, context=rec.Context(time=Timestamp(seconds=2**60))), ["context.time"]),
    (RECOMMEND, R(user_id="u", k=5, filter=rec.Filter(exclude_item_ids=["i"] * 1001)), ["filter.exclude_item_ids"]),
    (RECOMMEND, R(user_id="u", k=5, filter=rec.Filter(**untyped(repeat_policy=4))), ["filter.repeat_policy"]),
    (RECOMMEND, R(user_id="u", k=5, reason_options=rec.ReasonOptions(**untyped(tone=4))), ["reason_options.tone"]),
    (RANK, K(user_id="u", item_ids=["i"], **untyped(tone=4)), ["tone"]),
    *(
        (method, request(filter=rec.Filter(**{field: bad})), [f"filter.{field}"])
        for method, request in ((RECOMMEND, partial(R, user_id="u", k=5)), (SIMILAR, partial(S, item_id="i", k=5)))
        for field, bads in FILTERS.items()
        for bad in bads
    ),
    *(
        (RECOMMEND, R(user_id="u", k=5, filter=rec.Filter(attributes=[{"name": "a", "values": "b"}, bad])), [field])
        for bad, field in (
            ({"name": "", "values": ["x"]}, "filter.attributes[1].name"),
            ({"name": "a" * 65, "values": ["x"]}, "filter.attributes[1].name"),
            ({"name": "a"}, "filter.attributes[1].values"),
            ({"name": "a", "values": ["x"] * 101}, "filter.attributes[1].values"),
            ({"name": "a", "values": ["x" * 257]}, "filter.attributes[1].values"),
        )
    ),
    (
        SIMILAR,
        S(item_id="i", k=5, filter=rec.Filter(attributes=[{"name": "a", "values": "b"}] * 33)),
        ["filter.attributes"],
    ),
    (RECOMMEND, R(user_id="u", k=5, page_token="no token"), ["page_token"]),  # noqa: S106 - no password
    (RECOMMEND, R(user_id="u", k=5, **untyped(surface=8)), ["surface"]),
    *((RECOMMEND, R(user_id="u", k=5, context=rec.Context(query=q)), ["context.query"]) for q in ("x" * 257, "a\nb")),
    (RECOMMEND, R(user_id="u", k=5, surface=rec.SURFACE_FOR_YOU, placement="home"), ["surface"]),
    (RECOMMEND, R(user_id="u", k=5, min_freshness="-1"), ["min_freshness"]),
    (RECOMMEND, R(context=rec.Context(language="xx")), ["user_id", "k", "context.language"]),
    *(
        (method, request(context=rec.Context(**untyped(**{field: ["i"] * 51}))), [f"context.{field}"])
        for method, request in (
            (RECOMMEND, partial(R, user_id="u", k=5)),
            (RANK, partial(K, user_id="u", item_ids="i")),
        )
        for field in ("viewed_item_ids", "cart_item_ids")
    ),
    (STREAM, rec.StreamReasonsRequest(), ["request.user_id", "request.k"]),
    (
        STREAM,
        rec.StreamReasonsRequest(request=R(user_id="u", k=1, reason_options=rec.ReasonOptions(disabled=True))),
        ["request.reason_options.disabled"],
    ),
    *((method, request(), ["switch"]) for method, request in ((OFF, pol.TurnOffRequest), (ON, pol.TurnOnRequest))),
    *(
        (OFF, pol.TurnOffRequest(switch=pol.Switch(**{field: bad})), [f"switch.{field}"])
        for field, bads in (
            ("recipe", ["reason", "reason.v0", LONG]),
            ("language", ["fr", "en-GB"]),
            ("category", ["x" * 1001, "a\nb"]),
            ("generator", ["llama", LONG]),
        )
        for bad in bads
    ),
    *((PAGE, P(requests=[R(user_id="u", k=1)] * n), ["requests"]) for n in (0, 11)),
    (PAGE, P(requests=[R(user_id="u", k=1), R(user_id="u")]), ["requests[1].k"]),
    (
        PAGE,
        P(requests=[R(k=1, min_freshness="x"), R(user_id="u", k=1, filter=rec.Filter(brands=[""]))]),
        ["requests[0].user_id", "requests[0].min_freshness", "requests[1].filter.brands"],
    ),
    *((RANK, K(user_id=bad, item_ids=["i"]), ["user_id"]) for bad in BAD_IDS.values()),
    *((RANK, K(user_id="u", item_ids=bad), ["item_ids"]) for bad in ([], ["i"] * 1001)),
    (RANK, K(user_id="u", item_ids=["i"] * 101, reasons=True), ["item_ids"]),
    (RANK, K(user_id="u", item_ids=["i"], context=rec.Context(language="xx")), ["context.language"]),
    (RANK, K(user_id="u", item_ids=["i"], min_freshness="x"), ["min_freshness"]),
    *((SIMILAR, S(item_id=bad, k=5), ["item_id"]) for bad in BAD_IDS.values()),
    *((SIMILAR, S(item_id="i", k=k), ["k"]) for k in BAD_KS),
    (SIMILAR, S(item_id="i", k=5, filter=rec.Filter(exclude_item_ids=["i"] * 1001)), ["filter.exclude_item_ids"]),
    (SIMILAR, S(item_id="i", k=5, filter=rec.Filter(repeat_policy=rec.REPEAT_POLICY_ALLOW)), ["filter.repeat_policy"]),
    (SIMILAR, S(item_id="i", k=5, filter=rec.Filter(backfill=True)), ["filter.backfill"]),
    (WRITE, ev.WriteEventsRequest(), ["events"]),
    (WRITE, ev.WriteEventsRequest(events=[event()] * 1001), ["events"]),
    *(
        (WRITE, batch(**{field: bad}), [f"events[3].{field}"])
        for field in ("event_id", "user_id", "item_id")
        for bad in BAD_IDS.values()
    ),
    *((WRITE, batch(**{field: LONG}), [f"events[3].{field}"]) for field in ("order_id", "recommendation_id")),
    *((WRITE, batch(**{field: "a\tb"}), [f"events[3].{field}"]) for field in ("order_id", "recommendation_id")),
    *((WRITE, batch(event_type=bad), ["events[3].event_type"]) for bad in (0, 7, -1)),
    *((WRITE, batch(segment=bad), ["events[3].segment"]) for bad in ("x" * 129, "a\tb")),
    *((WRITE, batch(quantity=bad), ["events[3].quantity"]) for bad in (0, -1, 1_000_001, math.nan, math.inf)),
    *((WRITE, batch(price=bad), ["events[3].price"]) for bad in (-0.01, math.nan, math.inf, -math.inf)),
    *(
        (WRITE, batch(timestamp=bad), ["events[3].timestamp"])
        for bad in (Timestamp(seconds=631_151_999), ahead(90_000), Timestamp(seconds=2**62), Timestamp(nanos=2**30))
    ),
    (WRITE, batch(user_id="", quantity=0), ["events[3].user_id", "events[3].quantity"]),
    *((SET, us.SetProfileRequest(user_id=bad, profile=us.Profile()), ["user_id"]) for bad in BAD_IDS.values()),
    (SET, us.SetProfileRequest(user_id="u"), ["profile"]),
    (SET, profile(text="x" * 2001), ["profile.text"]),
    (SET, attributes(*((f"n{i}", "v") for i in range(33))), ["profile.attributes"]),
    (SET, attributes(("a", "1"), ("b", "2"), ("a", "3")), ["profile.attributes[2].name"]),
    (SET, attributes(("", "1")), ["profile.attributes[0].name"]),
    (SET, attributes(("n" * 65, "1")), ["profile.attributes[0].name"]),
    (SET, attributes(("a", "")), ["profile.attributes[0].value"]),
    (SET, attributes(("a", "v" * 257)), ["profile.attributes[0].value"]),
    *((AUDIENCE, rec.FindAudienceRequest(item_id=bad, k=5), ["item_id"]) for bad in BAD_IDS.values()),
    *((AUDIENCE, rec.FindAudienceRequest(item_id="i", k=k), ["k"]) for k in (0, 10_001)),
    *(
        (AUDIENCE, rec.FindAudienceRequest(item_id="i", k=5, page_token=token), ["page_token"])
        for token in ("made up", "====", "YQ==", base64.urlsafe_b64encode(b"b\n1\nnan\nu").decode())
    ),
    (ERASURE, us.GetErasureRequest(), ["erased_at"]),
    (ERASURE, us.GetErasureRequest(erased_at=Timestamp(nanos=-1)), ["erased_at"]),
    *((TASTE_PROFILE, us.GetTasteProfileRequest(user_id=bad), ["user_id"]) for bad in BAD_IDS.values()),
    *((TASTE, us.UpdateTasteProfileRequest(user_id=bad), ["user_id"]) for bad in BAD_IDS.values()),
    *(
        (TASTE, us.UpdateTasteProfileRequest(user_id="u", **{side: us.Taste(**{sort: bad})}), [f"{side}.{sort}"])
        for side in ("add", "remove")
        for sort, longest in (("gift_item_ids", 128), ("less_brands", 256), ("less_categories", 1_000))
        for bad in (["x"] * 101, [""], ["x" * (longest + 1)])
    ),
    (WHY_NOT, exp.WhyNotRequest(), ["request.user_id", "request.k", "item_id"]),
    (WHY_NOT, exp.WhyNotRequest(request=R(user_id="u", k=5, paged=True), item_id="i"), ["request.page_token"]),
    (SERVED, exp.ExplainRecommendationRequest(), ["user_id", "recommendation_id"]),
    (SERVED, exp.ExplainRecommendationRequest(user_id="u", recommendation_id=LONG), ["recommendation_id"]),
    *((LOAD, mod.LoadBundleRequest(bundle_id=bad), ["bundle_id"]) for bad in BAD_IDS.values()),
    *((ACTIVATE, mod.ActivateBundleRequest(bundle_id=bad), ["bundle_id"]) for bad in BAD_IDS.values()),
    (ADD, cat.UpsertItemsRequest(), ["items"]),
    (ADD, added(), ["items[1].title"]),
    (ADD, cat.UpsertItemsRequest(items=[cat.CatalogItem(item_id=f"i{n}", title="t") for n in range(101)]), ["items"]),
    (ADD, added(item_id="i", title="t"), ["items"]),
    *((ADD, added(item_id=bad, title="t"), ["items[1].item_id"]) for bad in BAD_IDS.values()),
    *((ADD, added(title=bad), ["items[1].title"]) for bad in ("x" * 1001, "a\nb")),
    *((ADD, added(title="t", categories=bad), ["items[1].categories"]) for bad in ("x" * 1001, "a\tb")),
    (ADD, added(title="t", attributes=[{"name": "a", "value": "b"}] * 33), ["items[1].attributes"]),
    (ADD, added(title="t", attributes=[{"value": "b"}]), ["items[1].attributes[0].name"]),
    (ADD, added(title="t", attributes=[{"name": "a", "value": "x" * 257}]), ["items[1].attributes[0].value"]),
    *((ADD, added(title="t", brand=bad), ["items[1].brand"]) for bad in ("x" * 257, "a\x7f")),
    (ADD, added(title="t", price=-1), ["items[1].price"]),
    (ADD, added(title="t", stock=2_000_000_000), ["items[1].stock"]),
    (ADD, added(title="t", set_time=ahead(90_000)), ["items[1].set_time"]),
    (STOCK, cat.SetInventoryRequest(), ["inventory"]),
    (STOCK, cat.SetInventoryRequest(inventory=[cat.Inventory(item_id="i", stock=1)] * 1001), ["inventory"]),
    (STOCK, cat.SetInventoryRequest(inventory=[cat.Inventory(item_id="i")]), ["inventory[0].stock"]),
    *((STOCK, inventory(item_id=bad), ["inventory[1].item_id"]) for bad in BAD_IDS.values()),
    *((STOCK, inventory(price=bad), ["inventory[1].price"]) for bad in (-0.01, math.nan, math.inf)),
    (STOCK, inventory(stock=1_000_000_001), ["inventory[1].stock"]),
    *(
        (STOCK, inventory(set_time=bad), ["inventory[1].set_time"])
        for bad in (ahead(90_000), Timestamp(seconds=-1), Timestamp(seconds=2**62))
    ),
    (REMOVE, cat.DeleteItemsRequest(), ["item_ids"]),
    (REMOVE, cat.DeleteItemsRequest(item_ids=["i"] * 1001), ["item_ids"]),
    *((REMOVE, cat.DeleteItemsRequest(item_ids=["i", bad]), ["item_ids[1]"]) for bad in BAD_IDS.values()),
    (REMOVE, cat.DeleteItemsRequest(item_ids=["i"], set_time=ahead(90_000)), ["set_time"]),
    *((GENERATE, generate(item_id=bad), ["item_id"]) for bad in BAD_IDS.values()),
    *((GENERATE, generate(recipe=bad), ["recipe"]) for bad in ("", "x" * 65, "a\nb")),
    (GENERATE, generate(language="fr"), ["language"]),
    (GENERATE, generate(variant=1_000_001, drafts=11), ["variant", "drafts"]),
    (GENERATE, generate(audience=con.ContentAudience()), ["audience.buyers"]),
    (GENERATE, generate(audience=con.ContentAudience(brand="b" * 257)), ["audience.brand"]),
    (GENERATE, generate(audience=con.ContentAudience(category="")), ["audience.category"]),
    *((EXPORT, us.ExportUserRequest(user_id=bad), ["user_id"]) for bad in BAD_IDS.values()),
    (EXPORT, us.ExportUserRequest(user_id="u", page_token="made up"), ["page_token"]),  # noqa: S106
    (EXPORT, us.ExportUserRequest(user_id="u", page_token="1-2-3"), ["page_token"]),  # noqa: S106
    *((DELETE, us.DeleteUserRequest(user_id=bad), ["user_id"]) for bad in BAD_IDS.values()),
]

GOOD_REQUESTS: dict[str, Message] = {
    GENERATE: generate(drafts=10, variant=1_000_000, audience=con.ContentAudience(brand="b")),
    RECIPES: con.ListRecipesRequest(),
    RECOMMEND: R(user_id="u", k=5),
    STREAM: rec.StreamReasonsRequest(request=R(user_id="u", k=5)),
    OFF: pol.TurnOffRequest(switch=pol.Switch(recipe="reason.v1", language="zh", category="A > B", generator="openai")),
    ON: pol.TurnOnRequest(switch=pol.Switch()),
    "PolicyService/ListSwitches": pol.ListSwitchesRequest(),
    PAGE: P(requests=[R(user_id="u", k=5)]),
    RANK: K(user_id="u", item_ids=["i"] * 1000),
    SIMILAR: S(item_id=KNOWN_ITEM, k=5),
    AUDIENCE: rec.FindAudienceRequest(item_id=KNOWN_ITEM, k=10_000),
    WRITE: ev.WriteEventsRequest(events=[event()]),
    ADD: added(title="t", categories="A > B", brand="b", price=1.0, stock=0, set_time=ahead(-5)),
    STOCK: inventory(price=2.5),
    REMOVE: cat.DeleteItemsRequest(item_ids=["i"], restore=True),
    SET: profile(text="likes tea"),
    EXPORT: us.ExportUserRequest(user_id="u"),
    DELETE: us.DeleteUserRequest(user_id="u"),
    ERASURE: us.GetErasureRequest(erased_at=ahead(-5)),
    TASTE_PROFILE: us.GetTasteProfileRequest(user_id="u"),
    TASTE: us.UpdateTasteProfileRequest(user_id="u", add=us.Taste(gift_item_ids=["i"])),
    WHY_NOT: exp.WhyNotRequest(request=R(user_id="u", k=5), item_id="i"),
    SERVED: exp.ExplainRecommendationRequest(user_id="u", recommendation_id="r"),
    "ModelService/ListBundles": mod.ListBundlesRequest(),
    LOAD: mod.LoadBundleRequest(bundle_id="bundle-1"),
    ACTIVATE: mod.ActivateBundleRequest(bundle_id="bundle-1"),
    "ModelService/RollBack": mod.RollBackRequest(),
}
