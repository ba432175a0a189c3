"""The symbols of derivatives: which kind it is, and what is held."""

from __future__ import annotations

import pytest
import sympy

from symrnn import Cell, cells, derive
from symrnn.calculus.symbols import DerivativeSymbol
from symrnn.calculus.window import ask


@pytest.mark.parametrize(
    ("name", "question", "text", "latex"),
    [
        ("lstm", ("c", "c_prev", 1, (), "direct"), "∂⁺c_t/∂c_{t-1}", r"\frac{\partial^{+} c_t}{\partial c_{t-1}}"),
        (
            "lstm",
            ("c", "c_prev", 1, (), "cell"),
            "∂c_t/∂c_{t-1}|_{h_{t-1}}",
            r"\left.\frac{\partial c_t}{\partial c_{t-1}}\right|_{h_{t-1}}",
        ),
        ("lstm", ("c", "c_prev", 1, (), "total"), "dc_t/dc_{t-1}", r"\frac{\mathrm{d} c_t}{\mathrm{d} c_{t-1}}"),
        ("lstm", ("c", "c_prev", 3, (), "cell"), "∂c_t/∂c_{t-3}|_{h_{t-3}}", None),
        ("lstm", ("c", "c", 2, (), "cell"), "∂c_t/∂c_{t-1}|_{h_{t-2}, c_{t-2}}", None),
        ("lstm", ("c", "c", 2, (), "total"), "dc_t/dc_{t-1}", None),
        ("lstm", ("c", "c_prev", 1, ("h_prev",), "total"), "dc_t/dc_{t-1}|_{h_{t-1}}", None),
        ("lstm", ("c", "c_prev", 1, ("h_prev",), "cell"), "∂c_t/∂c_{t-1}|_{h_{t-1}}", None),
        ("lstm", ("c", "c_prev", 2, ("o",), "total"), "dc_t/dc_{t-2}|_{o_t, o_{t-1}}", None),
        ("lstm_peephole", ("c", "c_prev", 1, ("o",), "total"), "dc_t/dc_{t-1}|_{o_t, o_{t-1}}", None),
        ("lstm", ("c", "W_f", 2, (), "total"), "dc_t/dvec(W_f)|_{h_{t-2}, c_{t-2}}", None),
        ("lstm", ("c", "b_f", 1, ("W_f",), "cell"), "∂c_t/∂b_f|_{h_{t-1}, c_{t-1}, W_f}", None),
        ("gru", ("h", "h_prev", 1, (), "cell"), "∂h_t/∂h_{t-1}", None),
        ("gru", ("h", "x", 2, (), "cell"), "∂h_t/∂x_{t-1}|_{h_{t-2}}", None),
        ("slstm", ("h", "c_prev", 1, (), "cell"), "∂h_t/∂c_{t-1}|_{t-1}", None),
        ("slstm", ("h", "c_prev", 1, ("f",), "cell"), "∂h_t/∂c_{t-1}|_{t-1, f_t}", None),
        ("slstm", ("h", "c_prev", 4, ("f", "i"), "total"), "dh_t/dc_{t-4}|_{i_t, …, f_{t-3}}", None),
    ],
)
def test_symbols(name: str, question: tuple[str, str, int, tuple[str, ...], str], text: str, latex: str | None) -> None:
    symbol = ask(derive(cells[name]), *question).symbol
    assert str(symbol) == text
    assert latex is None or symbol.latex(sympy.latex) == latex


def test_sixty_states_do_not_make_a_long_line() -> None:
    lines = "".join(f"    s{i} = tanh(V @ s{i} + h)\n" for i in range(60))
    states = ", ".join(["h", *(f"s{i}" for i in range(60))])
    cell = Cell.from_source(f"def many(x, {states}, *, V, W):\n    h = tanh(W @ x + h)\n{lines}    return {states}\n")
    symbol = ask(derive(cell), "s7", "s7_prev").symbol
    assert str(symbol) == "∂s_{7,t}/∂s_{7,t-1}|_{t-1}"
    assert symbol.meaning() == "where the other states at t-1 are held"


def test_meanings() -> None:
    lstm = derive(cells.lstm)
    assert ask(lstm, "c", "c_prev").symbol.meaning() == "where h_{t-1} is held"
    assert ask(lstm, "c", "x").symbol.meaning() == "where h_{t-1}, c_{t-1} are held"
    assert ask(lstm, "c", "c_prev", kind="total").symbol.meaning() == "where whatever it reaches moves along"
    assert ask(lstm, "c", "c_prev", kind="direct").symbol.meaning() == "where every other named variable is held"
    assert ask(derive(cells.rnn), "h", "h_prev").symbol.meaning() == "where no other state enters"
    assert isinstance(ask(lstm, "c", "c_prev").symbol, DerivativeSymbol)
