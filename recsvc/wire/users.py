"""UserService: profiles, and who is to be erased."""

from recsvc.domain import Profile
from recsvc.v1 import users_pb2
from recsvc.wire.fields import Violations, id_problem

MAX_PROFILE_TEXT = 2_000
MAX_ATTRIBUTES = 32
MAX_ATTRIBUTE_NAME = 64
MAX_ATTRIBUTE_VALUE = 256


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
            path = f"profile.attributes[{i}]."
            if not 1 <= len(attribute.name) <= MAX_ATTRIBUTE_NAME:
                violations.note(path + "name", f"must have 1 to {MAX_ATTRIBUTE_NAME} characters")
            elif attribute.name in attributes:
                violations.note(path + "name", "must not repeat an earlier attribute's name")
            if not 1 <= len(attribute.value) <= MAX_ATTRIBUTE_VALUE:
                violations.note(path + "value", f"must have 1 to {MAX_ATTRIBUTE_VALUE} characters")
            attributes[attribute.name] = attribute.value
    violations.raise_if_any()
    if not profile.text and not attributes:
        return request.user_id, None
    return request.user_id, Profile(profile.text, tuple(attributes.items()))


def decode_delete_user(request: users_pb2.DeleteUserRequest) -> str:
    """The user's id. Raises InvalidRequest."""
    violations = Violations()
    violations.note("user_id", id_problem(request.user_id))
    violations.raise_if_any()
    return request.user_id
