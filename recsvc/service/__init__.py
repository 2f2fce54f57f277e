"""The proto services over the models and the store: one servicer each, and the names that health knows."""

from typing import TYPE_CHECKING

import grpc

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

if TYPE_CHECKING:
    from recsvc.registry.model_registry import ModelRegistry
    from recsvc.store import UserStore

SERVICE_NAMES: tuple[str, ...] = tuple(
    descriptor.full_name
    for file in (
        recommendation_pb2,
        events_pb2,
        users_pb2,
        catalog_pb2,
        content_pb2,
        models_pb2,
        explain_pb2,
        policy_pb2,
    )
    for descriptor in file.DESCRIPTOR.services_by_name.values()
)


def add_services(server: grpc.aio.Server, models: "ModelRegistry", store: "UserStore") -> None:
    """Puts every service of recsvc.v1 on `server`."""
    # Generated code has no types.
    events_pb2_grpc.add_EventServiceServicer_to_server(  # type: ignore[no-untyped-call]
        EventService(models, store), server
    )
    recommendation_pb2_grpc.add_RecommendationServiceServicer_to_server(  # type: ignore[no-untyped-call]
        RecommendationService(models), server
    )
    catalog_pb2_grpc.add_CatalogServiceServicer_to_server(  # type: ignore[no-untyped-call]
        CatalogService(models, store), server
    )
    content_pb2_grpc.add_ContentServiceServicer_to_server(  # type: ignore[no-untyped-call]
        ContentService(models), server
    )
    explain_pb2_grpc.add_ExplainServiceServicer_to_server(  # type: ignore[no-untyped-call]
        ExplainService(models), server
    )
    models_pb2_grpc.add_ModelServiceServicer_to_server(  # type: ignore[no-untyped-call]
        ModelService(models), server
    )
    policy_pb2_grpc.add_PolicyServiceServicer_to_server(  # type: ignore[no-untyped-call]
        PolicyService(models.reasons), server
    )
    users_pb2_grpc.add_UserServiceServicer_to_server(  # type: ignore[no-untyped-call]
        UserService(models, store), server
    )
