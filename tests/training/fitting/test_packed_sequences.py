"""Packed sequences have the states, and the gradients, that the transformer gives each of them alone."""

import numpy as np
import pytest
import torch

from recsvc.model.towers.transformer import CausalTransformer, TransformerConfig
from training.fitting.packed_sequences import last_states, packed_states

DIM, LONGEST = 16, 20


@pytest.fixture(scope="module")
def transformer() -> CausalTransformer:
    torch.manual_seed(0)
    transformer = CausalTransformer(TransformerConfig(DIM, max_length=LONGEST)).eval()
    for name, parameter in transformer.named_parameters():
        if name.endswith("distance_bias"):
            torch.nn.init.normal_(parameter)
    return transformer


@pytest.mark.parametrize("lengths", [[0], [0, 0, 1, 2, 3, 4, 7, 7, 7, LONGEST], [LONGEST, 0, 5, 4, 3, 9, 3]])
def test_packed_states_and_gradients_are_those_of_each_sequence_alone(
    lengths: list[int], transformer: CausalTransformer
) -> None:
    first = torch.randn(len(lengths), DIM, requires_grad=True)
    items = torch.randn(sum(lengths), DIM, requires_grad=True)
    read = packed_states(transformer, first, items, np.array(lengths))
    alone = [
        transformer(token[None], sequence[None])[0] for token, sequence in zip(first, items.split(lengths), strict=True)
    ]
    torch.testing.assert_close(read, torch.cat(alone), atol=1e-5, rtol=1e-4)
    last = torch.stack([states[-1] for states in alone])
    torch.testing.assert_close(last_states(read, np.array(lengths)), last, atol=1e-5, rtol=1e-4)
    weights = torch.randn_like(read)
    parameters = (first, items, *transformer.parameters())
    packed = torch.autograd.grad((read * weights).sum(), parameters, allow_unused=True)
    separate = torch.autograd.grad((torch.cat(alone) * weights).sum(), parameters, allow_unused=True)
    for ours, theirs in zip(packed, separate, strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-3)
