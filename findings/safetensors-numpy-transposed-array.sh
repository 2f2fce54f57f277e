#!/usr/bin/env bash
# Expected: `safetensors.numpy.save` writes an array so that `load` gives the same array back.
# Seen: a view (transposed, or every second column) comes back with the right shape and other numbers, without an error
#   or a warning. The docstring asks for contiguous arrays, but nothing checks it. safetensors 0.8.0; 0.7.0 was correct.
# Matters: item vectors are often a transposed result (`components_.T` of an SVD). After an update of this one package
#   every vector is wrong, and the lists look normal. Call `numpy.ascontiguousarray` before saving.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
"${PYTHON:-python3}" -m venv venv

check() { # the version, and whether each of the two views comes back as it was
  venv/bin/pip install --quiet --disable-pip-version-check "safetensors==$1" numpy==2.4.6
  venv/bin/python -I - "$2" <<'PYTHON'
import sys

import numpy as np
import safetensors
from safetensors.numpy import load, save

array = np.arange(6, dtype=np.float32).reshape(2, 3)
views = {"transposed": array.T, "every second column": array[:, ::2]}
print(f"safetensors {safetensors.__version__}, numpy {np.__version__}")
for name, view in views.items():
    loaded = load(save({"vectors": view}))["vectors"]
    print(f"  {name}: saved {view.tolist()}, loaded {loaded.tolist()}")
    if loaded.shape != view.shape or loaded.dtype != view.dtype:
        sys.exit("another behaviour: shape or dtype differ")
    if str(np.array_equal(loaded, view)) != sys.argv[1]:
        sys.exit(f"another behaviour: expected that 'comes back equal' is {sys.argv[1]}")
if not np.array_equal(load(save({"vectors": array}))["vectors"], array):
    sys.exit("another behaviour: a contiguous array comes back different")
PYTHON
}

check 0.7.0 True
check 0.8.0 False
