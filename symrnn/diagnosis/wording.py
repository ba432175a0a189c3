"""Mistakes in sentences."""

from __future__ import annotations

from collections.abc import Sequence

from symrnn.algebra import nodes
from symrnn.diagnosis.explanation import FoundMistake
from symrnn.findings.findings import Diagnosis
from symrnn.findings.sentences import listed
from symrnn.mistakes.backward_pass import AdjointEquation, BackwardPass
from symrnn.mistakes.catalogue import CATALOGUE, phantom_gradient
from symrnn.mistakes.mistake import Mistake
from symrnn.printers import latex, text

_SUMMED = "Σ_t "


def diagnosis(found: FoundMistake, right: BackwardPass, name: str, exact: bool = True) -> Diagnosis:
    """What was found, as data with a sentence.

    Args:
        found: the mistake and the gradients that it makes wrong.
        right: the program as derived.
        name: of the cell.
        exact: whether it explains the gradients up to rounding; otherwise it only comes close.
    """
    lines = _about(found.mistake, right)
    first = lines[0] if lines and not _is_of_nothing(found.mistake) else None
    is_are = "are" if len(found.labels) > 1 else "is"
    what = "what you get" if exact else "near, but not exactly, what you get"
    parts = [f"{_subject(found)} {is_are} {what} when {clause(found.mistake, lines)}."]
    if exact:
        parts.append(f"Agreement: {found.agreement:.0e}." if found.agreement else "Agreement: exact.")
    else:
        parts.append(f"A near miss: the relative error is {found.agreement:.0e}.")
    if first is not None:
        parts.append(f"Equation ({first.number}) of `symrnn derive {name}`.")
    return Diagnosis(
        mistake=found.mistake.tag,
        equation=first.number if first else None,
        formula=formula(first) if first else "",
        latex=f"{latex(first.target)} = {latex(_value(first))}" if first else "",
        gradients=found.labels,
        agreement=found.agreement,
        sentence=" ".join(parts),
        exact=exact,
    )


def _subject(found: FoundMistake) -> str:
    """The gradients that a mistake makes wrong: those that show it at once, and how many follow from them."""
    own = not found.mistake.edits and all(effect.own_only for effect in found.mistake.effects)
    # What changes gradients themselves is handed on to no other step: it is seen in some at other sizes only.
    first = found.labels if own else found.labels[: found.simple] or found.labels
    others = len(found.labels) - len(first)
    told = f"The gradient{'s' * (len(found.labels) > 1)} of {listed(first)}"
    if others:
        told += f" and, through time, {'another one' if others == 1 else f'{others} others'}"
    return told


def clause(mistake: Mistake, lines: Sequence[AdjointEquation]) -> str:
    """What was done wrong, as a clause."""
    of_equation = any(effect.of_equation for effect in mistake.effects)
    if of_equation or (mistake.edits and not CATALOGUE[mistake.tag].whole_clause):
        told = f"{formula(lines[0])} {mistake.words}" if lines else mistake.words
        if len(lines) > 1:
            told += f", and likewise {listed([text(line.target) for line in lines[1:]])}"
        return told
    return mistake.words


def _is_of_nothing(mistake: Mistake) -> bool:
    """Whether it is a gradient for which there is no equation."""
    return mistake.tag == phantom_gradient.TAG and bool(mistake.edits)


def _about(mistake: Mistake, right: BackwardPass) -> tuple[AdjointEquation, ...]:
    lines = mistake.lines(right)
    if lines:
        return lines
    return tuple(line for name in mistake.about for line in right.lines if line.of.name == name)


def formula(line: AdjointEquation) -> str:
    """A backward equation as text; for a parameter, with the sum over the steps."""
    value = text(_value(line))
    if line.role == "parameter":
        value = f"{_SUMMED}({value})" if len(line.terms) > 1 else f"{_SUMMED}{value}"
    return f"{text(line.target)} = {value}"


def _value(line: AdjointEquation) -> nodes.Expr:
    """The right side; what the loss sends to a state and what the next step sends back is its cotangent there."""
    terms = [term for term in line.terms if not (isinstance(term, nodes.Variable) and term.mark == "carried")]
    terms = [_cotangent(line) if isinstance(t, nodes.Variable) and t.mark == "loss" else t for t in terms]
    return nodes.add(*terms) if terms else nodes.zeros(line.of.shape)


def _cotangent(line: AdjointEquation) -> nodes.Variable:
    return line.of.marked("cotangent", f"{line.of.name}_bar_in")
