"""The table of rewritings: what a person would write instead, one row each.

A row gets a node and returns a simpler one that is equal to it wherever the node is defined, or None where it does not
apply.  It need not be shorter every time: `simplify` takes a result only where it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from sympy import Integer, Rational

from symrnn.algebra import nodes, products, sums
from symrnn.algebra.enclosure import enclose
from symrnn.algebra.nodes import Expr
from symrnn.algebra.rebuilding import rebuild
from symrnn.algebra.weight import weight

Rewrite = Callable[[Any], Expr | None]


@dataclass(frozen=True)
class Rewriting:
    """One row.

    Attributes:
        name: what a text calls it.
        kinds: the class names of the nodes that it looks at.
        statement: the identity in LaTeX.
        rewrite: `rewrite(node)` -> what to write instead, or None.
        source: where the identity is stated.
    """

    name: str
    kinds: tuple[str, ...]
    statement: str
    rewrite: Rewrite
    source: str


_MAGNUS = "Magnus & Neudecker (2019), Matrix Differential Calculus, ch. 1 to 3"
_HORN = "Horn & Johnson (1991), Topics in Matrix Analysis, ch. 5"
_CONSTANTS = r"\varphi(0) = c\, \mathbf{1},\quad (c\, \mathbf{1})^{2} = c^{2}\, \mathbf{1}"
_RING = "the laws of a commutative ring, entry by entry"


def _neutral(node: Expr) -> Expr:
    return rebuild(node, node.args)


# --- products ---------------------------------------------------------------------------------------------------------


def _flipped(factor: Expr) -> Expr | None:
    """Minus a difference, unless that begins with 1: nobody writes z - 1."""
    if not isinstance(factor, nodes.Sum) or isinstance(nodes.coefficient(factor.args[0])[1], nodes.Ones):
        return None
    negated = nodes.negate(factor)
    return sums.positive_first(negated) or negated


def _sign(node: Expr) -> Expr | None:
    """-(a ⊙ (b - c)) and a ⊙ (-b - c): the minus goes to where it vanishes."""
    number, rest = nodes.coefficient(node)
    if not isinstance(rest, nodes.Product | nodes.Hadamard):
        return None
    join = nodes.matmul if isinstance(rest, nodes.Product) else nodes.hadamard
    candidates = []
    for position, factor in enumerate(rest.args):
        flipped = _flipped(factor)
        if flipped is not None:
            parts = [*rest.args[:position], flipped, *rest.args[position + 1 :]]
            candidates.append(nodes.scale(-number, join(*parts)))
    # Where the minus can go to several places, to the one that reads best.
    return min(candidates, key=weight, default=None)


def _equal_factors(node: Expr) -> Expr | None:
    """A ⊙ a, and a ⊙ a⁻³; not a ⊙ a⁻¹, which is 1 only where a is not 0, unless it is nowhere 0."""
    powers: dict[Any, list[int]] = {}
    for factor in node.args:
        base, exponent = _base(factor)
        powers.setdefault(base, []).append(exponent)
    if len(powers) == len(node.args):
        return None
    kept = [nodes.power(base, exponent) for base, all_of_it in powers.items() for exponent in _joined(base, all_of_it)]
    return nodes.hadamard(*(kept or [nodes.ones(node.shape)]))


def _joined(base: Expr, exponents: list[int]) -> list[int]:
    """The exponents of one base as one; as two, where the one would be defined in more places."""
    whole = sum(exponents)
    # Divided by still, or never by 0: the product is defined where its factors are.
    if whole < 0 or min(exponents) > 0 or _is_nowhere_zero(base):
        return [whole] if whole else []
    return [sum(e for e in exponents if e > 0), sum(e for e in exponents if e < 0)]


def _is_nowhere_zero(expr: Expr) -> bool:
    """Whether the range of its outermost function leaves 0 out; of a variable nothing is known here."""
    inner = expr.operand if isinstance(expr, nodes.Fill) else expr
    return isinstance(inner, nodes.Act) and 0 not in enclose(inner, {})


def _base(factor: Expr) -> tuple[Expr, int]:
    if isinstance(factor, nodes.Fill):
        inner, exponent = _base(factor.operand)
        return nodes.fill(inner, factor.shape), exponent
    return (factor.args[0], int(factor.args[1])) if isinstance(factor, nodes.Power) else (factor, 1)


def _apart(expr: Expr) -> tuple[Expr | None, Expr]:
    """The scalars that an expression is multiplied with, as one scalar, and the rest."""
    number, rest = nodes.coefficient(expr)
    scalars = [factor.operand for factor in sums.entry_factors(rest) if isinstance(factor, nodes.Fill)]
    if not scalars:
        return None, expr
    others = [factor for factor in sums.entry_factors(rest) if not isinstance(factor, nodes.Fill)]
    return nodes.hadamard(*scalars), nodes.scale(number, nodes.hadamard(nodes.ones(rest.shape), *others))


def _scalar_out(node: Expr) -> Expr | None:
    """A (s B) = s A B for a matrix B; a multiple of a column is cheaper than one of the matrix that it is made into."""
    return _all_scalars_out(node, [1 not in factor.shape for factor in nodes.children(node)])


def _all_scalars_out(node: Expr, chosen: Sequence[bool]) -> Expr | None:
    """The scalars that the chosen factors are multiplied with, in front."""
    factors = zip(nodes.children(node), chosen, strict=True)
    split = [_apart(factor) if is_chosen else (None, factor) for factor, is_chosen in factors]
    scalars = [scalar for scalar, _ in split if scalar is not None]
    if not scalars:
        return None
    product = nodes.matmul(*(rest for _, rest in split))
    return nodes.scale(
        nodes.coefficient(node)[0], nodes.hadamard(nodes.fill(nodes.hadamard(*scalars), node.shape), product)
    )


def _every_scalar_out(node: Expr) -> Expr | None:
    """A (s b) = s A b and a (s bᵀ) = s a bᵀ, whatever it costs to compute them."""
    return _all_scalars_out(node, [True] * len(nodes.children(node)))


# --- other nodes ------------------------------------------------------------------------------------------------------


def _scalar_through(build: Callable[[Expr], Expr]) -> Rewrite:
    """F(s X) = s f(X), for a linear f of one operand."""

    def rewrite(node: Expr) -> Expr | None:
        scalar, rest = _apart(node.args[0])
        return None if scalar is None else nodes.hadamard(nodes.fill(scalar, node.shape), build(rest))

    return rewrite


def _kronecker_scalar(node: Expr) -> Expr | None:
    split = [_apart(factor) for factor in node.args]
    scalars = [scalar for scalar, _ in split if scalar is not None]
    if not scalars:
        return None
    product = nodes.kronecker(split[0][1], split[1][1])
    return nodes.hadamard(*(nodes.fill(scalar, node.shape) for scalar in scalars), product)


def _inner_product(node: nodes.Total) -> Expr | None:
    """𝟏ᵀ (a ⊙ b) = aᵀ b, unless a or b is a product: aᵀ W x would hide the W x that has been computed before."""
    if not isinstance(node.operand, nodes.Hadamard) or node.operand.shape[1] != 1:
        return None
    factors = list(node.operand.args)
    plain = [position for position, factor in enumerate(factors) if not isinstance(factor, nodes.Product)]
    if not plain:
        return None
    # The last one, so that the order of the others stays the author's.
    right = factors.pop(plain[-1])
    left = nodes.hadamard(*factors)
    return None if isinstance(left, nodes.Product) else nodes.matmul(nodes.transpose(left), right)


def _bilinear(node: nodes.Total) -> Expr | None:
    """𝟏ᵀ (A ⊙ u vᵀ) 𝟏 = uᵀ A v."""
    inner = node.operand
    if not isinstance(inner, nodes.Hadamard) or 1 in inner.shape:
        return None
    for position, factor in enumerate(inner.args):
        if isinstance(factor, nodes.Product) and len(factor.args) == 2 and factor.args[0].shape[1] == 1:
            left, right = map(nodes.transpose, factor.args)
            others = nodes.hadamard(*inner.args[:position], *inner.args[position + 1 :])
            return nodes.matmul(left, others, right)
    return None


def _constant(node: nodes.Power | nodes.Act) -> Expr | None:
    """Powers of numbers, and functions of 0, which are a number like others where their value is a fraction."""
    if isinstance(node, nodes.Power):
        base, exponent = node.args
        if nodes.is_zero(base):
            return base if exponent > 0 else None
        number, rest = nodes.coefficient(base)
        is_number = isinstance(rest, nodes.Ones) and isinstance(number, Rational)
        return nodes.number(number**exponent, node.shape) if is_number else None
    if not all(map(nodes.is_zero, node.operands)):
        return None
    value = getattr(nodes.SYMPY, node.name)(*[Integer(0)] * len(node.operands))
    return nodes.number(value, node.shape) if isinstance(value, Rational) else None


def _count(node: nodes.Total) -> Expr | None:
    return _total(node.operand) if isinstance(node.operand, nodes.Ones) else None


def _total(x: Expr) -> Expr:
    """The sum of all entries; of ones, their number."""
    number, rest = nodes.coefficient(x)
    if isinstance(rest, nodes.Ones):
        return nodes.number(number * rest.shape[0] * rest.shape[1], nodes.ONE_BY_ONE)
    return nodes.total(x)


def _cut(node: nodes.Slice) -> Expr | None:
    """The rows of a concatenation that are one of its parts, and rows of rows."""
    inner, (start, stop) = node.operand, node.bounds
    if isinstance(inner, nodes.Slice):
        return nodes.rows(inner.operand, inner.bounds[0] + start, inner.bounds[0] + stop)
    begin: Any = 0
    for part in inner.operands if isinstance(inner, nodes.Stack) else ():
        if begin == start and begin + part.shape[0] == stop:
            return part
        begin = begin + part.shape[0]
    return None


_ROWS = (
    Rewriting(
        "neutral elements",
        tuple(name for name, kind in nodes.KINDS.items() if kind is not nodes.Variable and not kind.is_constant),
        r"A + 0 = A,\quad \mathbf{1} \odot A = A,\quad I A = A,\quad 0 \odot A = 0,\quad (A^{\top})^{\top} = A",
        _neutral,
        _MAGNUS,
    ),
    Rewriting("like terms", ("Sum",), r"m A + n A = (m + n) A", sums.like_terms, _RING),
    Rewriting("common factor", ("Sum",), r"A \odot B + A \odot C = A \odot (B + C)", sums.common_factor, _RING),
    Rewriting("common matrix", ("Sum",), r"W u + W v = W (u + v)", sums.common_left, _MAGNUS),
    Rewriting("common row", ("Sum",), r"u x^{\top} + v x^{\top} = (u + v) x^{\top}", sums.common_right, _MAGNUS),
    Rewriting(
        "sum of diagonals",
        ("Sum",),
        r"\mathrm{diag}(a) + \mathrm{diag}(b) = \mathrm{diag}(a + b)",
        sums.diagonals,
        _MAGNUS,
    ),
    Rewriting(
        "sum of repetitions", ("Sum",), r"r \mathbf{1} + s \mathbf{1} = (r + s) \mathbf{1}", sums.repetitions, _RING
    ),
    Rewriting("parts of a concatenation", ("Sum",), r"[a; 0] + [0; b] = [a; b]", sums.stacks, _MAGNUS),
    Rewriting("positive term first", ("Sum",), r"-A + B = B - A", sums.positive_first, _RING),
    Rewriting(
        "sign into a difference",
        ("Product", "Hadamard"),
        r"-A \odot (B - C) = A \odot (C - B)",
        _sign,
        _RING,
    ),
    Rewriting("equal factors", ("Hadamard",), r"A \odot A = A^{2}", _equal_factors, _RING),
    Rewriting("scalar out of a product", ("Product",), r"A (s B) = s\, A B", _scalar_out, _MAGNUS),
    Rewriting(
        "product with a diagonal",
        ("Product",),
        r"\mathrm{diag}(a)\, v = a \odot v,\quad v^{\top} \mathrm{diag}(a) = (v \odot a)^{\top},\quad"
        r" \mathrm{diag}(a)\, \mathrm{diag}(b) = \mathrm{diag}(a \odot b)",
        products.diagonal_times,
        _HORN,
    ),
    Rewriting(
        "mixed product",
        ("Product",),
        r"(A \otimes B)(C \otimes D) = A C \otimes B D,\quad D\, (a^{\top} \otimes I) = a^{\top} \otimes D,\quad"
        r" (I \otimes a)\, C = C \otimes a",
        products.mixed,
        _HORN,
    ),
    Rewriting(
        "Kronecker product times vec",
        ("Product",),
        r"(B^{\top} \otimes A)\, \mathrm{vec}(X) = \mathrm{vec}(A X B)",
        products.times_vec,
        _MAGNUS,
    ),
    Rewriting(
        "Kronecker product of vectors",
        ("Kronecker",),
        r"a^{\top} \otimes b = b\, a^{\top},\quad s \otimes A = s A",
        products.kronecker_of_vectors,
        _HORN,
    ),
    Rewriting(
        "vec of an outer product",
        ("Vec",),
        r"\mathrm{vec}(a b^{\top}) = b \otimes a",
        products.vec_of_outer,
        _MAGNUS,
    ),
    Rewriting(
        "scalar within a product",
        ("Product",),
        r"a\, b^{\top} c = (b^{\top} c)\, a",
        products.scalar_within,
        _MAGNUS,
    ),
    Rewriting(
        "product times ones",
        ("Product",),
        r"(a \odot b)^{\top} \mathbf{1} = a^{\top} b",
        products.times_ones,
        _HORN,
    ),
    Rewriting("rows of the identity", ("Product",), r"I_{[i:j]} A = A_{[i:j]}", products.rows_of_identity, _MAGNUS),
    Rewriting(
        "diagonal of a multiple",
        ("Diag",),
        r"\mathrm{diag}(s \mathbf{1}) = s I,\quad \mathrm{diag}(s a) = s\, \mathrm{diag}(a)",
        _scalar_through(nodes.diag),
        _MAGNUS,
    ),
    Rewriting(
        "vec of a multiple",
        ("Vec",),
        r"\mathrm{vec}(s A) = s\, \mathrm{vec}(A)",
        _scalar_through(nodes.vec),
        _MAGNUS,
    ),
    Rewriting(
        "sum of a multiple",
        ("Total",),
        r"\mathbf{1}^{\top} (s A) \mathbf{1} = s\, \mathbf{1}^{\top} A \mathbf{1}",
        _scalar_through(_total),
        _MAGNUS,
    ),
    Rewriting("ones meet ones", ("Product",), r"\mathbf{1}^{\top} (s\, \mathbf{1}) = n s", products.ones_meet, _MAGNUS),
    Rewriting(
        "constants",
        ("Act", "Power"),
        _CONSTANTS,
        _constant,
        _RING,
    ),
    Rewriting("sum of ones", ("Total",), r"\mathbf{1}^{\top} \mathbf{1} = n", _count, _MAGNUS),
    Rewriting("inner product", ("Total",), r"\mathbf{1}^{\top} (a \odot b) = a^{\top} b", _inner_product, _HORN),
    Rewriting(
        "bilinear form",
        ("Total",),
        r"\mathbf{1}^{\top} (A \odot u v^{\top}) \mathbf{1} = u^{\top} A v",
        _bilinear,
        _HORN,
    ),
    Rewriting(
        "Kronecker product of a multiple",
        ("Kronecker",),
        r"(s A) \otimes B = s\, (A \otimes B)",
        _kronecker_scalar,
        _MAGNUS,
    ),
    Rewriting("part of a concatenation", ("Slice",), r"[a; b]_{[1:n]} = a", _cut, _MAGNUS),
)

REWRITINGS: Mapping[str, Rewriting] = MappingProxyType({row.name: row for row in _ROWS})
"""Every rewriting, by name, in the order in which they are tried."""

IN_FORMULAS: Mapping[str, Rewriting] = MappingProxyType(
    {
        **REWRITINGS,
        "scalars in front": Rewriting(
            "scalars in front", ("Product",), r"a\, (s\, b^{\top}) = s\, a\, b^{\top}", _every_scalar_out, _MAGNUS
        ),
    }
)
"""The rewritings for formulas that are read, and of which no code is made: a Jacobian's paths."""
