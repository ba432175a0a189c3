"""The map of the rooms: it names every room, in the order that the linter holds."""

from __future__ import annotations

import ast
import re
import tomllib
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
