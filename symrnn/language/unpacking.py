"""Statements that define several values, or change one: rewritten as one `name = expression` each, each name once.

a_i, a_f, a_o = split(W @ x + b, 3)       the three parts of one value, which gets a name of its own
i, f = sigmoid(a), sigmoid(b)             two equations
c += i * g                                c = c + i * g
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from itertools import pairwise, takewhile

from symrnn.errors import CellError
from symrnn.language.expressions import refusal
from symrnn.language.spelling import BY_SIZE
from symrnn.language.text import Text

_LETTERS = ("a", "s", "u", "v", "net", "pre", "gates", "stacked")
"""Names for a value that is cut into parts, the first that is free."""


def equations(statement: ast.stmt, taken: set[str], text: Text) -> list[tuple[ast.Name, ast.expr, ast.expr | None]]:
    """A statement as equations: what each assigns to, its value, and its annotation.

    Args:
        statement: the statement.
        taken: the names in use; a name made here is added.
        text: the text, for messages.

    Raises:
        CellError: the statement is no equation of the language.
    """
    match statement:
        case ast.Assign(targets=[ast.Name() as target], value=value):
            return [(target, value, None)]
        case ast.AnnAssign(target=ast.Name() as target, annotation=annotation, value=ast.expr() as value):
            return [(target, value, annotation)]
        case ast.Assign(targets=[ast.Tuple(elts=targets) | ast.List(elts=targets)], value=value):
            return list(_unpacked(statement, targets, value, taken, text))
        case ast.Assign(targets=[first, second, *_]):
            remedy = f"write {_several([first, second], statement.value)}, each on its own line"
            raise CellError(text.place(second), "an equation assigns to one name", remedy)
        case ast.Assign(targets=[target]):
            raise CellError(
                text.place(target), "an equation assigns to one name", "write one 'name = expression' a line"
            )
    raise refusal(statement, text)


def name_once(function: ast.FunctionDef) -> None:
    """Give a value that is changed, as in f = sigmoid(f), a name of its own before: that of f's pre-activation, a_f.

    The function is changed in place: it belongs to the caller, who has just parsed it.
    """
    function.body = [_plain(statement) for statement in function.body]
    arguments = {argument.arg for argument in [*function.args.args, *function.args.kwonlyargs]}
    returned = {n.id for n in ast.walk(function.body[-1]) if isinstance(n, ast.Name)}
    taken = arguments | {node.id for node in ast.walk(function) if isinstance(node, ast.Name)}
    stored: dict[str, list[int]] = {}
    for place, statement in enumerate(function.body):
        for node in ast.walk(statement):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                stored.setdefault(node.id, []).append(place)
    for name, places in stored.items():
        if name in arguments - returned or len(set(places)) != len(places):
            continue
        for first, second in pairwise(places):
            if _reads(function.body[second], name):
                own = _first_free(name, taken)
                for place in range(first, second + 1):
                    _rename(function.body[place], name, own, is_first=place == first)


def _plain(statement: ast.stmt) -> ast.stmt:
    """`c += i * g` as c = c + i * g."""
    if not isinstance(statement, ast.AugAssign) or not isinstance(statement.target, ast.Name):
        return statement
    read = ast.copy_location(ast.Name(statement.target.id, ast.Load()), statement.target)
    value = ast.copy_location(ast.BinOp(read, statement.op, statement.value), statement)
    return ast.copy_location(ast.Assign([statement.target], value), statement)


def _first_free(name: str, taken: set[str]) -> str:
    own = next(
        n for n in (f"{letter}{k}_{name}" for k in ("", *range(1, 1000)) for letter in _LETTERS) if n not in taken
    )
    taken.add(own)
    return own


def _reads(statement: ast.stmt, name: str) -> bool:
    return any(isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Load) for n in ast.walk(statement))


def _rename(statement: ast.stmt, name: str, own: str, is_first: bool) -> None:
    """Rename what is stored by the first statement, and what the later ones read."""
    for node in ast.walk(statement):
        if isinstance(node, ast.Name) and node.id == name:
            is_store = isinstance(node.ctx, ast.Store)
            if (is_first and is_store) or (not is_first and not is_store):
                node.id = own


def _several(targets: Sequence[ast.expr], value: ast.expr) -> str:
    shown = ast.unparse(value)
    shown = shown if len(shown) <= 40 else shown[:37] + "..."
    return " and ".join(f"'{ast.unparse(target)} = {shown}'" for target in targets)


def _unpacked(
    statement: ast.Assign, targets: Sequence[ast.expr], value: ast.expr, taken: set[str], text: Text
) -> Iterator[tuple[ast.Name, ast.expr, ast.expr | None]]:
    names = []
    for target in targets:
        if not isinstance(target, ast.Name):
            raise CellError(text.place(target), "an equation assigns to names", "write a name here")
        names.append(target)
    if isinstance(value, ast.Tuple | ast.List):
        yield from _side_by_side(names, value, text)
        return
    called = value.func.id if isinstance(value, ast.Call) and isinstance(value.func, ast.Name) else ""
    if not isinstance(value, ast.Call) or called not in ("split", BY_SIZE):
        problem = f"{len(names)} names for one value"
        example = f"{', '.join(name.id for name in names)} = split(..., {len(names)})"
        raise CellError(
            text.place(value), problem, f"cut it into equal parts, as in '{example}', or into rows: a[:d_h]"
        )
    whole, cut = _cut(value, len(names), text)
    if not isinstance(whole, ast.Name):
        own = ast.copy_location(ast.Name(_free(names, taken), ast.Store()), whole)
        yield own, whole, None
        whole = ast.copy_location(ast.Name(own.id, ast.Load()), whole)
    for name, part in zip(names, cut, strict=True):
        if name.id == "_":
            continue
        yield name, ast.copy_location(_part(whole, part), name), None


Bounds = tuple[ast.expr | None, ast.expr | None]


def _cut(call: ast.Call, count: int, text: Text) -> tuple[ast.expr, Sequence[tuple[int, int] | Bounds]]:
    """What is cut, and its parts: number and count, or bounds."""
    if len(call.args) != 2 or call.keywords:
        raise CellError(text.place(call), "split takes a value and a number", f"write split(..., {count})")
    whole, by = call.args
    if isinstance(call.func, ast.Name) and call.func.id == BY_SIZE:
        if isinstance(by, ast.Constant):
            problem = "torch's split is told how many rows a part has"
            raise CellError(text.place(by), problem, f"write split(..., {count}), with the number of parts")
        bounds = [ast.BinOp(ast.Constant(number), ast.Mult(), by) for number in range(1, count)]
        return whole, list(pairwise([None, by, *bounds[1:], ast.BinOp(ast.Constant(count), ast.Mult(), by)]))
    match by:
        case ast.Constant(value=int(number)) if number == count:
            return whole, [(index, count) for index in range(count)]
        case ast.Constant(value=int(number)):
            remedy = f"write split(..., {count}), or {number} names on the left"
            raise CellError(text.place(by), f"{count} names for {number} parts", remedy)
        case ast.List(elts=cuts) | ast.Tuple(elts=cuts) if len(cuts) == count - 1:
            return whole, list(pairwise([None, *cuts, None]))
    raise CellError(text.place(by), "the number of parts is not a number", f"write split(..., {count})")


def _part(whole: ast.expr, part: tuple[int, int] | Bounds) -> ast.Subscript:
    """One part of a value."""
    match part:
        case (int(index), int(count)):
            cut = ast.Call(ast.Name("split", ast.Load()), [whole, ast.Constant(count)], [])
            result = ast.Subscript(cut, ast.Constant(index), ast.Load())
        case (lower, upper):
            assert not isinstance(lower, int)
            assert not isinstance(upper, int)
            result = ast.Subscript(whole, ast.Slice(lower, upper), ast.Load())
    for node in ast.walk(result):
        if isinstance(node, ast.expr) and not hasattr(node, "lineno"):
            ast.copy_location(node, whole)
    return result


def _free(names: Sequence[ast.Name], taken: set[str]) -> str:
    """A name for the value whose parts have these: what they begin with, or the first letter that is free."""
    common = _beginning([name.id for name in names]).rstrip("_")
    for name in (common, *_LETTERS, *(f"a{number}" for number in range(1, 1000))):
        if name and name not in taken:
            taken.add(name)
            return name
    raise AssertionError("a thousand values without a name in one cell")


def _beginning(words: Sequence[str]) -> str:
    """What all the words begin with."""
    alike = list(takewhile(lambda letters: len(set(letters)) == 1, zip(*words, strict=False)))
    return "".join(letters[0] for letters in alike)


def _side_by_side(
    names: Sequence[ast.Name], values: ast.Tuple | ast.List, text: Text
) -> Iterator[tuple[ast.Name, ast.expr, ast.expr | None]]:
    """`a, b = x, y` as two equations, where the second does not read the old a."""
    if len(names) != len(values.elts):
        problem = f"{len(names)} names for {len(values.elts)} values"
        raise CellError(text.place(values), problem, "write one 'name = expression' a line")
    done: set[str] = set()
    for name, value in zip(names, values.elts, strict=True):
        stale = [n for n in ast.walk(value) if isinstance(n, ast.Name) and n.id in done]
        if stale:
            problem = f"{stale[0].id!r} is meant here as it was before this line"
            remedy = f"write two lines, this one first: '{name.id} = {ast.unparse(value)}'"
            raise CellError(text.place(stale[0]), problem, remedy)
        done.add(name.id)
        yield name, value, None
