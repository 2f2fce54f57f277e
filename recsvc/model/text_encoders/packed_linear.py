"""A linear layer whose weights are laid out for the processor once, instead of at each call.

The result is the same to the last bits. For one short text such products take half the time.
"""

import torch
from torch import Tensor, nn

TOKENS = 16  # the layout is for about as many tokens at a time: those of a query or a title
# oneDNN compiles a kernel for each number of rows, and keeps a thousand of them, some 100 kB each. So a number of rows
# is rounded up: beyond the first number of each pair to a multiple of the second. 64 texts give a multiple already.
ROW_STEPS = ((16, 4), (64, 16), (256, 64))


class PackedLinear:
    """Safe to call from several threads.

    Args:
        weight: (out, in).
        bias: (out,), or None.
    """

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        self._bias = bias.detach() if bias is not None else None
        self._is_packed = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
        # torch has no public names for these two operators.
        self._weight = weight.detach()
        if self._is_packed:
            self._weight = torch.ops.mkldnn._reorder_linear_weight(self._weight, TOKENS)  # noqa: SLF001  see above

    @staticmethod
    def of(linear: nn.Linear) -> "PackedLinear":
        """A frozen copy of a layer."""
        return PackedLinear(linear.weight, linear.bias)

    def __call__(self, x: Tensor) -> Tensor:
        """Maps (..., in) to (..., out)."""
        return self._mapped(x, "none")

    def with_gelu(self, x: Tensor) -> Tensor:
        """The same, and the exact GELU of it, which then takes no pass of its own through memory."""
        return self._mapped(x, "gelu")

    def _mapped(self, x: Tensor, then: str) -> Tensor:
        if not self._is_packed:
            mapped = nn.functional.linear(x, self._weight, self._bias)
            return mapped if then == "none" else nn.functional.gelu(mapped)
        rows = x.numel() // x.shape[-1]
        padded = computed_rows(rows)
        if padded == rows:
            return self._product(x, then)
        whole = x.new_zeros(padded, x.shape[-1])
        whole[:rows] = x.view(rows, -1)
        return self._product(whole, then)[:rows].view(*x.shape[:-1], -1)

    def _product(self, x: Tensor, then: str) -> Tensor:
        return torch.ops.mkldnn._linear_pointwise(x, self._weight, self._bias, then, [], "none")  # type: ignore[no-any-return]  # noqa: SLF001  see above


def computed_rows(rows: int) -> int:
    """Returns for how many rows the product is computed."""
    step = next((step for beyond, step in reversed(ROW_STEPS) if rows > beyond), 1)
    return rows + -rows % step
