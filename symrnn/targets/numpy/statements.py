"""Statements of a program -> lines of NumPy source."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from symrnn.algebra import nodes
from symrnn.algebra.nodes import Expr, Variable
from symrnn.printers.mathematics import MathPrinter
from symrnn.printers.syntax import TEXT
from symrnn.program.ir import Accumulate, Assign, Statement
from symrnn.targets.numpy.expressions import NumpyExpressions
from symrnn.targets.numpy.layout import Frame, ModuleNames
from symrnn.targets.numpy.products import outer_parts, product
from symrnn.targets.numpy.values import is_batched, is_thin

# What stays readable beside another window; a statement is broken between terms, never inside of one.
WIDTH = 110


def print_statements(
    layout: ModuleNames, statements: Iterable[Statement], frame: Frame, stored: Collection[Variable] = ()
) -> list[str]:
    """The lines for statements about one step (`loop`, `single`) or all steps (`all`)."""
    printer = layout.expressions(frame, stored)
    lines: list[str] = []
    for statement in statements:
        if isinstance(statement, Accumulate):
            lines += _with_number(layout, statement, _accumulate(layout, statement, frame, printer))
        else:
            lines += commented(layout, statement, assign(layout, statement, frame, printer))
    return lines


def commented(layout: ModuleNames, statement: Assign, lines: list[str]) -> list[str]:
    """The paper's equation over the lines that compute it, or its number beside them."""
    if statement.target not in layout.comments:
        return _with_number(layout, statement, lines)
    show = MathPrinter(TEXT, layout.notation)
    number = f"({layout.numbers[statement.target]}) " if statement.target in layout.numbers else ""
    return [f"# {number}{show(statement.target)} = {show(layout.comments[statement.target])}", *lines]


def _with_number(layout: ModuleNames, statement: Statement, lines: list[str]) -> list[str]:
    """The number of the derivation's equation beside the first of the lines that compute it."""
    if statement.target not in layout.numbers or not lines:
        return lines
    return [f"{lines[0]}  # ({layout.numbers[statement.target]})", *lines[1:]]


def assign(layout: ModuleNames, statement: Assign, frame: Frame, printer: NumpyExpressions) -> list[str]:
    """The lines for `target = value`, whose array has the target's whole shape."""
    target, value = statement.target, statement.value
    left = printer(target)
    batch = target.time is not None
    if left.endswith("]") and frame == "loop":  # a buffer broadcasts by itself
        return _wrapped(left, value, printer)
    if not nodes.variables(value):
        shape = layout.shape(layout.dims(target), printer.lead if batch else ())
        return [f"{left} = np.full({shape}, {printer(value)}, dtype)"]
    if is_thin(value) or (batch and not is_batched(value)):
        return [f"{left} = np.array({printer.full(value, batch=batch)})"]
    return _wrapped(left, value, printer)


def _accumulate(layout: ModuleNames, statement: Accumulate, frame: Frame, printer: NumpyExpressions) -> list[str]:
    left = f'{"grads_dot" if "tangent" in statement.target.mark else "grads"}["{statement.target.base}"]'
    terms = statement.value.args if isinstance(statement.value, nodes.Sum) else (statement.value,)
    if nodes.is_zero(statement.value):
        zeros = layout.allocate("zeros", layout.dims(statement.target), ())
        return [] if frame == "loop" else [f"{left} = {zeros}"]
    summed = [_summed(term, frame, printer) for term in terms]
    code = summed[0] + "".join(f" - {term[1:]}" if term.startswith("-") else f" + {term}" for term in summed[1:])
    sign = "+=" if frame == "loop" else "="
    line = f"{left} {sign} {code}"
    if len(line) > WIDTH and len(summed) > 1 and not any(term.startswith("-") for term in summed):
        first, *others = summed
        return [f"{left} {sign} (", *indented([first, *(f"+ {term}" for term in others)]), ")"]
    return [line]


def _summed(term: Expr, frame: Frame, printer: NumpyExpressions) -> str:
    """One term of a gradient, summed over the leading axes; a column times a row as one matrix product."""
    number, rest = nodes.coefficient(term)
    parts = outer_parts(rest.args) if isinstance(rest, nodes.Product) else None
    if parts and all(is_batched(nodes.matmul(*part)) for part in parts):
        left, right = (product(printer, part)[0] for part in parts)
        if frame == "all":
            return printer.scaled(number, f"np.tensordot({left}, {right}, axes=((0, 1), (0, 1)))")
        return printer.scaled(number, f"({left}).T @ ({right})")
    shown = printer.full(rest, batch=True)
    simple = isinstance(rest, Variable) or is_thin(rest) or not is_batched(rest)  # one name, or one call
    axis = "(0, 1)" if frame == "all" else "0"
    return printer.scaled(number, f"{shown if simple else f'({shown})'}.sum(axis={axis})")


def _wrapped(left: str, value: Expr, printer: NumpyExpressions) -> list[str]:
    line = f"{left} = {printer(value)}"
    if len(line) <= WIDTH - 8 or not isinstance(value, nodes.Sum):
        return [line]
    (sign, first), *rest = printer.terms(value)
    terms = [("-" if sign == "-" else "") + first, *(f"{s} {term}" for s, term in rest)]
    return [f"{left} = (", *indented(terms), ")"]


def indented(lines: Iterable[str]) -> list[str]:
    """The lines one level further in."""
    return [f"    {line}" if line else "" for line in lines]


def broken(opening: str, parts: Sequence[str], closing: str) -> list[str]:
    """Parts between brackets on one line, or below the opening where that would be too long."""
    trailing = "," if len(parts) == 1 and opening.endswith("(") else ""
    line = f"{opening}{', '.join(parts)}{trailing}{closing}"
    if len(line) <= WIDTH - 8:
        return [line]
    rows, row = [], ""
    for part in parts:
        if row and len(row) + len(part) + 2 > WIDTH - 16:
            rows.append(row)
            row = ""
        row += f"{' ' if row else ''}{part},"
    return [opening, *indented([*rows, row]), closing]
