"""Finds what a page quotes and the sources do not have: files, names, commands and flags."""

import importlib
import importlib.util
import re
from collections.abc import Iterator
from dataclasses import fields

from recsvc.channel import ClientSettings
from recsvc.settings import Settings, WorkerSettings
from tests.docs import source_index
from tests.docs.pages import ROOT, command_lines, inline_codes
from training.config import TrainConfig

TOP_FOLDERS = ("recsvc", "training", "tests", "deploy", "docs", "protos", "findings", ".github", ".ci")
# First parts of paths that only a reader's own machine has.
EXAMPLE_FOLDERS = ("my-shop", "bundles", "var", "study", ".venv")
# Files that commands write or read, and that are in no repository.
ARTEFACTS = {
    "best.json",
    "copy.csv",
    "evaluation.json",
    "events.parquet",
    "items.csv",
    "items.parquet",
    "keys.toml",
    "manifest.json",
    "report.html",
    "rows.json",
    "searches.csv",
    "searches.html",
    "searches.json",
    "searches.parquet",
    "synonyms.txt",
    "shop.toml",
    "tuning.html",
    "users.csv",
}
# Names of other programs, of gRPC and of the recipes that a page tells a reader to write.
FOREIGN_NAMES = {
    "DATA_LOSS",
    "BudgetFast",  # the end of names of alerts
    "BudgetSlow",
    "LimitNOFILE",
    "OTEL_EXPORTER_OTLP_CERTIFICATE",
    "OTEL_EXPORTER_OTLP_HEADERS",
    "OTEL_RESOURCE_ATTRIBUTES",
    "--strict",  # of properdocs
    "HF_HUB_OFFLINE",
    "MLFLOW_TRACKING_URI",
    "NOT_SERVING",
    "PIP_EXTRA_INDEX_URL",
    "RECSVC_JUDGE_API_KEY",
    "grpc.max_concurrent_streams",  # an option of gRPC
    "linear_dynamic",
    "process_open_fds",  # of every program that Prometheus reads
    "process_resident_memory_bytes",
    "subjectAltName",  # of X.509
    "torch._int_mm",
    "torch.ops.quantized.linear_dynamic",
}
# Marks of a form that a reader fills in.
PLACEHOLDERS = (*"<>*{} ", "...", "NAME")
FOREIGN_COMMANDS = {"pytest", "pip"}

_PATH = re.compile(r"\.?[\w.-]+(?:/[\w.-]+)+/?")
_FILE = re.compile(r"[\w-]+(?:\.[\w-]+)*\.(?:py|toml|yml|txt|md|json|html|csv|parquet|proto|ftl|css|j2|binpb)")
_DOTTED = re.compile(r"(?:[A-Za-z_]\w*\.)+[A-Za-z_]\w*")
_IDENTIFIER = re.compile(r"_?[A-Za-z]\w*")
_TELLING = re.compile(r"_|[a-z][A-Z]")  # an underscore, or a capital within a word: no word of plain English has it
_CALL = re.compile(r"\(.*\)$", re.DOTALL)
_RUN_MODULE = re.compile(r"python -m ([\w.]+)([^(]*)")  # a remark in brackets may follow
_RUN_MAKE = re.compile(r"(?:^|[;&|`] *)make ([a-z][\w-]*)((?: [A-Z]+=\S+)*)")
_RUN_RECSVC = re.compile(r"(?:^|[;&|/] *)recsvc ((?:--)?[a-z][\w-]*)(.*)")
_FLAG = re.compile(r"(?<![\w-])--[a-z][a-z-]*")
_ASSIGNMENT = re.compile(r"--set ([\w]+)=")


def problems(text: str) -> list[str]:
    """What a page quotes wrongly, each as a short sentence."""
    found = [problem for code in inline_codes(text) for problem in _code_problems(code)]
    return found + [problem for line in command_lines(text) for problem in _command_problems(line)]


def _code_problems(code: str) -> Iterator[str]:
    name = _CALL.sub("", code)
    if any(mark in name for mark in PLACEHOLDERS):
        return
    if _PATH.fullmatch(name):
        yield from _path_problems(name)
    elif _FILE.fullmatch(name):
        if name not in ARTEFACTS | source_index.file_names():
            yield f"no file of the repository is called {name}"
    elif name in FOREIGN_NAMES:
        return
    elif name.startswith("--"):
        if name not in source_index.all_flags():
            yield f"no command has the flag {name}"
    elif _DOTTED.fullmatch(name):
        yield from _dotted_problems(name)
    elif _IDENTIFIER.fullmatch(name) and _TELLING.search(name) and not _is_known(name):
        yield f"no source has the name {name}"


def _path_problems(path: str) -> Iterator[str]:
    first = path.partition("/")[0]
    if first in TOP_FOLDERS:
        if not (ROOT / path).exists():
            yield f"there is no {path}"
    elif first not in EXAMPLE_FOLDERS and not path.startswith("@"):
        yield f"{path} begins with no folder of the repository, and with no folder that examples use"


def _dotted_problems(name: str) -> Iterator[str]:
    first, *rest = name.split(".")
    if first in ("recsvc", "training", "deploy", "tests"):
        if not _is_importable(name):
            yield f"{name} cannot be imported"
    elif first[0].isupper():
        known = source_index.members().get(first)
        if known is None:
            yield f"no class, message or service is called {first}"
        elif len(rest) == 1 and rest[0] not in known:
            yield f"{first} has no {rest[0]}"
    elif first in source_index.identifiers() and rest[-1] not in source_index.identifiers():
        yield f"no source has the name {rest[-1]}"


def _is_importable(name: str) -> bool:
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        try:
            found = importlib.util.find_spec(".".join(parts[:end]))
        except ModuleNotFoundError:
            continue
        if found is not None:
            value: object = importlib.import_module(".".join(parts[:end])) if end < len(parts) else None
            for part in parts[end:]:
                if not hasattr(value, part):
                    return False
                value = getattr(value, part)
            return True
    return False


def _is_known(name: str) -> bool:
    variables = {
        f"RECSVC_{field.upper()}" for kind in (Settings, WorkerSettings, ClientSettings) for field in kind.model_fields
    }
    return name in variables or name in source_index.identifiers()


def _command_problems(line: str) -> Iterator[str]:
    line = line.partition(" #")[0].strip()
    if run := _RUN_MODULE.search(line):
        yield from _module_problems(run[1], run[2])
    for target, variables in _RUN_MAKE.findall(line):
        yield from _make_problems(target, variables)
    if run := _RUN_RECSVC.search(line):
        yield from _recsvc_problems(run[1], run[2])
    for part in line.split()[1:]:
        if part.startswith(tuple(f"{folder}/" for folder in TOP_FOLDERS)) and not (ROOT / part).exists():
            yield f"there is no {part}"
    for setting in _ASSIGNMENT.findall(line):
        if setting not in {"name", *(field.name for field in fields(TrainConfig))}:  # "--set name=value" is the form
            yield f"training has no setting {setting}"


def _make_problems(target: str, variables: str) -> Iterator[str]:
    if target not in source_index.make_targets():
        yield f"make has no target {target}"
    for variable in re.findall(r"([A-Z]+)=", variables):
        if variable not in source_index.make_variables():
            yield f"the Makefile does not use {variable}"


def _module_problems(module: str, arguments: str) -> Iterator[str]:
    if module in FOREIGN_COMMANDS:
        return
    known = source_index.module_flags(module)
    if known is None:
        yield f"python -m {module}: no such module"
        return
    for flag in _FLAG.findall(arguments):
        if flag not in known:
            yield f"python -m {module} has no flag {flag}"


def _recsvc_problems(command: str, arguments: str) -> Iterator[str]:
    if command.startswith("--"):
        if command not in source_index.recsvc_help():
            yield f"recsvc has no flag {command}"
    elif command not in source_index.recsvc_commands():
        yield f"recsvc has no command {command}"
    else:
        for flag in _FLAG.findall(arguments):
            if flag not in source_index.recsvc_flags(command):
                yield f"recsvc {command} has no flag {flag}"
