"""Which variable, which time, which side of a product."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, permutations

from sympy import S

from symrnn.algebra import nodes
from symrnn.algebra.nodes import Expr, Variable
from symrnn.calculus.derivation import Role, shift
from symrnn.mistakes.backward_pass import Line, Program, of_next_step
from symrnn.mistakes.loop import Loop
from symrnn.mistakes.mistake import Edit, Grounds, Mistake, in_brackets, put_at, reads_adjoint
from symrnn.mistakes.terms import Site, factors, sites, without
from symrnn.printers import text


def wrong_variables(on: Grounds) -> Iterator[Mistake]:
    """One variable in place of another of its shape, wherever it stands in a term."""
    for position, line, number, term in on.terms():
        for old in sorted(nodes.variables(term), key=lambda variable: variable.name):
            for tag, new, words, rank in _others(on, line, old):
                edits = (Edit(position, number, term.xreplace({old: new})),)
                for edge in _edges(on, new):
                    families = (
                        ("swap", old, new, on.group(line) if old.mark else line.role, edge),
                        (old, new, edge),
                        ("any", new, line.of, edge),
                    )
                    yield Mistake(tag, words, rank, edits, Loop(edge=edge), families)


def of_other_steps(on: Grounds) -> Iterator[Mistake]:
    """The gradient of a parameter with the adjoint of the step after."""
    for position, line, number, term in on.terms("parameter"):
        for old in sorted(nodes.variables(term) & set(on.adjoints), key=text):
            words = f"has {text(old)} of the step after in place of that of its own"
            edits = (Edit(position, number, term.xreplace({old: of_next_step(old)})),)
            families = (("next", old), ("next", on.group(line)), ("next", line.of.shape[1] != 1), ("next",))
            yield Mistake("wrong-time-index", words, 5, edits, families=families)


def wrong_blocks(on: Grounds) -> Iterator[Mistake]:
    """The rows of one weight read from another, where both are kept in one array."""
    weights = [on.cell[name] for name in on.cell.parameters if on.cell[name].shape[1] != 1]
    for own, other in permutations(weights, 2):
        if own.shape[0] != other.shape[0]:
            continue
        cols, beside = own.shape[1], other.shape[1]
        for first in (True, False):
            both = [own, other] if first else [other, own]
            stacked = nodes.stack(*(nodes.transpose(weight) for weight in both))
            start = beside if first else S.Zero
            wrong = nodes.rows(stacked, start, start + cols)
            for position, _, number, term in on.terms("input", "carry"):
                new = term.xreplace({nodes.transpose(own): wrong})
                if new != term:
                    words = f"reads rows of {text(other)} for {text(own)}, from the wrong end of the array of both"
                    yield Mistake(
                        "wrong-operand", words, 7, (Edit(position, number, new),), families=(("rows", first),)
                    )


def parts_for_wholes(on: Grounds) -> Iterator[Mistake]:
    """A value in place of what is computed from it, such as h for U h + b."""
    for position, _line, number, term in on.terms():
        for site in sites(term):
            node = site.node
            if not isinstance(node, nodes.Sum | nodes.Product) or reads_adjoint(node):
                continue
            for new in sorted(nodes.variables(node), key=text):
                if new.shape == node.shape and new.shape[1] == 1:
                    words = f"has {text(new)} in place of {in_brackets(node)}"
                    yield Mistake("wrong-operand", words, 5, put_at(position, number, site, new))


def wholes_for_parts(on: Grounds) -> Iterator[Mistake]:
    """A part of an equation in place of a value, such as U h for h."""
    every = (site.node for equation in on.derivation.forward for site in sites(equation.value) if site.above)
    wholes = sorted({node for node in every if isinstance(node, nodes.Sum | nodes.Product | nodes.Hadamard)}, key=text)
    for position, _line, number, term in on.terms():
        for old in sorted(nodes.variables(term) & set(on.values), key=text):
            for new in wholes:
                if new.shape == old.shape and new.shape[1] == 1:
                    overwritten = old in nodes.variables(new)  # most often the value itself, changed in place
                    tag = "corrupted-cache" if overwritten else "wrong-operand"
                    words = f"reads {text(old)} when {text(new)} is stored there"
                    words = words if overwritten else f"has {text(new)} in place of {text(old)}"
                    yield Mistake(tag, words, 9, (Edit(position, number, term.xreplace({old: new})),))


def _edges(on: Grounds, variable: Variable) -> tuple[str | None, ...]:
    """What programs read beyond the ends of the sequence, where a variable is of another step."""
    if variable.mark or variable.time is None or variable in on.values:
        return (None,)
    return ("around", "rows", "nearest", "zero") if variable.base in on.cell.states else ("around", "nearest", "zero")


def _others(on: Grounds, line: Line, old: Variable) -> Iterator[tuple[str, Variable, str, int]]:
    if old.is_sent_back:
        for new in on.adjoints:
            if new.shape == old.shape and new != old and on.program.lines.index(line) > on.position(new):
                gone = _left_out(on, old, new)
                if gone is not None:
                    words = f"has {text(new)} in place of {text(old)}, without the factor {in_brackets(gone)}"
                    slope = on.derivation.is_preactivation(on.program.lines[on.position(old)].of)
                    yield "missing-derivative" if slope else "missing-factor", new, words, 4
                    continue
                put_in = _left_out(on, new, old)
                if put_in is not None:
                    words = f"has {text(new)} in place of {text(old)}, with the factor {in_brackets(put_in)} too many"
                    yield "extra-factor", new, words, 4
                    continue
                tag = "gate-swapped" if _alike(on, old, new) else "wrong-operand"
                rank = 4 + (tag == "wrong-operand") + (line.role == "intermediate")
                yield tag, new, f"has {text(new)} in place of {text(old)}", rank
    elif not old.mark and old.time is None:
        for name in on.cell.parameters:
            new = on.cell[name]
            if new.shape == old.shape and new != old:
                yield "wrong-operand", new, f"has {text(new)} in place of {text(old)}", 5
    elif not old.mark:
        yield from _other_values(on, old)


def _other_values(on: Grounds, old: Variable) -> Iterator[tuple[str, Variable, str, int]]:
    for new in on.values:
        if new.shape == old.shape and new != old:
            tag = "wrong-time-index" if new.base == old.base else "wrong-operand"
            yield tag, new, f"has {text(new)} in place of {text(old)}", 4
    for steps in (-1, 1):
        new = next(iter(nodes.variables(shift(old, steps))))
        if new not in on.values:
            yield "wrong-time-index", new, f"has {text(new)} in place of {text(old)}", 5


def _left_out(on: Grounds, old: Variable, new: Variable) -> Expr | None:
    """What takes one adjoint to another, element by element, such as the derivative that δf is multiplied with."""
    terms = on.program.lines[on.position(old)].terms
    parts = factors(terms[0])[1] if len(terms) == 1 else ()
    rest = [part for part in parts if part != new]
    alone = len(rest) == len(parts) - 1 and rest and not any(reads_adjoint(part) for part in rest)
    return nodes.hadamard(*rest) if alone else None


def exchanged(on: Grounds) -> Iterator[Mistake]:
    """The gradients of two parameters, each returned for the other."""
    lines = [(position, line) for position, line in enumerate(on.program.lines) if line.role == "parameter"]
    for (p, a), (q, b) in combinations(lines, 2):
        if a.of.shape == b.of.shape and len(a.terms) == len(b.terms) == 1:
            words = f"is exchanged with that of {text(b.of)}"
            yield Mistake("gate-swapped", words, 5, (Edit(p, 0, b.terms[0]), Edit(q, 0, a.terms[0])))


def exchanged_states(on: Grounds) -> Iterator[Mistake]:
    """The gradients of two initial states, each returned for the other."""
    carries = [(position, line) for position, line in enumerate(on.program.lines) if line.role == "carry"]
    for (p, a), (q, b) in combinations(carries, 2):
        if a.of.shape == b.of.shape:
            edits = (*_as_other(on, p, q), *_as_other(on, q, p))
            words = f"{text(a.target)} and {text(b.target)} at step 0 are returned for one another"
            yield Mistake("gradients-exchanged", words, 4, edits, scope="first")


def _as_other(on: Grounds, position: int, other: int) -> Iterator[Edit]:
    """The edits that give a line the terms of another."""
    yield from (Edit(position, number, None) for number in range(1, len(on.program.start[position].terms)))
    yield Edit(position, 0, nodes.add(*on.program.start[other].terms))


_ROLES: tuple[tuple[Role, ...], ...] = (
    ("parameter",),
    ("input",),
    ("carry",),
    ("input", "carry"),
    ("parameter", "input"),
    ("parameter", "input", "carry"),
    ("state", "intermediate", "parameter", "input", "carry"),
)


def mixed_up(on: Grounds) -> Iterator[Mistake]:
    """Two gates, two of their weights or their adjoints, each read for the other: an order of blocks got wrong."""
    gates = [slope.of for slope in on.slopes if isinstance(slope.of, Variable) and slope.of in on.values]
    weights = [on.cell[name] for name in on.cell.parameters]
    deltas = [line.target for line in on.program.lines if on.derivation.is_preactivation(line.of)]
    for group, everywhere in ((gates, True), (weights, False), (deltas, False)):
        for a, b in combinations(group, 2):
            for roles in (_ROLES[-1:] if everywhere else _ROLES[:-1]) if a.shape == b.shape else ():
                edits = tuple(
                    Edit(position, number, term.xreplace({a: b, b: a}))
                    for position, _, number, term in on.terms(*roles)
                    if {a, b} & nodes.variables(term)
                )
                if len(edits) > 1:
                    words = f"has {text(a)} and {text(b)} exchanged"
                    yield Mistake("gate-swapped", words, 4, edits)


def _alike(on: Grounds, a: Variable, b: Variable) -> bool:
    """Whether both are adjoints of gates, or both of what gates are activations of."""
    gates = {slope.of for slope in on.slopes}
    first, second = (next(line.of for line in on.program.lines if line.target == v) for v in (a, b))
    return (first in gates) == (second in gates) and on.derivation.is_preactivation(
        first
    ) == on.derivation.is_preactivation(second)


def transposes(on: Grounds) -> Iterator[Mistake]:
    """A square matrix that is transposed, or should be; a gradient that is transposed."""
    for position, line, number, term in on.terms():
        for site in sites(term):
            node = site.node
            square = node.shape[0] == node.shape[1] and node.shape[0] != 1
            if isinstance(node, nodes.Transposed) and square and isinstance(node.arg, Variable):
                words = f"has {text(node.arg)} in place of {text(node)}"
                yield Mistake("transpose", words, 4, put_at(position, number, site, node.arg), families=("all", node))
            elif isinstance(node, Variable) and square and not node.mark and not _is_transposed(site):
                words = f"has {text(nodes.transpose(node))} in place of {text(node)}"
                yield Mistake("transpose", words, 4, put_at(position, number, site, nodes.transpose(node)))
            block = _block(node)
            if block is not None and block[0].shape[0] == block[0].shape[1]:
                turned = nodes.transpose(block[0])
                words = f"has {text(turned)} in place of {text(block[0])}"
                edits = put_at(position, number, site, nodes.matmul(turned, *block[1]))
                yield Mistake("transpose", words, 4, edits, families=("all", block[0]))
        if line.role == "parameter" and line.of.shape[0] == line.of.shape[1] and line.of.shape[0] != 1:
            edits = (Edit(position, number, nodes.transpose(term)),)
            yield Mistake("transpose", "is transposed", 4, edits, families=(on.group(line),))


def _block(node: Expr) -> tuple[Expr, tuple[Expr, ...]] | None:
    """Rows of a product as the product with these rows of its matrix: the matrix, and what it is multiplied with."""
    if not (isinstance(node, nodes.Slice) and isinstance(node.operand, nodes.Product)):
        return None
    number, (matrix, *rest) = node.operand.as_coeff_matrices()
    return (nodes.rows(matrix, *node.bounds), tuple(rest)) if number == 1 and rest else None


def _is_transposed(site: Site) -> bool:
    return bool(site.above) and isinstance(site.above[-1], nodes.Transposed)


def wrong_sides(on: Grounds) -> Iterator[Mistake]:
    """diag(s) Wᵀ δ for Wᵀ diag(s) δ, and the other way round."""
    for position, _line, number, term in on.terms():
        scale, parts = factors(term)
        for product in parts:
            if not isinstance(product, nodes.Product) or len(product.as_coeff_matrices()[1]) != 2:
                continue
            matrix, vector = product.as_coeff_matrices()[1]
            outside = [part for part in parts if part != product]
            if matrix.shape[0] != matrix.shape[1]:
                continue
            for inner in _split(on, vector):
                moved = nodes.hadamard(nodes.matmul(matrix, inner[0]), inner[1], *outside)
                yield _moved(position, number, nodes.scale(scale, moved), inner[1], "outside")
            for part in outside:
                rest = [other for other in outside if other != part]
                moved = nodes.hadamard(nodes.matmul(matrix, nodes.hadamard(vector, part)), *rest)
                yield _moved(position, number, nodes.scale(scale, moved), part, "inside")


def _moved(position: int, number: int, new: Expr, part: Expr, where: str) -> Mistake:
    words = f"has the factor {in_brackets(part)} {where} the matrix product: {text(new)}"
    return Mistake("diagonal-wrong-side", words, 4, (Edit(position, number, new),), families=(where,))


def _split(on: Grounds, vector: Expr) -> Iterator[tuple[Expr, Expr]]:
    """A vector as what is left of it without a factor, and that factor; an adjoint by its own equation."""
    _, parts = factors(vector)
    if len(parts) > 1:
        for part in parts:
            if not reads_adjoint(part):
                yield without(vector, (part,)) or vector, part
    lines = (*on.program.lines, *Program.right(on.derivation).lines)
    for term in dict.fromkeys(line.terms[0] for line in lines if line.target == vector and len(line.terms) == 1):
        number, own = factors(term)
        inner = [part for part in own if reads_adjoint(part)]
        outer = [part for part in own if not reads_adjoint(part)]
        if inner and outer:
            yield nodes.scale(number, nodes.hadamard(*inner)), nodes.hadamard(*outer)


def single_places(on: Grounds) -> Iterator[Mistake]:
    """One variable in place of another, in one of the places where it stands."""
    for position, line, number, term in on.terms():
        places = [site for site in sites(term) if isinstance(site.node, Variable)]
        for site in places:
            if sum(other.node == site.node for other in places) > 1:
                for tag, new, words, rank in _others(on, line, site.node):
                    yield Mistake(tag, f"{words}, in one place", rank + 3, put_at(position, number, site, new))
