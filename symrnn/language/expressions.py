"""The whitelist: which expressions belong to the cell language, and what to write instead of those that do not."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from symrnn.algebra.functions import FUNCTIONS
from symrnn.errors import CellError
from symrnn.language.annotations import MAX_SIZE
from symrnn.language.axes import axis_of, spread_axis
from symrnn.language.operations import ALONG, STRUCTURAL
from symrnn.language.text import Text
from symrnn.suggestions import did_you_mean

#: Operators that stand for a function of the table.
OPERATORS: Mapping[type[ast.operator], str] = {ast.Mod: "remainder", ast.Pow: "power"}
_UNLISTED = {*OPERATORS.values(), "box", "normal_density"}  # those that operators write, and slopes of other functions

_MOST_PARTS = 64  # more gates than any cell has; every part is an equation
_BINARY = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.MatMult, ast.Mod, ast.Pow)
_ALLOWED = "allowed are + - * / @ ** %, unary minus, numbers, names, .T, and the functions " + ", ".join(
    name for name in [*FUNCTIONS, *STRUCTURAL] if name not in _UNLISTED
)
_ONLY_T = "the only attribute is .T, the transpose; functions are called by name, as in tanh(v), np.tanh(v) or v.sum()"
_OBJECTS = ("self", "params", "p", "cls", "args", "cell", "model", "weights")
_NUMBERS = "numbers are written as 1, 0.5 or 1e-3, up to a million in size"
_CHOOSE = "choose with step, relu, maximum or minimum"
_ONE_EQUATION = "write every step as a line 'name = expression'"
_NAME_PARTS = "a value is used as a whole: give its parts names of their own, as arguments or states"
_TIME = "write the equations of one time step; they are repeated over time"

#: What other libraries call it -> what to write here.
_CALLED_HERE: Mapping[str, str] = {
    "matmul": "A @ B",
    "dot": "A @ B",
    "multiply": "a * b",
    "add": "a + b",
    "subtract": "a - b",
    "divide": "a / b",
    "square": "a ** 2",
    "transpose": "A.T",
    **{alias: f"{row.name}({', '.join('abc'[: row.arity])})" for row in FUNCTIONS.values() for alias in row.aliases},
}

_LAYER = "write W @ x + b, with W and b as arguments behind the *"
_RANDOM = "what is random is an input: make it an input of the cell"
_SPREAD = "numbers are repeated into every entry: write 0 or 1"

#: What other libraries have and the language has not -> what to do instead.
_INSTEAD: Mapping[str, str] = {
    **dict.fromkeys(("Linear", "Dense", "Embedding", "Conv1d", "Conv2d"), _LAYER),
    **dict.fromkeys(("randn", "rand", "random", "normal", "uniform", "dropout", "Dropout", "bernoulli"), _RANDOM),
    **dict.fromkeys(("zeros", "ones", "full", "empty"), _SPREAD),
    **dict.fromkeys(("where", "cond", "select", "piecewise"), _CHOOSE),
    **dict.fromkeys(("einsum", "tensordot", "bmm"), "write products with @, and outer(v, k)"),
    **dict.fromkeys(("reshape", "view", "squeeze", "unsqueeze", "flatten"), "a value has one shape: leave it out"),
    **dict.fromkeys(("array", "asarray", "tensor", "float", "float32", "cast"), "leave it out"),
    "print": "remove it",
    "eye": "write the value itself: I @ x is x",
    "diag": "write d * x for diag(d) @ x",
    "sqrtm": "write sqrt(...), entry by entry",
}

#: Syntax that is not part of the language -> how it is called, and what to do instead.
_REFUSED: Mapping[type[ast.AST], tuple[str, str]] = {
    ast.ListComp: ("a comprehension", _TIME),
    ast.SetComp: ("a comprehension", _TIME),
    ast.DictComp: ("a comprehension", _TIME),
    ast.GeneratorExp: ("a comprehension", _TIME),
    ast.Subscript: ("indexing", _NAME_PARTS),
    ast.Slice: ("a slice", _NAME_PARTS),
    ast.Starred: ("*unpacking", _NAME_PARTS),
    ast.Lambda: ("a lambda", _ONE_EQUATION),
    ast.IfExp: ("an if-expression", _CHOOSE),
    ast.Compare: ("a comparison", _CHOOSE),
    ast.BoolOp: ("and/or", _CHOOSE),
    ast.NamedExpr: ("an assignment inside an expression", _ONE_EQUATION),
    ast.JoinedStr: ("an f-string", _ALLOWED),
    ast.List: ("a list", "join vectors with concat(a, b)"),
    ast.Tuple: ("a tuple", "join vectors with concat(a, b)"),
    ast.Set: ("a set", _ALLOWED),
    ast.Dict: ("a dictionary", _ALLOWED),
    ast.Await: ("await", _ALLOWED),
    ast.Yield: ("yield", "end the cell with one 'return' of its states"),
    ast.YieldFrom: ("yield", "end the cell with one 'return' of its states"),
    ast.FunctionDef: ("a function inside the cell", _ONE_EQUATION),
    ast.AsyncFunctionDef: ("an async function", "write a plain 'def'"),
    ast.ClassDef: ("a class", "a cell is a function"),
    ast.Expr: ("an expression on its own", "assign it to a name, or remove it"),
    ast.AugAssign: ("an assignment such as +=", "write a new 'name = expression'"),
    ast.AnnAssign: ("an annotation without a value", "write 'name: \"shape\" = expression', or annotate the argument"),
    ast.Delete: ("'del'", "remove it"),
    ast.Global: ("'global'", "every value is an argument or an equation"),
    ast.Nonlocal: ("'nonlocal'", "every value is an argument or an equation"),
    ast.Import: ("an import inside the cell", "the functions of the language need no import"),
    ast.ImportFrom: ("an import inside the cell", "the functions of the language need no import"),
    ast.If: ("'if'", _CHOOSE),
    ast.Match: ("'match'", _CHOOSE),
    ast.For: ("'for'", _TIME),
    ast.AsyncFor: ("'async for'", _TIME),
    ast.While: ("'while'", _TIME),
    ast.With: ("'with'", "remove it"),
    ast.AsyncWith: ("'async with'", "remove it"),
    ast.Try: ("'try'", "remove it"),
    ast.Raise: ("'raise'", "remove it"),
    ast.Assert: ("'assert'", "remove it; shapes are checked, and said with annotations"),
    ast.Pass: ("'pass'", "remove it"),
    ast.Break: ("'break'", "remove it"),
    ast.Continue: ("'continue'", "remove it"),
    ast.FloorDiv: ("the operator //", "divide with /"),
    ast.BitXor: ("the operator ^", "powers are written with **"),
    ast.BitAnd: ("the operator &", _ALLOWED),
    ast.BitOr: ("the operator |", _ALLOWED),
    ast.LShift: ("the operator <<", _ALLOWED),
    ast.RShift: ("the operator >>", _ALLOWED),
    ast.UAdd: ("a plus sign in front", "leave it out"),
    ast.Invert: ("the operator ~", _ALLOWED),
    ast.Not: ("'not'", _CHOOSE),
}


def refusal(node: ast.AST, text: Text) -> CellError:
    """The error for syntax that is not part of the language."""
    kind = node.op if isinstance(node, ast.BinOp | ast.UnaryOp) else node
    special = _special(node, text)
    if special is not None:
        return CellError(text.place(node), *special)
    name, remedy = _REFUSED.get(type(kind), (f"'{type(kind).__name__.lower()}'", _ALLOWED))
    return CellError(text.place(node), f"{name} is not part of the cell language", remedy)


def _special(node: ast.AST, text: Text) -> tuple[str, str] | None:
    """What is wrong with syntax that looks like something meant, and what to write instead."""
    match node:
        case ast.Expr(value=ast.Compare(left=ast.Name() as left, ops=[ast.Eq()], comparators=[value])):
            return "== compares, and defines nothing", f"write one =: {left.id} = {show(value)}"
        case ast.Expr(
            value=ast.Compare(
                left=ast.Name() as left, ops=[ast.Lt()], comparators=[ast.UnaryOp(op=ast.USub(), operand=value)]
            )
        ):
            return "<- is no assignment", f"write '{left.id} = {show(value)}'"
        case ast.BinOp(left=left, op=ast.BitXor(), right=right):
            base, power = _neighbour(left, "right", text), show(_neighbour(right, "left", text))
            shown = f"({show(base)})" if isinstance(base, ast.BinOp) else show(base)
            if power == "T":
                return "^T is no transpose", f"write {shown}.T"
            remedy = f"powers are written with **: write {shown} ** {power}"
            return "the operator ^ is not part of the cell language", remedy
        case ast.Subscript(slice=ast.Constant(value=str(name))):
            return "a dictionary is not part of the cell language", f"write {name}, an argument behind the *"
        case ast.Subscript(value=ast.Name(id=name), slice=ast.Name() | ast.BinOp() as step):
            time = "" if isinstance(step, ast.Name) else ": what is read before its equation is the value at t-1"
            return "the step is understood in the cell language", f"write {name}{time}"
        case ast.Tuple(elts=[ast.Constant(value=int(whole)), ast.Constant(value=int(tenths))]) if _adjacent(node):
            return "a comma is no decimal point", f"write {whole}.{tenths}"
        case ast.Tuple(elts=[ast.Constant(value=int(whole)), ast.BinOp(left=ast.Constant(value=int(tenths)))]):
            return "a comma is no decimal point", f"write {whole}.{tenths}"
    return None


def _neighbour(node: ast.expr, side: str, text: Text) -> ast.expr:
    """What stands next to a ^, which binds less tightly than authors think; what is in brackets is taken whole."""
    line = text.line(node.lineno).encode()
    start, end = node.col_offset, node.end_col_offset or 0
    bracket = line[end : end + 1] == b")" if side == "right" else line[start - 1 : start] == b"("
    return node if bracket or not isinstance(node, ast.BinOp) else _neighbour(getattr(node, side), side, text)


def _adjacent(node: ast.Tuple) -> bool:
    return node.elts[0].end_col_offset == node.elts[1].col_offset - 1


def check_expression(node: ast.expr, text: Text) -> None:
    """Walk an expression against the whitelist.

    Raises:
        CellError: it contains something else.
    """
    match node:
        case ast.Name():
            # The helpers of generated modules begin so.
            if node.id.startswith("_"):
                problem = f"the name {node.id!r} begins with an underscore"
                raise CellError(text.place(node), problem, "names are letters, digits and underscores, as in W_f")
        case ast.Constant():
            _check_number(node, text)
        case ast.BinOp(op=ast.Pow()):
            check_expression(node.left, text)
            _check_power(node, text)
        case ast.BinOp(op=operation) if isinstance(operation, _BINARY):
            for side in (node.left, node.right):
                is_spread = not isinstance(operation, ast.MatMult) and spread_axis(side) is not None
                check_expression(side.value if is_spread else side, text)  # type: ignore[attr-defined]
        case ast.UnaryOp(op=ast.USub()):
            check_expression(node.operand, text)
        case ast.Attribute():
            if node.attr != "T":
                problem = f"the attribute .{node.attr} is not part of the cell language"
                own = isinstance(node.value, ast.Name) and node.value.id in _OBJECTS
                remedy = f"write {node.attr}, an argument behind the *" if own else _ONLY_T
                raise CellError(text.place(node), problem, remedy)
            check_expression(node.value, text)
        case ast.Call():
            _check_call(node, text)
        case ast.Subscript():
            _check_part(node, text)
        case _:
            raise refusal(node, text)


def _check_number(node: ast.Constant, text: Text) -> None:
    value = node.value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise CellError(text.place(node), f"{show(node)} is not a number of the language", _NUMBERS)
    # Not `> 1e6`: NaN and infinity are refused with it.
    if not abs(value) <= 1e6:
        raise CellError(text.place(node), "the number is too large", _NUMBERS)


def is_literal(node: ast.expr) -> bool:
    """Whether an expression consists of numbers alone: 0.1, -2, 1 / 3."""
    match node:
        case ast.Constant(value=value):
            return isinstance(value, int | float) and not isinstance(value, bool)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return is_literal(operand)
        case ast.BinOp(op=ast.Add() | ast.Sub() | ast.Mult() | ast.Div() | ast.Pow(), left=left, right=right):
            return is_literal(left) and is_literal(right)
    return False


def exponent(node: ast.expr) -> int | None:
    """The whole number that a power's exponent is, or None."""
    negative = isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub)
    inner = node.operand if isinstance(node, ast.UnaryOp) and negative else node
    if isinstance(inner, ast.Constant) and type(inner.value) is int and 1 <= inner.value <= 8:
        return -inner.value if negative else inner.value
    return None


def _check_power(node: ast.BinOp, text: Text) -> None:
    if exponent(node.right) is not None:
        return
    inner = node.right.operand if isinstance(node.right, ast.UnaryOp) else node.right
    is_fixed = not any(isinstance(part, ast.Name) for part in ast.walk(node.right))
    if is_fixed and not (isinstance(inner, ast.Constant) and type(inner.value) is float and inner.value % 1):
        remedy = "whole exponents go from 1 to 8, or are their negatives; others need a positive base"
        raise CellError(text.place(node.right), f"the exponent {show(node.right)} is not allowed", remedy)
    check_expression(node.right, text)


def _check_part(node: ast.Subscript, text: Text) -> None:
    """Rows of a value: `a[:d_h]`, or one of its equal parts: `split(a, 4)[0]`."""
    match node:
        case ast.Subscript(value=ast.Call(func=ast.Name(id="split"), args=[whole, count]), slice=part):
            number, parts = _whole(part), _whole(count)
            if number is None or parts is None or not 0 <= number < parts <= _MOST_PARTS:
                raise CellError(
                    text.place(part), "this is no part of a split", "write split(a, 4)[0] to split(a, 4)[3]"
                )
            check_expression(whole, text)
        case ast.Subscript(slice=ast.Slice(lower=lower, upper=upper, step=None)):
            for bound in (lower, upper):
                if bound is not None:
                    _check_bound(bound, text)
            check_expression(node.value, text)
        case ast.Subscript(slice=ast.Tuple(elts=[_, part])) if isinstance(part, ast.Slice):
            remedy = f"a value is that of one example: leave the batch out, as in {show(node.value)}[{show(part)}]"
            raise CellError(text.place(node), "rows of a batch are not part of the cell language", remedy)
        case _:
            raise refusal(node, text)


def _whole(node: ast.expr) -> int | None:
    return node.value if isinstance(node, ast.Constant) and type(node.value) is int else None


def _check_bound(node: ast.expr, text: Text) -> None:
    match node:
        case ast.Name():
            return
        case ast.Constant(value=int(value)) if 0 <= value <= MAX_SIZE and value is not True and value is not False:
            return
        case ast.BinOp(op=ast.Add() | ast.Mult(), left=left, right=right):
            _check_bound(left, text)
            _check_bound(right, text)
            return
    raise CellError(text.place(node), f"{show(node)} is no size", "cut rows at sizes, as in a[:d_h] and a[d_h:2*d_h]")


def _check_call(node: ast.Call, text: Text) -> None:
    name = _called(node, text)
    if node.keywords and not (name in ALONG and len(node.keywords) == 1 and axis_of(node) in (0, 1, -1)):
        keyword = node.keywords[0]
        if name in ALONG and keyword.arg:
            raise CellError(text.place(keyword), f"{name} takes axis=0, axis=1 or axis=-1", "0 goes down the rows")
        problem = f"{name} takes no keyword arguments" if keyword.arg else f"{name} takes no **unpacking"
        raise CellError(text.place(keyword), problem, f"write {name}(...) with its arguments in order")
    for arg in node.args:
        if isinstance(arg, ast.Starred):
            raise refusal(arg, text)
    count = FUNCTIONS[name].arity if name in FUNCTIONS else STRUCTURAL[name]
    fewest = FUNCTIONS[name].needed if name in FUNCTIONS else count
    given = len(node.args)
    if given != count and not (count is None and given >= 2) and not (fewest and count and fewest <= given <= count):
        expected = "two or more arguments" if count is None else f"{count} argument{'s' * (count > 1)}"
        expected = expected if fewest == count else f"{fewest} to {expected}"
        remedy = f"write {name}(A, axis=0), or {name}(A, axis=1)" if name in ALONG else "add or remove arguments"
        raise CellError(text.place(node), f"{name} takes {expected}, got {given}", remedy)
    for arg in node.args:
        check_expression(arg, text)


def _called(node: ast.Call, text: Text) -> str:
    """The name of the function called, which is one of the language's."""
    # A split that is alone on the right side was taken apart before; what is left stands inside an expression.
    if isinstance(node.func, ast.Name) and node.func.id.startswith("split"):
        raise CellError(text.place(node), "split gives several values", "assign them: 'a, b = split(..., 2)'")
    known = [*FUNCTIONS, *STRUCTURAL]
    if isinstance(node.func, ast.Name) and node.func.id in known:
        return node.func.id
    dotted = isinstance(node.func, ast.Attribute)
    name = node.func.attr if isinstance(node.func, ast.Attribute) else show(node.func)
    if dotted and name in known:
        remedy = f"write {name}(...); the functions of the language need no module"
    elif name in _CALLED_HERE:
        remedy = f"write {_CALLED_HERE[name]}"
    elif (inner := _innermost(node)) in _INSTEAD:
        remedy = _INSTEAD[inner]
    else:
        remedy = did_you_mean(name, known) + _ALLOWED
    if isinstance(node.func, ast.Name):
        raise CellError(text.place(node), f"unknown function {name!r}", remedy)
    raise CellError(text.place(node), f"{show(node.func)} cannot be called", remedy)


def _innermost(node: ast.Call) -> str:
    """The name of what is called, or of what made it: Linear in nn.Linear(3, 4)(x)."""
    func = node.func
    # nn.Linear(3, 4)(x) calls what a call has made: the remedy is that of Linear.
    while isinstance(func, ast.Call):
        func = func.func
    return func.attr if isinstance(func, ast.Attribute) else func.id if isinstance(func, ast.Name) else ""


def show(node: ast.AST) -> str:
    """A node's text, shortened."""
    try:
        shown = ast.unparse(node)
    except (RecursionError, ValueError):  # a whole number of more than 4300 digits
        return "this"
    return shown if len(shown) <= 40 else shown[:37] + "..."
