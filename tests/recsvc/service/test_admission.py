"""Who is let in, who is refused and how: by priority, by the wait, by the warmth of the process."""

import asyncio

import grpc
import pytest
from google.protobuf import descriptor_pool
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from prometheus_client import REGISTRY

from recsvc.service import SERVICE_NAMES
from recsvc.service.admission import WARM_SECONDS, Admission
from recsvc.service.priority import LONGEST_WAIT, Priority, priority_of
from recsvc.service.turnstile import Turnstile
from recsvc.v1 import catalog_pb2, catalog_pb2_grpc, events_pb2_grpc, models_pb2, models_pb2_grpc
from recsvc.v1 import events_pb2 as ev
from recsvc.v1 import recommendation_pb2 as rec
from recsvc.v1.recommendation_pb2_grpc import RecommendationServiceStub
from tests.recsvc.service.edge import KNOWN_ITEM, edge
from tests.recsvc.service.test_server import REQUEST, code_of, in_flight

RECOMMEND = "/recsvc.v1.RecommendationService/Recommend"
OK, EXHAUSTED = grpc.StatusCode.OK, grpc.StatusCode.RESOURCE_EXHAUSTED


class FixedWait(Turnstile):
    """A turnstile at which calls wait for as long as the test says."""

    seconds = 0.0

    @property
    def expected_seconds(self) -> float:
        return self.seconds


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


def let_in(admission: Admission) -> set[Priority]:
    return {priority for priority in Priority if admission.refusal(priority) is None}


@pytest.mark.parametrize(
    ("running", "expected"),
    [
        (31, set(Priority)),
        (32, {Priority.ADMIN, Priority.WRITE, Priority.RECOMMEND}),
        (64, {Priority.ADMIN, Priority.WRITE}),
        (96, {Priority.ADMIN}),
        (128, set()),
    ],
)
def test_calls_fill_the_limit_and_bulk_work_is_refused_first_then_lists_then_writes(running, expected):
    admission = Admission(64, FixedWait(), Clock())
    for _ in range(running):
        admission.enter()
    assert let_in(admission) == expected


@pytest.mark.parametrize("refused", [Priority.BATCH, Priority.RECOMMEND, Priority.WRITE])
def test_a_call_that_would_wait_for_longer_than_its_bound_is_refused(refused):
    turnstile = FixedWait()
    admission = Admission(64, turnstile, Clock())
    turnstile.seconds = LONGEST_WAIT[refused] + 0.001
    assert admission.refusal(refused) == "queue"
    assert let_in(admission) == {priority for priority in Priority if priority < refused}


def test_the_limit_of_a_cold_process_is_an_eighth_and_rises_for_a_minute_after_the_first_call():
    clock = Clock()
    admission = Admission(1_000, FixedWait(), clock)
    clock.now += 500
    assert admission.limit == 125
    admission.enter()
    admission.leave()
    limits = []
    for _ in range(5):
        limits.append(admission.limit)
        clock.now += WARM_SECONDS / 4
    assert limits == [125, 343, 562, 781, 1_000]


def test_a_small_limit_holds_from_the_start():
    assert Admission(5, FixedWait(), Clock()).limit == 5


def test_every_method_has_a_priority_and_only_the_named_ones_are_above_lists():
    pool = descriptor_pool.Default()
    methods = [f"/{name}/{method.name}" for name in SERVICE_NAMES for method in pool.FindServiceByName(name).methods]
    by_priority = {
        priority: {m.rpartition("/")[2] for m in methods if priority_of(m) is priority} for priority in Priority
    }
    assert by_priority[Priority.WRITE] == {
        *("WriteEvents", "SetProfile", "UpdateTasteProfile", "DeleteUser", "SetInventory", "DeleteItems"),
    }
    assert by_priority[Priority.RECOMMEND] == {
        *(
            "Recommend",
            "BatchRecommend",
            "Rank",
            "SimilarItems",
            "StreamReasons",
            "GetTasteProfile",
            "ExplainRecommendation",
        ),
    }
    assert by_priority[Priority.BATCH] == {
        *("UpsertItems", "Generate", "WhyNot", "FindAudience", "ExportUser"),
    }
    assert by_priority[Priority.ADMIN] == {
        *("ListBundles", "LoadBundle", "ActivateBundle", "RollBack", "ListSwitches", "TurnOff", "TurnOn"),
        *("GetErasure", "ListRecipes"),
    }


async def test_under_overload_the_operator_and_writes_get_through_and_bulk_work_does_not():
    async with edge(max_concurrent_requests=4) as (answers, channel, _):
        lists = RecommendationServiceStub(channel)
        admin, writes = models_pb2_grpc.ModelServiceStub(channel), events_pb2_grpc.EventServiceStub(channel)
        catalogue = catalog_pb2_grpc.CatalogServiceStub(channel)
        audience = rec.FindAudienceRequest(item_id=KNOWN_ITEM, k=1)
        answers.hold.clear()
        held = [asyncio.ensure_future(code_of(lists.Recommend(REQUEST))) for _ in range(2)]
        await in_flight(2)
        assert await code_of(lists.FindAudience(audience)) is EXHAUSTED
        held += [asyncio.ensure_future(code_of(lists.Recommend(REQUEST))) for _ in range(2)]
        await in_flight(4)
        for _ in range(3):  # the first call of a method is refused in another place than later ones
            assert await code_of(lists.Recommend(REQUEST)) is EXHAUSTED
            assert await code_of(lists.FindAudience(audience)) is EXHAUSTED
            assert await code_of(writes.WriteEvents(ev.WriteEventsRequest())) is grpc.StatusCode.INVALID_ARGUMENT
            assert await code_of(catalogue.DeleteItems(catalog_pb2.DeleteItemsRequest(item_ids=["i"]))) is OK
            assert await code_of(admin.ListBundles(models_pb2.ListBundlesRequest())) is OK
        answers.hold.set()
        assert await asyncio.gather(*held) == [OK] * 4
        assert await code_of(lists.FindAudience(audience)) is OK


async def test_a_refusal_says_when_to_try_again_in_the_two_ways_that_clients_know_and_is_counted():
    def counted(reason: str) -> float:
        return REGISTRY.get_sample_value("recsvc_refusals_total", {"method": RECOMMEND, "reason": reason}) or 0

    before = counted("limit")
    async with edge(max_concurrent_requests=1) as (answers, channel, _):
        answers.hold.clear()
        stub = RecommendationServiceStub(channel)
        held = asyncio.ensure_future(code_of(stub.Recommend(REQUEST)))
        await in_flight(1)
        waits = set()
        for _ in range(8):
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await stub.Recommend(REQUEST)
            error = refused.value
            status = rpc_status.from_call(error)
            info, retry = error_details_pb2.ErrorInfo(), error_details_pb2.RetryInfo()
            assert status.details[0].Unpack(info)
            assert (error.code(), info.reason, info.domain) == (EXHAUSTED, "OVERLOADED", "recsvc")
            assert status.details[1].Unpack(retry)
            waits.add(retry.retry_delay.ToMilliseconds())
            assert dict(error.trailing_metadata())["grpc-retry-pushback-ms"] == str(retry.retry_delay.ToMilliseconds())
        assert len(waits) > 4, "callers that were refused together come back together"
        answers.hold.set()
        assert await held is OK
    assert counted("limit") == before + 8
