"""Statements that run too often, too seldom, or should be others: sums over steps, loops, conditions."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from symrnn.repairs.calls import name_clip
from symrnn.repairs.edits import SourceEdit, TreePlace, read_expression
from symrnn.repairs.operands import moved
from symrnn.repairs.sights import statements_of
from symrnn.repairs.site import Site, calls_any, is_zeros, name_of
from symrnn.repairs.terms import name_term


def accumulate(site: Site) -> Iterator[SourceEdit]:
    """`+=` for `=`, and the other way round; sums into places that occur twice."""
    one: Any = site.statement
    if site.root is not None:
        return
    if isinstance(one, ast.Assign) and len(one.targets) == 1 and not isinstance(one.targets[0], ast.Tuple):
        place = one.targets[0]
        if isinstance(place, ast.Name | ast.Subscript | ast.Attribute) and _is_held(site, place):
            tag = "missing-accumulation" if _is_sum(site) else name_term(site, site.target)
            yield site.edit(tag, 1, (site.block, [ast.AugAssign(place, ast.Add(), one.value)]))
    elif isinstance(one, ast.AugAssign) and not site.is_counter:
        yield site.edit("double-counted", 2, (site.block, [ast.Assign([one.target], one.value)]))
        sliced = any(isinstance(part, ast.Slice) for part in ast.walk(one.target))
        if isinstance(one.target, ast.Subscript) and isinstance(one.op, ast.Add) and not sliced:
            owner, index = ast.unparse(one.target.value), ast.unparse(one.target.slice)
            text = f"np.add.at({owner}, {index}, {ast.unparse(one.value)})"
            yield site.edit("missing-accumulation", 3, (site.block, ast.parse(text).body))


def _is_held(site: Site, place: ast.expr) -> bool:
    """Whether there is something in a place before the statement runs."""
    return not isinstance(place, ast.Name) or place.id in site.arrays


def _is_sum(site: Site) -> bool:
    """Whether a variable is the sum of a gradient: nothing reads it in the loop that sets it, or before it returns."""
    around = site.loops[-1:] or [one for one in statements_of(site.function) if not isinstance(one, ast.Return)]
    read = [
        node
        for one in around
        for node in ast.walk(one)
        if isinstance(node, ast.expr) and isinstance(getattr(node, "ctx", None), ast.Load)
    ]
    return all(ast.unparse(node) != site.target for node in read)


def always(site: Site) -> Iterator[SourceEdit]:
    """What is done under a condition, done always."""
    for slot in site.parts:
        if isinstance(slot.node, ast.IfExp) and _depends_on_numbers(site, slot.node.test):
            for inner in (slot.node.body, slot.node.orelse):
                yield site.edit("missing-accumulation", 1, (slot, inner))
    one = site.statement
    if isinstance(one, ast.If) and site.root is None and _depends_on_numbers(site, one.test):
        for body in (one.body, one.orelse):
            edit = site.edit(_name_condition(site, one, body), 1, (site.block, list(body)))
            # What is wrong is what happens too seldom, if that is one statement.
            yield replace(edit, line=body[0].lineno) if len(body) == 1 else edit


def _depends_on_numbers(site: Site, test: ast.expr) -> bool:
    """Whether a condition is about steps or values; one about a switch is there on purpose."""
    return any(ast.unparse(node) in site.arrays for node in ast.walk(test) if isinstance(node, ast.expr))


def _name_condition(site: Site, one: ast.If, kept: list[ast.stmt]) -> str:
    gone = one.orelse if kept is one.body else one.body
    if calls_any(one, "clip", "norm"):
        return name_clip(site)
    resets = any(isinstance(part, ast.Assign) and is_zeros(part.value) for part in gone)
    modulo = any(isinstance(node, ast.Mod) for node in ast.walk(one.test))
    return "truncated" if resets and modulo else "recurrent-path-cut" if resets else "missing-accumulation"


def delete(site: Site) -> Iterator[SourceEdit]:
    """A statement that should not be there: a clip in place, a reset, a term added twice."""
    one: Any = site.statement
    if site.root is not None:
        return
    if isinstance(one, ast.Expr) and isinstance(one.value, ast.Call):
        clip = name_of(one.value) in ("clip", "copyto", "minimum", "maximum")
        yield site.edit(name_clip(site) if clip else "extra-path", 1, (site.block, []))
    elif isinstance(one, ast.For):
        if calls_any(one, "clip", "norm", "minimum"):
            yield site.edit(name_clip(site), 1, (site.block, []))
    elif isinstance(one, ast.AugAssign) and not site.is_counter:
        tag = "double-counted" if _repeats(site) else "extra-factor" if isinstance(one.op, ast.Mult) else "extra-path"
        yield site.edit(tag, 2, (site.block, []))
    elif isinstance(one, ast.Assign) and is_zeros(one.value) and site.loops and site.is_carried(site.target):
        yield site.edit("recurrent-path-cut", 1, (site.block, []))
    elif isinstance(one, ast.Assign) and site.target in site.arrays:
        yield site.edit(_name_deleted(site), 2, (site.block, []))


def _name_deleted(site: Site) -> str:
    value = getattr(site.statement, "value", None)
    return name_clip(site) if value is not None and calls_any(value, "clip", "norm") else "extra-factor"


def _repeats(site: Site) -> bool:
    own = ast.unparse(site.statement)
    others = [one for one in ast.walk(site.function) if isinstance(one, ast.AugAssign) and one is not site.statement]
    return any(ast.unparse(one) == own for one in others)


_WITH_EQUAL: dict[type[ast.cmpop], type[ast.cmpop]] = {ast.Gt: ast.GtE, ast.Lt: ast.LtE}
"""What a loop goes on with for one turn more."""


def loops(site: Site) -> Iterator[SourceEdit]:
    """Loops over more steps than they go over."""
    one = site.statement
    if isinstance(one, ast.While) and isinstance(one.test, ast.Compare) and len(one.test.ops) == 1:
        other = _WITH_EQUAL.get(type(one.test.ops[0]))
        if other is not None:
            test = ast.Compare(one.test.left, [other()], list(one.test.comparators))
            yield site.edit("missing-accumulation", 2, (TreePlace(one, "test", None, (one,)), test))
    if not isinstance(one, ast.For):
        return
    for node, slot in _ranges(one):
        start, stop, step = _padded(node.args)
        for arguments in _other_ranges(start, stop, step):
            yield site.edit("missing-accumulation", 2, (slot, ast.Call(node.func, arguments, [])))
    whole = TreePlace(one, "iter", None, (one,))
    for turned in _other_way(one.iter):
        yield site.edit("wrong-time-index", 2, (whole, turned))


def _other_way(node: ast.expr) -> Iterator[ast.expr]:
    """The same turns of a loop in the other order."""
    if not isinstance(node, ast.Call):
        return
    if name_of(node) == "reversed":
        yield node.args[0]
    elif name_of(node) == "range" and not node.keywords:
        start, stop, step = _padded(node.args)
        if step is None:
            yield ast.Call(node.func, [moved(stop, -1), moved(start, -1), read_expression("-1")], [])
        elif ast.unparse(step) == "-1":
            yield ast.Call(node.func, [moved(stop, 1), moved(start, 1)], [])


def _ranges(loop: ast.For) -> Iterator[tuple[Any, TreePlace]]:
    inside = [(TreePlace(loop, "iter", None, (loop,)))]
    while inside:
        slot = inside.pop()
        node = slot.node
        if isinstance(node, ast.Call) and name_of(node) == "range" and not node.keywords:
            yield node, slot
        elif isinstance(node, ast.Call):
            inside += [TreePlace(node, "args", place, (*slot.above, node)) for place in range(len(node.args))]
        elif isinstance(node, ast.Subscript):
            inside.append(TreePlace(node, "value", None, (*slot.above, node)))


def _padded(arguments: list[ast.expr]) -> tuple[ast.expr, ast.expr, ast.expr | None]:
    """Where a range starts, stops, and its step."""
    if len(arguments) == 1:
        return ast.Constant(0), arguments[0], None
    return arguments[0], arguments[1], arguments[2] if len(arguments) > 2 else None


def _other_ranges(start: ast.expr, stop: ast.expr, step: ast.expr | None) -> Iterator[list[ast.expr]]:
    """The arguments of ranges that go one step further at either end, or to the first step."""
    more = [] if step is None else [step]
    sign = -1 if step is not None and ast.unparse(step).startswith("-") else 1
    yield [start, moved(stop, sign), *more]
    yield [moved(start, -sign), stop, *more]
    yield [moved(start, -sign), moved(stop, sign), *more]
    yield [start, read_expression("-1"), *more] if sign < 0 else [ast.Constant(0), stop, *more]


def one_hot(site: Site) -> Iterator[SourceEdit]:
    """The target's own entry less one, where probabilities alone are taken for the slope of a cross-entropy."""
    one: Any = site.statement
    if site.root is not None or not isinstance(one, ast.Assign) or not site.target or site.is_counter:
        return
    whole = [
        (text, node)
        for text, node in site.sights.references.get(site.function, {}).items()
        if text in site.arrays and site.arrays[text].dtype.kind == "i"
    ]
    for text, _ in whole:
        yield _less_one(site, f"{site.target}[{text}]")
        yield _less_one(site, f"{site.target}[np.arange(len({text})), {text}]")
    listed = {ast.unparse(node) for node in ast.walk(site.function) if _reads_entry(node)}
    for text in sorted(listed - {pair[0] for pair in whole}):
        yield _less_one(site, f"{site.target}[{text}]")


def _reads_entry(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and not isinstance(node.slice, ast.Slice)
    )


def _less_one(site: Site, place: str) -> SourceEdit:
    body = [site.statement, *ast.parse(f"{place} -= 1").body]
    return site.edit("missing-path", 6, (site.block, body))
