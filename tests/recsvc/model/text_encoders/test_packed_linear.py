"""Packed layers give what torch's do, for any number of rows, and have few shapes compiled."""

import pytest
import torch
from torch import nn

from recsvc.model.text_encoders.packed_linear import PackedLinear, computed_rows

LONGEST_BATCH = 16 * 128  # texts, and tokens of a text, that a service encodes together


@pytest.mark.parametrize("shape", [(1, 1), (1, 5), (1, 17), (3, 23), (2, 65), (5, 60), (1, 256), (16, 33)])
def test_any_number_of_rows_gives_what_torch_gives(shape: tuple[int, int]) -> None:
    torch.manual_seed(0)
    linear, x = nn.Linear(24, 40), torch.randn(*shape, 24)
    with torch.inference_mode():
        packed = PackedLinear.of(linear)(x)
        assert packed.shape == (*shape, 40)
        torch.testing.assert_close(packed, linear(x))


def test_few_numbers_of_rows_are_computed() -> None:
    computed = {computed_rows(rows) for rows in range(1, LONGEST_BATCH + 1)}
    assert len(computed) < 80
    assert all(computed_rows(rows) >= rows for rows in range(1, LONGEST_BATCH + 1))
    assert all(computed_rows(64 * tokens) == 64 * tokens for tokens in range(1, 129))
