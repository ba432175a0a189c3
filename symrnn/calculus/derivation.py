"""Cell -> Derivation: the backward equations, as the log of reverse-mode differentiation over the rule table.

The step maps inputs, states at t-1 and parameters to the states at t.  Every variable v of the step gets an adjoint
δv, the derivative of the total loss with respect to it, through everything that it reaches.  One step does not know all
of it, and three further quantities have symbols of their own:

- h̄_t, the cotangent: all that reaches h_t from outside its step, ∂ℓ/∂h_t + δ←h_t;
- δ←h_{t-1}, the message: what step t sends back to h_{t-1}.  It is not δh_{t-1}, to which the loss at t-1 and the rest
  of step t-1 belong too.  Of the states before the first step it is all there is, ∂L/∂h_0;
- δW_t, the term of one step in the gradient of a parameter, ∂L/∂W = Σ_t δW_t: the derivative with respect to the copy
  of W that step t reads.

Source: for the copies of a parameter, Goodfellow, Bengio & Courville (2016), Deep Learning, section 10.2.2.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, TypeVar

from symrnn.algebra import nodes
from symrnn.algebra.nodes import Expr, Variable
from symrnn.algebra.simplify import simplify
from symrnn.calculus.naming import Names, name_adjoints, name_preactivations
from symrnn.calculus.rules import RULES, RuleTable, Share, pull_back
from symrnn.choices import form_of
from symrnn.deferred import function_above
from symrnn.errors import UnknownNameError
from symrnn.files import write_whole
from symrnn.language.recurrence import Cell, Equation, unknown_variable
from symrnn.showing import ResultTuple, Shown

Role = Literal["state", "intermediate", "input", "carry", "parameter"]

# Names in `_prev` belong to the language; `_next` appears only in derivations through time.
_TIME_SUFFIX = {-1: "_prev", 0: "", 1: "_next"}


@dataclass(frozen=True, repr=False)
class Step(Shown):
    """One equation of the backward pass: `target = value`.

    Attributes:
        number: its number in the derivation, following the forward equations.
        target: what it defines: the adjoint δv of a variable of the step; of a state at t-1, the message that the step
            sends back; of a parameter, ∂L/∂W, of which `value` is the term of one step.
        of: the variable that it is about.
        value: its expression, simplified; for a parameter, the term of one time step.
        shares: what each forward equation contributes, in their order, as the rules give it.
        premises: the forward variables whose equations contribute.
        role: what the variable is; "carry" is a state at t-1.
    """

    number: int
    target: Variable
    of: Variable
    value: Expr
    shares: tuple[tuple[Equation, Share], ...]
    role: Role

    @property
    def left(self) -> Variable:
        """What `value` is equal to: `target`, but of a parameter δW_t, the term of one step."""
        target, is_sum = self.target, self.role == "parameter"
        return target.at(0, target.name) if is_sum else target

    @property
    def premises(self) -> tuple[Variable, ...]:
        """The forward variables whose equations contribute."""
        return tuple(equation.target for equation, _ in self.shares)

    @property
    def rules(self) -> tuple[str, ...]:
        """The names of the rules used, in the order of use."""
        return tuple(dict.fromkeys(name for _, share in self.shares for name in share.rules))


@dataclass(frozen=True, repr=False)
class Derivation(Shown):
    """The forward equations with their pre-activations named, and the backward equations in order.

    Attributes:
        cell: what was differentiated.
        forward: the cell's equations; where one is a function of a compound argument, the argument is named first.
        steps: the backward equations of one step: adjoints of states and intermediates in reverse order, then of
            the inputs, the messages to the states at t-1, and the terms of the parameters' gradients.
        cotangents: state name -> h̄_t, the symbol for all that reaches it from outside the step.
        rules: the rule table used.
    """

    cell: Cell
    forward: tuple[Equation, ...]
    steps: tuple[Step, ...]
    cotangents: Mapping[str, Variable]
    rules: RuleTable = field(repr=False, compare=False)

    def __reduce__(self) -> tuple[Any, ...]:
        """A derivation travels as its cell: what was done once by the rules is done again."""
        return derive, (self.cell,) if self.rules is RULES else (self.cell, self.rules)

    def of(self, name: str) -> Step:
        """The step about the variable with this identifier.

        `of("c")` gives δc_t, `of("x")` δx_t, the derivatives of the total loss; `of("c_prev")` gives the message to
        c_{t-1}, not δc_{t-1}; `of("W_f")` gives the term of step t in ∂L/∂W_f.

        Raises:
            UnknownNameError: there is none.
        """
        if name in self._steps:
            return self._steps[name]
        known = {step.of.name: step.of for step in self.steps}
        raise UnknownNameError(unknown_variable(f"the derivation of {self.cell.name}", name, known))

    @cached_property
    def _steps(self) -> Mapping[str, Step]:
        return {step.of.name: step for step in self.steps}

    @cached_property
    def variables(self) -> Mapping[str, Variable]:
        """Every variable of the cell, and the pre-activations that the derivation names, by identifier."""
        return dict(self.cell.symbols) | {equation.target.name: equation.target for equation in self.forward}

    @cached_property
    def identifiers(self) -> Mapping[str, Variable]:
        """Every identifier of the cell and of its derivation."""
        adjoints = {step.target.name: step.target for step in self.steps}
        return {**self.variables, **adjoints, **{v.name: v for v in self.cotangents.values()}}

    def role(self, *roles: Role) -> tuple[Step, ...]:
        """The steps with these roles, in order."""
        return tuple(step for step in self.steps if step.role in roles)

    def number(self, target: Variable) -> int:
        """The number of the forward equation of a variable; a pre-activation shares that of its function."""
        return self._numbers[target]

    @cached_property
    def graphs(self) -> dict[tuple[frozenset[Variable], frozenset[Variable]], Any]:
        """The graphs of a step that were asked for, by what is hidden and what is frozen; see `graph.graph_of`."""
        # Filled there: the class of these graphs is built on this one, hence Any.
        return {}

    @cached_property
    def numbers(self) -> Mapping[Variable, int]:
        """What an equation defines, forward or backward -> its number."""
        return {**self._numbers, **{step.target: step.number for step in self.steps}}

    @cached_property
    def _numbers(self) -> Mapping[Variable, int]:
        numbers: dict[Variable, int] = {}
        count = 0
        for equation in self.forward:
            # The argument of a function comes before the function, and is printed under its number: it takes the next
            # one.
            if not self.is_preactivation(equation.target):
                count += 1
            numbers[equation.target] = count + self.is_preactivation(equation.target)
        return numbers

    def is_preactivation(self, variable: Variable) -> bool:
        """Whether the derivation, not the author, gave the variable its name."""
        return variable.name not in self.cell.symbols

    def loss(self, state: str) -> Variable:
        """∂ℓ/∂h_t: the loss's own partial derivative with respect to a state at t."""
        return self.cell[state].marked("loss", f"{state}_bar_loss")

    def message(self, state: str) -> Variable:
        """δ←h_t: what step t+1 sends back to a state at t, a part of its adjoint."""
        return _move_in_time(self.of(f"{state}_prev").target, 1)

    @cached_property
    def _cotangent_of(self) -> Mapping[Variable, str]:
        # Looked up by variable: the identifier of a cotangent may have had to give way to one of the cell's.
        return {cotangent: state for state, cotangent in self.cotangents.items()}

    def through_time(self, state: str) -> Expr:
        """The cotangent of a state at t in an unrolled network: the loss's part, and what step t+1 sends back.

        It is not the whole adjoint δh_t, to which equations of step t may add; `unrolled` gives that.
        """
        carried = self.of(f"{state}_prev").value
        return nodes.add(self.loss(state), shift(carried, 1))

    def unrolled(self, step: Step) -> Expr:
        """The step's value with every cotangent written out through time: of a state at t, all of its adjoint."""
        read = nodes.variables(step.value)
        written_out = {v: self.through_time(self._cotangent_of[v]) for v in read if v in self._cotangent_of}
        terms = step.value.args if isinstance(step.value, nodes.Sum) else (step.value,)
        # Term by term, so that what a cotangent stands for joins the sum without brackets.
        return nodes.add(*(term.xreplace(written_out) for term in terms))

    def latex(self, notation: Any = None, fragment: bool = True, **options: Any) -> str:
        """The derivation as LaTeX: the body of a document, or with `fragment=False` a whole one.

        Args:
            notation: how names look: a `Notation`, the name of one, a file, or several with commas between.
            fragment: whether it is to be put into another document.
            **options: what else can be chosen; see `symrnn.documents.DocumentOptions`.

        Raises:
            SymrnnError: there is no such notation, option or value of one.
        """
        return _write(self, "fragment" if fragment else "tex", notation, options)

    def markdown(self, notation: Any = None, **options: Any) -> str:
        """The derivation as Markdown with `$$` formulas, for the same options."""
        return _write(self, "markdown", notation, options)

    def save(self, path: str | os.PathLike[str], notation: Any = None, **options: Any) -> Path:
        """Write the derivation to a file, whole or not at all.

        Args:
            path: the file; its ending says the form: .tex, .md, .txt, .html, .pdf or .ipynb.
            notation: how names look: a `Notation`, the name of one, a file, or several with commas between.
            **options: what else can be chosen; see `symrnn.documents.DocumentOptions`.

        Returns:
            The path.

        Raises:
            InputError: no form belongs to the ending.
            SymrnnError: there is no such notation, option or value of one, or the file cannot be written.
        """
        form = form_of(path) or "text"
        return write_whole(path, function_above("write")(self, form, notation, **options))

    def __str__(self) -> str:
        return _write(self, "text")

    def _repr_markdown_(self) -> str:
        return self.markdown()

    def _repr_latex_(self) -> str:
        return _write(self, "equations")


def _write(derivation: Derivation, form: str, notation: Any = None, options: Mapping[str, Any] | None = None) -> str:
    return str(function_above("write")(derivation, form, notation, **(options or {})))


def derivation_of(cell: Cell | Derivation | str) -> Derivation:
    """A derivation as it is; of a cell, or of a cell's name, its derivation.

    Raises:
        InputError: it is neither.
    """
    return cell if isinstance(cell, Derivation) else derive(cell)


def derive(cell: Cell | Derivation | str, rules: RuleTable = RULES) -> Derivation:
    """Differentiate one step of a cell, backward.

    Args:
        cell: the cell, its name, or what holds it, such as another derivation.
        rules: the rule table; another one is for tests that plant a wrong rule.

    Returns:
        The derivation, in the conventions of the documents: a gradient has its variable's shape.

    Raises:
        InputError: it is no cell.
        UnknownNameError: the library has no cell of that name.
    """
    named: Cell = function_above("find_cell")(cell)
    return _derive_step(named, rules)


def _derive_step(cell: Cell, rules: RuleTable) -> Derivation:
    names = Names(cell.symbols)
    forward = tuple(name_preactivations(cell, names))
    adjoint = name_adjoints(cell, forward, names)
    cotangents = {
        state: names.add(cell[state].marked("cotangent", names.claim(f"{state}_bar_in"))) for state in cell.states
    }
    received: dict[Variable, list[tuple[Equation, Share]]] = {variable: [] for variable in adjoint}
    steps: list[Step] = []
    first = len(cell.body)

    def emit(variable: Variable, role: Role) -> None:
        # Collected from the last equation to the first, and read in the order of the equations.
        shares = tuple(reversed(received[variable]))
        terms = [share.value for _, share in shares]
        if variable.name in cotangents:
            # What comes from outside stands first, as every text on backpropagation has it.
            terms.insert(0, cotangents[variable.name])
        # Nothing reads it: its adjoint is zero, not missing, or what is summed later would lack a term.
        value = simplify(nodes.add(*terms)) if terms else nodes.zeros(variable.shape)
        steps.append(Step(first + len(steps) + 1, adjoint[variable], variable, value, shares, role))

    # By then every equation that reads the target has been seen, so that its adjoint is complete.
    for equation in reversed(forward):
        emit(equation.target, "state" if equation.target.name in cell.states else "intermediate")
        for share in pull_back(equation.value, equation.target, adjoint[equation.target], rules):
            # A constant is a number: nothing asks how the loss depends on it.
            if share.variable.name not in cell.constants:
                received[share.variable].append((equation, share))
    for name in cell.inputs:
        emit(cell[name], "input")
    for variable in cell.previous:
        emit(variable, "carry")
    for name in cell.parameters:
        emit(cell[name], "parameter")
    return Derivation(cell, ResultTuple(forward), ResultTuple(steps), cotangents, rules)


_Shifted = TypeVar("_Shifted", bound=Expr)


def shift(expr: _Shifted, steps: int) -> _Shifted:
    """The same expression some time steps later; parameters stay."""
    # Only variables change, so that an expression stays of its kind.
    shifted: Any = expr.xreplace({v: _move_in_time(v, steps) for v in nodes.variables(expr) if v.time is not None})
    return shifted  # type: ignore[no-any-return]


_STEMS = {
    "": ("{}", 0),
    "adjoint": ("{}_bar", 0),
    "cotangent": ("{}_bar_in", 0),
    "message": ("{}_prev_bar", -1),
}
"""Mark -> identifier in a single step, and the time that it has there."""


def _move_in_time(variable: Variable, steps: int) -> Variable:
    assert variable.time is not None
    new = variable.time + steps
    stem, own = _STEMS.get(variable.mark, ("{}_bar_loss", 0))
    distance = new - own
    suffix = _TIME_SUFFIX.get(distance, f"_{distance:+d}".replace("+", "plus").replace("-", "minus"))
    return variable.at(new, stem.format(variable.base) + suffix)
