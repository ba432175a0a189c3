"""Solving asks a constraint again only when there is news for it, and finds what rounds over all of them find."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from symrnn import Cell
from symrnn.algebra import constraints
from symrnn.algebra.constraints import Constraint
from symrnn.algebra.shapes import Size, Slot, Unknown, equate_sizes
from symrnn.algebra.solving import solve
from symrnn.errors import CellError
from symrnn.language import inference
from tests.strategies import cell_texts

KINDS = [kind for kind in vars(constraints).values() if isinstance(kind, type) and issubclass(kind, Constraint)]


def rounds(held: Sequence[Constraint]) -> None:
    """The same by brute force: everything is asked in every round."""
    pending = list(held)

    def known() -> tuple[int, int]:
        return len(pending), sum(slot.rank is not None for c in pending for slot in (c.out, *c.operands))

    while pending:
        before = known()
        for constraint in pending:
            constraint.advance()
        pending = [constraint for constraint in pending if not constraint.done]
        if known() == before and not any(constraint.assume(last) for last in (False, True) for constraint in pending):
            return
        # What has taken its last reading is done, and is not asked to learn again: it would find itself undecided.
        pending = [constraint for constraint in pending if not constraint.done]


def unannotated(text: str, rng: Random) -> str:
    """The text without most of its annotations, and with one name exchanged for another in some of its lines."""
    head, *lines = text.splitlines()
    head = re.sub(r': "[^"]*"', lambda found: "" if rng.random() < 0.8 else found[0], head)
    i = rng.randrange(len(lines))
    names = re.findall(r"\b[a-zA-Z]\d+\b", lines[i].partition("=")[2])
    if len(names) > 1 and rng.random() < 0.4:
        left, equals, right = lines[i].partition("=")
        lines[i] = left + equals + right.replace(*rng.sample(names, 2), 1)
    return "\n".join([head, *lines]) + "\n"


def outcome(text: str) -> Any:
    """Every shape, or the message."""
    try:
        return {name: variable.shape for name, variable in Cell.from_source(text).symbols.items()}
    except CellError as error:
        return str(error)


def test_what_is_found_is_what_rounds_find(monkeypatch: pytest.MonkeyPatch) -> None:
    outcomes = []

    @given(cell_texts())
    @settings(
        deadline=None,
        derandomize=True,
        database=None,
        max_examples=60,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def every(text: str) -> None:
        rng = Random(text)
        for _ in range(3):
            changed = unannotated(text, rng)
            monkeypatch.setattr(inference, "solve", rounds)
            expected = outcome(changed)
            monkeypatch.setattr(inference, "solve", solve)
            assert outcome(changed) == expected, changed
            outcomes.append(expected)

    every()
    refused = [found for found in outcomes if isinstance(found, str)]
    assert len({re.sub(r"\W.*", "", found.partition(": ")[2]) for found in refused}) >= 3  # of several kinds
    assert len(refused) < len(outcomes)


def stack(layers: int, upwards: bool) -> str:
    """A cell whose shapes become known layer after layer: from the input on, or from the state back."""
    numbers = range(1, layers + 1)
    layer = "    a{0} = tanh(W{0} @ a{1}) * x\n" if upwards else "    a{0} = tanh(a{1}) * W{0}\n"
    body = "".join(layer.format(i, i - 1) for i in numbers)
    first, last = ("(W0 @ x) * x", f"sum(a{layers})") if upwards else ("tanh(W0)", f"a{layers} * sum(x)")
    weights = ", ".join(f"W{i}" for i in (0, *numbers))
    return f"def f(x, h, *, {weights}):\n    a0 = {first}\n{body}    h = h + {last}\n    return h\n"


@pytest.mark.parametrize("upwards", [True, False])
def test_the_work_grows_with_the_number_of_constraints(monkeypatch: pytest.MonkeyPatch, upwards: bool) -> None:
    asked = [0]

    def counted(method: Any) -> Any:
        def ask(*args: Any) -> Any:
            asked[0] += 1
            return method(*args)

        return ask

    for kind in KINDS:
        for name in {"advance", "assume"} & vars(kind).keys():
            monkeypatch.setattr(kind, name, counted(vars(kind)[name]))
    counts = []
    for layers in (50, 200):
        asked[0] = 0
        Cell.from_source(stack(layers, upwards))
        counts.append(asked[0] / layers)
    assert counts[1] < 1.2 * counts[0]


def test_a_constraint_learns_from_its_own_news() -> None:
    """Operand and result are one slot: what the operation says of the one it must hear of the other."""
    both, vector = Slot("both"), Slot("vector", (Size.of("d_h"),))
    operation = constraints.Elementwise("here", both, [both, vector])
    solve([operation])
    assert operation.done
    assert both.rank == 1


def test_a_long_chain_of_sizes_is_walked_once() -> None:
    unknowns = [Unknown() for _ in range(20_000)]
    for left, right in pairwise(unknowns):
        assert equate_sizes(Size.of(left), Size.of(right))
    assert equate_sizes(Size.of(unknowns[-1]), Size.of("d_h"))
    assert {str(Size.of(unknown)) for unknown in unknowns} == {"d_h"}
