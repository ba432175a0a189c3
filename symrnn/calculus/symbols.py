r"""The symbol of a derivative: of three kinds, each with a symbol of its own, which says what is held.

- direct: ∂⁺y/∂x, as Pascanu, Mikolov & Bengio write their "immediate" derivative;
- cell: ∂y/∂x with what is held after a bar, ∂c_t/∂c_{t-1}|_{h_{t-1}}, as in thermodynamics; without a bar where
  nothing else enters;
- total: dy/dx with an upright d.

What is always held is not named: inputs and parameters, which nothing changes.

Source: Pascanu, Mikolov & Bengio (2013), On the difficulty of training recurrent neural networks, ICML, section 2.
Werbos (1990) writes ∂⁺ for the ordered derivative, which is the total one here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from symrnn.algebra import nodes
from symrnn.algebra.nodes import Expr, Variable

Show = Callable[[Expr], str]

_LISTED = 6
"""Of more than these held variables the bar shows the first and the last: the line is about the derivative."""


@dataclass(frozen=True)
class DerivativeSymbol:
    """What stands left of the equals sign.

    Attributes:
        kind: "direct", "cell" or "total".
        of: what is differentiated, at its step.
        wrt: with respect to what, at its step.
        held: what is held besides inputs and parameters, each at its step, where the kind alone does not say it.
    """

    kind: str
    of: Variable
    wrt: Variable
    held: tuple[Variable, ...] = ()

    def leading_to(self, of: Variable) -> DerivativeSymbol:
        """The same of another variable."""
        return replace(self, of=of)

    def meaning(self, show: Show = str) -> str:
        """What else moves and what is held, in words."""
        if self.held:
            verb = "is" if len(self.held) == 1 else "are"
            return f"where {', '.join(map(show, self.held))} {verb} held"
        return _MEANINGS[self.kind]

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
        return ", ".join([shown[0], dots, shown[-1]] if self.is_shortened else shown)


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
