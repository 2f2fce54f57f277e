"""UserService: profiles, all that is held of a user, and who is to be erased."""

from typing import TYPE_CHECKING

from recsvc.domain import Profile
from recsvc.v1 import users_pb2
from recsvc.wire.fields import MAX_ATTRIBUTE_NAME, MAX_ATTRIBUTE_VALUE, MAX_ATTRIBUTES, Violations, id_problem

if TYPE_CHECKING:
    from recsvc.store import UserExport

MAX_EXPORTED_EVENTS = 10_000  # an answer of a megabyte or so
MAX_PROFILE_TEXT = 2_000


def decode_set_profile(request: users_pb2.SetProfileRequest) -> tuple[str, Profile | None]:
    """The user's id and the new profile; None removes the one there is. Raises InvalidRequest."""
    violations = Violations()
    violations.note("user_id", id_problem(request.user_id))
    if not request.HasField("profile"):
        violations.note("profile", "is required; an empty message removes the profile")
    profile = request.profile
    if len(profile.text) > MAX_PROFILE_TEXT:
        violations.note("profile.text", f"must have at most {MAX_PROFILE_TEXT} characters")
    attributes: dict[str, str] = {}
    if len(profile.attributes) > MAX_ATTRIBUTES:
        violations.note("profile.attributes", f"must hold at most {MAX_ATTRIBUTES} attributes")
    else:
        for i, attribute in enumerate(profile.attributes):
            inner = violations.within(f"profile.attributes[{i}].")
            if not 1 <= len(attribute.name) <= MAX_ATTRIBUTE_NAME:
                inner.note("name", f"must have 1 to {MAX_ATTRIBUTE_NAME} characters")
            elif attribute.name in attributes:
                inner.note("name", "must not repeat an earlier attribute's name")
            if not 1 <= len(attribute.value) <= MAX_ATTRIBUTE_VALUE:
                inner.note("value", f"must have 1 to {MAX_ATTRIBUTE_VALUE} characters")
            attributes[attribute.name] = attribute.value
    violations.raise_if_any()
    if not profile.text and not attributes:
        return request.user_id, None
    return request.user_id, Profile(profile.text, tuple(attributes.items()))


def decode_user_id(request: users_pb2.DeleteUserRequest | users_pb2.ExportUserRequest) -> str:
    """The user's id. Raises InvalidRequest."""
    violations = Violations()
    violations.note("user_id", id_problem(request.user_id))
    violations.raise_if_any()
    return request.user_id


def encode_export_user(export: "UserExport") -> users_pb2.ExportUserResponse:
    response = users_pb2.ExportUserResponse(
        existed=export.profile is not None or bool(export.events),
        more_events=max(0, len(export.events) - MAX_EXPORTED_EVENTS),
    )
    if export.profile is not None:
        response.profile.text = export.profile.text
        for name, value in export.profile.attributes:
            response.profile.attributes.add(name=name, value=value)
    for event in export.events[-MAX_EXPORTED_EVENTS:]:
        message = response.events.add(
            event_id=event.event_id,
            user_id=event.user_id,
            item_id=event.item_id,
            event_type=event.event_type.value,
            quantity=event.quantity,
            price=event.price,
            order_id=event.order_id,
            recommendation_id=event.recommendation_id,
        )
        message.timestamp.FromMicroseconds(event.timestamp)
    for bundle_id, vector in export.user_vectors.items():
        response.user_vectors.add(bundle_id=bundle_id, values=vector)
    return response
