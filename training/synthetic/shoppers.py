"""The users of the shop: hidden tastes, favourite brands, price level and activity, and their profiles."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from training.synthetic.catalogue import Catalogue, numbered_ids
from training.synthetic.words import Vocabulary

PROFILE_SHARE = 0.8  # of the users have a profile
COLD_SHARE = 0.05  # of the users have no events
_BACKGROUND_SHARE = 0.12  # of a user's purchases follow no interest
_MISSING_ATTRIBUTE_SHARE = 0.1  # of the profiles lack an age or a city, as real ones do
_FOUNDER_SHARE = 0.4  # of the users were there when the shop opened
_TWO_PHRASES_SHARE = 0.6  # of the profiles with one interest tell it in two ways


@dataclass(frozen=True)
class Shoppers:
    """The users. The arrays have one entry a user, in the order of the frame.

    Attributes:
        frame: The users table, in contract columns; all attributes are null for a user without a profile.
        tastes: float64 (n_users, n_categories); rows sum to 1.
        favourite_brand: int64 (n_users, n_categories), positions among the brands of the category.
        price_level: float64, in standard deviations.
        n_orders: int64, the orders that a user would place over the whole period.
        joined: float64 in [0, 1), the share of the period before the user joined.
        cold: bool, True for a user with a profile and no events.
    """

    frame: pl.DataFrame
    tastes: NDArray[np.float64]
    favourite_brand: NDArray[np.int64]
    price_level: NDArray[np.float64]
    n_orders: NDArray[np.int64]
    joined: NDArray[np.float64]
    cold: NDArray[np.bool_]


def make_shoppers(vocabulary: Vocabulary, catalogue: Catalogue, n_users: int, rng: np.random.Generator) -> Shoppers:
    """Draws `n_users` users. Their interests are categories that the catalogue has."""
    n_categories = len(vocabulary.categories)
    stocked = np.bincount(catalogue.category, minlength=n_categories) > 0
    popularity = np.array([category.share for category in vocabulary.categories]) * stocked
    popularity *= rng.lognormal(0.0, 0.5, n_categories)
    popularity /= popularity.sum()

    interests, weights = _interests(vocabulary, popularity, n_users, rng)
    tastes = np.tile(_BACKGROUND_SHARE * popularity, (n_users, 1))
    np.add.at(tastes, (np.arange(n_users)[:, None], interests), (1 - _BACKGROUND_SHARE) * weights)

    cold = np.zeros(n_users, dtype=bool)
    cold[rng.permutation(n_users)[: max(1, round(COLD_SHARE * n_users))]] = True
    n_brands = np.array([len(category.brands) for category in vocabulary.categories])
    return Shoppers(
        frame=_profiles(vocabulary, interests, weights, cold, rng),
        tastes=tastes / tastes.sum(axis=1, keepdims=True),
        favourite_brand=rng.integers(0, n_brands, (n_users, n_categories)),
        price_level=rng.normal(0.0, 1.0, n_users),
        n_orders=np.clip(rng.lognormal(1.85, 0.85, n_users), 1, 60).astype(np.int64),
        joined=np.where(rng.random(n_users) < _FOUNDER_SHARE, 0.0, rng.random(n_users) * 0.97),
        cold=cold,
    )


def _interests(
    vocabulary: Vocabulary, popularity: NDArray[np.float64], n_users: int, rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Draws up to three categories for each user, strongest first.

    A further interest is in the department of the first one four times as often as by chance.

    Returns:
        The categories, (n_users, 3), and their weights: rows sum to 1, and the weight of an unused one is 0.
    """
    departments = np.unique([category.department for category in vocabulary.categories], return_inverse=True)[1]
    with np.errstate(divide="ignore"):
        keys = np.log(popularity) + rng.gumbel(size=(n_users, len(popularity)))
    first = keys.argmax(axis=1)
    keys += np.log(4.0) * (departments[None, :] == departments[first][:, None])
    keys[np.arange(n_users), first] = np.inf
    interests = np.argsort(-keys, axis=1, kind="stable")[:, :3]

    count = np.minimum(rng.choice([1, 2, 3], n_users, p=[0.35, 0.4, 0.25]), np.count_nonzero(popularity))
    weights = rng.gamma(4.0, size=(n_users, 3)) * (np.arange(3) < count[:, None])
    weights = -np.sort(-weights, axis=1)
    return interests, weights / weights.sum(axis=1, keepdims=True)


def _profiles(
    vocabulary: Vocabulary,
    interests: NDArray[np.int64],
    weights: NDArray[np.float64],
    cold: NDArray[np.bool_],
    rng: np.random.Generator,
) -> pl.DataFrame:
    n_users = len(interests)
    has_profile = cold | (rng.random(n_users) < PROFILE_SHARE)
    about = [
        _about(vocabulary, interests[user, weights[user] > 0], rng) if has_profile[user] else None
        for user in range(n_users)
    ]
    age = np.clip(rng.normal(41, 14, n_users), 18, 84).astype(np.int64)
    city = np.array(vocabulary.cities)[rng.integers(0, len(vocabulary.cities), n_users)]
    has_age, has_city = has_profile & (rng.random((2, n_users)) >= _MISSING_ATTRIBUTE_SHARE)
    return pl.DataFrame(
        {"user_id": numbered_ids("u", n_users), "about": pl.Series(about, dtype=pl.String), "age": age, "city": city}
    ).with_columns(
        age=pl.when(pl.Series(has_age)).then(pl.col("age")),
        city=pl.when(pl.Series(has_city)).then(pl.col("city")),
    )


def _about(vocabulary: Vocabulary, interests: NDArray[np.int64], rng: np.random.Generator) -> str:
    """One or two sentences about the interests. A single interest is sometimes told in two ways."""
    phrases = [str(rng.choice(vocabulary.categories[c].about)) for c in interests]
    if len(interests) == 1 and rng.random() < _TWO_PHRASES_SHARE:
        phrases = [str(phrase) for phrase in rng.permutation(vocabulary.categories[interests[0]].about)[:2]]
    forms = [vocabulary.about[len(phrases) - 1]]
    if len(phrases) == 2:  # noqa: PLR2004 - the forms of a pair
        forms += vocabulary.about_more
    a, b, c = (*phrases, "", "")[:3]
    return forms[rng.integers(len(forms))].format(A=a[0].upper() + a[1:], b=b, c=c)
