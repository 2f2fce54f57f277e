"""PolicyService: what is turned off."""

from collections.abc import Set

from recsvc.domain.reason import LANGUAGES, REASON_RECIPE, TEXT_SOURCES
from recsvc.domain.records import Switch
from recsvc.reasons import recipes
from recsvc.v1 import policy_pb2
from recsvc.wire.fields import MAX_CATEGORIES, Violations, text_problem


def decode_switch(request: policy_pb2.TurnOffRequest | policy_pb2.TurnOnRequest) -> Switch:
    """Raises InvalidRequest. A name that is none is refused: in haste, a slip would turn nothing off."""
    violations = Violations()
    message = request.switch
    if not request.HasField("switch"):
        violations.note("switch", "is required; an empty one means every text")
    for field, known in (("recipe", (REASON_RECIPE, *recipes())), ("language", LANGUAGES), ("generator", TEXT_SOURCES)):
        if getattr(message, field) not in ("", *known):
            violations.note(f"switch.{field}", f"must be one of {', '.join(known)}, or empty")
    violations.note("switch.category", text_problem(message.category, 0, MAX_CATEGORIES))
    violations.raise_if_any()
    return Switch(message.recipe, message.language, message.category, message.generator)


def encode_switches(off: Set[Switch]) -> policy_pb2.ListSwitchesResponse:
    return policy_pb2.ListSwitchesResponse(switches=[policy_pb2.Switch(**each._asdict()) for each in sorted(off)])
