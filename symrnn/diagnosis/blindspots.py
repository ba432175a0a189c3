"""What the inputs of a check could not have shown, measured: mistakes are planted where such inputs have no effect.

The check is modelled on a small scale with the features that hide mistakes: one step, one example, zero initial states,
outputs without a cotangent, gradients that are not compared.  A mistake that changes nothing there, but
does on inputs without these features, is a blind spot; the feature whose removal alone shows it is the reason.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from symrnn.algebra.evaluate import ShapesAtSizes
from symrnn.arrays import Array
from symrnn.calculus.derivation import Derivation
from symrnn.callables.subject import Subject
from symrnn.findings.findings import BlindSpot
from symrnn.identification.layout import Layout
from symrnn.mistakes.backward_pass import BackwardPass
from symrnn.mistakes.catalogue import likely
from symrnn.mistakes.mistake import Mistake
from symrnn.mistakes.site import MistakeSite
from symrnn.mistakes.tape import Tape

_STEPS, _BATCH = 4, 2
"""Steps and examples that show every mistake: what is carried back beyond two steps, and sums over examples."""
_SEEN = 1e-9
"""Relative change of a gradient by which a planted mistake is seen; it is that up to which gradients are right."""
_TRIES = 40
"""Draws at which the cell may be finite, with both kinds of signs."""
_MOST = 8
"""Mistakes of a class that are planted, spread over the equations: the class is hidden by what the inputs are like."""


@dataclass(frozen=True)
class Features:
    """What may hide mistakes.

    Attributes:
        steps: T.
        batch: N.
        zero: the states that begin at zero.
        silent: the outputs whose cotangents are zero.
        untold: the gradients that are not compared.
    """

    steps: int
    batch: int
    zero: frozenset[str] = frozenset()
    silent: frozenset[str] = frozenset()
    untold: frozenset[str] = frozenset()

    def remedies(self, best: Features) -> Iterator[tuple[str, Features]]:
        """Each feature that hides something, and the same inputs without it."""
        if self.steps < best.steps:
            yield "the sequence has one step", replace(self, steps=best.steps)
        if self.batch < best.batch:
            yield "there is one example", replace(self, batch=best.batch)
        if self.zero:
            named = ", ".join(sorted(self.zero))
            yield f"the initial states are zero: {named}", replace(self, zero=best.zero)
        if self.untold:
            named = ", ".join(sorted(self.untold))
            yield f"these gradients are not compared: {named}", replace(self, untold=best.untold)
        if self.silent:
            named = ", ".join(sorted(self.silent))
            yield f"no cotangent is on {named}", replace(self, silent=best.silent)


def blind_spots(
    subject: Subject, layout: Layout, derivation: Derivation, compared: Collection[str], seed: int = 0
) -> tuple[BlindSpot, ...]:
    """The classes of mistakes that a check at the subject's own inputs cannot see.

    Args:
        subject: the functions, with their inputs.
        layout: the cell that they compute, and how they hold it.
        derivation: of that cell.
        compared: the inputs, by leaf path, whose gradients are compared.
        seed: of all numbers.
    """
    own, best = _features(subject, layout, compared)
    scene = _SmallForwardPass(derivation, layout, seed)
    program = BackwardPass.right(derivation)
    hidden: dict[str, list[Mistake]] = {}
    remedies = list(own.remedies(best))
    for mistake in _sample(likely(MistakeSite(program, scene.paths, scene.finals))) if remedies else ():
        changed = mistake.made_in(program)
        # Seen at the inputs given, or not to be seen at any: neither is a fault of the inputs.
        if scene.shows(program, changed, own) or not scene.shows(program, changed, best):
            continue
        reasons = (reason for reason, better in remedies if scene.shows(program, changed, better))
        hidden.setdefault(next(reasons, "several of these together"), []).append(mistake)
    return tuple(
        BlindSpot(tuple(dict.fromkeys(mistake.tag for mistake in planted)), reason, len(planted))
        for reason, planted in hidden.items()
    )


def _sample(planted: list[Mistake]) -> Iterator[Mistake]:
    """Some mistakes of every class, spread evenly over the equations."""
    by_tag: dict[str, list[Mistake]] = {}
    for mistake in planted:
        by_tag.setdefault(mistake.tag, []).append(mistake)
    for members in by_tag.values():
        yield from members[:: -(-len(members) // _MOST)]


def _features(subject: Subject, layout: Layout, compared: Collection[str]) -> tuple[Features, Features]:
    """The features of the inputs given, and those of inputs that show all."""
    arrays = {flat: subject.arrays[path] for flat, path in subject.flat_names.items()}
    names = {path: flat for flat, path in subject.flat_names.items()}
    x, state = layout.x(arrays), layout.state(arrays)
    taken = {part.state for part in layout.states}
    told = {part.target.array for part in layout.parts if _is_told(part.source.array, names, compared)}
    told |= {f"{part.state}_prev" for part in layout.states if _is_told(part.source.array, names, compared)}
    told |= {layout.input} if _is_told(layout.frame.x, names, compared) else set()
    possible = {part.target.array for part in layout.parts} | {layout.input}
    possible |= {f"{state}_prev" for state in taken}
    own = Features(
        min(x.shape[0], _STEPS),
        min(x.shape[1], _BATCH),
        frozenset(name for name in taken if not np.any(state[name])),
        untold=frozenset(possible - told),
    )
    timed, batched = "T" in layout.frame.axes, "N" in layout.frame.axes
    return own, Features(_STEPS if timed else 1, _BATCH if batched else 1)


def _is_told(flat: str, names: Mapping[str, str], compared: Collection[str]) -> bool:
    return any(names[path] == flat for path in compared if path in names)


class _SmallForwardPass:
    """A small forward pass of the cell, with the features asked for."""

    def __init__(self, derivation: Derivation, layout: Layout, seed: int) -> None:
        self.derivation, self.layout, self.seed = derivation, layout, seed
        self.paths = tuple(dict.fromkeys(output.view.tile.array for output in layout.outputs))
        self.finals = tuple(path for path in self.paths if self._is_last(path))
        # Small, as whether a mistake shows does not depend on sizes; and all different, so that matrices are not square
        # by chance.
        self.sizes = {name: min(size, 3 + place) for place, (name, size) in enumerate(layout.sizes.items())}
        self._known: dict[Features, tuple[Tape, Any]] = {}

    def _is_last(self, path: str) -> bool:
        return all(o.view.when == "last step" for o in self.layout.outputs if o.view.tile.array == path)

    def shows(self, right: BackwardPass, wrong: BackwardPass, features: Features) -> bool:
        """Whether a mistake changes a gradient that is compared."""
        tape, cotangents = self._point(features)
        with np.errstate(all="ignore"):
            true = right.gradients(tape, cotangents, self.finals)
            other = wrong.gradients(tape, cotangents, self.finals)
        return any(
            float(np.linalg.norm(true[name] - other[name])) > _SEEN * max(1e-6, float(np.linalg.norm(true[name])))
            for name in true
            if name not in features.untold
        )

    def _point(self, features: Features) -> tuple[Tape, Any]:
        if features not in self._known:
            self._known[features] = self._drawn(features)
        return self._known[features]

    def _drawn(self, features: Features) -> tuple[Tape, Any]:
        cell = self.derivation.cell
        shape_of = ShapesAtSizes(self.sizes).in_text
        shapes = {name: shape_of(cell[name]) for name in (*cell.parameters, *cell.inputs, *cell.states)}
        taken = {part.state for part in self.layout.states}
        steps, batch = features.steps, features.batch
        for attempt in range(_TRIES):
            rng = np.random.default_rng([self.seed, attempt])
            # A cell with a logarithm or a root is finite for positive numbers only.
            fold = np.abs if attempt % 2 else np.asarray
            params = {name: fold(rng.standard_normal(shapes[name])) for name in cell.parameters}
            x = {
                # All are drawn and some are taken: with fewer steps the numbers of the others stay the same.
                name: fold(rng.standard_normal((_STEPS, _BATCH, *shapes[name])))[:steps, :batch]
                for name in cell.inputs
            }
            drawn = {name: rng.uniform(0.2, 1.0, (_BATCH, *shapes[name]))[:batch] for name in cell.states}
            state = {name: v * (name in taken and name not in features.zero) for name, v in drawn.items()}
            with np.errstate(all="ignore"):
                tape = Tape(self.derivation, self.sizes, params, x, state)
            if all(np.isfinite(course).all() for course in tape.courses.values()):
                break
        return tape, self._cotangents(tape, features, rng)

    def _cotangents(self, tape: Tape, features: Features, rng: np.random.Generator) -> Any:
        found: dict[str, dict[str, Array]] = {}
        for output in self.layout.outputs:
            path = output.view.tile.array
            value = np.zeros_like(tape.courses[output.state])
            if path not in features.silent:
                place = output.view.expected(value)
                place += rng.standard_normal(place.shape)
            found.setdefault(path, {})[output.state] = value
        return found
