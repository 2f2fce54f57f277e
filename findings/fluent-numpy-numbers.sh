#!/usr/bin/env bash
# Expected: fluent.runtime formats a NumPy number like a Python number, or raises.
# Seen: np.int64(3) gives "bought count times": the variable's name stands in place of the number. np.int64(1) gets the
#   wrong plural. The errors are in a list beside the text. np.float64 works, as a subclass of float. fluent.runtime
#   0.4.0.
# Matters: counts and prices in a reason come from arrays. Convert them with int() or .item(), and do not show a text
#   that has errors.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check fluent.runtime==0.4.0 numpy==2.4.6
venv/bin/python -I - <<'PYTHON'
import sys
from importlib.metadata import version

import numpy as np
from fluent.runtime import FluentBundle, FluentResource

bundle = FluentBundle(["en"], use_isolating=False)
bundle.add_resource(FluentResource("""
bought = { $count ->
    [one] bought once
   *[other] bought { $count } times
 }
"""))
pattern = bundle.get_message("bought").value
expected = [
    (1, "bought once", 0),
    (3, "bought 3 times", 0),
    (np.int64(1), "bought count times", 2),
    (np.int64(3), "bought count times", 2),
    (np.float32(3), "bought count times", 2),
    (np.float64(1), "bought once", 0),
]
print(f"fluent.runtime {version('fluent.runtime')}, numpy {np.__version__}")
for count, text, problems in expected:
    seen, errors = bundle.format_pattern(pattern, {"count": count})
    print(f"  {count!r}: {seen!r}, errors {[str(error) for error in errors]}")
    if (seen, len(errors)) != (text, problems):
        sys.exit(f"another behaviour: expected {text!r} with {problems} errors")
PYTHON
