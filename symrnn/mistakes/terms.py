"""Where a term of an equation can be changed: its nodes, each with a way to put another in its place."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from symrnn.algebra import nodes
from symrnn.algebra.functions import FUNCTIONS
from symrnn.algebra.nodes import Expr
from symrnn.calculus.derivation import Derivation
from symrnn.calculus.rules import on_expressions, slopes

Rebuild = Callable[[Expr], Expr]

_CHILDREN: Mapping[str, Callable[[Any], tuple[Expr, ...]]] = {
    "Sum": lambda x: x.args,
    "Hadamard": lambda x: x.args,
    "Stack": lambda x: x.args,
    "Product": lambda x: tuple(x.as_coeff_matrices()[1]),
    "Power": lambda x: (x.args[0],),
    "Transposed": lambda x: (x.arg,),
    "Act": lambda x: x.operands,
    "Fill": lambda x: (x.operand,),
    "Total": lambda x: (x.operand,),
    "Softmax": lambda x: (x.operand,),
    "Argmax": lambda x: (x.operand,),
    "Slice": lambda x: (x.operand,),
}

_MAKE: Mapping[str, Callable[[Any, list[Expr]], Expr]] = {
    "Sum": lambda x, parts: nodes.add(*parts),
    "Hadamard": lambda x, parts: nodes.hadamard(*parts),
    "Stack": lambda x, parts: nodes.stack(*parts),
    "Product": lambda x, parts: nodes.scale(x.as_coeff_matrices()[0], nodes.matmul(*parts)),
    "Power": lambda x, parts: nodes.power(parts[0], int(x.args[1])),
    "Transposed": lambda x, parts: nodes.transpose(parts[0]),
    "Act": lambda x, parts: nodes.act(x.name, *parts),
    "Fill": lambda x, parts: nodes.fill(parts[0], x.shape),
    "Total": lambda x, parts: nodes.total(parts[0]),
    "Softmax": lambda x, parts: nodes.softmax(parts[0]),
    "Argmax": lambda x, parts: nodes.argmax(parts[0]),
    "Slice": lambda x, parts: nodes.rows(parts[0], *x.bounds),
}


@dataclass(frozen=True)
class Site:
    """A node of a term.

    Attributes:
        node: the node.
        put: what the term becomes with another node there.
        above: the nodes that it is inside of, the outermost first.
    """

    node: Expr
    put: Rebuild
    above: tuple[Expr, ...] = ()


def sites(term: Expr) -> Iterator[Site]:
    """Every node of a term, the term itself first."""
    yield Site(term, lambda new: new)
    kind = type(term).__name__
    children = _CHILDREN.get(kind, lambda x: ())(term)
    for index, child in enumerate(children):
        for site in sites(child):
            yield Site(site.node, _inside(term, kind, children, index, site.put), (term, *site.above))


def _inside(term: Expr, kind: str, children: tuple[Expr, ...], index: int, put: Rebuild) -> Rebuild:
    def rebuilt(new: Expr) -> Expr:
        return _MAKE[kind](term, [*children[:index], put(new), *children[index + 1 :]])

    return rebuilt


def factors(expr: Expr) -> tuple[Any, tuple[Expr, ...]]:
    """The number in front and the factors of an element-by-element product; of anything else, itself."""
    number, rest = nodes.coefficient(expr)
    return number, tuple(rest.args) if isinstance(rest, nodes.Hadamard) else (rest,)


def without(expr: Expr, gone: tuple[Expr, ...]) -> Expr | None:
    """An element-by-element product without some of its factors, or None where it does not have them all."""
    number, kept = factors(expr)
    left = list(kept)
    for factor in gone:
        if factor not in left:
            return None
        left.remove(factor)
    return nodes.scale(number, nodes.hadamard(nodes.ones(expr.shape), *left))


@dataclass(frozen=True)
class Slope:
    """The derivative of an activation, as the derivation writes it, and what people write for it.

    Attributes:
        function: the activation.
        of: its value: a variable, or an expression where it has no name.
        number: the number in front of the derivative.
        factors: the derivative's factors.
        instead: tag, what it was taken for in words, and the other expression.
    """

    function: str
    of: Expr
    number: Any
    factors: tuple[Expr, ...]
    instead: tuple[tuple[str, str, Expr], ...]


def find_slopes(derivation: Derivation) -> list[Slope]:
    """The derivatives of all activations of a cell."""
    found: dict[tuple[Expr, ...], Slope] = {}
    for equation in derivation.forward:
        for site in sites(equation.value):
            node = site.node
            if not isinstance(node, nodes.Act) or len(node.operands) != 1:
                continue
            value = equation.target if node == equation.value else node
            (slope,) = slopes(node, value)
            number, parts = factors(slope)
            if not any(nodes.variables(part) for part in parts):
                continue
            found.setdefault(parts, Slope(node.name, value, number, parts, tuple(_instead(node, value, slope))))
    return list(found.values())


def _instead(node: nodes.Act, value: Expr, slope: Expr) -> Iterator[tuple[str, str, Expr]]:
    (x,), name = node.operands, node.name
    again = nodes.act(name, value)
    yield "derivative-at-output", "taken at the output", slopes(nodes.act(name, value), again)[0]
    yield "derivative-at-preactivation", "fed with the argument", _with_value(name, x)
    for other in (row.name for row in FUNCTIONS.values() if row.usual):
        if other != name:
            named = nodes.act(other, x)
            yield "wrong-derivative", f"that of {other}", _with_value(other, value)
            yield "wrong-derivative", f"that of {other}", slopes(named, named)[0]
    for words, wrong in FUNCTIONS[name].wrong_slopes:
        yield "wrong-derivative", words, on_expressions(wrong, x, value)
    for changed in dict.fromkeys(_slips(slope)):
        yield "wrong-derivative", "mistyped", changed


def _with_value(name: str, value: Expr) -> Expr:
    """φ' written with the output, where the output is taken to be `value`."""
    return slopes(nodes.act(name, value), value)[0]


def _unsquared(term: Expr) -> Expr:
    number, (part, *others) = factors(term)
    if not others and isinstance(part, nodes.Power) and int(part.args[1]) == 2:
        return nodes.scale(number, part.args[0])
    return term


def _slips(slope: Expr) -> Iterator[Expr]:
    """A sign or an exponent that is wrong, or a factor that is squared."""
    for site in sites(slope):
        if isinstance(site.node, nodes.Power) and int(site.node.args[1]) == 2:
            yield site.put(site.node.args[0])
        if isinstance(site.node, nodes.Sum):
            bare = nodes.add(*(_unsquared(term) for term in site.node.args))
            if bare != site.node:
                yield site.put(nodes.power(bare, 2))
            first, *rest = site.node.args
            yield site.put(nodes.add(first, *(nodes.negate(term) for term in rest)))
