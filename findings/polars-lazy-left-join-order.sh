#!/usr/bin/env bash
# Expected: a left join keeps the order of the left table, lazy or not.
# Seen: the eager join keeps it. The same join of two lazy frames, collected by the default (streaming) engine, does
#   not, even with 100 rows. `maintain_order="left"` keeps it. polars 2.1.0.
# Matters: item features are joined and then stand beside an array of item vectors by position. Each price then belongs
#   to another item, and nothing fails.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check polars==2.1.0 numpy==2.4.6
venv/bin/python -I - <<'PYTHON'
import sys

import numpy as np
import polars as pl

print(f"polars {pl.__version__}")
prices = pl.DataFrame({"item": np.arange(5_000), "price": np.arange(5_000) / 100})
for rows in (100, 300_000):
    items = np.random.default_rng(0).integers(0, 5_000, rows)
    events = pl.DataFrame({"item": items, "row": np.arange(rows)})
    lazy = events.lazy().join(prices.lazy(), on="item", how="left")
    kept = events.lazy().join(prices.lazy(), on="item", how="left", maintain_order="left")
    seen = {
        "eager": events.join(prices, on="item", how="left"),
        "lazy": lazy.collect(),
        'lazy, maintain_order="left"': kept.collect(),
    }
    in_place = {name: float((frame["row"].to_numpy() == np.arange(rows)).mean()) for name, frame in seen.items()}
    print(f"  {rows} rows, share that stands where it stood: {in_place}")
    if [share == 1 for share in in_place.values()] != [True, False, True] or in_place["lazy"] > 0.5:
        sys.exit("another behaviour: expected that the lazy join alone changes the order")
PYTHON
