"""The numbers to look for in somebody's run: what a mistaken program computes, and what the right one does."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from symrnn.algebra import nodes
from symrnn.algebra.nodes import Expr, Variable
from symrnn.algebra.places import factors, places
from symrnn.arrays import Array
from symrnn.mistakes.backward_pass import BackwardPass, Cotangents, Run
from symrnn.mistakes.batched import Frame, compiled
from symrnn.mistakes.mistake import Mistake
from symrnn.mistakes.slope import find_slopes
from symrnn.mistakes.tape import Tape

EACH = "@each"
"""Marks a parameter's terms, one for each step, beside their sum."""
# Relative: rounding leaves some 1e-13 of a pass over a few steps, and a mistake that shows leaves 1e-3 and more.
_DIFFERENT = 1e-7
_UNSAID = ("Transposed", "Slice", "Fill")
"""Expressions that say nothing of a backward pass: any line may compute them."""


@dataclass(frozen=True)
class MistakeCase:
    """One mistake at a point at which it shows.

    Attributes:
        tape: the values of the forward pass there.
        cotangents: those of its outputs.
        finals: the outputs that are last states.
        mistake: the mistake.
        right: the derived backward pass.
        whole: the one with all mistakes that were found.
        without: that without this one.
        arrays: variable -> the name of the array of the functions under test whose gradient is its gradient.
    """

    tape: Tape
    cotangents: Cotangents
    finals: tuple[str, ...]
    mistake: Mistake
    right: BackwardPass
    whole: BackwardPass
    without: BackwardPass
    arrays: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def run(self) -> Run:
        """A run with all mistakes."""
        return self._run(self.whole)

    def _run(self, program: BackwardPass) -> Run:
        return Run(program, self.tape, self.cotangents, self.finals)

    @cached_property
    def totals(self) -> Mapping[str, Array]:
        """Every gradient that it gives."""
        return _finished(self.run)

    @cached_property
    def wrong(self) -> Mapping[str, Sequence[Array]]:
        """Variable -> the values of its adjoint at each step; of a parameter, the sum as well."""
        return self._quantities(self.run, self.totals)

    @cached_property
    def _other(self) -> tuple[Run, Mapping[str, Array]]:
        run = self._run(self.without)
        return run, _finished(run)

    @cached_property
    def others(self) -> Mapping[str, Sequence[Array]]:
        """The same without this mistake."""
        return self._quantities(*self._other)

    def _quantities(self, run: Run, totals: Mapping[str, Array]) -> Mapping[str, Sequence[Array]]:
        found: dict[str, Sequence[Array]] = {}
        for name, values in run.seen.items():
            number = run.multiple(name)
            if name in run.cell.parameters:
                found[f"{name}{EACH}"] = [step.sum(axis=0) * number for step in values[::-1]]
                found[name] = [totals[name]]
            elif name in run.cell.inputs:
                found[name] = [step * number for step in values[::-1]]
            else:
                found[name] = values[::-1]
        return found

    def differs(self, name: str) -> bool:
        """Whether the mistake changes a quantity."""
        return name in self.wrong and not same(self.wrong[name], self.others.get(name, ()))

    @cached_property
    def changed(self) -> list[str]:
        """The quantities that the mistake changes in the first step of the loop that it changes any in."""
        names = [name for name in self.wrong if self.differs(name)]
        parameters = self.run.cell.parameters
        late: dict[str, int] = {}
        for name in names:
            # A sum over the steps is wrong at no step of its own: its terms say since when.
            key = name if name.removesuffix(EACH) not in parameters else name.removesuffix(EACH) + EACH
            pairs = zip(self.wrong.get(key, ()), self.others.get(key, ()), strict=False)
            late[name] = max((t for t, (a, b) in enumerate(pairs) if not same([a], [b])), default=-1)
        # The loop runs back, so the highest step comes first.
        last = max(late.values(), default=-1)
        return [name for name in names if late[name] in (last, -1)]

    def after(self, names: Sequence[str]) -> list[str]:
        """The quantities that are computed from some, at once or by way of others."""
        targets = {line.of.name: line.target for line in self.whole.lines}
        known = {targets[name] for name in names if name in targets}
        found = []
        for line in self.whole.lines:
            if line.target not in known and any(nodes.variables(term) & known for term in line.terms):
                known.add(line.target)
                found.append(line.of.name)
        return found

    # --- pieces of equations

    @cached_property
    def _known(self) -> frozenset[Expr]:
        """Every expression that a right program computes."""
        derivation = self.right.derivation
        values = [equation.value for equation in derivation.forward]
        values += [term for line in self.right.lines for term in line.terms]
        return frozenset(place.node for value in values for place in places(value))

    def pieces(self) -> Iterator[tuple[str, bool, list[Array]]]:
        """The expressions that only the mistake computes, the smallest first.

        Yields:
            The equation's variable; whether only the sign is wrong; the values at each step.
        """
        for edit in self.mistake.edits:
            if edit.new is None:
                continue
            line = self.right.lines[edit.line]
            old = {place.node for place in places(line.terms[edit.term])} if edit.term >= 0 else set()
            for node in self._nested(edit.new, old):
                values = self.values(node)
                # A program sums over the examples in the same product that makes the term.
                if line.role == "parameter" and node == edit.new:
                    values = [value.sum(axis=0) for value in values]
                # Where right programs compute the negative, only the sign tells the two lines apart.
                yield line.of.name, nodes.negate(node) in self._known, values

    def _nested(self, term: Expr, old: Collection[Expr]) -> Iterator[Expr]:
        """The expressions of a term that nothing right has, the innermost first; and what is new in its products."""
        for place in sorted(places(term), key=lambda place: -len(place.above)):
            # People compute the factors that are theirs first, in a line of its own.
            new = [part for part in factors(place.node)[1] if part not in old]
            if 1 < len(new) < len(factors(place.node)[1]) and self._is_own(product := nodes.hadamard(*new)):
                yield product
            if self._is_own(place.node):
                yield place.node

    def _is_own(self, node: Expr) -> bool:
        plain = nodes.coefficient(node)[1]
        if node in self._known or (isinstance(plain, nodes.Act) and plain in self._known):
            return False
        # A variable alone is a value under its own name: many lines hold it, wrong or right.
        if isinstance(plain, Variable) or type(plain).__name__ in _UNSAID:
            return False
        return not nodes.is_zero(node) and bool(marks := nodes.variables(node)) and all(v.mark != "loss" for v in marks)

    @cached_property
    def terms(self) -> list[list[Array]]:
        """The values of the terms that right equations have of adjoints: a line that computes one is right."""
        return [
            self.values(term)
            for line in self.right.lines
            for term in line.terms
            if line.role in ("state", "intermediate") and not nodes.is_zero(term) and not isinstance(term, Variable)
        ]

    def operands(self) -> Iterator[tuple[str, list[Array]]]:
        """Values that the mistaken equation reads and the right one does not, each with its kind.

        Yields:
            "misread" for a forward value that is not what it should be, "adjoint", or "value" for any other; the
            values at each step.
        """
        yield from (("misread", values) for values in self.misread())
        for edit in self.mistake.edits:
            if edit.new is None or edit.term < 0:
                continue
            old = self.right.lines[edit.line].terms[edit.term]
            for variable in sorted(nodes.variables(edit.new) - nodes.variables(old), key=lambda one: one.name):
                yield "adjoint" if variable.mark else "value", self.values(variable)

    def misread(self) -> Iterator[list[Array]]:
        """The values, at each step, of the forward variables that are not what they should be."""
        wrong, right = self._frames, self._other[0].frames
        both = [t for t in sorted(wrong) if t in right]
        for name in wrong[both[0]] if both else ():
            if name.removesuffix("_prev") in self.tape.courses:
                values = [wrong[t][name] for t in both]
                if not same(values, [right[t][name] for t in both]):
                    yield values

    @property
    def _frames(self) -> Mapping[int, Frame]:
        """The values that each step reads and computes."""
        # Asking for the totals makes the run, which is when the frames are filled.
        return self.run.frames if self.totals else {}

    def values(self, node: Expr) -> list[Array]:
        """What an expression is at each step."""
        frames, found = self._frames, []
        for t in sorted(frames):
            with np.errstate(all="ignore"):
                # A wrong expression may divide by zero at some step; no line of a program has that value.
                value = np.asarray(compiled(node)(frames[t]), dtype=np.float64)
            found.append(value)
        return found

    @cached_property
    def activations(self) -> list[list[Array]]:
        """The activations at each step, right or of what the mistake takes them of."""
        terms = [edit.new for edit in self.mistake.edits if edit.new is not None]
        acts = dict.fromkeys(
            place.node for term in terms for place in places(term) if isinstance(place.node, nodes.Act)
        )
        return [self.values(node) for node in acts]

    @cached_property
    def slopes(self) -> list[list[Array]]:
        """The derivatives of the activations at each step, as they should be."""
        every = find_slopes(self.right.derivation)
        return [self.values(nodes.hadamard(*slope.factors)) for slope in every]


def _finished(run: Run) -> Mapping[str, Array]:
    with np.errstate(all="ignore"):
        return run.gradients()


def same(a: Sequence[Array], b: Sequence[Array]) -> bool:
    """Whether two sequences of arrays are equal up to far more than rounding, and far less than any mistake."""
    return len(a) == len(b) and all(
        np.linalg.norm(x - y) <= _DIFFERENT * np.linalg.norm(y) for x, y in zip(a, b, strict=True)
    )
