"""Operands that are others than they should be: a time step off, transposed, or another variable."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from symrnn.repairs.edits import SourceEdit, TreePlace, read_expression
from symrnn.repairs.naming import factors_of, joined, name_swap
from symrnn.repairs.site import Site, name_of


def shift_indices(site: Site) -> Iterator[SourceEdit]:
    """`h[t]` for `h[t - 1]`, `H[:, 1:]` for `H[:, :-1]`, `caches[t]` for `caches[-1]`."""
    alike: dict[tuple[str, int], list[list[SourceEdit]]] = {}
    for slot in site.parts:
        if isinstance(slot.node, ast.Subscript):
            for number, place in enumerate(_index_slots(slot)):
                edits = list(_other_indices(site, place))
                yield from edits
                alike.setdefault((ast.unparse(slot.node), number), []).append(edits)
    # A square is often written as a product: the same slip stands twice then.
    for found in alike.values():
        for alike_edits in zip(*found, strict=True) if len(found) > 1 else ():
            yield replace(alike_edits[0], changes=tuple(change for edit in alike_edits for change in edit.changes))


def _index_slots(slot: TreePlace) -> Iterator[TreePlace]:
    inner = (*slot.above, slot.node)
    index = slot.node.slice
    if isinstance(index, ast.Tuple):
        for place in range(len(index.elts)):
            yield TreePlace(index, "elts", place, (*inner, index))
    else:
        yield TreePlace(slot.node, "slice", None, inner)


def _other_indices(site: Site, slot: TreePlace) -> Iterator[SourceEdit]:
    node = slot.node
    if isinstance(node, ast.Slice):
        yield from (site.edit("wrong-time-index", 1, (slot, other)) for other in _other_slices(node))
        return
    if isinstance(node, ast.IfExp):
        for inner in (node.body, node.orelse):
            for step in (0, 1, -1):
                yield site.edit("wrong-time-index", 1, (slot, moved(inner, step) if step else inner))
        return
    if not _is_whole(site, node):
        return
    names = {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}
    for index in site.indices:
        if index not in names:
            yield site.edit("stale-cache", 2, (slot, read_expression(index)))
            yield site.edit("stale-cache", 3, (slot, read_expression(f"{index} - 1")))
    for step in (1, -1):
        yield site.edit("wrong-time-index", 1, (slot, moved(node, step)))
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
        yield site.edit("wrong-time-index", 2, (slot, moved(moved(node, 1), 1)))
        yield site.edit("wrong-time-index", 2, (slot, moved(moved(node, -1), -1)))


def _is_whole(site: Site, node: Any) -> bool:
    """Whether an index is a whole number."""
    if isinstance(node, ast.Constant):
        return type(node.value) is int
    if isinstance(node, ast.UnaryOp):
        return _is_whole(site, node.operand)
    if isinstance(node, ast.BinOp):
        return _is_whole(site, node.left) and _is_whole(site, node.right)
    if isinstance(node, ast.Call):
        return name_of(node) == "len"
    value = site.arrays.get(ast.unparse(node))
    return value is not None and value.dtype.kind == "i" and value.ndim == 0


def moved(node: ast.expr, step: int) -> ast.expr:
    """An index with one more or less: `t + 1` becomes `t` or `t + 2`."""
    number = _number(node)
    if number is not None:
        return _constant(number + step)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub) and _number(node.right) is not None:
        own = _number(node.right)
        assert own is not None
        total = (own if isinstance(node.op, ast.Add) else -own) + step
        base = node.left
    else:
        base, total = node, step
    if not total:
        return base
    return ast.BinOp(base, ast.Add() if total > 0 else ast.Sub(), ast.Constant(abs(total)))


def _number(node: ast.expr) -> int | None:
    if isinstance(node, ast.Constant) and type(node.value) is int:
        return node.value
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        inner = _number(node.operand)
        return None if inner is None else -inner
    return None


def _constant(number: int) -> ast.expr:
    return ast.Constant(number) if number >= 0 else ast.UnaryOp(ast.USub(), ast.Constant(-number))


def _other_slices(node: ast.Slice) -> Iterator[ast.Slice]:
    if node.step is not None:
        return
    low, high = node.lower, node.upper
    one, last = ast.Constant(1), ast.UnaryOp(ast.USub(), ast.Constant(1))
    if low is not None and high is None:
        yield ast.Slice(None, low)
        yield ast.Slice(None, last)
        yield ast.Slice(None, None)
    elif high is not None and low is None:
        yield ast.Slice(high, None)
        yield ast.Slice(one, None)
        yield ast.Slice(None, None)
    elif low is None and high is None:
        yield ast.Slice(one, None)
        yield ast.Slice(None, last)
    elif low is not None and high is not None:
        yield ast.Slice(None, low)
        yield ast.Slice(high, None)


def transpose(site: Site) -> Iterator[SourceEdit]:
    """`W.T` for `W`, `a @ b` for `b @ a`, and the other way round."""
    for slot in site.parts:
        node = slot.node
        if isinstance(node, ast.Attribute) and node.attr == "T":
            yield site.edit("transpose", 1, (slot, node.value))
        elif isinstance(node, ast.Call) and name_of(node) == "outer" and len(node.args) == 2:
            yield site.edit("transpose", 1, (slot, ast.Call(node.func, node.args[::-1], [])))
        elif (pair := product_of(node)) is not None:
            yield site.edit("transpose", 2, (slot, turned(node)))
            yield site.edit("transpose", 3, (slot, _with_operands(node, pair[1], pair[0])))
            yield site.edit("transpose", 3, (slot, _with_operands(node, turned(pair[1]), turned(pair[0]))))
        elif slot in site.named and len(site.shape_of(node) or ()) == 2 and not _is_turned(slot):
            # A gradient that is transposed on its way out was not meant to be.
            cost = 4 if isinstance(site.statement, ast.Return) else 1
            yield site.edit("transpose", cost, (slot, turned(node)))


def product_of(node: Any) -> tuple[ast.expr, ast.expr] | None:
    """The operands of a matrix product: of `a @ b`, `np.dot(a, b)`, `a.dot(b)`."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
        return node.left, node.right
    if isinstance(node, ast.Call) and name_of(node) in ("dot", "matmul") and not node.keywords:
        if len(node.args) == 2:
            return node.args[0], node.args[1]
        if len(node.args) == 1 and isinstance(node.func, ast.Attribute):
            return node.func.value, node.args[0]
    return None


def _with_operands(node: Any, left: ast.expr, right: ast.expr) -> ast.expr:
    if isinstance(node, ast.Call) and len(node.args) == 2:
        return ast.Call(node.func, [left, right], [])
    return ast.BinOp(left, ast.MatMult(), right)


def turned(node: ast.expr) -> ast.expr:
    """An expression transposed."""
    return node.value if isinstance(node, ast.Attribute) and node.attr == "T" else ast.Attribute(node, "T", ast.Load())


def _is_turned(slot: TreePlace) -> bool:
    return isinstance(slot.owner, ast.Attribute) and slot.owner.attr == "T"


def swap_operands(site: Site) -> Iterator[SourceEdit]:
    """Another variable of the same shape."""
    for slot in site.named:
        old = ast.unparse(slot.node)
        if not site.is_data(old):
            continue
        for text, node in site.of_shape(site.arrays[old].shape):
            if text != old:
                yield site.edit(partial(name_swap, site, old, text), 3, (slot, node))
        value = site.arrays[old]
        if np.all((value >= 0) & (value <= 1)) and not is_complement(slot.owner):
            yield site.edit("wrong-operand", 3, (slot, read_expression(f"1 - {old}")))
        yield from _whole_for_part(site, slot, old)
    for slot in site.parts:
        if is_complement(slot.node) and site.is_data(ast.unparse(slot.node.right)):
            yield site.edit("wrong-operand", 3, (slot, slot.node.right))


def is_complement(node: Any) -> bool:
    """Whether an expression is 1 less something: what a gate lets through where another is shut."""
    one_less = isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub) and isinstance(node.left, ast.Constant)
    return one_less and node.left.value == 1


def _whole_for_part(site: Site, slot: TreePlace, old: str) -> Iterator[SourceEdit]:
    """A variable for an entry of another, and the other way round, where the shapes allow it."""
    value = slot.node
    while isinstance(value, ast.Subscript):
        value = value.value
        text = ast.unparse(value)
        if text in site.known and site.arrays[text].ndim <= site.arrays[old].ndim:
            yield site.edit("wrong-operand", 4, (slot, value))


def reverse(site: Site) -> Iterator[SourceEdit]:
    """Steps in the other order: `d[::-1]` for `d`, and the other way round."""
    for slot in site.named:
        value = site.arrays.get(ast.unparse(slot.node))
        if value is not None and value.dtype.kind == "f" and value.ndim > 1:
            for text in reversals(ast.unparse(slot.node), value.ndim):
                yield site.edit("wrong-time-index", 3, (slot, read_expression(text)))
    for slot in site.parts:
        if isinstance(slot.node, ast.Subscript) and any(_is_reversing(one) for one in ast.walk(slot.node.slice)):
            yield site.edit("wrong-time-index", 3, (slot, slot.node.value))


def reversals(text: str, axes: int) -> Iterator[str]:
    """A sequence in the other order, if its first or second axis is that of time."""
    yield f"{text}[::-1]"
    if axes > 2:
        yield f"{text}[:, ::-1]"


def _is_reversing(node: ast.AST) -> bool:
    return isinstance(node, ast.Slice) and node.step is not None and node.lower is None and node.upper is None


def unequal_sides(site: Site) -> Iterator[SourceEdit]:
    """`W.T @ (d * g)` for `(W.T @ d) * g`, and the other way round."""
    for slot in site.parts:
        node = slot.node
        pair = product_of(node)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
            for new in _factors_inside(node):
                yield site.edit("diagonal-wrong-side", 3, (slot, new))
        elif pair is not None:
            for place, side in enumerate(pair):
                if isinstance(side, ast.BinOp) and isinstance(side.op, ast.Mult):
                    for kept, factor in ((side.left, side.right), (side.right, side.left)):
                        sides = [kept if number == place else one for number, one in enumerate(pair)]
                        yield site.edit(
                            "diagonal-wrong-side", 3, (slot, _times(_with_operands(node, sides[0], sides[1]), factor))
                        )


def _factors_inside(node: ast.expr) -> Iterator[ast.expr]:
    """A product of a matrix product and factors, with all the factors on one of the matrix product's operands."""
    chain = list(factors_of(node))
    for number, one in enumerate(chain):
        inner = product_of(one)
        rest = [other for place, other in enumerate(chain) if place != number]
        if inner is not None and rest:
            factor = joined(rest)
            yield _with_operands(one, _times(inner[0], factor), inner[1])
            yield _with_operands(one, inner[0], _times(inner[1], factor))


def _times(left: ast.expr, right: ast.expr) -> ast.expr:
    return ast.BinOp(left, ast.Mult(), right)
