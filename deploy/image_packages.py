"""Writes the lists of packages that the images install, from pyproject.toml and constraints.txt.

An image installs its packages from these lists alone. So a change of anything else in pyproject.toml installs none of
them again.
"""

import re
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

_SERVING_EXTRAS = ("jwt", "tracing")  # what an operator turns on by a setting must be in the image
_TRAINING_EXTRAS = ("train", "tracking", "tune")
# The storefront calls the service as any client does: of the service's own packages it needs these.
_CLIENT = re.compile(r"(?:grpcio|protobuf)\b(?!-)")
_TORCH = re.compile(r"torch==")


def main(arguments: Sequence[str] | None = None) -> int:
    """Writes serving.txt, storefront.txt, training.txt and torch.txt into the current folder."""
    [folder] = map(Path, arguments or sys.argv[1:])
    project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    pins = (folder / "constraints.txt").read_text(encoding="utf-8").splitlines()
    serving, extras = project["dependencies"], project["optional-dependencies"]
    for name, lines in {
        "serving": [*serving, *_of(extras, _SERVING_EXTRAS)],
        "storefront": [*filter(_CLIENT.match, serving), *extras["storefront"]],
        "training": _of(extras, _TRAINING_EXTRAS),
        "torch": list(filter(_TORCH.match, pins)),
    }.items():
        Path(f"{name}.txt").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return 0


def _of(extras: dict[str, list[str]], names: Sequence[str]) -> list[str]:
    return [line for name in names for line in extras.get(name, ())]


if __name__ == "__main__":
    sys.exit(main())
