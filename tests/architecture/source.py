"""The project's own source as guard tests read it: files, trees, and who calls whom."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

BASE = Path(__file__).resolve().parent.parent.parent
# Folders at the top that hold Python and are no part of the service.
# (`client` is a package of its own that others install; tests/architecture/test_client.py knows it.)
BESIDE = {"tests", "scripts", "bench", "client", "docs", "var", "build", "dist"}


def packages() -> list[str]:
    """Every folder at the top that holds a part of the service."""
    return sorted(
        folder.name
        for folder in BASE.iterdir()
        if folder.is_dir()
        and not folder.name.startswith(".")
        and folder.name not in BESIDE
        and any(folder.rglob("*.py"))
    )


def python_files(*folders: str, migrations: bool = False) -> Iterator[Path]:
    """Python files of the named folders, or of every part of the service."""
    for folder in folders or packages():
        for path in sorted((BASE / folder).rglob("*.py")):
            if migrations or "migrations" not in path.parts:
                yield path


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def module_name(path: Path) -> str:
    parts = list(path.relative_to(BASE).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(node: ast.Import | ast.ImportFrom) -> dict[str, str]:
    """What the names of one import statement stand for."""
    owner = f"{node.module}." if isinstance(node, ast.ImportFrom) else ""
    return {alias.asname or alias.name: owner + alias.name for alias in node.names}


@dataclass
class Module:
    """One module: what its names mean, its functions, and what each of them calls."""

    name: str
    path: Path
    names: dict[str, str] = field(default_factory=dict)
    functions: dict[str, ast.FunctionDef] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> "Module":
        module = cls(name=module_name(path), path=path)
        for node in tree(path).body:
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                module.names[node.name] = f"{module.name}.{node.name}"
            if isinstance(node, ast.FunctionDef):
                module.functions[node.name] = node
        for inner in ast.walk(tree(path)):
            if isinstance(inner, (ast.Import, ast.ImportFrom)):
                module.names |= imported(inner)
        return module

    def meaning(self, node: ast.expr) -> str:
        """The dotted name an expression stands for; empty where it is no plain name."""
        if isinstance(node, ast.Name):
            return self.names.get(node.id, node.id)
        if isinstance(node, ast.Attribute):
            owner = self.meaning(node.value)
            return f"{owner}.{node.attr}" if owner else ""
        return ""

    def mentions(self, function: str) -> set[str]:
        """Dotted names that one function calls or hands on."""
        found = set()
        for node in ast.walk(self.functions[function]):
            if isinstance(node, (ast.Name, ast.Attribute)):
                found.add(self.meaning(node))
        return found - {""}


@cache
def modules() -> dict[str, Module]:
    return {module.name: module for module in map(Module.read, python_files())}


def actions() -> Iterator[Module]:
    """Every module in which a rung keeps its deeds."""
    for name, module in modules().items():
        parts = name.split(".")
        if len(parts) > 1 and parts[1] == "actions":
            yield module


def resolve(name: str) -> tuple[Module, str] | None:
    """The module and function a dotted name leads to, also through a package that re-exports it."""
    owner, _, function = name.rpartition(".")
    module = modules().get(owner)
    if module is None:
        return None
    if function in module.functions:
        return module, function
    elsewhere = module.names.get(function, name)
    return None if elsewhere == name else resolve(elsewhere)


def reached(module: Module, function: str, seen: set[str] | None = None) -> set[str]:
    """Every dotted name one function leads to, followed through our own functions."""
    seen = set() if seen is None else seen
    for name in module.mentions(function):
        if name in seen:
            continue
        seen.add(name)
        target = resolve(name)
        if target is not None:
            seen.add(f"{target[0].name}.{target[1]}")
            reached(*target, seen)
    return seen


def text_files() -> Iterator[Path]:
    """Files of the project that people read or write as text."""
    kinds = {".py", ".md", ".toml", ".txt", ".in", ".yml", ".yaml", ".html", ".css", ".po", ".csv"}
    skipped = {"var", "node_modules", "__pycache__"}
    for path in sorted(BASE.rglob("*")):
        inside = path.relative_to(BASE).parts
        if skipped & set(inside) or any(
            part.startswith(".") and part not in {".ci", ".env.example"} for part in inside
        ):
            continue
        if path.is_file() and (path.suffix in kinds or path.name in {"Makefile", "run", "NOTICE"}):
            yield path
