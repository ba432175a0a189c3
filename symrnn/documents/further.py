"""The sections that a document has on request: properties that are proved, and the rewritings that were used."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from symrnn.algebra import nodes
from symrnn.algebra.nodes import Expr
from symrnn.algebra.simplify import IN_FORMULAS, trace
from symrnn.calculus.derivation import shift
from symrnn.calculus.graph import StepGraph, product
from symrnn.calculus.rules import chain, local_jacobian
from symrnn.documents.jacobians import choose_short_pairs, list_pairs
from symrnn.documents.setting import Setting, phrase
from symrnn.documents.structure import Block, Bullets, Centred, Inline, Maths, Paragraph, Section
from symrnn.printers.notation import NOTATIONS, Notation

if TYPE_CHECKING:
    from symrnn.proofs.claims import Theorem, Words

# --- properties -------------------------------------------------------------------------------------------------------


def write_properties(setting: Setting) -> Section:
    """The theorems that hold for this cell; what is refuted is no property of it."""
    # only now: a document without this section needs no checks
    from symrnn.proofs.theorems import theorems

    def block(theorem: Theorem) -> tuple[Block, ...]:
        at = (" at ", _sizes(setting, theorem.sizes)) if theorem.sizes else ()
        return (*stated(theorem, setting.notation), Paragraph(("Proved", *at, f": {theorem.proof}.")))

    proved = [theorem for theorem in theorems(setting.derivation) if theorem.holds]
    opening = Paragraph(phrase(_HOW if proved else "None of the known theorems applies to this cell."))
    return Section("properties", "Properties", (opening, *(part for theorem in proved for part in block(theorem))))


def stated(theorem: Theorem, notation: Notation = NOTATIONS["subscript"]) -> tuple[Block, Block]:
    """A theorem in words, and its formula."""
    # Here for the same reason: a theorem shows itself in a notebook without this module's sections.
    from symrnn.proofs.claims import render

    def inline(words: Words) -> Inline:
        return tuple(part if isinstance(part, str) else Maths(*render(part, notation)) for part in words)

    given = (", if ", *inline(theorem.given)) if theorem.given else ()
    lead = theorem.name[0].upper() + theorem.name[1:]
    statement = Paragraph((*_capitalise(inline(theorem.words)), *given, ":"), lead)
    return statement, Centred(Maths(*theorem.formula.render(notation)))


_HOW = (
    "Each was proved when this document was written. A proof over a finite field compares both sides at random numbers "
    "of it: that they agree is an identity at the sizes named, with a probability of error below $10^{-12}$. "
    "A proof by intervals holds for all real numbers."
)


def _capitalise(words: Inline) -> Inline:
    first, *rest = words
    return (first[0].upper() + first[1:] if isinstance(first, str) else first, *rest)


def _sizes(setting: Setting, sizes: tuple[Mapping[str, int], ...]) -> Maths:
    """(d_x, d_h) = (1, 1), (3, 2)."""
    if not sizes[0]:
        return Maths(r"\text{its fixed sizes}", "its fixed sizes")
    names = setting.both(lambda printer: ", ".join(map(printer.size_name, sizes[0])))
    each = ", ".join(f"({', '.join(map(str, one.values()))})" for one in sizes)
    return Maths(f"({names.latex}) = {each}", f"({names.text}) = {each}")


# --- rewritings -------------------------------------------------------------------------------------------------------


def write_rewritings(setting: Setting) -> Section:
    """The identities by which the Jacobians were simplified."""
    used = _find_applied(setting)
    rows = [row for row in IN_FORMULAS.values() if row.name in used]
    items = tuple((f"{row.name}: ", *phrase(f"${row.statement}$"), f" ({row.source})") for row in rows)
    text = "The Jacobians above are products of local Jacobians, brought to the form shown by these identities:"
    blocks: tuple[Block, ...] = (Paragraph((text,)), Bullets(items))
    nothing = Paragraph(("The Jacobians above are products of local Jacobians as they are; nothing was rewritten.",))
    return Section("rewritings", "Rewritings used", blocks if rows else (nothing,))


def _find_applied(setting: Setting) -> Collection[str]:
    """The names of the rewritings on the way to the Jacobians in the document: when multiplied, and when simplified."""
    derivation = setting.derivation
    cell, names = derivation.cell, set[str]()
    # A graph of its own: the shared one has multiplied already, and would tell nothing.
    graph = StepGraph(derivation, note=names.add)

    def simplified(expr: Expr) -> None:
        names.update(step.name for step in trace(expr, IN_FORMULAS))

    pairs = list_pairs(cell)
    written_out = choose_short_pairs(graph, pairs)
    for of, wrt in written_out:
        for _, factors in graph.ways(wrt, of):
            simplified(product(of, factors, names.add))
    for state in map(cell.__getitem__, cell.states):
        direct = graph.direct(cell[f"{state.name}_prev"], state)
        if not nodes.is_zero(direct):
            simplified(chain(direct, shift(direct, -1), note=names.add))
    for equation in derivation.forward:
        for share in local_jacobian(equation.value, equation.target, derivation.rules, names.add):
            if share.variable.name in cell.parameters:
                simplified(share.value)
    return names
