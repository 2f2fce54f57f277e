"""The frozen half of the text block: embeddings by the language model, the lexical encoder, and their whitening."""

import json
import sqlite3
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.utils.extmath import randomized_svd

from recsvc.domain.arrays import Floats
from recsvc.domain.shop import Item, category_path
from recsvc.model.catalogue import Catalogue
from recsvc.model.lexical import LexicalEncoder, tokenize
from recsvc.model.text_encoder import TextEncoder, profile_text
from recsvc.model.towers.features import TextFeatures
from recsvc.model.towers.user import ProfileText
from training.config import TrainConfig
from training.data.profiles import profiles_of
from training.data.split import Profiles
from training.fitting.stage import Advance, Arrays, Stage, no_progress

MAX_TERMS = 50_000
MIN_TEXTS = 2  # a rarer term is no feature
EMBEDDED_AT_ONCE = 1_024  # texts, between two writes to the cache: a stopped run loses little
# Directions that hold a smaller share of the largest singular value are left out: whitening would blow them up to the
# size of the others.
MIN_SINGULAR_SHARE = 1e-4
# With a smaller largest singular value all texts are alike, or there is one text. Every text then has the zero vector.
MIN_SINGULAR = 1e-3


@dataclass(frozen=True, kw_only=True)
class ShopText:
    """The texts of a shop and what the language model made of them. Training changes nothing here.

    Attributes:
        catalogue: The items.
        features: Turns texts into features.
        item_features: float32 (n, f), of the items.
        item_codes: int8 (n, dim), see `recsvc.model.bundle.Bundle.text_codes`.
        category_codes: int8 (c, dim), of each category path, by the code of `catalogue.paths`.
        projection: See `recsvc.model.bundle.Bundle.text_projection`.
        encoder: The language model.
        encoder_name: Its name in `recsvc.model.text_encoders`, never "auto".
        profiles: Of the users who have one, by user_id.
    """

    catalogue: Catalogue
    features: TextFeatures
    item_features: Floats
    item_codes: NDArray[np.int8]
    category_codes: NDArray[np.int8]
    projection: Floats
    encoder: TextEncoder
    encoder_name: str
    profiles: dict[str, ProfileText]

    def of_users(self, user_ids: NDArray[np.object_]) -> Profiles:
        """The profiles of these users, in their order."""
        return Profiles([self.profiles.get(user_id) for user_id in user_ids])


def items_of(frame: pl.DataFrame) -> list[Item]:
    """The items of a shop's table, in its order."""
    return [
        Item(
            row["item_id"],
            row["title"],
            row["brand"],
            category_path(row["categories"]),
            row["price"],
            row["currency"],
            _attributes(row["attributes"]),
        )
        for row in frame.iter_rows(named=True)
    ]


def _attributes(pairs: str) -> tuple[tuple[str, str], ...]:
    split = (pair.partition("=") for pair in pairs.split("; ") if pair)
    return tuple((name, value) for name, _, value in split)


def profile_texts(users: pl.DataFrame) -> dict[str, str]:
    """The text of each user's profile that the towers read; users with an empty profile are left out."""
    return {user_id: profile_text(profile) for user_id, profile in profiles_of(users).items()}


def embed(encoder: TextEncoder, texts: Sequence[str], cache: Path, progress: Advance = no_progress) -> Floats:
    """The language model's embeddings of `texts`, float32 (n, dim).

    A text that any earlier run embedded is read from the cache, an SQLite file. The key is the hash of the model's
    weights and of the text.
    """
    keys = [sha256(f"{encoder.fingerprint}\0{text}".encode()).digest() for text in texts]
    cache.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(cache)) as connection, connection:
        connection.execute("create table if not exists embedding (key blob primary key, vector blob) without rowid")
        cached: dict[bytes, bytes] = {}
        for key in set(keys):
            if row := connection.execute("select vector from embedding where key = ?", (key,)).fetchone():
                cached[key] = row[0]
        missing = list({key: text for key, text in zip(keys, texts, strict=True) if key not in cached}.items())
        progress(sum(key in cached for key in keys))
        for start in range(0, len(missing), EMBEDDED_AT_ONCE):
            part = missing[start : start + EMBEDDED_AT_ONCE]
            vectors = encoder.encode([text for _, text in part], progress=progress)
            rows = [(key, vector.tobytes()) for (key, _), vector in zip(part, vectors, strict=True)]
            connection.executemany("insert or replace into embedding values (?, ?)", rows)
            connection.commit()
            cached.update(rows)
    if not keys:
        return np.zeros((0, encoder.dim), np.float32)
    return np.stack([np.frombuffer(cached[key], np.float32) for key in keys])


def fit_lexical(texts: Sequence[str], dim: int, seed: int) -> LexicalEncoder:
    """TF-IDF over terms of at least MIN_TEXTS texts, reduced to at most `dim` dimensions by a truncated SVD."""
    # In the order of the texts: the order of a set differs from one process to the next, and so would the vocabulary.
    documents = Counter(term for text in texts for term in dict.fromkeys(tokenize(text)))
    terms = [term for term, n in documents.most_common(MAX_TERMS) if n >= MIN_TEXTS]
    vocabulary = {term: column for column, term in enumerate(terms)}
    idf = np.array([np.log((1 + len(texts)) / (1 + documents[term])) + 1 for term in terms], np.float32)
    unreduced = LexicalEncoder(vocabulary, idf, np.empty((len(terms), 0), np.float32), np.empty(0, np.float32))
    matrix = tfidf(unreduced, texts)
    dim = min(dim, *(size - 1 for size in matrix.shape))
    if dim < 1:
        return LexicalEncoder(vocabulary, idf, np.zeros((len(terms), 1), np.float32), np.ones(1, np.float32))
    _, singular, components = randomized_svd(matrix, dim, random_state=seed)
    return LexicalEncoder(vocabulary, idf, np.ascontiguousarray(components.T, np.float32), singular.astype(np.float32))


def tfidf(lexical: LexicalEncoder, texts: Sequence[str]) -> csr_matrix:
    """float32 (n, terms): the TF-IDF weights of each text, L2-normalised."""
    rows = [lexical.weights(text) for text in texts]
    indptr = np.concatenate(([0], np.cumsum([len(columns) for columns, _ in rows])))
    columns = np.concatenate([columns for columns, _ in rows]) if rows else np.empty(0, np.intp)
    values = np.concatenate([values for _, values in rows]) if rows else np.empty(0, np.float32)
    return csr_matrix((values, columns, indptr), shape=(len(texts), len(lexical.vocabulary)))


def fit_features(text_embeddings: Floats, texts: Sequence[str], config: TrainConfig) -> TextFeatures:
    """Fits the lexical encoder, and the softened whitening of both embeddings side by side, on the items' texts."""
    lexical = fit_lexical(texts, config.features_lexical_dim, config.seed)
    joined = np.concatenate((text_embeddings, lexical.encode(texts)), axis=1)
    mean = joined.mean(axis=0)
    dim = min(config.features, *joined.shape)
    _, singular, components = randomized_svd(joined - mean, dim, random_state=config.seed)
    if singular[0] < MIN_SINGULAR:
        return TextFeatures(lexical, mean.astype(np.float32), np.zeros((len(mean), 1), np.float32))
    kept = singular > MIN_SINGULAR_SHARE * singular[0]
    projection = components[kept].T * singular[kept] ** (config.whitening_exponent - 1)
    return TextFeatures(lexical, mean.astype(np.float32), projection.astype(np.float32))


def compute_text_features(config: TrainConfig, embeddings: Floats, texts: Sequence[str]) -> Arrays:
    """Fits the features of a shop, as arrays that `features_from` reads.

    Args:
        config: The settings of `TEXT_FEATURES`.
        embeddings: float32 (n, dim), of the items' texts by the language model.
        texts: The n texts of the items.
    """
    features = fit_features(embeddings, texts, config)
    vocabulary = json.dumps(features.lexical.vocabulary).encode()
    return {
        "idf": features.lexical.idf,
        "components": features.lexical.components,
        "singular": features.lexical.singular,
        "mean": features.mean,
        "projection": features.projection,
        "vocabulary": np.frombuffer(vocabulary, np.uint8),
    }


def features_from(arrays: Arrays) -> TextFeatures:
    """The features that `compute_text_features` fitted."""
    vocabulary = json.loads(arrays["vocabulary"].tobytes())
    lexical = LexicalEncoder(vocabulary, arrays["idf"], arrays["components"], arrays["singular"])
    return TextFeatures(lexical, arrays["mean"], arrays["projection"])


TEXT_FEATURES = Stage(
    "text features", ("features_lexical_dim", "features", "whitening_exponent", "seed"), compute_text_features
)
