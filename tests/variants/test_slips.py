"""Cells with a slip: each differs from the cell in the equations that are said, in shapes that fit, and once only."""

from __future__ import annotations

import pytest

from symrnn import cells
from symrnn.algebra import nodes
from symrnn.algebra.functions import SQUASHING
from symrnn.variants.slips import with_slips


@pytest.mark.parametrize("name", ["lstm", "gru", "rnn"])
def test_a_slip_changes_the_equations_that_it_says(name: str) -> None:
    cell = cells[name]
    seen = set()
    for changed, other in with_slips(cell):
        pairs = list(zip(cell.body, other.body, strict=True))
        assert [i for i, (old, new) in enumerate(pairs) if old != new] == sorted(changed)
        assert all(old.target == new.target and old.value.shape == new.value.shape for old, new in pairs)
        seen.add((changed, tuple(new.value for _, new in pairs)))
    assert len(seen) == len(list(with_slips(cell)))
    assert len({changed for changed, _ in seen}) >= len(cell.body)


def test_the_slips_that_people_make_are_among_them() -> None:
    values = [other.body[-1].value for _, other in with_slips(cells.rnn)]
    (act,) = {part for part in nodes.parts(cells.rnn.body[-1].value) if isinstance(part, nodes.Act)}
    assert act.operands[0] in values  # no activation
    assert {nodes.act(other, *act.operands) for other in ("sigmoid", "relu")} <= set(values)
    assert set(SQUASHING) == {"sigmoid", "tanh"}
