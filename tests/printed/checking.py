"""Every printed equation of a document, read back and evaluated: whether both sides are the same numbers."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from symrnn.algebra.nodes import Variable
from symrnn.calculus.derivation import Derivation, shift
from symrnn.calculus.symbols import DerivativeSymbol
from symrnn.calculus.through_time import Block, StepwiseDerivative, through_time
from symrnn.calculus.window import ask
from symrnn.documents import write
from symrnn.documents.markdown import maths as in_markdown
from symrnn.documents.setting import Setting, set_up
from symrnn.documents.structure import Maths
from symrnn.documents.weights import with_weights_of
from symrnn.language.evaluate import run as run_text
from symrnn.printers.notation import find_notation
from symrnn.runs.sizes import layouts
from tests.printed.meaning import STEPS, Array, Move, Network, evaluate, read_sizes
from tests.printed.reading import READERS, Node, Parser, Relation, UnreadableError, with_underscores

SIZES = (3, 2)
HERE = 3
"""The step that t stands for: two steps lie before it and one after it."""
TOLERANCE = 1e-9

_AT_FIRST = re.compile(r"(?:\\left\.)?(.*?)(?:\\right)?(?:\||\\vert ?)_\{t=1\}")
"""A left side that is meant at t = 1."""
_TIMES = (-3, -2, -1, 0, 1)
_MARKS = ("", "adjoint", "cotangent", "loss", "message")


@dataclass(frozen=True)
class Meaning:
    """What a printed name stands for.

    Attributes:
        mark: "" for the value, "adjoint", "cotangent", "loss", "message", "size", or "block" for a named derivative.
        name: of which variable, or how large.
        time: relative to t; None where it does not change with time.
        step: the step itself, where the name tells it.
        block: what a named derivative stands for.
    """

    mark: str
    name: Any
    time: int | None
    step: int | None = None
    block: Any = None


@dataclass
class Result:
    """How a document fared.

    Attributes:
        true: how many equations hold.
        false: those that do not, with how far off they are.
        unread: those that could not be read, with the reason.
    """

    true: int = 0
    false: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)


class Meanings:
    """A cell's symbols with their defined values, whatever the form they are printed in."""

    def __init__(self, derivation: Derivation, notation: str = "subscript", seed: int = 0) -> None:
        derivation = with_weights_of(derivation, find_notation(notation))
        self.derivation, self.cell = derivation, derivation.cell
        self.setting: Setting = set_up(derivation, find_notation(notation))
        (self.layout,) = layouts(self.cell, [SIZES])
        self.seed = seed
        self._values: dict[Any, Array] = {}

    @cached_property
    def variables(self) -> dict[str, Variable]:
        """Name -> variable at t (or without time)."""
        found = {equation.target.name: equation.target for equation in self.derivation.forward}
        for name in (*self.cell.inputs, *self.cell.parameters, *self.cell.constants, *self.cell.states):
            found[name] = self.cell[name]
        return found

    @cached_property
    def shapes(self) -> dict[str, tuple[int, int]]:
        return {name: self.layout.shape(variable) for name, variable in self.variables.items()}

    def names(self, form: Callable[[Maths], str]) -> dict[str, Meaning]:
        """Printed name -> meaning, for every variable, mark and time that a document may print."""
        found: dict[str, Meaning] = {}

        def add(printed: str, meaning: Meaning) -> None:
            other = found.setdefault(printed, meaning)
            assert (other.mark, other.name) == (meaning.mark, meaning.name), f"{printed} is {other} and {meaning}"

        numbered = replace(self.setting, notation=replace(self.setting.notation, now=1))
        whole = self.setting.notation.of_gradients
        partial = replace(self.setting, notation=replace(self.setting.notation, adjoint=whole))
        first = replace(numbered, notation=replace(numbered.notation, adjoint=whole))
        for name, variable in self.variables.items():
            for mark in _MARKS:
                moments = (None,) if variable.time is None else _TIMES
                for time in moments:
                    one = variable.marked(mark, f"{name} {mark} {time}")
                    one = one if time is None else one.at(time, one.name)
                    for setting in (self.setting, partial):
                        add(form(setting.maths(one)), Meaning(mark, name, time))
                    for setting in () if self.setting.has_numbers else (numbered, first):
                        if time in (-1, 0):  # what the first step reads and computes
                            add(form(setting.maths(one)), Meaning(mark, name, time, 1 + time))
        for size, number in self.layout.sizes.items():
            printed = form(self.setting.maths(Variable(size, 1, 1)))
            found.setdefault(printed, Meaning("size", number, None))
        for block in self.blocks:
            add(form(self.setting.maths(block.symbol)), Meaning("block", block.symbol.name, 0, block=block.stands_for))
        return found

    def derivatives(self, form: Callable[[Maths], str]) -> dict[str, DerivativeSymbol]:
        """The printed symbols of derivatives, as far as a document of this cell can have them."""
        found: dict[str, DerivativeSymbol] = {}
        for symbol in self.symbols:
            printed = form(self.setting.derivative(symbol))
            other = found.setdefault(printed, symbol)
            assert (other.kind, other.of, other.wrt) == (symbol.kind, symbol.of, symbol.wrt), printed
        return found

    @cached_property
    def _recursions(self) -> list[StepwiseDerivative]:
        cell = self.cell
        before = [f"{state}_prev" for state in cell.states]
        asked = [(s, wrt, kind) for s in cell.states for wrt in before for kind in ("cell", "total")]
        asked += [(state, name, "total") for state in cell.states for name in cell.parameters]
        return [through_time(self.derivation, state, wrt, 2, kind=kind) for state, wrt, kind in asked]

    @cached_property
    def blocks(self) -> list[Block]:
        """The named derivatives of recursions."""
        found = [term.block for recursion in self._recursions for row in recursion.rows for term in row.terms]
        return [*found, *(form for recursion in self._recursions for form in recursion.forms)]

    @cached_property
    def symbols(self) -> tuple[DerivativeSymbol, ...]:
        """The symbols of derivatives: of a step, over two, of single equations, of recursions."""
        cell, derivation = self.cell, self.derivation
        before = [variable.name for variable in cell.previous]
        entering = (*before, *cell.inputs, *cell.parameters)
        found = [ask(derivation, state, wrt).symbol for state in cell.states for wrt in entering]
        found += [block.stands_for for block in self.blocks]
        for recursion in self._recursions:
            reached = [row.of for row in recursion.rows]
            reached += [term.state for row in recursion.rows for term in row.terms if term.state is not None]
            found += [recursion.symbol.leading_to(of) for of in reached]
        states = [_moved(cell[state], by) for state in cell.states for by in (0, -1)]
        parameters = [cell[name] for name in cell.parameters]
        found += [DerivativeSymbol("total", state, wrt) for state in states for wrt in (*states, *parameters)]
        for equation in derivation.forward:
            wrts = [*parameters, *(cell[name] for name in before)]
            pairs = [(_moved(equation.target, by), _moved(wrt, by)) for wrt in wrts for by in (0, -1)]
            found += [DerivativeSymbol("direct", of, wrt) for of, wrt in pairs]
        found += [DerivativeSymbol("direct", reader, step.of) for step in derivation.steps for reader in step.premises]
        return tuple(dict.fromkeys(found))

    def network(self, relations: list[Relation], names: Mapping[str, Meaning]) -> Network:
        """The network that the forward equations among these describe."""
        meanings = {p: (m.name, m.time) for p, m in names.items() if m.mark == "" and m.step is None}
        sizes = {p: float(m.name) for p, m in names.items() if m.mark == "size" and p not in meanings}
        order = [equation.target.name for equation in self.derivation.forward]
        read = {}
        for relation in relations[: len(order)]:
            (name, time) = meanings[relation.left]
            assert time == 0, relation
            read[name] = Parser(relation.right, names, self.setting.notation).read()
        if set(read) != set(order):
            raise UnreadableError(f"forward equations of {sorted(read)} are printed, expected {order}")
        kinds = dict.fromkeys(self.cell.inputs, "input") | dict.fromkeys(self.cell.states, "state")
        kinds |= dict.fromkeys((*self.cell.parameters, *self.cell.constants), "parameter")
        return Network(self.shapes, [(name, read[name]) for name in order], meanings, kinds, sizes, self.seed)

    def assert_is_the_cell(self, network: Network) -> None:
        """The printed forward equations give the states that the author's text gives."""
        cell, layout = self.cell, self.layout
        for step in range(1, STEPS + 1):
            before, now = network.frames[step - 1], network.frames[step]
            given = {**network.fixed, **network.inputs[step - 1], **{s: before[s] for s in cell.states}}
            text = {
                name: np.asarray(value).reshape(layout.text_shape(self.variables[name]))
                for name, value in given.items()
            }
            names = run_text(cell.syntax, text)
            for name in {equation.target.name for equation in cell.body}:
                expected = layout.matrix(self.variables[name], names[name])
                np.testing.assert_allclose(np.real(now[name]), expected, rtol=1e-10, atol=1e-12, err_msg=name)

    def value(self, network: Network, meaning: Meaning, now: int) -> Array:
        """The defined value of a symbol where t is `now`."""
        step = meaning.step if meaning.step is not None else now + (meaning.time or 0)
        key = (meaning.mark, meaning.name, step if meaning.time is not None else None)
        if key not in self._values:
            self._values[key] = self._compute(network, meaning, step)
        return self._values[key]

    def _compute(self, network: Network, meaning: Meaning, step: int) -> Array:
        name = meaning.name
        if meaning.mark == "size":
            return np.full((1, 1), float(name))
        if meaning.mark == "":
            return (
                network.fixed[name]
                if meaning.time is None
                else network.frames[step][name]
                if step
                else network.start[name]
            )
        if meaning.mark == "block":
            return self.derivative(network, meaning.block, step - meaning.time)
        if meaning.time is None:
            return network.gradient(Move("window", name, 1))
        if step > STEPS:
            return np.zeros(self.shapes[name])
        if meaning.mark == "loss":
            return network.losses[step - 1][name] if step else np.zeros(self.shapes[name])
        if meaning.mark == "cotangent":
            return network.gradient(Move("sent", name, step))
        if meaning.mark == "message":
            return network.gradient(Move("read", name, step + 1)) if step < STEPS else np.zeros(self.shapes[name])
        return network.gradient(Move("value", name, step))

    def derivative(self, network: Network, symbol: Any, now: int) -> Array:
        """The value of a derivative that is printed with its symbol."""
        of, wrt = symbol.of, symbol.wrt
        name = wrt.base if wrt.time is not None and wrt.base in self.variables else wrt.name
        target = of.base if of.base in self.variables else of.name
        at = now + (of.time or 0)
        if symbol.kind == "direct":
            move = Move("in", name, at, None if wrt.time is None else wrt.time - of.time, self._group(target))
        elif wrt.time is None:
            move = Move("window", name, at if symbol.kind == "cell" else 1)
        elif symbol.kind == "cell" and name in self.cell.states and wrt.time < of.time:
            move = Move("read", name, now + wrt.time + 1)
        else:
            move = Move("value", name, now + wrt.time)
        return network.jacobian(target, at, move)

    def _group(self, name: str) -> frozenset[str]:
        """An equation and those of the arguments of its functions, which the derivation has named."""
        forward = {equation.target.name: equation.value for equation in self.derivation.forward}
        group, todo = set(), [name]
        while todo:
            current = todo.pop()
            group.add(current)
            for variable in forward[current].free_symbols | forward[current].atoms(Variable):
                own = isinstance(variable, Variable) and variable.name in forward
                if own and self.derivation.is_preactivation(variable) and variable.name not in group:
                    todo.append(variable.name)
        return frozenset(group)


class Reader:
    """Reads and checks the equations of one document in one form."""

    def __init__(self, meanings: Meanings, form: str, notation: str = "subscript", level: str = "full") -> None:
        self.meanings, self.form = meanings, form
        show: dict[str, Callable[[Maths], str]] = {
            "text": lambda m: m.text,
            "markdown": lambda m: with_underscores(in_markdown(m.latex)),
            "fragment": lambda m: m.latex,
        }
        self.names = meanings.names(show[form])
        self.ratios = meanings.derivatives(show[form])
        self.relations = list(READERS[form](write(meanings.derivation, form, notation, level=level)))

    @cached_property
    def network(self) -> Network:
        """The network that the printed forward equations describe, which is the cell's."""
        network = self.meanings.network(self.relations, self.names)
        self.meanings.assert_is_the_cell(network)
        return network

    def check(self, changed: Relation | None = None) -> Result:
        """Read and evaluate every equation; or one alone, which need not be one of the document's."""
        result = Result()
        known = {**self.names, **self.ratios}
        try:
            network = self.network
        except UnreadableError as error:  # then nothing has a value
            result.unread += [f"({relation.number}), for {error}" for relation in self.relations]
            return result

        def value_at(now: int) -> Callable[[str], Array]:
            def value(printed: str) -> Array:
                meaning = known[printed]
                if isinstance(meaning, Meaning):
                    return self.meanings.value(network, meaning, now)
                return self.meanings.derivative(network, meaning, now)

            return value

        for relation in self.relations if changed is None else [changed]:
            label = f"({relation.number}) {relation.left} = {relation.right}"
            try:
                first = _AT_FIRST.fullmatch(relation.left)
                here, source = (1, first[1]) if first else (HERE, relation.left)
                left, right = (
                    Parser(side, known, self.meanings.setting.notation).read() for side in (source, relation.right)
                )
                expected = evaluate(left, value_at(here))
                shape = expected.shape[-2:]
                value = _over_time(read_sizes(right, value_at(here), shape), value_at, here)
            except (UnreadableError, KeyError, ValueError) as error:
                result.unread.append(f"{label}\n      {type(error).__name__}: {error}")
                continue
            off = _distance(value, expected)
            if off < TOLERANCE:
                result.true += 1
            else:
                result.false.append(f"{label}\n      off by {off:.2g}")
        return result


def _distance(value: Array, expected: Array) -> float:
    """The relative error; a scalar that stands for a whole matrix, such as 0, is repeated."""
    if value.shape[-2:] not in ((1, 1), expected.shape[-2:]):
        return np.inf
    return float(np.max(np.abs(value - expected))) / max(1.0, float(np.max(np.abs(expected))))


def _over_time(tree: Node, value_at: Callable[[int], Callable[[str], Array]], here: int) -> Array:
    """A right side, with sums over all steps."""
    if tree.kind == "sum":
        return sum(_over_time(part, value_at, here) for part in tree.parts)
    if tree.kind == "negative":
        return -_over_time(tree.parts[0], value_at, here)
    if tree.kind == "over time":
        return sum(evaluate(tree.parts[0], value_at(t)) for t in range(1, STEPS + 1))
    return evaluate(tree, value_at(here))


def _moved(variable: Variable, by: int) -> Variable:
    return shift(variable, by) if by and variable.time is not None else variable


def check(
    derivation: Derivation,
    form: str,
    notation: str = "subscript",
    meanings: Meanings | None = None,
    level: str = "full",
) -> Result:
    """Read a derivation's document back in one form and evaluate it."""
    return Reader(meanings or Meanings(derivation, notation), form, notation, level).check()
