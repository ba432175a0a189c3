"""Real-time recurrent learning: how the states depend on a parameter, carried forward in time.

Let S_t of a state s and a parameter θ be the total derivative ds_t/dvec(θ), through all steps since the first: the
entries of s as rows, those of θ, column after column, as columns.  One step passes on what the states at t-1 carry,
through the step's own Jacobian, and adds what the parameter does in the step itself:

    S_t = ∂s_t/∂vec(θ)|_{states at t-1} + Σ over all states r of ∂s_t/∂r_{t-1}|_{others at t-1} times S_{t-1} of r.

The gradient of a loss is the sum over t and over all states of S_tᵀ ∂ℓ/∂s_t.  Nothing of past steps is kept; the memory
is that of S, (entries of all states) x (entries of θ), whatever the number of steps.

Source: Williams & Zipser (1989), A learning algorithm for continually running fully recurrent neural networks, Neural
Computation 1(2).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from symrnn.algebra import nodes
from symrnn.algebra.nodes import Expr, Variable, indexed
from symrnn.algebra.spelling import free_letters
from symrnn.arguments import listed
from symrnn.calculus.derivation import Derivation, derivation_of
from symrnn.calculus.equations import Equations, NamedEquation
from symrnn.calculus.jacobian import jacobian
from symrnn.calculus.tangent import names_of
from symrnn.errors import UnknownNameError
from symrnn.language.recurrence import Cell


@dataclass(frozen=True)
class Sensitivity:
    """The recursion of one state for one parameter: `target = immediate + Σ blocks[r] @ before[r]`.

    Attributes:
        state: the state's name.
        parameter: the parameter's name.
        target: S_t of the state, entries of the state by entries of the parameter.
        immediate: what the parameter does in the step itself, the states at t-1 held, in Kronecker form.
        blocks: state r -> the Jacobian of this state with respect to r at t-1, the other states at t-1 held; without
            those that are zero.
        before: state r -> the symbol S_{t-1} of r.
    """

    state: str
    parameter: str
    target: Variable
    immediate: Expr
    blocks: Mapping[str, Expr]
    before: Mapping[str, Variable]

    @property
    def value(self) -> Expr:
        """The right-hand side."""
        carried = (nodes.matmul(block, self.before[state]) for state, block in self.blocks.items())
        return nodes.add(nodes.zeros(self.target.shape), self.immediate, *carried)


@dataclass(frozen=True, repr=False)
class SensitivityRecursion(Equations):
    """The forward sensitivity recursion of a cell for chosen parameters.

    Attributes:
        derivation: the cell's derivation.
        recursions: one for each parameter and state, the states in their order for each parameter.
    """

    derivation: Derivation
    recursions: tuple[Sensitivity, ...]

    @property
    def title(self) -> str:
        """What the equations are."""
        return f"sensitivities of {self.derivation.cell.name}"

    @property
    def lines(self) -> tuple[NamedEquation, ...]:
        """Both sides of every recursion, then each parameter's gradient, which is a sum over all steps."""
        return (*(NamedEquation(r.target, r.value) for r in self.recursions), *self.gradients)

    @property
    def gradients(self) -> tuple[NamedEquation, ...]:
        """Each parameter's gradient, vec of it, and the term that step t adds to it; shown as the sum over t."""
        terms: dict[str, list[Expr]] = {}
        for r in self.recursions:
            loss = nodes.vec(self.derivation.loss(r.state))
            terms.setdefault(r.parameter, []).append(nodes.matmul(nodes.transpose(r.target), loss))
        return tuple(
            NamedEquation(nodes.vec(self.derivation.of(parameter).target), nodes.add(*found))
            for parameter, found in terms.items()
        )

    def of(self, state: str, parameter: str) -> Sensitivity:
        """The recursion of a state for a parameter."""
        for recursion in self.recursions:
            if (recursion.state, recursion.parameter) == (state, parameter):
                return recursion
        known = ", ".join(f"{r.state} for {r.parameter}" for r in self.recursions)
        raise UnknownNameError(f"no sensitivity of {state!r} for {parameter!r}\n  there are {known}")


def rtrl(cell: Cell | Derivation | str, parameters: str | Iterable[str] | None = None) -> SensitivityRecursion:
    """The forward sensitivity recursion, as equations.

    Args:
        cell: the cell, or its derivation.
        parameters: the names of the parameters, "U_z" for one, "U_z,b_z" for two; all by default.

    Returns:
        The recursions of all states for these parameters; the sensitivities of the initial states are zero.

    Raises:
        UnknownNameError: the cell has no such parameter.
    """
    derivation = derivation_of(cell)
    inner = derivation.cell
    chosen = tuple(inner.parameters) if parameters is None else listed(parameters, "parameters")
    for name in chosen:
        if name not in inner.parameters:
            known = ", ".join(inner.parameters) or "none"
            raise UnknownNameError(f"{inner.name} has no parameter {name!r}\n  it has {known}")
    names = names_of(derivation)
    # Once for all parameters: the blocks between states do not depend on which of them is asked about.
    blocks = {(s, v.base): jacobian(derivation, s, v.name) for s in inner.states for v in inner.previous}
    found: list[Sensitivity] = []
    # S for sensitivity, then P, which is Williams & Zipser's letter.
    letters = free_letters(("S", "P", "Q"), (variable.looks for variable in inner.symbols.values()))
    for parameter in chosen:
        now = {
            s: _make_symbol(
                inner[s], inner[parameter], 0, names.claim(*(f"{letter}_{s}_{parameter}" for letter in letters))
            )
            for s in inner.states
        }
        before = {s: v.at(-1, f"{v.name}_prev") for s, v in now.items()}
        for variable in (*now.values(), *before.values()):
            names.add(variable)
        for state in inner.states:
            # A zero block would be multiplied by the largest matrix there is, of all states by all parameters.
            own = {r: blocks[state, r] for r in inner.states if not nodes.is_zero(blocks[state, r])}
            immediate = jacobian(derivation, state, parameter)
            found.append(Sensitivity(state, parameter, now[state], immediate, own, before))
    return SensitivityRecursion(derivation, tuple(found))


def _make_symbol(state: Variable, parameter: Variable, time: int, name: str) -> Variable:
    rows, cols = (v.shape[0] * v.shape[1] for v in (state, parameter))
    letter, _, _ = name.partition("_")
    base, looks = indexed(letter, state.base, parameter.base), indexed(letter, state.looks, parameter.looks)
    return Variable(name, rows, cols, base, time, looks=looks)
