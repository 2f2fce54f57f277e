"""UserService: profiles, tastes and erasures."""

from recsvc.domain.records import Erasure
from recsvc.domain.shop import Profile, Taste
from recsvc.users.taste import TasteProfile
from recsvc.v1 import users_pb2
from recsvc.wire.fields import (
    MAX_ATTRIBUTE_NAME,
    MAX_ATTRIBUTE_VALUE,
    MAX_ATTRIBUTES,
    MAX_BRAND,
    MAX_CATEGORIES,
    MAX_ID_LENGTH,
    Violations,
    id_problem,
    microseconds,
)

MAX_PROFILE_TEXT = 2_000
MAX_TASTE = 200  # entries of one field that a user can have
MAX_TASTE_CHANGES = 100  # entries of one field in a request
# The fields in the order of `Taste.sorts`, and the most characters of an entry.
_TASTE_FIELDS = (
    ("gift_item_ids", MAX_ID_LENGTH),
    ("less_item_ids", MAX_ID_LENGTH),
    ("less_brands", MAX_BRAND),
    ("less_categories", MAX_CATEGORIES),
)


def decode_set_profile(request: users_pb2.SetProfileRequest) -> tuple[str, Profile | None]:
    """Returns the user's id and the new profile; None removes the present one. Raises InvalidRequest."""
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


def decode_user_id(
    request: users_pb2.DeleteUserRequest | users_pb2.GetTasteProfileRequest,
) -> str:
    """Returns the user's id. Raises InvalidRequest."""
    violations = Violations()
    violations.note("user_id", id_problem(request.user_id))
    violations.raise_if_any()
    return request.user_id


def decode_get_erasure(request: users_pb2.GetErasureRequest) -> int:
    """Returns the time of the erasure, in microseconds since 1970, UTC. Raises InvalidRequest."""
    violations = Violations()
    moment = microseconds(request.erased_at) if request.HasField("erased_at") else None
    violations.note("erased_at", "must be DeleteUserResponse.erased_at" if moment is None else None)
    violations.raise_if_any()
    return moment or 0


def decode_update_taste(request: users_pb2.UpdateTasteProfileRequest) -> tuple[str, Taste, Taste]:
    """Returns the user's id, the entries to add and the entries to remove. Raises InvalidRequest."""
    violations = Violations()
    violations.note("user_id", id_problem(request.user_id))
    add = _decode_taste(request.add, violations.within("add."))
    remove = _decode_taste(request.remove, violations.within("remove."))
    violations.raise_if_any()
    return request.user_id, add, remove


def _decode_taste(taste: users_pb2.Taste, violations: Violations) -> Taste:
    fields = []
    for name, longest in _TASTE_FIELDS:
        entries = getattr(taste, name)
        if len(entries) > MAX_TASTE_CHANGES or not all(1 <= len(entry) <= longest for entry in entries):
            violations.note(name, f"must hold at most {MAX_TASTE_CHANGES} of 1 to {longest} characters")
        fields.append(frozenset(entries))
    return Taste(*fields)


def encode_taste(taste: Taste) -> users_pb2.UpdateTasteProfileResponse:
    """Encodes the taste that a user has declared."""
    return users_pb2.UpdateTasteProfileResponse(taste=taste_message(taste))


def encode_taste_profile(taste_profile: TasteProfile) -> users_pb2.GetTasteProfileResponse:
    """Encodes what the service knows of a user's taste."""
    response = users_pb2.GetTasteProfileResponse(
        taste=taste_message(taste_profile.taste), purchases=taste_profile.purchases, bundle_id=taste_profile.bundle_id
    )
    if taste_profile.profile is not None:
        set_profile(response.profile, taste_profile.profile)
    for name in ("categories", "brands", "attributes"):
        for share in getattr(taste_profile, name):
            getattr(response, name).add(value=share.value, purchases=share.purchases, share=share.share)
    return response


def encode_erasure(erasure: Erasure) -> users_pb2.DeleteUserResponse:
    """Encodes what was removed with a user."""
    response = users_pb2.DeleteUserResponse(
        existed=erasure.existed,
        removed_log_events=erasure.log_entries,
        removed_history_events=erasure.history_events,
        removed_profile=erasure.profile,
        removed_user_vectors=erasure.user_vectors,
        removed_lists=erasure.lists,
    )
    response.erased_at.FromMicroseconds(erasure.erased_at)
    return response


def taste_message(taste: Taste) -> users_pb2.Taste:
    """Encodes a taste."""
    fields = zip(_TASTE_FIELDS, taste.sets(), strict=True)
    return users_pb2.Taste(**{name: sorted(entries) for (name, _), entries in fields})


def set_profile(message: users_pb2.Profile, profile: Profile) -> None:
    """Encodes a profile into an empty message."""
    message.text = profile.text
    for name, value in profile.attributes:
        message.attributes.add(name=name, value=value)
