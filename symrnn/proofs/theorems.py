"""Properties of a cell that are proved: what a paper would state as a lemma.

`THEOREMS` is the table.  A row looks at a cell and states what it claims about it; where it has nothing to claim it is
left out.  A claim is proved exactly, over the field, or by intervals, which is sound for all real numbers; where
it fails there are numbers that show it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from fractions import Fraction
from random import Random
from types import MappingProxyType

import numpy as np

from symrnn.algebra import nodes
from symrnn.algebra.enclosure import combination, enclose
from symrnn.algebra.functions import FUNCTIONS
from symrnn.algebra.intervals import MINUS_ONE_TO_ONE, ZERO_TO_ONE, Interval
from symrnn.algebra.nodes import Expr, Variable
from symrnn.arrays import Array
from symrnn.calculus.derivation import Derivation
from symrnn.calculus.extent import show_count
from symrnn.calculus.jacobian import Path, paths
from symrnn.calculus.window import ask
from symrnn.errors import InputError
from symrnn.language.definition import Definition
from symrnn.language.recurrence import Cell
from symrnn.printers import text
from symrnn.proofs.claims import AtStart, Formula, Theorem, Words
from symrnn.proofs.formulas import decide
from symrnn.runs.arbitrary import for_every_number
from symrnn.runs.blocks import StepBlocks
from symrnn.runs.field import Number, draw, inner, same, slopes
from symrnn.runs.field_point import draw_point
from symrnn.runs.literals import exact_text
from symrnn.runs.numbers import FLOATS
from symrnn.runs.sequence import FieldSequence, draw_sequence
from symrnn.runs.sizes import CellAtSizes, layouts, show, vec
from symrnn.runs.stepping import StepValues
from symrnn.sameness.pairs import bounds
from symrnn.showing import ResultTuple
from symrnn.suggestions import did_you_mean

# Two that differ both ways and the smallest: a further one repeats the proof at the price of another run.
_SIZES = ((1, 1), (2, 3), (3, 2))
# As in `unroll`: the first, one between, the last.
_STEPS = 3
EXACT, INTERVALS, INDUCTION = "exact, over the field", "intervals", "intervals, by induction over time"


Row = Callable[[Derivation, int], Iterator[Theorem]]


def theorems(cell: Cell | Derivation | str, *, only: str | None = None, seed: int = 0) -> tuple[Theorem, ...]:
    """What the table claims about a cell, each claim with its proof or what refutes it.

    Args:
        cell: the cell, or its derivation.
        only: the name of one row of the table.
        seed: of the random numbers.

    Raises:
        InputError: the table has no row of that name.
    """
    if only is not None and only not in THEOREMS:
        hint = did_you_mean(only, THEOREMS)
        raise InputError(f"no theorem {only!r}\n  {hint}there are {', '.join(THEOREMS)}")
    derivation = for_every_number(cell)
    rows = THEOREMS.values() if only is None else (THEOREMS[only],)
    return ResultTuple(theorem for row in rows for theorem in row(derivation, seed))


# --- the paths add up to the Jacobian ---------------------------------------------------------------------------------


_PATHS = Formula(
    r"\left.\frac{\partial y}{\partial x}\right|_{\text{other states at } t-1} ="
    r" \sum_{\text{paths}~x \to v_1 \to \cdots \to v_k \to y} "
    r"\frac{\partial^{+} y}{\partial v_k} \cdots \frac{\partial^{+} v_1}{\partial x}",
    "∂y/∂x|_{other states at t-1} = Σ over paths x → v_1 → ... → v_k → y of ∂⁺y/∂v_k ... ∂⁺v_1/∂x",
)


_MOST_PATHS = 1000
"""More paths than this from an argument to a state are not multiplied one by one, which takes minutes."""

_MOST_SHOWN = 64
"""Of more pairs than this not every number of paths is told."""


def _sizes(chosen: Iterable[CellAtSizes]) -> tuple[Mapping[str, int], ...]:
    return tuple(layout.sizes for layout in chosen)


def _paths(derivation: Derivation, seed: int) -> Iterator[Theorem]:
    cell, blocks = derivation.cell, StepBlocks(derivation)
    pairs = [(s, v) for s in cell.states for v in (*cell.previous, *(cell[name] for name in cell.inputs))]
    numbers = {(s, v): blocks.graph.count(v, cell[s]) for s, v in pairs}
    found = {
        (s, v): paths(derivation, s, v.name) if number <= _MOST_PATHS else None
        for (s, v), number in numbers.items()
        if number
    }
    if not found:
        return
    symbols = {(s, v): ask(derivation, s, v.name).symbol.text(text) for s, v in found}
    shown = [f"{symbol}: {show_count(numbers[pair])}" for pair, symbol in symbols.items()]
    counts = ", ".join(shown if len(shown) <= _MOST_SHOWN else [*shown[: _MOST_SHOWN - 1], "...", shown[-1]])
    if None in found.values():
        counts += f"; where they are more than {_MOST_PATHS}, by the chain rule"
    chosen = layouts(cell, _SIZES)
    wrong = []
    definition, rng = exact_text(cell.syntax), Random(seed)
    for layout in chosen:
        wrong += [pair for pair in found if not _adds_up(blocks, definition, layout, rng, pair, found[pair])]
    failing = ", ".join(dict.fromkeys(symbols[pair] for pair in wrong))
    yield Theorem(
        "paths",
        ("the Jacobian of a state is the sum over its paths of the products of direct Jacobians",),
        _PATHS,
        EXACT,
        (),
        not wrong,
        f"false for {failing}" if wrong else f"at {show(chosen)}; paths of {counts}",
        _sizes(chosen),
    )


def _adds_up(
    blocks: StepBlocks,
    definition: Definition,
    layout: CellAtSizes,
    rng: Random,
    pair: tuple[str, Variable],
    ways: tuple[Path, ...] | None,
) -> bool:
    """Whether the paths' values, summed, move a state as the author's text does; the chain rule adds up many."""
    state, variable = pair
    derivation = blocks.derivation
    trial = draw_point(derivation, definition, layout, rng)
    if trial is None:
        return False
    moved = vec(slopes(trial.moved_by(variable.name)[state]))
    direction = vec(trial.direction[variable.name])
    if ways is None:
        return same(blocks.moved({variable: direction}, trial.evaluate)[derivation.cell[state]], moved)
    total = 0 * moved
    for way in ways:
        total = total + trial.evaluate(way.value) @ direction
    return same(total, moved)


# --- convex combinations ----------------------------------------------------------------------------------------------


def _convex(derivation: Derivation, seed: int) -> Iterator[Theorem]:
    known = bounds(derivation.forward, {})
    rests = {e.target: e.value for e in derivation.forward if _is_rest_of_one(e.value)}
    for equation in derivation.forward:
        pairs = _mixture(equation.value.xreplace(rests), derivation.cell)
        if pairs is None:
            continue
        (a, u), (b, v) = pairs
        ranges = [enclose(weight, known) for weight in (a, b)]
        if not all(bound.within(ZERO_TO_ONE) for bound in ranges):
            continue
        shape = equation.target.shape
        # Intervals cannot tell that two weights add up to 1: each is an interval of its own, and the sum reaches from 0
        # to 2.
        total = decide(nodes.add(a, b), nodes.ones(shape), derivation, sizes=_SIZES, seed=seed)
        words: Words = ("every entry of ", equation.target, " lies between those of ", u, " and ", v)
        yield Theorem(
            "convex combination",
            (*words, ", with the weights ", a, " and ", b, ", whose sum is 1"),
            Formula(r"<0> + <1> = 1, \quad 0 < <0> < 1", "<0> + <1> = 1, 0 < <0> < 1", (_alone(a), _alone(b))),
            f"{EXACT}, and {INTERVALS}",
            (),
            total.holds,
            f"{total}; each weight lies in {ranges[0]}" if total.holds else str(total),
            _sizes(layouts(derivation.cell, _SIZES)),
            total.counterexample is not None,
        )


def _alone(weight: Expr) -> Expr:
    """A weight as it stands in a formula: of a repeated scalar, the scalar."""
    return weight.operand if isinstance(weight, nodes.Fill) else weight


def _mixture(expr: Expr, cell: Cell) -> tuple[tuple[Expr, Expr], tuple[Expr, Expr]] | None:
    """Weights and values of a sum that looks like a mixture of a state at t-1 and something else.

    Where the weights are not w and 1 - w, yet one is written 1 - w, the other term's first factor is taken for its
    counterpart: a claim to be refuted.
    """
    found = combination(expr)
    if found is not None:
        return found
    if not isinstance(expr, nodes.Sum) or len(expr.args) != 2:
        return None
    if not all(isinstance(term, nodes.Hadamard) and len(term.args) == 2 for term in expr.args):
        return None
    if not any(factor in cell.previous for term in expr.args for factor in term.args):
        return None
    # The weight first, on whichever side of the state it is written.
    split = [term.args[::-1] if term.args[0] in cell.previous else term.args for term in expr.args]
    if not any(_is_rest_of_one(weight) for weight, _ in split):
        return None
    return (split[0][0], split[0][1]), (split[1][0], split[1][1])


def _is_rest_of_one(expr: Expr) -> bool:
    inner_ = expr.operand if isinstance(expr, nodes.Fill) else expr
    return isinstance(inner_, nodes.Sum) and isinstance(inner_.args[0], nodes.Ones) and len(inner_.args) == 2


# --- bounds -----------------------------------------------------------------------------------------------------------

_CLOSED = Interval(Fraction(-1), Fraction(1))


def _bounded(derivation: Derivation, seed: int) -> Iterator[Theorem]:
    """|s_t| < 1, for every state where intervals prove it, and for the output where numbers refute it."""
    cell = derivation.cell
    for s, before in zip(cell.states, cell.previous, strict=True):
        free = bounds(derivation.forward, {})[cell[s]]
        # Induction only where it is needed: an output that is bounded whatever came before needs no assumption.
        hypothesis = {} if free.within(MINUS_ONE_TO_ONE) else {before: _CLOSED}
        # The step is proved for any state within the bound; with the state before the first step in it, so are all.
        bound = free if not hypothesis else bounds(derivation.forward, hypothesis)[cell[s]]
        if not bound.is_bounded:
            continue
        holds = bound.within(MINUS_ONE_TO_ONE)
        refuted = "" if holds else _beyond(derivation, s, hypothesis, seed)
        if not holds and (not refuted or s != cell.states[0]):  # that a memory may grow is no news
            continue
        yield Theorem(
            "bounded state",
            ("|", cell[s], "| < 1, entry by entry, at every step"),
            Formula(r"\left|<0>\right| < 1", "|<0>| < 1", (cell[s],)),
            INDUCTION if hypothesis else INTERVALS,
            ("|", AtStart(before), "| ≤ 1") if hypothesis else (),
            holds,
            f"every entry of {text(cell[s])} lies in {bound}" if holds else refuted,
            refuted=not holds,
        )


def _beyond(derivation: Derivation, state: str, hypothesis: Mapping[Variable, Interval], seed: int) -> str:
    """Numbers within the hypothesis at which a state is not inside (-1, 1), in words; nothing where none are found."""
    cell, rng = derivation.cell, np.random.default_rng(seed)
    layout = layouts(cell, [(1, 1)])[0]
    # Fifty tries at each of four magnitudes: a state that can leave (-1, 1) does so with large parameters.
    for attempt in range(200):
        values: dict[str, Array] = {}
        for variable in layout.variables:
            scale = 1.0 if variable in hypothesis else float(4 ** (attempt % 4))
            # Two decimals, which a reader can copy.
            values[variable.name] = np.round(scale * rng.uniform(-1, 1, layout.shape(variable)), 2)
        with np.errstate(all="ignore"):
            largest = float(np.max(np.abs(StepValues(derivation, layout, FLOATS, values).values[state])))
        # Clearly beyond 1: a state that saturates at 1 rounds to it, and that is no refutation.
        if np.isfinite(largest) and largest > 1.01:
            given = ", ".join(f"{v.name} = {np.asarray(values[v.name]).reshape(-1).tolist()}" for v in layout.variables)
            return f"{state} reaches {largest:.4g} at {given}"
    return ""


# --- forward sensitivities and backpropagation ------------------------------------------------------------------------


_RTRL = Formula(
    r"S_t = \frac{\mathrm{d} s_t}{\mathrm{d} \theta} = \frac{\partial s_t}{\partial s_{t-1}} S_{t-1} +"
    r" \left.\frac{\partial s_t}{\partial \theta}\right|_{s_{t-1}}, \quad"
    r" \sum_{t=1}^{T} \Bigl(\frac{\partial \ell}{\partial s_t}\Bigr)^{\top} S_t ="
    r" \Bigl(\frac{\partial L}{\partial \theta}\Bigr)^{\top}",
    "S_t = ds_t/dθ = ∂s_t/∂s_{t-1} S_{t-1} + ∂s_t/∂θ|_{s_{t-1}}, Σ_{t=1}^{T} (∂ℓ/∂s_t)ᵀ S_t = (∂L/∂θ)ᵀ",
)


def _rtrl(derivation: Derivation, seed: int) -> Iterator[Theorem]:
    """The gradient of every parameter, once by sensitivities carried forward, once by adjoints carried back."""
    cell = derivation.cell
    if not cell.parameters:
        return
    chosen = layouts(cell, _SIZES)
    blocks = StepBlocks(derivation)
    rng = Random(seed)
    wrong: list[str] = []
    for layout in chosen:
        sequence = draw_sequence(derivation, layout, _STEPS, cell.states, rng)
        wrong += ["all"] if sequence is None else _disagreements(sequence, blocks, rng)
    yield Theorem(
        "RTRL = BPTT",
        ("sensitivities carried forward and adjoints carried backward give the same gradient of every parameter",),
        _RTRL,
        EXACT,
        (),
        not wrong,
        f"false for {', '.join(dict.fromkeys(wrong))}" if wrong else f"over T = {_STEPS} steps at {show(chosen)}",
        _sizes(chosen),
    )


def _disagreements(sequence: FieldSequence, blocks: StepBlocks, rng: Random) -> list[str]:
    """The parameters whose two gradients differ along a random direction."""
    cell, layout = sequence.derivation.cell, sequence.layout
    wrong = []
    for name in cell.parameters:
        direction = draw(rng, layout.shape(cell[name]))
        # The states before the first step do not depend on any parameter.
        moved = {s: 0 * vec(sequence.loss[0][s]) for s in cell.states}
        forward, backward = Number(0), Number(0)
        for at, step in enumerate(sequence.steps):
            changes = {cell[f"{s}_prev"]: change for s, change in moved.items()} | {cell[name]: vec(direction)}
            moved = {
                s: np.sum(
                    [blocks.along(cell[s], wrt, change, step.evaluate) for wrt, change in changes.items()], axis=0
                )
                for s in cell.states
            }
            forward += sum((inner(vec(sequence.loss[at][s]), moved[s]) for s in cell.states), Number(0))
            backward += inner(sequence.adjoint(name, at), direction)
        if forward != backward:
            wrong.append(name)
    return wrong


# --- stabilisers ------------------------------------------------------------------------------------------------------


def _stabiliser(derivation: Derivation, seed: int) -> Iterator[Theorem]:
    """What is subtracted in the exponents of at least two gates: its gradient is 0 where the loss reads h alone."""
    cell = derivation.cell
    output = cell.states[0]
    for m in _subtracted(derivation):
        chosen = layouts(cell, _SIZES)
        rng = Random(seed)
        sequences = [draw_sequence(derivation, layout, _STEPS, (output,), rng) for layout in chosen]
        wrong = [
            at + 1
            for sequence in sequences
            for at in range(_STEPS)
            if sequence is None or any(Number.of(x) != 0 for x in sequence.adjoint(m.name, at).reshape(-1))
        ]
        yield Theorem(
            "stabiliser",
            (m, " cancels in ", cell[output], ": its gradient is 0"),
            Formula(r"\frac{\partial L}{\partial <0>} = 0", "∂L/∂<0> = 0", (m,)),
            EXACT,
            ("the loss reads no state but ", cell[output]),
            not wrong,
            f"δ{m.name} is not 0 at t = {wrong[0]} of {_STEPS}" if wrong else f"T = {_STEPS} at {show(chosen)}",
            _sizes(chosen),
        )


def _subtracted(derivation: Derivation) -> list[Variable]:
    """The variables that the exponents of at least two gates are diminished by, within a minimum or maximum too."""
    named = {e.target: e.value for e in derivation.forward if derivation.is_preactivation(e.target)}
    found: Counter[Variable] = Counter()
    for equation in derivation.forward:
        if isinstance(equation.value, nodes.Act) and FUNCTIONS[equation.value.name].gate == "positive":
            negative = set(_negative_terms(equation.value.operands[0], named))
            found.update(v for v in negative if isinstance(v, Variable) and v.time == 0)
    # One gate alone may be diminished by anything; what two share is there to keep both exponentials in range.
    return [variable for variable, count in found.items() if count > 1]


def _negative_terms(exponent: Expr, named: Mapping[Variable, Expr]) -> Iterator[Expr]:
    exponent = named.get(exponent, exponent) if isinstance(exponent, Variable) else exponent
    if isinstance(exponent, nodes.Act):
        for operand in exponent.operands:
            yield from _negative_terms(operand, named)
    for term in exponent.args if isinstance(exponent, nodes.Sum) else ():
        number, rest = nodes.coefficient(term)
        if number == -1:
            yield rest


THEOREMS: Mapping[str, Row] = MappingProxyType(
    {
        "paths": _paths,
        "convex combination": _convex,
        "bounded state": _bounded,
        "RTRL = BPTT": _rtrl,
        "stabiliser": _stabiliser,
    }
)
"""Every theorem, by name."""
