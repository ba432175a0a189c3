"""The names of what a derivation adds to a cell: pre-activations and adjoints; nothing gets a name that is taken."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain, count

from symrnn.algebra import nodes
from symrnn.algebra.nodes import Expr, Variable
from symrnn.algebra.rebuilding import rebuild
from symrnn.algebra.spelling import free_letters
from symrnn.errors import NameClashError
from symrnn.language.recurrence import Cell, Equation

# The field's letters for a pre-activation, the commonest first; a cell that uses one itself gets the next.
_ARGUMENT = ("a", "s", "u", "z", "p", "net", "pre", "arg")
_NESTED = ("v", "w", "q", "r", "inner", "within")
"""Letters for the argument of a function, and for one within the argument of another function."""


class Names:
    """The identifiers of one cell; nothing gets a name that is taken."""

    def __init__(self, taken: Mapping[str, Variable]) -> None:
        self._taken = dict(taken)
        self._numbers: dict[str, int] = {}

    def claim(self, *candidates: str) -> str:
        """The first candidate that is free; where none is, the last one with the first number that makes it free."""
        numbered = (f"{candidates[-1]}_{number}" for number in count(2))
        return next(name for name in chain(candidates, numbered) if name not in self._taken)

    def is_free(self, name: str) -> bool:
        """Whether nothing has this name."""
        return name not in self._taken

    def numbered(self, stem: str) -> str:
        """The first free one of stem1, stem2, ...; the search goes on where the last one ended."""
        number = self._numbers.get(stem, 0) + 1
        while not self.is_free(f"{stem}{number}"):
            number += 1
        self._numbers[stem] = number - 1
        return f"{stem}{number}"

    def add(self, variable: Variable) -> Variable:
        """Take a variable's name.

        Raises:
            NameClashError: another variable has it.
        """
        if variable.name in self._taken:
            raise NameClashError(f"the name {variable.name} is taken\n  rename one of the cell's variables")
        self._taken[variable.name] = variable
        return variable


def name_preactivations(cell: Cell, names: Names) -> list[Equation]:
    """The equations, each after those that name what its functions are applied to."""
    result: list[Equation] = []
    looks = {variable.looks for variable in cell.symbols.values()}
    letters = free_letters(_ARGUMENT, looks), free_letters(_NESTED, looks)
    for equation in cell.body:
        value = _ArgumentNamer(equation.target, names, letters, result).put_names(equation.value, outermost=True)
        result.append(Equation(equation.target, value))
    return result


class _ArgumentNamer:
    """Names the compound arguments of the functions in one equation: all of one that is the whole equation.

    Inside a formula those that take work get a name; tanh(c - b) and max(exp(a), b) stay as they are.  So do divisors,
    unless several functions are in them.
    """

    def __init__(
        self, target: Variable, names: Names, letters: tuple[tuple[str, ...], tuple[str, ...]], result: list[Equation]
    ) -> None:
        self._target = target
        self._names = names
        self._letters = letters
        self._result = result
        self._known: dict[Expr, Variable] = {}

    def put_names(self, expr: Expr, outermost: bool = False, nested: bool = False) -> Expr:
        """The expression with names in it; the equations that say what they stand for go before it.

        Args:
            expr: the expression.
            outermost: whether it is the whole equation, so that every compound argument gets a name.
            nested: whether it stands within the argument of a function.
        """
        if not any(part.is_function for part in nodes.parts(expr) if isinstance(part, nodes.Node)):
            return expr
        if not expr.is_function:
            args = [
                self.put_names(arg, nested=nested) if getattr(arg, "is_Matrix", False) else arg for arg in expr.args
            ]
            if not nested:
                args = self._name_quotient(expr, args)
            return expr if all(a is b for a, b in zip(args, expr.args, strict=True)) else rebuild(expr, tuple(args))
        operands = [self.put_names(operand, nested=True) for operand in expr.operands]
        for position, operand in enumerate(operands):
            # A number is no argument worth a name, as in max(a, 0).
            compound = not isinstance(operand, Variable) and bool(nodes.variables(operand))
            if (outermost and compound) or _takes_work(operand):
                operands[position] = self._name(operand, str(position + 1) if len(operands) > 1 else "", nested)
        put = iter(operands)
        return rebuild(expr, tuple(next(put) if getattr(arg, "is_Matrix", False) else arg for arg in expr.args))

    def _name_quotient(self, expr: Expr, args: list[Expr]) -> list[Expr]:
        """A divisor with several functions, and the product of matrices that it divides, with names.

        The slope of a quotient has both of them once more, the divisor as its square.
        """
        if isinstance(expr, nodes.Power) and expr.args[1] < 0:
            return [self._name(args[0], "", False), args[1]] if _has_functions(args[0]) else args
        if not isinstance(expr, nodes.Hadamard) or not any(map(_is_long_divisor, expr.args)):
            return args
        return [self._name(arg, "", False) if isinstance(arg, nodes.Product) else arg for arg in args]

    def _name(self, operand: Expr, place: str, nested: bool) -> Variable:
        # sigmoid(a) * tanh(a) has one argument, which gets one name.
        if operand not in self._known:
            # The other row of letters before numbers: v_z is easier to read than a_z_2.
            letters = (*self._letters[nested], *self._letters[not nested])
            base = self._names.claim(*(f"{letter}{place}_{self._target.name}" for letter in letters))
            looks = f"{base.removesuffix(self._target.name)}{self._target.looks}"
            rows, cols = operand.shape
            variable = self._names.add(Variable(base, rows, cols, base, 0, looks=looks))
            self._result.append(Equation(variable, operand))
            self._known[operand] = variable
        return self._known[operand]


def _is_long_divisor(factor: Expr) -> bool:
    divisor = nodes.denominator(factor)
    return divisor is not None and _has_functions(divisor)


def _has_functions(expr: Expr) -> bool:
    """Whether it is made with several functions; with one, such as √x, it is as short as a name and its equation."""
    return sum(part.is_function for part in nodes.parts(expr) if isinstance(part, nodes.Node)) > 1


def _takes_work(expr: Expr) -> bool:
    """Whether it contains a product of matrices, a sum over entries or a function, and is more than a function."""
    return not isinstance(expr, nodes.Act) and any(
        part.takes_work or (isinstance(part, nodes.Product) and isinstance(nodes.coefficient(part)[1], nodes.Product))
        for part in nodes.parts(expr)
        if isinstance(part, nodes.Node)
    )


def name_adjoints(cell: Cell, forward: tuple[Equation, ...], names: Names) -> dict[Variable, Variable]:
    """Variable of the step -> its adjoint; of a state at t-1, the message that the step sends back."""
    variables = [equation.target for equation in forward]
    variables += [cell[name] for name in (*cell.inputs, *cell.parameters)]
    # Names are given in this order once and for all: documents and code must agree on them.
    marks = dict.fromkeys(variables, "adjoint") | dict.fromkeys(cell.previous, "message")
    return {v: names.add(v.marked(mark, names.claim(f"{v.name}_bar"))) for v, mark in marks.items()}
