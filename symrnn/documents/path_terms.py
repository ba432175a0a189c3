"""What a Jacobian's paths add up to, as terms with the paths beside them: like terms stand as one.

A step often reads a value directly, and once more through what is computed of it: of such paths one term is another
one times -step(a - b), or times -1, and the two together are shorter than the longer of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from symrnn.algebra import nodes
from symrnn.algebra.nodes import Expr
from symrnn.algebra.simplify import IN_FORMULAS, simplify, weight
from symrnn.algebra.sums import matrix_factors
from symrnn.calculus.paths import Path

# What may be left of the shorter term in the sum: a 1, a repetition, the plus or minus and the product's sign.
_LEFT = 12


@dataclass(frozen=True)
class PathTerm:
    """One term.

    Attributes:
        value: the sum over its paths, in the numerator layout.
        paths: the paths.
    """

    value: Expr
    paths: tuple[Path, ...]


def path_terms(found: Sequence[Path]) -> tuple[PathTerm, ...]:
    """The terms of paths that are not zero, each at the place of its first path."""
    terms: list[PathTerm] = []
    for path in found:
        value = path.value
        if nodes.is_zero(value):
            continue
        for position, term in enumerate(terms):
            joined = _joined(term, path, value)
            if joined is not None:
                terms[position] = joined
                break
        else:
            terms.append(PathTerm(value, (path,)))
    return tuple(term for term in terms if not nodes.is_zero(term.value))


def _joined(term: PathTerm, path: Path, value: Expr) -> PathTerm | None:
    """The term and one more path, where the path takes a longer way to the same end and the sum is one short term."""
    # The cheap question first: of the pairs of paths of a large cell few are nested.
    if not any(set(path.through) > set(other.through) for other in term.paths):
        return None
    # What adds to a term is a way of its own, which a reader wants to see; what is taken away from it is not there.
    if nodes.is_negative(term.value) == nodes.is_negative(value):
        return None
    whole = _sum(term.value, value)
    longer = max(weight(term.value)[0], weight(value)[0])
    if isinstance(whole, nodes.Sum) or weight(whole)[0] > longer + _LEFT:
        return None
    return PathTerm(whole, (*term.paths, path))


def _sum(a: Expr, b: Expr) -> Expr:
    """The sum, of products with the same matrices on the right with these once: diag(a) U - diag(b) U."""
    (m, first), (n, second) = matrix_factors(a), matrix_factors(b)
    common = 0
    while common < min(len(first), len(second)) - 1 and first[-1 - common] == second[-1 - common]:
        common += 1
    if not common:
        return simplify(nodes.add(a, b), IN_FORMULAS)
    lefts = (nodes.scale(m, nodes.matmul(*first[:-common])), nodes.scale(n, nodes.matmul(*second[:-common])))
    left = simplify(nodes.add(*lefts), IN_FORMULAS)
    # A sum in front of a matrix would only hide the two terms.
    return nodes.add(a, b) if isinstance(left, nodes.Sum) else nodes.matmul(left, *first[-common:])
