"""What a shell may complete: names of cells, variables, files and choices, read without SymPy.

A completion is asked for at every press of a key, so the library's files are parsed and never imported.
"""

from __future__ import annotations

import ast
import os
from collections.abc import Iterable, Iterator
from functools import cache
from glob import escape, glob
from pathlib import Path

import typer

from symrnn import choices

_LIBRARY = Path(__file__).parent.parent / "cells"


@cache
def _library() -> dict[str, ast.FunctionDef]:
    """The library's cells in the order of its files: name -> function, of the cell or of its recipe."""
    return {
        node.name: node
        for path in sorted(_LIBRARY.glob("*.py"))
        for node in _functions(path)
        # @library.cell and @library.variant are what puts a function into the library.
        if any(isinstance(mark, ast.Attribute) and mark.attr in ("cell", "variant") for mark in node.decorator_list)
    }


def _functions(path: Path) -> list[ast.FunctionDef]:
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, SyntaxError, RecursionError, MemoryError):  # a file that cannot be read has no names
        return []
    return [node for node in tree.body if isinstance(node, ast.FunctionDef)]


def library_names() -> tuple[str, ...]:
    """The names of the library's cells."""
    return tuple(_library())


def cell_names(incomplete: str) -> list[str]:
    """Cells of the library, files, and the cells of a file that is named already."""
    path, colon, _ = incomplete.rpartition(":")
    if colon:
        return _complete((f"{path}:{node.name}" for node in _functions(Path(path))), incomplete)
    return [*library_cells(incomplete), *files(incomplete)]


def library_cells(incomplete: str) -> list[str]:
    """Cells of the library."""
    return _complete(library_names(), incomplete)


# The shell gives a plain word list no file names of its own, so they are listed here.
def files(incomplete: str) -> list[str]:
    """Python files, and directories on the way to them."""
    return _files(incomplete, ".py")


def _files(incomplete: str, ending: str) -> list[str]:
    found = sorted(glob(f"{escape(incomplete)}*"))
    return [
        f"{name}/" if Path(name).is_dir() else name for name in found if name.endswith(ending) or Path(name).is_dir()
    ]


def texts(incomplete: str) -> list[str]:
    """Cells of the library, and files of any kind."""
    found = sorted(glob(f"{escape(incomplete)}*"))
    return [*library_cells(incomplete), *(f"{name}/" if Path(name).is_dir() else name for name in found)]


def variables(context: typer.Context, incomplete: str) -> list[str]:
    """The variables of the cell that was named before, in the order of its text."""
    return _complete(_variables(_cell_before(context)), incomplete)


def _variables(cell: str) -> Iterable[str]:
    path, _, name = cell.rpartition(":") if ":" in cell else (cell, "", "")
    written = _library() if cell in _library() else {node.name: node for node in _functions(Path(path))}
    # A file with one cell may be named without it; of several, the first stands for what is typed so far.
    function = written.get(cell) or written.get(name) or next(iter(written.values()), None)
    # A recipe of a variant takes no arguments: what it has is in the cell that it makes.
    if function is None or function.args.args:
        return dict.fromkeys(_names(function)) if function else ()

    from symrnn.cells import lookup  # a variant has no text of its own: it is made, which takes SymPy

    return lookup(cell).symbols if cell in _library() else ()


def _names(function: ast.FunctionDef) -> Iterator[str]:
    # What is returned is a state, as the language has it: it has a value before the step too.
    returned = {node.id for node in ast.walk(function.body[-1]) if isinstance(node, ast.Name)}
    yield from (name for name in (argument.arg for argument in function.args.args) if name in returned)
    yield from (f"{argument.arg}_prev" for argument in function.args.args if argument.arg in returned)
    yield from (argument.arg for argument in (*function.args.args, *function.args.kwonlyargs))
    for node in function.body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        yield from (target.id for target in targets if isinstance(target, ast.Name))


def _complete(names: Iterable[str], incomplete: str) -> list[str]:
    return [name for name in names if name.startswith(incomplete)]


def _complete_list(names: Iterable[str], incomplete: str) -> list[str]:
    """Names after those that are listed already, with commas between."""
    before, comma, last = incomplete.rpartition(",")
    taken = before.split(",")
    return [f"{before}{comma}{name}" for name in names if name.startswith(last) and name not in taken]


def notations(incomplete: str) -> list[str]:
    """Notations."""
    return [*_complete_list(choices.NOTATIONS, incomplete), *_files(incomplete, ".toml")]


def forms(incomplete: str) -> list[str]:
    """Forms of documents."""
    return _complete(choices.FORMS, incomplete)


def pictures(incomplete: str) -> list[str]:
    """Forms of pictures."""
    return _complete(choices.PICTURES, incomplete)


def details(incomplete: str) -> list[str]:
    """How much a picture shows."""
    return _complete(choices.DETAILS, incomplete)


def kinds(incomplete: str) -> list[str]:
    """Kinds of Jacobians."""
    return _complete(choices.KINDS, incomplete)


def layouts(incomplete: str) -> list[str]:
    """Layouts of Jacobians."""
    return _complete(choices.LAYOUTS, incomplete)


def targets(incomplete: str) -> list[str]:
    """Languages of generated code."""
    return _complete(choices.TARGETS, incomplete)


def sections(incomplete: str) -> list[str]:
    """Sections of a document."""
    return _complete_list(choices.SECTIONS, incomplete)


def further_sections(incomplete: str) -> list[str]:
    """Further sections of a document."""
    return _complete_list(choices.FURTHER, incomplete)


def levels(incomplete: str) -> list[str]:
    """Levels of documents."""
    return _complete(choices.LEVELS, incomplete)


def gates(incomplete: str) -> list[str]:
    """How gates are written."""
    return _complete(choices.GATES, incomplete)


def widths(incomplete: str) -> list[str]:
    """Widths of lines."""
    return _complete(choices.WIDTHS, incomplete)


def numbers(incomplete: str) -> list[str]:
    """Who numbers equations."""
    return _complete(choices.NUMBERS, incomplete)


def languages(incomplete: str) -> list[str]:
    """Languages of documents."""
    return _complete(choices.LANGUAGES, incomplete)


def headings(incomplete: str) -> list[str]:
    """Commands of headings."""
    return _complete(choices.HEADINGS, incomplete)


def heads(incomplete: str) -> list[str]:
    """What may stand behind a cell."""
    return _complete(choices.HEADS, incomplete)


def functions(incomplete: str) -> list[str]:
    """Further functions of a module."""
    return _complete_list(choices.FUNCTIONS, incomplete)


def holdable(context: typer.Context, incomplete: str) -> list[str]:
    """Variables that may be held."""
    return _complete_list(_variables(_cell_before(context)), incomplete)


def _cell_before(context: typer.Context) -> str:
    """The cell that the line names; an option without its value keeps the parser from reading the rest of it."""
    if context.params.get("cell"):
        return str(context.params["cell"])
    # bash has the line in the first, zsh and fish in the second; two words of it are the program and the command.
    line = os.environ.get("COMP_WORDS") or os.environ.get("_TYPER_COMPLETE_ARGS") or ""
    return next((word for word in line.split()[2:] if not word.startswith("-")), "")
