"""Who shops? Latent tastes, favourite brands, price level and activity; and what each tells about themselves."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from training.synthetic.catalogue import Catalogue, numbered_ids
from training.synthetic.words import Vocabulary

PROFILE_SHARE = 0.8
COLD_SHARE = 0.05
_BACKGROUND = 0.12  # of everybody's purchases follow no interest
_MISSING_ATTRIBUTE = 0.1  # of the profiles lack an age or a city, as real ones do


@dataclass(frozen=True)
class Shoppers:
    """frame: the users in contract columns, null in all attributes where there is no profile. One entry a user below.

    tastes: float64 (n_users, n_categories), rows sum to 1.
    favourite_brand: int64 (n_users, n_categories), position among the category's brands.
    price_level: float64, in standard deviations. n_orders: int64, wanted over the whole period.
    joined: float64 in [0, 1), the share of the period that passed before.
    cold: bool, a profile and no events.
    """

    frame: pl.DataFrame
    tastes: NDArray[np.float64]
    favourite_brand: NDArray[np.int64]
    price_level: NDArray[np.float64]
    n_orders: NDArray[np.int64]
    joined: NDArray[np.float64]
    cold: NDArray[np.bool_]


def make_shoppers(vocabulary: Vocabulary, catalogue: Catalogue, n_users: int, rng: np.random.Generator) -> Shoppers:
    """`n_users` users whose interests are categories that the catalogue has."""
    n_categories = len(vocabulary.categories)
    stocked = np.bincount(catalogue.category, minlength=n_categories) > 0
    popularity = np.array([category.share for category in vocabulary.categories]) * stocked
    popularity *= rng.lognormal(0.0, 0.5, n_categories)
    popularity /= popularity.sum()

    interests, weights = _interests(vocabulary, popularity, n_users, rng)
    tastes = np.tile(_BACKGROUND * popularity, (n_users, 1))
    np.add.at(tastes, (np.arange(n_users)[:, None], interests), (1 - _BACKGROUND) * weights)

    cold = np.zeros(n_users, dtype=bool)
    cold[rng.permutation(n_users)[: max(1, round(COLD_SHARE * n_users))]] = True
    n_brands = np.array([len(category.brands) for category in vocabulary.categories])
    return Shoppers(
        frame=_profiles(vocabulary, interests, weights, cold, rng),
        tastes=tastes / tastes.sum(axis=1, keepdims=True),
        favourite_brand=rng.integers(0, n_brands, (n_users, n_categories)),
        price_level=rng.normal(0.0, 1.0, n_users),
        n_orders=np.clip(rng.lognormal(1.85, 0.85, n_users), 1, 60).astype(np.int64),
        joined=np.where(rng.random(n_users) < 0.4, 0.0, rng.random(n_users) * 0.97),
        cold=cold,
    )


def _interests(
    vocabulary: Vocabulary, popularity: NDArray[np.float64], n_users: int, rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Up to three categories a user, strongest first, (n_users, 3), and their weights: rows sum to 1, unused are 0.

    A further interest lies in the department of the first four times as often as chance would have it.
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
    told = cold | (rng.random(n_users) < PROFILE_SHARE)
    about = [
        _about(vocabulary, interests[user, weights[user] > 0], rng) if told[user] else None for user in range(n_users)
    ]
    age = np.clip(rng.normal(41, 14, n_users), 18, 84).astype(np.int64)
    city = np.array(vocabulary.cities)[rng.integers(0, len(vocabulary.cities), n_users)]
    has_age, has_city = told & (rng.random((2, n_users)) >= _MISSING_ATTRIBUTE)
    return pl.DataFrame(
        {"user_id": numbered_ids("u", n_users), "about": pl.Series(about, dtype=pl.String), "age": age, "city": city}
    ).with_columns(
        age=pl.when(pl.Series(has_age)).then(pl.col("age")),
        city=pl.when(pl.Series(has_city)).then(pl.col("city")),
    )


def _about(vocabulary: Vocabulary, interests: NDArray[np.int64], rng: np.random.Generator) -> str:
    """A sentence or two about the interests; a lone interest is sometimes told twice, in other words."""
    phrases = [str(rng.choice(vocabulary.categories[c].about)) for c in interests]
    if len(interests) == 1 and rng.random() < 0.6:
        phrases = [str(phrase) for phrase in rng.permutation(vocabulary.categories[interests[0]].about)[:2]]
    forms = [vocabulary.about[len(phrases) - 1]]
    if len(phrases) == 2:
        forms += vocabulary.about_more
    a, b, c = (*phrases, "", "")[:3]
    return forms[rng.integers(len(forms))].format(A=a[0].upper() + a[1:], b=b, c=c)
