"""Names and words: the same cell under other names, with another docstring."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import replace

from symrnn.language.recurrence import Cell
from symrnn.variants.draft import Draft, DraftLine
from symrnn.variants.expressions import name as name_of
from symrnn.variants.expressions import replace_names
from symrnn.variants.wording import Wording, stem


def renamed(cell: Cell, name: str | None = None, names: Mapping[str, str] | None = None) -> Cell:
    """The same cell under another name, or with other names in it.

    Args:
        cell: the cell.
        name: the new name of the cell.
        names: old name -> new name, of inputs, states, parameters and intermediate values.

    Raises:
        InputError: an old name does not exist, or two names would be one.
    """
    draft = Draft.of("renamed", cell)
    new = dict(names or {})
    unknown = sorted(new.keys() - draft.names)
    if unknown:
        there = ", ".join([*draft.positional, *draft.parameters, *(line.name for line in draft.lines)])
        raise draft.refuse(f"has no name {unknown[0]!r}", f"it has {', '.join(dict.fromkeys(there.split(', ')))}")
    after = {new.get(one, one) for one in draft.names}
    # Compared as sets: two names may change places, and may not become one.
    if len(after) < len(draft.names):
        raise draft.refuse("would use one name for two things", "give every one a name of its own")
    by: dict[str, ast.expr] = {old: name_of(fresh) for old, fresh in new.items()}
    # A state at t-1 may be written by its name with _prev, after the state was assigned.
    by |= {f"{old}_prev": name_of(f"{fresh}_prev") for old, fresh in new.items() if old in draft.states}
    wording = draft.wording
    symbols = dict(wording.symbols)
    for old, fresh in new.items():
        meaning = symbols.get(old, symbols.get(stem(old)))
        if meaning is not None and old in draft.parameters:
            symbols.setdefault(stem(fresh), meaning)
    changed = replace(
        draft,
        name=name or draft.name,
        positional={new.get(one, one): shape for one, shape in draft.positional.items()},
        parameters={new.get(one, one): shape for one, shape in draft.parameters.items()},
        lines=tuple(
            DraftLine(new.get(line.name, line.name), replace_names(line.value, by), line.annotation)
            for line in draft.lines
        ),
        states=tuple(new.get(one, one) for one in draft.states),
        constants={new.get(one, one): number for one, number in draft.constants.items()},
        wording=replace(
            wording, symbols=symbols, notes={new.get(one, one): note for one, note in wording.notes.items()}
        ),
    )
    return changed.cell()


def described(
    cell: Cell,
    name: str | None = None,
    title: str | None = None,
    source: str | None = None,
    variant: str | None = None,
    differs: str | None = None,
    wrong: str | None = None,
    notes: Mapping[str, str] | None = None,
    symbols: Mapping[str, str] | None = None,
) -> Cell:
    """The same cell with another docstring; what is None stays, and an empty text removes a section.

    Args:
        cell: the cell.
        name: the cell's name.
        title: the first line.
        source: where the cell was published.
        variant: what it is, exactly.
        differs: what it is not (the section Not).
        wrong: what is wrong with it.
        notes: target of an equation -> what it is.
        symbols: parameter, or its name up to the first underscore -> what it is.
    """
    draft = Draft.of("described", cell)
    sections = {"Source": source, "Variant": variant, "Not": differs, "Wrong": wrong}
    wording = draft.wording
    for heading, text in sections.items():
        if text is not None:
            wording = wording.section(heading, text)
    wording = replace(
        wording,
        title=title.rstrip(".") if title is not None else wording.title,
        notes=dict(wording.notes) | dict(notes or {}),
        symbols=dict(wording.symbols) | dict(symbols or {}),
    )
    return replace(draft, name=name or draft.name, wording=wording).cell()


def with_docstring(cell: Cell, name: str, docstring: str) -> Cell:
    """The same cell under a new name, with the title and the sections of a docstring and the equations of its own."""
    said = Wording.read(docstring)
    draft = Draft.of("with_docstring", cell)
    old = draft.wording
    wording = Wording(
        said.title, said.sections, dict(old.notes) | dict(said.notes), dict(old.symbols) | dict(said.symbols)
    )
    return replace(draft, name=name, wording=wording).cell()
