"""Fingerprints the code that a stage runs, so that a kept result never outlives its code.

A fingerprint covers the statements of a module and, through its imports, of every module of this project that it
reaches. Docstrings, comments, layout and the place of a file change no result, so they change no fingerprint.
"""

import ast
import hashlib
import importlib.util
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

PACKAGES = ("recsvc", "training")


class CodeGraph:
    """The modules of some packages, and which of them import which.

    Args:
        roots: The folder of each top-level package, by its name. An import from elsewhere counts by its name alone.
    """

    def __init__(self, roots: dict[str, Path]) -> None:
        self._roots = roots
        self._fingerprints: dict[str, str] = {}
        self._open: set[str] = set()

    @classmethod
    def of_packages(cls, *packages: str) -> "CodeGraph":
        """The graph of packages that Python can import.

        Raises:
            ModuleNotFoundError: There is no such package.
        """
        roots = {}
        for package in packages:
            spec = importlib.util.find_spec(package)
            if spec is None or not spec.submodule_search_locations:
                raise ModuleNotFoundError(f"{package} is not a package that can be imported", name=package)
            roots[package] = Path(spec.submodule_search_locations[0])
        return cls(roots)

    def source(self, module: str) -> Path | None:
        """The file of a module; None for a module of another package."""
        package, _, rest = module.partition(".")
        if package not in self._roots:
            return None
        path = self._roots[package].joinpath(*rest.split(".")) if rest else self._roots[package]
        for file in (path.with_suffix(".py") if rest else path / "__init__.py", path / "__init__.py"):
            if file.is_file():
                return file
        return None

    def modules(self, module: str) -> set[str]:
        """The names of a module and of every module of the packages that its imports reach."""
        reached, todo = set(), [module]
        while todo:
            name = todo.pop()
            if name not in reached and (source := self.source(name)) is not None:
                reached.add(name)
                todo += [target for _, target, _ in self._imports(_parsed(source))]
        return reached

    def fingerprint(self, module: str) -> str:
        """sha256 in hexadecimal over the code of a module and of every module that it reaches.

        Raises:
            ModuleNotFoundError: The module is in none of the packages.
        """
        source = self.source(module)
        if source is None:
            raise ModuleNotFoundError(f"{module} is in none of {', '.join(self._roots)}", name=module)
        if module not in self._fingerprints:
            self._open.add(module)
            tree = _parsed(source)
            # A name counts by the code that it is bound to, not by where that code is.
            bound = sorted((name, self._meaning(target), member) for name, target, member in self._imports(tree))
            text = ast.dump(_WithoutImports().visit(tree))
            self._fingerprints[module] = hashlib.sha256(f"{text}\n{bound}".encode()).hexdigest()
            self._open.discard(module)
        return self._fingerprints[module]

    def _meaning(self, module: str) -> str:
        if self.source(module) is None:
            return module
        return "" if module in self._open else self.fingerprint(module)

    def _imports(self, tree: ast.Module) -> Iterator[tuple[str, str, str]]:
        """Each import as the name that it binds, the module that it is bound from, and the member of that module."""
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    yield alias.asname or alias.name.partition(".")[0], alias.name, ""
            elif isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    submodule = f"{node.module}.{alias.name}"
                    if self.source(submodule) is not None:
                        yield alias.asname or alias.name, submodule, ""
                    else:
                        yield alias.asname or alias.name, str(node.module), alias.name


class _WithoutImports(ast.NodeTransformer):
    """Removes imports, which count by what they bind, and docstrings."""

    def visit_Import(self, _node: ast.Import) -> ast.Pass:
        return ast.Pass()

    def visit_ImportFrom(self, _node: ast.ImportFrom) -> ast.Pass:
        return ast.Pass()

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        return ast.Pass() if isinstance(node.value, ast.Constant) and isinstance(node.value.value, str) else node

    def generic_visit(self, node: ast.AST) -> ast.AST:
        super().generic_visit(node)
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [statement for statement in body if not isinstance(statement, ast.Pass)]  # type: ignore[attr-defined]
        return node


def _parsed(source: Path) -> ast.Module:
    return ast.parse(source.read_text(encoding="utf-8"))


@lru_cache
def code_fingerprint(module: str) -> str:
    """The fingerprint of a module of this project, by the files as they are now; read once in a process."""
    return CodeGraph.of_packages(*PACKAGES).fingerprint(module)
