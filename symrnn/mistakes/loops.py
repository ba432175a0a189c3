"""The loop over time: where it starts, what it adds up, what it reads."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from symrnn.algebra import nodes
from symrnn.algebra.nodes import Expr, Variable
from symrnn.mistakes.backward_pass import Line, at_first, at_step
from symrnn.mistakes.loop import FIRST, Loop
from symrnn.mistakes.mistake import Edit, Grounds, Mistake, reads_adjoint
from symrnn.mistakes.terms import Slope, sites
from symrnn.printers import text

_ON_THE_WAY = ("state", "intermediate")
"""The roles of what is neither returned nor handed on."""


def starts(on: Grounds) -> Iterator[Mistake]:
    """Step 0 with another initial state."""
    states = on.cell.states
    for how, what in FIRST.items():
        for chosen in [(state,) for state in states] + ([tuple(states)] if len(states) > 1 else []):
            loop = Loop(starts=tuple((state, how) for state in chosen))
            names = " and ".join(text(on.cell[f"{state}_prev"]) for state in chosen)
            words = f"at step 0, {what} is read for {names}".replace("zeros is", "zeros are")
            yield Mistake("initial-state", words, 3, loop=loop, about=tuple(f"{state}_prev" for state in chosen))
    for state in states:
        for how, what in (
            ("adjoint", "the gradient of the state of step 0 is"),
            ("late", "what step 1 hands on is"),
            ("zero", "zeros are"),
        ):
            words = f"{what} returned as the gradient of the initial state, {text(on.cell[f'{state}_prev'])} at step 0"
            loop = Loop(returned=((state, how),))
            tag = "missing-path" if how == "zero" else "initial-state"
            yield Mistake(tag, words, 3, loop=loop, families=(("returned", how),), about=(f"{state}_prev",))


def starts_in_one_place(on: Grounds) -> Iterator[Mistake]:
    """One equation with another initial state at step 0."""
    for position, line, number, term in on.terms():
        for old in (variable for variable in on.cell.previous if variable in nodes.variables(term)):
            for how, what in FIRST.items():
                edits = (Edit(position, number, term.xreplace({old: at_first(old, how)})),)
                words = f"reads {what} for {text(old)} at step 0"
                families = (("first", how, old, line.role), ("first", how, old, _in_a_product(term, old)))
                yield Mistake("initial-state", words, 4, edits, families=families)


def _in_a_product(term: Expr, value: Variable) -> bool:
    """Whether a value is read as a factor of something that the forward pass may have stored, such as r ⊙ h."""
    products = (site.node for site in sites(term) if isinstance(site.node, nodes.Hadamard))
    return any(value in nodes.variables(node) and not reads_adjoint(node) for node in products)


def sums(on: Grounds) -> Iterator[Mistake]:
    """Gradients that are not summed over all steps."""
    said = {
        "first": "is the term of step 0 only, not the sum over all steps",
        "last": "is the term of the last step only, not the sum over all steps",
        "not first": "lacks the term of step 0",
        "not last": "lacks the term of the last step",
        "doubled": "is doubled at each step before the next term is added",
    }
    for line in on.program.lines:
        if line.role == "parameter":
            for how, words in said.items():
                yield Mistake(
                    "double-counted" if how == "doubled" else "missing-accumulation",
                    words,
                    3,
                    loop=Loop(sums=((line.of.name, how),)),
                    families=(("sums", how, on.group(line)), ("sums", how, is_matrix(line)), ("sums", how)),
                    about=(line.of.name,),
                )
    for step, which in ((0, "step 0"), (-1, "the last step")):
        words = f"the loop over the steps leaves out {which}"
        yield Mistake("missing-accumulation", words, 3, loop=Loop(skipped=frozenset({step})))


def is_matrix(line: Line) -> bool:
    """Whether a line gives the gradient of a matrix; people treat weights alike, and biases."""
    return bool(line.of.shape[1] != 1)


def means(on: Grounds) -> Iterator[Mistake]:
    """Gradients that are means, or a multiple."""
    for line in on.program.lines:
        if line.role not in ("parameter", "input", "carry"):
            continue
        for factor, tag, what, rank in (
            ("1/N", "mean-for-sum", "is the mean over the batch, not the sum", 3),
            ("1/T", "mean-for-sum", "is the mean over the steps, not the sum", 3),
            ("1/NT", "mean-for-sum", "is the mean over the batch and the steps, not the sum", 4),
        ):
            yield Mistake(
                tag,
                what,
                rank,
                loop=Loop(factors=((line.of.name, factor),)),
                families=(
                    ("means", factor, on.group(line)),
                    ("means", factor, line.role, is_matrix(line)),
                    ("means", factor, line.role),
                ),
                about=(line.of.name,),
            )


def stale_in_one_place(on: Grounds) -> Iterator[Mistake]:
    """One equation with a value of the first or of the last step, at every step."""
    for position, line, number, term in on.terms():
        for old in sorted(nodes.variables(term) & set(on.values), key=lambda variable: variable.name):
            for step, which in ((-1, "last"), (0, "first")):
                edits = (Edit(position, number, term.xreplace({old: at_step(old, step)})),)
                words = f"reads {text(old)} of the {which} step, at every step"
                families: tuple[Any, ...] = ((step, old, line.role), (step, old), (step, old, line.role in _ON_THE_WAY))
                families += tuple((step, slope.function) for slope in _slopes_of(on, line, old))
                yield Mistake("stale-cache", words, 5, edits, families=families)


def stale_on_the_way(on: Grounds) -> Iterator[Mistake]:
    """Everything but the gradients of the weights with the values of the first or of the last step."""
    for step, which in ((-1, "last"), (0, "first")):
        fixed = {value: at_step(value, step) for value in on.values}
        terms = on.terms("state", "intermediate", "carry")
        edits = tuple(
            Edit(p, n, term.xreplace(fixed)) for p, _, n, term in terms if fixed.keys() & nodes.variables(term)
        )
        words = f"has the values of the {which} step in it, at every step"
        yield Mistake("stale-cache", words, 5, edits)


def _slopes_of(on: Grounds, line: Line, value: Variable) -> Iterator[Slope]:
    """The derivative that a pre-activation's adjoint has, where that is of a value."""
    if on.derivation.is_preactivation(line.of):
        yield from (slope for slope in on.slopes if slope.of == value)


def stale(on: Grounds) -> Iterator[Mistake]:
    """Every step reads the values of one step."""
    kept = tuple(dict.fromkeys(variable.base for variable in on.values))
    for step, which in ((-1, "last"), (0, "first")):
        for name in kept:
            words = f"{name} is read at the {which} step, at every step"
            yield Mistake("stale-cache", words, 5, loop=Loop(frozen=((name, step),)), about=(name,))
        words = f"every step reads the values of the {which} step"
        yield Mistake("stale-cache", words, 4, loop=Loop(frozen=tuple((name, step) for name in kept)))
        computed = tuple(name for name in kept if name not in on.cell.inputs)
        words = f"every step reads the states and gates of the {which} step"
        yield Mistake("stale-cache", words, 5, loop=Loop(frozen=tuple((name, step) for name in computed)))
