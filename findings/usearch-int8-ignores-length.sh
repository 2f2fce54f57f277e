#!/usr/bin/env bash
# Expected: an 8-bit index with the metric "ip" finds nearly the same neighbours as an exact inner product.
# Seen: usearch scales every vector to length 1 for int8, so the order is that of the cosine. A search with exact=True
#   has a tenth of the true top 10, and nine tenths of the cosine's. f32 and bf16 are right. usearch 2.26.6.
# Matters: in matrix factorisation and two-tower models the length of an item's vector carries its popularity. Compare
#   an index with an exact product before use.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check usearch==2.26.6 numpy==2.4.6
venv/bin/python -I - <<'PYTHON'
import sys
from importlib.metadata import version

import numpy as np
from usearch.index import Index

generator = np.random.default_rng(0)
directions = generator.normal(size=(5_000, 64)).astype(np.float32)
directions /= np.linalg.norm(directions, axis=1, keepdims=True)
items = directions * generator.lognormal(0, 0.5, size=(5_000, 1)).astype(np.float32)
users = generator.normal(size=(100, 64)).astype(np.float32)


def overlap(found, scores):
    best = np.argsort(-scores, axis=1)[:, :10]
    return float(np.mean([len(set(a) & set(b)) / 10 for a, b in zip(found.tolist(), best.tolist())]))


print(f"usearch {version('usearch')}: share of the top 10 that a search with exact=True finds")
for dtype in ("f32", "bf16", "i8"):
    index = Index(ndim=64, metric="ip", dtype=dtype)
    index.add(np.arange(5_000), items)
    found = index.search(users, 10, exact=True).keys
    product, cosine = overlap(found, users @ items.T), overlap(found, users @ directions.T)
    print(f"  {dtype}: inner product {product:.2f}, cosine {cosine:.2f}")
    right = product < 0.3 and cosine > 0.8 if dtype == "i8" else product > 0.95 and cosine < 0.3
    if not right:
        sys.exit("another behaviour")
PYTHON
