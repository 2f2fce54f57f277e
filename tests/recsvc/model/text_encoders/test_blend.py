"""A blend of text encoders compares texts by the weighted mean of its parts' cosines."""

import numpy as np

from recsvc.model import text_encoders
from recsvc.model.text_encoders.blend import BlendedEncoder

TEXTS = ["running shoes", "trainers for jogging", "electric kettle"]


def test_cosines_are_the_weighted_mean_of_the_cosines_of_the_parts() -> None:
    one, other = text_encoders.load("embedded"), text_encoders.load("multilingual")
    blended = BlendedEncoder((one, other), (3.0, 1.0)).encode(TEXTS)
    parts = [vectors @ vectors.T for vectors in (one.encode(TEXTS), other.encode(TEXTS))]
    np.testing.assert_allclose(blended @ blended.T, 0.75 * parts[0] + 0.25 * parts[1], atol=0.02)


def test_other_weights_have_another_fingerprint_and_their_scale_does_not_matter_to_vectors() -> None:
    parts = (text_encoders.load("embedded"), text_encoders.load("multilingual"))
    by_two, by_four, swapped = (BlendedEncoder(parts, weights) for weights in ((2.0, 1.0), (4.0, 2.0), (1.0, 2.0)))
    assert len({by_two.fingerprint, swapped.fingerprint}) == 2
    np.testing.assert_array_equal(by_two.encode(TEXTS), by_four.encode(TEXTS))


def test_a_search_in_other_words_is_nearer_to_its_answer_by_the_english_encoder() -> None:
    encoder = text_encoders.load("english")
    query, answer, *others = encoder.encode(
        ["somewhere for the puppy to sleep", "Orthopaedic Dog Bed", "Double Hammock, Rainbow", "Squeaky Bone"]
    )
    assert query @ answer > max(query @ other for other in others)
