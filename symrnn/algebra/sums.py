"""Rewritings of sums: terms that are alike, that share factors, or that stand in an unusual order.

Each takes a sum and returns what a person would write instead, or None where it does not apply.  The table in
`rewriting` states their identities.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from sympy import S

from symrnn.algebra import nodes
from symrnn.algebra.nodes import Expr
from symrnn.algebra.weight import weight


def entry_factors(expr: Expr) -> list[Expr]:
    """What is multiplied entry by entry, a product of repeated scalars one by one; itself where nothing is."""
    factors = expr.args if isinstance(expr, nodes.Hadamard) else (expr,)
    return [
        nodes.fill(part, expr.shape) if isinstance(factor, nodes.Fill) else part
        for factor in factors
        for part in (entry_factors(factor.operand) if isinstance(factor, nodes.Fill) else (factor,))
    ]


def like_terms(node: Expr) -> Expr | None:
    """Terms that differ in their number only, as one."""
    found: dict[Any, list[Any]] = {}
    for term in node.args:
        number, rest = nodes.coefficient(term)
        entry = found.setdefault(frozenset(Counter(entry_factors(rest)).items()), [0, rest])
        entry[0] += number
    if len(found) == len(node.args):
        return None
    return nodes.add(*(nodes.scale(number, rest) for number, rest in found.values()))


def _common_factors(node: Expr) -> Iterator[Expr]:
    """Every way to pull one factor, and what else its terms share, out of the terms that have it."""
    split = [(number, entry_factors(rest)) for number, rest in map(nodes.coefficient, node.args)]
    counts = Counter(factor for _, factors in split for factor in dict.fromkeys(factors))
    for chosen, count in counts.items():
        # Ones stand for a number, and a number is no factor to pull out: 1 - z stays.
        if count < 2 or isinstance(chosen, nodes.Ones):
            continue
        group = [position for position, (_, factors) in enumerate(split) if chosen in factors]
        first = split[group[0]][1]
        shared = Counter(first)
        for position in group[1:]:
            shared &= Counter(split[position][1])
        common = [factor for position, factor in enumerate(first) if first[:position].count(factor) < shared[factor]]
        inner = nodes.add(*(_without(split[position], shared, node.shape) for position in group))
        parts = [*common, inner] if first[0] in shared else [inner, *common]
        kept = {position: term for position, term in enumerate(node.args) if position not in group[1:]}
        kept[group[0]] = nodes.hadamard(*parts)
        yield nodes.add(*kept.values())


def _without(term: tuple[Any, list[Expr]], shared: Counter[Expr], shape: nodes.Shape) -> Expr:
    number, factors = term
    left = shared.copy()
    rest = []
    for factor in factors:
        if left[factor]:
            left[factor] -= 1
        else:
            rest.append(factor)
    remaining = nodes.hadamard(nodes.ones(shape), *rest)
    # Term by term, so that what cancels can: f - f (1 - a) is f a.
    return nodes.negate(remaining) if number == -1 else nodes.scale(number, remaining)


def common_factor(node: Expr) -> Expr | None:
    """The shortest of the ways to pull a factor out."""
    return min(_common_factors(node), key=weight, default=None)


def _grouped(node: Expr, key: Callable[[Expr], Expr | None], join: Callable[[Expr, list[Expr]], Expr]) -> Expr | None:
    """The terms with one key joined, at the place of the first."""
    groups: dict[Any, list[Expr]] = {}
    for position, term in enumerate(node.args):
        found = key(term)
        groups.setdefault(position if found is None else found, []).append(term)
    if len(groups) == len(node.args):
        return None
    return nodes.add(*(join(k, terms) if len(terms) > 1 else terms[0] for k, terms in groups.items()))


def matrix_factors(term: Expr) -> tuple[Any, tuple[Expr, ...]]:
    """The number in front, and the factors of a matrix product; none where it is something else."""
    number, rest = nodes.coefficient(term)
    return number, tuple(rest.args) if isinstance(rest, nodes.Product) else ()


def common_left(node: Expr) -> Expr | None:
    """W u + W v for columns u, v.  W u + V u stays: nobody adds up two parameters."""

    def key(term: Expr) -> Expr | None:
        _, factors = matrix_factors(term)
        return factors[0] if factors and node.shape[1] == 1 and factors[0].shape[1] != 1 else None

    def join(left: Expr, terms: list[Expr]) -> Expr:
        chains = [matrix_factors(term) for term in terms]
        return nodes.matmul(left, nodes.add(*(nodes.scale(n, nodes.matmul(*factors[1:])) for n, factors in chains)))

    return _grouped(node, key, join)


def common_right(node: Expr) -> Expr | None:
    """U xᵀ + v xᵀ for columns u, v."""

    def key(term: Expr) -> Expr | None:
        _, factors = matrix_factors(term)
        return factors[-1] if factors and factors[-1].shape[0] == 1 else None

    def join(right: Expr, terms: list[Expr]) -> Expr:
        chains = [matrix_factors(term) for term in terms]
        return nodes.matmul(nodes.add(*(nodes.scale(n, nodes.matmul(*factors[:-1])) for n, factors in chains)), right)

    return _grouped(node, key, join)


def diagonals(node: Expr) -> Expr | None:
    """The diagonal matrices as one."""

    def key(term: Expr) -> Expr | None:
        return node if isinstance(nodes.coefficient(term)[1], nodes.Diag) else None

    def join(_: Expr, terms: list[Expr]) -> Expr:
        pairs = map(nodes.coefficient, terms)
        return nodes.diag(nodes.add(*(nodes.scale(number, rest.args[0]) for number, rest in pairs)))

    return _grouped(node, key, join)


def stacks(node: Expr) -> Expr | None:
    """[a; 0] + [0; b] as [a; b]: concatenations that are zero where the others are not."""
    if not all(isinstance(term, nodes.Stack) for term in node.args):
        return None
    placed: dict[tuple[Any, Any], list[Expr]] = {}
    for term in node.args:
        start: Any = S.Zero
        for part in term.args:
            if not nodes.is_zero(part):
                placed.setdefault((start, start + part.shape[0]), []).append(part)
            start = start + part.shape[0]
    rows, columns = node.shape
    parts, reached = [], S.Zero
    for start, stop in sorted(placed, key=lambda bounds: bounds[0].subs(dict.fromkeys(bounds[0].free_symbols, 1))):
        if (start - reached).is_nonnegative is not True:  # they overlap, or nobody knows
            return None
        if start != reached:
            parts.append(nodes.zeros((start - reached, columns)))
        parts.append(nodes.add(*placed[start, stop]))
        reached = stop
    return nodes.stack(*parts, *([nodes.zeros((rows - reached, columns))] if reached != rows else []))


def repetitions(node: Expr) -> Expr | None:
    """The repeated scalars as one."""

    def scalar(term: Expr) -> Expr | None:
        number, rest = nodes.coefficient(term)
        if isinstance(rest, nodes.Fill):
            return nodes.scale(number, rest.operand)
        return nodes.number(number, nodes.ONE_BY_ONE) if isinstance(rest, nodes.Ones) else None

    if nodes.is_scalar(node) or not any(isinstance(nodes.coefficient(term)[1], nodes.Fill) for term in node.args):
        return None

    def key(term: Expr) -> Expr | None:
        return None if scalar(term) is None else node

    def join(_: Expr, terms: list[Expr]) -> Expr:
        scalars = (scalar(term) for term in terms)
        return nodes.fill(nodes.add(*(one for one in scalars if one is not None)), node.shape)

    return _grouped(node, key, join)


def positive_first(node: Expr) -> Expr | None:
    """A term without a minus in front of one with."""
    if not nodes.is_negative(node.args[0]):
        return None
    at = next((position for position, term in enumerate(node.args) if not nodes.is_negative(term)), None)
    # All terms are negative: one minus has to come first.
    if at is None:
        return None
    return nodes.add(node.args[at], *node.args[:at], *node.args[at + 1 :])  # the same term may be there twice
