"""Factors and numbers: missing, too many, of the wrong sign."""

from __future__ import annotations

from collections.abc import Iterator

from sympy import S

from symrnn.algebra import nodes
from symrnn.algebra.functions import GATES
from symrnn.algebra.nodes import Expr, Variable
from symrnn.mistakes.mistake import Edit, Grounds, Mistake, has_slope, in_brackets, in_slope, put_at, reads_adjoint
from symrnn.mistakes.terms import Site, factors, sites, without
from symrnn.printers import text


def missing_factors(on: Grounds) -> Iterator[Mistake]:
    """A product without one of its factors."""
    for position, line, number, term in on.terms():
        for site in sites(term):
            if isinstance(site.node, nodes.Product):
                yield from _missing_matrices(position, number, site)
            if not isinstance(site.node, nodes.Hadamard):
                continue
            for part in dict.fromkeys(site.node.args):
                if reads_adjoint(part) or any(
                    part in slope.factors for slope in on.slopes if has_slope(site.node, slope)
                ):
                    continue
                rest = without(site.node, (part,))
                inside = any(isinstance(node, nodes.Product) for node in site.above)
                tag = "wrong-operand" if inside and line.role == "parameter" else "missing-factor"
                if rest is not None:
                    words = f"loses the factor {in_brackets(part)}"
                    edits = put_at(position, number, site, rest)
                    yield Mistake(tag, words, 4, edits, families=(("factor", part),))
                    if tag != "missing-factor":  # with others, it is a factor that is missing everywhere
                        yield Mistake("missing-factor", words, 5, edits, families=(("factor", part),))


def _missing_matrices(position: int, number: int, site: Site) -> Iterator[Mistake]:
    """A product without its square matrix."""
    scale, (matrix, *rest) = site.node.as_coeff_matrices()
    if rest and matrix.shape[0] == matrix.shape[1] and matrix.shape[0] != 1:
        edits = put_at(position, number, site, nodes.scale(scale, nodes.matmul(*rest)))
        families = (("matrix", matrix), ("matrix", position))
        yield Mistake("missing-factor", f"loses the factor {text(matrix)}", 5, edits, families=families)


def wrong_numbers(on: Grounds) -> Iterator[Mistake]:
    """A sign, or a term that counts twice or half."""
    for position, line, number, term in on.terms():
        group = on.group(line)
        for tag, words, factor, rank in (
            ("sign", f"has {text(term)} with the opposite sign", -1, 4),
            ("double-counted", f"counts {text(term)} twice", 2, 4),
            ("wrong-scale", f"has {text(term)} half", S.Half, 6),
        ):
            edits = (Edit(position, number, nodes.scale(factor, term)),)
            yield Mistake(tag, words, rank, edits, families=((tag, group), (tag, line.of)))
        for site in sites(term):
            if isinstance(site.node, nodes.Sum) and not in_slope(on, site):
                for index, part in enumerate(site.node.args):
                    args = [*site.node.args]
                    args[index] = nodes.negate(part)
                    words = f"has {in_brackets(nodes.add(*args))} in place of {in_brackets(site.node)}"
                    yield Mistake("sign", words, 5, put_at(position, number, site, nodes.add(*args)))


def complements(on: Grounds) -> Iterator[Mistake]:
    """A gate where 1 minus the gate should be, or the other way round."""
    for position, _line, number, term in on.terms():
        for site in sites(term):
            gate = _complement(site.node)
            if gate is not None and not in_slope(on, site):
                words = f"has {text(gate)} in place of {in_brackets(site.node)}"
                yield Mistake("wrong-operand", words, 5, put_at(position, number, site, gate))
            elif _is_gate(on, site) and not in_slope(on, site) and not _inside_complement(site):
                other = nodes.subtract(nodes.ones(site.node.shape), site.node)
                words = f"has {in_brackets(other)} in place of {text(site.node)}"
                yield Mistake("wrong-operand", words, 5, put_at(position, number, site, other))


def _complement(node: Expr) -> Expr | None:
    if isinstance(node, nodes.Sum) and len(node.args) == 2 and isinstance(node.args[0], nodes.Ones):
        inner = nodes.negate(node.args[1])
        return inner if isinstance(inner, Variable) else None
    return None


def _inside_complement(site: Site) -> bool:
    return any(_complement(node) is not None for node in site.above)


def _is_gate(on: Grounds, site: Site) -> bool:
    return any(slope.of == site.node and slope.function in GATES for slope in on.slopes)


def _unnamed(on: Grounds) -> list[Expr]:
    """The values of activations that have no name of their own, such as tanh(c_t)."""
    every = (site for equation in on.derivation.forward for site in sites(equation.value))
    found = {site.node for site in every if site.above and isinstance(site.node, nodes.Act)}
    return sorted(found, key=text)


def _inside_products(on: Grounds, position: int, number: int, term: Expr) -> Iterator[Mistake]:
    """A factor too many in what a matrix multiplies."""
    for site in sites(term):
        if site.above and isinstance(site.above[-1], nodes.Product | nodes.Transposed) and site.node.shape[1] == 1:
            slopes = [nodes.scale(s.number, nodes.hadamard(*s.factors)) for s in on.slopes]
            for extra in (*on.values, *_unnamed(on), *slopes):
                if extra.shape == site.node.shape and extra != site.node:
                    words = f"has a factor too many, {in_brackets(extra)} at {text(site.node)}"
                    edits = put_at(position, number, site, nodes.hadamard(site.node, extra))
                    line = on.program.lines[position]
                    families = (("inside", extra, site.node, line.role), ("inside", extra, line.of))
                    yield Mistake("extra-factor", words, 7, edits, families=families)


def extra_factors(on: Grounds) -> Iterator[Mistake]:
    """A term with a factor too many."""
    for position, _line, number, term in on.terms():
        unnamed = _unnamed(on)
        for extra in (*on.values, *unnamed):
            if extra.shape == term.shape and extra.shape != (1, 1):
                words = f"has a factor too many, {text(extra)}"
                edits = (Edit(position, number, nodes.hadamard(term, extra)),)
                rank = 6 if extra in unnamed and extra in factors(term)[1] else 8
                yield Mistake("extra-factor", words, rank, edits, families=(("extra", extra),))
                complement = nodes.subtract(nodes.ones(extra.shape), extra)
                words = f"has a factor too many, ({text(complement)})"
                edits = (Edit(position, number, nodes.hadamard(term, complement)),)
                yield Mistake("extra-factor", words, 8, edits)
        yield from _inside_products(on, position, number, term)
        for slope in on.slopes:
            if slope.factors[0].shape == term.shape and not has_slope(term, slope):
                extra = nodes.scale(slope.number, nodes.hadamard(*slope.factors))
                words = f"has a factor too many, {in_brackets(extra)}"
                yield Mistake("extra-factor", words, 7, (Edit(position, number, nodes.hadamard(term, extra)),))
                for tag, _, other in slope.instead:
                    if tag == "derivative-at-output":
                        words = f"has a factor too many, {in_brackets(other)}"
                        yield Mistake("extra-factor", words, 9, (Edit(position, number, nodes.hadamard(term, other)),))
