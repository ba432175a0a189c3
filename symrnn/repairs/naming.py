"""Which class a mistake is of, told by the numbers of what is taken in the place of what."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from symrnn.arrays import Array
from symrnn.repairs.sights import statements_of, target_of
from symrnn.repairs.site import Site

_SAME = 1e-9
"""The relative difference up to which two values of a run are the same: both are computed in double precision."""


def name_swap(site: Site, old: str, new: str) -> str:
    """The class of a mistake where `old` stands for `new`."""
    if _is_other_step(site, old, new):
        return "wrong-time-index"
    before, after = site.arrays[old], site.arrays[new]
    if slope_between(site, before, after):
        return "missing-derivative"
    if slope_between(site, after, before):
        return "extra-factor"
    in_slope = any(
        isinstance(one, ast.BinOp) and isinstance(one.left, ast.Constant) for one in ast.walk(site.statement)
    )
    if in_slope and any(same(value, after) for value in activated(before)):
        return "derivative-at-preactivation"
    if in_slope and any(same(value, before) for value in activated(after)):
        return "derivative-at-output"
    if _adds(site, new, old):
        return "missing-path"
    if _adds(site, old, new):
        return "extra-path"
    return "gate-swapped" if _are_gates(site, old, new) else "wrong-operand"


def activated(value: Array) -> Iterator[Array]:
    """The values of the usual activations at these."""
    yield np.tanh(value)
    with np.errstate(over="ignore"):
        yield 1 / (1 + np.exp(-value))
    yield np.maximum(value, 0.0)


def slopes_at(value: Array) -> Iterator[Array]:
    """The slopes of the usual activations whose values are these."""
    yield 1 - value**2
    yield value * (1 - value)
    yield (value > 0) * 1.0


def slope_between(site: Site, before: Array, after: Array) -> bool:
    """Whether one value is the other times the slope of an activation whose value can be named here."""
    if before.shape != after.shape or not before.size or np.any(before == 0):
        return False
    ratio = after / before
    if np.ptp(ratio) < _SAME:
        return False
    for text in site.known:
        value = site.arrays[text]
        if value.shape == ratio.shape and any(same(ratio, slope) for slope in slopes_at(value)):
            return True
    return False


def same(one: Array, other: Array) -> bool:
    """Whether two values are the same but for rounding."""
    return one.shape == other.shape and bool(np.allclose(one, other, rtol=_SAME, atol=1e-12))


def _is_other_step(site: Site, old: str, new: str) -> bool:
    """Whether what one name holds at a step is what the other holds at the step before or after."""
    pairs = [(one.before[old], one.before[new]) for one in site.seen if old in one.before and new in one.before]
    if len(pairs) < 2 or all(same(*pair) for pair in pairs):
        return False
    neighbours = list(pairwise(pairs))
    forth = all(same(first[0], second[1]) for first, second in neighbours)
    back = all(same(first[1], second[0]) for first, second in neighbours)
    return forth or back


def _adds(site: Site, whole: str, part: str) -> bool:
    """Whether a variable is set to a sum of which the other is a term."""
    for one in statements_of(site.function):
        target = target_of(one)
        if target is None or ast.unparse(target) != whole or isinstance(one, ast.AugAssign):
            continue
        value = getattr(one, "value", None)
        if value is not None and any(ast.unparse(term) == part for term in terms_of(value)):
            return True
    return False


def terms_of(node: ast.expr) -> Iterator[ast.expr]:
    """The terms of a sum; the expression itself where it is none."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
        yield from terms_of(node.left)
        yield from terms_of(node.right)
    else:
        yield node


def factors_of(node: ast.expr) -> Iterator[ast.expr]:
    """The factors of a product, element by element; the expression itself where it is none."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        yield from factors_of(node.left)
        yield from factors_of(node.right)
    else:
        yield node


def joined(found: list[ast.expr]) -> ast.expr:
    """A product of these, element by element."""
    whole = found[0]
    for one in found[1:]:
        whole = ast.BinOp(whole, ast.Mult(), one)
    return whole


def _are_gates(site: Site, old: str, new: str) -> bool:
    """Whether two values are alike in how they are made, at one step, and neither comes of the other."""
    ways = [_way_made(site, text) for text in (old, new)]
    if ways[0] is None or ways[1] is None:
        return _in_open_range(site, old) and _in_open_range(site, new)
    return new not in ways[0] and old not in ways[1] and bool(ways[0] & ways[1])


def _in_open_range(site: Site, text: str) -> bool:
    """Whether all values lie between -1 and 1, as those of activations do."""
    value = site.arrays[text]
    return value.size > 0 and bool(np.all(np.abs(value) < 1)) and bool(np.any(value != 0))


def _way_made(site: Site, text: str) -> frozenset[str] | None:
    """What a variable is computed from in this function, in one turn of the loop; None where it is not computed."""
    made: dict[str, set[str]] = {}
    for one in statements_of(site.function):
        target = target_of(one)
        if target is None or isinstance(one, ast.AugAssign):
            continue
        reads = {part.id for part in ast.walk(getattr(one, "value", target)) if isinstance(part, ast.Name)}
        made.setdefault(ast.unparse(target), set()).update(reads)
    if text not in made:
        return None
    found, left = set(made[text]), list(made[text])
    while left:
        name = left.pop()
        if name != text and not site.is_carried(name):
            fresh = made.get(name, set()) - found
            found |= fresh
            left += fresh
    return frozenset(found)
