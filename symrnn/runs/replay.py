"""The author's text over several steps, in which one variable moves and others are held: the truth about derivatives.

It runs the text itself, on numbers that carry a slope.  It knows no rule of differentiation and no path; of the
derivation it uses the forward equations, to learn which part of the text a pre-activation is.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from random import Random

import numpy as np

from symrnn.algebra.evaluate import Evaluator
from symrnn.algebra.functions import FUNCTIONS
from symrnn.algebra.nodes import Variable
from symrnn.arrays import Array
from symrnn.calculus.derivation import Derivation
from symrnn.calculus.window import Window, earlier, known_variables
from symrnn.language.definition import Definition
from symrnn.language.evaluate import evaluate, known
from symrnn.runs.field import FIELD, draw, make_at_point, same
from symrnn.runs.literals import exact_expression, exact_text
from symrnn.runs.numbers import FLOATS, RESIDUES, SlopedNumbers
from symrnn.runs.points import Ground, search
from symrnn.runs.sizes import CellAtSizes, layouts
from symrnn.runs.stepping import Frame, StepValues, over_steps

Moment = tuple[str, int | None]
"""A value by letter and time: of h at t-1, ("h", -1); of a parameter W, ("W", None)."""


@dataclass(frozen=True)
class Replay:
    """A window of steps at numbers.

    Attributes:
        derivation: the derivation whose claims are looked at.
        layout: the sizes.
        text: the author's text with its pre-activations named, and with literals of the right kind.
        numbers: the kind of number.
        evaluate: gives expressions of the variables at t, t-1, ... their values.
        arguments: inputs of every step, states before the first, parameters, by moment, in rows and columns.
        steps: the number of steps.
    """

    derivation: Derivation
    layout: CellAtSizes
    text: Definition
    numbers: SlopedNumbers
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
        run = _HeldRun(self, window, direction)
        run.through_all_steps()
        return {moment: self.numbers.rate(value) for moment, value in run.seen.items()}


class _HeldRun:
    """One run of the text in which one variable moves and others are held; `seen` has every value before that."""

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
        backs = range(replay.steps - 1, -1, -1)
        start = {s: self._argument(f"{s}_prev", (s, -replay.steps)) for s in cell.states}
        start |= {p: self._argument(p, (p, None)) for p in cell.parameters}
        inputs = ({x: self._argument(x, (x, -back)) for x in cell.inputs} for back in backs)

        def step(number: int, point: Frame) -> dict[str, Array]:
            names = known(replay.text, point, replay.numbers.arithmetic)
            for line in replay.text.assignments:
                value = evaluate(line.value, names, replay.numbers.arithmetic)
                is_authors = line.name in cell.symbols
                names[line.name] = self._settle(line.name, (line.name, -backs[number]), value, is_authors)
            return names

        for _ in over_steps(step, lambda names: {s: names[s] for s in cell.states}, start, inputs):
            pass

    def _argument(self, name: str, moment: Moment) -> Array:
        shape = self._replay.layout.text_shape(self._known[name])
        return self._settle(name, moment, self._replay.arguments[moment].reshape(shape), is_authors=False)

    def _settle(self, name: str, moment: Moment, value: Array, is_authors: bool) -> Array:
        """What a value is read as: moved, or at rest."""
        numbers, shape = self._replay.numbers, self._replay.layout.text_shape(self._known[name])
        value = np.broadcast_to(np.asarray(value), shape)
        if moment == self._moving:
            value = numbers.move(value, self._direction.reshape(shape))
        self.seen[moment] = value
        # Held is what others read of a value; the value itself is still seen to move, which is what is asked about.
        silent = self._explicit and is_authors and moment != self._moving
        return numbers.rest(value) if silent or moment in self._held else value


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
            # By value and not by form: the derivation may have rearranged what the author wrote.
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
    # Any sizes do to recognise a value by its numbers; two that differ tell a matrix from its transpose.
    layout, rng = layouts(cell, [(2, 3)])[0], Random(0)

    def draw_names() -> Definition:
        return _named_at(derivation, layout, {v.name: draw(rng, layout.shape(v)) for v in layout.variables})

    return make_at_point(draw_names) or cell.syntax


def _named_at(derivation: Derivation, layout: CellAtSizes, point: dict[str, Array]) -> Definition:
    names = known(derivation.cell.syntax, layout.arguments(point), FIELD)
    values = StepValues(derivation, layout, RESIDUES, point).values
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


# --- points -----------------------------------------------------------------------------------------------------------


def _argument_moments(derivation: Derivation, steps: int) -> Iterator[tuple[Moment, Variable]]:
    cell = derivation.cell
    yield from (((s, -steps), cell[f"{s}_prev"]) for s in cell.states)
    yield from (((p, None), cell[p]) for p in cell.parameters)
    yield from (((x, -back), cell[x]) for back in range(steps) for x in cell.inputs)


def _values_over_steps(
    derivation: Derivation,
    arguments: Mapping[Moment, Array],
    steps: int,
    step: Callable[[Frame], StepValues | None],
) -> dict[str, Array] | None:
    """Every value of every step by identifier, from the forward equations; None where `step` gives nothing."""
    cell = derivation.cell
    fixed = {p: arguments[p, None] for p in cell.parameters}
    start = fixed | {f"{s}_prev": arguments[s, -steps] for s in cell.states}
    backs = range(steps - 1, -1, -1)
    inputs = ({x: arguments[x, -back] for x in cell.inputs} for back in backs)
    reached = over_steps(lambda _, point: step(point), lambda at: at.carried if at else {}, start, inputs)
    values = dict(fixed)
    for back, at in zip(backs, reached, strict=True):
        if at is None:
            return None
        for name, variable in known_variables(derivation).items():
            values[earlier(derivation, variable, back).name] = at.values[name]
    return values


def replay_exactly(
    derivation: Derivation, layout: CellAtSizes, steps: int, rng: Random, text: Definition | None = None
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
        step = partial(StepValues, derivation, layout, RESIDUES)
        values = _values_over_steps(derivation, arguments, steps, step)
        assert values is not None  # a divisor that is zero raises
        evaluator = RESIDUES.evaluator(values, layout.sizes)
        return Replay(derivation, layout, text, RESIDUES, evaluator, arguments, steps)

    return make_at_point(draw_replay)


def replay_numerically(
    derivation: Derivation, layout: CellAtSizes, steps: int, rng: np.random.Generator, text: Definition | None = None
) -> Replay | None:
    """The same at a legal point in floating point."""
    ground, named = Ground(derivation, layout), text or named_text(derivation)
    moments = dict(_argument_moments(derivation, steps))

    def accept(drawn: dict[str, Array]) -> Replay | None:
        arguments = dict(zip(moments, drawn.values(), strict=True))
        values = _values_over_steps(derivation, arguments, steps, ground.step)
        if values is None:
            return None
        return Replay(derivation, layout, named, FLOATS, FLOATS.evaluator(values, layout.sizes), arguments, steps)

    return search(rng, {str(moment): layout.shape(v) for moment, v in moments.items()}, accept)
