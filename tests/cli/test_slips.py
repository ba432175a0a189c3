"""What a newcomer does wrong, at the command line and in Python: one message each, with the remedy in it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import symrnn
from symrnn import Cell, cells, interop
from symrnn.errors import SymrnnError

Run = Callable[..., tuple[int, str, str]]

MINE = """\
def one(x, h, *, W):
    h = tanh(W @ x + h)
    return h


def two(x, h, *, W):
    h = sigmoid(W @ x + h)
    return h
"""

COMMANDS: dict[str, tuple[str, str]] = {
    "no cell": ("derive", "derive: Missing argument 'CELL'\n  'symrnn derive --help'"),
    "a cell's name in capitals": ("derive LSTM", "did you mean 'lstm'?"),
    "a cell for a command": ("lstm", "did you mean 'symrnn derive lstm'?"),
    "a file for a command": ("mine.py:one", "did you mean 'symrnn derive mine.py:one'?"),
    "two cells": ("derive lstm gru", "unexpected extra argument(s) (gru)\n  'symrnn derive --help'"),
    "another word for --to": ("derive lstm --format tex", "did you mean '--to'?"),
    "a form that is not there": ("derive lstm --to odt", "there are text, tex, markdown"),
    "an ending that is not there": ("derive lstm -o lstm.docx", "end it in one of .txt, .tex, .md, .markdown"),
    "a directory that is not there": ("derive lstm -o out/", "this is a directory\n  give a file in it"),
    "an option without its value": ("derive lstm --notation", "requires an argument\n  'symrnn derive --help'"),
    "a file that is not there": ("derive lstm.py", "there is no such file\n  give a cell's name"),
    "a file of two cells": ("derive mine.py", "several cells are defined here: one, two\n  say which: mine.py:one"),
    "a cell that a file has not": ("derive mine.py:on", "no cell named 'on' here\n  there are one, two"),
    "no variable": ("jacobian lstm", "Missing argument 'OF'"),
    "a time as in a formula": ("jacobian lstm h h(t-1)", "did you mean 'h_prev'?"),
    "no steps": ("jacobian lstm h h_prev --steps 0", "give a whole number of steps, at least 1"),
    "a number in words": ("jacobian lstm h h_prev --steps two", "'--steps'"),
    "a kind that is not there": ("jacobian lstm h h_prev --kind partial", "there are 'direct', 'cell', 'total'"),
    "held, and not there": ("jacobian lstm h h_prev --holding q", "it has x, h_prev"),
    "a target that is not there": ("generate lstm --target pytorch", "no target 'pytorch'\n  there are numpy"),
    "a function that is not there": ("generate lstm --with grad", "cannot generate 'grad'\n  give a list of jvp"),
    "code in a document": ("generate lstm -o lstm.tex", "end it in .py"),
    "nothing to verify": ("verify", "give one or more, or --all"),
    "cells with a comma": ("verify lstm,gru", "give them one by one"),
    "nothing to check": ("check", "Missing argument 'FILE'"),
    "a cell to check": ("check lstm", "there is no such file\n  give the Python file"),
    "a report as text": ("check mine.py -o report.txt", "end it in .json or .html"),
    "a family in capitals": ("cells --family GRU", "did you mean 'gru'?"),
    "an option before the command": ("--notation bold derive lstm", "give it after the command's name"),
    "an option of another command": ("verify lstm --notation bold", "--notation goes with derive, jacobian"),
    "a misspelt option": ("derive lstm --notatoin bold", "did you mean '--notation'?"),
    "a layout that is not there": ("derive lstm --layout row", "there are 'numerator', 'denominator'"),
    "a section that is not there": ("derive lstm --with proofs", "there are algorithm, flow, properties, rewritings"),
    "a command in capitals": ("Derive lstm", "did you mean 'symrnn derive'?"),
    "a misspelt command": ("verfy lstm", "did you mean 'symrnn verify'?"),
    "an output without a cell": ("derive -o lstm", "Missing argument 'CELL'"),
    "a fragment of Markdown": ("derive lstm --fragment -o lstm.md", "leave --fragment out, or write tex"),
}
"""Arguments, and what the message has in it."""


def rnn(x: Any, h: Any) -> Any:
    return x


def zeros() -> dict[str, Any]:
    return {"x": np.zeros((3, 2, 4))}


CALLS: dict[str, tuple[Callable[[], Any], str]] = {
    "derive, in capitals": (lambda: symrnn.derive("LSTM"), "did you mean 'lstm'?"),
    "derive, a function": (lambda: symrnn.derive(rnn), "write @symrnn.cell above a 'def'"),
    "derive, the library": (lambda: symrnn.derive(cells), "give a cell, such as symrnn.cells.lstm"),
    "derive, a text": (lambda: symrnn.derive(cells.rnn.source), "Cell.from_source"),
    "derive, a class": (lambda: symrnn.derive(Cell), "got the class Cell"),
    "a cell by attribute": (lambda: cells["lsmt"], "did you mean 'lstm'?"),
    "jacobian, a kind": (lambda: symrnn.jacobian("lstm", "h", "h_prev", kind="totl"), "did you mean 'total'?"),
    "jacobian, a time": (lambda: symrnn.jacobian("lstm", "c", "c_{t-1}"), "did you mean 'c_prev'?"),
    "jacobian, an object": (lambda: symrnn.jacobian("lstm", cells.lstm["h"], "x"), "it has x, h_prev"),
    "generate, a target": (lambda: symrnn.generate("lstm", target="torch"), "there are numpy"),
    "generate, a function": (lambda: symrnn.generate("lstm", functions="grad"), "give a list of jvp"),
    "verify, several": (lambda: symrnn.verify(["lstm", "gru"]), "give them one by one"),
    "verify, nothing": (lambda: symrnn.verify(None), "expected a cell, got None"),
    "equivalent, misspelt": (lambda: symrnn.equivalent("lstm", "gruu"), "did you mean 'gru'?"),
    "prove, exchanged": (lambda: symrnn.prove(cells.lstm, "h == o * tanh(c)"), "write 'left == right'"),
    "prove, one sign": (lambda: symrnn.prove("h = o * tanh(c)", "lstm"), "=="),
    "prove, a name": (lambda: symrnn.prove("h == oo * tanh(c)", "lstm"), "'oo'"),
    "identify, a list": (lambda: symrnn.identify(rnn, [1, 2]), "dict"),
    "identify, misspelt": (lambda: symrnn.identify(rnn, zeros(), among="gruu"), "did you mean 'gru'?"),
    "check_gradients, a cell": (lambda: symrnn.check_gradients(rnn, rnn, zeros(), cell="LSTM"), "did you mean 'lstm'?"),
    "load, a framework": (lambda: interop.load("pytorch", {}), "did you mean 'torch'?"),
    "load, nothing": (lambda: interop.load("torch", {}), "expected arrays named weight_ih"),
    "load, a path": (lambda: interop.load("torch", "model.pt"), "expected a dict of arrays, got str"),
    "explain, a kind": (lambda: interop.explain("torch", "keras", "lstms"), "did you mean 'lstm'?"),
    "derivation, a name": (lambda: symrnn.derive("rnn").of("hh"), "did you mean 'h'?"),
    "derivation, a notation": (lambda: symrnn.derive("rnn").latex("bolt"), "did you mean 'bold'?"),
    "derivation, a file": (lambda: symrnn.derive("rnn").save("rnn.docx"), "end it in one of"),
    "a variable of a cell": (lambda: cells.lstm["h_t"], "did you mean 'h'?"),
    "paths, steps": (lambda: symrnn.paths("lstm", "c", "h_prev", -1), "at least 1"),
    "count_paths, a name": (lambda: symrnn.count_paths("lstm", "c", "cprev"), "did you mean 'c_prev'?"),
    "theorems, a name": (lambda: symrnn.theorems("gru", only="bounded"), "did you mean 'bounded state'?"),
    "cell, a name": (lambda: symrnn.cell("lstm"), "write @cell above a 'def'"),
    "from_source, a cell": (lambda: Cell.from_source(cells.rnn), "a cell's text is a str"),
    "exposing_inputs, a name": (lambda: symrnn.exposing_inputs("lstn"), "did you mean 'lstm'?"),
    "explicit, no sizes": (lambda: cells.rnn.explicit(), "n is d_h and m is d_x"),
}
"""A call, and what the message has in it."""


@pytest.mark.parametrize("slip", COMMANDS)
def test_a_slip_at_the_command_line(run: Run, slip: str) -> None:
    Path("mine.py").write_text(MINE)
    arguments, remedy = COMMANDS[slip]
    code, out, err = run(*arguments.split())
    assert remedy in err
    assert (code, out) == (2, "")
    assert err.startswith("symrnn: ")
    assert err.count("symrnn: ") == 1
    assert "Traceback" not in err
    assert os.listdir() == ["mine.py"]


@pytest.mark.parametrize("slip", CALLS)
def test_a_slip_in_python(slip: str) -> None:
    call, remedy = CALLS[slip]
    with pytest.raises(SymrnnError) as caught:
        call()
    assert remedy in str(caught.value)
    assert str(caught.value).count("\n  ") >= 1
