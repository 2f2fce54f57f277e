#!/usr/bin/env bash
# Expected: every word of an index's vocabulary has a row in its sparse matrix of scores.
# Seen: with token lists as input, the vocabulary gets one more word, "", whose id is one past the last row.
#   bm25s 0.3.16: indptr[id + 1] raises IndexError for it, although no text has that word.
# Matters: a search that reads the postings of a word from vocab_dict and scores (to weight words itself, or to add
#   texts later) must leave that word out.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check bm25s==0.3.16 numpy==2.4.6
venv/bin/python -I - <<'PYTHON'
import sys
from importlib.metadata import version

import bm25s

index = bm25s.BM25()
index.index([["walking", "boots"], ["dog", "bed"]], show_progress=False)
rows = len(index.scores["indptr"]) - 1
print(f"bm25s {version('bm25s')}: {rows} rows of scores, vocabulary {index.vocab_dict}")
extra = [word for word, number in index.vocab_dict.items() if number >= rows]
if extra != [""]:
    sys.exit(f"another behaviour: words without a row are {extra}")
PYTHON
