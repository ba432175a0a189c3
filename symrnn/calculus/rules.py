"""The table of derivative rules: operator -> adjoint rule, local Jacobian and tangent rule.

Let a node compute Y from operands X.  Its adjoint rule says what each X receives when Y has the adjoint G (the
derivative of a scalar loss with respect to Y, in Y's shape).  Its Jacobian says by which matrix a change of vec(X)
reaches vec(Y).  Its tangent rule says how Y moves, Ẏ, when the operands move by Ẋ.  The three columns are written down
independently; the checks compare them with numbers.

A rule gets the node, and the name of its value where it has one: slopes are written with the named output, f ⊙ (1 − f).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from itertools import groupby
from operator import mul
from typing import Any

from sympy import Rational, S

from symrnn.algebra import nodes
from symrnn.algebra.functions import FUNCTIONS
from symrnn.algebra.nodes import Expr
from symrnn.errors import MissingRuleError
from symrnn.freezing import Frozen

Contributions = list[tuple[Expr, Expr]]
"""Operand and what it receives, in the order of the operands."""

Note = Callable[[str], None]
"""Is told the name of a rewriting that is applied on the way to a Jacobian."""

Moved = Callable[[Expr], Expr]
"""Operand -> its tangent; zeros for one that stands still."""


@dataclass(frozen=True)
class Rule:
    """One row.

    Attributes:
        operator: the node's class name.
        name: what a text calls the rule.
        statement: the adjoint rule in LaTeX, G being the adjoint of Y.
        source: where the rule is stated.
        adjoint: `adjoint(node, value, g)` -> what each operand receives.
        jacobian: `jacobian(node, value)` -> each operand's local Jacobian.
        tangent_statement: the tangent rule in LaTeX, a dot marking tangents.
        tangent: `tangent(node, value, moved)` -> the tangent of Y, where `moved(x)` is the tangent of an operand.
    """

    operator: str
    name: str
    statement: str
    source: str
    adjoint: Callable[[Any, Expr, Expr], Contributions]
    jacobian: Callable[[Any, Expr], Contributions]
    tangent_statement: str
    tangent: Callable[[Any, Expr, Moved], Expr]

    def __reduce_ex__(self, protocol: Any) -> Any:
        """A row of the table travels as its name; another rule, by what it consists of."""
        # The columns are lambdas, which cannot be pickled; a rule planted by a test must not come back as the right
        # one.
        of_the_table = RULES.get(self.operator) is self
        return (_find_in_table, (self.operator,)) if of_the_table else super().__reduce_ex__(protocol)


def _find_in_table(operator: str) -> Rule:
    return RULES[operator]


RuleTable = Mapping[str, Rule]

_GILES = "Giles (2008), Collected matrix derivative results for forward and reverse mode AD"
_MAGNUS = "Magnus & Neudecker (2019), Matrix Differential Calculus, ch. 2 and 9"


class _Entrywise:
    """Lets the slopes of the function table be written with Python's operators on expressions."""

    def __init__(self, expr: Expr) -> None:
        self.expr = expr

    def _lift(self, other: Any) -> Expr:
        # By its digits: 0.044715 is meant, not the binary fraction next to it.
        return other.expr if isinstance(other, _Entrywise) else nodes.number(Rational(str(other)), self.expr.shape)

    def __add__(self, other: Any) -> _Entrywise:
        return _Entrywise(nodes.add(self.expr, self._lift(other)))

    def __radd__(self, other: Any) -> _Entrywise:
        return _Entrywise(nodes.add(self._lift(other), self.expr))

    def __sub__(self, other: Any) -> _Entrywise:
        return _Entrywise(nodes.subtract(self.expr, self._lift(other)))

    def __rsub__(self, other: Any) -> _Entrywise:
        return _Entrywise(nodes.subtract(self._lift(other), self.expr))

    def __mul__(self, other: Any) -> _Entrywise:
        return _Entrywise(nodes.hadamard(self.expr, self._lift(other)))

    def __rmul__(self, other: Any) -> _Entrywise:
        return _Entrywise(nodes.scale(other, self.expr))

    def __neg__(self) -> _Entrywise:
        return _Entrywise(nodes.negate(self.expr))

    def __pow__(self, exponent: int) -> _Entrywise:
        return _Entrywise(nodes.power(self.expr, exponent))


class _Symbolic:
    """The functions of the table on expressions."""

    def literal(self, number: Any) -> Rational:
        # By its digits, for the same reason.
        return Rational(str(number))

    def __getattr__(self, name: str) -> Callable[..., _Entrywise]:
        return lambda *args: _Entrywise(nodes.act(name, *(arg.expr for arg in args)))


def slopes(node: nodes.Act, value: Expr) -> list[Expr]:
    """The slope of an elementwise function with respect to each argument, written with its value."""
    return [on_expressions(slope, *node.operands, value) for slope in FUNCTIONS[node.name].slopes]


def on_expressions(rule: Callable[..., Any], *operands: Expr) -> Expr:
    """What a formula of the function table, such as a slope, gives on expressions of one shape."""
    result: Expr = rule(_Symbolic(), *map(_Entrywise, operands)).expr
    return result


# --- adjoint rules ----------------------------------------------------------------------------------------------------


def _leave_out(expr: Expr, index: int) -> list[Expr]:
    return [factor for position, factor in enumerate(expr.args) if position != index]


def _split_product(node: Any) -> tuple[Any, list[Expr]]:
    number, rest = nodes.coefficient(node)
    return number, list(rest.args) if isinstance(rest, nodes.Product) else [rest]


def _pull_product(node: Any, value: Expr, g: Expr) -> Contributions:
    number, factors = _split_product(node)
    return [
        (
            factor,
            nodes.scale(
                number,
                nodes.matmul(
                    *(nodes.transpose(left) for left in reversed(factors[:i])),
                    g,
                    *(nodes.transpose(right) for right in reversed(factors[i + 1 :])),
                ),
            ),
        )
        for i, factor in enumerate(factors)
    ]


def _linearize_product(node: Any, value: Expr) -> Contributions:
    number, factors = _split_product(node)
    result = []
    for i, factor in enumerate(factors):
        left = nodes.matmul(*factors[:i]) if i else nodes.Eye(factor.shape[0])
        right = nodes.matmul(*factors[i + 1 :]) if factors[i + 1 :] else nodes.Eye(factor.shape[1])
        result.append((factor, nodes.scale(number, nodes.kronecker(_transpose(right), left))))
    return result


def _transpose(x: Expr) -> Expr:
    # Iᵀ is I; a reader should not have to think about it.
    return x if isinstance(x, nodes.Eye) else nodes.transpose(x)


def _pull_hadamard(node: Any, value: Expr, g: Expr) -> Contributions:
    return [(factor, nodes.hadamard(g, *_leave_out(node, i))) for i, factor in enumerate(node.args)]


def _linearize_hadamard(node: Any, value: Expr) -> Contributions:
    return [(factor, _put_on_diagonal(nodes.hadamard(*_leave_out(node, i)))) for i, factor in enumerate(node.args)]


def _put_on_diagonal(x: Expr) -> Expr:
    return nodes.diag(nodes.vec(x))


def _differentiate_power(node: nodes.Power) -> Expr:
    base, exponent = node.args[0], int(node.args[1])
    return nodes.scale(exponent, nodes.power(base, exponent - 1))


def _pull_act(node: nodes.Act, value: Expr, g: Expr) -> Contributions:
    return [(x, nodes.hadamard(g, slope)) for x, slope in zip(node.operands, slopes(node, value), strict=True)]


def _linearize_act(node: nodes.Act, value: Expr) -> Contributions:
    return [(x, _put_on_diagonal(slope)) for x, slope in zip(node.operands, slopes(node, value), strict=True)]


def _make_identity(x: Expr) -> Expr:
    return nodes.Eye(x.shape[0] * x.shape[1])


def _linearize_transpose(node: Any, value: Expr) -> Contributions:
    rows, cols = node.arg.shape
    # vec of a row is vec of its column: only a matrix needs its entries put in another order.
    return [(node.arg, _make_identity(node.arg) if S.One in (rows, cols) else nodes.Commutation(rows, cols))]


def _average_columns(value: Expr, g: Expr) -> Expr:
    """The mean of each column of g, weighted by that of a softmax, in every entry of the column."""
    # For a column the mean is a product, yᵀ g, as every textbook prints it.
    if g.shape[1] == 1:
        return nodes.fill(nodes.matmul(nodes.transpose(value), g), g.shape)
    return nodes.spread(nodes.along(nodes.hadamard(value, g), 0), g.shape[0], 0)


def _pull_softmax(node: nodes.Softmax, value: Expr, g: Expr) -> Contributions:
    return [(node.operand, nodes.hadamard(value, nodes.subtract(g, _average_columns(value, g))))]


def _linearize_softmax(node: nodes.Softmax, value: Expr) -> Contributions:
    rows, cols = node.shape
    if cols == 1:
        return [(node.operand, nodes.subtract(nodes.diag(value), nodes.matmul(value, nodes.transpose(value))))]
    column = nodes.diag(nodes.vec(value))
    within = nodes.kronecker(nodes.Eye(cols), nodes.ones((rows, rows)))
    return [(node.operand, nodes.subtract(column, nodes.matmul(column, within, column)))]


def _find_bounds(node: nodes.Stack) -> list[tuple[Expr, Any, Any]]:
    result, start = [], S.Zero
    for part in node.args:
        result.append((part, start, start + part.shape[0]))
        start = start + part.shape[0]
    return result


def _pull_stack(node: nodes.Stack, value: Expr, g: Expr) -> Contributions:
    return [(part, nodes.rows(g, start, stop)) for part, start, stop in _find_bounds(node)]


def _linearize_stack(node: nodes.Stack, value: Expr) -> Contributions:
    def selection(position: int) -> Expr:
        size = node.args[position].shape[0]
        blocks = [nodes.zeros((part.shape[0], size)) for part in node.args]
        blocks[position] = nodes.Eye(size)
        return nodes.stack(*blocks)

    return [(part, _repeat_for_columns(selection(position), part)) for position, part in enumerate(node.args)]


def _pull_slice(node: nodes.Slice, value: Expr, g: Expr) -> Contributions:
    (start, stop), (rows, cols) = node.bounds, node.operand.shape
    # A stack of no rows is no part of it.
    around = [nodes.zeros((start, cols))] if start != 0 else []
    behind = [nodes.zeros((rows - stop, cols))] if stop != rows else []
    return [(node.operand, nodes.stack(*around, g, *behind))]


def _linearize_slice(node: nodes.Slice, value: Expr) -> Contributions:
    start, stop = node.bounds
    selection = nodes.rows(nodes.Eye(node.operand.shape[0]), start, stop)
    return [(node.operand, _repeat_for_columns(selection, node.operand))]


def _repeat_for_columns(block: Expr, operand: Expr) -> Expr:
    """The Jacobian of what does the same to every column: the entries of a matrix stand column after column."""
    cols = operand.shape[1]
    return block if cols == 1 else nodes.kronecker(nodes.Eye(cols), block)


# --- tangent rules ----------------------------------------------------------------------------------------------------


def _move_each_in_turn(parts: list[Expr], join: Callable[..., Expr], moved: Moved) -> Expr:
    """The product rule: every factor moves once, while the others stand still."""
    turns = (join(*parts[:i], moved(part), *parts[i + 1 :]) for i, part in enumerate(parts))
    return nodes.add(*turns)


def _push_product(node: Any, value: Expr, moved: Moved) -> Expr:
    number, factors = _split_product(node)
    return nodes.add(
        *(nodes.scale(number, term) for term in _split_sum(_move_each_in_turn(factors, nodes.matmul, moved)))
    )


def _split_sum(expr: Expr) -> tuple[Expr, ...]:
    return tuple(expr.args) if isinstance(expr, nodes.Sum) else (expr,)


def _push_act(node: nodes.Act, value: Expr, moved: Moved) -> Expr:
    parts = zip(node.operands, slopes(node, value), strict=True)
    return nodes.add(*(nodes.hadamard(slope, moved(x)) for x, slope in parts))


def _push_softmax(node: nodes.Softmax, value: Expr, moved: Moved) -> Expr:
    change = moved(node.operand)
    return nodes.hadamard(value, nodes.subtract(change, _average_columns(value, change)))


def _push_stack(node: nodes.Stack, value: Expr, moved: Moved) -> Expr:
    parts = [moved(part) for part in node.args]
    # Parts that stand still make a zero of the whole shape, which others recognise; a stack of zeros they would not.
    return nodes.zeros(node.shape) if all(map(nodes.is_zero, parts)) else nodes.stack(*parts)


def _push_slice(node: nodes.Slice, value: Expr, moved: Moved) -> Expr:
    change = moved(node.operand)
    return nodes.zeros(node.shape) if nodes.is_zero(change) else nodes.rows(change, *node.bounds)


_ROWS = (
    Rule(
        "Sum",
        "sum",
        r"Y = A + B:\quad \bar A \mathrel{+}= G,\; \bar B \mathrel{+}= G",
        _GILES + ", section 2.2.1",
        lambda node, value, g: [(term, g) for term in node.args],
        lambda node, value: [(term, _make_identity(term)) for term in node.args],
        r"Y = A + B:\quad \dot Y = \dot A + \dot B",
        lambda node, value, moved: nodes.add(*(moved(term) for term in node.args)),
    ),
    Rule(
        "Product",
        "matrix product",
        r"Y = A B:\quad \bar A \mathrel{+}= G B^{\top},\; \bar B \mathrel{+}= A^{\top} G",
        _GILES + ", section 2.2.2",
        _pull_product,
        _linearize_product,
        r"Y = A B:\quad \dot Y = \dot A\, B + A\, \dot B",
        _push_product,
    ),
    Rule(
        "Hadamard",
        "element-by-element product",
        r"Y = A \odot B:\quad \bar A \mathrel{+}= G \odot B,\; \bar B \mathrel{+}= G \odot A",
        _MAGNUS,
        _pull_hadamard,
        _linearize_hadamard,
        r"Y = A \odot B:\quad \dot Y = \dot A \odot B + A \odot \dot B",
        lambda node, value, moved: _move_each_in_turn(list(node.args), nodes.hadamard, moved),
    ),
    Rule(
        "Power",
        "power",
        r"Y = X^{k}:\quad \bar X \mathrel{+}= G \odot k X^{k-1}",
        _MAGNUS,
        lambda node, value, g: [(node.args[0], nodes.hadamard(g, _differentiate_power(node)))],
        lambda node, value: [(node.args[0], _put_on_diagonal(_differentiate_power(node)))],
        r"Y = X^{k}:\quad \dot Y = k X^{k-1} \odot \dot X",
        lambda node, value, moved: nodes.hadamard(_differentiate_power(node), moved(node.args[0])),
    ),
    Rule(
        "Transposed",
        "transpose",
        r"Y = X^{\top}:\quad \bar X \mathrel{+}= G^{\top}",
        _MAGNUS,
        lambda node, value, g: [(node.arg, nodes.transpose(g))],
        _linearize_transpose,
        r"Y = X^{\top}:\quad \dot Y = \dot X^{\top}",
        lambda node, value, moved: nodes.transpose(moved(node.arg)),
    ),
    Rule(
        "Act",
        "activation",
        r"Y = \varphi(X):\quad \bar X \mathrel{+}= G \odot \varphi'(X)",
        "Rumelhart, Hinton & Williams (1986), Learning representations by back-propagating errors",
        _pull_act,
        _linearize_act,
        r"Y = \varphi(X):\quad \dot Y = \varphi'(X) \odot \dot X",
        _push_act,
    ),
    Rule(
        "Fill",
        "repetition",
        r"Y = s\,\mathbf{1}:\quad \bar s \mathrel{+}= \mathbf{1}^{\top} G",
        _GILES,
        lambda node, value, g: [(node.operand, nodes.total(g))],
        lambda node, value: [(node.operand, nodes.vec(nodes.ones(node.shape)))],
        r"Y = s\,\mathbf{1}:\quad \dot Y = \dot s\,\mathbf{1}",
        lambda node, value, moved: nodes.fill(moved(node.operand), node.shape),
    ),
    Rule(
        "Total",
        "sum of entries",
        r"y = \mathbf{1}^{\top} X:\quad \bar X \mathrel{+}= g\,\mathbf{1}",
        _GILES,
        lambda node, value, g: [(node.operand, nodes.fill(g, node.operand.shape))],
        lambda node, value: [(node.operand, nodes.transpose(nodes.vec(nodes.ones(node.operand.shape))))],
        r"y = \mathbf{1}^{\top} X:\quad \dot y = \mathbf{1}^{\top} \dot X",
        lambda node, value, moved: nodes.total(moved(node.operand)),
    ),
    Rule(
        "Softmax",
        "softmax",
        r"y = \operatorname{softmax}(x):\quad \bar x \mathrel{+}= y \odot (g - \mathbf{1}\, y^{\top} g)",
        "Bridle (1990), Probabilistic interpretation of feedforward classification network outputs",
        _pull_softmax,
        _linearize_softmax,
        r"y = \operatorname{softmax}(x):\quad \dot y = y \odot (\dot x - \mathbf{1}\, y^{\top} \dot x)",
        _push_softmax,
    ),
    Rule(
        "Argmax",
        "place of the largest entry",
        r"y = \operatorname{argmax}(x):\quad \bar x \mathrel{+}= 0",
        "Goodfellow, Bengio & Courville (2016), Deep Learning, section 6.3",
        lambda node, value, g: [(node.operand, nodes.zeros(node.shape))],
        lambda node, value: [(node.operand, nodes.zeros((node.shape[0] * node.shape[1],) * 2))],
        r"y = \operatorname{argmax}(x):\quad \dot y = 0",
        lambda node, value, moved: nodes.zeros(node.shape),
    ),
    Rule(
        "Stack",
        "concatenation",
        r"y = [a; b]:\quad \bar a \mathrel{+}= g_{[1:n]},\; \bar b \mathrel{+}= g_{[n+1:n+m]}",
        _MAGNUS,
        _pull_stack,
        _linearize_stack,
        r"y = [a; b]:\quad \dot y = [\dot a; \dot b]",
        _push_stack,
    ),
    Rule(
        "Slice",
        "part",
        r"y = x_{[i:j]}:\quad \bar x_{[i:j]} \mathrel{+}= g",
        _MAGNUS,
        _pull_slice,
        _linearize_slice,
        r"y = x_{[i:j]}:\quad \dot y = \dot x_{[i:j]}",
        _push_slice,
    ),
)

# Ones, Zeros and Eye are in no row: without operands they end a branch, as variables do.
RULES: RuleTable = Frozen({row.operator: row for row in _ROWS})
"""Every rule of the cell language, by the class name of the node it is for."""


def _find_row(expr: Expr, rules: RuleTable) -> Rule:
    try:
        return rules[type(expr).__name__]
    except KeyError:
        # A guess would be a wrong gradient that looks like a right one.
        raise MissingRuleError(f"no derivative rule for {type(expr).__name__}") from None


def _add_rule(used: tuple[str, ...], row: Rule, node: Expr) -> tuple[str, ...]:
    """The rules used so far and this one; a mere number in front is no rule that a reader needs named."""
    scaling = isinstance(node, nodes.Product) and len(_split_product(node)[1]) == 1
    return used if scaling else (*used, row.name)


@dataclass(frozen=True)
class Share:
    """What one variable receives from one equation, and the names of the rules that say so."""

    variable: nodes.Variable
    value: Expr
    rules: tuple[str, ...]


def pull_back(expr: Expr, value: Expr, g: Expr, rules: RuleTable = RULES) -> list[Share]:
    """What every variable in `value = expr` receives when the value has the adjoint `g`."""

    def visit(node: Expr, named: Expr, g: Expr, used: tuple[str, ...]) -> Iterable[Share]:
        if isinstance(node, nodes.Variable):
            yield Share(node, g, used)
        elif not node.is_constant:
            row = _find_row(node, rules)
            # An operand inside of an expression has no name, so it is its own value.
            for operand, received in row.adjoint(node, named, g):
                yield from visit(operand, operand, received, _add_rule(used, row, node))

    return _collect(visit(expr, value, g, ()), _merge_terms)


def local_jacobian(expr: Expr, value: Expr, rules: RuleTable = RULES, note: Note | None = None) -> list[Share]:
    """The Jacobian of `value = expr` with respect to every variable in it, the others held fixed."""

    def visit(node: Expr, named: Expr, outer: Expr | None, used: tuple[str, ...]) -> Iterable[Share]:
        if isinstance(node, nodes.Variable):
            yield Share(node, _make_identity(node) if outer is None else outer, used)
        elif not node.is_constant:
            row = _find_row(node, rules)
            for operand, factor in row.jacobian(node, named):
                chained = factor if outer is None else chain(outer, factor, note=note)
                yield from visit(operand, operand, chained, _add_rule(used, row, node))

    return _collect(visit(expr, value, None, ()), lambda terms: _merge_diagonals(terms, note))


@dataclass(frozen=True)
class Tangent:
    """How a value moves, and the names of the rules that say so."""

    value: Expr
    rules: tuple[str, ...]


def push_forward(expr: Expr, value: Expr, tangents: Mapping[nodes.Variable, Expr], rules: RuleTable = RULES) -> Tangent:
    """How `value = expr` moves when the variables move by these tangents; the others stand still."""
    used: list[str] = []

    def visit(node: Expr, named: Expr) -> Expr:
        if isinstance(node, nodes.Variable):
            return tangents.get(node, nodes.zeros(node.shape))
        if not any(variable in tangents for variable in nodes.variables(node)):
            return nodes.zeros(node.shape)
        row = _find_row(node, rules)
        # Only what moves uses a rule: a branch without a tangent is zero before it is looked at.
        used.extend(_add_rule((), row, node))
        return row.tangent(node, named, lambda operand: visit(operand, operand))

    moved = visit(expr, value)
    return Tangent(_merge_tangents(_split_sum(moved), frozenset(tangents.values())), tuple(dict.fromkeys(used)))


def _merge_tangents(terms: Iterable[Expr], tangents: frozenset[Expr]) -> Expr:
    """−ż ⊙ h + ż ⊙ n is ż ⊙ (n − h), where the first such term stands; like terms are counted."""
    groups: dict[Any, list[Expr]] = {}
    for position, term in enumerate(terms):
        _, rest = nodes.coefficient(term)
        factors = rest.args if isinstance(rest, nodes.Hadamard) else (rest,)
        moving = [factor for factor in factors if factor in tangents]
        # A term in which two tangents are multiplied belongs to neither; its place keeps it apart.
        groups.setdefault(moving[0] if len(moving) == 1 else position, []).append(term)
    return nodes.add(*(group[0] if len(group) == 1 else _factor_out(group) for group in groups.values()))


def _factor_out(terms: list[Expr]) -> Expr:
    """A sum of entry-by-entry products, rewritten with the factors that all of them share in front."""
    split = [nodes.coefficient(term) for term in terms]
    factors = [list(rest.args) if isinstance(rest, nodes.Hadamard) else [rest] for _, rest in split]
    common = []
    # One at a time is taken out of every term, so that a squared factor comes out twice only where all have it twice.
    for factor in list(factors[0]):
        if all(factor in others for others in factors):
            common.append(factor)
            for others in factors:
                others.remove(factor)
    counts: dict[Expr, Any] = {}
    for (number, _), others in zip(split, factors, strict=True):
        for term in _split_sum(nodes.hadamard(nodes.ones(terms[0].shape), *others)):
            inner, rest = nodes.coefficient(term)
            counts[rest] = counts.get(rest, 0) + number * inner
    left = [nodes.scale(number, rest) for rest, number in counts.items()]
    # n - h rather than -h + n.
    return nodes.hadamard(*common, nodes.add(*_put_positive_first(left)))


def _collect(shares: Iterable[Share], merge: Callable[[list[Expr]], Expr]) -> list[Share]:
    """One share per variable: several occurrences in an equation are added up."""
    found: dict[nodes.Variable, list[Share]] = {}
    for share in shares:
        found.setdefault(share.variable, []).append(share)
    return [
        Share(variable, merge([s.value for s in group]), tuple(dict.fromkeys(r for s in group for r in s.rules)))
        for variable, group in found.items()
    ]


def _put_positive_first(terms: list[Expr]) -> list[Expr]:
    return sorted(terms, key=lambda term: bool(nodes.coefficient(term)[0].could_extract_minus_sign()))


def _merge_terms(terms: list[Expr]) -> Expr:
    """G ⊙ A − G ⊙ B is G ⊙ (A − B)."""
    split = []
    for term in terms:
        number, rest = nodes.coefficient(term)
        first, *others = rest.args if isinstance(rest, nodes.Hadamard) else (rest,)
        split.append((first, nodes.scale(number, nodes.hadamard(nodes.ones(rest.shape), *others))))
    # By the first factor, which is where the rules put the adjoint.
    if len(terms) > 1 and len({first for first, _ in split}) == 1:
        factor = nodes.add(*_put_positive_first([other for _, other in split]))
        return nodes.hadamard(split[0][0], factor)
    return nodes.add(*terms)


def _merge_diagonals(terms: list[Expr], note: Note | None) -> Expr:
    """diag(a) − diag(b) is diag(a − b)."""
    split = [nodes.coefficient(term) for term in terms]
    if len(terms) > 1 and all(isinstance(rest, nodes.Diag) for _, rest in split):
        if note is not None:
            note("sum of diagonals")
        inner = [nodes.scale(number, rest.args[0]) for number, rest in split]
        return nodes.diag(nodes.add(*_put_positive_first(inner)))
    return nodes.add(*terms)


def chain(*factors: Expr, note: Note | None = None) -> Expr:
    """The product of Jacobians; neighbouring diagonal matrices become one, of which `note` is told."""
    # Numbers are gathered in front, since two diagonals with a number between them are neighbours too.
    flat = [inner for factor in factors for inner in (factor.args if isinstance(factor, nodes.Product) else (factor,))]
    numbers = [factor for factor in flat if not getattr(factor, "is_Matrix", False)]
    matrices = [factor for factor in flat if getattr(factor, "is_Matrix", False)]
    joined: list[Expr] = []
    for is_diagonal, group in groupby(matrices, key=lambda x: isinstance(nodes.coefficient(x)[1], nodes.Diag)):
        run = list(group)
        if is_diagonal and len(run) > 1:
            if note is not None:
                note("product with a diagonal")
            split = [nodes.coefficient(x) for x in run]
            entries = nodes.diag(nodes.hadamard(*(rest.args[0] for _, rest in split)))
            run = [nodes.scale(reduce(mul, (number for number, _ in split)), entries)]
        joined += run
    return nodes.scale(reduce(mul, numbers, S.One), nodes.matmul(*joined))
