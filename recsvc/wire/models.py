"""ModelService: ids of bundles, and the list of bundles and processes."""

from collections.abc import Sequence

from recsvc.model.bundle_folder import BundleInfo
from recsvc.store import ServerProcess, WantedBundles
from recsvc.v1 import models_pb2
from recsvc.wire.fields import Violations, id_problem


def decode_bundle_id(request: models_pb2.LoadBundleRequest | models_pb2.ActivateBundleRequest) -> str:
    """Returns the bundle's id. Raises InvalidRequest."""
    violations = Violations()
    violations.note("bundle_id", id_problem(request.bundle_id))
    violations.raise_if_any()
    return request.bundle_id


def encode_bundles(
    infos: Sequence[BundleInfo], processes: Sequence[ServerProcess], wanted: WantedBundles
) -> models_pb2.ListBundlesResponse:
    """Encodes the bundles in the folder, the running processes, and the bundles that the operator wants."""
    response = models_pb2.ListBundlesResponse(active_bundle_id=wanted.active, previous_bundle_id=wanted.previous)
    for info in infos:
        message = response.bundles.add(bundle_id=info.bundle_id, metrics=info.metrics)
        message.trained_at.FromDatetime(info.trained_at)
    for process in processes:
        response.processes.add(
            process_id=process.process_id,
            serving_bundle_id=process.serving,
            loaded_bundle_ids=process.loaded,
            problem=process.problem,
            store_problems=process.store_problems,
        )
    return response
