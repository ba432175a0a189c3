"""A layout and an identification in plain words: a line for each array, and what to know about it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import wrap

from symrnn.algebra.nodes import variables
from symrnn.identification.agreement import Match
from symrnn.identification.layout import Layout, ParameterPart
from symrnn.identification.tiles import Dims
from symrnn.paragraphs import WIDTH

_ARRANGED = {(1, 0): "in a row", (2, 0): "one below the other", (2, 1): "side by side"}
"""Number of axes, axis along which pieces follow one another -> how it is said."""


def describe_found(matches: Sequence[Match], nearest: Sequence[Match], remarks: Sequence[str]) -> str:
    """The cells that agree, the first with its layout; where there is none, those that came nearest."""
    if matches:
        first, *others = matches
        lines = [f"{first.name}, agreement {first.agreement:.0e}"]
        names = list(dict.fromkeys(match.name for match in others if match.name != first.name))
        lines += _break_lines("agrees as well: ", ", ".join(names)) if names else []
        lines += [f"  {line}" for line in describe(first.layout).splitlines()]
        lines += [f"  {path} is not a state of the cell" for path in first.unexplained]
    elif nearest:
        lines = ["no cell agrees; the nearest:", *(line for match in nearest for line in _describe_near(match))]
    else:
        lines = ["no cell agrees"]
    return "\n".join([*lines, *(f"  {remark}" for remark in remarks)])


def _describe_near(match: Match) -> Iterator[str]:
    yield f"  {match.name}, off by {match.agreement:.1g}"
    if match.slip is not None:
        yield f"    agrees with one change: {match.slip}"
    if match.layout.missing:
        yield f"    with nothing for {', '.join(match.layout.missing)}"


def describe(layout: Layout) -> str:
    """The sizes, every array and what it holds, what is returned, and what cannot be told."""
    lines = [_describe_sequence(layout)]
    for one in layout.others:
        lines.append(f"{one.frame.x} ({', '.join(one.frame.axes)}) = {_shape(one.frame.shape)}: {one.input}")
    for name, parts in layout.sources.items():
        lines += _break_lines(f"{name} {_shape(layout.shapes[name])}: ", _describe_held(layout, parts), "")
    lines += _describe_states(layout)
    returned = [f"{one.view.tile.array} is {one.state} at {_when(one.view.when)}" for one in layout.outputs]
    lines += _break_lines("returns: ", "; ".join(returned), "")
    return "\n".join([*lines, *_describe_oddities(layout)])


def _describe_sequence(layout: Layout) -> str:
    frame = layout.frame
    sizes = ", ".join(f"{name} = {size}" for name, size in layout.sizes.items())
    axes = ", ".join(frame.axes) + ("," if len(frame.axes) == 1 else "")
    return f"{frame.x} ({axes}) = {_shape(frame.shape)}; {sizes}"


def _shape(shape: Dims) -> str:
    return str(tuple(shape))


def _describe_held(layout: Layout, parts: Sequence[ParameterPart]) -> str:
    """What an array holds, in order, how its pieces are arranged, and on which side it stands."""
    shape = layout.shapes[parts[0].source.array]
    names = [part.target.array for part in parts]
    varying = [axis for axis in range(len(shape)) if len({part.source.spans[axis] for part in parts}) > 1]
    if len(varying) > 1 or len(set(names)) < len(names):
        name = parts[0].source.array
        text = "; ".join(f"{part.source.label(shape).removeprefix(name)} {_target(layout, part)}" for part in parts)
    elif varying:
        (axis,) = varying
        arranged = _ARRANGED.get((len(shape), axis), f"along axis {axis}")
        alternating = parts[0].source.spans[axis].step > 1
        text = f"{', '.join(names)} {'alternating along axis ' + str(axis) if alternating else arranged}"
    else:
        text = names[0]
    return text + _describe_side(layout, parts)


def _target(layout: Layout, part: ParameterPart) -> str:
    return part.target.label(layout.candidate.sized.shapes[part.target.array])


def _describe_side(layout: Layout, parts: Sequence[ParameterPart]) -> str:
    """Whether matrices are multiplied from the left or from the right."""
    turned = {part.transposed for part in parts if len(part.target.dims) == 2}
    if len(turned) != 1:
        return ", some of them transposed" if turned else ""
    array = parts[0].source.array
    factors = {_factor(layout, part) for part in parts if len(part.target.dims) == 2}
    factor = factors.pop() if len(factors) == 1 else "v"
    return f", used as {factor} @ {array}" if turned.pop() else f", used as {array} @ {factor}"


def _factor(layout: Layout, part: ParameterPart) -> str:
    """The vector that a matrix is multiplied by, as far as its length says it."""
    cell = layout.cell
    long = [cell[name].shape[0] for name in (layout.input, cell.states[0])]
    columns = cell[part.target.array].shape[1]
    names = [name for name, length in zip((layout.input, cell.states[0]), long, strict=True) if length == columns]
    return names[0] if len(names) == 1 else "v"


def _describe_states(layout: Layout) -> list[str]:
    shapes = layout.shapes
    given = [f"{part.source.label(shapes[part.source.array])} is {part.state}" for part in layout.states]
    taken = {part.state for part in layout.states}
    read = {variable.name for equation in layout.cell.body for variable in variables(equation.value)}
    zero = [one.name.removesuffix("_prev") for one in layout.cell.previous if one.name in read]
    zero = [name for name in zero if name not in taken]
    lines = _break_lines("initial states: ", ", ".join(given), "") if given else []
    return lines + ([f"initial states that are zero, or without effect: {', '.join(zero)}"] if zero else [])


def _when(when: str) -> str:
    return when.replace("last step", "the last step")


def _describe_oddities(layout: Layout) -> Iterator[str]:
    """What differs from the cell as it is written, and what numbers cannot tell."""
    candidate = layout.candidate
    if candidate.negated:
        yield f"with the opposite sign: {', '.join(candidate.negated)}; so the gate is 1 minus the cell's"
    if candidate.doubled:
        yield f"with {' and '.join(f'2 {name} in place of {name}' for name in candidate.doubled)}: it is added twice"
    for group in candidate.shared:
        yield f"a special case of {layout.cell.name}: {' = '.join(group)}"
    if candidate.raised:
        yield f"adds 1 to {', '.join(candidate.raised)} when it runs"
    if layout.missing:
        yield f"without {', '.join(layout.missing)}: zero"
    by_target: dict[object, list[str]] = {}
    for part in layout.parts:
        label = part.source.label(layout.shapes[part.source.array])
        by_target.setdefault(part.target, []).append(label)
    added = dict.fromkeys(
        " + ".join(dict.fromkeys(label.split("[")[0] for label in labels))
        for labels in by_target.values()
        if len(labels) > 1
    )
    for sum_ in added:
        yield f"added: {sum_}"
    if layout.frame.hidden == 1:
        yield "the state has one entry: whether matrices are transposed cannot be told"
    if "1" in layout.frame.axes:
        yield f"{layout.frame.x} has an axis of length 1: whether it is time or the batch cannot be told"


def _break_lines(head: str, text: str, margin: str = "  ") -> list[str]:
    return wrap(text, WIDTH, initial_indent=margin + head, subsequent_indent=margin + "  ", break_long_words=False)
