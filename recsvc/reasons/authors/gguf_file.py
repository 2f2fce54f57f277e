"""Recognises models in GGUF files, which transformers reads only with the package gguf."""

import importlib.util
from pathlib import Path

from recsvc.errors import SettingsError


def gguf_of(model: str) -> tuple[str, str] | None:
    """The folder and the name of the GGUF file that a model is; None if it is none.

    Args:
        model: A name, a file, or a folder. A folder counts if it has a GGUF file and no configuration of transformers.

    Raises:
        SettingsError: The file cannot be read here; the error says how to serve it. Or the folder has several.
    """
    path = Path(model)
    if path.suffix.lower() == ".gguf":
        if not path.is_file():
            raise SettingsError(f"reason_model: there is no file {model!r}")
        file = path
    elif path.is_dir() and not (path / "config.json").exists():
        files = sorted(entry for entry in path.iterdir() if entry.suffix.lower() == ".gguf")
        if len(files) > 1:
            names = ", ".join(entry.name for entry in files)
            raise SettingsError(f"reason_model: {model!r} has several GGUF files; name one of them: {names}")
        if not files:
            return None
        file = files[0]
    else:
        return None
    if importlib.util.find_spec("gguf") is None:
        raise SettingsError(not_loaded(str(file), "the package gguf, which reads it, is not installed"))
    return str(file.parent), file.name


def not_loaded(file: str, problem: str) -> str:
    """Says why a GGUF file is not loaded, and how else it can be used."""
    return (
        f"reason_model: {file!r} is a GGUF file and cannot be loaded: {problem}. Serve it with llama.cpp "
        f"(llama-server --model {file}) and set --reason-generator openai --reason-endpoint http://127.0.0.1:8080/v1"
    )
