"""Finds the weights that an installed package carries, and checks that they are the published ones."""

import importlib.util
from pathlib import Path

from recsvc.errors import TextEncoderError
from recsvc.model.file_hashes import sha256_of


def weights_of_package(package: str, file: str, sha256: str, *, encoder: str, install: str) -> Path:
    """Finds a file of a package without importing the package.

    Args:
        package: Name to import the package by.
        file: Path of the weights in the package.
        sha256: Of the published weights.
        encoder: Name of the text encoder, for the message.
        install: The command that installs the package, for the message.

    Raises:
        TextEncoderError: The package is not installed, or the file differs.
    """
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise TextEncoderError(
            f"the {encoder} text encoder is not installed: {install}, or name another encoder with RECSVC_TEXT_ENCODER "
            "(in training: --text-encoder)"
        )
    path = Path(spec.origin).parent / file
    if not path.is_file() or sha256_of(path) != sha256:
        raise TextEncoderError(f"the weights of the {encoder} text encoder are not the published ones: {install}")
    return path
