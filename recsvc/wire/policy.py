"""PolicyService: switches that turn texts off."""

from collections.abc import Set

from recsvc.domain.reason import LANGUAGES, REASON_RECIPE, TEXT_SOURCES
from recsvc.domain.records import Switch
from recsvc.reasons import recipes
from recsvc.v1 import policy_pb2
from recsvc.wire.fields import MAX_CATEGORIES, Violations, text_problem


def decode_switch(request: policy_pb2.TurnOffRequest | policy_pb2.TurnOnRequest) -> Switch:
    """Decodes a switch. Raises InvalidRequest, also for an unknown name: a typing error would turn nothing off."""
    violations = Violations()
    message = request.switch
    if not request.HasField("switch"):
        violations.note("switch", "is required; an empty one means every text")
    for field, names in (("recipe", (REASON_RECIPE, *recipes())), ("language", LANGUAGES), ("generator", TEXT_SOURCES)):
        if getattr(message, field) not in ("", *names):
            violations.note(f"switch.{field}", f"must be one of {', '.join(names)}, or empty")
    violations.note("switch.category", text_problem(message.category, 0, MAX_CATEGORIES))
    violations.raise_if_any()
    return Switch(message.recipe, message.language, message.category, message.generator)


def encode_switches(off: Set[Switch]) -> policy_pb2.ListSwitchesResponse:
    """Encodes the switches that are off."""
    return policy_pb2.ListSwitchesResponse(switches=[policy_pb2.Switch(**switch._asdict()) for switch in sorted(off)])
