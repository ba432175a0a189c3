"""Names: which are allowed, and that each is defined once, before it is read, and used."""

from __future__ import annotations

import ast
import keyword
import re
import unicodedata
from collections.abc import Iterator, Mapping

from symrnn.algebra.functions import FUNCTIONS
from symrnn.errors import CellError, Place
from symrnn.language.definition import Argument, Assignment, Definition
from symrnn.language.expressions import show
from symrnn.language.heading import heading
from symrnn.language.operations import STRUCTURAL
from symrnn.language.text import Text
from symrnn.suggestions import did_you_mean

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*\Z")
# Longer than any name of a paper or program; what is longer would fill the lines of code and documents alone.
_MAX_LENGTH = 60
_RESERVED: Mapping[str, str] = {
    "_prev": "a state read before it is assigned is its value at t-1: write {base!r} for both times",
    "_next": "the next step's values belong to the derivation: give the {what} another name",
    "_bar": "the adjoints belong to the derivation: give the {what} another name",
}
"""Endings of names that the derivation makes -> what to do instead."""


def check_name(name: str, node: ast.AST, text: Text, what: str) -> None:
    """Whether a cell, argument or variable may have this name.

    Raises:
        CellError: it may not.
    """
    place = text.place(node)
    # Names go into generated code as they are, where a word of Python's would end it.
    if not _NAME.match(name) or keyword.iskeyword(name):
        problem = f"{name!r} cannot name {'an' if what == 'argument' else 'a'} {what}"
        raise CellError(place, problem, "use letters, digits and underscores, beginning with a letter, as in W_f")
    if len(name) > _MAX_LENGTH:
        raise CellError(place, f"a name of {len(name)} characters is too long", f"use at most {_MAX_LENGTH}")
    if what == "cell":
        return
    if name in FUNCTIONS or name in STRUCTURAL:
        raise CellError(place, f"{name!r} is a function of the cell language", f"give the {what} another name")
    for ending, remedy in _RESERVED.items():
        if name.endswith(ending):
            base = name.removesuffix(ending)
            raise CellError(place, f"{name!r}: names in {ending} are reserved", remedy.format(base=base, what=what))


def check_spelling(function: ast.FunctionDef, text: Text) -> None:
    """Refuse identifiers beyond ASCII: Python reads some of them as other names than the text shows.

    Raises:
        CellError: there is one.
    """
    if text.text.isascii():
        return
    for node in ast.walk(function):
        if not isinstance(node, ast.Name | ast.arg | ast.Attribute | ast.FunctionDef):
            continue
        spelled, place = _spelled(node, text)
        if not spelled.isascii():
            remedy = _in_latin(spelled)
            raise CellError(place, f"the name {spelled!r} has characters beyond ASCII", remedy)


def _in_latin(spelled: str) -> str:
    """What to write for a name with letters that are not Latin."""
    word = "".join(_letter(character) for character in unicodedata.normalize("NFKC", spelled))
    if not word.isascii() or not _NAME.match(word):
        return "write names with the letters a-z, Greek ones as words: sigma, alpha"
    if word == "sigma":
        return "write sigmoid(...) for the function, and sigma for a value: it is printed as the letter"
    return f"write {word}: Greek letters are written as words, and printed as letters"


def _letter(character: str) -> str:
    found = re.match(r"GREEK (SMALL|CAPITAL) LETTER ([A-Z]+)\Z", unicodedata.name(character, ""))
    return found[2].capitalize() if found and found[1] == "CAPITAL" else found[2].lower() if found else character


def _spelled(node: ast.Name | ast.arg | ast.Attribute | ast.FunctionDef, text: Text) -> tuple[str, Place]:
    place = text.place(node)
    if isinstance(node, ast.Attribute):
        place = text.position(node.end_lineno or 1, node.end_col_offset or 0)
        # Python has the place where an attribute ends, not where its name begins.
        found = re.search(r"\w+\Z", place.text[: place.column - 1])
        if found:
            place = text.position(node.end_lineno or 1, len(place.text[: found.start()].encode()))
    else:
        found = re.match(r"\w+", place.text[place.column - 1 :])
    return found[0] if found else "", place


def check_use(definition: Definition, function: ast.FunctionDef, text: Text) -> None:
    """Every name is defined once, before it is read, and used; every state is an argument and is assigned.

    Raises:
        CellError: one is not.
    """
    assigned: dict[str, Assignment] = {assignment.name: assignment for assignment in definition.assignments}
    # The states first: whether a name is one decides what is said of all others.
    for node in _names_in(function.body[-1]):
        _check_state(node, assigned, definition, text)
    assigned = {}
    read: set[str] = set()
    known = {argument.name for argument in definition.arguments}
    fixed = known - {*definition.returned}
    known |= {f"{state}_prev" for state in definition.returned}
    for assignment in definition.assignments:
        for node in _names_in(assignment.value):
            if node.id not in assigned and node.id not in known:
                raise _undefined(node, definition, text)
            read.add(node.id)
        _check_target(assignment, assigned, fixed, definition, text)
        assigned[assignment.name] = assignment
    _check_used(read, definition, text)


def _check_target(
    assignment: Assignment, assigned: Mapping[str, Assignment], fixed: set[str], definition: Definition, text: Text
) -> None:
    name, place = assignment.name, text.place(assignment.node)
    if name in assigned:
        problem = f"{name!r} is assigned twice, first in line {text.place(assigned[name].node).line}"
        name = f"{name}_2"
        remedy = (
            f"give the second value a name of its own, as in {name} = {show(assignment.value)}, and read that below"
        )
        raise CellError(place, problem, remedy)
    if name not in fixed:
        return
    positional = any(argument.name == name for argument in definition.positional)
    what = "an input" if positional else "a parameter"
    remedy = "return it (then it is a state), or use another name" if positional else "use another name"
    raise CellError(place, f"{name!r} is {what} and is assigned", remedy)


def _check_state(node: ast.Name, assigned: Mapping[str, Assignment], definition: Definition, text: Text) -> None:
    name, place = node.id, text.place(node)
    if any(argument.name == name for argument in definition.keyword_only):
        raise CellError(place, f"the parameter {name!r} is returned", f"put {name!r} before the *: then it is a state")
    is_argument = any(argument.name == name for argument in definition.positional)
    if name not in assigned:
        if is_argument:
            problem = f"the state {name!r} is returned but never assigned"
            raise CellError(place, problem, f"add a line '{name} = ...', or do not return it")
        hint = did_you_mean(name, [*assigned, *(a.name for a in definition.positional)])
        remedy = f"{hint}or add a line '{name} = ...'" if hint else f"add a line '{name} = ...'"
        raise CellError(place, f"{name!r} is returned but not defined", remedy)
    if not is_argument:
        problem = f"the state {name!r} is not an argument"
        arguments: list[Argument | str] = list(definition.positional)
        arguments.insert(len(definition.inputs) + definition.returned.index(name), name)
        line = heading(definition, arguments, definition.keyword_only)
        raise CellError(
            place, problem, f"add {name!r} before the *: its value at t-1, even if no equation reads it: {line}"
        )


def _check_used(read: set[str], definition: Definition, text: Text) -> None:
    kept = read | set(definition.returned)
    for argument in definition.keyword_only:
        if argument.name not in kept:
            what = "parameter" if argument.default is None else "constant"
            problem = f"the {what} {argument.name!r} is never used"
            raise CellError(text.place(argument.node), problem, "use it or remove it")
    for assignment in definition.assignments:
        if assignment.name not in kept:
            problem = f"{assignment.name!r} is computed and never used"
            raise CellError(text.place(assignment.node), problem, "use it or remove it")


def _undefined(node: ast.Name, definition: Definition, text: Text) -> CellError:
    name, place = node.id, text.place(node)
    later = [assignment.name for assignment in definition.assignments]
    if name in later:
        remedy = "move its equation up; for its value at t-1 make it a state: an argument that is returned"
        return CellError(place, f"{name!r} is read before it is assigned", remedy)
    if name in FUNCTIONS or name in STRUCTURAL:
        return CellError(place, f"{name!r} is a function", f"call it: {name}(...)")
    hint = did_you_mean(name, [*(argument.name for argument in definition.arguments), *later])
    return CellError(place, f"the name {name!r} is not defined", f"{hint}make it an argument or assign it first")


def _names_in(node: ast.AST) -> Iterator[ast.Name]:
    """The names read, in the order written; called functions are not names."""
    if isinstance(node, ast.Name):
        yield node
    children = node.args if isinstance(node, ast.Call) else ast.iter_child_nodes(node)
    for child in [node.value] if isinstance(node, ast.Subscript) else children:  # what rows are cut at are sizes
        yield from _names_in(child)
