"""The sections on Jacobians: of one step, path by path; of the parameters; and over several steps."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from symrnn.algebra import nodes
from symrnn.algebra.nodes import Expr, Variable
from symrnn.calculus.graph import StepGraph, graph_of
from symrnn.calculus.jacobian import laid_out, written
from symrnn.calculus.paths import Path, count_paths, direct_path, paths
from symrnn.calculus.symbols import DerivativeSymbol
from symrnn.calculus.through_time import LONGEST_BLOCK, Row, Term, through_time
from symrnn.calculus.through_time import Block as TermBlock
from symrnn.calculus.window import ask
from symrnn.documents.chain_rule import MANY_STATES, chain_rule, over_many_states, show_paths
from symrnn.documents.path_terms import PathTerm, path_terms
from symrnn.documents.setting import Setting, phrase
from symrnn.documents.structure import (
    ZERO,
    Block,
    Bullets,
    Display,
    EquationLine,
    Inline,
    Maths,
    NumberedEquation,
    Paragraph,
    Section,
    enumerated,
    joined,
)
from symrnn.language.recurrence import Cell

MOST_PATHS = 40
"""More paths than this to one Jacobian block are counted, not listed: nobody would read them."""

_MOST_FACTORS = 1000
"""Where the blocks have more local Jacobians than this in all, some eight pages, only the chain rule is given: a cell
of many states has as many blocks as pairs of states.  The library's largest has 280."""

_MOST_PAIRS = 64
"""Of more blocks than this, of which none is written out, not even the numbers of paths are listed."""

# Jacobians of a gate's W, U and b side by side; a gate has seldom more, and three fit a line.
_IN_A_ROW = 3
# Enough to see that it grows exponentially; the numbers stay short enough for a line.
_COUNTED_STEPS = (1, 2, 3, 4, 5)


def count_up(last: int) -> Iterator[str]:
    """The numbers of equations after the last one that has been used."""
    while True:
        last += 1
        yield str(last)


# --- one step ---------------------------------------------------------------------------------------------------------


def write_one_step(setting: Setting, numbers: Iterator[str]) -> Section:
    """The Jacobian blocks of one step, path by path."""
    derivation = setting.derivation
    cell = derivation.cell
    graph = graph_of(derivation)
    pairs = list_pairs(cell)
    written_out = choose_short_pairs(graph, pairs)
    if not written_out and len(pairs) > _MOST_PAIRS:
        zeros = sum(not graph.count(wrt, of) for of, wrt in pairs)
        text = f"There are {len(pairs)} Jacobians of one step, of a state with respect to an argument"
        text += f", {zeros} of them without a path and zero." if zeros else "."
        return Section("jacobians", "Jacobian blocks", (Paragraph((text,)), *chain_rule(setting, numbers)))
    displays: list[Block] = []
    empty: list[tuple[Variable, Variable]] = []
    for of, wrt in pairs:
        left = setting.derivative(ask(derivation, of.name, wrt.name).symbol)
        if (of, wrt) in written_out:
            lines = _write_block(setting, left, path_terms(paths(derivation, of.name, wrt.name)))
            if lines:
                displays.append(Display((NumberedEquation(next(numbers), lines, f"jacobian:{of.name}:{wrt.name}"),)))
            else:
                empty.append((of, wrt))
        else:
            many = show_paths(graph.count(wrt, of))
            displays.append(Paragraph((left, " is a sum over ", *many, ", too many to be written out.")))
    if len(written_out) < len(pairs):
        displays += chain_rule(setting, numbers)
    text = "The Jacobians of one step as a function of its arguments, one term for each path. "
    if len(cell.states) == 1:
        text += "No other state enters, so these are total derivatives as well."
    else:
        text += "What the bar names enters too and is held."
    return Section("jacobians", "Jacobian blocks", (Paragraph((text,)), *displays, *_say_zeros(setting, graph, empty)))


def _say_zeros(setting: Setting, graph: StepGraph, zeros: list[tuple[Variable, Variable]]) -> list[Block]:
    """The blocks that are zero, in a list for each reason."""
    reasons = (
        (
            "These blocks are zero, as no path leads there:",
            [pair for pair in zeros if not graph.count(*reversed(pair))],
        ),
        ("These blocks are zero, as every path has a slope of zero:", [p for p in zeros if graph.count(*reversed(p))]),
    )
    blocks: list[Block] = []
    for opening, pairs in reasons:
        items: list[Inline] = []
        for end in dict.fromkeys(of for of, _ in pairs):
            starts = [setting.maths(wrt) for of, wrt in pairs if of == end]
            items.append(("from ", *enumerated(starts), " to ", setting.maths(end)))
        blocks += [Paragraph((opening,)), Bullets(tuple(items))] if items else []
    return blocks


def list_pairs(cell: Cell) -> list[tuple[Variable, Variable]]:
    """Every state with every argument of the step that is no parameter."""
    arguments = (*cell.previous, *(cell[name] for name in cell.inputs))
    return [(cell[state], wrt) for state in cell.states for wrt in arguments]


def choose_short_pairs(
    graph: StepGraph, pairs: Collection[tuple[Variable, Variable]]
) -> Collection[tuple[Variable, Variable]]:
    """Those whose Jacobian is written out, path by path; none where they are too many in all."""
    extents = {(of, wrt): graph.extent(wrt, of) for of, wrt in pairs}
    short = {pair: x for pair, x in extents.items() if x.ways <= MOST_PATHS and x.factors <= LONGEST_BLOCK}
    # A Jacobian without paths still takes the line that says so.
    return short if sum(max(1, x.factors) for x in short.values()) <= _MOST_FACTORS else {}


def _write_block(setting: Setting, left: Maths, found: Sequence[PathTerm]) -> tuple[EquationLine, ...]:
    terms = [(laid_out(term.value, setting.layout), _label_term(setting, term)) for term in found]
    return lay_out_lines(setting, left, terms)


def _label_term(setting: Setting, term: PathTerm) -> Inline:
    """The paths of a term; of several, one after the other."""
    return joined((label_path(setting, path) for path in term.paths), " and also ")


def lay_out_lines(setting: Setting, left: Maths, terms: list[tuple[Expr, Inline]]) -> tuple[EquationLine, ...]:
    """A sum with a line and a note for each term."""
    lines = []
    for position, (expr, note) in enumerate(terms):
        # The first term's plus is not written, and its minus has no blank behind it.
        sign, value = setting.signed(expr, alone=len(terms) == 1)
        lead = sign if position else ("-" if sign == "-" else "")
        gap = " " if position else ""
        shown = Maths(f"{lead}{gap}{value.latex}", f"{lead}{gap}{value.text}")
        lines.append(EquationLine(None if position else left, shown, note))
    return tuple(lines)


def label_path(setting: Setting, path: Path) -> Inline:
    """What stands beside a path's term: the variables that it runs through."""
    if not path.through:
        return ("direct",)
    return ("through ", *enumerated(map(setting.maths, path.through)))


# --- parameters -------------------------------------------------------------------------------------------------------


def write_parameters(setting: Setting, numbers: Iterator[str]) -> tuple[Section, ...]:
    """How each equation reads its parameters, a matrix as the stack of its columns."""
    derivation = setting.derivation
    known = {derivation.cell[name] for name in derivation.cell.parameters}
    graph = graph_of(derivation, shown=[equation.target for equation in derivation.forward])
    equations = []
    for equation in derivation.forward:
        own = graph.incoming(equation.target)
        read = [parameter for parameter in own if parameter in known]
        # the arguments of an equation's functions are part of it: they may read the same parameter once more
        has_arguments = any(derivation.is_preactivation(v) for v in own if v not in known)
        whole = graph_of(derivation, {equation.target}).incoming(equation.target) if has_arguments else own
        lines = [
            EquationLine(
                setting.derivative(DerivativeSymbol("direct", equation.target, parameter)),
                _lay_out_block(setting, whole[parameter]),
            )
            for parameter in read
        ]
        for start in range(0, len(lines), _IN_A_ROW):
            label = f"local:{equation.target.name}:{start}"
            equations.append(NumberedEquation(next(numbers), tuple(lines[start : start + _IN_A_ROW]), label))
    if not equations:
        return ()
    text = (
        "The direct Jacobians of single equations with respect to their parameters. "
        r"With respect to a matrix, $\operatorname{vec}$ of it is meant."
    )
    blocks = (Paragraph(phrase(text)), Display(tuple(equations)))
    return (Section("kronecker", "Jacobians of the parameters", blocks),)


def _lay_out_block(setting: Setting, block: Expr) -> Maths:
    """A block in the numerator layout as a formula in the document's."""
    return setting.maths(written(block, setting.layout))


# --- several steps ----------------------------------------------------------------------------------------------------


def write_several_steps(setting: Setting, numbers: Iterator[str]) -> Section:
    """The recursion over several steps, and the paths through them."""
    cell = setting.derivation.cell
    if len(cell.states) > MANY_STATES:
        return Section(
            "steps", "Over several steps", (*over_many_states(setting), *_write_direct_path(setting, numbers))
        )
    found = [(state, _find_last_row(setting, state, f"{state}_prev")) for state in cell.states]
    over_two = {state: ask(setting.derivation, state, f"{state}_prev", 2).symbol for state in cell.states}
    moving = [(state, row) for state, row in found if row and row.terms]
    recursion = [write_recursion_row(setting, numbers, row, over_two[state]) for state, row in moving]
    terms = [term for _, row in found if row for term in row.terms]
    blocks: list[Block] = [Paragraph(_write_opening(setting, terms)), *recursion]
    blocks += [*_write_totals(setting, numbers), *_write_parameter_recursion(setting, numbers)]
    blocks += [*_count_from_states(setting), *_write_direct_path(setting, numbers), *_compare_with_product(setting)]
    return Section("steps", "Over several steps", tuple(blocks))


def _find_last_row(setting: Setting, state: str, wrt: str) -> Row | None:
    """The row of a recursion at its last step, with every state that a change can have reached before it.

    A change reaches one more state with each step at least, or it reaches no more: after as many steps as there are
    states the row is that of any number of steps.  Over fewer steps some of its terms are zero.
    """
    derivation = setting.derivation
    # One more: at the first step a row has no terms from before.
    rows = through_time(derivation, state, wrt, len(derivation.cell.states) + 1).rows
    return rows[-1] if rows else None


def _write_opening(setting: Setting, terms: list[Term]) -> Inline:
    text = (
        "A change travels from step to step through every state. Over two steps, and over "
        rf"${setting.back}$ steps with $t-{setting.back}$ in place of $t-2$:"
    )
    if not terms:
        return phrase(text)
    block = terms[0].block
    what: Inline = (setting.maths(block.symbol), " stands for ", setting.derivative(block.stands_for))
    return (*what, ", and so on. ", *phrase(text))


def write_recursion_row(setting: Setting, numbers: Iterator[str], row: Row, derivative: DerivativeSymbol) -> Display:
    """One line of a recursion; in the denominator layout, what comes first stands first."""
    parts = []
    for term in row.terms:
        symbol = setting.maths(term.block.symbol)
        if term.state is None:
            parts.append(symbol)
            continue
        inner = setting.derivative(derivative.leading_to(term.state))
        pair = (symbol, inner) if setting.layout == "numerator" else (inner, symbol)
        parts.append(Maths.joined(pair, r" \, ", " "))
    right = Maths.joined(parts or [ZERO], " + ")
    label = f"{derivative.kind}:{row.of.name}:{derivative.wrt.name}"
    return Display(
        (
            NumberedEquation(
                next(numbers), (EquationLine(setting.derivative(derivative.leading_to(row.of)), right),), label
            ),
        )
    )


def _write_totals(setting: Setting, numbers: Iterator[str]) -> list[Block]:
    """What a state's total derivative with respect to itself has more than the one that holds the other states."""
    derivation = setting.derivation
    displays: list[Block] = []
    for state in derivation.cell.states:
        whole = through_time(derivation, state, f"{state}_prev", 1, kind="total")
        moving = {term.state.base for term in whole.rows[-1].terms if term.state is not None}
        if not moving:
            continue
        displays.append(write_recursion_row(setting, numbers, whole.rows[-1], whole.symbol))
        for block in _find_within(whole.forms, moving):
            left = write_block_symbol(setting, block) if block.links else setting.derivative(block.stands_for)
            line = EquationLine(left, setting.maths(block.laid_out(setting.layout)))
            displays.append(Display((NumberedEquation(next(numbers), (line,), f"within:{block.symbol.name}"),)))
    if len(derivation.cell.states) == 1:
        return []
    text = "A total derivative does not hold the other states: those that read the state in its own step move with it. "
    if not displays:
        text += (
            "Here none of them leads back to it, so that each state's derivative with respect to itself is the same."
        )
        return [Paragraph((text,))]
    text += rf"Over one step, and over ${setting.back}$ steps with the same addition at $t-{setting.back}$:"
    return [Paragraph(phrase(text)), *displays]


def _find_within(forms: Sequence[TermBlock], moving: Collection[str]) -> list[TermBlock]:
    """What one state does to these others of its own step, after the inner derivatives that it is given by."""
    found: list[TermBlock] = []
    named: set[Variable] = set()
    for block in reversed(forms):
        if block.stands_for.kind == "total" and (block.of.base in moving or block.symbol in named):
            # From the last, so that what a block names is known before its turn comes; printed in order.
            found.insert(0, block)
            named |= {symbol for _, symbol in block.links if symbol is not None}
    return found


def write_block_symbol(setting: Setting, block: TermBlock) -> Maths:
    """What stands left of a block's value: where others name it, its own symbol and the derivative's."""
    return Maths.joined((setting.maths(block.symbol), setting.derivative(block.stands_for)), " = ")


def _write_parameter_recursion(setting: Setting, numbers: Iterator[str]) -> list[Block]:
    derivation, cell = setting.derivation, setting.derivation.cell
    if not cell.parameters:
        return []
    # One parameter as the example, the first that reaches most states: the recursion of others has the same form.
    name = max(cell.parameters, key=lambda one: sum(count_paths(derivation, s, one, 2) > 0 for s in cell.states))
    rows = [row for state in cell.states if (row := _find_last_row(setting, state, name)) and row.terms]
    text = "A parameter enters at every step, which adds a term of its own. Through all steps since the first"
    opening: Inline = (f"{text}, with respect to ", setting.maths(cell[name]), ":")
    return [
        Paragraph(opening),
        *(write_recursion_row(setting, numbers, row, DerivativeSymbol("total", row.of, cell[name])) for row in rows),
    ]


def _count_from_states(setting: Setting) -> list[Block]:
    """How many paths lead from a state to itself."""
    items: list[Inline] = []
    without: list[Maths] = []
    for state in setting.derivation.cell.states:
        shape = setting.derivation.cell[state].shape
        shown = setting.maths(Variable(state, shape[0], shape[1]))
        counts = [count_paths(setting.derivation, state, f"{state}_prev", steps) for steps in _COUNTED_STEPS]
        if not any(counts):
            without.append(shown)
            continue
        items.append(("from ", shown, " to ", shown, ": " + ", ".join(map(str, counts))))
    steps = ", ".join(map(str, _COUNTED_STEPS))
    text = f"The number of paths from a state to itself over {steps} steps"
    text += ", the other states that enter being held:" if len(setting.derivation.cell.states) > 1 else ":"
    none: Inline = ("No path leads back from ", *enumerated(without), ".")
    counted: list[Block] = [Paragraph((text,)), Bullets(tuple(items))] if items else []
    return [*counted, *([Paragraph(none)] if without else [])]


def _write_direct_path(setting: Setting, numbers: Iterator[str]) -> list[Block]:
    derivation = setting.derivation
    found = [(derivation.cell[s], direct_path(derivation, s, 2)) for s in derivation.cell.states]
    displays: list[Block] = []
    for state, value in found:
        if nodes.is_zero(value):
            continue
        window = ask(derivation, state.name, f"{state.name}_prev")
        factors = [DerivativeSymbol("direct", window.at(window.of, j), window.at(window.wrt, j)) for j in (0, 1)]
        shown = [setting.derivative(factor) for factor in factors[:: 1 if setting.layout == "numerator" else -1]]
        line = EquationLine(Maths.joined(shown, r" \, ", " "), _lay_out_block(setting, value))
        displays.append(Display((NumberedEquation(next(numbers), (line,), f"direct:{state.name}"),)))
    text = (
        r"The path that runs through no other variable is a product with one factor for each step; "
        "over two steps, and over more in the same way:"
    )
    return [Paragraph(phrase(text)), *displays] if displays else []


def _compare_with_product(setting: Setting) -> list[Block]:
    """Whether the product of the one-step derivatives of a state is its derivative over several steps."""
    cell, steps = setting.derivation.cell, _COUNTED_STEPS[-1]
    if len(cell.states) == 1:
        k = setting.back
        text = rf"There is one state, so its derivative over ${k}$ steps is the product of ${k}$ blocks of one step."
        return [Paragraph(phrase(text))]
    blocks: list[Block] = []
    for state in cell.states:
        one = count_paths(setting.derivation, state, f"{state}_prev", 1)
        every = count_paths(setting.derivation, state, f"{state}_prev", steps)
        # Compared by their numbers of paths: where these are equal, no path runs through another state.
        if one**steps != every:
            block = setting.derivative(ask(setting.derivation, state, f"{state}_prev").symbol)
            text = f" alone is not the derivative over {steps} steps: it has {one**steps} of the {every} paths."
            blocks.append(Paragraph(("The product of ", str(steps), " one-step blocks ", block, text)))
    return blocks
