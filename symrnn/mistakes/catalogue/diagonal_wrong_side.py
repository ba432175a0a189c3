"""Element-by-element factors on the wrong side of a matrix product: diag(s) Wᵀ δ for Wᵀ diag(s) δ."""

from __future__ import annotations

from collections.abc import Iterator

from symrnn.algebra import nodes
from symrnn.algebra.nodes import Expr
from symrnn.algebra.places import factors, without
from symrnn.mistakes.backward_pass import BackwardPass, of_next_step
from symrnn.mistakes.mistake import Edit, Mistake
from symrnn.mistakes.mistake_class import Example, MistakeClass
from symrnn.mistakes.site import MistakeSite, in_brackets, reads_adjoint
from symrnn.printers import text

TAG = "diagonal-wrong-side"


def likely(on: MistakeSite) -> Iterator[Mistake]:
    """A factor moved out of what a matrix multiplies, or into it; within a step, or from one step to the next."""
    for position, _line, number, term in on.terms():
        scale, parts = factors(term)
        for product in parts:
            if not isinstance(product, nodes.Product) or len(product.as_coeff_matrices()[1]) != 2:
                continue
            matrix, vector = product.as_coeff_matrices()[1]
            outside = [part for part in parts if part != product]
            # Only a square matrix leaves the shapes as they are, so that the program runs.
            if matrix.shape[0] != matrix.shape[1]:
                continue
            for left, factor in _split(on, vector):
                moved = nodes.hadamard(nodes.matmul(matrix, left), factor, *outside)
                yield _moved(position, number, nodes.scale(scale, moved), factor, "outside")
            for part in outside:
                rest = [other for other in outside if other != part]
                moved = nodes.hadamard(nodes.matmul(matrix, nodes.hadamard(vector, part)), *rest)
                yield _moved(position, number, nodes.scale(scale, moved), part, "inside")
    yield from _across_steps(on)


def _moved(position: int, number: int, new: Expr, part: Expr, where: str) -> Mistake:
    words = f"has the factor {in_brackets(part)} {where} the matrix product: {text(new)}"
    return Mistake(TAG, words, 4, (Edit(position, number, new),), families=(where,))


def _split(on: MistakeSite, vector: Expr) -> Iterator[tuple[Expr, Expr]]:
    """A vector as what is left of it without a factor, and that factor; an adjoint by its own equation."""
    _, parts = factors(vector)
    if len(parts) > 1:
        for part in parts:
            if not reads_adjoint(part):
                yield without(vector, (part,)) or vector, part
    # The program may have mistakes already; the derivative that was moved may be one that it lacks by now.
    lines = (*on.program.lines, *BackwardPass.right(on.derivation).lines)
    for term in dict.fromkeys(line.terms[0] for line in lines if line.target == vector and len(line.terms) == 1):
        number, own = factors(term)
        inner = [part for part in own if reads_adjoint(part)]
        outer = [part for part in own if not reads_adjoint(part)]
        if inner and outer:
            yield nodes.scale(number, nodes.hadamard(*inner)), nodes.hadamard(*outer)


def _across_steps(on: MistakeSite) -> Iterator[Mistake]:
    """φ' applied before Uᵀ instead of after it, to what comes from the step after."""
    for position, _, number, term in on.terms("state", "intermediate"):
        for slope in on.slopes:
            state = _state_of(on, without(term, slope.factors))
            whole = nodes.scale(slope.number, nodes.hadamard(*slope.factors))
            inside = None if state is None else _inside_weights(on, state, whole)
            if state is not None and inside is not None:
                factor = in_brackets(whole)
                words = f"has the factor {factor} inside the product with the weights in what is carried back"
                new = nodes.add(nodes.hadamard(on.derivation.loss(state), whole), inside)
                yield Mistake(TAG, words, 5, (Edit(position, number, new),))


def _state_of(on: MistakeSite, adjoint: Expr | None) -> str | None:
    """The state that something is the adjoint of, if what the loss and the next step send is all of it."""
    states = [line for line in on.program.lines if line.role == "state" and len(line.terms) == 2]
    return next((s.of.name for s in states if adjoint in (s.target, on.derivation.cotangents[s.of.name])), None)


def _inside_weights(on: MistakeSite, state: str, whole: Expr) -> Expr | None:
    """What the step after hands on to a state, each adjoint in it with a factor; None where that does not fit."""
    found: list[Expr] = []
    carry = next(line for line in on.program.lines if line.role == "carry" and line.of.base == state)
    for term in carry.terms:
        adjoints = [v for v in nodes.variables(term) & set(on.adjoints) if v.shape == whole.shape]
        if len(adjoints) != 1:
            return None
        found.append(term.xreplace({adjoints[0]: nodes.hadamard(of_next_step(adjoints[0]), whole)}))
    return nodes.add(*found) if found else None


MISTAKE = MistakeClass(
    TAG,
    "an element-by-element factor is on the wrong side of a matrix product",
    precedence=190,
    likely=likely,
    wrong=(
        Example("gru", 'daz @ p["U_z"]', '(dz @ p["U_z"]) * z[t] * (1 - z[t])'),
        Example("rnn", "carry = da @ U", "carry = dh @ U * (1 - h[t + 1] ** 2)"),
    ),
    right=(
        Example("gru", 'drh = dan @ p["U_n"]', 'drh = (dn * (1 - n[t] ** 2)) @ p["U_n"]'),
        Example("rnn", "carry = da @ U", "carry = (dh * (1 - h[t + 1] ** 2)) @ U"),
    ),
)
