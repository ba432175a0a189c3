"""A cell's text: where it stands, how it is read from a file, and its bounded syntax tree.

A text is parsed with `ast` and nothing else: it is never imported or executed, and never printed unescaped.
"""

from __future__ import annotations

import ast
import os
import re
import warnings
from functools import cached_property
from pathlib import Path

from symrnn.errors import CellError, Place
from symrnn.language.slips import MESSAGES, meant

# Bounds against texts that are no cells: reading, inference and derivation take time that grows with them.  They lie
# far beyond any cell of the library.
MAX_BYTES = 256 * 1024
MAX_DEPTH = 100
MAX_NODES = 20_000

_LINE_END = re.compile(r"\r\n|\r|\n")  # what Python counts as a line; str.splitlines knows more
_BEFORE_NAME = re.compile(r"(?:async[ \t\f]+)?(?:def|class)[ \t\f]+")
_MANY_DIGITS = re.compile(r"[0-9_]{4000,}")
_TOO_DEEP = f"use at most {MAX_DEPTH} levels, where every operator and bracket is one: split the formula into lines"
_OWN_TEXT = "put the cell into a text of its own"

#: Control characters, halves of a surrogate pair, and marks that reverse the order in which a text is shown.
_UNFIT = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]|(?!\A)\ufeff")


class Text:
    """A text and its file name: knows every node's place.

    Args:
        text: the text; a byte order mark at its beginning is dropped.
        file: the file's name for messages.
        first_line: the file's line on which the text begins.
        indented: whether the text may be indented as a whole, as a function inside another one is.
    """

    def __init__(self, text: str, file: str, first_line: int = 1, indented: bool = False) -> None:
        self.text = text.removeprefix("\ufeff")
        self.file = file
        self.first_line = first_line
        self.indented = indented

    @cached_property
    def lines(self) -> list[str]:
        """The lines, as Python counts them."""
        return _LINE_END.split(self.text)

    @property
    def start(self) -> Place:
        """Where the text begins."""
        return Place(self.file, self.first_line, 1)

    def line(self, number: int) -> str:
        """A line of this text, counted from 1; empty beyond the end."""
        return self.lines[number - 1] if 0 < number <= len(self.lines) else ""

    def place(self, node: ast.AST) -> Place:
        """File, line and column of a node; of a function or class, those of its name."""
        line, offset = getattr(node, "lineno", 1), getattr(node, "col_offset", 0)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            introduced = _BEFORE_NAME.match(self.line(line)[offset:])
            offset += introduced.end() if introduced else 0
        return self.position(line, offset)

    def position(self, line: int, offset: int) -> Place:
        """The place of a line of this text (from 1) and a UTF-8 offset in it (from 0), as `ast` counts."""
        shown = self.line(line)
        column = len(shown.encode(errors="replace")[:offset].decode(errors="ignore")) + 1
        return self._at(line, column)

    def find(self, character: int) -> Place:
        """The place of a character of this text, counted from 0."""
        before = _LINE_END.split(self.text[:character])
        return self._at(len(before), len(before[-1]) + 1)

    def _at(self, line: int, column: int) -> Place:
        return Place(self.file, line + self.first_line - 1, column, self.line(line))

    def longest_line(self) -> Place:
        """The best guess where a text is too deep when Python does not say."""
        number = max(range(len(self.lines)), key=lambda i: len(self.lines[i])) + 1
        return self._at(number, len(self.line(number)) - len(self.line(number).lstrip()) + 1)

    def is_indented(self) -> bool:
        """Whether the first line of code begins with a blank."""
        code = (line for line in self.lines if line.strip() and not line.lstrip().startswith("#"))
        return next(code, "")[:1] in (" ", "\t")


def read_file(path: Path) -> str:
    """The text of a cell file.

    Raises:
        CellError: the file is missing, not a regular file, too long, or not UTF-8.
    """
    place = Place(str(path))
    try:
        if path.is_dir():
            raise CellError(place, "this is a directory", "give the Python file that defines the cell")
        if not path.is_file():
            reason = "this is not a regular file" if path.exists() else "there is no such file"
            raise CellError(place, reason, "give a cell's name from 'symrnn cells', or a Python file")
        # Opened so that a pipe put in the file's place would not block, and read no further than the bound:
        # the size that a special file reports says nothing.
        with open(path, "rb", opener=lambda name, flags: os.open(name, flags | getattr(os, "O_NONBLOCK", 0))) as file:
            raw = file.read(MAX_BYTES + 1) or b""
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise CellError(place, f"the file cannot be read: {reason}", "check the path and its permissions") from None
    if len(raw) > MAX_BYTES:
        problem = f"the file is too long: a cell file has at most {MAX_BYTES:,} bytes"
        raise CellError(place, problem, "put the cell into a file of its own")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = _LINE_END.split(raw[: error.start].decode("utf-8-sig", errors="replace"))
        here = Place(str(path), len(before), len(before[-1]) + 1)
        raise CellError(here, f"the byte 0x{raw[error.start]:02x} is not UTF-8", "save the file as UTF-8") from None


def parse(text: Text) -> ast.Module:
    """The syntax tree of a text, bounded in size and depth.

    Raises:
        CellError: the text is not Python, or too long or too deep.
    """
    if len(text.text) > MAX_BYTES:
        problem = f"the text has {len(text.text):,} characters; a cell has at most {MAX_BYTES:,}"
        raise CellError(text.start, problem, _OWN_TEXT)
    unfit = _UNFIT.search(text.text)
    if unfit is not None:
        problem = f"the character U+{ord(unfit[0]):04X} is invisible and has no place in a cell"
        raise CellError(text.find(unfit.start()), problem, "remove the character")
    # An indented text becomes the body of an `if`, so that every column stays what it is in the file.
    wrapped = text.indented and text.is_indented()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about escapes and comparisons in code that is never run
            tree = ast.parse("if True:\n" + text.text if wrapped else text.text)
    except SyntaxError as error:
        raise _not_python(error, text, int(wrapped)) from None
    except (RecursionError, MemoryError):
        raise CellError(text.longest_line(), "the text is nested too deeply", _TOO_DEEP) from None
    if wrapped:
        ast.increment_lineno(tree, -1)
        tree.body = [inner for node in tree.body for inner in (node.body if isinstance(node, ast.If) else [node])]
    _bound(tree, text)
    return tree


def _not_python(error: SyntaxError, text: Text, shift: int) -> CellError:
    line, message = max((error.lineno or 1) - shift, 1), error.msg
    shown = text.line(line)
    column = max(error.offset or 1, 1)
    if isinstance(error, IndentationError):  # Python points somewhere behind
        column = len(shown) - len(shown.lstrip()) + 1
    digits = _MANY_DIGITS.search(shown)
    if digits is not None and "integer string conversion" in message:
        column = digits.start() + 1
    place = Place(text.file, line + text.first_line - 1, column, shown)
    if "too many nested" in message or "too many levels" in message:
        return CellError(place, "the text is nested too deeply", _TOO_DEEP)
    if "integer string conversion" in message:
        return CellError(place, "the number is too long", "numbers are up to a million in size")
    moved = re.sub(r"on line (\d+)", lambda m: f"on line {int(m[1]) - shift + text.first_line - 1}", message)
    remedy = next(
        (said for words, said in MESSAGES.items() if words in moved), "correct the line, or the one before it"
    )
    certain = isinstance(error, IndentationError) or any(
        word in moved for word in ("closed", "unmatched", "expected ':'")
    )
    found = None if certain else meant(shown)
    if found is not None:
        place, remedy = Place(text.file, place.line, found[0] + 1, shown), found[1]
    return CellError(place, f"not Python: {moved}", remedy)


def _bound(tree: ast.Module, text: Text) -> None:
    count = 0
    todo: list[tuple[ast.AST, int, ast.AST]] = [(tree, 0, tree)]
    while todo:
        node, depth, placed = todo.pop()
        placed = node if hasattr(node, "lineno") else placed
        count += 1
        if depth > MAX_DEPTH:
            raise CellError(text.place(placed), "the text is nested too deeply", _TOO_DEEP)
        if count > MAX_NODES:
            raise CellError(text.place(placed), "the text is too long", _OWN_TEXT)
        todo.extend((child, depth + 1, placed) for child in reversed(list(ast.iter_child_nodes(node))))
