"""Weights from a framework's layer to a cell's parameters, and back.

Everything here is generic over the rows of the conventions: a row is read by its container, its arrays are taken apart
by their blocks, and the other way round.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from symrnn import cells
from symrnn.arrays import Array
from symrnn.errors import InputError
from symrnn.interop.arrays import as_array, put_together, solve, take_apart
from symrnn.interop.containers import CONTAINERS, Flat, Selection
from symrnn.interop.conventions import Convention, rows, slot
from symrnn.interop.forms import FORMS, NoImageError, carry, resolve
from symrnn.interop.misfit import Misfit, ShapeMisfit, Unclear
from symrnn.language.recurrence import Cell
from symrnn.showing import Shown


@dataclass(frozen=True, repr=False)
class Loaded(Shown):
    """A layer of a framework as a cell of the library with parameters.

    Attributes:
        cell: the cell that the layer computes.
        params: its parameters, as the functions of `symrnn.generate(cell)` take them.
        convention: the row of the table that the weights were read by.
    """

    cell: Cell
    params: dict[str, Array]
    convention: Convention


def load(
    framework: str,
    weights: Any,
    kind: str | None = None,
    *,
    layer: int | None = None,
    reverse: bool | None = None,
    prefix: str | None = None,
    flat: Flat | None = None,
    forget_bias: float | None = None,
) -> Loaded:
    """The library's cell that a framework's layer computes, and its parameters.

    Args:
        framework: one of `symrnn.interop.frameworks()`.
        weights: plain NumPy arrays as the framework names them: a `state_dict`, the list of `get_weights()` or a dict
            of variable paths, a parameter tree, a dict of `W`, `R`, `B`, `P`, a flat buffer.  Or the framework's own
            tensors in these, a `torch.nn` module, or a Keras layer.  Arrays do not tell the activations: they are taken
            to be the default ones, or what `kind` says; an object of PyTorch or Keras is asked for its own.
        kind: what the layer is, where the arrays do not tell: a kind such as `"rnn_relu"`, the framework's name of the
            layer, or a family; see `symrnn.interop.kinds(framework)`.
        layer: which one, if the weights hold several layers; from 0.
        reverse: which direction, if they hold two.
        prefix: what stands before the arrays' names, such as `"encoder.rnn."`; found if there is only one.
        flat: the sizes of a flat buffer (cuDNN).
        forget_bias: what the layer adds to the forget gate's bias when it runs, for frameworks that do (TensorFlow 1);
            by default 1, as there.

    Returns:
        The cell, its parameters in the arrays' type, and the row of the table.  Biases that the layer is without are
        zeros.

    Raises:
        InputError: the weights fit no row, or several; the text names the array, the shape expected and the one found.
    """
    selection = Selection(layer, reverse, prefix, flat)
    plain, fitting = _unwrap(weights, rows(framework, kind))
    found: list[tuple[int, Loaded]] = []
    refused: dict[Convention, Misfit] = {}
    for row in fitting:
        try:
            found.append(_read(row, plain, selection, forget_bias))
        except Misfit as misfit:
            refused[row] = misfit
    # The row that reads the most arrays: one that leaves some of them out would fit too.
    best = [loaded for count, loaded in found if count == max(count for count, _ in found)]
    if len(best) == 1:
        return best[0]
    if best:
        names = " or ".join(repr(loaded.convention.kind) for loaded in best)
        raise InputError(f"these arrays of {framework} do not tell what the layer computes\n  say kind={names}")
    raise InputError(_collect_reasons(framework, refused))


def _collect_reasons(framework: str, refused: Mapping[Convention, Misfit]) -> str:
    """Why no row fits: what the nearest ones have against it, the same reason once."""
    # A dozen rows would give a dozen reasons, most of them about layers that nobody meant.
    nearest = max(misfit.nearness for misfit in refused.values())
    reasons: dict[str, list[str]] = {}
    for row, misfit in refused.items():
        if misfit.nearness == nearest:
            reasons.setdefault(str(misfit), []).append(row.title)
    texts = [f"{titles[0] if len(titles) == 1 else framework}: {text}" for text, titles in reasons.items()]
    if len(texts) == 1:
        return texts[0]
    return f"these weights fit no layer of {framework}\n  " + "\n  ".join(text.replace("\n", "\n  ") for text in texts)


def _unwrap(weights: Any, candidates: tuple[Convention, ...]) -> tuple[Any, list[Convention]]:
    """The arrays of a framework's own object, and the rows that its class and attributes allow."""
    # By what it can do, since the frameworks are not imported.
    methods = [name for name in ("state_dict", "get_weights") if callable(getattr(weights, name, None))]
    if not methods:
        return weights, list(candidates)
    inner = weights
    for part in ("forward_layer", "cell"):  # what Keras's wrappers and layers hold
        inner = getattr(inner, part, inner)
    # A class of one's own is what it inherits from.
    classes = {base.__name__ for base in type(inner).__mro__}
    named = [row for row in candidates if classes & {layer.split("(")[0] for layer in row.layers}]
    reasons = {row: _find_contradiction(row, inner) for row in named or candidates}
    fitting = [row for row, reason in reasons.items() if not reason]
    if not fitting:
        text = "\n  ".join(dict.fromkeys(reasons.values()))
        raise InputError(f"no row of the table is this {type(weights).__name__}\n  {text}")
    return getattr(weights, methods[0])(), fitting


def _find_contradiction(row: Convention, layer: Any) -> str:
    """Why a framework's own object is not what the row describes, or nothing."""
    for attribute, wanted in row.signs.items():
        # A function is known by its name; an attribute that is not there says nothing.
        value = getattr(layer, attribute, wanted)
        name = getattr(value, "__name__", value)
        if name != wanted:
            return f"{row.title}: expected {attribute}={wanted!r}, got {name!r}"
    return ""


def _read(row: Convention, weights: Any, selection: Selection, forget_bias: float | None) -> tuple[int, Loaded]:
    """How many arrays were used, and what they are."""
    selection.refuse_idle(row)
    cell, filled = cells.lookup(row.cell), selection.fill(row)
    arrays = CONTAINERS[row.container].unpack(filled, cell, weights, selection)
    there = tuple(entry for entry in filled.entries if entry.name in arrays)
    absent = [entry for entry in filled.entries if entry.name not in arrays]
    # Layers have all of their biases or none: a single one that is missing was most likely misspelled.
    if any(not entry.optional for entry in absent) or 0 < len(absent) < sum(e.optional for e in filled.entries):
        raise ShapeMisfit(f"all biases or none; missing {', '.join(entry.name for entry in absent)}")
    sizes = solve(there, cell, arrays)
    found: dict[str, Array] = {}
    for entry in there:
        found |= take_apart(entry, cell, arrays[entry.name], sizes)
    # The zeros are of the arrays' type: float64 zeros would make float32 weights compute in double.
    dtype = np.result_type(*arrays.values())
    params = {
        name: found[name] if name in found else np.zeros([sizes[size] for size in cell.shape_names(name)], dtype)
        for name in cell.parameters
    }
    return len(there), Loaded(cell, _shift_forget_bias(row, params, forget_bias, +1), row)


def _shift_forget_bias(
    row: Convention, params: dict[str, Array], forget_bias: float | None, sign: int
) -> dict[str, Array]:
    """The parameters with what the layer adds when it runs added, or taken away again."""
    if forget_bias is not None and not row.forget_bias:
        raise Unclear(f"a layer of {row.framework} adds nothing to its biases when it runs\n  leave forget_bias out")
    amount = row.forget_bias if forget_bias is None else forget_bias
    if not amount:
        return params
    name = slot("b", "f")
    return params | {name: params[name] + np.asarray(sign * amount, params[name].dtype)}


def dump(
    framework: str,
    cell: Cell | str,
    params: Mapping[str, Any],
    kind: str | None = None,
    *,
    layer: int = 0,
    reverse: bool = False,
    prefix: str = "",
    forget_bias: float | None = None,
) -> Any:
    """A cell's parameters as the arrays of a framework's layer that computes the same.

    Args:
        framework: one of `symrnn.interop.frameworks()`.
        cell: a cell of the library, or its name.
        params: its parameters.
        kind: which of the framework's layers, as for `load`; by default the first that computes the same.
        layer: the layer's number, for names that contain it.
        reverse: the direction, for names that contain it.
        prefix: what to put before the names.
        forget_bias: what the layer will add to the forget gate's bias when it runs, as for `load`.

    Returns:
        What the framework takes: a dict, a list for `set_weights`, a tree, or a flat buffer of one layer.  A second
        bias that the cell does not have is zero.

    Raises:
        NoImageError: no weights make the framework's layer compute the same.
        InputError: the parameters are not the cell's.
    """
    known = resolve(cell)
    values = checked(known, params)
    there = rows(framework, kind)
    made = [row for row in there if not row.former] or there  # a former layer is written where its name is said
    # The layer whose parameters are nearest to the cell's: with a second bias where there is one.
    candidates = sorted(made, key=lambda row: len(set(row.slots) ^ set(values)))
    selection = Selection(layer, reverse, prefix)
    refused: list[NoImageError] = []
    for row in candidates:
        try:
            moved = carry(known, cells.lookup(row.cell), values)
        except NoImageError as error:
            refused.append(NoImageError(f"{row.title}: {error}"))
            continue
        moved = _shift_forget_bias(row, moved, forget_bias, -1)
        selection.refuse_idle(row, writing=True)
        filled = selection.fill(row)
        arrays = {entry.name: put_together(entry, moved) for entry in filled.entries}
        return CONTAINERS[row.container].pack(filled, arrays, selection)
    function = FORMS[known.name].function
    near = [error for row, error in zip(candidates, refused, strict=True) if FORMS[row.cell].function == function]
    text = "\n  ".join(dict.fromkeys(str(error) for error in near or refused))
    raise NoImageError(
        f"{known.name} has no exact image in {framework}\n  {text}\n  explain(...) shows why, in numbers"
    )


def checked(cell: Cell, params: Mapping[str, Any]) -> dict[str, Array]:
    """The parameters as arrays, compared with the cell's names and shapes.

    Raises:
        InputError: a name is missing or unknown, or a shape is wrong.
    """
    missing, unknown = [n for n in cell.parameters if n not in params], [n for n in params if n not in cell.parameters]
    if missing or unknown:
        raise InputError(
            f"{cell.name}: missing {missing}, unknown {unknown}\n  its parameters are {', '.join(cell.parameters)}"
        )
    values = {name: as_array(name, params[name]) for name in cell.parameters}
    sizes: dict[str, int] = {}
    for name, array in values.items():
        names = cell.shape_names(name)
        for size, length in zip(names, array.shape, strict=False):
            sizes.setdefault(size, length)
        if array.shape != tuple(sizes[size] for size in names if size in sizes) or array.ndim != len(names):
            known_sizes = ", ".join(f"{size} = {sizes[size]}" for size in dict.fromkeys(names) if size in sizes)
            raise InputError(
                f"{cell.name}: {name}: expected shape ({', '.join(names)}) with {known_sizes}, got {array.shape}"
            )
    return values
