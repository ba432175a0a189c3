"""The NumPy printers made wrong in one place: random cells notice every planted fault.

A fault is a piece of a printer's source and what stands there instead.  Every rule of the table of expressions and
every pair of the table of products has one, and so has every branch within.

Some changes are no faults, because the numbers stay as they are: where a chain of factors is split between a column and
a row (that decides the cost alone: every other place is in the table too); brackets around the left operand of @, whose
operators bind as tightly and are read from the left; new axes behind a number that has none; copies of arrays that have
their whole shape already; `batch=True` for a term of a gradient, which always has a cotangent in it.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from symrnn import derive
from symrnn.calculus.derivation import Derivation
from symrnn.program.ir import Program
from symrnn.program.lower import lower
from symrnn.program.passes import run_passes, single_step
from symrnn.targets.generation import load_source
from symrnn.targets.numpy import expressions as numpy_expressions
from symrnn.targets.numpy import products as numpy_products
from tests.drawn.comparing import SIZES, Comparison, Nowhere, Point, find_point
from tests.drawn.truth import Meaning
from tests.drawn.writing import Drawn, draw

pytestmark = pytest.mark.sweep

CELLS = 300  # the rarest fault, in the softmax of a number, is first noticed by the 291st
STEPS, BATCH = 2, 3

EXPRESSIONS: dict[str, list[tuple[str, str]]] = {
    "Variable": [("(self.name(expr), Level.ATOM)", '(f"(1.0 + {self.name(expr)})", Level.ATOM)')],
    "Sum": [
        ('f" {s} {term}" for s, term in rest)', 'f" {s} {term}" for s, term in rest[:-1])'),
        ("negative = bool(number.could_extract_minus_sign())", "negative = False; number = abs(number)"),
        ('("-" if sign == "-" else "") + first', "first"),
    ],
    "Product": [
        (
            "if number != 1:\n            return self._product_code(number, rest)",
            "if number != 1:\n            return self._product_code(1, rest)",
        ),
        (
            "if isinstance(rest, nodes.Ones):\n            return self._number(number)",
            "if isinstance(rest, nodes.Ones):\n            return '1'",
        ),
        ('return f"-{self.scaled(-number, code)}"', "return self.scaled(-number, code)"),
        ('return f"{number.p / number.q} * {code}"', "return code"),
        ('f"{self.dimension(top, Level.HADAMARD)} * {code}"', "code"),
        ('f"{multiplied} / {self.dimension(bottom, Level.POWER)}"', "multiplied"),
        ("self.dimension(factor, Level.POWER) for factor in dim.args", "self.dimension(factor) for factor in dim.args"),
        (
            "self(rest, Level.NEGATIVE) if number == 1 else self.scaled(number, self(rest, Level.POWER))",
            "self(rest) if number == 1 else self.scaled(number, self(rest))",
        ),
    ],
    "Hadamard": [
        ("self(factor, Level.POWER) for factor in above)", "self(factor) for factor in above)"),
        (
            '{self(one, Level.POWER)}" for below in divisors for one in below)',
            '{self(one)}" for below in divisors for one in below)',
        ),
        ("for below in divisors for one in below)", "for below in divisors for one in below[1:])"),
    ],
    "Power": [
        ('{self(one, Level.POWER)}" for one in divisors_of(expr))', '{self(one)}" for one in divisors_of(expr))'),
        ("for one in divisors_of(expr)), Level.HADAMARD", "for one in divisors_of(expr)), Level.ATOM"),
        ('return f"{self(base, Level.ATOM)}**{exponent}"', 'return f"{self(base)}**{exponent}"'),
        ('**{exponent}", Level.POWER', '**{exponent}", Level.ATOM'),
    ],
    "Transposed": [
        ("if rank(expr.shape) < 2:\n            return product(self, [expr])", "if False:\n            pass"),
        ('f"np.swapaxes({inner}, -1, -2)" if is_batched(expr) else f"{inner}.T"', 'f"{inner}.T"'),
        ('f"np.swapaxes({inner}, -1, -2)" if is_batched(expr) else f"{inner}.T"', "inner"),
        ("inner = self.full(expr.arg, outer=Level.ATOM)", "inner = self(expr.arg, Level.ATOM)"),
        ("inner = self.full(expr.arg, outer=Level.ATOM)", "inner = self.full(expr.arg)"),
    ],
    "Act": [
        (
            "self._operand(x, bool(row.helper)) for x in expr.operands",
            "self._operand(x, bool(row.helper)) for x in expr.operands[:1] * 2",
        ),
    ],
    "Fill": [
        ('(AXES[rank(expr.shape)] if is_batched(expr) else "")', '""'),
        ("AXES[rank(expr.shape)]", "AXES[1]"),
        ("inner = self(expr.operand, Level.ATOM)", "inner = self(expr.operand)"),
    ],
    "Total": [
        ('"-1" if rank(expr.operand.shape) == 1 else "(-2, -1)"', '"-1"'),
        ("{self.full(expr.operand, outer=Level.ATOM)}.sum(", "{self(expr.operand, Level.ATOM)}.sum("),
        ("{self.full(expr.operand, outer=Level.ATOM)}.sum(", "{self.full(expr.operand)}.sum("),
    ],
    "Softmax": [
        ('f"softmax({self.full(expr.operand)})', 'f"softmax(-({self.full(expr.operand)}))'),
        ('f"softmax({self.full(expr.operand)})', 'f"softmax({self(expr.operand)})'),
        ('f"softmax_columns({self.full(expr.operand)})', 'f"softmax_columns(-({self.full(expr.operand)}))'),
        ('f"softmax_columns({self.full(expr.operand)})', 'f"softmax_columns({self(expr.operand)})'),
        (
            'if rank(expr.shape) == 2:\n            self.helpers.setdefault("softmax_columns"',
            'if False:\n            self.helpers.setdefault("softmax_columns"',
        ),
    ],
    "Argmax": [
        ('f"{name}({self.full(expr.operand)})"', 'f"{name}(-({self.full(expr.operand)}))"'),
        ('"one_hot_columns" if rank(expr.shape) == 2 else "one_hot"', '"one_hot"'),
    ],
    "Stack": [
        ("for part in expr.args)", "for part in expr.args[::-1])"),
        ("printer.full(part, batch=is_batched(expr))", "printer.full(part)"),
        ("printer.full(part, batch=is_batched(expr))", "self(part)"),
    ],
    "Slice": [
        ('f": {stop}"', 'f"-({stop}) :"'),
        ('f"{start} : {stop}"', 'f": ({stop}) - ({start})"'),
    ],
    "Ones": [('("1.0", Level.ATOM)', '("2.0", Level.ATOM)')],
    "Zeros": [('("0.0", Level.ATOM)', '("1.0", Level.ATOM)')],
    "every expression": [
        ('return code if level >= outer else f"({code})"\n\n    def full', "return code\n\n    def full"),
        ("if not is_thin(expr) and lead == self.leading(expr):", "if lead == self.leading(expr):"),
        ("if not is_thin(expr) and lead == self.leading(expr):", "if not is_thin(expr):"),
        ("if not nodes.variables(expr):  #", "if False:  #"),
    ],
}
"""Rule of `numpy_expressions` -> faults."""

PRODUCTS: dict[tuple[str, str] | str, list[tuple[str, str]]] = {
    ("scalar", "scalar"): [('("scalar", "scalar"): _scalar_first', '("scalar", "scalar"): _outer')],
    ("scalar", "row"): [
        ('("scalar", "row"): _scalar_first', '("scalar", "row"): _outer'),
        (
            "_repeated(printer, scalar, other)} * {_closed(printer, other)}",
            "_closed(printer, scalar)} * {_closed(printer, other)}",
        ),
    ],
    ("column", "scalar"): [
        ('("column", "scalar"): _scalar_last', '("column", "scalar"): _outer'),
        (
            "{_closed(printer, other)} * {_repeated(printer, scalar, other)}",
            "{_closed(printer, other)} * {_closed(printer, scalar)}",
        ),
    ],
    ("column", "row"): [
        ('("column", "row"): _outer', '("column", "row"): lambda p, a, b: _outer(p, b, a)'),
        ("{_closed(printer, col)}[..., :, None]", "{product(printer, col)[0]}[..., :, None]"),
        ("{_closed(printer, row)}[..., None, :]", "{product(printer, row)[0]}[..., None, :]"),
    ],
    ("row", "column"): [
        (".sum(axis=-1)", ".sum(axis=0)"),
        (
            "({_closed(printer, row)} * {_closed(printer, col)})",
            "({_closed(printer, row)} * -{product(printer, col)[0]})",
        ),
    ],
    ("matrix", "column"): [
        ("if is_batched(factor):", "if False:"),
        ("if is_batched(factor):", "if True:\n        factor = nodes.transpose(factor)"),
        ("printer.full(nodes.transpose(factor), outer=Level.ATOM)", "printer.full(factor, outer=Level.ATOM)"),
        ('f"({printer.full(factor, outer=Level.ATOM)} @', 'f"({printer.full(factor)} @'),
        ("[..., None])[..., 0]", "[..., None])[..., -1] * 2"),
    ],
    ("row", "matrix"): [
        ("[nodes.transpose(factor) for factor in matrix]", "matrix"),
        ('("row", "matrix"): _row_matrix', '("row", "matrix"): _matrices'),
    ],
    ("matrix", "matrix"): [
        ('("matrix", "matrix"): _matrices', '("matrix", "matrix"): lambda p, a, b: _matrices(p, b, a)'),
        (
            'return f"{_closed(printer, left)} @ {_closed(printer, right)}"',
            'return f"{product(printer, left)[0]} @ {product(printer, right)[0]} ** 2"',
        ),
    ],
    "every product": [
        ('place = len(factors) - 1 if chain_kind(factors) == "row" else 1', "place = 1"),
        ("printer.full(column(factors[0]), outer=Level.ATOM)", "printer.full(column(factors[0]))"),
        ('AXES[axes] if any(map(is_batched, scalar)) else ""', '""'),
    ],
}
"""Pair of `numpy_products` -> faults."""

VALUES: list[tuple[str, str]] = [
    ("all(is_thin(x)", "not all(is_thin(x)"),
    ("return isinstance(rest, CONSTANT)", "return False"),
    ("ENTRYWISE = (nodes.Sum, nodes.Hadamard, nodes.Power, nodes.Act)", "ENTRYWISE = ()"),
    ("variable.time is not None", "variable.time == 0"),
]
STATEMENTS: list[tuple[str, str]] = [
    ("if is_thin(value) or (batch and not is_batched(value)):", "if False:"),
    ("if is_thin(value) or (batch and not is_batched(value)):", "if is_thin(value):"),
    ("if is_thin(value) or (batch and not is_batched(value)):", "if batch and not is_batched(value):"),
    (
        "all(is_batched(nodes.matmul(*part)) for part in parts)",
        "any(is_batched(nodes.matmul(*part)) for part in parts)",
    ),
    ("np.tensordot({left}, {right},", "np.tensordot({right}, {left},"),
    ("shown = printer.full(rest, batch=True)", "shown = printer(rest)"),
    ("simple = isinstance(rest, Variable)", "simple = True or isinstance(rest, Variable)"),
    ('f" - {term[1:]}" if', 'f" + {term[1:]}" if'),
]
FAULTS = [
    *(("expressions", rule, *fault) for rule, faults in EXPRESSIONS.items() for fault in faults),
    *(("products", str(pair), *fault) for pair, faults in PRODUCTS.items() for fault in faults),
    *(("values", "", *fault) for fault in VALUES),
    *(("statements", "", *fault) for fault in STATEMENTS),
]
PRINTERS = "values products expressions layout statements function".split()
PRINTERS += "passes runtime module".split()


@contextmanager
def altered(module: str, old: str, new: str) -> Iterator[ModuleType]:
    """The module writer, imported afresh with one printer's source changed."""
    names = {name: f"symrnn.targets.numpy.{name}" for name in PRINTERS}
    kept = {name: sys.modules[full] for name, full in names.items()}
    package = sys.modules["symrnn.targets.numpy"]
    try:
        for full in names.values():
            del sys.modules[full]
        spec = find_spec(names[module])
        assert spec is not None
        assert spec.origin is not None
        source = Path(spec.origin).read_text()
        assert source.count(old) == 1, f"{module}: {old!r} occurs {source.count(old)} times"
        changed = importlib.util.module_from_spec(spec)
        sys.modules[names[module]] = changed
        exec(compile(source.replace(old, new), spec.origin, "exec"), changed.__dict__)
        setattr(package, module, changed)
        yield importlib.import_module(names["module"])
    finally:
        for name, full in names.items():
            sys.modules[full] = kept[name]
            setattr(package, name, kept[name])


@cache
def prepared(seed: int) -> tuple[Drawn, Derivation, Program, Program, list[Comparison]] | None:
    """What does not depend on the printers: a cell, its programs, and points to compare it at."""
    drawn = draw(seed)
    derivation, meaning = derive(drawn.cell), Meaning.of(drawn.text, drawn.shapes)
    comparisons = []
    for label in ("different", "equal"):
        try:
            point: Point = find_point(drawn, meaning, SIZES[label], STEPS, BATCH, seed)
        except Nowhere:
            return None
        comparisons.append(Comparison(meaning, None, point, drawn.shapes, STEPS, BATCH))  # type: ignore[arg-type]
        comparisons[-1].gradients()
    comparisons.append(Comparison(meaning, None, point, drawn.shapes, 1, 1, np.float32))  # type: ignore[arg-type]
    return drawn, derivation, run_passes(lower(derivation)), single_step(lower(derivation)), comparisons


def is_noticed(writer: ModuleType, seed: int) -> bool:
    """Whether something about a cell's module, as the writer prints it, is wrong."""
    ready = prepared(seed)
    if ready is None:
        return False
    _, derivation, program, single, comparisons = ready
    try:
        module = load_source(derivation.cell.name, writer.numpy_module(program, single, "test"))
        for comparison in comparisons:
            comparison.module, comparison.wrong = module, []
            with np.errstate(all="ignore"):
                comparison.forward()
                comparison.backward()
            if comparison.wrong:
                return True
    except Exception:  # whatever is raised is noticed
        return True
    return False


def test_nothing_is_noticed_where_nothing_is_planted() -> None:
    with altered("products", "Matrix products -> NumPy source", "Products -> source") as writer:
        assert not any(is_noticed(writer, seed) for seed in range(20))


@pytest.mark.parametrize(("module", "where", "old", "new"), FAULTS)
def test_no_planted_fault_survives(module: str, where: str, old: str, new: str) -> None:
    with altered(module, old, new) as writer:
        assert any(is_noticed(writer, seed) for seed in range(CELLS))


def test_every_rule_has_a_fault() -> None:
    assert set(numpy_expressions._RULES) <= set(EXPRESSIONS)
    assert set(numpy_products.PRODUCTS) <= set(PRODUCTS)
