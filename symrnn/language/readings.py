"""Shapes where the usual reading does not fit: another reading of the equations, or what the author probably meant.

`w @ x` is usually a matrix times a vector.  Where only a scalar fits, w is a vector; the first state has d_h entries
unless the equations say otherwise.  A reading that is found is written into the definition as an annotation.  Where
none is found, the slips that newcomers make are tried in turn, and the first that makes the shapes fit is the remedy.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import combinations

from symrnn.algebra.shapes import Sizes, named
from symrnn.errors import CellError, ShapeError, UndeterminedError
from symrnn.language.definition import Argument, Definition
from symrnn.language.heading import heading
from symrnn.language.inference import Inference

_MOST_TRIES = 120  # readings of one cell; each costs as much as reading the cell
_MOST_VECTORS = 3  # vectors where a matrix is usual: the scalar gates of one cell


def infer(definition: Definition) -> tuple[Definition, Inference]:
    """The shapes of a definition, in its usual reading or in the only other one that fits.

    Returns:
        The definition, with annotations for what was read otherwise, and its shapes.

    Raises:
        ShapeError: the shapes contradict each other, or are not determined.
    """
    try:
        return definition, _determined(definition, {})
    except UndeterminedError:
        raise
    except ShapeError as error:
        # Before other readings: without the star the parameters are inputs, and some odd reading may fit these by
        # accident.
        slip = _forgotten_star(definition, error)
        if slip is not None:
            raise slip from None
        try:
            found = _only(definition)
        except ShapeError as undetermined:
            raise undetermined from None
        if found is not None:
            return found, _determined(found, {})
        raise _meant(definition, error) or error from None


def _determined(definition: Definition, ranks: Mapping[str, int | None]) -> Inference:
    """The shapes, every one of them known."""
    inference = Inference(definition, ranks)
    inference.run()
    for name in inference.slots:
        inference.shape_of(name)
    return inference


def _only(definition: Definition) -> Definition | None:
    """The definition with the fewest other readings that fit, where there is one such set and not several.

    Raises:
        ShapeError: nothing contradicts a reading, but it leaves a shape open.
    """
    tries, undetermined = 0, None
    free = _free_state(definition)
    vectors = _factors(definition)
    # The fewest first: the usual reading is the likeliest for every parameter alone.
    for count in range(_MOST_VECTORS + 1):
        fitting: list[Definition] = []
        for chosen in combinations(vectors, count):
            for state in ({}, free) if free else ({},):
                if not chosen and not state:
                    continue
                tries += 1
                if tries > _MOST_TRIES:
                    return None
                ranks: dict[str, int | None] = {**dict.fromkeys(chosen, 1), **state}
                try:
                    inference = _determined(definition, ranks)
                except UndeterminedError as error:
                    undetermined = undetermined or error
                    continue
                except ShapeError:
                    continue
                if not state or _is_told(definition, inference):
                    fitting.append(_annotated(definition, ranks, inference))
                    break
        if fitting:
            # Two that fit equally well would be a guess.
            return fitting[0] if len(fitting) == 1 else None
    if undetermined is not None and _is_outer(definition):
        raise undetermined
    return None


def _is_outer(definition: Definition) -> bool:
    """Whether an outer product goes into the first state, which is a matrix then."""
    equations = (line.value for line in definition.assignments if line.name == definition.returned[0])
    return any(isinstance(n, ast.Call) and ast.unparse(n.func) == "outer" for v in equations for n in ast.walk(v))


def _is_told(definition: Definition, inference: Inference) -> bool:
    """Whether the shape of a first state of its own kind is meant: a matrix, a scalar, or as long as annotations say.

    A state that would be as long as an input is more likely a slip, such as W * x.
    """
    shape = inference.shape_of(definition.returned[0])
    told = {
        name for a in definition.arguments if a.annotation is not None for name in named(inference.shape_of(a.name))
    }
    return len(shape) != 1 or set(named(shape)) <= told


def _free_state(definition: Definition) -> dict[str, None]:
    """The first state, where its shape is not annotated."""
    first = definition.returned[0]
    argument = next(argument for argument in definition.positional if argument.name == first)
    return {first: None} if argument.annotation is None else {}


def _factors(definition: Definition) -> list[str]:
    """The parameters that are a factor of a matrix product, and are not annotated."""
    free = {a.name for a in definition.keyword_only if a.annotation is None and a.default is None}
    found: dict[str, None] = {}
    for line in definition.assignments:
        for node in ast.walk(line.value):
            if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
                sides = (side for side in (node.left, node.right) if isinstance(side, ast.Name))
                found |= {side.id: None for side in sides if side.id in free}
    return list(found)


def _annotated(definition: Definition, ranks: Mapping[str, int | None], inference: Inference) -> Definition:
    """The definition with the shapes found for these arguments."""

    def change(argument: Argument) -> Argument:
        if argument.name not in ranks:
            return argument
        shape = ast.copy_location(ast.Constant(written(inference.shape_of(argument.name))), argument.node)
        return replace(argument, annotation=shape)

    return replace(
        definition,
        positional=tuple(map(change, definition.positional)),
        keyword_only=tuple(map(change, definition.keyword_only)),
    )


def written(shape: Sizes) -> str:
    """A shape as an annotation says it."""
    return ", ".join(str(size.resolved()) for size in shape) or "()"


# --- slips ------------------------------------------------------------------------------------------------------------


def _forgotten_star(definition: Definition, error: ShapeError) -> CellError | None:
    """The parameters stand before the star, or there is none."""
    left = [
        node.left.id
        for line in definition.assignments
        for node in ast.walk(line.value)
        if isinstance(node, ast.BinOp)
        and isinstance(node.op, ast.MatMult | ast.Mult)
        and isinstance(node.left, ast.Name)
    ]
    free = [a for a in definition.inputs if a.annotation is None]
    meant = [a for a in free if a.name in left or a.name[:1].isupper()]
    if not meant or (len(meant) == len(definition.inputs) == 1 and definition.keyword_only):
        return None
    states = [i for i, a in enumerate(definition.positional) if a.name in definition.returned]
    start = definition.positional.index(meant[0])
    after = definition.positional[max(start, max(states, default=0) + 1) :]
    parameters = list(dict.fromkeys([*meant, *(a for a in after if a in free)]))
    kept = [a for a in definition.positional if a not in parameters]
    if not kept:
        return None
    line = heading(definition, kept, [*parameters, *definition.keyword_only])
    problem = f"{meant[0].name!r} stands before the *, where inputs and states are: an input is a vector"
    if not definition.keyword_only:
        problem = f"there is no * before the parameters, so that {meant[0].name!r} is read as an input, a vector"
    return ShapeError(definition.place(meant[0].node), problem, f"put a * before the parameters: {line}")


def _meant(definition: Definition, error: ShapeError) -> CellError | None:
    """The first changes of operators with which the shapes fit, as a remedy."""
    for line, changed, node, new in _changes(definition):
        try:
            _determined(changed, {})
        except CellError:
            continue
        problem = f"the shapes do not fit: {ast.unparse(node)} multiplies entry by entry"
        if isinstance(new, ast.BinOp) and isinstance(new.op, ast.MatMult) and isinstance(node.op, ast.MatMult):
            problem = f"the shapes do not fit: {error.problem.partition(': ')[2]}"
        remedy = f"did you mean {ast.unparse(new)}? write: {line}"
        return ShapeError(definition.place(node), problem, remedy)
    return None


Change = Callable[[ast.BinOp], ast.BinOp]
Changed = tuple[str, Definition, ast.BinOp, ast.expr]


def _changes(definition: Definition) -> Iterator[Changed]:
    """The definition with `*` as `@` in every product with a parameter, or in one, and with two factors swapped."""
    names = {a.name for a in definition.keyword_only if a.annotation is None and a.default is None}
    spots = [(i, n) for i, line in enumerate(definition.assignments) for n in _products(line.value, ast.Mult, names)]
    every = {_spot(node) for _, node in spots if isinstance(node.left, ast.Name) and node.left.id in names}
    # Whoever writes * for @ does so throughout.
    choices = [every] if len(every) > 1 else []
    choices += [{_spot(node)} for _, node in spots]
    for chosen in choices[:_MOST_TRIES]:
        first = next((i, node) for i, node in spots if _spot(node) in chosen)
        yield _changed(definition, first, chosen, _as_product)
    names = {a.name for a in definition.keyword_only if a.annotation is not None}  # others fit as they are, or never
    swapped = [
        (i, n) for i, line in enumerate(definition.assignments) for n in _products(line.value, ast.MatMult, names)
    ]
    for spot in swapped[:_MOST_TRIES]:
        yield _changed(definition, spot, {_spot(spot[1])}, _swapped)


def _products(value: ast.expr, kind: type[ast.operator], names: set[str]) -> list[ast.BinOp]:
    return [
        node
        for node in ast.walk(value)
        if isinstance(node, ast.BinOp) and isinstance(node.op, kind)
        if any(isinstance(side, ast.Name) and side.id in names for side in (node.left, node.right))
    ]


def _as_product(node: ast.BinOp) -> ast.BinOp:
    return ast.BinOp(node.left, ast.MatMult(), node.right)


def _swapped(node: ast.BinOp) -> ast.BinOp:
    return ast.BinOp(node.right, ast.MatMult(), node.left)


Spot = tuple[int, int, int]


def _spot(node: ast.expr) -> Spot:
    """Where a product stands: what tells it from others in a copy of the text."""
    return node.lineno, node.col_offset, node.end_col_offset or 0


class _Replaced(ast.NodeTransformer):
    def __init__(self, chosen: set[Spot], change: Change) -> None:
        self._chosen, self._change = chosen, change

    def visit_BinOp(self, node: ast.BinOp) -> ast.BinOp:
        """The product, changed where it is one of those chosen."""
        self.generic_visit(node)
        wanted = isinstance(node.op, ast.Mult | ast.MatMult) and _spot(node) in self._chosen
        return ast.copy_location(self._change(node), node) if wanted else node


def _changed(definition: Definition, first: tuple[int, ast.BinOp], chosen: set[Spot], change: Change) -> Changed:
    index, node = first
    lines = [
        replace(one, value=_Replaced(chosen, change).visit(copy.deepcopy(one.value))) for one in definition.assignments
    ]
    new = _Replaced({_spot(node)}, change).visit(copy.deepcopy(node))
    line = f"{definition.assignments[index].name} = {ast.unparse(lines[index].value)}"
    return line, replace(definition, assignments=tuple(lines)), node, new
