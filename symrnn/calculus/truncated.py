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

from symrnn.algebra import nodes
from symrnn.algebra.nodes import Expr, Sum
from symrnn.calculus.derivation import Derivation, Step, derivation_of
from symrnn.calculus.equations import factor
from symrnn.errors import InputError
from symrnn.language.recurrence import Cell


@dataclass(frozen=True)
class TruncationWindow:
    """One update: the loss of the steps `since` < t <= `end` goes back through the steps `start` < t <= `end`.

    Attributes:
        start: the state after this step is taken as a constant; 0 is the initial state, which is differentiated.
        since: the end of the window before.
        end: the last step.
    """

    start: int
    since: int
    end: int


@dataclass(frozen=True, repr=False)
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

    def windows(self, steps: int) -> tuple[TruncationWindow, ...]:
        """The windows of a sequence of so many steps, in order; empty for a sequence without steps."""
        ends = [*range(self.k1, steps, self.k1), steps] if steps else []
        return tuple(TruncationWindow(max(e - self.k2, 0), (e - 1) // self.k1 * self.k1, e) for e in ends)

    def terms(self, parameter: str, steps: int) -> tuple[tuple[int, int], ...]:
        """The (window's end e, step t) that a parameter's gradient is summed over, each with the term of its step."""
        # For its error: a name that is no variable is refused even where there are no steps.
        self.step(parameter)
        return tuple((w.end, t) for w in self.windows(steps) for t in range(w.start + 1, w.end + 1))

    def step(self, parameter: str) -> Step:
        """The backward equation of a parameter, whose value is summed."""
        return self.derivation.of(parameter)

    def latex(self) -> str:
        """The definition in LaTeX, the adjoints being those of the window that ends at e."""
        rows = " \\\\\n".join(_write_lines(self, _LATEX, sympy.latex))
        return f"\\begin{{align*}}\n{rows}\n\\end{{align*}}"

    def __str__(self) -> str:
        return "\n".join(_write_lines(self, _TEXT, str))

    def __repr__(self) -> str:
        return f"<truncated gradient of {self.derivation.cell.name}: k1 = {self.k1}, k2 = {self.k2}>"

    def _repr_latex_(self) -> str:
        return self.latex()


def truncated(cell: Cell | Derivation | str, k1: int, k2: int) -> TruncatedGradient:
    """Define truncated backpropagation through time for a cell.

    Args:
        cell: the cell, or its derivation.
        k1: how many steps there are between updates, from 1.
        k2: through how many steps an update goes back, from k1: otherwise some losses would reach nothing.

    Raises:
        InputError: k1 or k2 is no such number.
    """
    for name, value in {"k1": k1, "k2": k2}.items():
        # True is an int to Python, and no number of steps to anybody.
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise InputError(f"{name}={value!r}: expected a whole number from 1\n  give truncated(cell, k1, k2)")
    if k2 < k1:
        remedy = "an update must go back at least as far as the update before it: give k1 <= k2"
        raise InputError(f"k1={k1}, k2={k2}: the loss of some steps would reach nothing\n  {remedy}")
    return TruncatedGradient(derivation_of(cell), k1, k2)


@dataclass(frozen=True)
class _WindowWords:
    intervals: str
    """What k1 and k2 are."""
    ends: str
    """What e and b are."""
    window: str
    """What (e) means."""
    cotangent: str
    gradient: str
    updates: tuple[str, str]
    """The steps with an update, for k1 = 1 and for all others."""
    before: tuple[str, str]
    """b, for k1 = 1 and for all others."""
    first: tuple[str, str]
    """The step at which a window begins, for k2 = 1 and for all others."""


_TEXT = _WindowWords(
    "k1 = {k1}: the number of steps from one update to the next.  "
    "k2 = {k2}: the number of steps that an update goes back through.",
    "e ∈ {ends}: the steps with an update, for the loss of the steps after b = {before}, the update before.",
    "(e): in the window that ends at e, where the backward equations of a step hold, and",
    "{bar} = [b < t ≤ e] {loss} + [t < e] ({carried})",
    "{target} ≈ Σ_e Σ_{{{first}}} {term}",
    ("{{1, 2, ..., T}}", "{{{0}, {1}, ...}} ∪ {{T}}"),
    ("e-1", "{0} ⌊(e-1)/{0}⌋"),
    ("t=e", "t=max(1,e-{0})}}^{{e"),
)
_LATEX = _WindowWords(
    r"&k_1 = {k1} \text{{: the number of steps from one update to the next,}} \quad k_2 = {k2} "
    r"\text{{: the number of steps that an update goes back through}}",
    r"&e \in {ends} \text{{: the steps with an update, for the loss of the steps after }} b = {before} "
    r"\text{{, the update before}}",
    r"&{{}}^{{(e)}} \text{{: in the window that ends at }} e "
    r"\text{{, where the backward equations of a step hold, and}}",
    r"{bar} &= [b < t \le e] \, {loss} + [t < e] \left({carried}\right)",
    r"{target} &\approx \sum_e \sum_{{{first}}} {term}",
    (r"\{{1, 2, \dots, T\}}", r"\{{{0}, {1}, \dots\}} \cup \{{T\}}"),
    ("e-1", r"{0} \lfloor (e-1)/{0} \rfloor"),
    ("t=e", r"t=\max(1, e-{0})}}^{{e"),
)


def _write_lines(gradient: TruncatedGradient, words: _WindowWords, show: Callable[[Expr], str]) -> list[str]:
    derivation, k1, k2 = gradient.derivation, gradient.k1, gradient.k2
    first = words.first[k2 > 1].format(k2 - 1)
    ends, before = words.updates[k1 > 1].format(k1, 2 * k1), words.before[k1 > 1].format(k1)
    lines = [words.intervals.format(k1=k1, k2=k2), words.ends.format(ends=ends, before=before)]
    lines.append(words.window.format())
    for state, bar in derivation.cotangents.items():
        through, loss = derivation.through_time(state), derivation.loss(state)
        rest = [term for term in (through.args if isinstance(through, Sum) else (through,)) if term != loss]
        # The loss's part stands in front with a condition of its own, so it is taken out of the sum.
        carried = show(_mark_window(type(through)(*rest) if len(rest) > 1 else rest[0])) if rest else "0"
        lines.append(words.cotangent.format(bar=show(_mark_window(bar)), loss=show(loss), carried=carried))
    for step in derivation.role("parameter"):
        term = factor(_mark_window(step.value), show)
        lines.append(words.gradient.format(target=show(step.target), first=first, term=term))
    return lines


def _mark_window(expr: Expr) -> Expr:
    """The same with the adjoints of the window that ends at e."""
    timed = [v for v in nodes.variables(expr) if v.time is not None and v.mark in ("adjoint", "cotangent", "message")]
    return expr.xreplace({v: v.marked(f"{v.mark} window", f"{v.name}_window") for v in timed})
