"""What a document says of Jacobians that are too long to be written out: the chain rule, one line for each equation.

Written out, the Jacobians of a step have as many terms as there are paths, and there is one for every state and every
argument.  Of direct Jacobians there are as many as the equations read variables, and the others follow from them.
"""

from __future__ import annotations

from collections.abc import Iterator

from symrnn.calculus.extent import show_count
from symrnn.calculus.graph import graph_of
from symrnn.calculus.jacobian import written
from symrnn.calculus.symbols import DerivativeSymbol
from symrnn.documents.setting import Setting, phrase
from symrnn.documents.structure import Block, Display, EquationLine, Inline, Maths, NumberedEquation, Paragraph

MANY_STATES = 8
"""Of more states than this a document gives one formula for all: the blocks, and the terms of their recursion over
several steps, are as many as the pairs of states."""

_RULE = (
    r"\frac{\partial v}{\partial u} = \frac{\partial^{+} v}{\partial u}"
    r" + \sum_w \frac{\partial^{+} v}{\partial w} \, \frac{\partial w}{\partial u}",
    "∂v/∂u = ∂⁺v/∂u + Σ_w ∂⁺v/∂w ∂w/∂u",
)
_TRANSPOSED_RULE = (
    r"\frac{\partial v}{\partial u} = \frac{\partial^{+} v}{\partial u}"
    r" + \sum_w \frac{\partial w}{\partial u} \, \frac{\partial^{+} v}{\partial w}",
    "∂v/∂u = ∂⁺v/∂u + Σ_w ∂w/∂u ∂⁺v/∂w",
)
_OVER_TIME = (
    r"\frac{\partial s_t}{\partial u} = \sum_r \frac{\partial s_t}{\partial r_{t-1}} \,"
    r" \frac{\partial r_{t-1}}{\partial u}",
    "∂s_t/∂u = Σ_r ∂s_t/∂r_{t-1} ∂r_{t-1}/∂u",
)
_TRANSPOSED_OVER_TIME = (
    r"\frac{\partial s_t}{\partial u} = \sum_r \frac{\partial r_{t-1}}{\partial u} \,"
    r" \frac{\partial s_t}{\partial r_{t-1}}",
    "∂s_t/∂u = Σ_r ∂r_{t-1}/∂u ∂s_t/∂r_{t-1}",
)


def chain_rule(setting: Setting, numbers: Iterator[str]) -> list[Block]:
    """The chain rule, and the direct Jacobians that it is about; those of parameters are in a section of their own."""
    derivation = setting.derivation
    parameters = {derivation.cell[name] for name in derivation.cell.parameters}
    graph = graph_of(derivation)
    equations = []
    for equation in derivation.forward:
        if derivation.is_preactivation(equation.target):
            continue
        lines = tuple(
            EquationLine(
                setting.derivative(DerivativeSymbol("direct", equation.target, source)),
                setting.maths(written(value, setting.layout)),
            )
            for source, value in graph.incoming(equation.target).items()
            if source not in parameters
        )
        if lines:
            equations.append(NumberedEquation(next(numbers), lines, f"direct:{equation.target.name}"))
    rule = Maths(*(_RULE if setting.layout == "numerator" else _TRANSPOSED_RULE))
    text: Inline = (
        *("By the chain rule, for a variable v of the step and an argument u of it, the other arguments held, ", rule),
        *(", the sum over those variables w of the step that the equation of v reads. ", "The direct Jacobians are:"),
    )
    return [Paragraph(text), *([Display(tuple(equations))] if equations else [])]


def over_many_states(setting: Setting) -> list[Block]:
    """The recursion over several steps, for every state at once."""
    rule = Maths(*(_OVER_TIME if setting.layout == "numerator" else _TRANSPOSED_OVER_TIME))
    text: Inline = (
        "A change travels from step to step through every state. For a state s and anything u that enters before, ",
        *(rule, ", the sum over all states r, where what is over one step follows from the chain rule above."),
    )
    return [Paragraph(text)]


def show_paths(number: int) -> Inline:
    """A number of paths in running text, rounded where its digits say nothing."""
    mantissa, _, exponent = show_count(number).removeprefix("about ").partition("e")
    if not exponent:
        return (f"{number} paths",)
    return ("about ", *phrase(rf"${mantissa} \times 10^{{{exponent}}}$"), " paths")
