"""Which equation is wrong: every equation of a derivation on its own, given the ones that it builds on.

An adjoint equation is right when <its value, v> equals what the forward equations that read the variable make of a
change v, weighted with their targets' adjoints.  That holds whether those adjoints are right or not, so one wrong
equation does not drag the others along.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from symrnn.algebra import nodes
from symrnn.algebra.nodes import Expr, Variable
from symrnn.arrays import Array
from symrnn.calculus.derivation import Derivation, Step
from symrnn.calculus.equations import NamedEquation
from symrnn.calculus.rules import local_jacobian
from symrnn.calculus.symbols import DerivativeSymbol
from symrnn.calculus.window import ask
from symrnn.language.recurrence import Equation
from symrnn.printers import text
from symrnn.runs.blocks import StepBlocks
from symrnn.runs.field import Number, inner, same, slopes
from symrnn.runs.field_point import FieldPoint
from symrnn.runs.sizes import vec
from symrnn.verification.jointly import MOST_NAMED, are_separate, culprits


def show_step(step: Step) -> str:
    """A backward equation of one step, with its number: of a parameter, the term δW_t that the step contributes."""
    return f"equation ({step.number}) {text(step.left)} = {text(step.value)}"


def show_gradient(step: Step) -> str:
    """A backward equation over all steps, with its number: of a parameter, ∂L/∂W as the sum of what they contribute."""
    return f"equation ({step.number}) {NamedEquation(step.target, step.value)}"


def show_equation(derivation: Derivation, equation: Equation) -> str:
    """A forward equation as the derivation prints it, with its number."""
    return f"equation ({derivation.number(equation.target)}) {text(equation.target)} = {text(equation.value)}"


def show_jacobian(derivation: Derivation, of: Variable, wrt: Variable) -> str:
    """The symbol of a Jacobian of the cell."""
    return ask(derivation, of.name, wrt.name).symbol.text(text)


def wrong_steps(point: FieldPoint) -> list[Step]:
    """The backward equations that do not follow from the forward equations, in order."""
    return [step for step in point.derivation.steps if not _holds(point, step)]


def _holds(point: FieldPoint, step: Step) -> bool:
    return follows(point, step, point.values[step.target.name])


def follows(point: FieldPoint, step: Step, value: Array) -> bool:
    """Whether a value is what a step's forward equations and their targets' adjoints make of its variable."""
    variable, derivation = step.of, point.derivation
    direction = point.draw(variable)
    expected = Number(0)
    # What reaches a state from outside of the step is given, so it adds to what its equations make of a change.
    if step.role == "state":
        expected += inner(point.values[derivation.cotangents[variable.name].name], direction)
    for equation in derivation.forward:
        # By the author's equations and the adjoints as they are: each backward equation is judged by itself, whatever
        # it builds on.
        if variable in nodes.variables(equation.value):
            moved = point.slope(equation.value, variable, direction)
            expected += inner(point.adjoint(equation.target), moved)
    return inner(value, direction) == expected


def wrong_gradients(point: FieldPoint) -> list[Variable]:
    """The arguments of the step whose adjoint, taken through the whole step, is wrong; of many, the first few."""

    def right(some: Sequence[Variable]) -> bool:
        directions = {v.name: point.direction[v.name] for v in some}
        explained = sum((inner(point.adjoint(v), directions[v.name]) for v in some), Number(0))
        return explained == change(point, point.run(directions))

    every = point.layout.variables
    # By halving, where one comparison each would take as many runs of the text.
    if not are_separate(len(every)):
        return culprits(every, right)
    return [variable for variable in every if not right([variable])]


def change(point: FieldPoint, moved: dict[str, Array]) -> Number:
    """How <cotangents, new states> moves."""
    total = Number(0)
    for state, cotangent in point.derivation.cotangents.items():
        total += inner(point.values[cotangent.name], slopes(moved[state]))
    return total


def explain_adjoint(point: FieldPoint) -> str:
    """Which backward equations are wrong, and which gradients that spoils."""
    lines = [f"{show_step(step)} is wrong" for step in wrong_steps(point)]
    spoiled = [text(point.derivation.of(v.name).target) for v in wrong_gradients(point)]
    if spoiled:
        # Told apart, since a reader would look for a fault in each of them.
        lines.append(f"wrong in consequence: {', '.join(spoiled)}")
    return "\n".join(lines) or "each equation holds on its own, yet together they do not give the step's adjoint"


def wrong_factors(point: FieldPoint, of: Variable, wrt: Variable) -> Iterator[str]:
    """The forward equations between two variables whose local Jacobians are wrong, as sentences."""
    derivation = point.derivation
    for equation, variable in _between(derivation, of, wrt):
        shares = {s.variable: s.value for s in local_jacobian(equation.value, equation.target, derivation.rules)}
        claimed: Expr | None = shares.get(variable)
        direction = point.draw(variable)
        moved = vec(point.slope(equation.value, variable, direction))
        got = 0 * moved if claimed is None else point.evaluate(claimed) @ vec(direction)
        if not same(got, moved):
            shown = "0" if claimed is None else text(claimed)
            yield (
                f"of {show_equation(derivation, equation)}\n"
                f"  the Jacobian {DerivativeSymbol('direct', equation.target, variable).text(text)} = {shown} is wrong"
            )


def _between(derivation: Derivation, of: Variable, wrt: Variable) -> Iterator[tuple[Equation, Variable]]:
    """Every forward equation on a way from `wrt` to `of`, with each variable in it that lies on such a way."""
    # Both ways, from the beginning and from the end: what is on no way between them says nothing of the Jacobian.
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


# --- many Jacobians at once -------------------------------------------------------------------------------------------


def wrong_jacobians(point: FieldPoint, blocks: StepBlocks, arguments: Sequence[Variable]) -> str:
    """What is wrong with the Jacobians of all states with respect to some arguments; an empty text where nothing is.

    Args:
        point: numbers of the field, and directions.
        blocks: the Jacobians.
        arguments: what moves.
    """
    states = _moved_wrongly(point, blocks, arguments)
    if not states:
        return ""
    pairs: list[tuple[Variable, Variable]] = []
    for of in states[:MOST_NAMED]:
        if len(pairs) < MOST_NAMED:
            wrong = culprits(arguments, lambda some, of=of: of not in _moved_wrongly(point, blocks, some))  # type: ignore[misc]
            pairs += [(of, wrt) for wrt in wrong]
    return "\n".join(dict.fromkeys(_describe(point, blocks, states, pairs[:MOST_NAMED])))


def _moved_wrongly(point: FieldPoint, blocks: StepBlocks, arguments: Iterable[Variable]) -> list[Variable]:
    """The states that the Jacobians move otherwise than the text."""
    directions = {v.name: point.direction[v.name] for v in arguments}
    moved = point.run(directions)
    claimed = blocks.moved({v: vec(directions[v.name]) for v in arguments}, point.evaluate)
    truths = {point.derivation.cell[s]: vec(slopes(moved[s])) for s in point.derivation.cell.states}
    return [of for of, truth in truths.items() if not same(claimed.get(of, 0 * truth), truth)]


def _describe(
    point: FieldPoint, blocks: StepBlocks, states: Sequence[Variable], pairs: Iterable[tuple[Variable, Variable]]
) -> Iterator[str]:
    names = ", ".join(of.name for of in states[:MOST_NAMED]) + (", ..." if len(states) > MOST_NAMED else "")
    yield f"{len(states)} of the {len(point.derivation.cell.states)} states move otherwise than in the text: {names}"
    for of, wrt in pairs:
        yield f"{show_jacobian(point.derivation, of, wrt)} = {blocks.shown(of, wrt)} is wrong"
        yield from wrong_factors(point, of, wrt)
