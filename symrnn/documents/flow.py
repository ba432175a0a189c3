"""How gradients flow, in words and formulas: direct paths over k steps, the other paths, and what bounds them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import isinf

from symrnn.algebra.intervals import magnitude
from symrnn.algebra.nodes import Variable
from symrnn.calculus.flow import Flow, StateFlow
from symrnn.calculus.graph import graph_of
from symrnn.calculus.jacobian import laid_out
from symrnn.calculus.norms import Bound
from symrnn.calculus.symbols import DerivativeSymbol
from symrnn.documents.bounds import is_symbol, show_bound
from symrnn.documents.jacobians import label_path
from symrnn.documents.setting import Setting
from symrnn.documents.structure import (
    Block,
    Bullets,
    Centred,
    Display,
    EquationLine,
    Inline,
    Maths,
    NumberedEquation,
    Paragraph,
    Section,
    enumerated,
)

_MOST_TERMS = 6
"""A bound of more terms than this tells nobody anything: that of an mLSTM's memory by its stabiliser."""


def write_flow(flow: Flow, setting: Setting, numbers: Iterator[str]) -> Section:
    """The section on how gradients flow through one cell.

    Args:
        flow: what is written.
        setting: the document's choices.
        numbers: the numbers of its equations.
    """
    writer = FlowWriter(flow, setting)
    opening = (Paragraph(explain_norms(setting.back, [flow])),)
    return Section("flow", "How the gradient flows", (*opening, *writer.write(numbers)))


def explain_norms(back: str, flows: Sequence[Flow]) -> Inline:
    """What a norm tells of a gradient, and the signs that occur.

    Args:
        back: the letter of a number of steps.
        flows: what is written with them.
    """
    bounds = [bound for flow in flows for bound in (*flow.blocks.values(), *(s.bound for s in flow.states))]
    bounds += [bound for flow in flows for state in flow.states for _, bound in state.others or ()]
    used = {size.measure for bound in bounds for key in bound.terms for size in key}
    shown = {
        "k": Maths(back, back),
        "sigma": Maths(r"\sigma_{\max}", "σ_max"),
        "largest": Maths(r"\lVert v \rVert_{\infty}", "‖v‖_∞"),
    }
    return _filled(_NORM + (_LARGEST if "largest" in used else ""), shown)


_NORM = (
    "How much a gradient can grow over {k} steps is told by the norm of the derivative over them, its largest singular "
    "value {sigma}. That of a product is at most the product of the norms, that of a sum over paths at most the sum."
)
_BETWEEN = (
    "All paths together: let {entry} bound the norm of the derivative of {of} by {wrt}, the other states at that step "
    "held, and so on for every two states. Over {k} steps the norm of that of {of} by {earlier} is at most the same "
    "entry of the product of the {k} matrices that these numbers make"
)
_STEADY_MATRIX = (
    "The matrix is the same at every step: gradients vanish where its largest eigenvalue is below 1, and can explode "
    "only where it is not. The norms may be smaller than their bounds."
)
_LARGEST = " {largest} is the largest absolute value of an entry."
_ASSUMED = " is taken to lie in [-1, 1], entry by entry, before the first step, as zeros do; then it does at every one."


@dataclass(frozen=True)
class FlowWriter:
    """Writes the parts.

    Attributes:
        flow: what is written.
        setting: the document's choices.
        prefix: what its labels begin with.
    """

    flow: Flow
    setting: Setting
    prefix: str = "flow"

    def write(self, numbers: Iterator[str]) -> list[Block]:
        """What is taken for granted, each state's direct path and other paths, and all of them together."""
        assumed = enumerated(map(self.setting.maths, self.flow.assumed))
        blocks: list[Block] = [Paragraph((*assumed, _ASSUMED))] if assumed else []
        for one in self.flow.states:
            blocks += self.direct_path(one, numbers)
            blocks += [Paragraph(self.verdict(one)), *self.other_paths(one)]
        return [*blocks, *self.whole(numbers)]

    # --- the direct path ---

    def direct_path(self, state: StateFlow, numbers: Iterator[str]) -> list[Block]:
        """The factor of one step, and the product over k steps."""
        if state.kind == "none":
            return []
        symbol = DerivativeSymbol("direct", state.state, self.before(state))
        one = EquationLine(self.setting.derivative(symbol), self.factor(state), self._note(state))
        left = self._product(lambda moved: moved.derivative(symbol))
        over = EquationLine(left, self.over_steps(state))
        name = state.state.name
        equations = (
            NumberedEquation(next(numbers), (one,), f"{self.prefix}:{name}"),
            NumberedEquation(next(numbers), (over,), f"{self.prefix}:{name}:steps"),
        )
        return [Paragraph(("The direct path from ", *self._ends(state), ":")), Display(equations)]

    def before(self, state: StateFlow) -> Variable:
        """The state at t-1."""
        return self.flow.derivation.cell[f"{state.state.name}_prev"]

    def factor(self, state: StateFlow) -> Maths:
        """The direct derivative over one step."""
        return self.setting.maths(laid_out(state.factor, self.setting.layout))

    def over_steps(self, state: StateFlow) -> Maths:
        """The product of the direct derivatives over k steps."""
        if state.kind == "identity":
            return self.factor(state)
        if state.is_steady:
            return self._power(self.factor(state), state.kind == "matrix" and isinstance(state.factor, Variable))
        return self._product(lambda moved: moved.maths(laid_out(state.factor, self.setting.layout)))

    def _ends(self, state: StateFlow) -> Inline:
        start = self.setting.at(f"t-{self.setting.back}").maths(state.state)
        return start, " to ", self.setting.maths(state.state), ", which runs through no other variable"

    def _note(self, state: StateFlow) -> Inline:
        if state.within is None or state.kind == "identity":
            return ()
        low, high = state.within.low, state.within.high
        return (f"every entry is {low}" if low == high else f"entries in {state.within}",)

    def verdict(self, state: StateFlow) -> Inline:
        """What becomes of a gradient along the direct path."""
        row = next(text for applies, text in _VERDICTS if applies(state, self.flow))
        limit = Fraction(0) if state.within is None else magnitude(state.within).high
        shown = {
            "state": self.setting.maths(state.state),
            "before": self.setting.maths(self.before(state)),
            "entries": Maths("", "") if state.entries is None else self.setting.maths(state.entries),
            "within": Maths(str(state.within).replace("∞", r"\infty"), str(state.within)),
            "limit": Maths("", "") if isinf(limit) else self.over_steps_at_most(Bound.number(Fraction(limit))),
        }
        if row:
            return _filled(row, shown)
        over = self.over_steps_at_most(state.bound)
        k = Maths(self.setting.back, self.setting.back)
        return ("Over ", k, " steps its norm is at most ", over, ". ", *self._judge(state.bound, "Along this path a"))

    def _judge(self, bound: Bound, where: str) -> Inline:
        """What follows from a bound of the norm over one step."""
        row = next(text for applies, text in _OF_BOUNDS if applies(bound))
        return _filled(row.replace("{where}", where), {"bound": show_bound(self.setting, bound)})

    # --- the other paths ---

    def other_paths(self, state: StateFlow) -> list[Block]:
        """The other paths over one step, each with what is on it and its bound."""
        if not state.count:
            return []
        ends: Inline = (" from ", self.setting.maths(self.before(state)), " to ", self.setting.maths(state.state))
        if state.others is None:
            return [Paragraph((f"{state.count} other paths lead", *ends, ", too many to be listed."))]
        items: list[Inline] = []
        for path, bound in state.others:
            value = self.setting.maths(laid_out(path.value, self.setting.layout))
            items.append(
                (*label_path(self.setting, path), ": ", value, ", of norm at most ", show_bound(self.setting, bound))
            )
        lead = "The other path" if state.count == 1 else "The other paths"
        return [Paragraph((lead, *ends, " over one step:")), Bullets(tuple(items))]

    # --- all paths together ---

    def whole(self, numbers: Iterator[str]) -> list[Block]:
        """What bounds the derivative over k steps, through all paths."""
        cell = self.flow.derivation.cell
        if not self.flow.blocks:
            return [Paragraph(("The paths of a step are too many for a bound of all of them to say anything.",))]
        if len(cell.states) > 1:
            return self._between_states(numbers)
        (state,), (bound,) = self.flow.states, self.flow.blocks.values()
        if not state.count:
            return [Paragraph(("There is no other path, so that this holds for the whole derivative.",))]
        back = self.setting.maths(state.state), self.setting.at(f"t-{self.setting.back}").maths(state.state)
        over = self.over_steps_at_most(bound)
        left = Maths(
            rf"\left\lVert \frac{{\partial {back[0].latex}}}{{\partial {back[1].latex}}} \right\rVert",
            f"‖∂{back[0].text}/∂{back[1].text}‖",
        )
        formula = Maths(rf"{left.latex} \le {over.latex}", f"{left.text} ≤ {over.text}")
        return [Paragraph(("All paths together:",)), Centred(formula), Paragraph(self._judge(bound, "A"))]

    def _between_states(self, numbers: Iterator[str]) -> list[Block]:
        """The matrix of bounds between states, whose product over k steps bounds every derivative over them."""
        k = self.setting.back
        lines, long = [], []
        for (of, wrt), bound in self.flow.blocks.items():
            left = self._entry(of, wrt)
            if len(bound.terms) > _MOST_TERMS:
                long.append(left)
            elif bound.terms:
                line = EquationLine(left, show_bound(self.setting, bound))
                lines.append(NumberedEquation(next(numbers), (line,), f"{self.prefix}:{of}:{wrt}"))
        of, wrt = (self.flow.derivation.cell[name] for name in list(self.flow.blocks)[1])
        shown = {
            "entry": self._entry(of.name, wrt.name),
            "of": self.setting.maths(of),
            "wrt": self.setting.at("t-1").maths(wrt),
            "earlier": self.setting.at(f"t-{k}").maths(wrt),
            "k": Maths(k, k),
        }
        opening = _filled(_BETWEEN, shown)
        missing = len(lines) + len(long) < len(self.flow.blocks)
        blocks: list[Block] = [Paragraph((*opening, "; what is not listed is 0:" if missing else ":"))]
        blocks += [Display(tuple(lines))] if lines else []
        for left in long:
            blocks.append(Paragraph((left, f" is a sum of more than {_MOST_TERMS} terms, which is not written out.")))
        return [*blocks, Paragraph(self._judge_matrix())]

    def _judge_matrix(self) -> Inline:
        cell = self.flow.derivation.cell
        kept = [s for s in cell.states if self.flow.blocks[s, s].constant >= 1]
        if kept:
            text = " is never below 1: these bounds say how fast gradients can grow, and not whether they vanish."
            return (self._entry(kept[0], kept[0]), text)
        if all(bound.is_steady for bound in self.flow.blocks.values()):
            return (_STEADY_MATRIX,)
        return _filled(_OF_BOUNDS[0][1], {})

    def _entry(self, of: str, wrt: str) -> Maths:
        """The symbol of the bound between two states."""
        beta = self._letter()
        states = [self.flow.derivation.cell[name] for name in (of, wrt)]
        bare = [self.setting.maths(Variable(s.name, s.shape[0], s.shape[1], s.base, looks=s.looks)) for s in states]
        first, second = bare
        return Maths(f"{beta.latex}_{{{first.latex},{second.latex}}}", f"{beta.text}_({first.text},{second.text})")

    # --- formulas ---

    def over_steps_at_most(self, bound: Bound) -> Maths:
        """What bounds a product of k factors, each within the bound at its step."""
        if bound.is_steady:
            return self._power(show_bound(self.setting, bound), is_symbol(bound))
        many = len(bound.terms) > 1

        def one(moved: Setting) -> Maths:
            shown = show_bound(moved, bound)
            return Maths(rf"\left({shown.latex}\right)", f"({shown.text})") if many else shown

        return self._product(one)

    def _power(self, base: Maths, is_plain: bool) -> Maths:
        if base.text == "1":
            return base
        k = self.setting.back
        if is_plain:
            return Maths(f"{base.latex}^{{{k}}}", f"{base.text}^{k}")
        return Maths(rf"\left({base.latex}\right)^{{{k}}}", f"({base.text})^{k}")

    def _product(self, factor: Callable[[Setting], Maths]) -> Maths:
        """The product over k steps of a factor, written as of the step in question."""
        k, j = self.setting.back, self._counter
        # In a product of matrices what comes last stands first, and the other way round where the layout is.
        later_first = self.setting.layout == "numerator"
        low, high, moment = (f"{j}=0", f"{k}-1", f"t-{j}") if later_first else (f"{j}=1", k, f"t-{k}+{j}")
        shown = factor(self.setting.at(moment))
        return Maths(rf"\prod_{{{low}}}^{{{high}}} {shown.latex}", f"∏_{{{low}}}^{{{high}}} {shown.text}")

    @cached_property
    def _counter(self) -> str:
        """The letter of the steps in a product."""
        taken = {v.base for v in self.flow.derivation.variables.values()} | {self.setting.back, self.setting.last}
        return next((letter for letter in "jiluqvw" if letter not in taken), "j")

    def _letter(self) -> Maths:
        """The letter of bounds."""
        taken = {v.base for v in self.flow.derivation.variables.values()}
        return Maths(*next((pair for name, pair in _LETTERS.items() if name not in taken), _LETTERS["beta"]))


_LETTERS = {"beta": (r"\beta", "β"), "kappa": (r"\kappa", "κ"), "mu": (r"\mu", "μ")}


# --- what becomes of a gradient along the direct path -----------------------------------------------------------------


def _high(state: StateFlow) -> float | Fraction:
    return magnitude(state.within).high if state.within is not None else Fraction(0)


def _is_unread(state: StateFlow, flow: Flow) -> bool:
    cell, graph = flow.derivation.cell, graph_of(flow.derivation)
    return not any(graph.count(cell[f"{state.state.name}_prev"], cell[name]) for name in cell.states)


_OF_BOUNDS: tuple[tuple[Callable[[Bound], bool], str], ...] = (
    (
        lambda b: not b.is_steady,
        "The bound depends on the values at every step: nothing can be said that holds for all of them.",
    ),
    (
        lambda b: b.constant >= 1,
        "{bound} is never below 1: the bound says how fast a gradient can grow, and not whether it vanishes.",
    ),
    (
        lambda b: True,
        "{where} gradient vanishes where {bound} is below 1, and can explode only where it is above 1, which is not "
        "enough for it: the norm is often smaller than its bound.",
    ),
)
"""What is said of a bound of the norm over one step: the first row that applies."""

_BY_BOUND = ""
_VERDICTS: tuple[tuple[Callable[[StateFlow, Flow], bool], str], ...] = (
    (_is_unread, "Nothing of a step reads {before}: through {state} no gradient goes back."),
    (
        lambda s, f: s.kind == "none",
        "The equation of {state} does not read {before}: there is no direct path between them, and a gradient goes "
        "back through other variables only.",
    ),
    (
        lambda s, f: s.kind == "identity",
        "Over any number of steps it is the identity: along this path a gradient neither vanishes nor explodes.",
    ),
    (
        lambda s, f: s.kind == "matrix" and s.is_steady,
        "The factor is the same at every step: along this path a gradient vanishes where every eigenvalue of it is "
        "below 1 in absolute value, and explodes where one is above 1.",
    ),
    (lambda s, f: s.kind == "matrix", _BY_BOUND),
    (
        lambda s, f: _high(s) < 1,
        "Over many steps no entry exceeds {limit} in absolute value: along this path a gradient vanishes.",
    ),
    (
        lambda s, f: s.is_steady and _high(s) > 1,
        "The factor is the same at every step: along this path a gradient vanishes where the entries of {entries} are "
        "below 1 in absolute value, and explodes where they are above 1.",
    ),
    (
        lambda s, f: _high(s) == 1,
        "Every entry of {entries} lies in {within}: along this path a gradient cannot explode. It vanishes where the "
        "entries stay below a number less than 1 in absolute value, and is kept where they stay close to 1.",
    ),
    (
        lambda s, f: isinf(_high(s)),
        "Nothing bounds the entries of {entries}: along this path a gradient vanishes where they stay below a number "
        "less than 1 in absolute value, and explodes where they stay above a number greater than 1.",
    ),
    (
        lambda s, f: True,
        "Every entry of {entries} lies in {within}: along this path a gradient grows no faster than {limit}. It "
        "vanishes where the entries stay below a number less than 1 in absolute value, and explodes where they stay "
        "above a number greater than 1.",
    ),
)
"""What is said of a state's direct path: the first row that applies."""


def _filled(text: str, shown: dict[str, Maths]) -> Inline:
    """A sentence with formulas in the places of their names."""
    parts: list[str | Maths] = []
    for piece in text.split("{"):
        name, brace, rest = piece.partition("}")
        parts += [shown[name], rest] if brace else [piece]
    return tuple(part for part in parts if part != "")
