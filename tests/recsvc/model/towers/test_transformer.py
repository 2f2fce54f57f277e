"""The transformer depends only on earlier positions; the serving form equals it at one position."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from recsvc.model.towers.branches import Branches
from recsvc.model.towers.inference_transformer import InferenceTransformer
from recsvc.model.towers.transformer import CausalTransformer, TransformerConfig, TransformerLayer


def transformer(**config: int) -> CausalTransformer:
    torch.manual_seed(0)
    model = CausalTransformer(TransformerConfig(16, **config)).eval()
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


def parts_without(n: int, *left_out: int) -> NDArray[np.bool_]:
    """Parts of n items: all of them, and those without each of some."""
    kept = np.ones((1 + len(left_out), n), np.bool_)
    kept[range(1, 1 + len(left_out)), left_out] = False
    return kept


@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize(
    ("kept", "first"),
    [
        (parts_without(6, 1, 4, 5), [0, 0, 0, 0]),
        (parts_without(9, 0, 3, 8), [0, 0, 0, 0]),
        (parts_without(6, 2), [0, 1]),
        (np.array([[True, True, False, True], [False, True, True, False], [False] * 4]), [1, 1, 0]),
        (np.zeros((2, 3), np.bool_), [0, 1]),
    ],
    ids=["one_item_left_out", "more_items_than_are_read", "two_first_tokens", "any_parts", "no_items"],
)
def test_states_of_branches_equal_the_transformer_on_each_part(
    kept: NDArray[np.bool_], first: list[int], layers: int
) -> None:
    model = transformer(layers=layers, max_length=7)
    firsts, items = torch.randn(2, 16), torch.randn(kept.shape[1], 16)
    expected = [
        model(firsts[[token]], items[np.flatnonzero(part)[-7:]][None])[0, -1]
        for token, part in zip(first, kept, strict=True)
    ]
    branches = Branches.of(kept, np.array(first), 7)
    tokens = torch.cat((firsts[: max(first) + 1], items[branches.items]))
    states = InferenceTransformer(model, start=firsts[0]).at_ends(tokens, branches)
    torch.testing.assert_close(states, torch.stack(expected))


def test_branches_read_only_what_follows_the_item_left_out() -> None:
    branches = Branches.of(parts_without(9, 7, 1), np.zeros(3, np.intp), 50)
    everything, one, other = [*range(10)], [9], [3, 4, 5, 6, 7, 8, 9]
    assert branches.tokens.tolist() == everything + one + other
