"""Which cell a pair of functions computes: alone, or before readouts or a loss."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from symrnn.arrays import Array, Arrays
from symrnn.calculus.derivation import Derivation, derive
from symrnn.callables.subject import Subject
from symrnn.diagnosis.questions import Questionnaire
from symrnn.errors import InputError
from symrnn.findings.findings import Problem
from symrnn.identification import identify_probed
from symrnn.identification.layout import Layout
from symrnn.identification.several import identify_several
from symrnn.language.recurrence import Cell
from symrnn.losses.readouts import FoundReadout, find_readouts
from symrnn.losses.recognising import find_model
from symrnn.measuring.sizes import make_shorter

_NEAR = 0.3
"""The relative error of the outputs up to which what comes nearest to a cell is taken for it, with a change: a cell
with one slip in it gives outputs that resemble the cell's, another cell's have nothing in common with them."""
_MANY = 7
"""Examples that an axis of one example is given, to see whether it is one: a prime, as above."""
_OTHER_SIZES = ((5, 2), (7, 11))
"""Steps and examples at which inputs are drawn anew where the ones given do not settle it: primes, since few sizes of a
model are."""

Derive = Callable[[Cell], Derivation]


@dataclass(frozen=True)
class FoundCell:
    """A cell that a pair of functions computes.

    Attributes:
        layout: the cell, and how the functions hold it.
        derivation: of the cell.
    """

    layout: Layout
    derivation: Derivation


@dataclass(frozen=True)
class Recognition:
    """What was recognised.

    Attributes:
        subject: the functions.
        found: the cell; None where there is none.
        problems: what is to be said of it.
    """

    subject: Subject
    found: FoundCell | None
    problems: tuple[Problem, ...] = ()


def recognise(subject: Subject, known: Cell | Layout | None, seed: int) -> Recognition:
    """The cell that forward computes, alone or before readouts or a loss.

    Args:
        subject: the functions.
        known: the cell that it is said to be, or the layout; otherwise the library is searched.
        seed: of all numbers.
    """
    derive_once = functools.cache(derive)
    if isinstance(known, Layout):
        return Recognition(subject, FoundCell(known, derive_once(known.cell)))
    if is_loss(subject):
        loss = _recognise_loss(subject, known, seed)
        if loss.found is not None or subject.calling.implicit:
            return loss  # otherwise a single number may be read out of the last state
    if known is not None and len(known.inputs) > 1:
        return _recognise_several(subject, known, seed, derive_once(known))
    found = _find_readouts(subject, known, seed)
    if found is not None:
        return Recognition(subject, FoundCell(found.layout, found.derivation))
    layout, problems = _find_layout(subject, known, seed, derive_once)
    if layout is not None or problems:
        return Recognition(subject, None if layout is None else FoundCell(layout, derive_once(layout.cell)), problems)
    return _explain_none(subject) if known is None else _name_other(subject, known, seed, derive_once)


def _recognise_several(subject: Subject, known: Cell, seed: int, derivation: Derivation) -> Recognition:
    """A cell with several inputs, where forward is it."""
    for arrays in _draw(subject, seed):
        layout = identify_several(subject, known, arrays)
        if layout is not None and _holds(subject, layout, derivation, seed):
            return Recognition(subject, FoundCell(layout, derivation))
    sentence = (
        f"forward does not compute {known.name}, or its arguments are not the cell's inputs {', '.join(known.inputs)}"
    )
    remedy = "give the arguments the names that the inputs have in the cell"
    return Recognition(subject, None, (Problem("other-cell", f"{sentence}\n  {remedy}", fatal=False),))


def _find_readouts(subject: Subject, known: Cell | None, seed: int) -> FoundReadout | None:
    """The cell and the readouts behind it, where forward computes some."""
    for arrays in _draw(subject, seed):
        found = find_readouts(subject, known, arrays, seed)
        if found is not None and _holds(subject, found.layout, found.derivation, seed):
            return _with_examples(subject, found, arrays, seed)
    return None


def _with_examples(subject: Subject, found: FoundReadout, arrays: Arrays, seed: int) -> FoundReadout:
    """What was found, with the axes for examples that do not show because there is one, if there are any."""
    axes, x = found.layout.frame.axes, found.layout.frame.x
    assert found.layout.joined is not None
    states = {part.source.array for part in found.layout.states}
    path_of = subject.flat_names
    for axis in (place for place, role in enumerate(axes) if role == "1"):
        longer = {path_of[x]: _repeat(arrays[path_of[x]], axis, _MANY)}
        longer |= {path_of[name]: _repeat(arrays[path_of[name]], None, _MANY) for name in states}
        again = find_readouts(subject, found.layout.joined.core, {**arrays, **longer}, seed)
        if again is not None and "N" in again.layout.frame.axes:
            return again
    return found


def _recognise_loss(subject: Subject, known: Cell | None, seed: int) -> Recognition:
    """The cell and the head that a loss is computed with."""
    found = find_model(subject, known, seed)
    if found is None:
        sentence = "forward returns a single number, and no cell of the library with a known loss behind it was found"
        remedy = "check the function that computes the states by itself, or pass the cell's definition as cell="
        return Recognition(subject, None, (Problem("no-cell", f"{sentence}\n  {remedy}", fatal=False),))
    return Recognition(found.subject, FoundCell(found.layout, found.derivation))


def _explain_none(subject: Subject) -> Recognition:
    """What to say where no cell was found."""
    sentence = "forward computes no cell of the library, alone or with a readout behind it"
    remedy = "pass its definition as cell=, or check the function of the cell by itself where it computes more"
    return Recognition(subject, None, (Problem("no-cell", f"{sentence}\n  {remedy}", fatal=False),))


def is_loss(subject: Subject) -> bool:
    """Whether forward returns single numbers alone, as a loss is."""
    return all(np.ndim(array) == 0 for array in subject.answer.values())


def _find_layout(
    subject: Subject, known: Cell | None, seed: int, derive_once: Derive
) -> tuple[Layout | None, tuple[Problem, ...]]:
    """The cell that forward computes, with its layout; or why there is none, where that can be said."""
    among = None if known is None else [known]
    for arrays in _draw(subject, seed):
        own = {flat: arrays[path] for flat, path in subject.flat_names.items()}
        try:
            found = identify_probed(subject.probe(own), among=among, nearest=False, merged=False)
        except InputError as error:
            return None, (Problem("not-identified", str(error), fatal=False),)
        if found.layout is not None:
            layout = _with_all_axes(subject, found.layout)
            if not _is_recurrent(subject, layout):
                sentence = "forward carries nothing from one step to the next: it is no recurrent cell"
                return None, (Problem("no-cell", sentence, fatal=False),)
            if _holds(subject, layout, derive_once(layout.cell), seed):
                return layout, ()
    return None, ()


def _draw(subject: Subject, seed: int) -> Iterator[Arrays]:
    """The arrays given; then others with other numbers of steps and examples: equal sizes may hide what is what."""
    yield subject.arrays
    for T, N in _OTHER_SIZES:
        made = subject.made(seed, T, N)
        if made is not None and all(path in made for path in subject.arrays):
            yield made
    if not subject.draws.varied:
        yield from _lengthen(subject)


def _lengthen(subject: Subject) -> Iterator[Arrays]:
    """More steps than the sequence given has, where its length is that of something else as well."""
    for name in make_shorter(subject, 1) or {}:
        own = subject.arrays[name]
        others = [size for path, array in subject.arrays.items() for size in np.shape(array)[path == name :]]
        if len(own) in others:
            length = next(size for size in range(len(own) + 1, len(own) + len(others) + 2) if size not in others)
            yield {**subject.arrays, name: np.resize(own, (length, *own.shape[1:]))}
            return


def _is_recurrent(subject: Subject, layout: Layout) -> bool:
    """Whether what is computed at one step depends on the one before; a cell without its recurrent weights does not."""
    if layout.states:
        return True
    if "T" not in layout.frame.axes:
        return False
    path, axis = subject.flat_names.get(layout.frame.x, ""), layout.frame.axes.index("T")
    x = subject.arrays.get(path)
    if x is None or np.ndim(x) <= axis or np.shape(x)[axis] < 2:
        return True
    steps = np.shape(x)[axis]
    changed = np.moveaxis(np.array(x), axis, 0)
    changed[:-1] += 0.5 + np.abs(changed[:-1])
    answer = subject.outputs({path: np.moveaxis(changed, 0, axis)})
    for name, before in subject.answer.items():
        after = answer[name]
        last = [(after, before)] + [
            (np.take(after, -1, place), np.take(before, -1, place))
            for place, size in enumerate(before.shape)
            if size == steps
        ]
        if all(not np.array_equal(*pair) for pair in last):
            return True
    return False


def _holds(subject: Subject, layout: Layout, derivation: Derivation, seed: int) -> bool:
    """Whether forward is the cell in this layout for other steps and examples too; equal sizes can deceive."""
    return Questionnaire(subject, layout, derivation, seed).forward_agrees(derivation) is not False


def _with_all_axes(subject: Subject, layout: Layout) -> Layout:
    """The layout with the axes for time and examples that do not show because they have length 1, if there are any."""
    x, axes = layout.frame.x, layout.frame.axes
    arrays = {flat: subject.arrays[path] for flat, path in subject.flat_names.items()}
    if len(axes) != np.ndim(arrays[x]):
        return layout
    states = {part.source.array for part in layout.states}
    for axis in (place for place, role in enumerate(axes) if role == "1"):
        for length, lengthened in ((5, {x}), (7, {x, *states})):  # steps, or examples
            longer = {
                name: _repeat(array, axis if name == x else None, length) if name in lengthened else array
                for name, array in arrays.items()
            }
            try:
                found = identify_probed(subject.probe(longer), among=[layout.cell], nearest=False, merged=False)
            except InputError:
                continue
            if found.layout is not None and set(found.layout.frame.axes) > set(axes) - {"1"}:
                arrays, layout = longer, found.layout
                axes = layout.frame.axes
                break
    return layout


def _repeat(array: Array, axis: int | None, length: int) -> Array:
    """An array with its axis of length 1, the first such if none is named, made longer."""
    if axis is None:
        axis = next((place for place, size in enumerate(np.shape(array)) if size == 1), None)
    return array if axis is None else np.repeat(array, length, axis=axis)


def _name_other(subject: Subject, known: Cell, seed: int, derive_once: Derive) -> Recognition:
    """What forward computes where it is not the cell that it should be: another one, or what comes nearest to it."""
    sentence = f"forward does not compute {known.name}"
    read_out = _find_readouts(subject, None, seed)
    if read_out is not None and read_out.layout.joined is not None:
        problem = Problem("other-cell", f"{sentence} but {read_out.layout.joined.core.name}", fatal=False)
        return Recognition(subject, FoundCell(read_out.layout, read_out.derivation), (problem,))
    other = identify_probed(subject.probe(), nearest=False, merged=False)
    if other.layout is not None:
        problem = Problem("other-cell", f"{sentence} but {other.name}", fatal=False)
        return Recognition(subject, FoundCell(other.layout, derive_once(other.layout.cell)), (problem,))
    near = identify_probed(subject.probe(), among=[known], merged=False).nearest
    if not near or not near[0].agreement <= _NEAR or not _is_recurrent(subject, near[0].layout):
        remedy = "pass the cell that it computes, or leave cell= out; check its own function where it computes more"
        return Recognition(subject, None, (Problem("other-cell", f"{sentence}\n  {remedy}", fatal=False),))
    slip = f": it has {near[0].slip}" if near[0].slip else ""
    found = FoundCell(near[0].layout, derive_once(near[0].layout.cell))
    return Recognition(subject, found, (Problem("other-cell", f"{sentence}{slip}", fatal=False),))
