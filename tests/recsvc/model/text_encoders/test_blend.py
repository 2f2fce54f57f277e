"""A blend of text encoders compares texts by the mean of its parts' cosines."""

import numpy as np

from recsvc.model import text_encoders
from recsvc.model.text_encoders.blend import BlendedEncoder

TEXTS = ["running shoes", "trainers for jogging", "electric kettle"]


def test_cosines_are_the_mean_of_the_cosines_of_the_parts() -> None:
    one, other = text_encoders.load("embedded"), text_encoders.load("multilingual")
    blended = BlendedEncoder((one, other)).encode(TEXTS)
    parts = [vectors @ vectors.T for vectors in (one.encode(TEXTS), other.encode(TEXTS))]
    np.testing.assert_allclose(blended @ blended.T, 0.5 * parts[0] + 0.5 * parts[1], atol=0.02)


def test_other_parts_have_another_fingerprint() -> None:
    one, other = text_encoders.load("embedded"), text_encoders.load("multilingual")
    blends = [BlendedEncoder(parts) for parts in ((one, other), (other, one), (one,))]
    assert len({one.fingerprint, other.fingerprint, *(blend.fingerprint for blend in blends)}) == 5


def test_a_search_in_other_words_is_nearer_to_its_answer_by_the_english_encoder() -> None:
    encoder = text_encoders.load("english")
    query, answer, *others = encoder.encode(
        ["somewhere for the puppy to sleep", "Orthopaedic Dog Bed", "Double Hammock, Rainbow", "Squeaky Bone"]
    )
    assert query @ answer > max(query @ other for other in others)
