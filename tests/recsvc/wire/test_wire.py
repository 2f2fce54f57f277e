"""Conversion between protos and domain types: nothing is lost or changed in either direction."""

import time
import unicodedata
from dataclasses import replace

import numpy as np
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st

from recsvc import wire
from recsvc.domain.degradation import Degradation
from recsvc.domain.query import ItemFilter, Query, Recommendation, RecommendationList, RepeatPolicy
from recsvc.domain.reason import Evidence, EvidenceKind, Provenance, Reason, Strength, Tone
from recsvc.domain.records import ServedList, UserExport
from recsvc.domain.shop import UNDATED, Event, EventType, Item, Profile, Taste
from recsvc.errors import InvalidRequest
from recsvc.pipeline.event_intake import WrittenEvents
from recsvc.v1 import events_pb2 as ev
from recsvc.v1 import reason_pb2
from recsvc.v1 import recommendation_pb2 as rec
from recsvc.v1 import users_pb2 as us
from recsvc.wire import fields


def freshness_token(user_id: str, version: int) -> str:
    written = WrittenEvents(acknowledged=1, unknown_items=0, versions={user_id: version})
    return wire.encode_write_events(written).freshness[user_id]


def test_an_empty_request_is_decoded_with_the_documented_defaults():
    query = wire.decode_recommend(rec.RecommendRequest(user_id="u", k=10), None)
    assert query == Query(
        "u", 10, language="en", excluded_item_ids=frozenset(), repeats=RepeatPolicy.UNSPECIFIED, reasons=True, time=None
    )


def test_a_full_request_is_decoded_without_loss():
    request = rec.RecommendRequest(
        user_id="用户-1",
        k=100,
        context=rec.Context(
            time=Timestamp(seconds=1_700_000_000, nanos=123_456_789),
            language="zh-Hans-CN",
            viewed_item_ids=["v1", "v2"],
            cart_item_ids=["c"],
        ),
        filter=rec.Filter(
            exclude_item_ids=["a", "b", "a"],
            repeat_policy=rec.REPEAT_POLICY_EXCLUDE,
            categories=["Camping > Tents", "Tea"],
            brands=["Acme"],
            min_price=0.0,
            max_price=9.5,
            backfill=True,
        ),
        reason_options=rec.ReasonOptions(disabled=True, tone=reason_pb2.TONE_WARM),
        min_freshness=freshness_token("用户-1", 1_700_000_000_123_456),
    )
    assert wire.decode_recommend(request, 12.5) == Query(
        "用户-1",
        100,
        language="zh",
        excluded_item_ids=frozenset({"a", "b"}),
        viewed=("v1", "v2"),
        cart=("c",),
        filter=ItemFilter(frozenset({("Camping", "Tents"), ("Tea",)}), frozenset({"Acme"}), 0.0, 9.5),
        backfill=True,
        repeats=RepeatPolicy.EXCLUDE,
        reasons=False,
        tone=Tone.WARM,
        time=1_700_000_000_123_456,
        min_freshness=1_700_000_000_123_456,
        deadline=12.5,
    )


@pytest.mark.parametrize(
    ("tag", "language"),
    [("", "en"), ("en", "en"), ("en-GB", "en"), ("EN-us", "en"), ("zh", "zh"), ("zh-CN", "zh"), ("zh-Hant-TW", "zh")],
)
def test_the_region_of_a_language_tag_is_accepted_and_ignored(tag, language):
    request = rec.RecommendRequest(user_id="u", k=1, context=rec.Context(language=tag))
    assert wire.decode_recommend(request, None).language == language


@pytest.mark.parametrize("tone", [None, *Tone])
def test_a_tone_is_decoded_and_an_absent_one_is_none(tone):
    number = 0 if tone is None else reason_pb2.Tone.Value(f"TONE_{tone.name}")
    request = rec.RecommendRequest(user_id="u", k=1, reason_options=rec.ReasonOptions(tone=number))
    assert wire.decode_recommend(request, None).tone is tone
    assert wire.decode_rank(rec.RankRequest(user_id="u", item_ids=["i"], tone=number), None).tone is tone


def test_a_request_at_the_limits_is_accepted():
    longest = "字" * fields.MAX_ID_LENGTH
    request = rec.RecommendRequest(
        user_id=longest, k=100, filter=rec.Filter(exclude_item_ids=[str(i) for i in range(1_000)])
    )
    query = wire.decode_recommend(request, None)
    assert (query.user_id, query.k, len(query.excluded_item_ids)) == (longest, 100, 1_000)
    ends = [
        ev.Event(event_id=longest, user_id="u", item_id="i", event_type=1, quantity=1_000_000, price=0),
        ev.Event(event_id="e", user_id="u", item_id="i", event_type=4, timestamp=Timestamp(seconds=631_152_000)),
        ev.Event(event_id="e", user_id="u", item_id="i", event_type=1, timestamp=tomorrow()),
    ]
    assert len(wire.decode_write_events(ev.WriteEventsRequest(events=ends * 333 + ends[:1]))) == 1_000
    names = [us.ProfileAttribute(name=f"{i:064}", value="v" * 256) for i in range(32)]
    _, profile = wire.decode_set_profile(
        us.SetProfileRequest(user_id="u", profile=us.Profile(text="字" * 2_000, attributes=names))
    )
    assert (len(profile.text), len(profile.attributes)) == (2_000, 32)


def tomorrow() -> Timestamp:
    return Timestamp(seconds=int(time.time()) + 86_400)


@given(st.text(min_size=1, max_size=128))
def test_an_id_is_refused_exactly_when_it_holds_a_control_character(user_id):
    request = us.DeleteUserRequest(user_id=user_id)
    if any(unicodedata.category(c) == "Cc" for c in user_id):
        with pytest.raises(InvalidRequest, match="control characters"):
            wire.decode_user_id(request)
    else:
        assert wire.decode_user_id(request) == user_id


def test_a_full_event_is_decoded_without_loss():
    sent = ev.Event(
        event_id="e1",
        user_id="u1",
        item_id="i1",
        event_type=ev.EVENT_TYPE_PURCHASE,
        timestamp=Timestamp(seconds=1_600_000_000, nanos=5_999),
        quantity=2.5,
        price=9.99,
        order_id="o1",
        recommendation_id="r1",
    )
    [event] = wire.decode_write_events(ev.WriteEventsRequest(events=[sent]))
    assert event == Event(
        "e1", "u1", "i1", EventType.PURCHASE, 1_600_000_000_000_005, 2.5, 9.99, order_id="o1", recommendation_id="r1"
    )


def test_empty_fields_of_an_event_are_decoded_with_their_documented_meaning():
    sent = ev.Event(event_id="e", user_id="u", item_id="i", event_type=ev.EVENT_TYPE_VIEW)
    [event] = wire.decode_write_events(ev.WriteEventsRequest(events=[sent]))
    assert event.timestamp == UNDATED  # the store sets it, by Redis's clock
    assert (event.quantity, event.price, event.order_id, event.recommendation_id) == (1.0, None, "", "")


def test_event_types_have_the_numbers_of_the_proto():
    assert {t.name: t.value for t in EventType} | {"UNSPECIFIED": 0} == {
        name.removeprefix("EVENT_TYPE_"): number for name, number in ev.EventType.items()
    }


def test_a_profile_keeps_the_order_of_its_attributes_and_an_empty_one_is_none():
    attributes = [us.ProfileAttribute(name=n, value=v) for n, v in (("z", "1"), ("a", "2"))]
    full = us.SetProfileRequest(user_id="u", profile=us.Profile(text="tea", attributes=attributes))
    assert wire.decode_set_profile(full) == ("u", Profile("tea", (("z", "1"), ("a", "2"))))
    assert wire.decode_set_profile(us.SetProfileRequest(user_id="u", profile=us.Profile())) == ("u", None)


floats = st.floats(allow_nan=False)
counts = st.integers(0, 2**32 - 1)
evidence = st.builds(
    Evidence,
    kind=st.sampled_from(EvidenceKind),
    strength=st.sampled_from(Strength),
    effect=floats,
    share=floats,
    anchor=st.none() | st.builds(Item, item_id=st.text(min_size=1), title=st.just("a title")),
    value=st.text(),
    count=counts,
    days=counts,
    lift=floats,
)
provenance = st.builds(
    Provenance, st.text(), st.text(), st.text(), st.text(), ai_generated=st.booleans(), verified=st.booleans()
)
reasons = st.builds(
    Reason,
    st.text(),
    st.sampled_from(["en", "zh"]),
    st.tuples(evidence) | st.tuples(),
    provenance,
    st.sampled_from(Tone),
)
recommendations = st.builds(
    Recommendation,
    item=st.builds(Item, item_id=st.text(min_size=1), title=st.just("a title")),
    score=floats,
    rank=counts,
    reason=st.none() | reasons,
)
lists = st.builds(
    RecommendationList,
    recommendation_id=st.text(),
    bundle_id=st.text(),
    recommendations=st.lists(recommendations, max_size=3).map(tuple),
    personalised=st.booleans(),
    degraded=st.lists(st.sampled_from(Degradation), unique=True).map(tuple),
)


@given(lists)
def test_a_list_is_encoded_without_loss(answer):
    sent = rec.RecommendResponse.FromString(wire.encode_recommend(answer).SerializeToString())
    assert (sent.recommendation_id, sent.bundle_id, sent.personalised) == (
        answer.recommendation_id,
        answer.bundle_id,
        answer.personalised,
    )
    assert [rec.Degradation.Name(d) for d in sent.degraded] == [f"DEGRADATION_{d.name}" for d in answer.degraded]
    assert len(sent.recommendations) == len(answer.recommendations)
    for got, meant in zip(sent.recommendations, answer.recommendations, strict=True):
        assert (got.item_id, got.score, got.rank) == (meant.item.item_id, meant.score, meant.rank)
        assert got.HasField("reason") == (meant.reason is not None)
        if meant.reason is not None:
            assert_same_reason(got.reason, meant.reason)


@given(lists)
def test_a_list_that_is_sent_again_has_the_same_bytes(answer):
    first, again = (wire.encode_recommend(answer).SerializeToString(deterministic=True) for _ in range(2))
    assert again == first


@given(lists)
def test_a_ranking_names_each_candidate_that_it_left_out_once_and_in_order(answer):
    ranked = [recommendation.item.item_id for recommendation in answer.recommendations]
    sent = wire.encode_rank(answer, ["\x00b", *ranked, "\x00a", "\x00b"])
    assert [listed.item_id for listed in sent.recommendations] == ranked
    assert list(sent.left_out_item_ids) == [i for i in ("\x00b", "\x00a") if i not in ranked]
    assert sent.personalised == answer.personalised


def assert_same_reason(got: reason_pb2.Reason, meant: Reason) -> None:
    assert (got.text, got.language, len(got.evidence)) == (meant.text, meant.language, len(meant.evidence))
    assert reason_pb2.Tone.Name(got.tone) == f"TONE_{meant.tone.name}"
    assert {f.name: getattr(got.provenance, f.name) for f in got.provenance.DESCRIPTOR.fields} == {
        name: getattr(meant.provenance, name) for name in Provenance.__slots__
    }
    for message, fact in zip(got.evidence, meant.evidence, strict=True):
        assert reason_pb2.EvidenceKind.Name(message.kind) == f"EVIDENCE_KIND_{fact.kind.name}"
        assert reason_pb2.Strength.Name(message.strength) == f"STRENGTH_{fact.strength.name}"
        assert message.anchor_item_id == (fact.anchor.item_id if fact.anchor else "")
        for name in ("effect", "share", "value", "count", "days", "lift"):
            assert getattr(message, name) == getattr(fact, name)


@pytest.mark.parametrize(
    ("domain", "proto", "prefix"),
    [
        (EvidenceKind, reason_pb2.EvidenceKind, "EVIDENCE_KIND_"),
        (Strength, reason_pb2.Strength, "STRENGTH_"),
        (Degradation, rec.Degradation, "DEGRADATION_"),
        (RepeatPolicy, rec.RepeatPolicy, "REPEAT_POLICY_"),
        (Tone, reason_pb2.Tone, "TONE_"),
    ],
)
def test_enums_of_domain_and_proto_have_the_same_names(domain, proto, prefix):
    assert {m.name for m in domain} | {"UNSPECIFIED"} == {name.removeprefix(prefix) for name in proto.keys()}  # noqa: SIM118 - not a dict


def test_an_export_is_encoded_without_loss():
    profile = Profile("likes tea", (("hobby", "camping"),))
    events = tuple(
        Event(f"e{n}", "u", "tea", EventType.HIDE, 1_700_000_000_123_456 + n, 2.0, 1.5 * n or None, "o", "r")
        for n in range(3)
    )
    export = UserExport(profile, events, {"b1": np.array([0.5, -2.0], np.float32)})
    page = wire.decode_export_user(us.ExportUserRequest(user_id="u"))
    sent = us.ExportUserResponse.FromString(wire.encode_export_user(export, page).SerializeToString())
    assert wire.decode_set_profile(us.SetProfileRequest(user_id="u", profile=sent.profile)) == ("u", profile)
    assert tuple(wire.decode_write_events(ev.WriteEventsRequest(events=sent.events))) == events
    assert [(v.bundle_id, list(v.values)) for v in sent.user_vectors] == [("b1", [0.5, -2.0])]
    assert sent.existed
    assert (sent.more_events, sent.next_page_token) == (0, "")
    assert not wire.encode_export_user(UserExport(None, (), {}), page).existed


def long_event(n: int) -> Event:
    long = "\u20ac" * 120  # three bytes each
    return Event(f"{n}{long}", f"u{long}", f"i{long}", EventType.VIEW, 1_700_000_000_000_000 + n, 1.0, 1.0, long, long)


def long_list(n: int) -> ServedList:
    items = tuple((f"i{i}" + "\u20ac" * 120, 1.0) for i in range(100))
    time = 1_700_000_000_000_000 - n
    return ServedList(
        recommendation_id=f"l{n}",
        user_id="u",
        time=time,
        version=1,
        placement="home",
        arm="",
        propensity=1.0,
        bundle_id="b",
        surface="",
        shown=0,
        items=items,
    )


def test_an_export_of_any_size_comes_in_pages_that_clients_take_each_entry_once():
    categories = frozenset(f"{n}" + "\u20ac" * 990 for n in range(200))
    export = UserExport(
        Profile("\u20ac" * 2_000),
        tuple(map(long_event, range(11_000))),
        {},
        Taste(less_categories=categories),
        tuple(map(long_list, range(150))),
    )
    token, pages = "", []
    while not pages or token:
        request = us.ExportUserRequest(user_id="u", page_token=token)
        page = wire.encode_export_user(export, wire.decode_export_user(request))
        assert page.ByteSize() < 4 * 1024 * 1024
        token = page.next_page_token
        pages.append(page)
        # A new event between two pages moves nothing.
        export = replace(export, events=(*export.events, long_event(20_000 + len(pages))))
    assert [served.recommendation_id for page in pages for served in page.lists] == [f"l{n}" for n in range(150)]
    received = [event.event_id for page in reversed(pages) for event in page.events]
    assert received == [long_event(n).event_id for n in range(11_000)]
    assert [bool(page.profile.text) for page in pages] == [True] + [False] * (len(pages) - 1)


def test_ordinary_events_come_ten_thousand_a_page():
    events = tuple(Event(f"e{n}", "u", "tea", EventType.VIEW, 1_700_000_000_000_000 + n) for n in range(10_003))
    beginning = wire.decode_export_user(us.ExportUserRequest(user_id="u"))
    first = wire.encode_export_user(UserExport(None, events, {}), beginning)
    assert (len(first.events), first.more_events, first.events[0].event_id) == (10_000, 3, "e3")
    rest = us.ExportUserRequest(user_id="u", page_token=first.next_page_token)
    last = wire.encode_export_user(UserExport(None, events, {}), wire.decode_export_user(rest))
    assert ([event.event_id for event in last.events], last.next_page_token) == (["e0", "e1", "e2"], "")
