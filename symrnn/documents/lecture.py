"""The backward pass as a lecture has it: for every variable the chain rule, what stands in it, and what comes of it."""

from __future__ import annotations

from symrnn.algebra import nodes
from symrnn.algebra.nodes import ONE_BY_ONE, Expr, Variable
from symrnn.calculus.derivation import Derivation, Step
from symrnn.calculus.graph import graph_of
from symrnn.calculus.symbols import DerivativeSymbol
from symrnn.documents.passes import explain_step, refer_to, say_messages
from symrnn.documents.setting import Setting, phrase
from symrnn.documents.structure import (
    Block,
    Display,
    EquationLine,
    Inline,
    Maths,
    NumberedEquation,
    Paragraph,
    Section,
    enumerated,
)
from symrnn.documents.summing import gathered

_LONGEST = 260
"""Characters of plain text, three lines of a page: what is put into the chain rule is left out where it is longer, as
its result, which follows, says the same more shortly."""


def write_lecture(setting: Setting) -> Section:
    """The backward pass through one step, every equation derived."""
    derivation = setting.derivation
    state = setting.sample_state()
    bar = setting.maths(derivation.cotangents[derivation.cell.states[0]])
    one, other = _transposed(setting)
    opening: Inline = (
        *phrase(_RULE.replace("<1>", one).replace("<2>", other)),
        *(" The forward equations are gone through from the last to the first, so that what is needed is known. ", bar),
        *(" stands for what reaches ", state, " from outside the step."),
    )

    def write(*roles: str) -> list[Block]:
        return [block for step in derivation.steps if step.role in roles for block in _write_step(setting, step)]

    blocks = [Paragraph(opening), *write("state", "intermediate"), *write("input")]
    return Section("backward", "Backward through one step", (*blocks, say_messages(setting), *write("carry")))


_RULE = (
    r"The loss depends on a variable through those equations that read it. Where those of $y_1$, $y_2$, ... read $v$, "
    r"the chain rule is $\delta v = <1> \delta y_1 + <2> \delta y_2 + \dots$, each equation with its direct Jacobian."
)


def _transposed(setting: Setting) -> tuple[str, str]:
    one, other = (rf"\frac{{\partial^{{+}} y_{i}}}{{\partial v}}" for i in (1, 2))
    if setting.layout == "denominator":
        return one, other
    return rf"({one})^{{\top}}", rf"({other})^{{\top}}"


def _write_step(setting: Setting, step: Step) -> tuple[Block, ...]:
    lines = (*_write_rule(setting, step), _write_result(setting, step))
    return Paragraph(_say_readers(setting, step)), Display(
        (NumberedEquation(str(step.number), lines, step.target.name),)
    )


def _say_readers(setting: Setting, step: Step) -> Inline:
    """Which equations read the variable."""
    shown = setting.maths(step.of)
    if not step.premises:
        after = "; it is a state, and what comes after the step reads it." if step.role == "state" else "."
        return ("No equation of the step reads ", shown, after)
    readers = enumerated(map(setting.maths, step.premises))
    words = "The equation of " if len(step.premises) == 1 else "The equations of "
    verb = " reads " if len(step.premises) == 1 else " read "
    after = "; as a state it is read after the step as well." if step.role == "state" else "."
    return (words, *readers, refer_to(setting, step.premises, " in "), verb, shown, after)


def _write_rule(setting: Setting, step: Step) -> list[EquationLine]:
    """The chain rule, and the same with the direct Jacobians put in."""
    derivation = setting.derivation
    if not step.premises:
        return []
    outside = [derivation.cotangents[step.of.base]] if step.role == "state" else []
    given = [setting.maths(_column(cotangent)) for cotangent in outside]
    symbols, values = list(given), list(map(_column, outside))
    for reader in _find_readers(derivation, step):
        jacobian = _differentiate(derivation, reader, step.of)
        sent = _column(derivation.of(reader.name).target)
        symbols.append(_multiply(setting, DerivativeSymbol("direct", reader, step.of), sent))
        values.append(_times(nodes.transpose(jacobian), sent))
    left = setting.maths(_column(step.target))
    rule = EquationLine(left, Maths.joined(symbols, " + "), ("chain rule",))
    put_in = setting.maths(nodes.add(*values))
    if len(put_in.text) > _LONGEST or put_in == setting.maths(step.value):
        return [rule]
    return [rule, EquationLine(None, put_in, ("direct Jacobians put in",), is_next=True)]


def _find_readers(derivation: Derivation, step: Step) -> tuple[Variable, ...]:
    """The variables whose equations read this one; without the arguments of functions of those that read it themselves.

    An argument belongs to the equation of its function: ∂⁺y/∂v has what comes through it already.
    """
    inner = {part for reader in step.premises for part in _list_arguments(derivation, reader)}
    return tuple(reader for reader in step.premises if reader not in inner)


def _list_arguments(derivation: Derivation, target: Variable) -> set[Variable]:
    """The arguments of functions that belong to an equation, and those of their own functions."""
    values = {equation.target: equation.value for equation in derivation.forward}
    found: set[Variable] = set()
    waiting = [target]
    while waiting:
        read = nodes.variables(values[waiting.pop()]) - found
        waiting += [v for v in read if v in values and derivation.is_preactivation(v)]
        found |= set(waiting)
    return found


def _differentiate(derivation: Derivation, reader: Variable, of: Variable) -> Expr:
    """The direct Jacobian of one variable's equation, the arguments of its functions written out."""
    inner = _list_arguments(derivation, reader) - {of}
    shown = [equation.target for equation in derivation.forward if equation.target not in inner]
    return graph_of(derivation, shown=shown).incoming(reader)[of]


def _write_result(setting: Setting, step: Step) -> EquationLine:
    reason = explain_step(setting, step)
    value = gathered(setting, step.value)
    # A matrix is the same as its column of entries only when it is stacked: it gets a left side of its own.
    goes_on = bool(step.premises) and step.target.shape[1] == 1
    return EquationLine(None if goes_on else setting.maths(step.target), value, reason, is_next=goes_on)


def _column(variable: Variable) -> Expr:
    """The variable as a column, a matrix as the stack of its columns."""
    return variable if variable.shape[1] == 1 else nodes.vec(variable)


def _times(matrix: Expr, column: Expr) -> Expr:
    if matrix.shape == ONE_BY_ONE and column.shape == ONE_BY_ONE:
        return nodes.hadamard(matrix, column)
    return nodes.matmul(matrix, column)


def _multiply(setting: Setting, symbol: DerivativeSymbol, sent: Expr) -> Maths:
    """(∂⁺y/∂v)ᵀ δy; in the denominator layout the Jacobian is transposed already."""
    shown, adjoint = setting.derivative(symbol), setting.maths(sent)
    if setting.layout == "denominator":
        return Maths.joined((shown, adjoint), " ")
    up = setting.notation.transposed
    return Maths(rf"\left({shown.latex}\right)^{{{up}}} {adjoint.latex}", f"({shown.text})ᵀ {adjoint.text}")
