"""Sizes that rows are cut at: written in the cell's own sizes, and where their numbers are found.

`a[:H]` cuts at a size that the equations show to be d_h; `Definition.measures` says that d_h is the length of h.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from dataclasses import replace

from symrnn.algebra.shapes import Size
from symrnn.errors import ShapeError
from symrnn.freezing import Frozen
from symrnn.language.definition import Definition, Measure
from symrnn.language.inference import Inference


def cut_names(definition: Definition) -> set[str]:
    """The names of sizes at which rows are cut."""
    bounds = (bound for line in definition.assignments for bound in _bounds(line.value))
    return {node.id for bound in bounds for node in ast.walk(bound) if isinstance(node, ast.Name)}


def _bounds(value: ast.expr) -> Iterator[ast.expr]:
    for node in ast.walk(value):
        if isinstance(node, ast.Slice):
            yield from (bound for bound in (node.lower, node.upper) if bound is not None)


def measured(definition: Definition, inference: Inference) -> Definition:
    """The definition with every cut at the cell's own sizes, and where these are found.

    Args:
        definition: the definition.
        inference: its shapes, known.

    Raises:
        ShapeError: no argument tells a size.
    """
    names = cut_names(definition)
    if not names:
        return definition
    resolved = _Resolved(inference)
    # Copies: a syntax tree is shared by all who hold the definition, and is rewritten here.
    lines = tuple(replace(line, value=resolved.visit(copy.deepcopy(line.value))) for line in definition.assignments)
    written = replace(definition, assignments=lines)
    measures = {name: _measure(name, written, inference) for name in sorted(cut_names(written))}
    return replace(written, measures=Frozen(measures))


def _measure(name: str, definition: Definition, inference: Inference) -> Measure:
    for times in range(1, 65):
        wanted = Size.of(name).times(times)
        for argument in definition.arguments:
            for axis, size in enumerate(inference.shape_of(argument.name)):
                # A multiple will do: four gates in one matrix have 4 d_h rows, and d_h of them may be found nowhere
                # else.
                if size.resolved() == wanted:
                    return Measure(argument.name, axis, times)
    bound = next(b for line in definition.assignments for b in _bounds(line.value) if name in ast.unparse(b))
    problem = f"no argument has {name} rows or columns"
    raise ShapeError(definition.place(bound), problem, 'annotate the argument that has, as in W: "d_h, d_x"')


class _Resolved(ast.NodeTransformer):
    """Writes the sizes that rows are cut at as the cell names them."""

    def __init__(self, inference: Inference) -> None:
        self._inference = inference

    def visit_Slice(self, node: ast.Slice) -> ast.Slice:
        lower, upper = (None if b is None else self._written(b) for b in (node.lower, node.upper))
        return ast.copy_location(ast.Slice(lower, upper), node)

    def _written(self, bound: ast.expr) -> ast.expr:
        text = str(self._inference.size(bound).resolved()) or "0"
        new = ast.parse(text, mode="eval").body
        for node in ast.walk(new):
            if isinstance(node, ast.expr):
                ast.copy_location(node, bound)
        return new
