"""The lexical embedding: TF-IDF reduced by LSA (Deerwester et al., 1990).

It complements the embedding of the language model: it reads any language, and exact words (a brand, a model number)
matter in a shop.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recsvc.model.vectors import unit

# A word of an alphabetic script, or a run of Chinese, Japanese or Korean characters (written without spaces).
_TOKEN = re.compile(r"[぀-ヿ㐀-鿿가-힯]+|[^\W_]+")
_CJK_FIRST = "぀"


def tokenize(text: str) -> list[str]:
    """Splits a text into lower-case words of two or more characters; CJK runs become overlapping pairs."""
    tokens: list[str] = []
    for token in _TOKEN.findall(unicodedata.normalize("NFKC", text).lower()):
        if token[0] >= _CJK_FIRST:
            tokens.extend(token[i : i + 2] for i in range(max(1, len(token) - 1)))
        elif len(token) > 1:
            tokens.append(token)
    return tokens


@dataclass(frozen=True)
class LexicalEncoder:
    """Encodes texts as L2-normalised vectors. A text without a known term is the zero vector.

    Attributes:
        vocabulary: Columns by term.
        idf: Inverse document frequencies, float32 (terms,).
        components: From terms to dimensions, float32 (terms, dim).
        singular: Singular values of the dimensions, float32 (dim,), largest first.
    """

    vocabulary: dict[str, int]
    idf: NDArray[np.float32]
    components: NDArray[np.float32]
    singular: NDArray[np.float32]

    def weights(self, text: str) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
        """The columns of a text's known terms, and their TF-IDF weights, (1 + log tf) * idf, L2-normalised."""
        counts = self._counts(text)
        columns = np.fromiter(counts.keys(), np.intp, len(counts))
        values = (1 + np.log(np.fromiter(counts.values(), np.float32, len(counts)))) * self.idf[columns]
        return columns, (values / max(float(np.linalg.norm(values)), 1e-12)).astype(np.float32)

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """The vectors of n texts, float32 (n, dim)."""
        embeddings = np.zeros((len(texts), self.components.shape[1]), np.float32)
        for i, text in enumerate(texts):
            # The length of the weights does not matter: the vector is normalised.
            if counts := self._counts(text):
                columns = list(counts)
                values = self.idf[columns]
                if len(columns) < sum(counts.values()):
                    values *= 1 + np.log(np.fromiter(counts.values(), np.float32, len(columns)))
                vector = values @ self.components[columns]
                embeddings[i] = vector / max(float(np.linalg.norm(vector)), 1e-12)
        return embeddings

    def whitened(self, vectors: NDArray[np.float32], dim: int) -> NDArray[np.float32]:
        """The first `dim` dimensions with equal weights, L2-normalised, float32 (n, dim).

        So a dimension that distinguishes few items counts as much as one that most items share.

        Args:
            vectors: From `encode`, float32 (n, at least dim).
            dim: How many dimensions; 0 for none.
        """
        return unit(vectors[:, :dim] / np.maximum(self.singular[:dim], 1e-6))

    def _counts(self, text: str) -> dict[int, int]:
        """How often a text has each known term, by column."""
        column_of = self.vocabulary
        counts: dict[int, int] = {}
        for token in tokenize(text):
            if (column := column_of.get(token)) is not None:
                counts[column] = counts.get(column, 0) + 1
        return counts
