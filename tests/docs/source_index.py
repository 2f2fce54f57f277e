"""What the sources define: the names, targets, flags and files that a page may quote."""

import ast
import functools
import importlib.util
import re
import subprocess
import sys
from collections.abc import Mapping, Set
from pathlib import Path

from google.protobuf.descriptor import FileDescriptor

from recsvc.v1 import (
    access_pb2,
    catalog_pb2,
    content_pb2,
    events_pb2,
    explain_pb2,
    models_pb2,
    policy_pb2,
    reason_pb2,
    recommendation_pb2,
    users_pb2,
)
from tests.docs.pages import ROOT

PROTOS = (
    access_pb2,
    catalog_pb2,
    content_pb2,
    events_pb2,
    explain_pb2,
    models_pb2,
    policy_pb2,
    reason_pb2,
    recommendation_pb2,
    users_pb2,
)
SOURCE_FOLDERS = ("recsvc", "training", "deploy", "tests", "protos")
_IDENTIFIER = re.compile(r"[A-Za-z_]\w+")
_FLAG = re.compile(r"--[a-z][a-z-]+")


@functools.cache
def _python_files() -> tuple[Path, ...]:
    files = (path for folder in SOURCE_FOLDERS for path in (ROOT / folder).rglob("*.py"))
    return tuple(path for path in files if not path.is_relative_to(ROOT / "tests/docs"))


@functools.cache
def identifiers() -> Set[str]:
    """Every identifier in Python, proto and TOML sources, in the Makefile and in pyproject.toml; not in this folder."""
    others = [*(ROOT / "protos").rglob("*.proto"), ROOT / "Makefile", ROOT / "pyproject.toml"]
    return {name for path in (*_python_files(), *others) for name in _IDENTIFIER.findall(path.read_text("utf-8"))}


@functools.cache
def members() -> Mapping[str, Set[str]]:
    """The members of every class of the packages, and of every message, enum and service of the protos, by its name."""
    found: dict[str, set[str]] = {}
    for path in _python_files():
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ClassDef):
                found.setdefault(node.name, set()).update(_class_members(node))
    for module in PROTOS:
        for name, names in _proto_members(module.DESCRIPTOR).items():
            found.setdefault(name, set()).update(names)
    return found


def _class_members(node: ast.ClassDef) -> Set[str]:
    names = {item.name for item in node.body if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef)}
    for inner in ast.walk(node):
        targets = inner.targets if isinstance(inner, ast.Assign) else []
        if isinstance(inner, ast.AnnAssign):
            targets = [inner.target]
        for target in targets:
            if isinstance(target, ast.Name):
                names.add(target.id)
            elif isinstance(target, ast.Attribute):
                names.add(target.attr)
    return names


def _proto_members(file: FileDescriptor) -> Mapping[str, Set[str]]:
    messages = {name: set(message.fields_by_name) for name, message in file.message_types_by_name.items()}
    enums = {name: set(enum.values_by_name) for name, enum in file.enum_types_by_name.items()}
    services = {name: set(service.methods_by_name) for name, service in file.services_by_name.items()}
    return messages | enums | services


@functools.cache
def file_names() -> Set[str]:
    """The name of every file of the repository."""
    done = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return {Path(line).name for line in done.stdout.splitlines()}


@functools.cache
def make_targets() -> Set[str]:
    return set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))


@functools.cache
def make_variables() -> Set[str]:
    """The variables that a caller of make can set."""
    return set(re.findall(r"\$\((?:or \$\()?([A-Z]+)\)", (ROOT / "Makefile").read_text("utf-8")))


@functools.cache
def recsvc_help(command: str = "") -> str:
    """What `recsvc --help`, or the help of one of its commands, prints; empty for a command that there is not."""
    arguments = [sys.executable, "-m", "recsvc", *command.split(), "--help"]
    done = subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout if done.returncode == 0 else ""


@functools.cache
def recsvc_commands() -> Set[str]:
    """The commands of `recsvc`, as its help lists them."""
    return _listed_commands(recsvc_help())


def _listed_commands(text: str) -> Set[str]:
    return set(re.findall(r"^    ([a-z][a-z-]+)(?=\s|$)", text, re.MULTILINE))


@functools.cache
def recsvc_flags(command: str) -> Set[str]:
    """The flags of a command, and of the commands under it."""
    text = recsvc_help(command)
    under = [recsvc_help(f"{command} {name}") for name in _listed_commands(text)]
    return {flag for shown in (text, *under) for flag in _FLAG.findall(shown)}


@functools.cache
def module_flags(module: str) -> Set[str] | None:
    """The flags in the source of a module, or of a package that can be run; None for a module that does not exist."""
    try:
        spec = importlib.util.find_spec(module)
    except ModuleNotFoundError:
        return None
    if spec is None or spec.origin is None:
        return None
    origin = Path(spec.origin)
    sources = origin.parent.glob("*.py") if spec.submodule_search_locations else (origin,)
    return {flag for source in sources for flag in _FLAG.findall(source.read_text("utf-8"))}


@functools.cache
def all_flags() -> Set[str]:
    """Every flag of `recsvc`, of the commands of training, of the storefront and of what the Makefile runs."""
    flags = {flag for command in recsvc_commands() for flag in recsvc_flags(command)} | set(
        _FLAG.findall(recsvc_help())
    )
    sources = [path for path in _python_files() if not path.is_relative_to(ROOT / "tests")]
    return flags | {flag for path in (*sources, ROOT / "Makefile") for flag in _FLAG.findall(path.read_text("utf-8"))}
