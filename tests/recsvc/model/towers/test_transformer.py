"""The transformer depends only on earlier positions; the serving form equals it at one position."""

import numpy as np
import pytest
import torch

from recsvc.model.towers.branches import Branches
from recsvc.model.towers.inference_transformer import InferenceTransformer
from recsvc.model.towers.transformer import CausalTransformer, TransformerConfig, TransformerLayer


def transformer() -> CausalTransformer:
    torch.manual_seed(0)
    model = CausalTransformer(TransformerConfig(16)).eval()
    for layer in model.layers:
        assert isinstance(layer, TransformerLayer)
        torch.nn.init.normal_(layer.attention.distance_bias)
    return model


def test_state_does_not_depend_on_later_items() -> None:
    first, sequence = torch.randn(3, 16), torch.randn(3, 7, 16)
    changed = sequence.clone()
    changed[:, 4:] = 9.0
    before, after = transformer()(first, sequence), transformer()(first, changed)
    torch.testing.assert_close(before[:, :5], after[:, :5])
    assert (before[:, 5:] - after[:, 5:]).abs().max() > 1e-3


def test_inference_transformer_equals_the_transformer_at_the_last_position() -> None:
    first, sequence, lengths = torch.randn(4, 16), torch.randn(4, 7, 16), torch.tensor([0, 1, 5, 7])
    expected = transformer()(first, sequence)[torch.arange(4), lengths]
    inference = InferenceTransformer(transformer(), start=first[0])
    torch.testing.assert_close(inference(sequence, lengths, first), expected)
    torch.testing.assert_close(inference(sequence, lengths)[0], expected[0])


@pytest.mark.parametrize(
    ("trunk", "sequences"),
    [
        ([0, 1, 2, 3, 4, 5], [[0, 1, 2, 3, 4, 5], [0, 1, 3, 4, 5], [0, 1, 2, 3, 4], [0, 2, 3, 4, 5]]),
        ([0, 1, 2], [[6, 1, 2], [0], [0, 1, 2, 7, 7, 3]]),
        ([0], [[0], [5]]),
    ],
    ids=["one_item_left_out", "another_beginning_or_end", "one_token"],
)
def test_states_after_branches_equal_the_transformer(trunk: list[int], sequences: list[list[int]]) -> None:
    model, tokens = transformer(), torch.randn(8, 16)
    expected = [model(tokens[sequence[:1]], tokens[sequence[1:]][None])[0, -1] for sequence in sequences]
    branches = Branches.of(np.array(trunk), [np.array(sequence) for sequence in sequences])
    states = InferenceTransformer(model, start=tokens[0]).at_ends(tokens[branches.packed], branches)
    torch.testing.assert_close(states, torch.stack(expected))


def test_branches_read_only_what_follows_the_item_left_out() -> None:
    trunk = np.arange(10)
    branches = Branches.of(trunk, [trunk, np.delete(trunk, 8), np.delete(trunk, 2)])
    assert branches.packed[10:].tolist() == [9, 9, 3, 4, 5, 6, 7, 8, 9]
    assert branches.saved == (8 + 7 + 1) - 10
