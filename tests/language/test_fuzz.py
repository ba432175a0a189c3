"""Whatever a text is, what comes out is a cell or a `SymrnnError`, never anything else."""

from __future__ import annotations

import contextlib
import io
import tokenize

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import symrnn.cells
from symrnn.errors import CellError
from symrnn.language import read_cells_file
from symrnn.language.recurrence import Cell
from tests.library import MAIN
from tests.strategies import cell_texts

SEEDS = [symrnn.cells.lookup(name).source for name in MAIN]
SEEDS += [
    "@symrnn.cell\ndef f(x: 'd_x', h: 'd_h', m: 'd_h, 4', s: '()', *, W: '2*d_h, d_x + d_h', b, v, k):\n"
    '    """Title.\n\n    Source: none.\n    """\n'
    "    a = W @ concat(h, x) + b\n"
    "    m = sigmoid(s) * m + outer(v, k) / 3\n"
    "    s = mean(a ** 2) - sum(softmax(x)) ** -1\n"
    "    h = maximum(tanh(v), -m @ k) * 0.5\n"
    "    return h, m, s\n",
]
TOKENS = (
    "( ) [ ] , : . = + - * / @ ** // % ** -1 ** 8 1e999 0 0.5 1e-300 1_0 0x1F 1j 'a' \"d_h\" b'' f'' ... None True "
    "lambda def return if else for in while class import global not and := -> x h W c h_prev x.T .T tanh sum concat "
    "outer softmax mean maximum step sigmoid( relu( @cell __import__ _ __ d_x d_h σ ﬁ \ufeff \x00 \n \t \\ # ; ' \" "
    "\u2028 \x0c"
).split(" ")


def tokens(text: str) -> list[str]:
    """The text cut into pieces, blanks and line ends included."""
    pieces, line, column = [], 1, 0
    lines = text.splitlines(keepends=True)
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.start[0] == line and token.start[0] <= len(lines):
            pieces.append(lines[line - 1][column : token.start[1]])
        else:
            pieces.append(lines[token.start[0] - 1][: token.start[1]] if token.start[0] <= len(lines) else "")
        pieces.append(token.string)
        line, column = token.end
    return [piece for piece in pieces if piece]


@st.composite
def mutated(draw, seeds):
    pieces = tokens(draw(seeds))
    for _ in range(draw(st.integers(1, 6))):
        i = draw(st.integers(0, len(pieces) - 1))
        j = draw(st.integers(0, len(pieces) - 1))
        match draw(st.sampled_from(["delete", "insert", "replace", "swap", "double", "copy"])):
            case "delete":
                pieces[i] = ""
            case "insert":
                pieces.insert(i, draw(st.sampled_from(TOKENS)))
            case "replace":
                pieces[i] = draw(st.sampled_from(TOKENS))
            case "swap":
                pieces[i], pieces[j] = pieces[j], pieces[i]
            case "double":
                pieces.insert(i, pieces[i])
            case "copy":
                pieces[i] = pieces[j]
    return "".join(pieces)


def read_or_refuse(text: str) -> Cell | CellError:
    try:
        return Cell.from_source(text)
    except CellError as error:
        return error


def assert_read_or_refused(text: str) -> None:
    found = read_or_refuse(text)
    if isinstance(found, CellError):
        assert len(str(found).split("\n")) in (2, 4)
        assert found.place.line >= 1
        assert 1 <= found.place.column <= len(found.place.text) + 2
        assert found.remedy
    else:
        assert Cell.from_source(found.source) == found
        assert [equation.target.shape for equation in found.body] == [equation.value.shape for equation in found.body]


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(mutated(st.sampled_from(SEEDS)))
@example("def f(x, h):\n    h = x\\\n")
@example("def f(x, h):\n    h = x; return h")
@example("@cell\n\n\ndef f(x,\n  h\n  ): h = x; return h")
@example("\\\ndef f(x, h):\n    h = x\n    return h")
def test_mutated_text(text: str) -> None:
    assert_read_or_refused(text)


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(mutated(cell_texts(equations=5)))
def test_mutated_random_cell(text: str) -> None:
    assert_read_or_refused(text)


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=200))
def test_any_text(text: str) -> None:
    assert_read_or_refused(text)


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.binary(max_size=200), st.sampled_from(SEEDS), st.integers(0, 400))
def test_any_bytes(tmp_path, raw: bytes, seed: str, at: int) -> None:
    path = tmp_path / "mine.py"
    path.write_bytes(seed.encode()[:at] + raw + seed.encode()[at:])
    with contextlib.suppress(CellError):
        assert read_cells_file(path).states
