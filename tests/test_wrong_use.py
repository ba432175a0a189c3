"""What is no answer to a question is said in one message, whichever function was asked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from symrnn import cells, generate, jacobian, prove
from symrnn.errors import InputError


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
