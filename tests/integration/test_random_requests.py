"""Random messages at every method of the contract, Redis being there and away: only the documented answers come."""

import random
import re
import urllib.request
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import grpc
from google.protobuf import message_factory
from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from recsvc.v1 import (
    catalog_pb2,
    content_pb2,
    events_pb2,
    explain_pb2,
    models_pb2,
    policy_pb2,
    recommendation_pb2,
    users_pb2,
)
from tests.conftest import RedisServer
from tests.integration.clients import Storefront, eventually
from tests.service_process import ServiceProcess

CONTRACT = (
    catalog_pb2,
    content_pb2,
    events_pb2,
    explain_pb2,
    models_pb2,
    policy_pb2,
    recommendation_pb2,
    users_pb2,
)
REQUESTS = 800
ANSWERS = {grpc.StatusCode.OK, grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.NOT_FOUND}
WITHOUT_REDIS = ANSWERS | {grpc.StatusCode.UNAVAILABLE}
TEXTS = ["i00001", "i00042", "ann", "bob", "brand", "tent", "2026"]
FIELD_TEXTS = {
    "placement": ["home", ""],
    "segment": ["de", ""],
    "language": ["en", "zh"],
    "recipe": ["title.v1", "description.v1", "campaign.v1", "reason.v1"],
    "generator": ["openai", ""],
    "page_token": [""],
    "min_freshness": [""],
}
# Where all of these are given, one of them is wrong beside another.
OPTIONAL = {
    "audience",
    "filter",
    "surface",
    "placement",
    "page_token",
    "context",
    "paged",
    "attributes",
    "repeat_policy",
}
PLACEMENTS = """
segments = ["de"]

[placements.home]
max_per_brand = 2
exploration = 0.2
"""
WILD_TEXTS = ["", "\0", "a" * 5_000, "茶\u202e", "{}", "../..", "%s%n", "i00042\n"]
NUMBERS, WILD_NUMBERS = [1, 2, 5, 10], [0, 101, 2**31 - 1]
REALS, WILD_REALS = [0.0, 0.5, 12.5], [-1.0, 1e300, float("nan"), float("inf")]


class Caller:
    """Fills messages at random: most as the contract wants them, the wild ones with what it forbids."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)

    def message(self, descriptor: Descriptor, wild: float) -> Message:
        message = message_factory.GetMessageClass(descriptor)()
        if isinstance(message, Timestamp) and not wild:
            message.GetCurrentTime()
            return message
        for field in descriptor.fields:
            if self.rng.random() < (0.6 if wild or field.name in OPTIONAL else 0.97):
                self._fill(message, field, wild)
        return message

    def _fill(self, message: Message, field: FieldDescriptor, wild: float) -> None:
        if field.is_repeated:
            count = self.rng.choice((1, 1, 2, 3)) if self.rng.random() > wild / 4 else 1_100
            held = getattr(message, field.name)
            if field.message_type is not None:
                held.extend(self.message(field.message_type, wild) for _ in range(min(count, 3)))
            else:
                held.extend(self._value(field, wild) for _ in range(count))
        elif field.message_type is not None:
            getattr(message, field.name).CopyFrom(self.message(field.message_type, wild))
        else:
            setattr(message, field.name, self._value(field, wild))

    def _text(self, field: FieldDescriptor, wild: float) -> str:
        return self.rng.choice(WILD_TEXTS if self.rng.random() < wild else FIELD_TEXTS.get(field.name, TEXTS))

    def _value(self, field: FieldDescriptor, wild: float) -> object:
        if field.enum_type is not None:
            known = [value.number for value in field.enum_type.values]
            return self.rng.choice([*known[1:], 99, 0] if self.rng.random() < wild else known[1:])
        match field.cpp_type:
            case FieldDescriptor.CPPTYPE_STRING if field.type == FieldDescriptor.TYPE_BYTES:
                return self.rng.randbytes(self.rng.choice((0, 3, 40)))
            case FieldDescriptor.CPPTYPE_STRING:
                return self._text(field, wild)
            case FieldDescriptor.CPPTYPE_BOOL:
                return self.rng.random() < 0.5
            case FieldDescriptor.CPPTYPE_DOUBLE | FieldDescriptor.CPPTYPE_FLOAT:
                return self.rng.choice(WILD_REALS if self.rng.random() < wild else REALS)
            case _:
                return self.rng.choice(WILD_NUMBERS if self.rng.random() < wild else NUMBERS)


def methods(contract: tuple[ModuleType, ...] = CONTRACT) -> list[MethodDescriptor]:
    return [m for each in contract for service in each.DESCRIPTOR.services_by_name.values() for m in service.methods]


def answer(channel: grpc.Channel, method: MethodDescriptor, request: Message) -> tuple[grpc.StatusCode, str]:
    path = f"/{method.containing_service.full_name}/{method.name}"
    way = channel.unary_stream if method.server_streaming else channel.unary_unary
    call = way(path, type(request).SerializeToString, lambda answer: answer)
    try:
        answer = call(request, timeout=20)
        list(answer if method.server_streaming else ())
    except grpc.RpcError as error:
        return error.code(), error.details() or ""
    return grpc.StatusCode.OK, ""


def test_only_documented_answers_come(
    start_service: Callable[..., ServiceProcess], redis_server: RedisServer, tmp_path: Path
) -> None:
    placements = tmp_path / "placements.toml"
    placements.write_text(PLACEMENTS)
    process = start_service(redis_url=redis_server.url, placements=placements)
    caller, every = Caller(seed=1), methods()
    answers: Counter[tuple[str, grpc.StatusCode]] = Counter()
    with process.channel() as channel:
        for number in range(REQUESTS):
            if number == REQUESTS // 2:
                redis_server.kill()
            method = every[number % len(every)]
            request = caller.message(method.input_type, wild=caller.rng.choice((0.0, 0.0, 0.05, 0.5)))
            code, details = answer(channel, method, request)
            answers[method.name, code] += 1
            allowed = ANSWERS if number < REQUESTS // 2 else WITHOUT_REDIS
            if method.name in ("RollBack", "Generate"):
                allowed = allowed | {grpc.StatusCode.FAILED_PRECONDITION}
            assert code in allowed, (method.name, request, code, details)
            assert not re.search(r"Traceback|\.py\b|recsvc-test|/tmp", details), details
        redis_server.start()
        eventually(lambda: len(Storefront(channel).recommend("ann").recommendations) == 10)
    # Every method was asked something that it could answer.
    assert {name for name, code in answers if code is not grpc.StatusCode.INVALID_ARGUMENT} == {m.name for m in every}
    with urllib.request.urlopen(f"http://127.0.0.1:{process.metrics_port}/metrics", timeout=10) as page:
        assert "recsvc_gate_violations_total 0.0" in page.read().decode()
    assert not [line for line in process.log if "error_id" in line]  # nothing that nobody foresaw
