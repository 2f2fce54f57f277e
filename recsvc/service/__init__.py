"""The gRPC services of recsvc.v1, one servicer a file. Each method decodes, makes one call, and encodes.

`server` may import it.
"""

import grpc

from recsvc.access.methods import method_access
from recsvc.registry.backend import Backend
from recsvc.runtime.metrics import REQUESTS
from recsvc.service.catalog import CatalogService
from recsvc.service.content import ContentService
from recsvc.service.events import EventService
from recsvc.service.explain import ExplainService
from recsvc.service.models import ModelService
from recsvc.service.policy import PolicyService
from recsvc.service.recommendations import RecommendationService
from recsvc.service.users import UserService
from recsvc.v1 import (
    catalog_pb2,
    catalog_pb2_grpc,
    content_pb2,
    content_pb2_grpc,
    events_pb2,
    events_pb2_grpc,
    explain_pb2,
    explain_pb2_grpc,
    models_pb2,
    models_pb2_grpc,
    policy_pb2,
    policy_pb2_grpc,
    recommendation_pb2,
    recommendation_pb2_grpc,
    users_pb2,
    users_pb2_grpc,
)

_FILES = tuple(
    module.DESCRIPTOR
    for module in (
        recommendation_pb2,
        events_pb2,
        users_pb2,
        catalog_pb2,
        content_pb2,
        models_pb2,
        explain_pb2,
        policy_pb2,
    )
)
_SERVICES = tuple(service for file in _FILES for service in file.services_by_name.values())
SERVICE_NAMES: tuple[str, ...] = tuple(service.full_name for service in _SERVICES)
METHODS = method_access(_FILES)


def add_services(server: grpc.aio.Server, backend: Backend) -> None:
    """Puts every service of recsvc.v1 on `server`."""
    for service in _SERVICES:
        for method in service.methods:
            # Prometheus sees the first error of a method only if there was a zero before.
            REQUESTS.labels(f"/{service.full_name}/{method.name}", grpc.StatusCode.INTERNAL.name)
    # Generated code has no types.
    events_pb2_grpc.add_EventServiceServicer_to_server(  # type: ignore[no-untyped-call]
        EventService(backend.event_intake), server
    )
    recommendation_pb2_grpc.add_RecommendationServiceServicer_to_server(  # type: ignore[no-untyped-call]
        RecommendationService(backend.router, backend.registry, backend.reason_stream), server
    )
    catalog_pb2_grpc.add_CatalogServiceServicer_to_server(  # type: ignore[no-untyped-call]
        CatalogService(backend.store, backend.registry, backend.encoder), server
    )
    content_pb2_grpc.add_ContentServiceServicer_to_server(  # type: ignore[no-untyped-call]
        ContentService(backend.router, backend.text_policy), server
    )
    explain_pb2_grpc.add_ExplainServiceServicer_to_server(  # type: ignore[no-untyped-call]
        ExplainService(backend.router), server
    )
    models_pb2_grpc.add_ModelServiceServicer_to_server(  # type: ignore[no-untyped-call]
        ModelService(backend.registry), server
    )
    policy_pb2_grpc.add_PolicyServiceServicer_to_server(  # type: ignore[no-untyped-call]
        PolicyService(backend.text_policy), server
    )
    users_pb2_grpc.add_UserServiceServicer_to_server(  # type: ignore[no-untyped-call]
        UserService(backend.store, backend.registry, backend.encoder), server
    )
