"""The fast form of BERT, and its linear layers, give what torch and transformers give."""

from typing import Any

import pytest
import torch
from transformers import BertConfig, BertModel, XLMRobertaConfig, XLMRobertaModel

from recsvc.model.text_encoders.inference_bert import InferenceBert
from recsvc.model.text_encoders.packed_linear import PackedLinear
from recsvc.model.text_encoders.sentence_transformer import SentenceTransformer

SIZES: dict[str, Any] = {
    "vocab_size": 100,
    "hidden_size": 32,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "max_position_embeddings": 40,
}


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("bias", [True, False])
def test_a_packed_layer_gives_what_the_layer_gives(dtype: torch.dtype, bias: bool) -> None:
    layer = torch.nn.Linear(384, 512, bias=bias, dtype=dtype)
    tokens = torch.randn(2, 7, 384, dtype=dtype)
    with torch.inference_mode():
        torch.testing.assert_close(PackedLinear.of(layer)(tokens), layer(tokens))
        activated = torch.nn.functional.gelu(layer(tokens).float()).to(dtype)
        torch.testing.assert_close(PackedLinear.of(layer).with_gelu(tokens), activated, atol=5e-3, rtol=2e-2)


def test_a_layer_without_the_processors_library_gives_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    layer, tokens = torch.nn.Linear(8, 5), torch.randn(3, 8)
    with torch.inference_mode():
        torch.testing.assert_close(PackedLinear.of(layer)(tokens), layer(tokens))
        torch.testing.assert_close(PackedLinear.of(layer).with_gelu(tokens), torch.nn.functional.gelu(layer(tokens)))


@torch.inference_mode()
def test_the_hidden_state_is_that_of_transformers_with_and_without_padding() -> None:
    torch.manual_seed(0)
    model = BertModel(BertConfig(**SIZES)).eval()
    for weights in model.parameters():  # as made, biases are 0 and norms 1: that would hide one left out
        weights.add_(0.1 * torch.randn_like(weights))
    assert InferenceBert.can_copy(model)
    ids, mask = torch.randint(0, 100, (3, 9)), torch.ones(3, 9, dtype=torch.long)
    for padding in (0, 4):
        mask[1, 9 - padding :] = 0
        expected = model(input_ids=ids, attention_mask=mask).last_hidden_state
        kept = mask.bool()
        torch.testing.assert_close(InferenceBert(model)(ids, mask)[kept], expected[kept], atol=1e-5, rtol=1e-4)


def test_other_architectures_and_variants_are_left_to_transformers() -> None:
    assert not InferenceBert.can_copy(BertModel(BertConfig(**SIZES, hidden_act="relu")))
    assert not InferenceBert.can_copy(BertModel(BertConfig(**SIZES, is_decoder=True)))
    other = XLMRobertaModel(XLMRobertaConfig(**SIZES)).eval()
    assert not InferenceBert.can_copy(other)

    def tokenizer(texts: list[str], **_options: object) -> dict[str, torch.Tensor]:
        ids = torch.tensor([[2, 5, 7]] * len(texts))
        return {"input_ids": ids, "attention_mask": torch.ones_like(ids)}

    [vector] = SentenceTransformer(other, tokenizer, "mean", "0" * 64).encode(["a text"])
    with torch.inference_mode():
        state = other(input_ids=torch.tensor([[2, 5, 7]])).last_hidden_state.mean(1)[0]
    torch.testing.assert_close(torch.from_numpy(vector), torch.nn.functional.normalize(state, dim=-1))
