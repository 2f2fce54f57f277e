"""The collaborative block: ALS item factors, and the user's factor computed from the history by folding in.

Hu, Koren, Volinsky, "Collaborative Filtering for Implicit Feedback Datasets" (2008), equation 4, with the item factors
fixed: x = (Y'Y + Y'(C - I)Y + lambda I)^-1 Y'C p. It is a closed form, so a purchase counts at once.
"""

import numpy as np
from numpy.typing import NDArray

from recsvc.domain.arrays import Floats


def fold_in(
    factors: Floats, gram: NDArray[np.float64], regularization: float, confidence: Floats
) -> NDArray[np.float64]:
    """The factor of a user with m items.

    Args:
        factors: Of these items, (m, f).
        gram: Y'Y over all items, (f, f).
        regularization: lambda.
        confidence: Of these items, (m,), above 0, added to the 1 of an unseen item.

    Returns:
        float64 (f,).
    """
    return fold_in_left_out(factors, gram, regularization, confidence, np.empty(0, np.intp))[0]


def fold_in_left_out(
    factors: Floats, gram: NDArray[np.float64], regularization: float, confidence: Floats, left_out: NDArray[np.intp]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The factor of a user, and the factors without single items.

    One solve computes all: leaving an item out is a rank-1 downdate of the normal equations (Sherman and Morrison,
    1950).

    Args:
        factors: As in `fold_in`.
        gram: As in `fold_in`.
        regularization: As in `fold_in`.
        confidence: As in `fold_in`.
        left_out: Indices into `factors`, (n,); each is left out alone.

    Returns:
        The factor, float64 (f,), and the factors without each item, float64 (n, f).
    """
    y = factors.astype(np.float64)
    c = confidence.astype(np.float64)
    a = gram + (y.T * c) @ y
    a[np.diag_indices_from(a)] += regularization
    b = y.T @ (1.0 + c)
    y_out, c_out = y[left_out], c[left_out]
    solved = np.linalg.solve(a, np.column_stack((b, y_out.T)))
    x, z = solved[:, 0], solved[:, 1:].T
    without_b = x - (1.0 + c_out)[:, None] * z
    shrink = c_out * np.einsum("nf,nf->n", y_out, without_b) / (1.0 - c_out * np.einsum("nf,nf->n", y_out, z))
    return np.asarray(x, np.float64), np.asarray(without_b + shrink[:, None] * z, np.float64)
