"""A statement that may be mended, with all that is known of what it can see."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from symrnn.arrays import Array
from symrnn.repairs.code import FunctionNode
from symrnn.repairs.edits import Change, SourceEdit, TreePlace, slots
from symrnn.repairs.sights import Sight, Sights, is_reference, statements_of, target_of

Shape = tuple[int, ...]
_LOOPS = (ast.For, ast.While)
_KEEPS_SHAPE = frozenset(
    "tanh sigmoid exp log square sqrt abs copy clip maximum minimum negative sign array asarray expit relu".split()
)
"""Functions whose result has the shape of their argument, by the names that people give them."""


@dataclass(frozen=True)
class Site:
    """A statement, and what is around it.

    Attributes:
        statement: the statement.
        block: the list of statements that it stands in, as a place.
        loops: the loops around it, the innermost last.
        function: the function that it is in.
        sights: what the statements saw in a run.
        cotangents: what backward was handed.
        factors: numbers by which some wrong gradient is too large, as measured.
        root: the part of the statement that may be mended; None for all of it.
    """

    statement: ast.stmt
    block: TreePlace
    loops: tuple[ast.stmt, ...]
    function: Any
    sights: Sights
    cotangents: Sequence[Array] = ()
    factors: Sequence[float] = ()
    root: TreePlace | None = None

    @cached_property
    def value(self) -> TreePlace | None:
        """What is assigned, returned or handed over, if that is one expression."""
        if self.root is not None:
            return self.root
        has_one = getattr(self.statement, "value", None) is not None
        return TreePlace(self.statement, "value", None, (self.statement,)) if has_one else None

    def split(self) -> list[Site]:
        """The entries of a tuple or dict, or the arguments of a call, as what may be mended one by one."""
        whole = self.value
        if whole is None:
            return []
        node = whole.node
        field = "elts" if isinstance(node, ast.Tuple | ast.List) else "values" if isinstance(node, ast.Dict) else "args"
        if field == "args" and not isinstance(node, ast.Call):
            return []
        inner = (*whole.above, node)
        return [replace(self, root=TreePlace(node, field, place, inner)) for place in range(len(getattr(node, field)))]

    @cached_property
    def arrays(self) -> Mapping[str, Array]:
        """Text -> value, of what can be named here; those of the first time that the statement ran."""
        return self.sights.arrays(self.statement)

    @cached_property
    def seen(self) -> list[Sight]:
        """The executions of the statement."""
        return self.sights.of.get(self.statement, [])

    @cached_property
    def known(self) -> Mapping[str, ast.expr]:
        """Text -> what the function names, where it has a value of floating-point numbers here."""
        found = self.sights.references.get(self.function, {})
        return {text: node for text, node in found.items() if text in self.arrays and self.is_data(text)}

    @cached_property
    def parts(self) -> list[TreePlace]:
        """Every expression in the statement that is read; what a compound statement contains is not in it."""
        root = self.root
        every = list(slots(self.statement)) if root is None else [root, *slots(root.node, root.above)]
        found = [one for one in every if not isinstance(getattr(one.node, "ctx", None), ast.Store)]
        stored = [one.node for one in every if isinstance(getattr(one.node, "ctx", None), ast.Store)]
        inside = {id(part) for node in stored for part in ast.walk(node)}
        return [one for one in found if id(one.node) not in inside]

    @cached_property
    def named(self) -> list[TreePlace]:
        """The longest names in it: `hs[t - 1]`, and not the `hs` in it; of `d.sum(0)` it is `d`."""
        called = {id(one.node) for one in self.parts if isinstance(one.owner, ast.Call) and one.field == "func"}
        return [
            one
            for one in self.parts
            if is_reference(one.node)
            and id(one.node) not in called
            and not (is_reference(one.owner) and one.field == "value" and id(one.owner) not in called)
        ]

    @cached_property
    def shape(self) -> Shape | None:
        """The shape of what the statement assigns."""
        own = None if self.value is None else self.shape_of(self.value.node)
        if own is not None or self.root is not None:
            return own
        after = next((one.after for one in self.seen if one.after is not None), None)
        return None if after is None else after.shape

    @property
    def is_counter(self) -> bool:
        """Whether what is assigned is a whole number, as a counter of a loop is."""
        return any(one.after is not None and one.after.dtype.kind != "f" for one in self.seen)

    @property
    def is_worded(self) -> bool:
        """Whether a text is assigned, such as the path of a file."""
        return self.target in self.sights.worded.get(self.function, ())

    @property
    def target(self) -> str:
        """The text of what is assigned; empty if there is not one thing."""
        place = target_of(self.statement)
        return "" if place is None else ast.unparse(place)

    def is_data(self, text: str) -> bool:
        """Whether a name has floating-point numbers."""
        value = self.arrays.get(text)
        return value is not None and value.dtype.kind == "f"

    def of_shape(self, shape: Shape | None) -> Iterator[tuple[str, ast.expr]]:
        """What can be named here and has this shape, the names alone before their attributes and entries.

        Sums that a loop adds to are last: they are read when it has ended.
        """
        if shape is None:
            return
        found = [(text, node) for text, node in self.known.items() if self.arrays[text].shape == shape]
        yield from sorted(found, key=lambda pair: (pair[0] in self.sums, not isinstance(pair[1], ast.Name)))

    @cached_property
    def sums(self) -> frozenset[str]:
        """What the loops around it add to."""
        inside = [one for loop in self.loops for one in statements_of(loop)]
        return frozenset(ast.unparse(one.target) for one in inside if isinstance(one, ast.AugAssign))

    @cached_property
    def indices(self) -> list[str]:
        """The variables that the loops around it count with."""
        found = []
        for loop in self.loops[::-1]:
            target = getattr(loop, "target", None)
            if target is not None:
                names = (one.id for one in ast.walk(target) if isinstance(one, ast.Name))
                found += [name for name in names if name in self.arrays and self.arrays[name].dtype.kind == "i"]
        return found

    def is_carried(self, text: str) -> bool:
        """Whether a name hands a value from one turn of a loop to the next: it is set before the loop and in it."""
        known = self.sights.carried
        for loop in self.loops:
            if loop not in known:
                known[loop] = carried_by(self.function, loop)
        return any(text in known[loop] for loop in self.loops)

    def is_cotangent(self, text: str) -> bool:
        """Whether a name holds a part of what backward was handed: random numbers tell it."""
        value = self.arrays.get(text)
        return value is not None and value.size > 0 and any(np.isin(value, one).all() for one in self.cotangents)

    def shape_at(self, slot: TreePlace) -> Shape | None:
        """The shape of what stands in a place of the statement: that of its whole value is seen when it has run."""
        return self.shape if slot == self.value else self.shape_of(slot.node)

    def edit(self, tag: str | Callable[[], str], cost: int, *changes: tuple[TreePlace, Any]) -> SourceEdit:
        """A way to mend the statement."""
        made = tuple(Change(slot, new) for slot, new in changes)
        for one in (one for change in made if isinstance(change.new, list) for one in change.new):
            ast.fix_missing_locations(one)
        line = getattr(changes[0][0].node, "lineno", self.statement.lineno)
        return SourceEdit(tag if callable(tag) else lambda: str(tag), self.statement, made, cost, line)

    def shape_of(self, node: ast.expr) -> Shape | None:
        """The shape of an expression's value, as far as it can be told from those of the names in it."""
        if is_reference(node):
            value = self.arrays.get(ast.unparse(node))
            return None if value is None else value.shape
        if isinstance(node, ast.Constant):
            return () if isinstance(node.value, int | float) else None
        if isinstance(node, ast.UnaryOp):
            return self.shape_of(node.operand)
        if isinstance(node, ast.Attribute) and node.attr == "T":
            inner = self.shape_of(node.value)
            return None if inner is None else inner[::-1]
        if isinstance(node, ast.BinOp):
            return self._shape_of_pair(node)
        return self._shape_of_call(node) if isinstance(node, ast.Call) else None

    def _shape_of_pair(self, node: ast.BinOp) -> Shape | None:
        left, right = self.shape_of(node.left), self.shape_of(node.right)
        if isinstance(node.op, ast.MatMult):
            return multiplied(left, right)
        if left is None or right is None:
            return left or right
        try:
            return tuple(np.broadcast_shapes(left, right))
        except ValueError:
            return None

    def _shape_of_call(self, node: ast.Call) -> Shape | None:
        name = name_of(node)
        if name == "dot":
            operands = list(node.args)
            if isinstance(node.func, ast.Attribute) and len(operands) == 1:
                operands = [node.func.value, *operands]
            return multiplied(*map(self.shape_of, operands)) if len(operands) == 2 else None
        if name in _KEEPS_SHAPE and node.args:
            return self.shape_of(node.args[0])
        return None


def name_of(call: ast.Call) -> str:
    """The last name of what is called: `sum` for `np.sum`."""
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def is_zeros(node: Any) -> bool:
    """Whether an expression is zero as written: the number, or a call that makes an array of zeros."""
    if isinstance(node, ast.Call):
        return name_of(node) in ("zeros", "zeros_like")
    return isinstance(node, ast.Constant) and node.value == 0


def calls_any(node: ast.AST, *names: str) -> bool:
    """Whether there is a call in a node of something whose last name is one of these."""
    return any(isinstance(one, ast.Call) and name_of(one) in names for one in ast.walk(node))


def find_sites(
    functions: Sequence[Any], sights: Sights, cotangents: Sequence[Array], factors: Sequence[float]
) -> Iterator[Site]:
    """Every statement of these functions that ran."""
    for function in functions:
        for slot, loops in _blocks(function, (), ()):
            if sights.ran(slot.node):
                yield Site(slot.node, slot, loops, function, sights, cotangents, factors)


def carried_by(function: ast.AST, loop: ast.stmt) -> frozenset[str]:
    """What is set anew in every turn of a loop, and was set before it."""
    before: set[str] = set()
    for one in statements_of(function):
        if one is loop:
            break
        before |= _assigned(one)
    inside = {text for one in statements_of(loop) for text in _assigned(one) if not isinstance(one, ast.AugAssign)}
    return frozenset(before & inside)


def _assigned(statement: ast.stmt) -> set[str]:
    if isinstance(statement, ast.AugAssign | ast.AnnAssign):
        return {ast.unparse(statement.target)}
    if not isinstance(statement, ast.Assign):
        return set()
    found = set()
    for target in statement.targets:
        parts = target.elts if isinstance(target, ast.Tuple | ast.List) else [target]
        found |= {ast.unparse(part) for part in parts}
    return found


def _blocks(
    node: Any, loops: tuple[ast.stmt, ...], above: tuple[ast.AST, ...]
) -> Iterator[tuple[TreePlace, tuple[ast.stmt, ...]]]:
    inner = (*above, node)
    around = (*loops, node) if isinstance(node, _LOOPS) else loops
    for name in ("body", "orelse", "finalbody", "handlers", "cases"):
        for index, one in enumerate(getattr(node, name, [])):
            if isinstance(one, FunctionNode | ast.ClassDef):
                continue
            if isinstance(one, ast.stmt):
                yield TreePlace(node, name, index, inner), around
            yield from _blocks(one, around, inner)


def multiplied(left: Shape | None, right: Shape | None) -> Shape | None:
    """The shape of a matrix product; None where there is none."""
    if not left or not right or left[-1] != right[0 if len(right) == 1 else -2]:
        return None
    return (*left[:-1], *right[:-2], *right[-1:][: len(right) - 1])
