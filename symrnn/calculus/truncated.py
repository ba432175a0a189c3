r"""Truncated backpropagation through time, defined exactly.

With k1 <= k2, updates happen at the ends e = k1, 2·k1, ... and e = T.  The update at e takes the loss of the steps
since the update before it, those t with b < t <= e, where b is the last multiple of k1 below e.  It goes back through
the steps e, e-1, ..., max(1, e-k2+1), no further: the state before the first of these counts as a constant.  So in the
window that ends at e the adjoints δ^{(e)} obey the ordinary backward equations, with

    cotangent of s_t = [b < t <= e] ∂ℓ/∂s_t + (what step t+1 sends back, if t < e),

and the truncated gradient is

    ĝ_θ = Σ_e Σ_{t = max(1, e-k2+1)}^{e} (the term of θ at step t, with the adjoints of window e).

A cotangent of the states after the last step belongs to the window that ends at T.  Inputs receive the sum over the
windows that they are in, initial states the sum over the windows that reach the first step.  With k2 >= T this is the
gradient; with k1 = 1 the loss of every step goes back through k2 steps; k1 = k2 cuts the sequence into pieces where k1
divides T (otherwise the last window is as long as the others and reaches into the piece before it).

Source: Williams & Peng (1990), An efficient gradient-based algorithm for on-line training of recurrent network
trajectories, Neural Computation 2(4): BPTT(h; h') with h = k2 and h' = k1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import sympy

from symrnn.algebra.nodes import Expr, Sum, coefficient
from symrnn.calculus.derivation import Derivation, Step, derive
from symrnn.errors import InputError
from symrnn.language.recurrence import Cell


@dataclass(frozen=True)
class Window:
    """One update: the loss of the steps `since` < t <= `end` goes back through the steps `start` < t <= `end`.

    Attributes:
        start: the state after this step is taken as a constant; 0 is the initial state, which is differentiated.
        since: the end of the window before.
        end: the last step.
    """

    start: int
    since: int
    end: int


@dataclass(frozen=True)
class TruncatedGradient:
    """Truncated backpropagation through time of a cell.

    Attributes:
        derivation: the cell's derivation, whose backward equations hold in every window.
        k1: how many steps there are between updates.
        k2: through how many steps an update goes back.
    """

    derivation: Derivation
    k1: int
    k2: int

    def windows(self, steps: int) -> tuple[Window, ...]:
        """The windows of a sequence of so many steps, in order; empty for a sequence without steps."""
        ends = [*range(self.k1, steps, self.k1), steps] if steps else []
        return tuple(Window(max(e - self.k2, 0), (e - 1) // self.k1 * self.k1, e) for e in ends)

    def terms(self, parameter: str, steps: int) -> tuple[tuple[int, int], ...]:
        """The (window's end e, step t) that a parameter's gradient is summed over, each with the term of its step."""
        self.step(parameter)
        return tuple((w.end, t) for w in self.windows(steps) for t in range(w.start + 1, w.end + 1))

    def step(self, parameter: str) -> Step:
        """The backward equation of a parameter, whose value is summed."""
        return self.derivation.of(parameter)

    def latex(self) -> str:
        """The definition in LaTeX, the adjoints being those of the window that ends at e."""
        return _lines(self, _LATEX, sympy.latex, r" \\" + "\n", r"\begin{align*}" + "\n{}\n" + r"\end{align*}")

    def __str__(self) -> str:
        return _lines(self, _TEXT, str, "\n", "{}")

    def _repr_latex_(self) -> str:
        return self.latex()


def truncated(cell: Cell | Derivation, k1: int, k2: int) -> TruncatedGradient:
    """Define truncated backpropagation through time for a cell.

    Args:
        cell: the cell, or its derivation.
        k1: how many steps there are between updates, from 1.
        k2: through how many steps an update goes back, from k1: otherwise some losses would reach nothing.

    Raises:
        InputError: k1 or k2 is no such number.
    """
    for name, value in {"k1": k1, "k2": k2}.items():
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise InputError(f"{name}={value!r}: expected a whole number from 1\n  give truncated(cell, k1, k2)")
    if k2 < k1:
        remedy = "an update must go back at least as far as the update before it: give k1 <= k2"
        raise InputError(f"k1={k1}, k2={k2}: the loss of some steps would reach nothing\n  {remedy}")
    return TruncatedGradient(cell if isinstance(cell, Derivation) else derive(cell), k1, k2)


@dataclass(frozen=True)
class _Wording:
    ends: str
    cotangent: str
    gradient: str
    bracket: str


_TEXT = _Wording(
    "e ∈ {{{0}, {1}, ...}} ∪ {{T}},  b = {0} ⌊(e-1)/{0}⌋",
    "{bar} = [b < t ≤ e] {loss} + [t < e] ({carried})",
    "{target} ≈ Σ_e Σ_{{t=max(1,e-{back})}}^e {term}",
    "({})",
)
_LATEX = _Wording(
    r"e &\in \{{{0}, {1}, \dots\}} \cup \{{T\}}, \quad b = {0} \lfloor (e-1)/{0} \rfloor",
    r"{bar} &= [b < t \le e] \, {loss} + [t < e] \left({carried}\right)",
    r"{target} &\approx \sum_e \sum_{{t=\max(1, e-{back})}}^{{e}} {term}",
    r"\left({}\right)",
)


def _lines(gradient: TruncatedGradient, words: _Wording, show: Callable[[Expr], str], joint: str, frame: str) -> str:
    derivation, k1, k2 = gradient.derivation, gradient.k1, gradient.k2
    lines = [words.ends.format(k1, 2 * k1)]
    for state, bar in derivation.cotangents.items():
        through, loss = derivation.through_time(state), derivation.loss(state)
        rest = [term for term in (through.args if isinstance(through, Sum) else (through,)) if term != loss]
        carried = show(type(through)(*rest) if len(rest) > 1 else rest[0]) if rest else "0"
        lines.append(words.cotangent.format(bar=show(bar), loss=show(loss), carried=carried))
    for step in derivation.role("parameter"):
        compound = isinstance(step.value, Sum) or coefficient(step.value)[0] != 1
        term = words.bracket.format(show(step.value)) if compound else show(step.value)
        lines.append(words.gradient.format(target=show(step.target), back=k2 - 1, term=term))
    return frame.format(joint.join(lines)) if frame == "{}" else frame.replace("{}", joint.join(lines))
