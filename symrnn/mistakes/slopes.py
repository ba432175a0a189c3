"""Derivatives of activations: missing, in part or on one summand, or taken of something else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from symrnn.algebra import nodes
from symrnn.algebra.nodes import Expr, Variable
from symrnn.calculus.derivation import shift
from symrnn.mistakes.backward_pass import at_step, of_next_step
from symrnn.mistakes.mistake import Edit, Grounds, Mistake, called, in_brackets, in_slope, put_at
from symrnn.mistakes.terms import Site, Slope, factors, sites, without
from symrnn.printers import text


def wrong_slopes(on: Grounds) -> Iterator[Mistake]:
    """A derivative that is missing, in part or on one summand, or taken of something else."""
    for position, _line, number, term in on.terms():
        for site in sites(term):
            if isinstance(site.node, nodes.Hadamard | nodes.Product) or not site.above:
                for slope in on.slopes:
                    rest = without(site.node, slope.factors)
                    if rest is not None:
                        yield from _at_slope(on, position, number, site, slope, nodes.scale(1 / slope.number, rest))


def bare_activations(on: Grounds) -> Iterator[Mistake]:
    """The argument of an activation, or another value, where the activation has no name of its own."""
    unnamed = {
        site.node
        for equation in on.derivation.forward
        for site in sites(equation.value)
        if site.above and isinstance(site.node, nodes.Act) and isinstance(site.node.operands[0], Variable)
    }
    for position, _line, number, term in on.terms():
        for site in sites(term):
            if in_slope(on, site):
                continue
            if site.node in unnamed:
                others = [(value, 4 if value in site.node.operands else 6) for value in on.values]
            elif isinstance(site.node, Variable) and not any(above in unnamed for above in site.above):
                others = [(value, 5) for value in sorted(unnamed, key=text) if site.node.base == value.operands[0].base]
            else:
                continue
            for new, rank in others:
                if new.shape == site.node.shape:
                    words = f"has {text(new)} in place of {text(site.node)}"
                    yield Mistake("wrong-operand", words, rank, put_at(position, number, site, new))


def _at_slope(on: Grounds, position: int, number: int, site: Site, slope: Slope, rest: Expr) -> Iterator[Mistake]:
    def mistake(tag: str, words: str, rank: int, new: Expr, key: Any) -> Mistake:
        return Mistake(
            tag,
            words,
            rank,
            put_at(position, number, site, new),
            families=(
                ("slope", slope.function, tag, key),
                ("slope", tag, key if tag == "missing-derivative" else words),
            ),
        )

    whole = nodes.scale(slope.number, nodes.hadamard(nodes.ones(rest.shape), *slope.factors))
    shown = " ⊙ ".join(in_brackets(part) for part in slope.factors)
    yield mistake("missing-derivative", f"loses the factor {shown}", 3, rest, "all")
    if len(slope.factors) > 1:
        for index, part in enumerate(slope.factors):
            left = nodes.scale(slope.number, without(whole, (part,)) or whole)
            words = f"loses the factor {in_brackets(part)}"
            yield mistake("missing-derivative", words, 3, nodes.hadamard(rest, left), index)
        for part in slope.factors:
            words = f"has the factor {in_brackets(part)} twice"
            yield mistake("extra-factor", words, 5, nodes.hadamard(site.node, part), ("again", part))
    for key, (tag, words, other) in enumerate(slope.instead):
        said = f"has {in_brackets(other)} in place of {shown}: the derivative of {slope.function} {words}"
        yield mistake(tag, said, 4, nodes.hadamard(rest, other), (key, words))
    yield mistake("extra-factor", f"has the factor {shown} twice", 7, nodes.hadamard(site.node, whole), "twice")
    yield from _on_one_summand(on, position, number, site, slope, rest, whole)


def _elsewhere(on: Grounds, slope: Slope, whole: Expr) -> Iterator[tuple[str, Expr]]:
    """The derivative at the value of another step, or of one that was overwritten."""
    if isinstance(slope.of, Variable):
        yield "corrupted-cache", whole.xreplace({slope.of: nodes.power(slope.of, 2)})
        yield "stale-cache", whole.xreplace({slope.of: at_step(slope.of, -1)})
        yield "stale-cache", whole.xreplace({slope.of: at_step(slope.of, 0)})
        for steps in (-1, 1):
            yield "wrong-time-index", shift(whole, steps)


def across_steps(on: Grounds) -> Iterator[Mistake]:
    """A derivative put on what comes from the step after before it went through the weights, not after."""
    for position, _, number, term in on.terms("state", "intermediate"):
        for slope in on.slopes:
            state = _state_of(on, without(term, slope.factors))
            whole = nodes.scale(slope.number, nodes.hadamard(*slope.factors))
            inside = None if state is None else _inside_weights(on, state, whole)
            if state is not None and inside is not None:
                words = (
                    f"has the factor {in_brackets(whole)} inside the product with the weights in what is carried back"
                )
                new = nodes.add(nodes.hadamard(on.derivation.loss(state), whole), inside)
                yield Mistake("diagonal-wrong-side", words, 5, (Edit(position, number, new),))


def _state_of(on: Grounds, adjoint: Expr | None) -> str | None:
    """The state that something is the adjoint of, if what the loss and the next step send is all of it."""
    states = [line for line in on.program.lines if line.role == "state" and len(line.terms) == 2]
    return next((s.of.name for s in states if adjoint in (s.target, on.derivation.cotangents[s.of.name])), None)


def _inside_weights(on: Grounds, state: str, whole: Expr) -> Expr | None:
    """What the step after hands on to a state, each adjoint in it with a factor; None where that does not fit."""
    found: list[Expr] = []
    carry = next(line for line in on.program.lines if line.role == "carry" and line.of.base == state)
    for term in carry.terms:
        adjoints = [v for v in nodes.variables(term) & set(on.adjoints) if v.shape == whole.shape]
        if len(adjoints) != 1:
            return None
        found.append(term.xreplace({adjoints[0]: nodes.hadamard(of_next_step(adjoints[0]), whole)}))
    return nodes.add(*found)


def _on_one_summand(
    on: Grounds, position: int, number: int, site: Site, slope: Slope, rest: Expr, whole: Expr
) -> Iterator[Mistake]:
    """A bracket forgotten: (a + b) ⊙ s written a + b ⊙ s."""
    target, parts = factors(rest)
    for part in parts:
        line = next((line for line in on.program.lines if line.target == part), None)
        if line is None:
            continue
        others = [other for other in parts if other != part]
        summands = list(line.terms)
        if len(summands) < 2:
            continue
        for bare in summands:
            with_slope = nodes.add(*(summand for summand in summands if summand != bare))
            new = nodes.add(nodes.hadamard(bare, *others), nodes.hadamard(nodes.hadamard(with_slope, *others), whole))
            what = called(bare)
            sloped = nodes.hadamard(with_slope, *others, whole)
            for tag, said, other in slope.instead:
                wrong = nodes.add(nodes.hadamard(bare, *others, nodes.scale(slope.number, other)), sloped)
                shown = f"the derivative of {slope.function} {said}"
                words = f"has {in_brackets(other)} in place of {text(whole)} on a part of {text(part)}, {what}: {shown}"
                yield Mistake(tag, words, 6, put_at(position, number, site, nodes.scale(target, wrong)))
            for tag, other in _elsewhere(on, slope, whole):
                wrong = nodes.add(nodes.hadamard(bare, *others, other), sloped)
                words = f"has {in_brackets(other)} in place of {text(whole)} on a part of {text(part)}, {what}"
                yield Mistake(tag, words, 6, put_at(position, number, site, nodes.scale(target, wrong)))
            words = f"has the factor {text(whole)} on a part of {text(part)} only, not on {what}"
            yield Mistake("missing-derivative", words, 4, put_at(position, number, site, nodes.scale(target, new)))
