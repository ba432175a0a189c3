"""Terms of sums that are missing, too many, or of the wrong sign."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np

from symrnn.repairs.edits import SourceEdit, TreePlace, read_expression
from symrnn.repairs.factors import is_one_minus
from symrnn.repairs.naming import terms_of
from symrnn.repairs.operands import product_of, reversals
from symrnn.repairs.sights import is_reference, statements_of
from symrnn.repairs.site import Site, is_zeros, multiplied

_SUM = (ast.Add, ast.Sub)


def flip_signs(site: Site) -> Iterator[SourceEdit]:
    """`a - b` for `a + b`, `-a` for `a`, `b - a` for `a - b`, `-=` for `+=`."""
    for slot in _values(site):
        node = slot.node
        if isinstance(node, ast.BinOp) and isinstance(node.op, _SUM):
            other = ast.Sub() if isinstance(node.op, ast.Add) else ast.Add()
            tag = "wrong-derivative" if isinstance(node.left, ast.Constant) else "sign"
            yield site.edit(tag, 1, (slot, ast.BinOp(node.left, other, node.right)))
            if isinstance(node.op, ast.Sub):
                yield site.edit(tag, 1, (slot, ast.BinOp(node.right, ast.Sub(), node.left)))
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            yield site.edit("sign", 1, (slot, node.operand))
    for slot in _roots(site):
        yield site.edit("sign", 2, (slot, ast.UnaryOp(ast.USub(), slot.node)))
    one = site.statement
    if site.root is None and isinstance(one, ast.AugAssign) and isinstance(one.op, _SUM) and not site.is_counter:
        twin = ast.AugAssign(one.target, ast.Sub() if isinstance(one.op, ast.Add) else ast.Add(), one.value)
        yield site.edit("sign", 1, (site.block, [twin]))


def drop_terms(site: Site) -> Iterator[SourceEdit]:
    """A sum without one of its terms."""
    for slot in _values(site):
        node = slot.node
        if isinstance(node, ast.BinOp) and isinstance(node.op, _SUM):
            yield _dropped(site, slot, node.left, node.right)
            kept = node.right if isinstance(node.op, ast.Add) else ast.UnaryOp(ast.USub(), node.right)
            yield _dropped(site, slot, kept, node.left)


def _dropped(site: Site, slot: TreePlace, kept: ast.expr, gone: ast.expr) -> SourceEdit:
    text = ast.unparse(gone)
    twice = any(ast.unparse(term) == text for term in terms_of(kept))
    tag = "double-counted" if twice else "wrong-derivative" if isinstance(gone, ast.Constant) else "extra-path"
    return site.edit(tag, 2, (slot, kept))


def add_terms(site: Site) -> Iterator[SourceEdit]:
    """A sum, or a single value, with one term more: what can be named here, or a product of it with a matrix."""
    for slot in _roots(site):
        shape = site.shape_at(slot)
        if shape is None or site.shape_of(slot.node) == () != shape:
            continue
        there = {ast.unparse(term) for term in terms_of(slot.node)}
        for text, node in site.of_shape(shape):
            if text in there or (text == site.target and not site.is_carried(text)):
                continue
            tag = name_term(site, text)
            cost = 3 if site.is_carried(text) or site.is_cotangent(text) else 5
            yield _added(site, slot, tag, cost, node)
            yield _added(site, slot, tag, cost + 2, ast.UnaryOp(ast.USub(), node))
            for reversed_text in reversals(text, len(shape)) if len(shape) > 2 else ():
                yield _added(site, slot, tag, cost, read_expression(reversed_text))


def add_siblings(site: Site) -> Iterator[SourceEdit]:
    """A sum of matrix products with one more of the same form: `+ np.dot(Wc.T, dg)` beside `np.dot(Wf.T, df)`."""
    for slot in _roots(site):
        there = {ast.unparse(term) for term in terms_of(slot.node)}
        made: set[str] = set()
        for term in terms_of(slot.node):
            for text, other in _siblings(site, term):
                if text not in there | made:
                    made.add(text)
                    yield _added(site, slot, "missing-path", 4, other)
                    yield _added(site, slot, "missing-path", 5, ast.UnaryOp(ast.USub(), other))


def _siblings(site: Site, term: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    """The same product of other names of the same shapes; a name that occurs in it twice stays in both places."""
    if product_of(term) is None and not (isinstance(term, ast.Call) and len(term.args) > 1):
        return
    every = [node for node in ast.walk(term) if isinstance(node, ast.expr)]
    names = [node for node in every if is_reference(node) and ast.unparse(node) in site.known]
    for one in names:
        for text, node in site.of_shape(site.shape_of(one)):
            for two in names:
                for other, twin in site.of_shape(site.shape_of(two)) if two is not one else ():
                    new = _substituted(term, {id(one): node, id(two): twin})
                    if {text, other} != {ast.unparse(one), ast.unparse(two)}:
                        yield ast.unparse(new), new


def _substituted(node: Any, new: Mapping[int, ast.expr]) -> Any:
    """A tree with some of its nodes replaced."""
    if id(node) in new:
        return new[id(node)]
    twin = copy.copy(node)
    for field, value in ast.iter_fields(node):
        if isinstance(value, ast.AST):
            setattr(twin, field, _substituted(value, new))
        elif isinstance(value, list):
            setattr(twin, field, [_substituted(one, new) if isinstance(one, ast.AST) else one for one in value])
    return twin


def add_products(site: Site) -> Iterator[SourceEdit]:
    """A sum with one term more that is a matrix product of any two names."""
    for slot in _roots(site):
        shape = site.shape_at(slot)
        if shape is None or len(shape) not in (1, 2):
            continue
        there = {ast.unparse(term) for term in terms_of(slot.node)}
        for text in _products(site, shape):
            if text not in there:
                tag = "recurrent-path-cut" if _is_reset(site, slot) else "missing-path"
                yield _added(site, slot, tag, 6, read_expression(text))


def replace_by_products(site: Site) -> Iterator[SourceEdit]:
    """A matrix product in the place of a value that is none: `da @ U.T` for `da`."""
    for slot in _roots(site):
        if product_of(slot.node) is None and site.shape is not None and len(site.shape) in (1, 2):
            tag = "recurrent-path-cut" if _is_reset(site, slot) else "missing-factor"
            for text in _products(site, site.shape):
                yield site.edit(tag, 6, (slot, read_expression(text)))


def replace_zeros(site: Site) -> Iterator[SourceEdit]:
    """A value that can be named here, or a part of one, in the place of zeros."""
    for slot in _roots(site):
        if not is_zeros(slot.node):
            continue
        shape = site.shape
        tag = "recurrent-path-cut" if site.is_carried(site.target) and site.loops else "zero-gradient"
        for text, _ in site.of_shape(shape):
            yield site.edit(tag, 3, (slot, read_expression(text)))
        for text in _slices(site, shape):
            yield site.edit(tag, 4, (slot, read_expression(text)))


def _slices(site: Site, shape: tuple[int, ...] | None) -> Iterator[str]:
    """The beginnings and ends of this shape of larger arrays."""
    for text in site.known:
        own = site.arrays[text].shape
        if shape is None or len(own) != len(shape):
            continue
        longer = [axis for axis, (a, b) in enumerate(zip(own, shape, strict=True)) if a != b]
        if len(longer) == 1 and own[longer[0]] > shape[longer[0]] > 0:
            before = ":, " * longer[0]
            yield f"{text}[{before}:{shape[longer[0]]}]"
            yield f"{text}[{before}-{shape[longer[0]]}:]"


def _is_reset(site: Site, slot: TreePlace) -> bool:
    """Whether a variable that is carried from step to step is set to zeros."""
    return is_zeros(slot.node) and site.is_carried(site.target)


def name_term(site: Site, text: str) -> str:
    """The class of a mistake where a term is missing."""
    if site.is_cotangent(text) and not site.is_carried(text):
        return "missing-output"
    return "recurrent-path-cut" if site.is_carried(text) else "missing-path"


def _added(site: Site, slot: TreePlace, tag: str, cost: int, term: ast.expr) -> SourceEdit:
    if isinstance(term, ast.UnaryOp):
        return site.edit(tag, cost, (slot, ast.BinOp(slot.node, ast.Sub(), term.operand)))
    return site.edit(tag, cost, (slot, ast.BinOp(slot.node, ast.Add(), term)))


def add_scaled(site: Site) -> Iterator[SourceEdit]:
    """A sum with one term more that is a value times a gate, element by element: `+ drh * r`."""
    slot = site.value
    if slot is None or not site.shape or site.is_counter or isinstance(slot.node, ast.Tuple | ast.Dict):
        return
    named = [(text, site.arrays[text]) for text, node in site.of_shape(site.shape) if text != site.target]
    gates = [text for text, value in named if np.all(np.abs(value) < 1) and np.any(value)]
    read = {ast.unparse(node) for node in ast.walk(site.statement) if isinstance(node, ast.expr)}
    for text, _ in named:
        # A product of two gates, or of what the sum has already, is a slip of another kind.
        for gate in gates if text not in gates and text not in read else ():
            yield _added(site, slot, "missing-path", 4, read_expression(f"{text} * {gate}"))


def _products(site: Site, shape: tuple[int, ...]) -> Iterator[str]:
    """Matrix products of this shape, of names alone and attributes and entries of weights."""
    flat = [(text, site.arrays[text].shape) for text in site.known if site.arrays[text].ndim in (1, 2)]
    for a, one in flat:
        for b, other in flat:
            if a == b:
                continue
            for left, own in _both_ways(a, one):
                for right, its in _both_ways(b, other):
                    # Two turned matrices are a product of others, turned as a whole.
                    if multiplied(own, its) == shape and not (left.endswith(".T") and right.endswith(".T")):
                        yield f"{left} @ {right}"
            if len(one) == len(other) == 1 and one + other == shape:
                yield f"np.outer({a}, {b})"


def _both_ways(text: str, shape: tuple[int, ...]) -> list[tuple[str, tuple[int, ...]]]:
    """A matrix as it is and turned; a vector as it is."""
    return [(text, shape), (f"{text}.T", shape[::-1])][: len(shape)]


def add_sums(site: Site) -> Iterator[SourceEdit]:
    """A sum over steps that a loop does not add to: `dW += x[t].T @ da` as its last statement."""
    loop = site.statement
    if not isinstance(loop, ast.For) or site.root is not None:
        return
    last = TreePlace(loop, "body", len(loop.body) - 1, (loop,))
    inside = replace(site, statement=last.node, block=last, loops=(*site.loops, loop))
    # What is zero when the loop has run its turns, or an entry of what it adds to, read with an index of the loop's.
    seen = site.seen[-1].before if site.seen else {}
    zero = {text for text, node in site.known.items() if text in seen and seen[text].ndim and not np.any(seen[text])}
    for place in [*sorted(zero), *_entries(inside)]:
        shape = inside.shape_of(read_expression(place)) if place in zero else _entry_shape(inside, place)
        texts = [] if shape is None else [text for text, _ in inside.of_shape(shape) if text not in (place, *zero)]
        for text in [*texts, *_summed(inside, shape), *_products(inside, shape or ())]:
            added = ast.parse(f"{place} += {text}").body[0]
            edit = inside.edit("missing-path", 5, (last, [last.node, added]))
            yield replace(edit, line=_line_of_sum(loop, place) or edit.line)


def _line_of_sum(loop: ast.For, place: str) -> int:
    """The line at which a loop adds to a sum already; 0 where it does not."""
    name = place.split("[", maxsplit=1)[0]
    sums = (one for one in statements_of(loop) if isinstance(one, ast.AugAssign))
    return next((one.lineno for one in sums if ast.unparse(one.target).split("[", maxsplit=1)[0] == name), 0)


def _entries(site: Site) -> Iterator[str]:
    """Entries of sums by the indices with which other arrays of their length are read: `gE[ids[t]]`."""
    read = [node for node in ast.walk(site.function) if isinstance(node, ast.Subscript)]
    indices = {
        ast.unparse(node.slice): len(site.arrays[owner])
        for node in read
        if (owner := ast.unparse(node.value)) in site.arrays
        and site.arrays[owner].ndim == 2
        and isinstance(node.slice, ast.Subscript)
    }
    for text in sorted(site.sums):
        value = site.arrays.get(text)
        if value is not None and value.ndim == 2:
            yield from (f"{text}[{index}]" for index, length in indices.items() if length == len(value))


def _entry_shape(site: Site, place: str) -> tuple[int, ...] | None:
    whole = site.arrays.get(place.split("[")[0])
    return None if whole is None else whole.shape[1:]


def _summed(site: Site, shape: tuple[int, ...] | None) -> Iterator[str]:
    """Sums over the examples of what has one axis more."""
    for text in site.known if shape is not None else ():
        own = site.arrays[text].shape
        if own[1:] == shape and len(own) > 1 and text not in site.sums:
            yield f"{text}.sum(axis=0)"


def _values(site: Site) -> list[TreePlace]:
    """The expressions in the statement that are no part of an index."""
    return [
        one
        for one in site.parts
        if not any(isinstance(around, ast.Slice) for around in one.above)
        and not (isinstance(one.owner, ast.Subscript) and one.field == "slice")
        and not _is_in_index(one)
    ]


def _is_in_index(slot: TreePlace) -> bool:
    path = [*slot.above, slot.node]
    return any(isinstance(around, ast.Subscript) and around.slice is inner for around, inner in pairwise(path))


def _roots(site: Site) -> Iterator[TreePlace]:
    """Where a term may be missing: in what a statement assigns, returns or hands over, and in factors of products."""
    if site.value is None or (site.is_counter and site.root is None):
        return
    yield from _unpacked(site.value)
    for one in site.parts:
        if isinstance(one.node, ast.Constant) or is_one_minus(one.node):
            continue
        if isinstance(one.owner, ast.Call) and one.field == "args":
            yield from _unpacked(one)
        elif isinstance(one.owner, ast.BinOp) and isinstance(one.owner.op, ast.Mult | ast.MatMult):
            yield one


def _unpacked(slot: TreePlace) -> Iterator[TreePlace]:
    node = slot.node
    if isinstance(node, ast.Tuple | ast.List):
        for place in range(len(node.elts)):
            yield from _unpacked(TreePlace(node, "elts", place, (*slot.above, node)))
    elif isinstance(node, ast.Dict):
        for place in range(len(node.values)):
            yield TreePlace(node, "values", place, (*slot.above, node))
    elif isinstance(node, ast.IfExp):
        yield TreePlace(node, "body", None, (*slot.above, node))
    else:
        yield slot
