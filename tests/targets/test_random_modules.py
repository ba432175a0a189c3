"""Random cells: every function of the generated module means what the cell's text says.

The truth is HIPS autograd over an interpreter of the text (`tests.drawn.truth`), which knows nothing of the package.
`benchmarks/random_cells.py` runs the same over thousands.
"""

from __future__ import annotations

import ast
import re
from itertools import product

import pytest

from symrnn import cells, derive, generate
from symrnn.algebra.functions import FUNCTIONS
from symrnn.language.operations import STRUCTURAL
from tests.drawn import truth
from tests.drawn.comparing import BATCHES, FURTHER, SHARES, SIZES, STEPS, Nowhere, disagreements, find_point, plan
from tests.drawn.writing import NAMES, ROWS, draw

CELLS = 200


@pytest.mark.sampled(16)
@pytest.mark.parametrize("seed", range(CELLS))
def test_generated_modules_mean_what_the_text_says(seed: int) -> None:
    drawn = draw(seed)
    try:
        wrong = list(disagreements(drawn, seed))
    except Nowhere:
        pytest.skip("no point is smooth")
    assert not wrong, "\n".join([drawn.text, *wrong])


def test_most_cells_have_a_smooth_point() -> None:
    """Cells without one would make the test above empty."""
    nowhere = 0
    for seed in range(CELLS):
        drawn = draw(seed)
        try:
            find_point(drawn, truth.Meaning.of(drawn.text, drawn.shapes), SIZES["different"], 5, 1, seed)
        except Nowhere:
            nowhere += 1
    assert nowhere <= CELLS / 10


def test_every_function_is_compared_at_all_numbers_of_steps_and_examples() -> None:
    met = set()
    for seed in range(CELLS):
        functions, where = plan(seed, 0.1)
        met |= {(name, steps, batch) for name in functions for _, steps, batch in where}
        met |= {(name, label) for name in functions for label, *_ in where}
    assert met == {*product(SHARES, STEPS, BATCHES), *product(SHARES, SIZES)}


def test_the_whole_language_is_drawn_and_has_a_meaning() -> None:
    """A new function or operator of the language wants a row in either table."""
    assert {*FUNCTIONS, *STRUCTURAL} == set(truth.FUNCTIONS)
    assert set(STRUCTURAL) <= {row.name for row in ROWS}
    texts = [draw(seed).text for seed in range(CELLS)]
    used = {name for text in texts for name in re.findall(r"\b([a-z_]+)\(", text)}
    assert {*FUNCTIONS, *STRUCTURAL} <= used
    for written in (r"\[: d_h\]", r"\[d_h :\]", r"\[:, None\]", r"\[None, :\]"):
        assert sum(re.search(written, text) is not None for text in texts) > 3, written
    assert {text.rsplit("return", 1)[1].count(",") + 1 for text in texts} == {1, 2, 3}
    shapes = [draw(seed).shapes for seed in range(CELLS)]
    assert {len(shape) for shape in shapes for shape in shape.values()} == {0, 1, 2}


def test_every_name_of_a_generated_module_is_drawn() -> None:
    """What Python, NumPy and the module call their own names anything in some cell."""
    module = generate(cells.rnn, functions=FURTHER)
    words = set()
    for function in ast.parse(module.source).body:
        if isinstance(function, ast.FunctionDef) and not function.name.startswith("_"):
            words |= {node.id for node in ast.walk(function) if isinstance(node, ast.Name)}
    cell = set(derive(cells.rnn).cell.symbols) | {"d_x", "d_h"}
    made = {word for word in words if re.search(r"_(bar|prev|t$)|^[uWUb]\w*_dot|^_|a_h", word)}
    assert words - cell - made - set(FUNCTIONS) - set(STRUCTURAL) <= set(NAMES)
