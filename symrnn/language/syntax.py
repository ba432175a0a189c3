"""Python text -> checked syntax.

A cell's text is parsed with `ast` and compared with a whitelist; nothing of it is ever imported or executed.  What
comes out is a `Definition`: a function's names and assignments in a form that the rest of the package can rely on.
Shapes and mathematics are not this module's business.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence

from symrnn.algebra.functions import FUNCTIONS
from symrnn.characters import clean_lines, escaped_program
from symrnn.errors import CellError
from symrnn.language.core import core
from symrnn.language.definition import Argument, Assignment, Definition
from symrnn.language.expressions import check_expression, is_literal, refusal
from symrnn.language.names import check_name, check_spelling, check_use
from symrnn.language.operations import STRUCTURAL
from symrnn.language.roles import canonical
from symrnn.language.spelling import Spelling
from symrnn.language.text import Text, parse, read_file
from symrnn.language.unpacking import equations, name_once

__all__ = ["Argument", "Assignment", "Definition", "Text", "definitions", "parse", "read_file"]

_EXAMPLE = "write 'def name(x, h, *, W, U, b): ...' with a return of the new state"


def definitions(text: Text, wanted: str | None = None) -> list[Definition]:
    """The cells that a text defines, checked: the functions marked with `@cell`, or all where none is marked.

    Args:
        text: the text of a cell file.
        wanted: check and return this one only.

    Raises:
        CellError: the text does something else than define functions, or a function is not a cell.
    """
    tree = parse(text)
    functions = list(_functions(tree, text))
    marked = [function for function in functions if any(_is_cell_mark(d) for d in function.decorator_list)]
    found: dict[str, ast.FunctionDef] = {}
    for function in marked or functions:
        if function.name in found:
            first = text.place(found[function.name]).line
            problem = f"a cell named {function.name!r} is defined twice, first in line {first}"
            raise CellError(text.place(function), problem, "give the second one another name")
        found[function.name] = function
    chosen = [function for name, function in found.items() if wanted is None or name == wanted]
    if not chosen:
        what = f"no cell named {wanted!r} here" if wanted is not None else "no cell is defined here"
        remedy = f"there are {', '.join(list(found)[:20])}" if found else _EXAMPLE
        raise CellError(text.start, what, remedy)
    return [_definition(function, text) for function in chosen]


def _functions(tree: ast.Module, text: Text) -> Iterator[ast.FunctionDef]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            yield node
        elif isinstance(node, ast.AsyncFunctionDef | ast.ClassDef):
            raise refusal(node, text)
        elif not (isinstance(node, ast.Import | ast.ImportFrom) or _is_docstring(node) or _is_main_guard(node)):
            raise CellError(
                text.place(node),
                "a cell file holds imports and functions only; it is read, never run",
                "remove the line, or move it under 'if __name__ == \"__main__\":'",
            )


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _is_main_guard(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and not node.orelse and ast.unparse(node.test) == "__name__ == '__main__'"


def _is_cell_mark(node: ast.expr) -> bool:
    if isinstance(node, ast.Attribute):
        return node.attr == "cell" and isinstance(node.value, ast.Name)
    return isinstance(node, ast.Name) and node.id == "cell"


def _definition(function: ast.FunctionDef, text: Text) -> Definition:
    _check_heading(function, text)
    roles = canonical(function, text)
    name_once(function)
    positional, keyword_only = _arguments(function, roles.called, text)
    has_docstring = _is_docstring(function.body[0])
    body = function.body[1:] if has_docstring else function.body
    for statement in body[:-1]:
        if isinstance(statement, ast.Return):
            raise CellError(text.place(statement), "a cell returns once, at its end", "keep the last 'return' only")
    if not body or isinstance(body[-1], ast.Assign | ast.AnnAssign | ast.Pass | ast.Expr):
        last = body[-1] if body else function
        raise CellError(text.place(last), "a cell ends with 'return'", f"end it with {_states_meant(function)}")
    assignments = tuple(_assignments(function, body[:-1], text))
    if not isinstance(body[-1], ast.Return):
        raise refusal(body[-1], text)
    definition = Definition(
        name=function.name,
        docstring=clean_lines(ast.get_docstring(function) or "") if has_docstring else "",
        positional=positional,
        keyword_only=keyword_only,
        assignments=assignments,
        returned=_returned(body[-1], text),
        text=escaped_program(_own_text(function, text)),
        place=text.place,
        written=roles.written,
    )
    check_use(definition, function, text)
    return definition


def _states_meant(function: ast.FunctionDef) -> str:
    """The return that is missing: of the arguments that are assigned, in the order of the arguments."""
    stored = {n.id for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    states = [argument.arg for argument in function.args.args if argument.arg in stored]
    return f"'return {', '.join(states)}'" if states else "'return h' or 'return h, c'"


def _check_heading(function: ast.FunctionDef, text: Text) -> None:
    check_spelling(function, text)
    for mark in function.decorator_list:
        if isinstance(mark, ast.Call) and _is_cell_mark(mark.func):
            raise CellError(text.place(mark), "@cell takes no arguments", "write @cell without brackets")
        if not _is_cell_mark(mark):
            raise CellError(text.place(mark), "a cell takes no decorator but @cell", "remove the decorator")
    check_name(function.name, function, text, "cell")
    if getattr(function, "type_params", None):
        raise CellError(text.place(function), "a cell has no type parameters", "remove the square brackets")
    if function.returns is not None:
        raise CellError(text.place(function.returns), "a cell has no return annotation", "remove it")


def _own_text(function: ast.FunctionDef, text: Text) -> str:
    lines = text.lines[function.lineno - 1 : function.end_lineno]
    indent = len(lines[0]) - len(lines[0].lstrip())
    return "\n".join(line[indent:] if not line[:indent].strip() else line for line in lines) + "\n"


def _arguments(
    function: ast.FunctionDef, called: Mapping[str, str], text: Text
) -> tuple[tuple[Argument, ...], tuple[Argument, ...]]:
    args = function.args
    if args.posonlyargs:
        raise CellError(text.place(args.posonlyargs[0]), "a cell has no positional-only arguments", "remove the '/'")
    for star, mark in ((args.vararg, "*"), (args.kwarg, "**")):
        if star is not None:
            remedy = "name every input, state and parameter; put a bare * before the parameters"
            raise CellError(text.place(star), f"{mark}{star.arg} is not a cell's argument", remedy)
    if args.defaults:
        argument = args.args[len(args.args) - len(args.defaults)]
        remedy = f"put a constant behind the *, as in *, {argument.arg}=0.1; initial states are given to the module"
        raise CellError(text.place(args.defaults[0]), "inputs and states have no default values", remedy)
    for argument, default in zip(args.kwonlyargs, args.kw_defaults, strict=True):
        if default is not None and not is_literal(default):
            problem = f"the constant {argument.arg!r} has a value that is no number"
            raise CellError(text.place(default), problem, f"write a number, as in {argument.arg}=0.1")
        if default is not None:
            check_expression(default, text)
    seen: set[str] = set()
    for arg in [*args.args, *args.kwonlyargs]:
        check_name(arg.arg, arg, text, "argument")
        if arg.arg in seen:
            raise CellError(text.place(arg), f"the argument {arg.arg!r} occurs twice", "give one another name")
        seen.add(arg.arg)
    return (
        tuple(Argument(arg.arg, arg.annotation, arg, called=called[arg.arg]) for arg in args.args),
        tuple(
            Argument(arg.arg, arg.annotation, arg, default, arg.arg)
            for arg, default in zip(args.kwonlyargs, args.kw_defaults, strict=True)
        ),
    )


def _assignments(function: ast.FunctionDef, body: Sequence[ast.stmt], text: Text) -> Iterator[Assignment]:
    names = {node.id for node in ast.walk(function) if isinstance(node, ast.Name)}
    names |= {argument.arg for argument in [*function.args.args, *function.args.kwonlyargs]}
    spelling, taken = Spelling(_own_names(function)), names | {*FUNCTIONS, *STRUCTURAL}
    for statement in body:
        value = getattr(statement, "value", None)
        if isinstance(statement, ast.Assign | ast.AnnAssign | ast.AugAssign) and value is not None:
            statement.value = spelling.visit(value)
        for target, expression, annotation in equations(statement, taken, text):
            check_name(target.id, target, text, "variable")
            check_expression(expression, text)
            node = statement if target in ast.walk(statement) else target
            yield Assignment(target.id, core(expression), annotation, node)


def _own_names(function: ast.FunctionDef) -> set[str]:
    """The names of arguments and of what is assigned."""
    stored = {n.id for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    return stored | {argument.arg for argument in [*function.args.args, *function.args.kwonlyargs]}


def _returned(statement: ast.Return, text: Text) -> tuple[str, ...]:
    value = statement.value
    elements: Sequence[ast.expr] = (
        value.elts if isinstance(value, ast.Tuple | ast.List) else [value] if value is not None else []
    )
    if not elements:
        raise CellError(text.place(statement), "a cell returns its states", "write 'return h' or 'return h, c'")
    names: list[str] = []
    for element in elements:
        if not isinstance(element, ast.Name):
            names = [one.id for one in elements if isinstance(one, ast.Name)]
            is_none = isinstance(element, ast.Constant) and element.value is None
            remedy = "assign the expression to a state and return its name"
            remedy = f"write 'return {', '.join(names)}'" if is_none and names else remedy
            raise CellError(text.place(element), "a cell returns names", remedy)
        if element.id in names:
            raise CellError(text.place(element), f"{element.id!r} is returned twice", "return every state once")
        names.append(element.id)
    return tuple(names)
