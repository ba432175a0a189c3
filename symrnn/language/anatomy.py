"""What part each variable plays in a gated cell, found from the equations alone: whatever the author calls them.

A state that is a sum of its old value and of something new, each multiplied entry by entry by what opens and closes, is
gated.  What multiplies the old value is the forget gate, what multiplies the new one the input gate, and the new value
the candidate; one gate for both, z and 1 - z, is an update gate.  A state that is read out through a further gate is a
memory, and the gate the output gate.  A gate within the candidate is a reset gate.  A parameter belongs to the value
whose equation reads it, and is what it multiplies there: weights of the input, of a state, of both, a peephole, a bias.

Source: Hochreiter & Schmidhuber (1997); Gers, Schmidhuber & Cummins (2000); Cho et al. (2014), for the words.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from symrnn.algebra.functions import FUNCTIONS
from symrnn.algebra.nodes import (
    Act,
    Expr,
    Fill,
    Hadamard,
    Product,
    Stack,
    Sum,
    Variable,
    coefficient,
    is_complement,
    parts,
    variables,
)
from symrnn.language.recurrence import Cell, Equation

VALUES = (
    "input",
    "hidden",
    "memory",
    "blended_state",
    "forget_gate",
    "input_gate",
    "output_gate",
    "candidate",
    "update_gate",
    "reset_gate",
    "blended_candidate",
)
"""The parts that a value can play; a blended state is its own memory, (1 - z) of the old and z of a new one."""
PARAMETERS = (
    "weight",
    "input_weight",
    "recurrent_weight",
    "peephole",
    "bias",
    "input_bias",
    "recurrent_bias",
)
"""The parts that a parameter can play for a value; `weight` is on the input and the state joined."""


@dataclass(frozen=True)
class CellPart:
    """What a variable is in its cell.

    Attributes:
        role: one of `VALUES` or `PARAMETERS`, or "preactivation".
        of: the part of the value that a parameter or a pre-activation belongs to; empty for a value itself.
        whose: the name of that value.
    """

    role: str
    of: str = ""
    whose: str = ""


def anatomy(cell: Cell, equations: Iterable[Equation] = ()) -> Mapping[str, CellPart]:
    """Name of a variable -> the part that it plays, of those that play one.

    A part that several variables would play is nobody's: their own names tell them apart.

    Args:
        cell: the cell.
        equations: its equations where the arguments of functions have names; the author's where there are none.
    """
    body = tuple(equations) or cell.body
    found = _GateFinder(cell, {equation.target.name: equation.value for equation in body}).find()
    named = _sole({name: CellPart(role) for name, role in found.items()})
    owners = _owners(cell, body, found)
    arguments = {
        name: CellPart("preactivation", *owner)
        for name, owner in owners.items()
        if name not in cell.states and name not in named
    }
    return {**named, **_sole(arguments), **_sole(_parameters(cell, body, owners, found))}


def _sole(found: Mapping[str, CellPart]) -> dict[str, CellPart]:
    several: dict[CellPart, list[str]] = defaultdict(list)
    for name, part in found.items():
        several[part].append(name)
    return {names[0]: part for part, names in several.items() if len(names) == 1}


class _GateFinder:
    """Finds the gates, candidates and memories of one cell."""

    def __init__(self, cell: Cell, values: Mapping[str, Expr]) -> None:
        self.cell, self.values = cell, values
        self.roles: dict[str, str] = {}

    def find(self) -> dict[str, str]:
        """Name -> role, of the values."""
        if len(self.cell.inputs) == 1:
            self.roles[self.cell.inputs[0]] = "input"
        outputs = dict(self._read_out())
        for state in self.cell.states:
            self._gated(state, outputs.get(state))
        rest = [state for state in self.cell.states if state not in self.roles]
        if len(rest) == 1 and not {"hidden", "blended_state"} & set(self.roles.values()):
            self.roles[rest[0]] = "hidden"
        return self.roles

    def _read_out(self) -> Iterator[tuple[str, tuple[str, str]]]:
        """(memory, (output, gate)) of the states that another state is read out of: o * tanh(c)."""
        for output in self.cell.states:
            for product in self._within(self.values[output], Hadamard):
                gates = [v for v in product.args if self._opens(v)]
                bare = [x.operands[0] if isinstance(x, Act) and len(x.operands) == 1 else x for x in product.args]
                inner = [x for x in bare if isinstance(x, Variable) and x.time == 0 and x.name in self.cell.states]
                if len(product.args) == 2 and len(gates) == len(inner) == 1 and inner[0].name != output:
                    yield inner[0].name, (output, gates[0].name)

    def _gated(self, state: str, read_out: tuple[str, str] | None) -> None:
        """The roles around one state, if something that opens multiplies its old value or the new one."""
        before = self.cell[f"{state}_prev"]
        kept: list[list[Expr]] = []
        new: list[list[Expr]] = []
        value = self.values[state]
        for term in value.args if isinstance(value, Sum) else (value,):
            _, rest = coefficient(term)
            factors = (
                [f.operand if isinstance(f, Fill) else f for f in rest.args] if isinstance(rest, Hadamard) else [rest]
            )
            (kept if before in factors else new).append([f for f in factors if f != before])
        gates = [self._gate_of(factors) for factors in (*kept[:1], *new[:1])]
        if len(kept) != 1 or len(new) != 1 or not any(gates):
            return
        keep, write = gates
        blended = keep is not None and write is not None and keep[0] == write[0]
        candidate = [f for f in new[0] if write is None or f != write[1]]
        if read_out is not None:
            self.roles |= {state: "memory", read_out[1]: "output_gate"}
            self.roles.setdefault(read_out[0], "hidden")
        else:
            self.roles[state] = "blended_state" if blended else "hidden"
        if blended and read_out is None:
            self.roles[keep[0].name] = "update_gate"  # type: ignore[index]
        else:
            for gate, role in ((keep, "forget_gate"), (write, "input_gate")):
                # 1 - i in front of the old value is the input gate's complement, not a forget gate.
                if gate is not None and isinstance(gate[1], Variable):
                    self.roles.setdefault(gate[0].name, role)
        if len(candidate) == 1 and isinstance(candidate[0], Variable) and candidate[0].name in self.values:
            self._candidate(candidate[0].name, before, blended and read_out is None)

    def _candidate(self, name: str, before: Variable, blended: bool) -> None:
        self.roles[name] = "blended_candidate" if blended else "candidate"
        for product in self._within(self.values[name], Hadamard):
            gates = [v for v in product.args if self._opens(v)]
            others = [f for f in product.args if f not in gates]
            if len(gates) == 1 and any(before in self._reads(other) for other in others):
                self.roles.setdefault(gates[0].name, "reset_gate")

    def _gate_of(self, factors: list[Expr]) -> tuple[Variable, Expr] | None:
        """What opens among factors, and the factor that it stands in, itself or as 1 - z."""
        for factor in factors:
            for gate in variables(factor):
                if self._opens(gate) and (factor == gate or is_complement(factor, gate)):
                    return gate, factor
        return None

    def _opens(self, expr: Expr) -> bool:
        """Whether it is a variable whose values let something pass: those of a gating function, or their complement."""
        if not isinstance(expr, Variable) or expr.name not in self.values or expr.time != 0:
            return False
        value = self.values[expr.name]
        if isinstance(value, Act):
            return bool(FUNCTIONS[value.name].gate)
        return any(self._opens(v) and is_complement(value, v) for v in variables(value))

    def _within(self, expr: Expr, kind: type) -> Iterator[Any]:
        """The parts of a kind in an expression and in the arguments that have got a name."""
        part: Any
        for part in parts(expr):
            if isinstance(part, kind):
                yield part
            if self._is_argument(part):
                yield from self._within(self.values[part.name], kind)

    def _reads(self, expr: Expr) -> set[Variable]:
        read = variables(expr)
        return read.union(*(self._reads(self.values[v.name]) for v in read if self._is_argument(v)))

    def _is_argument(self, part: Expr) -> bool:
        """Whether the author did not name it."""
        return isinstance(part, Variable) and part.name in self.values and part.name not in self.cell.symbols


def _owners(cell: Cell, body: tuple[Equation, ...], found: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """Name of an argument -> the role and the name of the value that it is an argument of."""
    readers: dict[str, list[Equation]] = defaultdict(list)
    for equation in body:
        for variable in variables(equation.value):
            if variable.time == 0:
                readers[variable.name].append(equation)
    owners: dict[str, tuple[str, str]] = {}
    # From the last to the first: the argument of an argument belongs to the same value.
    for equation in reversed(body):
        name, those = equation.target.name, readers[equation.target.name]
        if name in found or len(those) != 1:
            continue
        (reader,) = those
        is_argument = any(isinstance(part, Act) and equation.target in part.operands for part in parts(reader.value))
        owner = owners.get(reader.target.name) or _owner(reader.target.name, found)
        if is_argument and owner is not None:
            owners[name] = owner
    return owners


_CANDIDATES = {"memory": "candidate", "blended_state": "blended_candidate"}
"""A candidate that has no name of its own stands in the equation of the state."""


def _owner(name: str, found: Mapping[str, str]) -> tuple[str, str] | None:
    role = found.get(name)
    return None if role is None else (_CANDIDATES.get(role, role), name)


def _parameters(
    cell: Cell, body: tuple[Equation, ...], owners: Mapping[str, tuple[str, str]], found: Mapping[str, str]
) -> dict[str, CellPart]:
    uses: dict[str, list[tuple[str, Expr]]] = defaultdict(list)
    for equation in body:
        for variable in variables(equation.value):
            if variable.name in cell.parameters:
                uses[variable.name].append((equation.target.name, equation.value))
    result: dict[str, CellPart] = {}
    for name in cell.parameters:
        if len(uses[name]) != 1:  # of several values, or of none
            continue
        ((target, value),) = uses[name]
        owner = owners.get(target) or _owner(target, found)
        kind = _kind(cell, cell[name], value)
        if owner is not None and kind:
            result[name] = CellPart(kind, *owner)
    return _two_biases(result, {name: uses[name][0][1] for name in result}, cell)


def _kind(cell: Cell, parameter: Variable, value: Expr) -> str:
    """What a parameter is by what it multiplies in an equation; nothing where it is none of the usual."""
    for part in parts(value):
        if isinstance(part, Product) and parameter in part.args:
            place = part.args.index(parameter)
            beside = part.args[place + 1] if place + 1 < len(part.args) else None
            read = set() if beside is None else {v.base for v in variables(beside)}
            if isinstance(beside, Stack):
                return "weight"
            if read and read <= set(cell.inputs):
                return "input_weight"
            return "recurrent_weight" if read & set(cell.states) else ""
        if isinstance(part, Hadamard) and parameter in part.args:
            others = [f for f in part.args if f != parameter]
            is_state = len(others) == 1 and isinstance(others[0], Variable) and others[0].base in cell.states
            return "peephole" if is_state else ""
        if isinstance(part, Sum) and parameter in part.args:
            return "bias"
    return ""


def _two_biases(found: Mapping[str, CellPart], values: Mapping[str, Expr], cell: Cell) -> dict[str, CellPart]:
    """Of two biases of one value, that of the input and that of the state: by what each stands beside, or by order."""
    result = dict(found)
    together: dict[CellPart, list[str]] = defaultdict(list)
    for name, part in found.items():
        if part.role == "bias":
            together[part].append(name)
    for part, names in together.items():
        if len(names) == 2:
            # Inside a product with the reset gate is the bias of the state.
            second = next((name for name in names if _is_inside(cell[name], values[name])), names[1])
            for name in names:
                role = "recurrent_bias" if name == second else "input_bias"
                result[name] = CellPart(role, part.of, part.whose)
    return result


def _is_inside(bias: Variable, value: Expr) -> bool:
    return any(isinstance(part, Hadamard) and bias in variables(part) for part in parts(value))
