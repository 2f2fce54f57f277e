"""Bundles that are cut, altered, mixed up or of another version lie beside good ones, and an operator asks for them."""

import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import grpc
from google.protobuf.timestamp_pb2 import Timestamp

from recsvc.model import bundle_files
from recsvc.v1 import models_pb2, users_pb2
from recsvc.v1.models_pb2_grpc import ModelServiceStub
from recsvc.v1.users_pb2_grpc import UserServiceStub
from tests.faults.bundles import make_variants
from tests.faults.load import SteadyLoad, ask_for_a_list
from tests.faults.row import Figures, Row
from tests.faults.site import Site, unforeseen
from tests.integration.clients import eventually

# One is served first, one is active, one is spoilt, and one is loaded in place of the spoilt one if that was loaded.
VARIANTS = 4
LISTS_PER_SECOND = 20.0
# What a refused bundle may be answered with. FAILED_PRECONDITION says why; NOT_FOUND is for an id that no manifest has.
REFUSALS = {grpc.StatusCode.FAILED_PRECONDITION, grpc.StatusCode.NOT_FOUND}
# Written in place of each field of a manifest.
ODD_VALUES: list[object] = [None, "word", 0, -1, 1e308, [], {}, [None], {"a": None}, True]
ODD_MANIFESTS = {
    "empty": b"",
    "not UTF-8": b"\xff\xfe\x00",
    "a list": b"[1, 2]",
    "a number": b"12",
    "deep": b"[" * 100_000,
    "long": b"1" * 100_000,
    "NaN": b'{"bundle_id": NaN, "format_version": NaN}',
}

Spoil = Callable[[Path], None]


def measure(bundle: Path, field_stride: int = 1) -> Figures:
    """Spoils a bundle in one way after another. Each time it lists, loads and activates.

    Args:
        bundle: Folder of the bundle whose variants are served and spoilt.
        field_stride: 1 writes every odd value into every field of the manifest; n only each n-th of them.
    """
    faults: list[str] = []
    codes: Counter[str] = Counter()
    ways = 0
    with Site(bundle) as site:
        served, good, victim, spare = make_variants(bundle, site.folder / "bundles", VARIANTS)
        service = site.start(bundle=served, store_timeout=5)
        kept = shutil.copytree(victim, site.folder / "kept")
        with (
            service.channel() as channel,
            SteadyLoad([service.address], {"list": (ask_for_a_list, LISTS_PER_SECOND)}) as load,
        ):
            operator = _Operator(channel)
            operator.activate(good.name)
            for name, spoil, still_usable in list(_ways(good, victim, field_stride)):
                shutil.rmtree(victim, ignore_errors=True)
                shutil.copytree(kept, victim)
                spoil(victim)
                ways += 1
                if not {served.name, good.name} <= operator.listed(codes):
                    faults.append(f"{name}: good bundles are not listed")
                operator.erasure(codes)
                code, details = operator.load(victim.name)
                codes[f"LoadBundle {code.name}"] += 1
                if code is grpc.StatusCode.OK:
                    # Else the victim stays in memory, and its files are not read again.
                    operator.load(spare.name)
                    eventually(lambda: victim.name not in operator.loaded())
                if code not in REFUSALS and not (still_usable and code is grpc.StatusCode.OK):
                    faults.append(f"{name}: LoadBundle answers {code.name} {details}")
                if code in REFUSALS and (not details or str(site.folder) in details):
                    faults.append(f"{name}: unclear refusal {details!r}")
                if operator.active() != good.name:
                    faults.append(f"{name}: the active bundle changed")
            load.wait_for("list", 2)
        return {
            "ways": ways,
            "faults": faults,
            "fault_count": len(faults),
            "codes": dict(codes),
            "internal": sum(n for name, n in codes.items() if "INTERNAL" in name or "UNKNOWN" in name),
            "lists": len(load.of("list")),
            "lists_failed": load.failed("list"),
            "unforeseen": unforeseen(service),
        }


class _Operator:
    def __init__(self, channel: grpc.Channel) -> None:
        self._models, self._users = ModelServiceStub(channel), UserServiceStub(channel)

    def activate(self, bundle_id: str) -> None:
        self._models.ActivateBundle(models_pb2.ActivateBundleRequest(bundle_id=bundle_id), timeout=60)

    def active(self) -> str:
        return self._models.ListBundles(models_pb2.ListBundlesRequest(), timeout=10).active_bundle_id

    def loaded(self) -> set[str]:
        answer = self._models.ListBundles(models_pb2.ListBundlesRequest(), timeout=10)
        return {bundle_id for process in answer.processes for bundle_id in process.loaded_bundle_ids}

    def listed(self, codes: Counter[str]) -> set[str]:
        try:
            answer = self._models.ListBundles(models_pb2.ListBundlesRequest(), timeout=10)
        except grpc.RpcError as error:
            codes[f"ListBundles {error.code().name}"] += 1
            return set()
        codes["ListBundles OK"] += 1
        return {info.bundle_id for info in answer.bundles}

    def erasure(self, codes: Counter[str]) -> None:
        """GetErasure reads all manifests."""
        try:
            self._users.GetErasure(users_pb2.GetErasureRequest(erased_at=Timestamp(seconds=1)), timeout=10)
            codes["GetErasure OK"] += 1
        except grpc.RpcError as error:
            codes[f"GetErasure {error.code().name}"] += 1

    def load(self, bundle_id: str) -> tuple[grpc.StatusCode, str]:
        """Asks for a load, and for an activation if that succeeds: the same checks come first in both."""
        try:
            self._models.LoadBundle(models_pb2.LoadBundleRequest(bundle_id=bundle_id), timeout=60)
        except grpc.RpcError as error:
            try:
                self.activate(bundle_id)
            except grpc.RpcError as second:
                return (error.code(), error.details() or "") if second.code() is error.code() else (second.code(), "")
            return grpc.StatusCode.OK, "activated after LoadBundle was refused"
        return grpc.StatusCode.OK, ""


def _ways(good: Path, victim: Path, field_stride: int) -> Iterator[tuple[str, Spoil, bool]]:
    """Names a way to spoil a bundle, spoils it, and says whether it may still be usable."""
    for name in bundle_files.FILES:
        yield f"{name} cut", partial(_cut, name), False
        yield f"{name} missing", partial(_remove, name), False
        yield f"{name} empty", partial(_write, name, b""), False
        yield f"{name} is a folder", partial(_make_folder, name), False
        other = (good / name).read_bytes()
        yield f"{name} of another bundle", partial(_write, name, other), other == (victim / name).read_bytes()
    for name in (bundle_files.ITEMS, bundle_files.VOCABULARY):
        yield f"tower is {name}", partial(_write, bundle_files.TOWER, (victim / name).read_bytes()), False
    yield "manifest cut", partial(_cut, bundle_files.MANIFEST), False
    yield "manifest missing", partial(_remove, bundle_files.MANIFEST), False
    for name, content in ODD_MANIFESTS.items():
        yield f"manifest {name}", partial(_write, bundle_files.MANIFEST, content), False
    yield "no folder", shutil.rmtree, False
    fields = list(_fields(json.loads((victim / bundle_files.MANIFEST).read_text())))
    for number, (path, value) in enumerate((path, value) for path in fields for value in ODD_VALUES):
        if number % field_stride == 0:
            yield f"{'.'.join(path)} = {value}", partial(_set, path, value), True
    for version in (1, 6, 8, 99):
        yield f"format {version}", partial(_set, ("format_version",), version), False


def _cut(name: str, folder: Path) -> None:
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content[: len(content) // 2])


def _remove(name: str, folder: Path) -> None:
    (folder / name).unlink()


def _write(name: str, content: bytes, folder: Path) -> None:
    (folder / name).write_bytes(content)


def _make_folder(name: str, folder: Path) -> None:
    (folder / name).unlink()
    (folder / name).mkdir()


def _fields(manifest: dict[str, object], path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The fields of the first two levels, and some that training writes."""
    if not path:
        yield from ((section,) for section in ("evaluation", "data", "created") if section not in manifest)
        yield ("data", "erasures_until")
        yield ("evaluation", "ndcg@10")
    for name, value in manifest.items():
        yield (*path, name)
        if isinstance(value, dict) and not path:
            yield from _fields(value, (name,))


def _set(path: tuple[str, ...], value: object, folder: Path) -> None:
    manifest = json.loads((folder / bundle_files.MANIFEST).read_text())
    section = manifest
    for name in path[:-1]:
        section = section.setdefault(name, {})
    section[path[-1]] = value
    bundle_files.write_manifest(folder, manifest)


ROW = Row(
    measure,
    at_most={"fault_count": 0, "internal": 0, "lists_failed": 0, "unforeseen": 0},
    at_least={"ways": 30, "lists": 1},
)

if __name__ == "__main__":
    ROW.main()
