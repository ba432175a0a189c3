"""The two passes as an algorithm: the statements of the program that generated code is printed from, in its loops.

Nothing is arranged here.  What stands before, in and after a loop, and in which order, is the program's business; a
line is one of its statements, with the number of the derivation's equation that it computes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby

from symrnn.algebra.nodes import Expr, Variable
from symrnn.calculus.derivation import shift
from symrnn.documents.numbering import labels_of
from symrnn.documents.setting import Setting, phrase
from symrnn.documents.structure import (
    ZERO,
    Algorithm,
    AlgorithmLine,
    Block,
    Inline,
    Maths,
    Paragraph,
    Reference,
    Section,
    enumerated,
    joined,
)
from symrnn.freezing import Frozen
from symrnn.program.ir import Accumulate, Program, Statement
from symrnn.program.lower import lower
from symrnn.program.passes import run_passes


def write_algorithm(setting: Setting, others: Iterable[Section] = ()) -> Section:
    """The forward and the backward pass over a sequence.

    Args:
        setting: the document's choices.
        others: the document's other sections; equations in them are referred to, others named by their numbers.
    """
    program = run_passes(lower(setting.derivation))
    writer = AlgorithmWriter(setting, program, labels_of(others))
    blocks: tuple[Block, ...] = (
        Paragraph((_OPENING,)),
        Paragraph((), "Forward pass"),
        Algorithm(tuple(writer.forward())),
        Paragraph((), "Backward pass"),
        Algorithm(tuple(writer.backward())),
    )
    return Section("algorithm", "Algorithm", blocks)


_FINAL = ", what the loss adds at the end, or zero; what the forward pass has kept"
_OPENING = (
    "These are the statements of the generated code, in its order. What goes over all steps at once is one product "
    "there: no step waits for another."
)


@dataclass(frozen=True)
class AlgorithmWriter:
    """Writes the lines of one program.

    Attributes:
        setting: the document's choices.
        program: the program.
        labels: the labels of the equations in the document.
    """

    setting: Setting
    program: Program
    labels: Collection[str]

    # --- the two passes ---

    def forward(self) -> Iterator[AlgorithmLine]:
        """From inputs and initial states to states."""
        cell, function = self.program.derivation.cell, self.program.forward
        inputs = self._series(cell[name] for name in cell.inputs)
        parameters: Inline = ("the parameters",) if cell.parameters else ()
        yield AlgorithmLine(
            "require", joined([inputs, enumerated(map(self._at_start, cell.previous)), parameters], "; ")
        )
        yield from self._over_all(function.before)
        yield self._for_steps(f"1, \\dots, {self.setting.last}")
        yield from map(self._statement, function.loop.body)
        yield AlgorithmLine("end")
        kept = self._series(v for v in self.program.tape if v.time is not None and v.base not in cell.inputs)
        keeping: Inline = ("for the backward pass ", *kept) if kept else ()
        yield AlgorithmLine("return", joined([self._series(cell[name] for name in cell.states), keeping], "; "))

    def backward(self) -> Iterator[AlgorithmLine]:
        """From the loss's derivatives to the gradients."""
        derivation, function = self.program.derivation, self.program.backward
        losses = self._series(v for v in self.program.losses if v in function.loop.reads)
        carried = self.program.adjoints("carry")
        last = self.setting.at(self.setting.last)
        final = enumerated(last.maths(shift(v, 1)) for v in carried)
        yield AlgorithmLine("require", joined([losses, (*final, _FINAL)], "; "))
        yield from self._over_all(function.before)
        # What is summed in the loop begins with zero.
        for statement in function.loop.body:
            if isinstance(statement, Accumulate):
                yield self._line(self.setting.maths(statement.target), ZERO)
        yield self._for_steps(f"{self.setting.last}, \\dots, 1")
        written: set[Variable] = set()
        for statement in function.loop.body:
            # What is read before this round has written it was sent back by the round before.
            received = {v: shift(v, 1) for v in statement.reads if v in carried and v not in written}
            yield self._statement(statement, received)
            written |= statement.writes
        yield AlgorithmLine("end")
        yield from self._over_all(function.after)
        parameters = enumerated(self.setting.maths(step.target) for step in derivation.role("parameter"))
        inputs = self._series(step.target for step in derivation.role("input"))
        sent = enumerated(map(self._at_start, carried))
        yield AlgorithmLine("return", joined([parameters, inputs, sent], "; "))

    def _for_steps(self, steps: str) -> AlgorithmLine:
        return AlgorithmLine("for", phrase(f"$t = {steps}$"))

    def _series(self, variables: Iterable[Variable]) -> Inline:
        """Values of every step; nothing where there are none."""
        listed = enumerated(map(self.setting.maths, variables))
        return (*listed, *phrase(f" for $t = 1, \\dots, {self.setting.last}$")) if listed else ()

    def _at_start(self, variable: Variable) -> Maths:
        """A value before the first step."""
        return self.setting.at_first(lambda first: first.maths(variable))

    # --- statements ---

    def _over_all(self, statements: tuple[Statement, ...]) -> Iterator[AlgorithmLine]:
        """Statements about all steps at once: a loop over those about one step, a sum over those that add up."""
        for is_timed, group in groupby(statements, lambda statement: statement.target.time is not None):
            if not is_timed:
                yield from (self._statement(s, is_summed=isinstance(s, Accumulate)) for s in group)
                continue
            yield AlgorithmLine("for", phrase(f"all $t = 1, \\dots, {self.setting.last}$ at once"))
            yield from map(self._statement, group)
            yield AlgorithmLine("end")

    def _statement(
        self, statement: Statement, received: Mapping[Variable, Variable] = Frozen({}), is_summed: bool = False
    ) -> AlgorithmLine:
        target = self.setting.maths(statement.target)
        value: Expr = statement.value.xreplace(received) if received else statement.value
        shown = self.setting.maths(value)
        if is_summed:
            shown = self.setting.summed_over_steps(value)
        elif isinstance(statement, Accumulate):
            shown = Maths(f"{target.latex} + {shown.latex}", f"{target.text} + {shown.text}")
        return self._line(target, shown, self._note(statement.target))

    def _line(self, target: Maths, value: Maths, note: Inline = ()) -> AlgorithmLine:
        formula = Maths(rf"{target.latex} \gets {value.latex}", f"{target.text} ← {value.text}")
        return AlgorithmLine("state", (formula,), note)

    def _note(self, target: Variable) -> Inline:
        """The number of the equation, as a reference where it is in the document."""
        derivation = self.program.derivation
        number = derivation.numbers.get(target)
        if number is None:
            return ()
        label = target.name if target.is_sent_back else self.setting.label_of(target)
        return (Reference("", ((number, label),)),) if label in self.labels else (f"({number})",)
