"""What a gradient is made of: paths that are missing or that should not be there."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

from symrnn.algebra import nodes
from symrnn.algebra.nodes import Expr, Variable
from symrnn.diagnosis.loop import Loop
from symrnn.diagnosis.mistake import Edit, Grounds, Mistake, called, in_brackets, in_slope, put_at
from symrnn.diagnosis.model import carried_part
from symrnn.diagnosis.terms import sites
from symrnn.printers import text

_OUTPUTS = (
    ("none", "missing-output", "the cotangent of {} is not used", 1),
    ("last step", "missing-output", "the cotangent of {} is used at the last step only", 3),
    ("every step", "extra-path", "the cotangent of {} is added at every step, not at the last one only", 5),
    ("every step and again", "extra-path", "the cotangent of {} is added at every step, and handed to the last one", 5),
    ("last at every step", "extra-path", "the last step's cotangent of {} is added at every step", 5),
    ("twice", "double-counted", "the cotangent of {} is counted twice", 5),
    ("negative", "sign", "the cotangent of {} has the opposite sign", 5),
    ("reversed", "wrong-time-index", "the cotangent of {} is read in the order of the steps, not backwards", 5),
    ("next", "wrong-time-index", "the cotangent of {} is read at the step after", 5),
    ("previous", "wrong-time-index", "the cotangent of {} is read at the step before", 5),
)

_SERIES = (
    ("reversed", "is returned in the order of the backward loop"),
    ("next", "is returned one step early"),
    ("previous", "is returned one step late"),
)
_OF_ONE_STEP = ("none", "twice", "negative")


def cut_paths(on: Grounds) -> Iterator[Mistake]:
    """States whose gradient is not handed on."""
    states = on.cell.states
    for chosen in [(state,) for state in states] + ([tuple(states)] if len(states) > 1 else []):
        about = tuple(f"{state}_prev" for state in chosen)
        names = " and ".join(text(on.derivation.of(name).target) for name in about)
        words = f"{names} {'are' if len(chosen) > 1 else 'is'} not handed on to the step before"
        yield Mistake("recurrent-path-cut", words, 0, loop=Loop(cut=frozenset(chosen)), about=about)
        yield Mistake("recurrent-path-cut", words, 1, loop=Loop(kept=frozenset(chosen)), about=about)
    for length in (2, 3, 4):
        for origin, begin in product(("first", "last"), range(length)):
            words = f"gradients are carried back in windows of {length} steps only, counted from the {origin} one"
            for returns in (None, True):
                yield Mistake("truncated", words, 5, loop=Loop(length=(length, begin, origin), returns=returns))
    for span in (1, 2, 3, 4):
        words = f"the backward loop runs over the last {span} steps only".replace("1 steps", "step")
        yield Mistake("truncated", words, 4, loop=Loop(span=span))


def ignored_outputs(on: Grounds) -> Iterator[Mistake]:
    """Outputs whose cotangent is not used, or used at every step."""
    for output in on.outputs:
        for how, tag, words, rank in _OUTPUTS:
            said = words.format(output)
            if on.timed or how in _OF_ONE_STEP:
                yield Mistake(tag, said, rank, loop=Loop(outer=((output, how),)), about=(output,))


def moved_in_time(on: Grounds) -> Iterator[Mistake]:
    """The gradient of an input, at other steps than its own."""
    for name in on.cell.inputs:
        for how, words in _SERIES:
            yield Mistake("wrong-time-index", words, 4, loop=Loop(series=((name, how),)), about=(name,))


def missing_terms(on: Grounds) -> Iterator[Mistake]:
    """A variable's gradient without one of its terms, or a bracket in it without one."""
    for position, line, number, term in on.terms():
        families: tuple[Any, ...] = ()
        if line.role == "parameter":
            families = (("drop", on.group(line)), *_through(term))
        elif line.role in ("carry", "input"):
            families = (("drop", on.group(line), _is_product(term)), *_through(term)[line.role == "carry" :])
        elif not _is_cotangent(term):
            families = (("drop", line.of),)
        alone = len(line.terms) == 1  # then another reason for a zero, such as a step left out, is likelier
        words = "is left at zero" if alone else f"lacks the term {called(term)}"
        yield Mistake("missing-path", words, 5 if alone else 2, (Edit(position, number, None),), families=families)
        for site in sites(term):
            if not isinstance(site.node, nodes.Sum) or in_slope(on, site):
                continue
            for gone in site.node.args:
                rest = nodes.add(*(part for part in site.node.args if part != gone))
                if isinstance(rest, nodes.Ones):  # the same as no bracket at all
                    continue
                words = f"lacks {text(gone)} in {in_brackets(site.node)}"
                yield Mistake("missing-path", words, 3, put_at(position, number, site, rest))


def _through(term: Expr) -> tuple[Any, ...]:
    """The adjoint that a term is made of: people leave one out in several equations at once."""
    named = sorted(v.name for v in nodes.variables(term) if v.mark == "adjoint")
    return tuple((where, name) for where in ("outside", "everywhere") for name in named)


def _is_cotangent(term: Expr) -> bool:
    """Whether a term is what comes from outside the step, and not from its equations."""
    return isinstance(term, Variable) and term.mark in ("loss", "carried")


def _is_product(term: Expr) -> bool:
    return any(isinstance(site.node, nodes.Product) for site in sites(term))


def partial_adjoints(on: Grounds) -> Iterator[Mistake]:
    """A part of an adjoint where the whole of it should be."""
    shares = {line.target: [term for term in line.terms if not nodes.is_zero(term)] for line in on.program.lines}
    for position, line, number, term in on.terms():
        for old in sorted(nodes.variables(term), key=lambda variable: variable.name):
            parts = shares.get(old, [])
            for part in parts if len(parts) > 1 and old != line.target else ():
                rest = nodes.add(*(other for other in parts if other != part))
                changes = [(rest, f"leaves {called(part)} out of {text(old)}")]
                if len(parts) > 2:
                    changes.append((part, f"has {called(part)} in place of all of {text(old)}"))
                for new, words in changes:
                    edits = (Edit(position, number, term.xreplace({old: new})),)
                    yield Mistake("missing-path", words, 4, edits, families=(("part", words),))
                words = f"counts {called(part)} twice in {text(old)}"
                edits = (Edit(position, number, term.xreplace({old: nodes.add(old, part)})),)
                yield Mistake("double-counted", words, 6, edits, families=(("part", words),))


def only_terms(on: Grounds) -> Iterator[Mistake]:
    """A gradient with a single one of its terms."""
    for position, line in enumerate(on.program.lines):
        terms = enumerate(line.terms)
        present = [number for number, term in terms if not nodes.is_zero(term) and not _is_cotangent(term)]
        for kept in present if len(present) > 2 else ():
            words = f"has the term {called(line.terms[kept])} only"
            edits = tuple(Edit(position, number, None) for number in present if number != kept)
            yield Mistake("missing-path", words, 3, edits)


def extra_terms(on: Grounds) -> Iterator[Mistake]:
    """A gradient with a term too many."""
    for position, line in enumerate(on.program.lines):
        shape = line.of.shape
        known = [v for v in on.adjoints if v.shape == shape and on.position(v) < position]
        known += [on.derivation.loss(state) for state in on.cell.states]
        known += [carried_part(on.derivation, state) for state in on.cell.states]
        for extra in dict.fromkeys(known):
            if extra.shape == shape and extra not in line.terms:
                words = f"has a term too many, {called(extra)}"
                yield Mistake("extra-path", words, 8, (Edit(position, -1, extra),))
        for other in on.program.lines:
            for term in other.terms:
                if other is not line and other.role == line.role and term.shape == shape and line.role != "parameter":
                    words = f"has a term too many, {text(term)}"
                    yield Mistake("extra-path", words, 8, (Edit(position, -1, term),))
