"""Diagnoses of the corpus: an implementation with mistakes planted in it, and whether these were named."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np

from symrnn import Cell, cells, derive
from symrnn.callables.subject import Subject
from symrnn.diagnosis.diagnose import Outcome, diagnose
from symrnn.diagnosis.unread import with_unread
from symrnn.identification import Layout, identify
from symrnn.language import read_cell
from tests.diagnosis.corpus import Implementation, Planted, load, pairs, triples


def cell_of(loaded: Implementation) -> Cell:
    """The cell that an implementation is of."""
    return cells[loaded.cell] if loaded.cell else read_cell(loaded.definition or "")


POINTS = ((4, 3), (7, 2))
"""Steps and examples: the second where the first are sizes of the implementation, so that axes look alike."""


def inputs_of(loaded: Implementation) -> Any:
    """The inputs that are used."""
    return loaded.make_inputs(np.random.default_rng(0), *point(loaded.name))


@cache
def point(name: str) -> tuple[int, int]:
    """The steps and examples at which the cell of an implementation is identified."""
    for steps, batch in POINTS:
        loaded = load(name)
        inputs = loaded.make_inputs(np.random.default_rng(0), steps, batch)
        if identified(Subject(loaded.forward, loaded.backward, inputs), loaded) is not None:
            return steps, batch
    return POINTS[0]


def identified(subject: Subject, loaded: Implementation) -> Layout | None:
    """The layout of a pair of functions, that of the nearest cell where forward computes none."""
    arrays = {flat: subject.arrays[path] for flat, path in subject.flat_names.items()}
    found = identify(subject.flat_forward, arrays, among=[cell_of(loaded)])
    layout = found.layout or (found.nearest[0].layout if found.nearest else None)
    return None if layout is None else with_unread(layout, arrays)


@cache
def known(name: str) -> tuple[Layout | None, Mapping[str, Any]]:
    """How an implementation holds its cell when it is right, and its outputs."""
    loaded = load(name)
    subject = Subject(loaded.forward, loaded.backward, inputs_of(loaded))
    return identified(subject, loaded), subject.answer


def diagnosed(name: str, *planted: Planted) -> Outcome:
    """The diagnosis of an implementation with these mistakes in it; some of them change its forward pass.

    Raises:
        LookupError: the right forward pass is not identified, and nothing can be diagnosed.
    """
    loaded = load(name, *planted)
    layout, outputs = known(name)
    subject = Subject(loaded.forward, loaded.backward, inputs_of(loaded))
    if any(not np.allclose(value, outputs[path], rtol=1e-9) for path, value in subject.answer.items()):
        layout = identified(subject, loaded) or layout
    if layout is None:
        raise LookupError(f"the cell of {name} is not identified")
    return diagnose(subject, layout, derive(layout.cell))


def named(outcome: Outcome, planted: Sequence[Planted]) -> bool:
    """Whether a diagnosis names the mistakes that were planted, and nothing else."""
    tags = {one.mistake for one in outcome.diagnoses}
    fair = {tag for one in planted for tag in one.tags}
    exact = all(one.exact for one in outcome.diagnoses)
    return exact and not outcome.unexplained and tags <= fair and all(tags & set(one.tags) for one in planted)


def sample(name: str, size: int, count: int) -> list[tuple[Planted, ...]]:
    """Mistakes of an implementation, some at a time; all of them one at a time if `count` is 0."""
    if size == 1:
        every = list(load(name).mistakes)
        chosen = random.Random(f"{name} singles").sample(every, count) if 0 < count < len(every) else every
        return [(one,) for one in chosen]
    return {2: pairs, 3: triples}[size](name, count) if count else []
