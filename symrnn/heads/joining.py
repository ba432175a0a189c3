"""A cell and a head as one cell: its last state is the loss of the step, or its output; a target is one more input."""

from __future__ import annotations

import ast
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from symrnn.heads.library import Head
from symrnn.language.recurrence import Cell
from symrnn.variants.draft import Draft, DraftLine
from symrnn.variants.expressions import name as name_of
from symrnn.variants.expressions import names_in, replace_names

_MEANINGS = {"V": "readout", "b": "biases"}
_SIZES = ("d_y", "d_z", "d_w")
"""What the sizes of readouts are called, one after the other: of several heads each has its own."""


@dataclass(frozen=True)
class JoinedCell:
    """A cell with a head behind it.

    Attributes:
        cell: both as one cell.
        core: the cell alone.
        heads: what stands behind it, in order; the last is the one that the names are of.
        names: what the head's own names are in the joint cell: `V`, `b_y`, `k`, `l`.
        sizes: the names of the numbers of entries that are read out, for each head that reads out.
    """

    cell: Cell
    core: Cell
    heads: tuple[Head, ...]
    names: Mapping[str, str]
    sizes: tuple[str, ...]

    @property
    def head(self) -> Head:
        """The last head."""
        return self.heads[-1]

    @property
    def reference(self) -> str:
        """What `symrnn derive` is given to derive it."""
        return " --head ".join([self.core.name, *(head.name for head in self.heads)])


def with_head(cell: Cell | str | JoinedCell, head: Head, size: str = "") -> JoinedCell:
    """Join a head to a cell.

    Args:
        cell: the cell, or its name, or a cell with heads behind it already; the head reads the cell's first state.
        head: the head.
        size: the number of entries that are read out, where it is one of the cell's own sizes, such as `d_h`.
    """
    draft = Draft.of("with_head", cell.cell if isinstance(cell, JoinedCell) else cell)
    lines = [ast.parse(line).body[0] for line in head.lines]
    values = [(line.targets[0].id, line.value) for line in lines if isinstance(line, ast.Assign)]  # type: ignore[attr-defined]
    read = dict.fromkeys([*(name for name, _ in values), *(name for _, value in values for name in names_in(value))])
    # `h` is what the two have in common, so it gets the state's name and no fresh one.
    names = _fresh_names([name for name in read if name != "h"], draft.names)
    put = {own: name_of(new) for own, new in {**names, "h": draft.states[0]}.items()}
    own = draft.origin.sizes
    # Of several heads each reads out a number of entries of its own, unless the caller says that it is one of the
    # cell's.
    size = size or next(name for name in _SIZES if name not in own)
    width = size if head.reads_out else _width_of(draft)
    target = {names["k"]: width} if "k" in names else {}
    output = names[head.output]
    joined = replace(
        draft,
        positional={**draft.positional, **target, output: "()" if head.has_loss else width},
        lines=(*draft.lines, *(DraftLine(names[name], replace_names(value, put)) for name, value in values)),
        states=(*draft.states, output),
    )
    # Only the bias says its size: the shape of V follows from it and from the state that V multiplies.
    for name, annotation in (("V", None), ("b_y", size)) if head.reads_out else ():
        joined = joined.with_parameter(names[name], None, _MEANINGS[name[0]], annotation)
    joined = joined.said(head.name.replace("-", "_"), f"behind it {head.title}")
    sizes = (size,) if head.reads_out and size not in own else ()
    if isinstance(cell, JoinedCell):
        return JoinedCell(joined.cell(), cell.core, (*cell.heads, head), names, (*cell.sizes, *sizes))
    return JoinedCell(joined.cell(), draft.origin, (head,), names, sizes)


def _width_of(draft: Draft) -> str:
    """The size of the first state, as an annotation."""
    return draft.origin.shape_names(draft.states[0])[0]


def _fresh_names(wanted: Collection[str], taken: Collection[str]) -> dict[str, str]:
    """A name for each of the head's own, none of which the cell uses."""
    # In the language `h_prev` is the earlier value of the state `h`, so it is taken wherever `h` is a state.
    used, found = {*taken, *(f"{name}_prev" for name in taken)}, {}
    for name in wanted:
        stem, _, index = name.partition("_")
        # The head's own name, where it is free, reads best; then one with the index of a readout; then numbers, of
        # which one more than there are names is always free.
        ways = [name, *(f"{stem}_{index or 'y'}{number or ''}" for number in range(len(used) + 1))]
        found[name] = next(way for way in ways if way not in used)
        used.add(found[name])
    return {name: found[name] for name in wanted}
