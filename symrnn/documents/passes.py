"""The sections on the two passes: forward, backward through a step, through time, and the parameters' gradients."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from symrnn.algebra import nodes
from symrnn.algebra.nodes import Expr, Variable
from symrnn.calculus.derivation import Derivation, Step, shift
from symrnn.documents.alike import GateFamily, find_alike
from symrnn.documents.setting import Setting, phrase
from symrnn.documents.splitting import SplitGradient, find_split
from symrnn.documents.structure import (
    Block,
    Display,
    EquationLine,
    Inline,
    Maths,
    NumberedEquation,
    Paragraph,
    Reference,
    Section,
)
from symrnn.documents.summing import gathered, show_words

_MOST_IN_A_ROW = 4
"""More parameters of a gate than these are on several rows, so that a row stays short."""


def _make_line(setting: Setting, target: Expr, value: Expr, note: Inline = ()) -> EquationLine:
    """An equation, its terms of the same form as one sum where the setting has families of gates."""
    return EquationLine(setting.maths(target), gathered(setting, value), note)


# --- forward ----------------------------------------------------------------------------------------------------------


def write_forward(setting: Setting) -> Section:
    """The cell's equations, each with the arguments of its functions."""
    derivation = setting.derivation
    blocks: list[Block] = []
    if any(derivation.is_preactivation(equation.target) for equation in derivation.forward) and setting.has_words:
        blocks.append(Paragraph(phrase("The argument of a function gets a name of its own.")))
        if any(_divides_by_a_name(derivation, equation.value) for equation in derivation.forward):
            blocks.append(Paragraph(("So does a long divisor, and the product that it divides.",)))
    for family in setting.families:
        blocks += _write_family(setting, family)
    in_families = {target for family in setting.families for target in family.targets}
    equations: list[NumberedEquation] = []
    gates: list[EquationLine] = []
    named: list[EquationLine] = []
    for equation in derivation.forward:
        if equation.target in in_families:
            continue
        line = _make_line(setting, equation.target, equation.value)
        if derivation.is_preactivation(equation.target):
            named.append(line)
            continue
        number = str(derivation.number(equation.target))
        # Functions of arguments that are defined above are short, and stand beside one another.
        if nodes.variables(equation.value) <= in_families and len(line.right.text) <= _SHORT:
            gates.append(replace(line, number=number, label=equation.target.name))
            continue
        # The arguments of functions are read below the function that they belong to, under its number.
        equations.append(NumberedEquation(number, (line, *named), equation.target.name))
        named = []
    rows = [gates[start : start + _MOST_IN_A_ROW] for start in range(0, len(gates), _MOST_IN_A_ROW)]
    if rows:
        blocks.append(Display(tuple(map(NumberedEquation.of_lines, rows))))
    return Section("forward", "Forward equations", (*blocks, *_group_by_lines(equations)))


def _divides_by_a_name(derivation: Derivation, value: Expr) -> bool:
    """Whether an equation's divisor is one that the derivation has named."""
    divisors = (nodes.denominator(part) for part in nodes.parts(value) if isinstance(part, nodes.Power))
    return any(isinstance(one, Variable) and derivation.is_preactivation(one) for one in divisors)


_SHORT = 20
"""Characters of a right side that is one function of one name, as in log σ(a_{g,t}): four of them fit a line."""


def _group_by_lines(equations: Iterable[NumberedEquation]) -> list[Display]:
    """Consecutive equations with the same number of lines align with one another."""
    groups: list[list[NumberedEquation]] = []
    for equation in equations:
        if groups and len(groups[-1][0].lines) == len(equation.lines):
            groups[-1].append(equation)
        else:
            groups.append([equation])
    return [Display(tuple(group)) for group in groups]


def _write_family(setting: Setting, family: GateFamily) -> list[Block]:
    """The equation of all gates of a form, with a star or as one of stacks."""
    words = show_words(setting, family.words)
    if setting.gates != "stacked" or not family.stacks:
        line = EquationLine(setting.maths(family.target), setting.maths(family.value))
        lead: Inline = ("For ", words, ":")
        return [Paragraph(lead), Display((NumberedEquation("", (line,), family.label),))]
    line = EquationLine(setting.maths(family.stacked(family.target)), setting.maths(family.stacked(family.value)))
    stacks = [
        EquationLine(setting.maths(stack), _show_stack(setting, [family.member(one, word) for word in family.words]))
        for one, stack in family.stacks.items()
    ]
    text = "The gates of the same form are blocks of rows:"
    equations = (NumberedEquation("", (line,), family.label), *(NumberedEquation("", (one,)) for one in stacks))
    return [Paragraph((text,)), Display(equations)]


def _show_stack(setting: Setting, members: Sequence[Variable]) -> Maths:
    shown = Maths.joined(map(setting.maths, members), "; ")
    return Maths(f"[{shown.latex}]", f"[{shown.text}]")


# --- backward through a step ------------------------------------------------------------------------------------------


def _name_rules(names: Iterable[str]) -> list[str]:
    """The rules to name for an equation: a sum only passes on what it receives, so it is named only on its own."""
    every = list(dict.fromkeys(names))
    return [name for name in every if name != "sum"] or every


def refer_to(setting: Setting, targets: Iterable[Variable], lead: str) -> Reference:
    """A mention of the forward equations of these variables."""
    derivation = setting.derivation
    return Reference(lead, tuple((derivation.number(v), setting.label_of(v)) for v in targets))


def explain_step(setting: Setting, step: Step) -> Inline:
    """Why an equation of the backward pass holds."""
    parts: list[str | Maths | Reference] = []
    if step.role == "state":
        parts.append("from outside the step")
    if step.shares:
        # A non-breaking blank below keeps 'from' and its number on one line.
        names = ", ".join(_name_rules(step.rules)) or "identity"
        parts += ["; ", names] if parts else [names]
        parts.append(refer_to(setting, step.premises, ", from\u00a0"))
    return tuple(parts) or ("not used in this step",)


def write_backward(setting: Setting) -> Section:
    """The adjoints of the variables of a step, from the last to the first."""

    def display(*roles: str) -> Display:
        steps = [step for step in setting.derivation.steps if step.role in roles]
        return Display(tuple(_write_step(setting, step) for step in steps))

    if not setting.has_words:
        return _write_brief_backward(setting)
    derivation = setting.derivation
    state = setting.sample_state()
    bar = setting.maths(derivation.cotangents[derivation.cell.states[0]])
    opening: Inline = (
        *("The forward equations are gone through from the last to the first. ", bar),
        *(" stands for what reaches ", state, " from outside the step."),
    )
    return Section(
        "backward",
        "Backward through one step",
        (Paragraph(opening), display("state", "intermediate"), *_write_messages(setting, display)),
    )


def _write_step(setting: Setting, step: Step) -> NumberedEquation:
    line = _make_line(setting, step.target, step.value, explain_step(setting, step))
    return NumberedEquation(str(step.number), (line,), step.target.name)


def _write_brief_backward(setting: Setting) -> Section:
    """The same in an unrolled network: what the step after it sends back is written out, and needs no symbol."""
    derivation = setting.derivation
    steps = derivation.role("state", "intermediate", "input")
    equations = tuple(
        NumberedEquation(str(s.number), (_make_line(setting, s.target, derivation.unrolled(s)),), s.target.name)
        for s in steps
    )
    return Section("backward", "Backward pass", (Paragraph(_say_backward(setting, ":")), Display(equations)))


def _write_messages(setting: Setting, display: Callable[..., Display]) -> tuple[Block, ...]:
    """What the step sends to its inputs, and the messages to the states before it."""
    blocks: list[Block] = []
    split = find_split(setting.derivation)
    if split is not None:
        blocks += [Paragraph((_SPLIT,)), Display((_write_split(setting, split),))]
    shown = {step.target.name for step in split.steps} if split else set()
    inputs = _without(display("input"), shown)
    if inputs.equations:
        blocks += [Paragraph(("What reaches the inputs:",)), inputs]
    rest = _without(display("carry"), shown)
    return (*blocks, say_messages(setting), *([rest] if rest.equations else []))


def say_messages(setting: Setting) -> Paragraph:
    """What a message is, of the first state for all of them: a cell has at least one."""
    derivation = setting.derivation
    previous = derivation.role("carry")[0]
    message, before = setting.maths(previous.target), setting.maths(previous.of)
    whole = setting.maths(shift(derivation.of(previous.of.base).target, -1))
    text: Inline = (" is the message that the step sends back to ", before, ". It is not all of ", whole)
    return Paragraph((message, *text, ", to which the loss and the rest of the step before contribute as well."))


_SPLIT = "What reaches the inputs and goes back to the states that they are joined with, as the parts of one sum:"


def _write_split(setting: Setting, split: SplitGradient) -> NumberedEquation:
    numbers = sorted(step.number for step in split.steps)
    # The reason is that of any of them: all come from the same equations.
    line = _make_line(setting, split.left, split.value, explain_step(setting, split.steps[0]))
    return NumberedEquation(f"{numbers[0]}–{numbers[-1]}", (line,), split.steps[0].target.name)


def _without(display: Display, labels: set[str]) -> Display:
    return Display(tuple(one for one in display.equations if one.label not in labels))


# --- through time -----------------------------------------------------------------------------------------------------


def _say_backward(setting: Setting, end: str) -> Inline:
    last = setting.last
    return phrase(rf"For $t = {last}, {last}-1, \dots, 1$, with everything at step ${last}+1$ zero{end}")


def write_through_time(setting: Setting) -> Section:
    """The equations of the states in the unrolled network, and what reaches the initial states."""
    derivation = setting.derivation
    # In the order of their equations, which is not that in which the cell returns them.
    states = sorted((derivation.of(name) for name in derivation.cell.states), key=lambda step: step.number)
    recursion = [
        NumberedEquation(
            f"{step.number}'",
            (_make_line(setting, step.target, derivation.unrolled(step)),),
            f"{step.target.name}:time",
            step.target.name,
        )
        for step in states
    ]
    initial = Display(tuple(_write_initial_states(setting)))
    if not setting.has_words:  # then the backward pass is that of the unrolled network
        return Section("time", "Initial states", (initial,))
    blocks: tuple[Block, ...] = (
        Paragraph((*_say_backward(setting, ", "), "the states' equations become")),
        Display(tuple(recursion)),
        Paragraph(
            (
                "and the other equations stay as they are. Only the first step reads the initial states, so that its ",
                "messages are all that they receive, at ",
                *phrase("$t = 1$:"),
            )
        ),
        initial,
    )
    return Section("time", "Through time", blocks)


def _write_initial_states(setting: Setting) -> list[NumberedEquation]:
    # h_1 at t = 1, unless the cell has a variable that is called so.
    first = setting.at(None if setting.has_numbers else 1)
    partial = replace(setting, notation=replace(setting.notation, adjoint=setting.notation.of_gradients))
    return [
        NumberedEquation(
            f"{step.number}'",
            (EquationLine(_show_initial(partial, step), gathered(first, step.value)),),
            f"{step.target.name}:first",
            step.target.name,
        )
        for step in setting.derivation.role("carry")
    ]


def _show_initial(setting: Setting, step: Step) -> Maths:
    """The derivative of the total loss with respect to an initial state."""
    adjoint = step.of.marked("adjoint", f"{step.of.name}_bar_first")
    return setting.at_first(lambda first: first.maths(adjoint))


# --- gradients --------------------------------------------------------------------------------------------------------


def write_gradients(setting: Setting) -> tuple[Section, ...]:
    """The gradients of the parameters; nothing where there are none."""
    derivation = setting.derivation
    steps = derivation.role("parameter")
    if not steps:
        return ()
    blocks: list[Block] = []
    if setting.has_words:
        names = ", ".join(_name_rules(name for step in steps for name in step.rules))
        premises = [target for step in steps for target in step.premises]
        lead: Inline = (
            f"A parameter collects what all steps contribute ({names}",
            refer_to(setting, premises, "; from "),
        )
        blocks.append(Paragraph((*lead, "):")))
    alike = find_alike(setting.families, [(step.target, step.value) for step in steps])
    for family in setting.families:
        groups = [group for group in alike if group.family is family]
        for own in dict.fromkeys(group.words for group in groups):
            pairs = [group.exprs for group in groups if group.words == own]
            blocks += _write_alike(setting, family, own, pairs)
    merged = {position for group in alike for position in group.positions}
    rest = tuple(step for position, step in enumerate(steps) if position not in merged)
    if rest:
        blocks.append(Display(tuple(_group_parameters(setting, rest))))
    return (Section("gradients", "Gradients of the parameters", tuple(blocks)),)


def _write_alike(
    setting: Setting, family: GateFamily, words: tuple[str, ...], pairs: Sequence[tuple[Expr, ...]]
) -> list[Block]:
    """The gradients of all gates of a form."""
    is_stacked = setting.gates == "stacked" and bool(family.stacks) and words == family.words
    shown = [(family.stacked(target), family.stacked(value)) for target, value in pairs] if is_stacked else pairs
    lines = [_sum_over_time(setting, target, value) for target, value in shown]
    numbered = tuple(
        replace(line, label=f"{family.label}:{'-'.join(words)}:{index}", number="*") for index, line in enumerate(lines)
    )
    lead: Inline = ("For ", show_words(setting, words), ":")
    return [*([] if is_stacked else [Paragraph(lead)]), Display((NumberedEquation.of_lines(numbered),))]


def _sum_over_time(setting: Setting, target: Expr, value: Expr) -> EquationLine:
    return EquationLine(setting.maths(target), setting.summed_over_steps(value))


def _group_parameters(setting: Setting, steps: tuple[Step, ...]) -> list[NumberedEquation]:
    """The parameters of one gate, which share a subscript, on one row; each has its number where rows are short."""
    groups: list[list[Step]] = []
    for step in steps:
        # W_f, U_f and b_f share what stands after the underscore.
        mark = step.of.base.partition("_")[2]
        if groups and len(groups[-1]) < _MOST_IN_A_ROW and groups[-1][-1].of.base.partition("_")[2] == mark:
            groups[-1].append(step)
        else:
            groups.append([step])
    return [NumberedEquation.of_lines([_write_parameter(setting, step) for step in group]) for group in groups]


def _write_parameter(setting: Setting, step: Step) -> EquationLine:
    line = _sum_over_time(setting, step.target, step.value)
    return replace(line, number=str(step.number), label=step.target.name)
