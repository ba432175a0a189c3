"""The author's text over several steps, in which one variable moves and others are held: the truth about derivatives.

It runs the text itself, on numbers that carry a slope.  It knows no rule of differentiation and no path; of the
derivation it uses the forward equations, to learn which part of the text a pre-activation is.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from random import Random

import numpy as np

from symrnn.algebra.evaluate import Evaluator
from symrnn.algebra.functions import FUNCTIONS, Arithmetic
from symrnn.algebra.nodes import Variable
from symrnn.calculus.derivation import Derivation
from symrnn.calculus.window import Window, earlier, known_variables
from symrnn.language.definition import Definition
from symrnn.language.evaluate import NUMPY, evaluate, known
from symrnn.runs.field import FIELD, Array, Number, along, draw, make_at_point, same, slopes
from symrnn.runs.points import Ground, search
from symrnn.runs.sizes import Layout, layouts
from symrnn.runs.trial import ExactEvaluator, exact_expression, exact_text

Moment = tuple[str, int | None]
"""A value by letter and time: of h at t-1, ("h", -1); of a parameter W, ("W", None)."""

COMPLEX_STEP = 1e-30


@dataclass(frozen=True)
class Calculus:
    """Numbers that carry a slope.

    Attributes:
        functions: the functions of the table over them.
        move: `move(value, direction)`, the value moving in a direction.
        rest: the value without its slope.
        rate: its slope.
    """

    functions: Arithmetic
    move: Callable[[Array, Array], Array]
    rest: Callable[[Array], Array]
    rate: Callable[[Array], Array]


def _along(value: Array, direction: Array) -> Array:
    return along(value.reshape(-1), direction.reshape(-1)).reshape(value.shape)  # as a list: a scalar has no axis


def _at_rest(value: Array) -> Array:
    return _along(value, np.full(value.shape, Number(0), dtype=object))


EXACT = Calculus(FIELD, _along, _at_rest, slopes)
COMPLEX = Calculus(
    NUMPY,
    lambda value, direction: value + 1j * COMPLEX_STEP * direction,
    np.real,
    lambda value: np.imag(value) / COMPLEX_STEP,
)


@dataclass(frozen=True)
class Replay:
    """A window of steps at numbers.

    Attributes:
        derivation: the derivation whose claims are looked at.
        layout: the sizes.
        text: the author's text with its pre-activations named, and with literals of the right kind.
        calculus: the kind of number.
        evaluate: gives expressions of the variables at t, t-1, ... their values.
        arguments: inputs of every step, states before the first, parameters, by moment, in rows and columns.
        steps: the number of steps.
    """

    derivation: Derivation
    layout: Layout
    text: Definition
    calculus: Calculus
    evaluate: Evaluator
    arguments: Mapping[Moment, Array]
    steps: int

    def rates(self, window: Window, direction: Array) -> dict[Moment, Array]:
        """How every value moves when one variable of the first step does (a parameter: at every step).

        Args:
            window: with respect to what, and what is held; of kind "direct", every variable that the text names passes
                nothing on, except what moves.
            direction: how it moves, in rows and columns.
        """
        run = _Run(self, window, direction)
        run.through_all_steps()
        return {moment: self.calculus.rate(value) for moment, value in run.seen.items()}


class _Run:
    """One run of the text; `seen` has every value before it is held."""

    def __init__(self, replay: Replay, window: Window, direction: Array) -> None:
        assert replay.steps == window.reach
        moved = window.moved
        self._replay = replay
        self._moving = (moved.base, None if moved.time is None else moved.time - replay.steps + 1)
        self._direction = direction
        self._held = window.frozen_moments
        self._explicit = window.kind == "direct"
        self._known = known_variables(replay.derivation)
        self.seen: dict[Moment, Array] = {}

    def through_all_steps(self) -> None:
        replay, cell = self._replay, self._replay.derivation.cell
        m = replay.calculus.functions
        state = {s: self._argument(f"{s}_prev", (s, -replay.steps)) for s in cell.states}
        fixed = {p: self._argument(p, (p, None)) for p in cell.parameters}
        for back in reversed(range(replay.steps)):
            names = known(replay.text, fixed | {x: self._argument(x, (x, -back)) for x in cell.inputs} | state, m)
            for line in replay.text.assignments:
                value = evaluate(line.value, names, m)
                is_authors = line.name in cell.symbols
                names[line.name] = self._settle(line.name, (line.name, -back), value, is_authors)
            state = {s: names[s] for s in cell.states}

    def _argument(self, name: str, moment: Moment) -> Array:
        shape = self._replay.layout.text_shape(self._known[name])
        return self._settle(name, moment, self._replay.arguments[moment].reshape(shape), is_authors=False)

    def _settle(self, name: str, moment: Moment, value: Array, is_authors: bool) -> Array:
        """What a value is read as: moved, or at rest."""
        calculus, shape = self._replay.calculus, self._replay.layout.text_shape(self._known[name])
        value = np.broadcast_to(np.asarray(value), shape)
        if moment == self._moving:
            value = calculus.move(value, self._direction.reshape(shape))
        self.seen[moment] = value
        silent = self._explicit and is_authors and moment != self._moving
        return calculus.rest(value) if silent or moment in self._held else value


# --- the author's text with the names that the derivation adds --------------------------------------------------------


_WITH_ARGUMENT = {*FUNCTIONS, "softmax"}
"""The functions of the language whose compound argument gets a name."""


class _Naming(ast.NodeTransformer):
    """Replaces arguments of functions that have the value of a pre-activation by its name."""

    def __init__(self, names: Mapping[str, Array], wanted: Mapping[str, Array]) -> None:
        self._names = names
        self._wanted = wanted
        self.found: dict[str, ast.expr] = {}

    def visit_Call(self, node: ast.Call) -> ast.Call:
        args: list[ast.expr] = []
        for argument in node.args:
            value = np.asarray(evaluate(exact_expression(argument), self._names, FIELD), dtype=object)
            inner = self.visit(argument)
            name = next((n for n, wanted in self._wanted.items() if _agree(value, wanted)), None)
            if isinstance(node.func, ast.Name) and node.func.id in _WITH_ARGUMENT and name is not None:
                self.found.setdefault(name, inner)
                inner = ast.Name(name)
            args.append(inner)
        return ast.Call(node.func, args, node.keywords)


def _agree(value: Array, wanted: Array) -> bool:
    """Whether a value of the text, repeated where it is a scalar, is this one."""
    flat = wanted.reshape(-1)
    return value.size in (1, flat.size) and same(np.broadcast_to(value.reshape(-1), flat.shape), flat)


def named_text(derivation: Derivation) -> Definition:
    """The author's text with a line of its own for every pre-activation that the derivation names.

    Which argument a name stands for is found by its value at random numbers of the field.
    """
    cell = derivation.cell
    layout, rng = layouts(cell, [(2, 3)])[0], Random(0)

    def draw_names() -> Definition:
        return _named_at(derivation, layout, {v.name: draw(rng, layout.shape(v)) for v in layout.variables})

    return make_at_point(draw_names) or cell.syntax


def _named_at(derivation: Derivation, layout: Layout, point: dict[str, Array]) -> Definition:
    names = known(derivation.cell.syntax, layout.arguments(point), FIELD)
    values = _step_exactly(derivation, layout, point).values
    definition, lines = derivation.cell.syntax, []
    hidden = [e.target.name for e in derivation.forward if derivation.is_preactivation(e.target)]
    unnamed = {name: values[name] for name in hidden}
    for line in definition.assignments:
        naming = _Naming(names, unnamed)
        value = naming.visit(copy.deepcopy(line.value))
        lines += [replace(line, name=name, value=part) for name, part in naming.found.items()]
        unnamed = {name: wanted for name, wanted in unnamed.items() if name not in naming.found}
        lines.append(replace(line, value=value))
        variable = derivation.cell[line.name]
        names[line.name] = values[line.name].reshape(layout.text_shape(variable))
    return replace(definition, assignments=tuple(lines))


def _step_exactly(derivation: Derivation, layout: Layout, point: dict[str, Array]) -> Evaluator:
    """All values of one step over the field, from the forward equations; they are added to the point."""
    evaluator = ExactEvaluator(point, layout.sizes, FIELD)
    for equation in derivation.forward:
        point[equation.target.name] = evaluator(equation.value)
    return evaluator


# --- points -----------------------------------------------------------------------------------------------------------


def _argument_moments(derivation: Derivation, steps: int) -> Iterator[tuple[Moment, Variable]]:
    cell = derivation.cell
    yield from (((s, -steps), cell[f"{s}_prev"]) for s in cell.states)
    yield from (((p, None), cell[p]) for p in cell.parameters)
    yield from (((x, -back), cell[x]) for back in range(steps) for x in cell.inputs)


def _frames(
    derivation: Derivation,
    arguments: Mapping[Moment, Array],
    steps: int,
    step: Callable[[dict[str, Array]], Evaluator | None],
) -> dict[str, Array] | None:
    """Every value of every step by identifier, from the forward equations; None where `step` gives nothing."""
    cell = derivation.cell
    fixed = {p: arguments[p, None] for p in cell.parameters}
    state = {f"{s}_prev": arguments[s, -steps] for s in cell.states}
    values = dict(fixed)
    for back in reversed(range(steps)):
        inputs = {x: arguments[x, -back] for x in cell.inputs}
        evaluated = step(fixed | inputs | state)
        if evaluated is None:
            return None
        for name, variable in known_variables(derivation).items():
            values[earlier(derivation, variable, back).name] = evaluated.values[name]
        state = {f"{s}_prev": evaluated.values[s] for s in cell.states}
    return values


def replay_exactly(
    derivation: Derivation, layout: Layout, steps: int, rng: Random, text: Definition | None = None
) -> Replay | None:
    """A window at random numbers of the field at which nothing divides by zero, or None where none is found.

    Args:
        derivation: the derivation.
        layout: the sizes.
        steps: the number of steps.
        rng: where the numbers come from.
        text: the `named_text` of the derivation, where it is known.
    """
    text = exact_text(text or named_text(derivation))

    def draw_replay() -> Replay:
        arguments = {m: draw(rng, layout.shape(v)) for m, v in _argument_moments(derivation, steps)}
        values = _frames(derivation, arguments, steps, lambda p: _step_exactly(derivation, layout, p))
        assert values is not None
        return Replay(derivation, layout, text, EXACT, ExactEvaluator(values, layout.sizes, FIELD), arguments, steps)

    return make_at_point(draw_replay)


def replay_numerically(
    derivation: Derivation, layout: Layout, steps: int, rng: np.random.Generator, text: Definition | None = None
) -> Replay | None:
    """The same at a legal point in floating point."""
    ground, named = Ground(derivation, layout), text or named_text(derivation)
    moments = dict(_argument_moments(derivation, steps))

    def accept(drawn: dict[str, Array]) -> Replay | None:
        arguments = dict(zip(moments, drawn.values(), strict=True))
        values = _frames(derivation, arguments, steps, ground.step)
        if values is None:
            return None
        return Replay(derivation, layout, named, COMPLEX, Evaluator(values, layout.sizes, NUMPY), arguments, steps)

    return search(rng, {str(moment): layout.shape(v) for moment, v in moments.items()}, accept)
