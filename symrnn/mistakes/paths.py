"""What a gradient is made of: paths that are missing or that should not be there."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

from symrnn.algebra import nodes
from symrnn.algebra.nodes import Expr, Variable
from symrnn.mistakes.backward_pass import Line, carried_part
from symrnn.mistakes.loop import Loop
from symrnn.mistakes.mistake import Edit, Grounds, Mistake, called, in_brackets, in_slope, put_at, reads_adjoint
from symrnn.mistakes.terms import factors, sites, without
from symrnn.printers import text

_OUTPUTS = (
    ("none", "missing-output", "the cotangent of {} is not used", 1),
    ("last step", "missing-output", "the cotangent of {} is used at the last step only", 3),
    ("every step", "extra-path", "the cotangent of {} is added at every step, not at the last one only", 5),
    ("every step and again", "extra-path", "the cotangent of {} is added at every step, and handed to the last one", 5),
    ("last at every step", "extra-path", "the last step's cotangent of {} is added at every step", 5),
    ("everywhere", "extra-path", "the cotangent of {} is added again to what each step hands on", 5),
    ("twice", "double-counted", "the cotangent of {} is counted twice", 5),
    ("twice before the last step", "double-counted", "the cotangent of {} is counted twice but at the last step", 6),
    ("negative", "sign", "the cotangent of {} has the opposite sign", 5),
    ("reversed", "wrong-time-index", "the cotangent of {} is read in the order of the steps, not backwards", 5),
    ("next", "wrong-time-index", "the cotangent of {} is read at the step after", 5),
    ("previous", "wrong-time-index", "the cotangent of {} is read at the step before", 5),
    ("next around", "wrong-time-index", "the cotangent of {} is read at the step after, around the end", 6),
    ("previous around", "wrong-time-index", "the cotangent of {} is read at the step before, around the end", 6),
    ("not at the last step", "missing-output", "the cotangent of {} is not used at the last step", 4),
    ("not at the first step", "missing-output", "the cotangent of {} is not used at step 0", 4),
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
    yield from _windows(on)
    for span in (1, 2, 3, 4):
        words = f"the backward loop runs over the last {span} steps only".replace("1 steps", "step")
        yield Mistake("truncated", words, 4, loop=Loop(span=span))


def _windows(on: Grounds) -> Iterator[Mistake]:
    """Gradients that are carried back a few steps only, all of them or those of one state."""
    states = on.cell.states
    for chosen in ((), *((state,) for state in states if len(states) > 1)):
        what = " and ".join(text(on.derivation.of(state).target) for state in chosen) or "gradients"
        is_are = "is" if chosen else "are"
        for length in (2, 3, 4):
            ways = [(begin, origin) for origin, begin in product(("first", "last"), range(length))] + [(0, "end")]
            for begin, origin in ways:
                windows = f"in windows of {length} steps only, counted from the {origin} one"
                words = f"{what} {is_are} carried back " + (
                    windows if origin != "end" else f"over the last {length} steps only"
                )
                for returns in (None, True):
                    loop = Loop(length=(length, begin, origin), windowed=frozenset(chosen), returns=returns)
                    yield Mistake("truncated", words, 5 + bool(chosen), loop=loop)


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
        families += tuple(_uses(on, line, term))
        alone = len(line.terms) == 1  # then another reason for a zero, such as a step left out, is likelier
        words = "is left at zero" if alone else f"lacks the term {called(term)}"
        tag = "recurrent-path-cut" if alone and on.timed and line.role == "carry" else "missing-path"
        yield Mistake(tag, words, 5 if alone else 2, (Edit(position, number, None),), families=families)
        for site in sites(term):
            if not isinstance(site.node, nodes.Sum) or in_slope(on, site):
                continue
            for gone in site.node.args:
                rest = nodes.add(*(part for part in site.node.args if part != gone))
                if isinstance(rest, nodes.Ones):  # the same as no bracket at all
                    continue
                words = f"lacks {text(gone)} in {in_brackets(site.node)}"
                yield Mistake("missing-path", words, 3, put_at(position, number, site, rest))
    for position, line in enumerate(on.program.lines):
        if len(line.terms) > 1 and line.role == "carry":
            edits = tuple(Edit(position, number, None) for number in range(len(line.terms)))
            tag = "recurrent-path-cut" if on.timed else "missing-path"
            yield Mistake(tag, "is left at zero", 2, edits)


def _uses(on: Grounds, line: Line, term: Expr) -> Iterator[Any]:
    """Each weight with the adjoint that it takes part with: one use of a weight that serves in several places."""
    read = nodes.variables(term)
    weights = {line.of.name} if line.role == "parameter" else {v.name for v in read} & set(on.cell.parameters)
    yield from (("use", weight, v.name) for weight in sorted(weights) for v in sorted(read, key=text) if v.mark)


def _through(term: Expr) -> tuple[Any, ...]:
    """The adjoint that a term is made of: people leave one out in several equations at once."""
    named = sorted(v.name for v in nodes.variables(term) if v.is_sent_back)
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


def terms_of_others(on: Grounds) -> Iterator[Mistake]:
    """An adjoint with one of its terms, or of another's, once more: made of an adjoint that does not go in there."""
    for position, line in enumerate(on.program.lines):
        if line.role == "parameter":
            continue
        near = [other for other in on.program.lines if other is line or {other.role, line.role} == {"state", "carry"}]
        terms = [term for other in near for term in other.terms if term.shape == line.of.shape]
        for extra in dict.fromkeys(changed for term in terms for changed in _like(on, term)):
            if extra not in line.terms and _is_known(on, extra, position):
                words = f"has a term too many, {text(extra)}"
                yield Mistake("extra-path", words, 7, (Edit(position, -1, extra),))


def _like(on: Grounds, term: Expr) -> Iterator[Expr]:
    """A term with another adjoint in it, or without one of its factors."""
    outside = [on.derivation.cotangents[state] for state in on.cell.states]
    for old in sorted((v for v in nodes.variables(term) if v.is_sent_back), key=text):
        yield from (term.xreplace({old: new}) for new in (*on.adjoints, *outside) if new.shape == old.shape)
    for part in factors(term)[1]:
        rest = None if reads_adjoint(part) else without(term, (part,))
        if rest is not None:
            yield rest


def _is_known(on: Grounds, expr: Expr, position: int) -> bool:
    """Whether all adjoints in an expression have been computed before a line."""
    return all(on.position(v) < position for v in nodes.variables(expr) if v in on.adjoints)


def extra_terms(on: Grounds) -> Iterator[Mistake]:
    """A gradient with a term too many."""
    for position, line in enumerate(on.program.lines):
        shape = line.of.shape
        known = [v for v in on.adjoints if v.shape == shape and on.position(v) < position]
        known += [on.derivation.loss(state) for state in on.cell.states]
        known += [carried_part(on.derivation, state) for state in on.cell.states]
        known += [other.target for other in on.program.lines[:position] if {other.role, line.role} == {"carry"}]
        for extra in dict.fromkeys(known):
            if extra.shape == shape and extra not in line.terms and _is_known(on, extra, position):
                words = f"has a term too many, {called(extra)}"
                yield Mistake("extra-path", words, 8, (Edit(position, -1, extra),))
        for other in on.program.lines:
            for term in other.terms:
                alike = other is not line and other.role == line.role and line.role != "parameter"
                if alike and term.shape == shape and _is_known(on, term, position):
                    words = f"has a term too many, {text(term)}"
                    yield Mistake("extra-path", words, 8, (Edit(position, -1, term),))
