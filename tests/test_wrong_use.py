"""What is no answer to a question is said in one message, whichever function was asked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import symrnn
from symrnn import cells, generate, jacobian, prove
from symrnn.errors import CellError, InputError


@pytest.mark.parametrize(
    "call",
    [
        lambda: prove(3, cells.rnn),
        lambda: jacobian(cells.rnn, "h", "h_prev", holding=None),
        lambda: generate(cells.rnn, functions=None),
    ],
    ids=["prove", "jacobian", "generate"],
)
def test_it_is_refused_with_what_to_do(call: Callable[[], Any]) -> None:
    with pytest.raises(InputError) as caught:
        call()
    assert str(caught.value).count("\n  ") == 1


def test_spellings_are_compared_in_one_place() -> None:
    package = Path(symrnn.__file__).parent
    comparing = [str(file.relative_to(package)) for file in package.rglob("*.py") if "difflib" in file.read_text()]
    assert comparing == ["suggestions.py"]


def test_a_name_that_differs_in_capitals_alone_is_proposed() -> None:
    with pytest.raises(CellError, match="did you mean 'W_f'"):
        symrnn.Cell.from_source("def f(x, h, *, W_f, U_f):\n    h = tanh(w_F @ x + W_f @ x + U_f @ h)\n    return h\n")
