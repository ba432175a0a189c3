"""Which equation is wrong: every equation of a derivation on its own, given the ones that it builds on.

An adjoint equation is right when <its value, v> equals what the forward equations that read the variable make of a
change v, weighted with their targets' adjoints.  That holds whether those adjoints are right or not, so one wrong
equation does not drag the others along.
"""

from __future__ import annotations

from collections.abc import Iterator

from symrnn.algebra import nodes
from symrnn.algebra.nodes import Expr, Variable
from symrnn.calculus.derivation import Derivation, Step
from symrnn.calculus.equations import Line
from symrnn.calculus.rules import local_jacobian
from symrnn.calculus.symbols import DerivativeSymbol
from symrnn.calculus.window import ask
from symrnn.language.recurrence import Equation
from symrnn.printers import text
from symrnn.verification.field import Array, Number, inner, same, slopes
from symrnn.verification.layout import vec
from symrnn.verification.trial import Trial


def show_step(step: Step) -> str:
    """A backward equation of one step, with its number: of a parameter, the term δW_t that the step contributes."""
    return f"equation ({step.number}) {text(step.left)} = {text(step.value)}"


def show_gradient(step: Step) -> str:
    """A backward equation over all steps, with its number: of a parameter, ∂L/∂W as the sum of what they contribute."""
    return f"equation ({step.number}) {Line(step.target, step.value)}"


def show_equation(derivation: Derivation, equation: Equation) -> str:
    """A forward equation as the derivation prints it, with its number."""
    return f"equation ({derivation.number(equation.target)}) {text(equation.target)} = {text(equation.value)}"


def show_jacobian(derivation: Derivation, of: Variable, wrt: Variable) -> str:
    """The symbol of a Jacobian of the cell."""
    return ask(derivation, of.name, wrt.name).symbol.text(text)


def wrong_steps(trial: Trial) -> list[Step]:
    """The backward equations that do not follow from the forward equations, in order."""
    return [step for step in trial.derivation.steps if not _holds(trial, step)]


def _holds(trial: Trial, step: Step) -> bool:
    return follows(trial, step, trial.values[step.target.name])


def follows(trial: Trial, step: Step, value: Array) -> bool:
    """Whether a value is what a step's forward equations and their targets' adjoints make of its variable."""
    variable, derivation = step.of, trial.derivation
    direction = trial.draw(variable)
    expected = Number(0)
    if step.role == "state":
        expected += inner(trial.values[derivation.cotangents[variable.name].name], direction)
    for equation in derivation.forward:
        if variable in nodes.variables(equation.value):
            moved = trial.slope(equation.value, variable, direction)
            expected += inner(trial.adjoint(equation.target), moved)
    return inner(value, direction) == expected


def wrong_gradients(trial: Trial) -> list[Variable]:
    """The arguments of the step whose adjoint, taken through the whole step, is wrong."""

    def right(variable: Variable) -> bool:
        explained = inner(trial.adjoint(variable), trial.direction[variable.name])
        return explained == change(trial, trial.moved_by(variable.name))

    return [variable for variable in trial.layout.variables if not right(variable)]


def change(trial: Trial, moved: dict[str, Array]) -> Number:
    """How <cotangents, new states> moves."""
    total = Number(0)
    for state, cotangent in trial.derivation.cotangents.items():
        total += inner(trial.values[cotangent.name], slopes(moved[state]))
    return total


def explain_adjoint(trial: Trial) -> str:
    """Which backward equations are wrong, and which gradients that spoils."""
    lines = [f"{show_step(step)} is wrong" for step in wrong_steps(trial)]
    spoiled = [text(trial.derivation.of(v.name).target) for v in wrong_gradients(trial)]
    if spoiled:
        lines.append(f"wrong in consequence: {', '.join(spoiled)}")
    return "\n".join(lines) or "each equation holds on its own, yet together they do not give the step's adjoint"


def wrong_factors(trial: Trial, of: Variable, wrt: Variable) -> Iterator[str]:
    """The forward equations between two variables whose local Jacobians are wrong, as sentences."""
    derivation = trial.derivation
    for equation, variable in _between(derivation, of, wrt):
        shares = {s.variable: s.value for s in local_jacobian(equation.value, equation.target, derivation.rules)}
        claimed: Expr | None = shares.get(variable)
        direction = trial.draw(variable)
        moved = vec(trial.slope(equation.value, variable, direction))
        got = 0 * moved if claimed is None else trial.evaluate(claimed) @ vec(direction)
        if not same(got, moved):
            shown = "0" if claimed is None else text(claimed)
            yield (
                f"of {show_equation(derivation, equation)}\n"
                f"  the Jacobian {DerivativeSymbol('direct', equation.target, variable).text(text)} = {shown} is wrong"
            )


def _between(derivation: Derivation, of: Variable, wrt: Variable) -> Iterator[tuple[Equation, Variable]]:
    """Every forward equation on a way from `wrt` to `of`, with each variable in it that lies on such a way."""
    affected, needed = {wrt}, {of}
    for equation in derivation.forward:
        if affected & nodes.variables(equation.value):
            affected.add(equation.target)
    for equation in reversed(derivation.forward):
        if equation.target in needed:
            needed |= nodes.variables(equation.value)
    for equation in derivation.forward:
        if equation.target in needed:
            for variable in sorted(affected & nodes.variables(equation.value), key=lambda v: v.name):
                yield equation, variable
