#!/usr/bin/env bash
# Expected: a bfloat16 `nn.Linear` on the processor needs the memory of its weights, its input and its result, whatever
#   numbers of rows it has seen before.
# Seen: for each number of rows oneDNN compiles kernels, and keeps them. torch 2.13.0 on a processor with AVX-512 BF16: a
#   layer of 384 x 1,536 (1.2 MB) grows by some 320 MB after inputs of 1 to 500 rows, and by 400 to 900 MB more after
#   501 to 1,500. The same numbers again add nothing. float32 adds almost nothing.
# Matters: a service that encodes texts of all lengths grows by hundreds of megabytes, which looks like a leak. Rounding
#   the number of rows up to a few steps keeps it small.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check torch==2.13.0 numpy==2.4.6
venv/bin/python -I - <<'PYTHON'
import sys
from pathlib import Path

import torch

torch.set_num_threads(1)


def anonymous_mb() -> float:
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("Anonymous:"))


def growth_mb(dtype: torch.dtype, rows: range) -> float:
    layer = torch.nn.Linear(384, 1536).to(dtype)
    with torch.inference_mode():
        for _ in range(2):
            layer(torch.zeros(2048, 384, dtype=dtype))
        before = anonymous_mb()
        for count in rows:
            layer(torch.zeros(count, 384, dtype=dtype))
        return anonymous_mb() - before


print("torch", torch.__version__, "processor:", torch.backends.cpu.get_cpu_capability())
if not torch.ops.mkldnn._is_mkldnn_bf16_supported():
    sys.exit("this needs a processor with bfloat16 instructions")
single = growth_mb(torch.float32, range(1, 501))
first = growth_mb(torch.bfloat16, range(1, 501))
again = growth_mb(torch.bfloat16, range(1, 501))
more = growth_mb(torch.bfloat16, range(501, 1501))
print(f"float32, 500 numbers of rows: +{single:.0f} MB")
print(f"bfloat16, 500 numbers of rows: +{first:.0f} MB; the same again: +{again:.0f} MB; 1,000 others: +{more:.0f} MB")
if not (single < 20 and first > 100 and again < 20 and more > 100):
    sys.exit("the behaviour is another one")
PYTHON
