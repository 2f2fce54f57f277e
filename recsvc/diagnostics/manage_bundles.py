"""Lists the bundles of a running service, and changes which of them answers: `recsvc bundles`."""

from collections.abc import Iterator
from datetime import UTC

import grpc

from recsvc.channel import ClientSettings, open_channel
from recsvc.errors import CallFailed, SettingsError
from recsvc.v1 import models_pb2
from recsvc.v1.models_pb2_grpc import ModelServiceStub

_LOAD_SECONDS = 300.0  # a large bundle is read from disk and checked
_METRIC = "ndcg@10"


def manage_bundles(*, target: str, load: str, activate: str, roll_back: bool, client: ClientSettings) -> str:
    """Makes at most one change, and returns the bundles and processes as lines of text.

    Args:
        target: Address of the service, host:port.
        load: Bundle that the process which is asked reads into memory; "" for none.
        activate: Bundle that answers from now on, in every process; "" for no change.
        roll_back: Whether the bundle before the active one answers again.
        client: TLS and the key.

    Raises:
        CallFailed: The service cannot be reached, or refuses the call.
        SettingsError: More than one change was asked for, or the settings of the client cannot be used.
    """
    if bool(load) + bool(activate) + roll_back > 1:
        raise SettingsError("--load, --activate and --roll-back: give one of them")
    with open_channel(target, client) as channel:
        models = ModelServiceStub(channel)  # type: ignore[no-untyped-call]  # generated code has no types
        try:
            if load:
                models.LoadBundle(models_pb2.LoadBundleRequest(bundle_id=load), timeout=_LOAD_SECONDS)
            if activate:
                models.ActivateBundle(models_pb2.ActivateBundleRequest(bundle_id=activate), timeout=_LOAD_SECONDS)
            if roll_back:
                models.RollBack(models_pb2.RollBackRequest(), timeout=_LOAD_SECONDS)
            listed = models.ListBundles(models_pb2.ListBundlesRequest(), timeout=_LOAD_SECONDS)
        except grpc.RpcError as error:
            details = next(iter((error.details() or "no details").splitlines()))
            raise CallFailed(f"the service at {target} did not do it: {error.code().name}: {details}") from None
    return "\n".join(_lines(listed)) + "\n"


def _lines(listed: models_pb2.ListBundlesResponse) -> Iterator[str]:
    roles = {listed.previous_bundle_id: "previous", listed.active_bundle_id: "active"}
    for bundle in listed.bundles:
        trained = bundle.trained_at.ToDatetime(tzinfo=UTC)
        metric = f"{_METRIC} {bundle.metrics[_METRIC]:.4f}" if _METRIC in bundle.metrics else "not measured"
        role = roles.get(bundle.bundle_id, "")
        yield f"bundle  {bundle.bundle_id}  trained {trained:%Y-%m-%d %H:%M} UTC  {metric:<16}  {role}".rstrip()
    for process in listed.processes:
        others = [bundle_id for bundle_id in process.loaded_bundle_ids if bundle_id != process.serving_bundle_id]
        memory = f"  in memory: {', '.join(others)}" if others else ""
        yield f"process {process.process_id}  answers with {process.serving_bundle_id}{memory}"
        for problem in (process.problem, *process.store_problems):
            if problem:
                yield f"        problem: {problem}"
