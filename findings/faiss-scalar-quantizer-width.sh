#!/usr/bin/env bash
# Expected: vectors of 124 numbers are searched a little faster than vectors of 128.
# Seen: about ten times slower. The fast code of the scalar quantisers needs a width that is a multiple of 8; other
#   widths use a slow loop, without a warning. faiss-cpu 1.15.1, 8 and 16 bit, one thread, x86-64 with AVX-512.
# Matters: a vector made of blocks and a few single columns (251 numbers) has such a width. Add zeros up to the next
#   multiple of 8: they change no inner product.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check faiss-cpu==1.15.1 numpy==2.4.6
venv/bin/python -I - <<'PYTHON'
import sys
import time

import faiss
import numpy as np

faiss.omp_set_num_threads(1)
items = np.random.default_rng(0).normal(size=(50_000, 128)).astype(np.float32)


def milliseconds(kind, width):
    """A search for one vector, the best of 5 tries with 10 vectors."""
    vectors = np.ascontiguousarray(items[:, :width])
    index = faiss.IndexScalarQuantizer(width, kind, faiss.METRIC_INNER_PRODUCT)
    index.train(vectors)
    index.add(vectors)
    tries = []
    for _ in range(5):
        start = time.perf_counter()
        index.search(vectors[:10], 10)
        tries.append(time.perf_counter() - start)
    return min(tries) * 100


print(f"faiss {faiss.__version__}, 50,000 vectors, {faiss.get_compile_options().strip()}")
for name in ("QT_8bit", "QT_fp16"):
    kind = getattr(faiss.ScalarQuantizer, name)
    times = {width: milliseconds(kind, width) for width in (120, 124, 127, 128)}
    print(f"  {name}: " + ", ".join(f"{width} numbers {ms:.2f} ms" for width, ms in times.items()))
    if min(times[124], times[127]) < 3 * max(times[120], times[128]):
        sys.exit("another behaviour: expected that 124 and 127 numbers take at least 3 times as long")
PYTHON
