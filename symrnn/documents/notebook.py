"""Document -> Jupyter notebook: the derivation as text, the generated functions as code, and a check that runs.

Written by hand in version 4.5 of the format: nothing of it needs the packages of Jupyter.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from symrnn.algebra.nodes import ONE_BY_ONE
from symrnn.calculus.derivation import Derivation
from symrnn.documents import markdown
from symrnn.documents.languages import say
from symrnn.documents.structure import Document
from symrnn.language.recurrence import Cell
from symrnn.targets.generation import generate_source

_METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
_FIRST = ("d_x", "d_h")
"""Sizes that come first among the arguments of `initialize`."""
_STEPS, _EXAMPLES = 5, 2
# Neither is the other or one of the sizes below, so that no mistake hides behind equal sizes.
_SMALLEST = 3
_STEP = 1e-6
"""Of the difference quotient: with errors of its square and of rounding over it, both about 1e-10."""
_TOLERANCE = 1e-6


def write(document: Document) -> str:
    """The document as a notebook; a derivation's has its code as well."""
    cells = [_text("title", markdown.write_opening(document))]
    for number, section in enumerate(document.sections, 1):
        cells.append(_text(section.key, markdown.write_section(section, number)))
    if document.derivation is not None:
        cells += _write_code(document.derivation, document.language)
    whole = {"cells": cells, "metadata": _METADATA, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"


def _write_code(derivation: Derivation, language: str) -> list[dict[str, Any]]:
    head = say(language, "The generated functions")
    words = say(language, "The check: a derivative along a random direction, from the gradients and from a difference.")
    return [
        _text("code", f"## {head}"),
        _code("functions", generate_source(derivation.cell)),
        _text("check", words),
        _code("check-runs", _write_check(derivation.cell)),
    ]


def _write_check(cell: Cell) -> str:
    """Code that compares the gradients with a difference quotient, at random parameters and inputs."""
    # In the order of the arguments of `initialize`.
    names = sorted(cell.sizes, key=lambda name: _FIRST.index(name) if name in _FIRST else len(_FIRST))
    sizes = {name: _SMALLEST + place for place, name in enumerate(names)}
    arrays = ", ".join(_random(_shape(cell, name, sizes, (_STEPS, _EXAMPLES))) for name in cell.inputs)
    inputs = f"[{arrays}]" if cell.inputs else f"[{_STEPS}]  # steps; nothing else comes in"
    # Zeros otherwise, which every cell takes as its first states.
    first = {name: _random(_shape(cell, name, sizes, (_EXAMPLES,))) for name in cell.states}
    start = "None" if not cell.untold_sizes else f"{{{', '.join(f'{n!r}: {v}' for n, v in first.items())}}}"
    return f"""\
rng = np.random.default_rng(0)
params = initialize({", ".join(map(str, sizes.values()))}{", " if sizes else ""}rng=rng)
inputs = {inputs}
start = {start}
output, _, tape = forward(params, *inputs, state=start)
weights = rng.standard_normal(output.shape)
grads = backward(params, tape, weights)[0]
direction = {{name: rng.standard_normal(np.shape(value)) for name, value in params.items()}}


def loss(step):
    moved = {{name: value + step * direction[name] for name, value in params.items()}}
    return np.sum(weights * forward(moved, *inputs, state=start)[0])


numeric = (loss({_STEP:g}) - loss(-{_STEP:g})) / {2 * _STEP:g}
derived = sum(np.sum(grads[name] * direction[name]) for name in params)
print("from the gradients:", derived, " from a difference:", numeric)
assert abs(numeric - derived) <= {_TOLERANCE:g} * max(1.0, abs(derived))
"""


def _random(shape: tuple[int, ...]) -> str:
    return f"rng.standard_normal({shape})"


def _shape(cell: Cell, name: str, sizes: Mapping[str, int], lead: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of an array in generated code: one example a row, no entry for a vector's one column."""
    rows, cols = (int(size.subs({one: sizes[one.name] for one in size.free_symbols})) for size in cell[name].shape)
    if cell[name].shape == ONE_BY_ONE:
        return lead
    return (*lead, rows) if cell[name].shape[1] == 1 else (*lead, rows, cols)


def _text(name: str, text: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "id": name, "metadata": {}, "source": text}


def _code(name: str, code: str) -> dict[str, Any]:
    empty: dict[str, Any] = {"execution_count": None, "outputs": []}
    return {"cell_type": "code", "id": name, "metadata": {}, "source": code.rstrip(), **empty}
