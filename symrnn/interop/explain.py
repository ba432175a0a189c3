"""What differs between two frameworks' layers, and which weights of the one are which of the other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from symrnn import cells
from symrnn.errors import InputError
from symrnn.freezing import Frozen
from symrnn.interop.arrays import describe, extents
from symrnn.interop.conventions import CONVENTIONS, Convention, Entry, rows
from symrnn.interop.counterexamples import OBSTRUCTIONS, TellingOutputs
from symrnn.interop.forms import FORMS, lost
from symrnn.showing import Shown


@dataclass(frozen=True)
class Difference:
    """One aspect in which two layers differ, and what each has there."""

    aspect: str
    a: str
    b: str


@dataclass(frozen=True)
class WeightMap:
    """Whether the weights of one layer have an exact image in another, and which.

    Attributes:
        exists: "always", "if" under the conditions, or "never".
        conditions: parameter -> what it must be, for "if".
        changes: what happens to the parameters on the way; empty if nothing does.
        counterexample: outputs that the other layer cannot give, unless the map always exists.
    """

    exists: str
    conditions: Mapping[str, str]
    changes: tuple[str, ...]
    counterexample: TellingOutputs | None


@dataclass(frozen=True, repr=False)
class LayerComparison(Shown):
    """Two rows of the table beside one another.

    Attributes:
        a: the one layer.
        b: the other.
        differences: aspect by aspect.
        forth: the map of the weights from a to b.
        back: the map from b to a.
    """

    a: Convention
    b: Convention
    differences: tuple[Difference, ...]
    forth: WeightMap
    back: WeightMap

    def __str__(self) -> str:
        lines = [f"{self.a.title}  and  {self.b.title}", ""]
        width = max([len(d.aspect) for d in self.differences], default=0)
        for d in self.differences:
            lines += [
                f"  {d.aspect:<{width}}  {self.a.framework}: {d.a}",
                f"  {'':<{width}}  {self.b.framework}: {d.b}",
            ]
        if not self.differences:
            lines.append("  no differences")
        names = (self.a.framework, self.b.framework)
        one, other = names if names[0] != names[1] else (self.a.title, self.b.title)
        lines += [
            "",
            f"  {one} -> {other}: {_describe_existence(self.forth)}",
            *_describe_map(self.a, self.b, self.forth),
        ]
        lines += [
            "",
            f"  {other} -> {one}: {_describe_existence(self.back)}",
            *_describe_map(self.b, self.a, self.back),
        ]
        return "\n".join(lines)


@dataclass(frozen=True, repr=False)
class Explanation(Shown):
    """All pairs of the two frameworks' layers of one kind.

    Attributes:
        comparisons: pair by pair.
    """

    comparisons: tuple[LayerComparison, ...]

    def __str__(self) -> str:
        return "\n\n\n".join(str(comparison) for comparison in self.comparisons)


def explain(a: str, b: str, kind: str) -> Explanation:
    """What differs between the layers of two frameworks, and whether weights can move between them.

    Args:
        a: a framework, one of `symrnn.interop.frameworks()`.
        b: another, or the same.
        kind: a family of cells (`"gru"`: every pair of the two frameworks' GRUs) or one kind (`"gru_reset_after"`; of a
            framework that does not have it, the family).

    Returns:
        The comparisons as data; as text with `str()`.

    Raises:
        InputError: a framework has no layer of this family.
    """
    ours, theirs = _choose_rows(a, kind), _choose_rows(b, kind)
    pairs = [(x, y) for x in ours for y in theirs]
    return Explanation(tuple(compare(x, y) for x, y in pairs))


def _choose_rows(framework: str, kind: str) -> list[Convention]:
    known = {row.kind for row in CONVENTIONS} | {row.family for row in CONVENTIONS}
    try:
        found = rows(framework, kind)
    except InputError:
        if kind not in known:
            raise
        found = rows(framework, kind.split("_")[0])
    first: dict[str, Convention] = {}
    for row in found:
        # Layers and cells of one kind differ in the names of their arrays alone; the layer stands first in the table.
        first.setdefault(row.kind, row)
    return list(first.values())


def compare(a: Convention, b: Convention) -> LayerComparison:
    """Two rows of the table beside one another."""
    said = [Difference(aspect, of(a), of(b)) for aspect, of in ASPECTS.items()]
    differences = tuple(d for d in said if d.a != d.b)
    return LayerComparison(a, b, differences, weight_map(a, b), weight_map(b, a))


def weight_map(a: Convention, b: Convention) -> WeightMap:
    """Whether weights of the row a have an exact image in the row b."""
    ours, theirs = FORMS[a.cell], FORMS[b.cell]
    none: Mapping[str, str] = Frozen({})
    if ours.function != theirs.function:
        obstruction = OBSTRUCTIONS.get((ours.function, theirs.function))
        return WeightMap("never", none, (), obstruction(a.cell) if obstruction else None)
    conditions = Frozen(lost(cells.lookup(a.cell), cells.lookup(b.cell)))
    sides = [name.partition("_")[0] for name in conditions]
    # One is enough to show that the condition is needed.
    counterexample = OBSTRUCTIONS["lost", sides[0]](a.cell) if sides else None
    return WeightMap("if" if conditions else "always", conditions, _describe_changes(a, b), counterexample)


def _describe_changes(a: Convention, b: Convention) -> tuple[str, ...]:
    """What happens to the parameters from the row a to the row b."""
    ours, theirs = FORMS[a.cell], FORMS[b.cell]
    both = [name for name in a.slots if name.startswith("c") and name not in b.slots and "b" + name[1:] in b.slots]
    summed = [f"b{name[1:]} + {name} becomes b{name[1:]}" for name in both if name[2:] not in ours.apart]
    fresh = [name for name in b.slots if name not in a.slots]
    filled = [f"{name} is {'the identity' if name == theirs.projection else 'zero'}" for name in fresh]
    # 1 - sigmoid(a) = sigmoid(-a).
    turned = [f"the weights and biases of {gate} change their sign" for gate in sorted(ours.negated ^ theirs.negated)]
    added = [f"{a.forget_bias:g} is added to b_f"] if a.forget_bias else []
    taken = [f"{b.forget_bias:g} is taken from b_f"] if b.forget_bias else []
    return (*turned, *summed, *filled, *added, *taken)


def _describe_gates(row: Convention) -> str:
    there = "" if row.letters == row.gates else f" (there: {' '.join(row.letters)})"
    return " ".join(row.gates) + there


def _describe_orientation(row: Convention) -> str:
    first = row.entries[0]
    refilled = "; within each gate the numbers of W row after row" if first.refilled else ""
    return f"x @ W (gates along columns{refilled})" if first.columns else "W @ x (gates along rows)"


def _describe_shapes(row: Convention) -> str:
    cell = cells.lookup(row.cell)
    return ", ".join(f"{_show_name(entry)} {describe(extents(entry, cell))}" for entry in row.entries)


def _show_name(entry: Entry) -> str:
    return entry.name.format(layer="0", reverse="", side="l")


def _describe_stacking(row: Convention) -> str:
    entry = row.entries[0]
    sides = "input and state in one" if len(entry.blocks[0]) > 1 else "input and state apart"
    gates = "an array per gate" if len(entry.blocks) < len(row.gates) else "all gates in one array"
    return f"{gates}, {sides}"


def _describe_biases(row: Convention) -> str:
    second = [name for name in row.slots if name.partition("_")[0] == "c"]
    if len(second) == len(row.gates):
        return "two per gate, on the input and on the recurrent side"
    also = f"; a second one inside the reset, {second[0]}" if second else ""
    return f"one per gate ({row.bias_side}){also}"


def _describe_axis(row: Convention) -> str:
    return {
        "directions": "an axis for the direction in front",
        "flat": "a flat buffer: all weights, then all biases",
    }.get(row.container, "none")


ASPECTS: Mapping[str, Callable[[Convention], str]] = MappingProxyType(
    {
        "function": lambda row: FORMS[row.cell].function,
        "gate order": _describe_gates,
        "orientation": _describe_orientation,
        "stacking": _describe_stacking,
        "arrays": _describe_shapes,
        "around them": _describe_axis,
        "biases": _describe_biases,
        "state order": lambda row: f"({', '.join(row.states)})",
        "reset gate": lambda row: FORMS[row.cell].reset,
        "update gate weighs": lambda row: FORMS[row.cell].update,
        "forget bias at run time": lambda row: f"+ {row.forget_bias:g}" if row.forget_bias else "none",
        "before training": lambda row: row.initial,
    }
)
"""What two rows are compared in."""

_EXISTS = {
    "always": "every layer has an exact image",
    "if": "an exact image exists only if",
    "never": "no exact image exists",
}


def _describe_existence(found: WeightMap) -> str:
    needed = " and ".join(f"{name} is {value}" for name, value in found.conditions.items())
    return f"{_EXISTS[found.exists]} {needed}".rstrip()


def _describe_map(a: Convention, b: Convention, found: WeightMap) -> list[str]:
    lines: list[str] = []
    if found.exists != "never":
        lines += [f"    {_show_name(entry)} = {_show_blocks(entry)}" for entry in a.entries]
        lines += [f"    {change}" for change in found.changes]
        lines += [f"    {_show_name(entry)} = {_show_blocks(entry)}" for entry in b.entries]
    if found.counterexample:
        lines += ["    counterexample: " + str(found.counterexample).replace("\n", "\n    ")]
    return lines


def _show_blocks(entry: Entry) -> str:
    """Rows of blocks with `;` between them, as in `[W_r; W_z; W_n]`; the transpose is marked."""
    text = "; ".join(", ".join(row) for row in entry.blocks)
    if len(entry.slots) == 1:
        return f"{text}.T" if entry.columns and not text.startswith(("b", "c", "p")) else text
    vector = entry.slots[0].startswith(("b", "c", "p")) and len(entry.blocks[0]) == 1
    return f"[{text}].T" if entry.columns and not vector else f"[{text}]"
