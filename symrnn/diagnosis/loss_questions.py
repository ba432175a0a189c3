"""Questions to a function that returns a loss: its cotangents cannot be chosen, and are what the head makes of them.

The head is part of the cell that the questions are about (`losses.headed`): its last state is the loss of a step, and
the cotangent of that is what the function multiplies the losses with.  That is measured at every question.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from symrnn.arrays import Array
from symrnn.calculus.derivation import Derivation
from symrnn.callables.subject import Subject
from symrnn.diagnosis.questions import USUAL, Question, Questionnaire
from symrnn.errors import InputError
from symrnn.losses.headed import HeadedLayout
from symrnn.losses.recognising import draw_target
from symrnn.mistakes.backward_pass import Cotangents
from symrnn.mistakes.tape import Tape

_AGREES = 1e-8
"""How far a measured factor may be from what a reduction gives, relative, so that the head is what was recognised."""


class LossQuestionnaire(Questionnaire):
    """Asks a function that returns a loss and its gradients, in the terms of a cell and a head."""

    layout: HeadedLayout

    def __init__(
        self,
        subject: Subject,
        layout: HeadedLayout,
        derivation: Derivation,
        seed: int = 0,
        labels: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(subject, layout, derivation, seed, labels)
        self.outputs = tuple(subject.answer)

    def questions(self) -> list[Question]:
        """The questions that make sense, those that isolate most first."""
        batched = "N" in self.layout.frame.axes
        asked = [Question(1, 1), Question(1, 2), Question(2, 1, zero=True), Question(2, 1), Question(4, 1)]
        asked += [Question(3, 2), Question(5, 3, scale=USUAL)]
        asked = [Question(q.steps, q.batch if batched else 1, (), q.scale, q.zero) for q in asked]
        return list(dict.fromkeys(asked))

    def forward_agrees(self, derivation: Derivation) -> bool | None:
        """None: that forward is the cell and the head was measured when they were recognised."""
        return None

    def _inputs(self, rng: np.random.Generator, question: Question, positive: bool) -> dict[str, Array]:
        layout, (x, *target) = self.layout, self.layout.cell.inputs
        found = super()._inputs(rng, question, positive)
        steps, batch = question.steps, question.batch
        if layout.indices is not None:
            found[x] = np.eye(layout.frame.features)[rng.integers(0, layout.frame.features, (steps, batch))]
        assert layout.joined is not None
        for name in target:
            (width,) = layout.candidate.sized.shapes[name] or (1,)
            found[name] = draw_target(layout.joined.head.target, (steps, batch, width), rng)
        return found

    def _leaves(self, tape: Tape) -> dict[str, Any]:
        layout = self.layout
        flat: dict[str, Any] = self._arrays(tape)
        x = flat.pop(layout.frame.x)
        own = {self.subject.flat_names[name]: value for name, value in flat.items()}
        if layout.indices is not None:
            own[layout.frame.x] = layout.indices.encoded(tape.courses[layout.cell.inputs[0]][:, :, :, 0])
        else:
            own[self.subject.flat_names[layout.frame.x]] = x
        if layout.target is not None:
            own[layout.target.name] = layout.target.encoded(tape.courses[layout.target_name][:, :, :, 0])
        return own

    def _cotangents(self, question: Question, outputs: Mapping[str, Array]) -> dict[str, Array]:
        return {path: np.ones_like(value) for path, value in outputs.items()}

    def _mapped(self, cotangents: Mapping[str, Array], tape: Tape, leaves: Mapping[str, Array]) -> Cotangents:
        loss = self.layout.loss
        weight = np.zeros((tape.steps + 1, tape.batch))
        weight[tape.steps if self.layout.last else 1 :] = 1.0
        total = float(np.sum(weight * tape.courses[loss][:, :, 0, 0]))
        (path,) = self.outputs
        value = float(np.ravel(self.subject.outputs(leaves)[path])[0])
        sizes = {**self.layout.sizes, "T": tape.steps, "N": tape.batch}
        factors = [one.factor(sizes) for one in self.layout.reduced]
        # Which mean is taken shows only where the numbers of steps and examples differ, and they do here.
        factor = next((one for one in factors if abs(one * total - value) <= _AGREES * abs(value)), None)
        if factor is None or not np.all(np.ravel(cotangents[path])):
            if factor is None:
                raise InputError("the loss is not what was recognised at this question")
            factor = 0.0
        return {path: {loss: factor * weight}}
