"""Terms that do not belong into a gradient."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from symrnn.algebra import nodes
from symrnn.algebra.nodes import Expr
from symrnn.algebra.places import factors, without
from symrnn.arrays import Array
from symrnn.findings.findings import Diagnosis
from symrnn.mistakes.backward_pass import carried_part
from symrnn.mistakes.mistake import Edit, Mistake
from symrnn.mistakes.mistake_class import Example, MistakeClass
from symrnn.mistakes.shared import OtherUse, at_last, everywhere, other_uses
from symrnn.mistakes.site import MistakeSite, called, reads_adjoint
from symrnn.printers import text

TAG = "extra-path"


def everywhere_and_last(value: Array) -> Array:
    """The last step's cotangent at every step, and once more at the last."""
    return everywhere(value) + at_last(value)


def last_added(value: Array) -> Array:
    """The last step's cotangent, added to that of every step."""
    added: Array = value + everywhere(value) * (np.arange(len(value)) > 0).reshape(-1, 1, 1, 1)
    return added


def everywhere_and_before(value: Array) -> Array:
    """The last step's cotangent at every step, and for the initial state."""
    return np.broadcast_to(value[-1:], value.shape)


_USES = (
    OtherUse(everywhere, "the cotangent of {} is added at every step, not at the last one only", 5),
    OtherUse(everywhere_and_last, "the cotangent of {} is added at every step, and handed to the last one", 5),
    OtherUse(last_added, "the last step's cotangent of {} is added at every step", 5),
    OtherUse(everywhere_and_before, "the cotangent of {} is added again to what each step hands on", 5),
)


def likely(on: MistakeSite) -> Iterator[Mistake]:
    """The cotangent of the last step, used at other steps too."""
    return other_uses(on, TAG, _USES)


def wide(on: MistakeSite) -> Iterator[Mistake]:
    """An adjoint, or a term of another equation, added to one."""
    yield from _adjoints(on)
    yield from _terms(on)


def _adjoints(on: MistakeSite) -> Iterator[Mistake]:
    for position, line in enumerate(on.program.lines):
        shape = line.of.shape
        known = [v for v in on.adjoints if v.shape == shape and on.position(v) < position]
        known += [on.derivation.loss(state) for state in on.cell.states]
        known += [carried_part(on.derivation, state) for state in on.cell.states]
        known += [other.target for other in on.program.lines[:position] if {other.role, line.role} == {"carry"}]
        for extra in dict.fromkeys(known):
            # What an equation has already would be counted twice, which is another class.
            if extra.shape == shape and extra not in line.terms and _is_known(on, extra, position):
                words = f"has a term too many, {called(extra)}"
                yield Mistake(TAG, words, 8, (Edit(position, -1, extra),))
        for other in on.program.lines:
            for term in other.terms:
                alike = other is not line and other.role == line.role and line.role != "parameter"
                if alike and term.shape == shape and _is_known(on, term, position):
                    words = f"has a term too many, {text(term)}"
                    yield Mistake(TAG, words, 8, (Edit(position, -1, term),))


def _terms(on: MistakeSite) -> Iterator[Mistake]:
    """An adjoint with an extra term that belongs to another adjoint, or that is like one of its own."""
    for position, line in enumerate(on.program.lines):
        if line.role == "parameter":
            continue
        near = [other for other in on.program.lines if other is line or {other.role, line.role} == {"state", "carry"}]
        terms = [term for other in near for term in other.terms if term.shape == line.of.shape]
        for extra in dict.fromkeys(changed for term in terms for changed in _like(on, term)):
            if extra not in line.terms and _is_known(on, extra, position):
                words = f"has a term too many, {text(extra)}"
                yield Mistake(TAG, words, 7, (Edit(position, -1, extra),))


def _like(on: MistakeSite, term: Expr) -> Iterator[Expr]:
    """A term with another adjoint in it, or without one of its factors."""
    outside = [on.derivation.cotangents[state] for state in on.cell.states]
    for old in sorted((v for v in nodes.variables(term) if v.is_sent_back), key=text):
        yield from (term.xreplace({old: new}) for new in (*on.adjoints, *outside) if new.shape == old.shape)
    for part in factors(term)[1]:
        rest = None if reads_adjoint(part) else without(term, (part,))
        if rest is not None:
            yield rest


def _is_known(on: MistakeSite, expr: Expr, position: int) -> bool:
    """Whether all adjoints in an expression have been computed before a line."""
    return all(on.position(v) < position for v in nodes.variables(expr) if v in on.adjoints)


def of_arrays(names: tuple[str, ...], decay: float | None) -> Diagnosis:
    """The diagnosis where gradients are not zero although every cotangent is.

    Args:
        names: the arrays.
        decay: how many times the array itself is added, if that is what is added.
    """
    if decay is not None:
        told = f"To the gradient of {', '.join(names)} {decay:g} times the array itself is added: weight decay."
    else:
        told = f"The gradient of {', '.join(names)} is not zero where every cotangent is: "
        told += "something is added that no cotangent is a factor of, such as where a bracket is missing."
    return Diagnosis(TAG, None, "", "", names, 0.0, told)


MISTAKE = MistakeClass(
    TAG,
    "a gradient has a term too many",
    precedence=50,
    likely=likely,
    wide=wide,
    wrong=(
        Example(
            "rnn",
            "dh = dhs[t] + carry",
            'dh = dhs[t] + carry\n        dh += last["h"] * (t < len(x) - 1)',
            line="dh += ",
        ),
        Example("lstm", "dc_next = dc * f[t]", "dc_next = dc * f[t] + dh"),
    ),
    right=(
        Example("rnn", "dh = dhs[t] + carry", "dh = dhs[t] + carry + 0 * carry"),
        Example("lstm", "dc_next = dc * f[t]", "dc_next = dc - dc * (1 - f[t])"),
    ),
)
