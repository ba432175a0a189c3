"""The map of the rooms names every room, in the order that the linter holds; the tests have the same rooms."""

from __future__ import annotations

import ast
import re
import tomllib
from functools import cache
from pathlib import Path

import pytest

import symrnn
from symrnn.deferred import FUNCTIONS_ABOVE

HOUSE = Path(symrnn.__file__).parent
ROOT = Path(__file__).parent.parent
LAYERS = [
    [room.strip() for room in layer.split("|")]
    for layer in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"][0]["layers"]
]
FLOOR = {room: floor for floor, layer in enumerate(reversed(LAYERS)) for room in layer}
MODULES = sorted(HOUSE.rglob("*.py"))


def room_of(path: Path) -> str:
    return path.relative_to(HOUSE).parts[0].removesuffix(".py")


def imports(path: Path) -> set[str]:
    """The rooms that a module imports from, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "symrnn":
            names = node.module.split(".")[1:2] or [alias.name for alias in node.names]
            found |= set(names)
        elif isinstance(node, ast.Import):
            found |= {alias.name.split(".")[1] for alias in node.names if alias.name.startswith("symrnn.")}
    return found


def test_the_map_names_every_room_in_order() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    table = text.split("## The rooms, from the top")[1].split("\n## ")[0]
    named = re.findall(r"^\| `(\w+)` \|", table, flags=re.MULTILINE)
    floors = [FLOOR[room] for room in named]
    assert floors == sorted(floors, reverse=True)
    assert sorted(named) == sorted({room_of(path) for path in MODULES} - {"__init__"}) == sorted(FLOOR)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(HOUSE).as_posix())
def test_a_room_imports_from_below(path: Path) -> None:
    """The same as the linter, which is no part of the ordinary tests' installation."""
    room = room_of(path)
    above = [other for other in imports(path) if other != room and FLOOR[other] >= FLOOR.get(room, 99)]
    assert not above


def test_nothing_else_is_looked_up_by_name() -> None:
    """`importlib.import_module` would get around the law."""
    allowed = {"__init__.py", "deferred.py", "mistakes/catalogue/__init__.py"}  # the last one reads its own folder
    used = {
        path.relative_to(HOUSE).as_posix()
        for path in MODULES
        if re.search(r"import_module\(|__import__\(", path.read_text(encoding="utf-8"))
    }
    assert used == allowed
    assert all(module.split(".")[1] in FLOOR for module in FUNCTIONS_ABOVE.values())


def test_a_class_name_is_used_once() -> None:
    first: dict[str, str] = {}
    twice = []
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                where = f"{path.relative_to(HOUSE)}:{node.name}"
                if first.setdefault(node.name.lstrip("_"), where) != where:
                    twice.append((first[node.name.lstrip("_")], where))
    assert not twice


# --- the rooms of the tests ---

TESTS = ROOT / "tests"
SHARED = {"drawn", "peers", "printed"}
"""Folders that belong to no room: what several rooms' tests share, and the frameworks."""
FOLDERS = sorted(path.name for path in TESTS.iterdir() if path.is_dir() and any(path.glob("*.py")))
NAME_OF = {".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path for path in MODULES}


@cache
def modules_named(path: Path) -> set[str]:
    """The package's modules that a file imports; a name of `symrnn` itself stands for the module that has it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "symrnn":
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            homes = {symrnn._HOMES.get(alias.name, "") for alias in node.names} if node.module == "symrnn" else set()
            found |= {node.module} | inner | homes
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    parents = {name.rpartition(".")[0] for name in found}  # a package is imported with each of its modules
    return (found | parents) & set(NAME_OF) - {"symrnn"}


def reached(start: set[str]) -> set[str]:
    """These modules, and all that are imported by them."""
    done: set[str] = set()
    waiting = set(start)
    while waiting:
        name = waiting.pop()
        done.add(name)
        imported = modules_named(NAME_OF[name])
        if name == "symrnn.mistakes.catalogue":  # it imports all of its folder
            imported |= {other for other in NAME_OF if other.startswith(f"{name}.")}
        waiting |= imported - done
    return done


def test_the_tests_have_the_rooms_of_the_package() -> None:
    rooms = {path.name for path in HOUSE.iterdir() if (path / "__init__.py").exists()}
    assert set(FOLDERS) - SHARED - {"generation"} == rooms


@pytest.mark.parametrize("room", sorted(set(FOLDERS) - SHARED - {"generation"}))
def test_a_rooms_tests_reach_each_of_its_modules(room: str) -> None:
    start = {name for path in (TESTS / room).rglob("*.py") for name in modules_named(path)}
    unreached = {name for name in NAME_OF if name.startswith(f"symrnn.{room}.")} - reached(start)
    assert not unreached
