"""Faults that the service has today. The test does without what shows them. Delete a line when its fault is mended."""

KNOWN_FAULTS: dict[str, str] = {}


def known(fault: str) -> bool:
    """Whether the service has a fault today."""
    return fault in KNOWN_FAULTS
