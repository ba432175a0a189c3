"""Questions that isolate equations: a backward pass is asked at chosen numbers of steps, examples and outputs.

A backward pass is linear in its cotangents and may be asked as often as one likes.  With one step and one example, and
a cotangent on one output, the gradient of a gate's bias is that gate's own adjoint; with more steps, what is carried
back comes in; with more examples, the sum over the batch; with large cotangents, clipping.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from symrnn.arrays import Array
from symrnn.calculus.derivation import Derivation
from symrnn.callables.invocation import SubjectError
from symrnn.callables.subject import Subject
from symrnn.errors import InputError
from symrnn.identification.frames import LAST
from symrnn.identification.inverse import own_arrays
from symrnn.identification.layout import Layout, OtherInput
from symrnn.mistakes.backward_pass import BackwardPass, Cotangents, Run
from symrnn.mistakes.measured import Measured
from symrnn.mistakes.tape import Tape

SMALL, USUAL, LARGE = 1e-3, 1.0, 1e5
"""Scales of cotangents: below any clipping, as people check, and above any clipping."""

_TRIES = 40
"""Draws of random numbers at which the cell may be finite: both kinds of signs at each of twenty sizes, the last of
which is a seventh of the first."""
_SMALLER = 0.9
"""What the weights are multiplied by from one pair of draws to the next: with small ones no cell overflows."""
_UNITS = 4000
"""Rounding errors of the functions' precision that two equal gradients may differ by: a few steps of sums of some ten
terms, with the factors that a large weight or a small divisor brings."""
_LARGEST = 1e6
"""Values beyond this make rounding errors that hide mistakes: one in 1e16 of it is near the tolerance."""
_SAME = 1e-9
"""Up to which error gradients in double precision are the same, however few rounding errors that would be."""
_ROUNDING = 1e-14
"""How far rounding may put off a gradient that something larger was subtracted from, relative to it: some ten units."""


@dataclass(frozen=True)
class Question:
    """Where a backward pass is asked.

    Attributes:
        steps: T.
        batch: N.
        outputs: which outputs have a cotangent; all if empty.
        scale: of the cotangents.
        zero: whether the initial states are zero.
    """

    steps: int = 1
    batch: int = 1
    outputs: tuple[str, ...] = ()
    scale: float = SMALL
    zero: bool = False


@dataclass(frozen=True)
class Observed:
    """A gradient of the caller's, or the piece of one that belongs to one variable of the cell.

    Attributes:
        array: the caller's input, by its leaf path.
        label: the piece as he would write it.
        name: the cell's variable.
        target: the tile of it, or None for all of it.
        value: the numbers.
        noise: how far rounding may have put these off, where they are small beside what was subtracted from them.
    """

    array: str
    label: str
    name: str
    target: Any
    value: Array
    noise: float = 0.0

    def expected(self, gradients: Mapping[str, Array]) -> Array:
        """The same piece of a program's gradients."""
        whole = gradients[self.name]
        piece = whole if self.target is None else self.target.read(whole)
        if self.target is None and piece.shape != self.value.shape:  # one initial state for all examples
            return np.sum(piece, axis=0, keepdims=True)  # type: ignore[no-any-return]
        return piece.reshape(self.value.shape)

    def distance(self, expected: Array, floor: float) -> float:
        """How far they are from what is expected, relative to the larger of both."""
        size = max(self._norm, _norm(expected))
        if size <= floor:
            return 0.0
        # The smallest number that divides: below it are only subnormal ones.
        size = max(size, 1e-300)
        error = _norm(self.value - expected) / size - self.noise / size
        return max(0.0, error) if np.isfinite(error) else float("inf")  # max(0, NaN) would be 0: agreement

    @cached_property
    def _norm(self) -> float:
        return _norm(self.value)


@dataclass(frozen=True)
class Answer:
    """What a backward pass answered, and what is needed to run a program on the same question.

    Attributes:
        question: what was asked.
        tape: the values of the cell's forward pass.
        cotangents: what the cotangents are for the cell's states.
        observed: the gradients.
        offsets: for each, how large it is without any cotangent, relative to the largest gradient.
        finals: the outputs that are last states.
        decays: array -> how many times itself its gradient is without any cotangent, where it is a multiple of it.
        point: the functions' own arrays, by leaf path.
        given: the cotangents, by output path.
    """

    question: Question
    tape: Tape
    cotangents: Cotangents
    observed: tuple[Observed, ...]
    offsets: tuple[float, ...]
    finals: tuple[str, ...] = ()
    decays: Mapping[str, float] = field(default_factory=dict)
    point: Mapping[str, Array] = field(default_factory=dict, repr=False)
    given: Mapping[str, Array] = field(default_factory=dict, repr=False)

    def run(self, program: BackwardPass) -> Run:
        """A run of a program on this question."""
        return Run(program, self.tape, self.cotangents, self.finals)

    def expected(self, program: BackwardPass) -> list[Array]:
        """What a program gives for each piece."""
        with np.errstate(all="ignore"):
            gradients = self.run(program).gradients()
            return [piece.expected(gradients) for piece in self.observed]

    def measured(self, program: BackwardPass) -> tuple[Measured, ...]:
        """The gradients, each beside what a program gives for it."""
        pieces = zip(self.observed, self.expected(program), strict=True)
        return tuple(Measured(piece.name, piece.value, expected) for piece, expected in pieces)


def _norm(a: Array) -> float:
    flat = a.ravel()
    return float(np.sqrt(flat @ flat))


def distance(a: Array, b: Array) -> float:
    """‖a - b‖ by the larger norm of both; 0 where both are zero."""
    size = max(_norm(a), _norm(b))
    return _norm(a - b) / size if size else 0.0


class Questionnaire:
    """Asks a pair of functions questions in the terms of a cell.

    Args:
        subject: the functions.
        layout: how they hold the cell.
        derivation: of the cell.
        seed: of all numbers.
        labels: how pieces of arrays are called, where not as the layout does.

    Attributes:
        outputs: the outputs that are states, by the path that the layout has for them.
        taken: those of them whose cotangent backward takes.
        finals: those of them that are last states.
    """

    def __init__(
        self,
        subject: Subject,
        layout: Layout,
        derivation: Derivation,
        seed: int = 0,
        labels: Mapping[str, str] | None = None,
    ) -> None:
        self._labels = dict(labels or {})
        self.subject, self.layout, self.derivation, self.seed = subject, layout, derivation, seed
        self._own = {flat: subject.arrays[path] for flat, path in subject.flat_names.items()}
        self._flat = {path: flat for flat, path in subject.flat_names.items()}
        paths = dict.fromkeys(output.view.tile.array for output in layout.outputs)
        joined = [path.removesuffix("[:]") for path in paths if path.endswith("[:]")]
        self.outputs = tuple(
            path for path in paths if path.endswith("[:]") or not any(path.startswith(f"{whole}[") for whole in joined)
        )

        self.taken = tuple(path for path in self.outputs if self._takes(path))
        lasting = [output.view.tile.array for output in layout.outputs if output.view.when == LAST]
        self.finals = tuple(path for path in self.outputs if path in lasting)

    def _takes(self, path: str) -> bool:
        """Whether backward takes a cotangent of an output, or of every step of one that is a list."""
        return any(map(self.subject.reachable, _leaves(path, self.subject.answer)))

    @property
    def _unit(self) -> float:
        return max(self.subject.epsilon, self.subject.gradient_epsilon)

    @property
    def tolerance(self) -> float:
        """Up to which error gradients are the same, in the precision of the functions."""
        return max(_SAME, _UNITS * self._unit)

    def questions(self) -> list[Question]:
        """The questions that make sense for these functions, those that isolate most first."""
        timed, batched = "T" in self.layout.frame.axes, "N" in self.layout.frame.axes
        each = [(path,) for path in self.taken] if len(self.taken) > 1 else [()]
        asked = [Question(1, 1, one) for one in each] + [Question(1, 2), Question(2, 1, zero=True)]
        asked += [Question(2, 1, one) for one in each] + [Question(4, 1), Question(3, 2), Question(5, 3, scale=USUAL)]
        asked += [Question(4, 2, scale=LARGE)]
        fitting = [
            Question(q.steps if timed else 1, q.batch if batched else 1, q.outputs, q.scale, q.zero) for q in asked
        ]
        return list(dict.fromkeys(fitting))

    def forward_agrees(self, derivation: Derivation) -> bool | None:
        """Whether the forward pass computes a cell, at a few steps; None where it cannot be asked."""
        # The last one has several steps and examples, and so shows most.
        question = self.questions()[-1]
        tape = self._draw(question, derivation)
        if tape is None:
            return None
        try:
            values = self._read(self.subject.outputs(self._leaves(tape)))
        except (SubjectError, InputError):
            return None
        errors = []
        for output in self.layout.outputs:
            found = values.get(output.view.tile.array, {}).get(output.state)
            if found is not None:
                expected = output.view.expected(tape.courses[output.state])
                errors.append(distance(found.reshape(expected.shape), expected))
        return max(errors, default=1.0) <= self.tolerance

    def ask(self, question: Question) -> Answer | None:
        """The answer, or None where the functions cannot be asked this."""
        tape = self._draw(question, self.derivation)
        if tape is None:
            return None
        try:
            return self._asked(question, tape)
        except (SubjectError, InputError):
            return None

    def _asked(self, question: Question, tape: Tape) -> Answer:
        with np.errstate(all="ignore"):  # gradients may be infinite
            leaves = self._leaves(tape)
            cotangents = self._cotangents(question, self.subject.outputs(leaves))
            gradients = self.subject.gradients(leaves, cotangents)
            # A backward pass is linear in cotangents: what is there without any does not belong to them, and is taken
            # off.
            none = self.subject.gradients(leaves, {path: 0 * value for path, value in cotangents.items()})
            return self._answer(question, tape, leaves, cotangents, gradients, none)

    def _leaves(self, tape: Tape) -> dict[str, Array]:
        """The functions' own arrays, by leaf path."""
        paths = self.subject.flat_names
        return {paths.get(flat, flat): value for flat, value in self._arrays(tape).items()}

    def _arrays(self, tape: Tape) -> dict[str, Array]:
        """The functions' own arrays, from the values of a forward pass."""
        cell, shapes = self.layout.cell, self.layout.candidate.sized.shapes
        params = {name: tape.params[name].reshape(shapes[name]) for name in cell.parameters}
        taken = {part.state for part in self.layout.states}
        first = {name: tape.courses[name][0].reshape(tape.batch, *shapes[name]) for name in cell.states}
        x = tape.courses[self.layout.input].reshape(tape.steps, tape.batch, -1)
        state = {name: value for name, value in first.items() if name in taken}
        others = {one.frame.x: one.own(tape.courses[one.input]) for one in self.layout.others}
        return own_arrays(self.layout, params, x, state, self._own) | others

    def _read(self, outputs: Mapping[str, Array]) -> Mapping[str, Mapping[str, Array]]:
        kept = tuple(output for output in self.layout.outputs if output.view.tile.array in self.outputs)
        return replace(self.layout, outputs=kept).read({path: _whole(path, outputs) for path in self.outputs})

    def _cotangents(self, question: Question, outputs: Mapping[str, Array]) -> dict[str, Array]:
        rng = np.random.default_rng([self.seed, 7])
        wanted = [leaf for path in question.outputs or self.taken for leaf in _leaves(path, outputs)]
        drawn = {path: question.scale * rng.standard_normal(np.shape(value)) for path, value in outputs.items()}
        return {path: value if path in wanted else 0 * value for path, value in drawn.items()}

    def _answer(
        self,
        question: Question,
        tape: Tape,
        leaves: Mapping[str, Array],
        cotangents: Mapping[str, Array],
        gradients: Mapping[str, Array],
        none: Mapping[str, Array],
    ) -> Answer:
        both = [path for path in gradients if path in none]
        arrays = {self._flat[path]: value for path, value in leaves.items() if path in self._flat}
        pieces = self.layout.pieces({self._flat[path]: gradients[path] - none[path] for path in both}, arrays)
        offsets = self.layout.pieces({self._flat[path]: none[path] for path in both}, arrays)
        scale = max((float(np.linalg.norm(piece.value)) for piece in pieces), default=0.0) or 1.0
        own = self.subject.flat_names
        rounding = self._unit if self._unit > _SAME else 0.0
        noise = [_ROUNDING * float(np.linalg.norm(offset.value)) + rounding * scale for offset in offsets]
        observed = tuple(
            Observed(
                own[p.array],
                _named(self._labels.get(p.label, p.label), p.array, own),
                p.name,
                p.target,
                p.value,
                rounding,
            )
            for p, rounding in zip(pieces, noise, strict=True)
        )
        mapped = self._mapped(cotangents, tape, leaves)
        off = tuple(float(np.linalg.norm(piece.value)) / scale for piece in offsets)
        decays = {path: _multiple(none[path], leaves[path]) for path in both if path in leaves}
        return Answer(question, tape, mapped, observed, off, self.finals, decays, leaves, cotangents)

    def _mapped(self, cotangents: Mapping[str, Array], tape: Tape, leaves: Mapping[str, Array]) -> Cotangents:
        """What the cotangents are for the cell's states."""
        joined = {path: _whole(path, cotangents) for path in self.outputs}
        return self.layout.cotangents(joined, tape.steps, tape.batch)

    def _draw(self, question: Question, derivation: Derivation) -> Tape | None:
        """Random numbers at which the cell is finite: of both signs, or else positive."""
        cell, shapes = self.layout.cell, self.layout.candidate.sized.shapes
        taken = {part.state for part in self.layout.states}
        for attempt in range(_TRIES):
            # Another stream for every question: one draw at which a mistake has no effect must not serve all of them.
            rng = np.random.default_rng([self.seed, attempt, question.steps, question.batch])
            positive, smaller = bool(attempt % 2), _SMALLER ** (attempt // 2)
            params = {name: smaller * _normal(rng, shapes[name], positive) for name in cell.parameters}
            # What the functions do not have, the cell has at zero.
            params |= {name: np.zeros(shapes[name]) for name in self.layout.missing if name in params}
            inputs = self._inputs(rng, question, positive)
            state = {name: rng.uniform(0.2, 1.0, (question.batch, *shapes[name])) for name in cell.states}
            state = {name: value * (name in taken and not question.zero) for name, value in state.items()}
            with np.errstate(all="ignore"):
                tape = Tape(derivation, self.layout.sizes, params, inputs, state)
            if all(np.all(np.abs(course) < _LARGEST) for course in tape.courses.values()):
                return tape
        return None

    def _inputs(self, rng: np.random.Generator, question: Question, positive: bool) -> dict[str, Array]:
        """Random inputs of the cell, by name, (T, N, D)."""
        x = rng.standard_normal((question.steps, question.batch, self.layout.frame.features))
        found = {self.layout.input: np.abs(x) + 0.1 if positive else x}
        for one in self.layout.others:
            width = self.layout.candidate.sized.shapes[one.input]
            found[one.input] = self._like(one, rng, (question.steps, question.batch, *width))
        return found

    def _like(self, one: OtherInput, rng: np.random.Generator, shape: Sequence[int]) -> Array:
        """Random values of a further input such as the caller's own: 0 and 1, positive ones, or any."""
        own = self._own.get(one.frame.x)
        if one.binary:
            return rng.integers(0, 2, tuple(shape)).astype(float)
        if own is not None and np.all(own > 0):
            return rng.uniform(float(own.min()), float(own.max()), tuple(shape))
        return rng.standard_normal(tuple(shape))


def _multiple(value: Array, array: Array) -> float:
    """How many times an array a value is; 0 where it is no multiple of it."""
    square = float(np.sum(np.abs(array) ** 2))
    ratio = float(np.real(np.sum(value * array))) / square if square else 0.0
    return ratio if np.linalg.norm(value - ratio * array) <= _SAME * np.linalg.norm(value) else 0.0


def _leaves(path: str, outputs: Mapping[str, Array]) -> list[str]:
    """The outputs that a path stands for: itself, or every step of a list."""
    if not path.endswith("[:]"):
        return [path]
    return [leaf for leaf in outputs if leaf.startswith(path[:-2]) and leaf[len(path) - 2 : -1].isdigit()]


def _whole(path: str, values: Mapping[str, Array]) -> Array:
    return values[path] if path in values else np.stack([values[leaf] for leaf in _leaves(path, values)])


def _named(label: str, array: str, own: Mapping[str, str]) -> str:
    """A piece's label with the name that the caller's input has."""
    return own[array] + label.removeprefix(array)


def _normal(rng: np.random.Generator, shape: Sequence[int], positive: bool) -> Array:
    value = rng.standard_normal(tuple(shape)) * (1.2 / np.sqrt(max([1, *list(shape)[1:]])))
    drawn: Array = np.abs(value) + 0.1 if positive else value
    return drawn
