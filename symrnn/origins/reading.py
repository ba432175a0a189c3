"""A file, or the name of a cell -> which equations it was made from.

Files are read and never run.  A document or a module says it by its fingerprints; a cell file is the equations.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from symrnn.cells.finding import find_cell
from symrnn.characters import printable
from symrnn.errors import CellError, InputError
from symrnn.language import read_cell
from symrnn.language.fingerprint import find_fingerprints, fingerprint, is_as_sealed
from symrnn.language.recurrence import Cell

_MOST_BYTES = 32 * 1024 * 1024
"""Far more than a thesis, or a notebook with its pictures, has; what is longer is no text."""
_MOST_PARTS = 200
"""More files than any book has chapters; also what ends a circle of files that read one another."""

_INPUT = re.compile(r"\\(?:input|include|subfile|lstinputlisting(?:\[[^\]]*\])?)\s*\{\s*([^{}%\\]+?)\s*\}")
# What stands behind a % is not read by TeX; \% is a sign.
_COMMENT = re.compile(r"(?<!\\)%.*")
# A module has the definition that it was made from as a comment: from its first line to the first without a #.
_DEFINITION = re.compile(r"^# def .*\n(?:#.*\n)*", re.MULTILINE)


@dataclass(frozen=True)
class Origin:
    """What one of the things to be compared was made from.

    Attributes:
        name: the file or cell as it was given.
        kind: "cell", "module" or "document".
        fingerprints: those of the cells that it was made from.
        cell: the equations themselves, where they are known.
        is_changed: whether it is a module whose text is no longer as it was generated.
    """

    name: str
    kind: str
    fingerprints: tuple[str, ...]
    cell: Cell | None = None
    is_changed: bool = False

    def __str__(self) -> str:
        shown = ", ".join(self.fingerprints)
        state = {True: ", its text was changed since it was generated", False: ", as generated"}
        return f"{printable(self.name)}: {self.kind}, {shown}{state[self.is_changed] if self.kind == 'module' else ''}"


def read_origin(name: str) -> Origin:
    """What a file, or a cell, was made from.

    Args:
        name: a document, a generated module, a notebook, any other text that has a fingerprint; or a cell, as
            everywhere: a name of the library, `cell.py`, `cell.py:name`.

    Raises:
        InputError: it cannot be read, or it says nowhere what it was made from.
        CellError: it is a cell file with a mistake.
        UnknownNameError: there is no such file, and no such cell.
    """
    if not os.path.isfile(name):
        if _looks_like_document(name):
            raise InputError(f"{printable(name)}: there is no such file\n  check the path")
        return _of_cell(name, find_cell(name))
    text = _read(Path(name))
    found = find_fingerprints(_with_inputs(text, Path(name)) if name.lower().endswith(".tex") else text)
    # A paper may quote a whole module, and is none.
    unchanged = is_as_sealed(text) if name.lower().endswith(".py") else None
    if found and unchanged is not None:
        return Origin(name, "module", found, _find_definition(text), not unchanged)
    if found:
        return Origin(name, "document", found)
    if name.lower().endswith(".py"):
        return _of_python(name, text)
    remedy = (
        "write it anew with 'symrnn derive', or put 'fingerprint ...' into a comment, as 'symrnn same CELL' prints it"
    )
    raise InputError(f"{printable(name)}: no fingerprint says which equations it was made from\n  {remedy}")


def _looks_like_document(name: str) -> bool:
    return os.path.splitext(name)[1].lower() not in ("", ".py") and ":" not in name


def _of_cell(name: str, cell: Cell) -> Origin:
    return Origin(name, "cell", (fingerprint(cell),), cell)


def _of_python(name: str, text: str) -> Origin:
    """A file of cells; what is none may be a module without its fingerprint."""
    try:
        return _of_cell(name, find_cell(name))
    except CellError as error:
        if "def backward(" not in text:
            raise
        problem = "no fingerprint says which equations this module was made from, and it is no cell"
        remedy = "generate it anew with 'symrnn generate'; code of other origin is checked by 'symrnn check'"
        raise InputError(f"{printable(name)}: {problem}\n  {remedy}") from error


def _find_definition(text: str) -> Cell | None:
    """The cell that a module has as a comment; None where it cannot be read any more."""
    found = _DEFINITION.search(text)
    try:
        return read_cell(re.sub(r"^# ?", "", found[0], flags=re.MULTILINE)) if found else None
    except CellError:
        return None


def _read(path: Path) -> str:
    """The text of a file.

    Raises:
        InputError: it cannot be read, or is no text.
    """
    shown = printable(os.fspath(path))
    try:
        with open(path, "rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except OSError as error:
        remedy = "check the path and its permissions"
        raise InputError(f"{shown}: cannot be read: {error.strerror or error}\n  {remedy}") from None
    if len(data) > _MOST_BYTES or data.startswith(b"%PDF") or b"\0" in data:
        what = "a PDF" if data.startswith(b"%PDF") else "no text"
        raise InputError(f"{shown}: this is {what}\n  give the source that it was made from, such as its .tex or .md")
    # Old papers are in Latin-1, and a fingerprint is ASCII in any encoding.
    return data.decode("utf-8-sig", errors="replace")


def _with_inputs(text: str, path: Path) -> str:
    r"""The text of a paper with the files that it reads by `\input`, each once; what is missing is left out."""
    whole, seen, waiting = [text], {path.resolve()}, [text]
    while waiting:
        for given in _INPUT.findall(_COMMENT.sub("", waiting.pop())):
            # TeX looks from the main file's directory, whichever file asks.
            for part in (path.parent / given, path.parent / f"{given}.tex"):
                if len(seen) < _MOST_PARTS and part.is_file() and part.resolve() not in seen:
                    seen.add(part.resolve())
                    whole.append(_read(part))
                    waiting.append(whole[-1])
    return "\n".join(whole)
