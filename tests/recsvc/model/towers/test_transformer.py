"""The transformer depends only on earlier positions; the serving form equals it at one position."""

import torch

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
