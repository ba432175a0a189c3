r"""The symbol of a derivative: of three kinds, each with a symbol of its own, which says what is held.

- direct: ∂⁺y/∂x, as Pascanu, Mikolov & Bengio write their "immediate" derivative;
- cell: ∂y/∂x with what is held after a bar, ∂c_t/∂c_{t-1}|_{h_{t-1}}, as in thermodynamics; without a bar where
  nothing else enters, and with the time alone, ∂c_t/∂c_{t-1}|_{t-1}, where that is all of several other states;
- total: dy/dx with an upright d.

What is always held is not named: inputs and parameters, which nothing changes.

Source: Pascanu, Mikolov & Bengio (2013), On the difficulty of training recurrent neural networks, ICML, section 2.
Werbos (1990) writes ∂⁺ for the ordered derivative, which is the total one here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from symrnn.algebra import nodes
from symrnn.algebra.nodes import Expr, Variable

Show = Callable[[Expr], str]

_LISTED = 6
"""Of more than these held variables the bar shows the first and the last: the line is about the derivative."""
_NAMED = 2
"""More than these other states that enter are held under their time alone, or recursions would be unreadable."""


@dataclass(frozen=True)
class DerivativeSymbol:
    """What stands left of the equals sign.

    Attributes:
        kind: "direct", "cell" or "total".
        of: what is differentiated, at its step.
        wrt: with respect to what, at its step.
        held: what is held besides inputs and parameters, each at its step, where the kind alone does not say it.
        since: the time at which all other states are held; None where there are few, which `held` lists.
    """

    kind: str
    of: Variable
    wrt: Variable
    held: tuple[Variable, ...] = ()
    since: int | None = None

    @classmethod
    def holding(
        cls, kind: str, of: Variable, wrt: Variable, entering: Iterable[Variable], asked: Iterable[Variable] = ()
    ) -> DerivativeSymbol:
        """The symbol of a derivative for which other states that enter are held, and what was asked to be held."""
        # By letter and time: h_prev of this step and h of the one before are one, and are held once.
        states = {(v.base, v.time): v for v in entering}
        others = {(v.base, v.time): v for v in asked}
        if len(states) <= _NAMED:
            return cls(kind, of, wrt, tuple((states | others).values()))
        # All states enter a window at one time; another number of times would be a fault, and stops here.
        (since,) = {v.time for v in states.values()}
        return cls(kind, of, wrt, tuple(v for key, v in others.items() if key not in states), since)

    def leading_to(self, of: Variable) -> DerivativeSymbol:
        """The same of another variable."""
        return replace(self, of=of)

    def meaning(self, show: Show = str) -> str:
        """What else moves and what is held, in words."""
        every = [] if self.since is None else [f"the other states at {_moment(self.since)}"]
        named = [*every, *map(show, self.held)]
        if not named:
            return _MEANINGS[self.kind]
        return f"where {', '.join(named)} {'is' if named == [*map(show, self.held[:1])] else 'are'} held"

    @property
    def is_shortened(self) -> bool:
        """Whether the bar does not list everything that is held."""
        return len(self.held) > _LISTED

    def latex(self, show: Show) -> str:
        r"""In LaTeX, with variables as `show` writes them."""
        top, bottom = (show(nodes.vec(v)) for v in (self.of, self.wrt))
        above, below, gap = _LATEX[self.kind]
        ratio = rf"\frac{{{above}{gap}{top}}}{{{below}{gap}{bottom}}}"
        bar = self._bar(show, r"\dots")
        return rf"\left.{ratio}\right|_{{{bar}}}" if bar else ratio

    def text(self, show: Show) -> str:
        """In plain text, with variables as `show` writes them."""
        top, bottom = (show(nodes.vec(v)) for v in (self.of, self.wrt))
        above, below, _ = _TEXT[self.kind]
        bar = self._bar(show, "…")
        return f"{above}{top}/{below}{bottom}" + (f"|_{{{bar}}}" if bar else "")

    def __str__(self) -> str:
        return self.text(str)

    def _bar(self, show: Show, dots: str) -> str:
        shown = [show(v) for v in self.held]
        named = [shown[0], dots, shown[-1]] if self.is_shortened else shown
        return ", ".join([*([] if self.since is None else [_moment(self.since)]), *named])


def _moment(time: int) -> str:
    return f"t{time:+d}" if time else "t"


_MEANINGS = {
    "direct": "where every other named variable is held",
    "cell": "where no other state enters",
    "total": "where whatever it reaches moves along",
}
_LATEX = {
    "direct": (r"\partial^{+}", r"\partial", " "),
    "cell": (r"\partial", r"\partial", " "),
    "total": (r"\mathrm{d}", r"\mathrm{d}", " "),
}
_TEXT = {"direct": ("∂⁺", "∂", ""), "cell": ("∂", "∂", ""), "total": ("d", "d", "")}
