"""Settings are changed by name; a wrong name or value is refused with the allowed ones."""

import pytest

from recsvc.errors import SettingsError
from training.config import TrainConfig


def test_values_are_parsed_as_the_type_of_their_setting() -> None:
    config = TrainConfig().changed(
        ["factors=32", "alpha=7", "protocol=leave-one-out", 'event_weights={"purchase": 2.0}']
    )
    assert (config.factors, config.alpha, config.protocol) == (32, 7.0, "leave-one-out")
    assert config.event_weights == {"purchase": 2.0}


@pytest.mark.parametrize(
    ("assignment", "says"),
    [
        ("factor=3", "factors"),
        ("factors", "name=value"),
        ("factors=many", "of type int"),
        ("factors=1.5", "of type int"),
        ("factors=true", "of type int"),
        ("text_dim=0", "at least 1"),
        ("factors=-1", "at least 0"),
        ("sequence_dim=33", "even"),
        ("protocol=random", "leave-one-out"),
        ("refit=maybe", "validation"),
    ],
)
def test_a_wrong_name_or_value_is_refused_with_the_reason(assignment: str, says: str) -> None:
    with pytest.raises(SettingsError, match=says):
        TrainConfig().changed([assignment])
