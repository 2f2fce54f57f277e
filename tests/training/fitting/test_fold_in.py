"""The fold-in agrees with implicit's, and left-out factors with the fold-in of the shorter history."""

import numpy as np
from implicit.cpu.als import AlternatingLeastSquares
from scipy.sparse import csr_matrix
from threadpoolctl import threadpool_limits

from recsvc.model.towers.collaborative import fold_in, fold_in_left_out


def test_fold_in_agrees_with_implicit() -> None:
    rng = np.random.default_rng(0)
    confidence = rng.gamma(2.0, 10.0, (60, 40)) * (rng.random((60, 40)) < 0.2)
    user_items = csr_matrix(confidence.astype(np.float32))
    user_items.data += 1  # implicit's confidence includes the 1 of an unseen item, ours does not
    with threadpool_limits(1, "blas"):
        model = AlternatingLeastSquares(factors=16, regularization=0.7, alpha=1.0, iterations=5, random_state=0)
        model.fit(user_items, show_progress=False)
        theirs = np.stack([model.recalculate_user(user, user_items[user]) for user in range(60)])
    factors = np.array(model.item_factors)
    gram = factors.astype(np.float64).T @ factors
    ours = []
    for user in range(60):
        row = user_items[user]
        ours.append(fold_in(factors[row.indices], gram, 0.7, row.data - 1))
    np.testing.assert_allclose(np.stack(ours), theirs.reshape(60, 16), atol=2e-4)


def test_left_out_factor_equals_the_fold_in_of_the_other_items() -> None:
    rng = np.random.default_rng(1)
    factors = rng.standard_normal((200, 12)).astype(np.float32)
    gram = factors.astype(np.float64).T @ factors
    rows, confidence = rng.choice(200, 9, replace=False), rng.gamma(2.0, 10.0, 9).astype(np.float32)
    full, without = fold_in_left_out(factors[rows], gram, 0.3, confidence, np.arange(9))
    np.testing.assert_allclose(full, fold_in(factors[rows], gram, 0.3, confidence))
    for i in range(9):
        rest = np.delete(np.arange(9), i)
        np.testing.assert_allclose(without[i], fold_in(factors[rows[rest]], gram, 0.3, confidence[rest]), atol=1e-9)


def test_only_item_left_out_gives_zero() -> None:
    factors = np.eye(3, dtype=np.float32)
    _, without = fold_in_left_out(factors[:1], factors.astype(np.float64), 0.1, np.ones(1, np.float32), np.array([0]))
    np.testing.assert_allclose(without, np.zeros((1, 3)), atol=1e-12)
