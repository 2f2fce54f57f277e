"""Calls with no, unknown or expired keys, or with keys of other scopes, at every method and at the page of metrics."""

import hashlib
import itertools
import urllib.error
import urllib.request
from collections import Counter
from pathlib import Path

import grpc
from google.protobuf.descriptor import MethodDescriptor
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tests.faults.row import Figures, Row
from tests.faults.site import Site, unforeseen
from tests.integration.test_random_requests import methods

SCOPES = ("recommend", "write", "catalogue", "erase", "admin", "metrics")
# The form of a key is checked before it is looked up.
KEY = "recsvc_{:0<43}"
EXPIRED, UNKNOWN = KEY.format("expired"), KEY.format("unknown")
KEYS = {scope: KEY.format(scope) for scope in SCOPES}
REFUSALS = {grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED}
HEADERS_WITHOUT_KEY = {
    "none": None,
    "empty": "",
    "no scheme": KEYS["admin"],
    "basic": f"Basic {KEYS['admin']}",
    "unknown": f"Bearer {UNKNOWN}",
    "expired": f"Bearer {EXPIRED}",
    "cut": f"Bearer {KEYS['admin'][:-1]}",
    "hash of a key": f"Bearer {hashlib.sha256(KEYS['admin'].encode()).hexdigest()}",
    "token without signature": "Bearer eyJhbGciOiJub25lIn0.eyJzY29wZSI6ImFkbWluIn0.",
}


def measure(bundle: Path) -> Figures:
    """Calls every method of the contract with each of these. The methods come from the descriptors.

    Args:
        bundle: Folder of the bundle that is served.
    """
    codes: Counter[str] = Counter()
    admitted: list[str] = []
    scopes_of: dict[str, list[str]] = {}
    with Site(bundle) as site:
        (site.folder / "keys.toml").write_text(_keys_file())
        (site.folder / "keys.toml").chmod(0o600)
        service = site.start(keys_file=site.folder / "keys.toml", store_timeout=2)
        with service.channel() as channel:
            for redis_is_there in (True, False):
                if not redis_is_there:
                    site.redis.pause()  # a refusal looks nothing up, so it needs no Redis
                for method, (name, header) in itertools.product(methods(), HEADERS_WITHOUT_KEY.items()):
                    code = _code(channel, method, header)
                    codes[f"{name}: {code.name}"] += 1
                    if code is not grpc.StatusCode.UNAUTHENTICATED:
                        admitted.append(f"{method.name}, {name}, Redis {'there' if redis_is_there else 'away'}")
            site.redis.resume()
            for method, scope in itertools.product(methods(), SCOPES):
                code = _code(channel, method, f"Bearer {KEYS[scope]}")
                if code not in REFUSALS:
                    scopes_of.setdefault(method.name, []).append(scope)
            health = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=10)
        page = {name: _page_status(service.metrics_port, header) for name, header in HEADERS_WITHOUT_KEY.items()}
        page |= {scope: _page_status(service.metrics_port, f"Bearer {key}") for scope, key in KEYS.items()}
        return {
            "methods": len(methods()),
            "calls": sum(codes.values()),
            "admitted_without_key": len(admitted),
            "methods_with_other_than_one_scope": sum(len(scopes_of.get(m.name, ())) != 1 for m in methods()),
            "page_open": sum(status == 200 for name, status in page.items() if name != "metrics"),
            "page_shut_for_its_scope": int(page["metrics"] != 200),
            "health_shut": int(health.status != health_pb2.HealthCheckResponse.SERVING),
            "first_admitted": admitted[:5],
            "scopes": scopes_of,
            "page": page,
            "unforeseen": unforeseen(service),
        }


def _keys_file() -> str:
    valid = [_key_lines(scope, key, scope) for scope, key in KEYS.items()]
    return "\n".join([*valid, _key_lines("old", EXPIRED, *SCOPES) + "expires = 2020-01-01T00:00:00Z\n"])


def _key_lines(key_id: str, key: str, *scopes: str) -> str:
    digest = hashlib.sha256(key.encode()).hexdigest()
    return f'[[key]]\nid = "{key_id}"\nsha256 = "{digest}"\nscopes = {list(scopes)}\n'


def _code(channel: grpc.Channel, method: MethodDescriptor, header: str | None) -> grpc.StatusCode:
    """The status of a call with an empty message: a method that reads it may find it wrong."""
    path = f"/{method.containing_service.full_name}/{method.name}"
    way = channel.unary_stream if method.server_streaming else channel.unary_unary
    metadata = () if header is None else (("authorization", header),)
    try:
        answer = way(path, bytes, bytes)(b"", timeout=10, metadata=metadata)
        list(answer if method.server_streaming else ())
    except grpc.RpcError as error:
        return error.code()
    return grpc.StatusCode.OK


def _page_status(port: int, header: str | None) -> int:
    request = urllib.request.Request(f"http://127.0.0.1:{port}/metrics")
    if header is not None:
        request.add_header("Authorization", header)
    try:
        with urllib.request.urlopen(request, timeout=10) as page:  # noqa: S310
            return int(page.status)
    except urllib.error.HTTPError as error:
        return error.code


ROW = Row(
    measure,
    at_most={
        "admitted_without_key": 0,
        "methods_with_other_than_one_scope": 0,
        "page_open": 0,
        "page_shut_for_its_scope": 0,
        "health_shut": 0,
        "unforeseen": 0,
    },
    at_least={"methods": 20},
)

if __name__ == "__main__":
    ROW.main()
