"""Factors of products that are missing, too many or others than they should be; slopes of activations above all."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

import numpy as np

from symrnn.repairs.edits import SourceEdit, TreePlace, read_expression
from symrnn.repairs.naming import factors_of, joined
from symrnn.repairs.site import Site, name_of

_SLOPES = ("(1 - {0} ** 2)", "{0} * (1 - {0})", "({0} > 0)")
"""The slope of tanh, of the logistic function and of relu, written with the activation's own value."""


def drop_factors(site: Site) -> Iterator[SourceEdit]:
    """A product without one of its factors, a quotient without its divisor."""
    for slot in site.parts:
        node = slot.node
        if not isinstance(node, ast.BinOp):
            continue
        if isinstance(node.op, ast.Mult):
            yield _without(site, slot, node.left, node.right)
            yield _without(site, slot, node.right, node.left)
        elif isinstance(node.op, ast.Div):
            yield site.edit(_name_divisor(site, node.right), 1, (slot, node.left))
    one: Any = site.statement
    if site.root is None and isinstance(one, ast.AugAssign) and isinstance(one.op, ast.Mult | ast.Div):
        yield site.edit("extra-factor", 2, (site.block, []))


def _without(site: Site, slot: TreePlace, kept: ast.expr, gone: ast.expr) -> SourceEdit:
    if isinstance(gone, ast.Constant):
        zero = gone.value == 0
        tag = "recurrent-path-cut" if zero and site.is_carried(site.target) else "zero-gradient" if zero else ""
        return site.edit(tag or "wrong-scale", 1, (slot, kept))
    return site.edit("extra-factor", 2, (slot, kept))


def _name_divisor(site: Site, divisor: ast.expr) -> str:
    """A gradient divided by the number of examples is a mean in the place of a sum."""
    value = site.arrays.get(ast.unparse(divisor))
    return "mean-for-sum" if value is not None and value.dtype.kind == "i" else "wrong-scale"


def multiply(site: Site) -> Iterator[SourceEdit]:
    """One factor more: the slope of an activation, or a value that can be named here."""
    for slot in _factor_places(site):
        shape = site.shape_at(slot)
        if not shape:
            continue
        for text, _ in site.of_shape(shape):
            if not np.any(site.arrays[text]):
                continue
            for factor in _slope_texts(site, text):
                yield _times(site, slot, "missing-derivative", 3, factor)
            if not _has_factor(slot, text):
                tag = "wrong-derivative" if _completes_slope(slot, text) else "missing-factor"
                yield _times(site, slot, tag, 3, text)
            if not _has_factor(slot, f"1 - {text}"):
                tag = "wrong-derivative" if _has_factor(slot, text) else "missing-factor"
                yield _times(site, slot, tag, 3, f"(1 - {text})")
        for text in _broadcast_texts(site, shape):
            if not _has_factor(slot, text):
                yield _times(site, slot, "missing-factor", 4, text)
        for text in _counts(site):
            yield site.edit("missing-factor", 4, (slot, ast.BinOp(slot.node, ast.Div(), read_expression(text))))
        for text in sorted(_calls_in(site)):
            yield _times(site, slot, "missing-factor", 4, text)
            yield _times(site, slot, "missing-derivative", 4, f"(1 - {text} ** 2)")


def scale_after(site: Site) -> Iterator[SourceEdit]:
    """What a statement has changed in place, multiplied or divided in the next: `d *= mask[:, :, None]`, `d /= N`."""
    one: Any = site.statement
    if site.root is not None or not isinstance(one, ast.AugAssign) or site.is_counter:
        return
    place: Any = one.target
    while isinstance(place, ast.Subscript):
        place = place.value
    whole = ast.unparse(place)
    value = site.arrays.get(whole)
    if value is None or not value.ndim or value.dtype.kind != "f":
        return
    for sign, texts in (("*", _broadcast_texts(site, value.shape)), ("/", _counts(site))):
        for text in texts:
            added = ast.parse(f"{whole} {sign}= {text}").body[0]
            yield site.edit("missing-factor", 4, (site.block, [one, added]))


def _broadcast_texts(site: Site, shape: tuple[int, ...]) -> Iterator[str]:
    """What can be named here and is a number, or one for each example or step, as a factor of what has this shape."""
    for text in site.known:
        value = site.arrays[text]
        own = value.shape
        if own == shape or text in site.sums or not np.any(value) or np.all(value == 1):
            continue
        if not own:
            yield text
            yield from [f"(1 - {text})"] if 0 < value < 1 else []
        elif own == shape[: len(own)]:
            yield f"{text}[{', '.join([':'] * len(own) + ['None'] * (len(shape) - len(own)))}]"
        elif len(own) == len(shape) and all(one in (1, other) for one, other in zip(own, shape, strict=True)):
            yield text


def _counts(site: Site) -> Iterator[str]:
    """Whole numbers above 1 that can be named here, such as that of the examples, but for the counters of loops."""
    found = site.sights.references.get(site.function, {})
    for text, node in found.items():
        value = site.arrays.get(text)
        if value is None or value.dtype.kind != "i" or value.ndim or not isinstance(node, ast.Name):
            continue
        if value > 1 and text not in site.indices:
            yield text


def _times(site: Site, slot: TreePlace, tag: str, cost: int, factor: str) -> SourceEdit:
    new = ast.BinOp(slot.node, ast.Mult(), read_expression(factor))
    return site.edit(tag, cost, (slot, new))


def _factor_places(site: Site) -> Iterator[TreePlace]:
    """Where a factor may be missing: whole values, terms of sums, arguments, operands of matrix products."""
    for slot in site.parts:
        owner = slot.owner
        if isinstance(owner, ast.BinOp) and isinstance(owner.op, ast.Mult):
            continue  # a product is multiplied as a whole
        if isinstance(slot.node, ast.Constant) or slot.field in ("func", "slice", "test", "iter", "op"):
            continue
        if isinstance(slot.node, ast.Tuple | ast.List | ast.Dict | ast.Slice) or is_one_minus(slot.node):
            continue
        turned = isinstance(owner, ast.Attribute) and owner.attr == "T"
        if isinstance(owner, ast.Subscript | ast.Attribute | ast.Slice) and not turned:
            continue
        yield slot


def _slope_texts(site: Site, text: str) -> Iterator[str]:
    """The slopes written with a value, if it is one that an activation can have."""
    value = site.arrays[text]
    if np.all(np.abs(value) <= 1):
        yield _SLOPES[0].format(text)
    if np.all((value >= 0) & (value <= 1)):
        yield _SLOPES[1].format(text)
    if np.all(value >= 0) and np.any(value == 0):
        yield _SLOPES[2].format(text)


def _calls_in(site: Site) -> set[str]:
    """The calls of one argument in the function whose value is that of an activation: `np.tanh(c[t])`."""
    found = set()
    for node in ast.walk(site.function):
        if isinstance(node, ast.Call) and len(node.args) == 1 and not node.keywords:
            inner = ast.unparse(node.args[0])
            if inner in site.known and name_of(node) not in ("copy", "zeros_like", "ones_like", "len", "float"):
                found.add(ast.unparse(node))
    return found


def _has_factor(slot: TreePlace, text: str) -> bool:
    return any(ast.unparse(one) == text for one in factors_of(slot.node))


def _completes_slope(slot: TreePlace, text: str) -> bool:
    return any(ast.unparse(one) in (f"1 - {text}", f"1.0 - {text}") for one in factors_of(slot.node))


def is_one_minus(node: Any) -> bool:
    """Whether an expression is `1 - ...` or `1 + ...`: a part of a slope, as people write them."""
    return (
        isinstance(node, ast.BinOp)
        and isinstance(node.op, ast.Sub | ast.Add)
        and isinstance(node.left, ast.Constant | ast.Call)
        and (isinstance(node.left, ast.Constant) or name_of(node.left) in ("F", "float32", "float64", "ones_like"))
    )


def other_slopes(site: Site) -> Iterator[SourceEdit]:
    """Another slope in the place of an expression of one variable: `1 - h ** 2` for `h * (1 - h)`."""
    for slot in site.parts:
        for inner in sorted(_single_names(site, slot.node)):
            for text in (one.format(inner) for one in _SLOPES):
                new = read_expression(text)
                if ast.dump(new) != ast.dump(slot.node):
                    yield site.edit(_name_slope(slot.node, inner), 2, (slot, new))
    for slot in site.parts:  # `x * h * (1 - h)` is (x * h) * (1 - h): its last two factors are replaced together
        node = slot.node
        pair = _last_factors(node)
        if pair is None:
            continue
        rest, one, two = pair
        for inner in sorted(_single_names(site, ast.BinOp(one, ast.Mult(), two))):
            for text in _SLOPES:
                new = ast.BinOp(rest, ast.Mult(), read_expression(text.format(inner)))
                yield site.edit(_name_slope(ast.BinOp(one, ast.Mult(), two), inner), 2, (slot, new))


def _last_factors(node: Any) -> tuple[ast.expr, ast.expr, ast.expr] | None:
    if not (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult)):
        return None
    left = node.left
    if not (isinstance(left, ast.BinOp) and isinstance(left.op, ast.Mult)):
        return None
    return left.left, left.right, node.right


def _name_slope(old: ast.expr, inner: str) -> str:
    """A slope that is right but for a call around its variable is taken at the activation's output."""
    called = {ast.unparse(one) for one in ast.walk(old) if isinstance(one, ast.Call) and len(one.args) == 1}
    if any(text.endswith(f"({inner})") and not text.endswith(f"square({inner})") for text in called):
        return "derivative-at-output"
    return "wrong-derivative"


def _single_names(site: Site, node: ast.expr) -> set[str]:
    """The one variable that a part of a slope is made of, bare and with the call around it; empty where it is none."""
    if not isinstance(node, ast.BinOp | ast.Compare) or (
        isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult | ast.Div)
    ):
        return set()
    names: set[str] = set()
    left: list[ast.AST] = [node]
    while left:
        one = left.pop()
        text = ast.unparse(one) if isinstance(one, ast.expr) else ""
        if text in site.known:
            names.add(text)
        elif isinstance(one, ast.Name) and text not in ("np", "numpy", "F"):
            if text not in site.arrays:
                continue
            return set()
        else:
            left += [part for part in ast.iter_child_nodes(one) if isinstance(part, ast.expr)]
    if len(names) != 1:
        return set()
    (name,) = names
    calls = [one for one in ast.walk(node) if isinstance(one, ast.Call) and len(one.args) == 1]
    return names | {ast.unparse(one) for one in calls if ast.unparse(one.args[0]) == name and name_of(one) != "square"}


def gather(site: Site) -> Iterator[SourceEdit]:
    """`(a + b) * s` for `a * s + b`: the factor is on one of two terms."""
    for slot in site.parts:
        node = slot.node
        if not (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub)) or is_one_minus(node):
            continue
        for own, other, first in ((node.left, node.right, True), (node.right, node.left, False)):
            for kept, factor in _splits(own):
                ends = (kept, other) if first else (other, kept)
                new = ast.BinOp(ast.BinOp(ends[0], node.op, ends[1]), ast.Mult(), factor)
                tag = "missing-derivative" if _is_slope(factor) else "missing-factor"
                yield site.edit(tag, 2, (slot, new))


def _splits(node: ast.expr) -> Iterator[tuple[ast.expr, ast.expr]]:
    """A product as one part and the rest, every way."""
    found = list(factors_of(node))
    if len(found) < 2:
        return
    for count in range(1, len(found)):
        yield joined(found[:count]), joined(found[count:])
    for place in range(len(found) - 1):
        yield joined([*found[:place], *found[place + 1 :]]), found[place]


def _is_slope(node: ast.expr) -> bool:
    return any(is_one_minus(one) or isinstance(one, ast.Compare) for one in ast.walk(node))


def rescale(site: Site) -> Iterator[SourceEdit]:
    """A value divided by the number by which some gradient was measured to be too large."""
    slot = site.value
    if slot is None or site.shape is None or isinstance(slot.node, ast.Tuple | ast.Dict):
        return
    for factor in site.factors:
        number = ast.Constant(factor if factor != int(factor) else int(factor))
        tag = "sign" if factor == -1 else "wrong-scale"
        yield site.edit(tag, 2, (slot, ast.BinOp(slot.node, ast.Div(), number)))
        if isinstance(site.statement, ast.AugAssign) and isinstance(site.statement.target, ast.Subscript):
            owner = ast.unparse(site.statement.target.value)
            body = [site.statement, *ast.parse(f"{owner} /= {ast.unparse(number)}").body]
            yield site.edit(tag, 2, (site.block, body))
