"""What is computed once of each item of a bundle."""

import numpy as np

from recsvc.domain.shop import Item
from recsvc.explain.bundle_facts import MAX_CATEGORY_ITEMS, category_codes, cosines
from recsvc.model.catalogue import Catalogue
from recsvc.model.code_sums import CodeSums
from recsvc.model.vectors import encode_8_bits, unit


def codes_of(catalogue: Catalogue) -> tuple[np.ndarray, np.ndarray]:
    rows = np.arange(len(catalogue), dtype=np.int32)
    leaves, parents = category_codes(CodeSums.of(catalogue, np.zeros(len(catalogue), np.int32)))
    return leaves[rows], parents[rows]


def test_codes_of_leaf_and_parent_leave_out_departments_and_missing_paths() -> None:
    paths = [("A", "B", "C"), ("A", "B", "D"), ("A", "E"), ("A", "F"), (), ("A", "B", "C")]
    leaves, parents = codes_of(Catalogue([Item(str(i), "", categories=path) for i, path in enumerate(paths)]))
    assert (leaves[0] == leaves[5], len(set(leaves.tolist())), leaves[4]) == (True, 5, -1)
    assert parents.tolist() == [parents[0], parents[0], -1, -1, -1, parents[0]]
    assert parents[0] >= 0


def test_category_of_too_many_items_has_no_code() -> None:
    few, many = [("A", "B", "C")] * MAX_CATEGORY_ITEMS, [("A", "D", "E")] * (MAX_CATEGORY_ITEMS + 1)
    for codes in codes_of(Catalogue([Item(str(i), "", categories=p) for i, p in enumerate(few + many)])):
        assert ((codes >= 0) == (np.arange(len(codes)) < MAX_CATEGORY_ITEMS)).all()


def test_items_without_any_category_have_no_code() -> None:
    for codes in codes_of(Catalogue([Item("a", ""), Item("b", "")])):
        assert codes.tolist() == [-1, -1]


def test_cosines_of_codes_are_close_to_those_of_the_vectors() -> None:
    vectors = unit(np.random.default_rng(1).standard_normal((30, 384)))
    vectors[7] = 0
    codes = encode_8_bits(vectors)
    np.testing.assert_allclose(cosines(codes[:5], codes), vectors[:5] @ vectors.T, atol=0.02)
    assert not cosines(codes[7:8], codes).any()
    assert cosines(codes[:, :0], codes[:, :0]).shape == (30, 30)
