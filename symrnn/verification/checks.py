"""The public road: a cell, every check, one report."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from symrnn.arguments import listed
from symrnn.calculus.derivation import Derivation, derive
from symrnn.calculus.remarks import remarks
from symrnn.calculus.rules import RULES, RuleTable
from symrnn.language.recurrence import Cell
from symrnn.printers import text
from symrnn.runs.arbitrary import for_every_number
from symrnn.runs.sizes import SIZES, layouts
from symrnn.verification.exact import check_exactly
from symrnn.verification.forward_mode import check_forward_mode
from symrnn.verification.generated import check_generated
from symrnn.verification.numeric import check_numerically
from symrnn.verification.parameters import ParameterForms
from symrnn.verification.report import Report


def verify(
    cell: Cell | Derivation | str,
    *,
    rules: RuleTable = RULES,
    sizes: Sequence[tuple[int, int]] = SIZES,
    seed: int = 0,
    module: Any = None,
    functions: str | Sequence[str] = (),
) -> Report:
    """Check a cell's derivation, and the code generated from it, against the cell's own text.

    - exact: every Jacobian block, those of the parameters as Kronecker products and as gradients, the whole adjoint
      of a step and backpropagation through time, over a finite field.
      A pass is an identity at these sizes, with a probability of error below 1e-12.
    - complex step: every Jacobian block, those of the parameters, and every gradient of a step, in floating point.
    - generated code: forward, step and backward over several steps and examples, random states and cotangents.

    Where a cell has many derivatives of a kind, more than any cell of the library, they are checked at once: all
    arguments move together, the Jacobians are taken by the chain rule, from the direct one of each equation, instead of
    written out, and the report's line says how many derivatives it is about.

    A cell with constants is proved for every number that they may have; the generated code is run with their own.

    With `functions`, also the equations that these rest on (exact), and these functions' code.

    Args:
        cell: the cell, or its name.
        rules: the rule table to derive with.
        sizes: pairs (d_h, d_x) for the checks of the derivation; further sizes get small numbers of their own.
        seed: of every random choice; equal seeds give equal reports.
        module: what has the generated functions as attributes; by default they are generated here.
        functions: further functions to generate and check, as `generate` names them: "jvp", "hvp", "rtrl", "truncate".

    Returns:
        The report; it names the equation or the gradient that is wrong.

    Raises:
        InputError: a size is not a positive whole number, or there is no such function.
    """
    derivation, functions = derive(cell, rules), listed(functions, "functions")
    cell = derivation.cell
    if module is None:
        # Here, since a caller who brings a module of his own needs no generator.
        from symrnn.targets.generation import generate

        module = generate(derivation, functions=functions)
    # Constants become parameters for the proofs only: generated code is what it is for the numbers given.
    proved = for_every_number(derivation)
    chosen = layouts(proved.cell, sizes)
    # Derived once, for the exact check and for the one in floating point.
    forms = ParameterForms(proved)
    checks = [
        *check_exactly(proved, chosen, seed, forms),
        *check_forward_mode(proved, chosen, seed, functions),
        *check_numerically(proved, chosen, seed, forms),
        *check_generated(derivation, module, seed, functions),
    ]
    said = ["".join(part if isinstance(part, str) else text(part) for part in one) for one in remarks(derivation)]
    return Report(cell.name, tuple(checks), tuple(said))
