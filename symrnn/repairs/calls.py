"""Calls that are others than they should be: a mean for a sum, a clip, ones for zeros, an activation too many."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from symrnn.repairs.edits import SourceEdit, TreePlace, read_expression
from symrnn.repairs.factors import is_one_minus
from symrnn.repairs.site import Site, name_of

_NOISE = ("random", "randn", "rand", "normal", "uniform", "standard_normal", "copy", "array")
_CLIPS = ("clip", "minimum", "maximum", "nan_to_num", "round", "sign")
_HANDING_ON = ("copy", "array", "asarray", "float", "len", "range", "reversed", "sum", "mean", "zeros", "zeros_like")


def mend_calls(site: Site) -> Iterator[SourceEdit]:
    """One call in the place of another, or what it was given."""
    for slot in site.parts:
        node = slot.node
        if isinstance(node, ast.Call):
            yield from _sums(site, slot)
            yield from _zeros(site, slot)
            yield from _unclipped(site, slot)
            yield from _order_of_steps(site, slot)
    yield from _bare_arguments(site)


def _sums(site: Site, slot: TreePlace) -> Iterator[SourceEdit]:
    name = name_of(slot.node)
    if name in ("mean", "average"):
        yield site.edit("mean-for-sum", 1, (slot, _renamed(slot.node, "sum")))
    elif name == "sum":
        yield site.edit("mean-for-sum", 1, (slot, _renamed(slot.node, "mean")))
    if name in ("sum", "mean") and isinstance(slot.node.func, ast.Attribute):
        yield from _summed_whole(site, slot)


def _summed_whole(site: Site, slot: TreePlace) -> Iterator[SourceEdit]:
    """`d.sum(axis=(0, 1))` for `d[:, -1].sum(axis=0)`: one step in the place of the sum over all."""
    call = slot.node
    part = call.func.value
    if not isinstance(part, ast.Subscript):
        return
    whole = site.arrays.get(ast.unparse(part.value))
    own = site.shape_of(part)
    if whole is None or own is None or whole.ndim != len(own) + 1:
        return
    for count in range(2, whole.ndim + 1):
        axes = tuple(range(count))
        new = read_expression(f"{ast.unparse(part.value)}.sum(axis={axes})")
        yield site.edit("missing-accumulation", 2, (slot, new))


def _zeros(site: Site, slot: TreePlace) -> Iterator[SourceEdit]:
    name = name_of(slot.node)
    if name in ("ones", "empty", "full"):
        kept = ast.Call(slot.node.func, slot.node.args[:1], [one for one in slot.node.keywords if one.arg == "dtype"])
        yield site.edit("bad-accumulator", 1, (slot, _renamed(kept, "zeros")))
    elif name in ("ones_like", "empty_like", "full_like"):
        yield site.edit("bad-accumulator", 1, (slot, _renamed(slot.node, "zeros_like")))
    elif name in _NOISE and site.shape:
        new = read_expression(f"{_module(slot.node)}zeros({site.shape})")
        yield site.edit("bad-accumulator", 1, (slot, new))


def _unclipped(site: Site, slot: TreePlace) -> Iterator[SourceEdit]:
    call = slot.node
    if name_of(call) not in _CLIPS:
        return
    inner = [*call.args]
    if isinstance(call.func, ast.Attribute) and not _is_module(call.func.value):
        inner = [call.func.value, *inner]
    for one in inner:
        if not isinstance(one, ast.Constant):
            yield site.edit(name_clip(site), 1, (slot, one))


def name_clip(site: Site) -> str:
    """The class of a clip: of what is handed from step to step, or of the gradients that are returned."""
    carried = any(_counts_steps(loop) for loop in site.loops)
    return "clipped-in-recursion" if carried else "clipped"


def _counts_steps(loop: Any) -> bool:
    """Whether a loop goes over numbers, as one over time does; one over a list of gradients does not."""
    call = getattr(loop, "iter", None)
    while isinstance(call, ast.Subscript):
        call = call.value
    return isinstance(loop, ast.While) or (
        isinstance(call, ast.Call) and name_of(call) in ("range", "reversed", "enumerate", "zip", "arange")
    )


def _order_of_steps(site: Site, slot: TreePlace) -> Iterator[SourceEdit]:
    """`xs.insert(0, x)` for `xs.append(x)`: steps in the wrong order."""
    call = slot.node
    if name_of(call) == "append" and len(call.args) == 1:
        yield site.edit("wrong-time-index", 1, (slot, _called(call, "insert", [ast.Constant(0), *call.args])))
    elif name_of(call) == "insert" and len(call.args) == 2:
        yield site.edit("wrong-time-index", 1, (slot, _called(call, "append", call.args[1:])))


def _bare_arguments(site: Site) -> Iterator[SourceEdit]:
    """An activation too many, everywhere in the statement at once: `h` for `np.tanh(h)`."""
    found: dict[str, list[TreePlace]] = {}
    for slot in site.parts:
        node = slot.node
        if (
            isinstance(node, ast.Call)
            and len(node.args) == 1
            and not node.keywords
            and name_of(node) not in _HANDING_ON
        ):
            found.setdefault(ast.unparse(node), []).append(slot)
    for places in found.values():
        tag = "derivative-at-output" if any(map(_is_in_slope, places)) else "extra-factor"
        if name_of(places[0].node) not in (*_CLIPS, "square", "exp", "log", "sqrt"):
            yield site.edit(tag, 1, *((place, place.node.args[0]) for place in places))


def activate(site: Site) -> Iterator[SourceEdit]:
    """An activation that is missing around a value, everywhere in the statement at once: `np.tanh(c)` for `c`."""
    functions = {
        ast.unparse(node.func)
        for node in ast.walk(site.function)
        if isinstance(node, ast.Call) and len(node.args) == 1 and not node.keywords and name_of(node) not in _HANDING_ON
    } | {"np.tanh"}
    places: dict[str, list[TreePlace]] = {}
    for slot in site.named:
        if site.is_data(ast.unparse(slot.node)):
            places.setdefault(ast.unparse(slot.node), []).append(slot)
    for text, found in places.items():
        tag = "derivative-at-preactivation" if any(map(_is_in_slope, found)) else "wrong-operand"
        for function in sorted(functions):
            new = read_expression(f"{function}({text})")
            yield site.edit(tag, 4, *((place, new) for place in found))
            if len(found) > 1:
                for place in found:
                    yield site.edit(tag, 4, (place, new))


def _is_in_slope(slot: TreePlace) -> bool:
    return any(is_one_minus(node) or isinstance(node, ast.Compare) for node in slot.above)


def _renamed(call: ast.Call, name: str) -> ast.Call:
    return _called(call, name, call.args)


def _called(call: ast.Call, name: str, arguments: Any) -> ast.Call:
    own = call.func
    function = (
        ast.Attribute(own.value, name, ast.Load()) if isinstance(own, ast.Attribute) else ast.Name(name, ast.Load())
    )
    return ast.Call(function, list(arguments), list(call.keywords))


def _module(call: ast.Call) -> str:
    """What stands before a function's name: `np.`, also for `np.random.randn`."""
    node: Any = call.func
    while isinstance(node, ast.Attribute):
        node = node.value
    return f"{node.id}." if isinstance(call.func, ast.Attribute) and isinstance(node, ast.Name) else ""


def _is_module(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id in ("np", "numpy", "torch", "jnp", "cp", "math")
