"""The transformer sees the past alone, and computing one place of it is computing it whole."""

import torch

from recsvc.model.towers.inference_transformer import InferenceTransformer
from recsvc.model.towers.transformer import CausalTransformer, TransformerConfig


def transformer() -> CausalTransformer:
    torch.manual_seed(0)
    made = CausalTransformer(TransformerConfig(16)).eval()
    for layer in made.layers:
        torch.nn.init.normal_(layer.attention.distance_bias)
    return made


def test_the_future_is_not_seen() -> None:
    first, sequence = torch.randn(3, 16), torch.randn(3, 7, 16)
    changed = sequence.clone()
    changed[:, 4:] = 9.0
    before, after = transformer()(first, sequence), transformer()(first, changed)
    torch.testing.assert_close(before[:, :5], after[:, :5])
    assert (before[:, 5:] - after[:, 5:]).abs().max() > 1e-3


def test_one_place_is_what_it_is_in_the_whole() -> None:
    first, sequence, lengths = torch.randn(4, 16), torch.randn(4, 7, 16), torch.tensor([0, 1, 5, 7])
    whole = transformer()(first, sequence)[torch.arange(4), lengths]
    read = InferenceTransformer(transformer(), start=first[0])
    torch.testing.assert_close(read(sequence, lengths, first), whole)
    torch.testing.assert_close(read(sequence, lengths)[0], whole[0])
