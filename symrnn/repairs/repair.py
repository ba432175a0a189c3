"""Mistakes in a backward pass whose text is at hand: what to change in it, and the proof that this is enough."""

from __future__ import annotations

import ast
import linecache
import os
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from symrnn.callables.invocation import SubjectError
from symrnn.callables.subject import Subject
from symrnn.errors import InputError
from symrnn.findings.findings import Diagnosis, SourceLine
from symrnn.findings.sentences import listed
from symrnn.repairs.code import find_units, installed, restore
from symrnn.repairs.edits import SourceEdit
from symrnn.repairs.search import Search
from symrnn.repairs.sights import target_of
from symrnn.repairs.trials import Trials


@dataclass(frozen=True)
class Repair:
    """What was found.

    Attributes:
        mistakes: what has to be changed, each with its line.
        left: the gradients that are still wrong then.
        complete: whether the search came to its end.
    """

    mistakes: tuple[Diagnosis, ...] = ()
    left: frozenset[str] = frozenset()
    complete: bool = True


def repair(subject: Subject, names: Collection[str], wrong: Collection[str], seed: int) -> Repair:
    """Mend the functions under test as people make mistakes, until their gradients are right.

    Args:
        subject: the functions; they are left as they were.
        names: the gradients that are compared.
        wrong: those that are wrong.
        seed: of all numbers.

    Returns:
        The mistakes.  None where the functions' text is not at hand.
    """
    nothing = Repair(left=frozenset(wrong))
    if not wrong:
        return nothing
    try:
        trials = Trials(subject, names, seed)
        units = find_units(trials.run)
    except (SubjectError, InputError, ValueError):
        return nothing
    if not units:
        return nothing
    search = Search(units, trials)
    texts = {one: ast.unparse(one) for unit in units for one in ast.walk(unit.tree) if isinstance(one, ast.stmt)}
    files = {one: unit.file for unit in units for one in ast.walk(unit.tree) if isinstance(one, ast.stmt)}
    try:
        search.run()
        return _told(search, texts, files, frozenset(wrong))
    finally:
        restore(units)  # a signal may have come while that was done before
        search.undo()
        _run_as_given(trials)


def _run_as_given(trials: Trials) -> None:
    """One run of the functions as they were given: what they keep from call to call is then their own."""
    try:
        trials.run()
    except (SubjectError, InputError, ValueError):
        return


def _told(search: Search, texts: dict[ast.stmt, str], files: dict[ast.stmt, str], wrong: frozenset[str]) -> Repair:
    score = search.score()
    right = frozenset() if score is None else score.of_first() & _right_elsewhere(search)
    if score is None or (not score.wrong and not right >= wrong):
        return Repair(left=wrong, complete=search.complete)
    mistakes = []
    edits = [one.edit for one in search.made]
    for edit in edits:
        rest = search.only([one for one in edits if one is not edit])
        mended = sorted(right - (frozenset() if rest is None else rest.of_first()))
        if mended:
            agreement = search.trials.worst(score, mended)
            mistakes.append(_diagnosis(search, edit, texts, files, mended, agreement))
    return Repair(tuple(mistakes), wrong - right, search.complete)


def _right_elsewhere(search: Search) -> frozenset[str]:
    with installed(search.units):
        return search.trials.right_elsewhere()


def _diagnosis(
    search: Search,
    edit: SourceEdit,
    texts: dict[ast.stmt, str],
    files: dict[ast.stmt, str],
    mended: list[str],
    agreement: float,
) -> Diagnosis:
    old, new = _differing(texts.get(edit.statement, ""), _new_text(edit))
    gradients = f"gradient{'s' if len(mended) > 1 else ''} of {listed(mended)}"
    verb = "are" if len(mended) > 1 else "is"
    first = old.split("\n")[0]
    if new:
        sentence = f"The {gradients} {verb} right with `{new}` in the place of `{first}`."
    else:
        sentence = f"The {gradients} {verb} right without `{first}`."
    with_others = len(search.made) > 1
    sentence += " The other changes that are named are made as well." if with_others else ""
    file = files.get(edit.statement, "")
    text = linecache.getline(file, edit.line).strip() or first
    target = target_of(edit.statement)
    variable = "" if target is None else ast.unparse(target)
    line = SourceLine(os.path.basename(file), edit.line, text, variable, "") if file else None
    return Diagnosis(edit.tag, None, new, "", tuple(mended), agreement, sentence, line=line)


def _differing(old: str, new: str) -> tuple[str, str]:
    """Two statements that assign several values, as the one assignment in which they differ."""
    pairs = [_assigned(text) for text in (old, new)]
    if pairs[0] is None or pairs[1] is None or len(pairs[0]) != len(pairs[1]):
        return old, new
    other = [(one, two) for one, two in zip(*pairs, strict=True) if one != two]
    return other[0] if len(other) == 1 else (old, new)


def _assigned(text: str) -> list[str] | None:
    """`a, b = x, y` as `a = x` and `b = y`."""
    try:
        body: Any = ast.parse(text).body
    except SyntaxError:  # the first line of a loop
        return None
    if len(body) != 1 or not isinstance(body[0], ast.Assign):
        return None
    targets, value = body[0].targets[0], body[0].value
    if not (isinstance(targets, ast.Tuple) and isinstance(value, ast.Tuple) and len(targets.elts) == len(value.elts)):
        return None
    return [f"{ast.unparse(a)} = {ast.unparse(b)}" for a, b in zip(targets.elts, value.elts, strict=True)]


def _new_text(edit: SourceEdit) -> str:
    """The statement as it should be, in one line; empty where it should not be there."""
    block = next((one.new for one in edit.changes if isinstance(one.new, list)), None)
    if block is not None:
        return "; ".join(ast.unparse(one).split("\n")[0] for one in block)
    return ast.unparse(edit.statement).split("\n")[0]
