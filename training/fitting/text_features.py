"""The frozen half of the text block: embeddings by the language model, the lexical encoder, and their whitening."""

import sqlite3
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import numpy as np
import polars as pl
from scipy.sparse import csr_matrix
from sklearn.utils.extmath import randomized_svd

from recsvc.domain.arrays import Floats
from recsvc.domain.shop import Item
from recsvc.model.lexical import LexicalEncoder, tokenize
from recsvc.model.text_encoder import TextEncoder, profile_text
from recsvc.model.towers.features import TextFeatures
from training.config import TrainConfig
from training.data.profiles import profiles_of

MAX_TERMS = 50_000


def items_of(frame: pl.DataFrame) -> list[Item]:
    """The items of a shop's table, in its order."""
    return [
        Item(
            row["item_id"],
            row["title"],
            row["brand"],
            tuple(part.strip() for part in row["categories"].split(">") if part.strip()),
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
    """What the towers read of each user's profile; a user without a word in it is left out."""
    return {user_id: profile_text(profile) for user_id, profile in profiles_of(users).items()}


def embed(
    encoder: TextEncoder, texts: Sequence[str], cache: Path, progress: Callable[[int], None] = lambda done: None
) -> Floats:
    """The language model's embeddings of `texts`, float32 (n, dim). A text seen before, in any run, is read from the
    cache (an SQLite file): it is kept by the hash of the weights and of the text.
    """
    keys = [sha256(f"{encoder.fingerprint}\0{text}".encode()).digest() for text in texts]
    cache.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(cache)) as connection, connection:
        connection.execute("create table if not exists embedding (key blob primary key, vector blob) without rowid")
        known: dict[bytes, bytes] = {}
        for key in set(keys):
            if row := connection.execute("select vector from embedding where key = ?", (key,)).fetchone():
                known[key] = row[0]
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
        progress(sum(key in known for key in keys))
        todo = list(missing.items())
        for start in range(0, len(todo), 1024):  # kept as it goes: a stopped run loses little
            part = todo[start : start + 1024]
            vectors = encoder.encode([text for _, text in part], progress=progress)
            rows = [(key, vector.tobytes()) for (key, _), vector in zip(part, vectors, strict=True)]
            connection.executemany("insert or replace into embedding values (?, ?)", rows)
            connection.commit()
            known.update(rows)
    return (
        np.stack([np.frombuffer(known[key], np.float32) for key in keys])
        if keys
        else np.zeros((0, encoder.dim), np.float32)
    )


def fit_lexical(texts: Sequence[str], dim: int, seed: int) -> LexicalEncoder:
    """TF-IDF over terms in at least two texts, reduced to at most `dim` by a truncated SVD."""
    documents = Counter(term for text in texts for term in set(tokenize(text)))
    terms = [term for term, n in documents.most_common(MAX_TERMS) if n >= 2]
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
    """The lexical encoder and the softened whitening of both embeddings side by side, fitted on the items' texts."""
    lexical = fit_lexical(texts, config.features_lexical_dim, config.seed)
    joined = np.concatenate((text_embeddings, lexical.encode(texts)), axis=1)
    mean = joined.mean(axis=0)
    dim = min(config.features, *joined.shape)
    _, singular, components = randomized_svd(joined - mean, dim, random_state=config.seed)
    # Directions that hold nothing would be blown up to the size of the others.
    kept = singular > 1e-4 * singular[0]
    projection = components[kept].T * singular[kept] ** (config.whitening_exponent - 1)
    return TextFeatures(lexical, mean.astype(np.float32), projection.astype(np.float32))
