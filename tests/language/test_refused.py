"""What is not a cell is refused: one message with file, line, column and a remedy, at once, and nothing runs.

In the texts below `¦` marks the place that the message must name; it is taken out before the text is read.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from symrnn.errors import CellError, ShapeError, SymrnnError, UndeterminedError
from symrnn.language import cell, read_cell, read_cells_file
from symrnn.language.recurrence import Cell
from tests.language.slips import SLIPS

MARK = "¦"
MOST_CALLS = 2_000_000
"""Of functions, in what should be done at once: a count says the same on every machine."""


@dataclass
class Work:
    calls: int = 0


@contextmanager
def work() -> Iterator[Work]:
    """How many functions are called meanwhile."""
    done, before = Work(), sys.getprofile()

    def count(frame: object, event: str, argument: object) -> None:
        done.calls += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        yield done
    finally:
        sys.setprofile(before)


@dataclass(frozen=True)
class Refused:
    """A text, with its mark, and words of the message that it gets."""

    name: str
    text: str
    words: str
    kind: type[CellError] = CellError

    @property
    def clean(self) -> str:
        return self.text.replace(MARK, "")

    @property
    def place(self) -> tuple[int, int]:
        before = self.text[: self.text.index(MARK)]
        return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1


def line(name: str, equation: str, words: str, kind: type[CellError] = CellError) -> Refused:
    """A cell whose first equation is refused."""
    return Refused(
        name, f"def f(x, h, *, W, U):\n    {equation}\n    h = tanh(W @ x + U @ h)\n    return h\n", words, kind
    )


def heading(name: str, head: str, words: str, kind: type[CellError] = CellError) -> Refused:
    """A cell whose first line is refused."""
    return Refused(name, f"{head}\n    h = tanh(W @ x + U @ h)\n    return h\n", words, kind)


def ending(name: str, end: str, words: str) -> Refused:
    """A cell whose last line is refused."""
    return Refused(name, f"def f(x, h, *, W, U):\n    a = W @ x\n    h = tanh(a + U @ h)\n{end}", words)


def number(name: str, factor: str, words: str) -> Refused:
    """A cell with a number that is refused."""
    return Refused(name, f"def f(x, h, *, W):\n    h = {factor} * W @ x\n    return h\n", words)


def shape(name: str, equations: str, words: str, arguments: str = "x, h, c, *, W, U") -> Refused:
    """A cell whose shapes do not fit."""
    body = "".join(f"    {equation}\n" for equation in equations.split("; "))
    states = "h, c" if "c" in arguments.split(", ") else "h"
    return Refused(name, f"def f({arguments}):\n{body}    return {states}\n", words, ShapeError)


SYNTAX = (
    heading("no colon", "def f(x, h, *, W, U)¦", "not Python: expected ':'"),
    line("open bracket", "a = tanh¦(x", "'(' was never closed"),
    line("no operator", "a = x ¦h", "invalid syntax"),
    line("bad number", "a = 1¦_ * x", "invalid decimal literal"),
    Refused("indentation", "def f(x, h, *, W):\n¦h = W @ x\n    return h\n", "expected an indented block"),
    Refused("unindent", "def f(x, h, *, W):\n    a = x\n   ¦h = W @ x\n", "unindent does not match"),
    Refused("tabs and blanks", "def f(x, h):\n    a = x\n\t¦h = a\n    return h\n", "inconsistent use of tabs"),
    heading("keyword as argument", "def f(x, h, *, W, U, ¦lambda):", "invalid syntax"),
    heading("keyword as name", "def ¦class(x, h, *, W, U):", "invalid syntax"),
    heading("the same argument twice", "def f(x, h, *, W, U, ¦W):", "the argument 'W' occurs twice"),
    line("assignment to a call", "¦tanh(x) = x", "cannot assign to function call"),
    line("null character", "a = x¦\x00", "U+0000"),
    line("escape sequence", "a = x  # ¦\x1b[2J", "U+001B"),
    line("reversed text", "a = x  # ¦\u202e)x(", "U+202E"),
    line("half a surrogate pair", "a = x  # ¦\ud800", "U+D800"),
    Refused("byte order mark inside", "def f(x, h):\n    h = x\n    ¦\ufeffreturn h\n", "U+FEFF"),
)

TOO_MUCH = (
    line("brackets 500 deep", "a = " + "(" * 200 + MARK + "(" * 300 + "x" + ")" * 500, "nested too deeply"),
    line("sum of 5000 terms", "¦a = " + " + ".join(["x"] * 5000), "split the formula"),
    line("sum of 105 terms", "a = ¦" + " + ".join(["x"] * 105), "split the formula"),
    line("5000 minus signs", "¦a = " + "-" * 5000 + "x", "nested too deeply"),
    line(
        "3000 calls",
        "a = " + "tanh(" * 200 + "tanh" + MARK + "(" + "tanh(" * 2799 + "x" + ")" * 3000,
        "nested too deeply",
    ),
    line("line of 100,000 characters", "¦a = " + "x+" * 50_000 + "x", "nested too deeply"),
    Refused("ten megabytes", MARK + "#" * 10_000_000, "10,000,000 characters; a cell has at most 262,144"),
    Refused(
        "many lines", "def f(x, h):\n" + "    a = -x\n" * 2856 + "    a = ¦-x\n" + "    a = -x\n" * 500, "too long"
    ),
    heading("long name", "def f(x, h, *, W, U, ¦" + "a" * 61 + "):", "61 characters"),
    line("number of 5000 digits", "a = ¦" + "9" * 5000 + " * x", "the number is too long"),
    line("hexadecimal number", "a = ¦0x" + "f" * 20_000 + " * x", "the number is too large"),
    line("tower of powers", "a = 9**¦9**9 * x", "the exponent 9 ** 9 is not allowed"),
    line("infinity", "a = ¦1e999 * x", "the number is too large"),
    number("large product", "¦999999 * 999999", "the number is too large"),
    number("powers of literals", "(¦1000 ** 8) ** 8", "the number is too large"),
    number("fine number", "¦1e-300", "the number is too fine"),
    number("power of powers", "(¦(x ** 8) ** 8) ** 8 @ x", "powers of powers beyond 64"),
)

EXPRESSIONS = (
    line("unknown function", "a = ¦tahn(x)", "unknown function 'tahn'"),
    line("did you mean", "a = ¦sigmod(x)", "did you mean 'sigmoid'?"),
    line("another library's name", "a = ¦matmul(W, x, h)", "write A @ B"),
    line("function of an unknown module", "a = ¦foo.tanh(x)", "write tanh(...)"),
    line("unknown module function", "a = ¦torch.einsum(x)", "torch.einsum cannot be called"),
    line("parts without names", "a = ¦torch.chunk(x, 2)", "assign them: 'a, b = split(..., 2)'"),
    line("parts that are no number", "a, b = split(x, ¦h)", "write split(..., 2)"),
    line("more parts than names", "a, b = split(x, ¦4)", "2 names for 4 parts"),
    line("parts by their size", "a, b = torch.split(x, ¦4)", "write split(..., 2), with"),
    line("parts too many", "a = split(x, 65)[¦0]", "no part of a split"),
    line("a part that is not there", "a = split(x, 4)[¦4]", "no part of a split"),
    line("import call", "a = ¦__import__('os').system('touch CANARY')", "cannot be called"),
    line("import call alone", "a = ¦__import__('os')", "unknown function '__import__'"),
    line("open", "a = ¦open('CANARY', 'w')", "unknown function 'open'"),
    line("eval", "a = ¦eval('1')", "unknown function 'eval'"),
    line("attribute", "a = ¦x.__class__", "the attribute .__class__"),
    line("subclasses", "a = ¦().__class__.__base__.__subclasses__()", "cannot be called"),
    line("call of a call", "a = ¦tanh(x)(x)", "tanh(x) cannot be called"),
    line("comprehension", "a = ¦[x for x in h]", "a comprehension is not part of the cell language"),
    line("generator", "a = sum¦(x for x in h)", "a comprehension"),
    line("lambda", "a = ¦lambda: x", "a lambda"),
    line("f-string", "a = ¦f'{x}'", "an f-string"),
    line("walrus", "a = (¦b := x)", "an assignment inside an expression"),
    line("if-expression", "a = ¦x if h else x", "choose with step, relu, maximum or minimum"),
    line("comparison", "a = ¦x > 0", "a comparison"),
    line("and", "a = ¦x and h", "and/or"),
    line("not", "a = ¦not x", "'not'"),
    line("indexing", "a = ¦x[0]", "indexing"),
    line("every second row", "a = ¦x[::2]", "indexing"),
    line("rows of a batch", "a = ¦x[:, :d_h]", "leave the batch out, as in x[:d_h]"),
    line("rows from the end", "a = x[¦-2:]", "-2 is no size"),
    line("list", "a = ¦[x, h]", "join vectors with concat(a, b)"),
    line("tuple", "a = ¦(x, h)", "a tuple"),
    line("dictionary", "a = ¦{'x': x}", "a dictionary"),
    line("await", "a = ¦await x", "await"),
    line("yield", "a = (¦yield)", "yield"),
    line("floor division", "a = ¦x // 2", "divide with /"),
    line("caret", "a = ¦x ^ 2", "powers are written with **"),
    line("plus sign", "a = ¦+x", "leave it out"),
    line("tilde", "a = ¦~x", "the operator ~"),
    line("power 0", "a = x ** ¦0", "whole exponents go from 1 to 8"),
    line("power 2.0", "a = x ** ¦2.0", "whole exponents go from 1 to 8"),
    line("three arguments", "a = ¦leaky_relu(x, 1, 2)", "leaky_relu takes 1 to 2 arguments, got 3"),
    line("complex number", "a = ¦1j * x", "1j is not a number of the language"),
    line("bytes", "a = ¦b'a' * x", "b'a' is not a number"),
    line("truth value", "a = ¦True * x", "True is not a number"),
    line("none", "a = ¦None", "None is not a number"),
    line("text", "a = ¦'x'", "'x' is not a number"),
    line("ellipsis", "a = ¦...", "... is not a number"),
    line("keyword argument", "a = relu(x, ¦axis=0)", "relu takes no keyword arguments"),
    line("unpacked keywords", "a = sum(x, ¦**h)", "sum takes no **unpacking"),
    line("unpacking", "a = concat(¦*x)", "*unpacking"),
    line("too many arguments", "a = ¦tanh(x, h)", "tanh takes 1 argument, got 2"),
    line("too few arguments", "a = ¦maximum(x)", "maximum takes 2 arguments, got 1"),
    line("concat of one", "a = ¦concat(x)", "concat takes two or more arguments, got 1"),
    line("function without a call", "a = ¦tanh * x", "call it: tanh(...)"),
    number("division by zero", "1 / ¦0", "division by zero"),
    number("division by a zero sum", "2 / (¦1 - 1)", "division by zero"),
    number("reciprocal of zero", "¦0 ** -1", "division by zero"),
    Refused("division by nothing", "def f(x, h, *, W):\n    h = W @ x / (¦0 * h)\n    return h\n", "division by zero"),
)

NAMES = (
    line("undefined name", "a = ¦V @ x", "the name 'V' is not defined"),
    line("misspelt name", "a = ¦WW @ x", "did you mean 'W'?"),
    line("read before it is assigned", "a = ¦b + x\n    b = x", "'b' is read before it is assigned"),
    line("assigned twice", "a = x\n    ¦a = W @ x", "'a' is assigned twice, first in line 2"),
    line("input assigned", "¦x = 2 * x", "'x' is an input and is assigned"),
    line("parameter assigned", "¦W = 2 * W", "'W' is a parameter and is assigned"),
    line("intermediate unused", "¦a = x", "'a' is computed and never used"),
    line("function's name", "¦tanh = x", "'tanh' is a function of the cell language"),
    line("name at t-1", "¦h_prev = h", "write 'h' for both times"),
    line("adjoint's name", "¦h_bar = h", "the adjoints belong to the derivation"),
    line("next step's name", "¦h_next = h", "names in _next are reserved"),
    line("dunder", "¦__builtins__ = x", "'__builtins__' cannot name a variable"),
    line("underscore", "¦_ = x", "'_' cannot name a variable"),
    line("dunder read", "a = ¦__file__ * x", "begins with an underscore"),
    Refused(
        "size as a name",
        "def f(x, h, *, W):\n    ¦d_x = 2 * x\n    h = W @ d_x\n    return h\n",
        "'d_x' names both a size and a variable",
    ),
    heading("parameter unused", "def f(x, h, *, W, U, ¦V):", "the parameter 'V' is never used"),
    heading("dunder argument", "def f(x, h, *, W, U, ¦__x):", "'__x' cannot name an argument"),
    heading("dunder cell", "def ¦__init__(x, h, *, W, U):", "'__init__' cannot name a cell"),
    heading("function as argument", "def f(x, h, *, W, U, ¦concat):", "'concat' is a function"),
    heading("Greek letter", "def f(x, h, *, W, U, ¦σ):", "the name 'σ' has characters beyond ASCII"),
    heading("Greek cell", "def ¦ƒ(x, h, *, W, U):", "the name 'ƒ' has characters beyond ASCII"),
    line("ligature, which Python reads as fi", "¦ﬁ = x", "the name 'ﬁ' has characters beyond ASCII"),
    line("wide letter, which Python reads as x", "a = 2 * ¦ｘ", "the name 'ｘ' has characters beyond ASCII"),
    line("Cyrillic letter that looks like x", "a = 2 * ¦х", "the name 'х' has characters beyond ASCII"),
    line("bold keyword", "¦𝐝𝐞𝐟 = x", "characters beyond ASCII"),
    line("wide attribute", "a = x.¦Ｔ", "the name 'Ｔ' has characters beyond ASCII"),
    line("after wide text", "a = '中文字' + ¦ｘ", "characters beyond ASCII"),
)

FUNCTIONS = (
    heading("star", "def f(x, h, *¦args):", "*args is not a cell's argument"),
    heading("two stars", "def f(x, h, **¦kwargs):", "**kwargs is not a cell's argument"),
    heading("value of an input", "def f(x, h=¦0.1, *, W, U):", "put a constant behind the *, as in *, h=0.1"),
    heading("value that runs", "def f(x, h=¦open('CANARY', 'w'), *, W, U):", "no default values"),
    heading("constant that runs", "def f(x, h, *, W, U=¦open('CANARY', 'w')):", "a value that is no number"),
    heading("constant that is none", "def f(x, h, *, W, U=¦None):", "a value that is no number"),
    heading("constant that is a text", "def f(x, h, *, W, U=¦'tanh'):", "write a number, as in U=0.1"),
    heading(
        "constant that is a vector", "def f(x, h, *, W, U: ¦'d_h' = 0.1):", "the constant 'U' is a scalar", ShapeError
    ),
    heading("constant unused", "def f(x, h, *, W, U, ¦b=0.1):", "the constant 'b' is never used"),
    heading("constant too large", "def f(x, h, *, W, U, b=¦1e7):", "the number is too large"),
    heading("positional-only", "def f(¦x, /, h, *, W, U):", "remove the '/'"),
    heading("return annotation", "def f(x, h, *, W, U) -> ¦float:", "no return annotation"),
    heading("other decorator", "@¦cache\ndef f(x, h, *, W, U):", "a cell takes no decorator but @cell"),
    heading(
        "decorator that runs",
        "@¦__import__('os').system('touch CANARY')\ndef f(x, h, *, W, U):",
        "no decorator but @cell",
    ),
    heading("decorator with brackets", "@¦cell()\ndef f(x, h, *, W, U):", "write @cell without brackets"),
    heading("decorator and another", "@cell\n@¦jit\ndef f(x, h, *, W, U):", "no decorator but @cell"),
    Refused("async", "async def ¦f(x, h):\n    h = x\n    return h\n", "an async function"),
    Refused("class", "class ¦f:\n    h = 1\n", "a class is not part of the cell language"),
    Refused("class with a method", "class ¦f:\n    def step(x, h):\n        return h\n", "a cell is a function"),
    Refused(
        "defined twice",
        "def f(x, h):\n    h = x\n    return h\n\ndef ¦f(x):\n    pass\n",
        "'f' is defined twice, first in line 1",
    ),
    Refused(
        "two cells",
        MARK + "def f(x, h):\n    h = x\n    return h\n\ndef g(x, h):\n    h = x\n    return h\n",
        "several cells are defined here: f, g",
    ),
    Refused("empty", MARK, "no cell is defined here"),
    Refused("blanks", MARK + "  \n\t\n  ", "no cell is defined here"),
    Refused("comments", MARK + "# def f(x, h):\n#     return h\n", "no cell is defined here"),
    Refused("a docstring", MARK + '"""A cell."""\n', "no cell is defined here"),
    Refused("imports", MARK + "import os\nfrom symrnn import cell\n", "no cell is defined here"),
    Refused("print", "¦print('hello')\n", "a cell file holds imports and functions only"),
    Refused("exec", "¦exec(\"open('CANARY', 'w')\")\ndef f(x, h):\n    h = x\n    return h\n", "it is read, never run"),
    Refused("module's value", "def f(x, h):\n    h = x\n    return h\n\n¦N = 3\n", "holds imports and functions only"),
    Refused("if at the top", "¦if True:\n    open('CANARY', 'w')\n", "holds imports and functions only"),
)

STATEMENTS = (
    line("nested function", "def ¦g(): pass", "a function inside the cell"),
    line("nested class", "class ¦g: pass", "a class"),
    line("import", "¦import os", "an import inside the cell"),
    line("global", "¦global x", "'global'"),
    line("del", "¦del x", "'del'"),
    line("if", "¦if x: a = 1", "choose with step"),
    line("for", "¦for i in x: a = 1", "write the equations of one time step"),
    line("while", "¦while True: pass", "'while'"),
    line("with", "¦with open('CANARY', 'w'): pass", "'with'"),
    line("try", "¦try: a = 1\n    finally: a = 2", "'try'"),
    line("raise", "¦raise x", "'raise'"),
    line("assert", "¦assert x", "'assert'"),
    line("pass", "¦pass", "'pass'"),
    line("match", "¦match x:\n        case 1: a = 1", "'match'"),
    line("expression on its own", "¦tanh(x)", "an expression on its own"),
    Refused(
        "second docstring",
        "def f(x, h):\n    'one'\n    ¦'two'\n    h = x\n    return h\n",
        "an expression on its own",
    ),
    line("several targets", "a, b = ¦x", "2 names for one value"),
    line("more targets than values", "a, b, c = ¦x, h", "3 names for 2 values"),
    line("values exchanged", "a, b = x, ¦a", "write two lines, this one first: 'b = a'"),
    line("chained", "a = ¦b = x", "an equation assigns to one name"),
    line("starred target", "¦*a, b = x", "an equation assigns to names"),
    line("indexed target", "¦x[0] = 1", "an equation assigns to one name"),
    line("attribute target", "¦x.T = 1", "an equation assigns to one name"),
    line("augmented", "¦x += h", "'x' is an input and is assigned"),
    line("augmented operator", "¦h //= x", "divide with /"),
    line("annotation alone", "¦a: 'd_x'", "an annotation without a value"),
    line("two returns", "¦return h", "a cell returns once, at its end"),
    ending("no return", "    ¦b = h\n", "a cell ends with 'return'"),
    ending("bare return", "    ¦return\n", "a cell returns its states"),
    ending("return of nothing", "    return ¦None\n", "a cell returns names"),
    ending("return of an expression", "    return ¦2 * h\n", "a cell returns names"),
    ending("return of a set", "    return ¦{h}\n", "a cell returns names"),
    ending("return of a tuple in a tuple", "    return h, ¦(h,)\n", "a cell returns names"),
    ending("returned twice", "    return h, ¦h\n", "'h' is returned twice"),
    ending("returned name unknown", "    return h, ¦c\n", "'c' is returned but not defined"),
    ending("returned name misspelt", "    return h, ¦aa\n", "did you mean 'a'?"),
    ending("returned intermediate", "    return h, ¦a\n", "the state 'a' is not an argument"),
    ending("returned parameter", "    return h, ¦W\n", "put 'W' before the *"),
    ending("returned input", "    return h, ¦x\n", "the state 'x' is returned but never assigned"),
    ending("loop at the end", "    ¦for i in x:\n        return h\n", "'for' is not part"),
    Refused("docstring only", "def ¦f(x, h):\n    'A cell.'\n", "a cell ends with 'return'"),
    Refused("pass only", "def f(x, h):\n    ¦pass\n", "a cell ends with 'return'"),
)

ANNOTATIONS = tuple(
    heading(f"annotation {text:.30}", f"def f(x, h, *, W: ¦{text}, U):", words)
    for text, words in (
        ("\"__import__('os').system('touch CANARY')\"", "is not a shape"),
        ("__import__('os')", "the annotation is not a shape"),
        ("float", "the annotation is not a shape"),
        ("3", "the annotation is not a shape"),
        ("('d_h', 'd_x')", "the annotation is not a shape"),
        ("f'{d_h}'", "the annotation is not a shape"),
        ("''", "'' is not a shape"),
        ("'d_h, d_x, d_k'", "has 3 sizes"),
        ("'d_h * d_x'", "'d_h * d_x' is not a shape"),
        ("'d_h - 1'", "is not a shape"),
        ("'-1'", "is not a shape"),
        ("'1e9'", "is not a shape"),
        ("'0'", "the size '0' is not allowed"),
        ("'1'", "a fixed size is 2 or more"),
        ("'999999'", "the size '999999' is too large"),
        ("'9999*d_h'", "is too large"),
        ("'99999999'", "is not a shape"),
        ("'٣'", "is not a shape"),
        ("'d_ħ'", "is not a shape"),
        ("'lambda'", "is not a shape"),
        ("'__d'", "is not a shape"),
        ("'d_h,, d_x'", "has 3 sizes"),
        ("'" + "d_h + " * 5000 + "d_h'", "is too large"),
        ("'" + "(" * 5000 + "'", "is not a shape"),
    )
)

#: Every line is twice as long a vector as the one before.
DOUBLING = "    a0 = concat(x, x)\n" + "".join(
    f"    {MARK * (i == 10)}a{i} = concat(a{i - 1}, a{i - 1})\n" for i in range(1, 40)
)

SHAPES = (
    shape("product", "h = W @ x + U @ h; c = ¦W @ h + c", "the inner sizes d_x and d_h of @ differ"),
    shape("sum", "h = W @ x + U @ h; c = ¦c + x + h", "the shapes of an element-by-element operation differ"),
    shape("entry by entry", "h = W @ x + U @ h; c = ¦c * x * h", "differ"),
    shape("function of two", "h = W @ x + U @ h; c = c + ¦maximum(h, x)", "differ"),
    shape("state", "¦h = x; c = c + W @ x + U @ h", "does not have the shape it must have"),
    shape("state from a number", "c = W @ x + U @ h + c; ¦h = 0", "h has shape (d_h)"),
    Refused(
        "two uses of a matrix",
        "def f(x, h, *, W):\n    h = W @ x + ¦W @ h\n    return h\n",
        "the inner sizes d_x and d_h",
        ShapeError,
    ),
    shape("scalar in a product", "h = W @ x + U @ h; c = c * (¦sum(h) @ x)", "@ takes no scalars; use *"),
    shape("transpose of a vector", "h = W @ x + U @ h; c = c * ¦h.T", ".T is for matrices"),
    shape("softmax of a matrix", "h = W @ x + U @ h; c = c * sum(¦softmax(W))", "a vector is needed here"),
    shape("concat of a matrix", "h = W @ x + U @ h; c = c * sum(¦concat(W, h))", "a vector is needed here"),
    shape("outer of scalars", "h = W @ x + U @ h; c = c * sum(¦outer(sum(h), x))", "a vector is needed here"),
    shape("parts that do not fit", "h = W @ x + U @ h; c = c * ¦split(x, 2)[0]", "is not 2 parts"),
    shape("rows that are not there", "h = W @ x + U @ h; c = c + ¦h[d_h:2*d_h]", "it has no rows up to 2*d_h"),
    shape("rows of a scalar", "h = W @ x + U @ h; c = c + ¦sum(h)[:d_h]", "a scalar has no rows"),
    shape("concat too long", "h = W @ x + U @ c; c = c + ¦concat(h, x) * h", "(d_h + d_x)"),
    Refused(
        "scalar parameter",
        "def f(x, h, *, W, U: '()'):\n    h = W @ x + ¦U @ h\n    return h\n",
        "@ takes no scalars; use *: U has shape (), as annotated in line 1",
        ShapeError,
    ),
    Refused(
        "annotated parameter",
        "def f(x, h, *, W: 'd_x, d_h', U):\n    h = tanh(¦W @ x + U @ h)\n    return h\n",
        "W has shape (d_x, d_h), as annotated in line 1",
        ShapeError,
    ),
    Refused(
        "annotated equation",
        "def f(x, h, *, W, U):\n    a: 'd_x' = W @ x\n    ¦h = tanh(a + U @ h)\n    return h\n",
        "tanh(a + U @ h) has shape (d_x), as annotated in line 2",
        ShapeError,
    ),
    Refused(
        "ambiguous parameter",
        "def f(x, h, *, W, ¦p):\n    h = W @ x * sum(p)\n    return h\n",
        "'p' is not determined",
        ShapeError,
    ),
    Refused(
        "ambiguous inner size",
        "def f(x, h, *, ¦W, U):\n    h = tanh(W @ (U @ x))\n    return h\n",
        'annotate it, as in W: "d_h, d_k"',
        ShapeError,
    ),
    Refused(
        "ambiguous sum",
        "def f(x, h, *, W, ¦p, q):\n    a = p - q\n    h = W @ x * sum(a)\n    return h\n",
        "'p' is not determined",
        ShapeError,
    ),
    Refused(
        "ambiguous parts",
        "def f(x, h, *, W, ¦p, q):\n    h = W @ x + concat(p, q)\n    return h\n",
        "'p' is not determined",
        ShapeError,
    ),
    Refused(
        "negative part",
        "def f(x, h, *, W, p: 'd_x', q):\n    h = ¦W @ x + concat(p, q)\n    return h\n",
        "concat(p, q) has shape (d_x + ?)",
        ShapeError,
    ),
    Refused("doubling", f"def f(x, h):\n{DOUBLING}    h = h * sum(a39)\n    return h\n", "at most 1024", ShapeError),
)

REFUSED = (*SYNTAX, *TOO_MUCH, *EXPRESSIONS, *NAMES, *FUNCTIONS, *STATEMENTS, *ANNOTATIONS, *SHAPES)


def assert_refused(error: SymrnnError, case: Refused, file: str) -> None:
    assert type(error) in (case.kind, UndeterminedError if case.kind is ShapeError else case.kind)
    assert case.words in str(error)
    assert (error.place.line, error.place.column) == case.place
    first, *rest = str(error).split("\n")
    assert first.startswith(f"{file}:{case.place[0]}:{case.place[1]}: ")
    assert len(rest) in (1, 3)  # the remedy, after the line and its caret where there is one
    assert rest[-1].startswith("  ")
    assert rest[-1].strip() == error.remedy
    assert max(map(len, str(error).split("\n"))) < 400
    assert all(c.isprintable() or c == "\n" for c in str(error))


@pytest.fixture(autouse=True)
def nothing_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    yield
    assert not (tmp_path / "CANARY").exists()


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.name)
def test_text_is_refused(case: Refused) -> None:
    with work() as done, pytest.raises(SymrnnError) as caught:
        Cell.from_source(case.clean)
    assert done.calls < MOST_CALLS
    assert_refused(caught.value, case, "<cell>")


@pytest.mark.parametrize(
    "case", [c for c in REFUSED if not c.name.startswith(("ten meg", "half"))], ids=lambda case: case.name
)
def test_file_is_refused(case: Refused, tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_bytes(case.clean.encode())
    with pytest.raises(SymrnnError) as caught:
        read_cells_file(path)
    assert_refused(caught.value, case, str(path))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["mine.py"]


def test_case_names_are_unique() -> None:
    names = [case.name for case in REFUSED]
    assert len(set(names)) == len(names)


GOOD = "def f(x, h, *, W):\n    h = tanh(W @ x + h)\n    return h\n"


def test_good_text_is_read() -> None:
    assert Cell.from_source(GOOD).states == ("h",)


@pytest.mark.parametrize(
    ("raw", "place", "words"),
    [
        (b"def f(x, h):\n    h = x # \xff\n", (2, 13), "the byte 0xff is not UTF-8"),
        ("# é\n# ".encode() + b"\xe9\n", (2, 3), "save the file as UTF-8"),
        (GOOD.encode("utf-16"), (1, 1), "not UTF-8"),
        (GOOD.encode("utf-32-le"), (1, 2), "U+0000"),
        (b"\x7fELF\x02\x01\x01\x00", (1, 1), "U+007F"),
        (b"PK\x03\x04" + bytes(range(256)), (1, 3), "not UTF-8"),
        (b"#" * 300_000, (1, 1), "at most 262,144 bytes"),
        (b"", (1, 1), "no cell is defined here"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_bytes_are_refused(raw: bytes, place: tuple[int, int], words: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_bytes(raw)
    with pytest.raises(CellError) as caught:
        read_cells_file(path)
    if words != "not UTF-8":
        assert (caught.value.place.line, caught.value.place.column) == place
    assert words in str(caught.value)


@pytest.mark.parametrize(
    "raw",
    [
        GOOD.encode("utf-8-sig"),
        GOOD.replace("\n", "\r\n").encode(),
        GOOD.replace("\n", "\r").encode(),
        GOOD.replace("    ", "\t").encode(),
        GOOD.rstrip().encode(),
        b"\n\n\x0c\n" + GOOD.encode(),
        b"#!/usr/bin/env python\n# -*- coding: latin-1 -*-\nimport os\n" + GOOD.encode(),
        '"""Ein Zellchen: ∂h/∂x, 中文."""\n'.encode() + GOOD.encode(),
        GOOD.encode() + b"\nif __name__ == '__main__':\n    open('CANARY', 'w')\n",
        b"def helper(a=open('CANARY', 'w')):\n    open('CANARY', 'w')\n\n@cell\n" + GOOD.encode(),
        b"import symrnn\nfrom os import *\n\n@symrnn.cell\n" + GOOD.encode(),
    ],
    ids=[
        "mark",
        "crlf",
        "cr",
        "tabs",
        "no end",
        "form feed",
        "cookie",
        "docstring",
        "main",
        "other functions",
        "import",
    ],
)
def test_file_is_accepted_and_not_run(raw: bytes, tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_bytes(raw)
    assert read_cells_file(path) == Cell.from_source(GOOD)
    assert read_cells_file(str(path), "f").parameters == ("W",)


def test_place_behind_a_mark_and_other_line_ends(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_bytes("\ufeff# \u2028 is no line end to Python\r\ndef f(x, h):\r    h = x[0]\n    return h\n".encode())
    with pytest.raises(CellError, match="indexing") as caught:
        read_cells_file(path)
    assert (caught.value.place.line, caught.value.place.column) == (3, 9)


def special_files(tmp_path: Path) -> dict[str, tuple[Path, str]]:
    fifo = tmp_path / "pipe.py"
    os.mkfifo(fifo)
    loop = tmp_path / "loop.py"
    loop.symlink_to(loop)
    return {
        "directory": (tmp_path, "this is a directory"),
        "missing": (tmp_path / "none.py", "there is no such file"),
        "missing folder": (tmp_path / "none" / "none.py", "there is no such file"),
        "pipe": (fifo, "this is not a regular file"),
        "zeros": (Path("/dev/zero"), "this is not a regular file"),
        "loop": (loop, ""),
        "long name": (tmp_path / ("a" * 5000), "cannot be read"),
        "null": (tmp_path / "a\0b", ""),
        "empty name": (Path(""), "this is a directory"),
    }


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes and links")
def test_special_files_are_refused_at_once(tmp_path: Path) -> None:
    for path, words in special_files(tmp_path).values():  # one that waited for a pipe would never end
        with pytest.raises(CellError) as caught:
            read_cells_file(path)
        assert words in str(caught.value)
        assert str(caught.value).count("\n") == 1
        assert (caught.value.place.line, caught.value.place.column) == (1, 1)
        assert caught.value.remedy


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="everything is readable to this user")
def test_unreadable_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(GOOD)
    path.chmod(0)
    with pytest.raises(CellError, match="cannot be read: Permission denied"):
        read_cells_file(path)


def test_hostile_file_name_stays_on_one_line(tmp_path: Path) -> None:
    path = tmp_path / "a\n\x1b[31m'\"b.py"
    path.write_text("def f(x, h):\n    h = x[0]\n    return h\n")
    with pytest.raises(CellError) as caught:
        read_cells_file(path)
    assert "a\\n\\x1b[31m'\"b.py:2:9: " in str(caught.value).split("\n")[0]


@pytest.mark.parametrize("text", [None, 3, b"def f(x, h): pass", ["def"], Path("f.py")])
def test_text_must_be_a_str(text) -> None:
    with pytest.raises(SymrnnError, match="a cell's text is a str"):
        read_cell(text)


def test_unknown_cell_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(GOOD)
    with pytest.raises(CellError, match=r"no cell named 'g' here\n  there are f"):
        read_cells_file(path, "g")


def test_decorator_names_the_place_in_the_file() -> None:
    with pytest.raises(CellError, match="'tahn'") as caught:

        @cell
        def wrong(x, h, *, W):
            h = tahn(W @ x)
            return h  # noqa: RET504

    place = caught.value.place
    lines = Path(__file__).read_text(encoding="utf-8").splitlines()
    assert place.file == __file__
    assert lines[place.line - 1][place.column - 1 :].startswith("tahn(W @ x)")
    assert place.text == lines[place.line - 1]


def test_decorator_reads_indented_and_ragged_text() -> None:
    @cell
    def ragged(x, h, *, W):
        """A docstring
            that begins further left,
        than the function.
        """
        h = tanh(W @ x + h)
        return h  # noqa: RET504

    assert ragged.parameters == ("W",)
    assert ragged.source.startswith("def ragged(")
    assert Cell.from_source(ragged.source) == ragged


@pytest.mark.parametrize(
    "thing", [3, len, str, "def f(x, h): pass", None, os.path, lambda: 1], ids=lambda thing: type(thing).__name__
)
def test_decorator_wants_a_function(thing) -> None:
    with pytest.raises(SymrnnError):
        cell(thing)


def test_function_without_text_is_refused() -> None:
    space: dict = {}
    exec("def f(x, h):\n    h = x\n    return h\n", space)
    with pytest.raises(SymrnnError, match="source text of f cannot be found"):
        cell(space["f"])


def test_open_questions_end() -> None:
    """Two unknowns that only depend on each other: the reader once asked for ever."""
    with pytest.raises(ShapeError, match="not determined"):
        Cell.from_source("def f(x, h, *, W, p, q):\n    a = elu(p - q)\n    h = W @ x + sum(a)\n    return h\n")


def test_largest_texts_are_read_at_once() -> None:
    chain = "".join(f"    a{i} = tanh(a{i - 1} * p{i} + W @ concat(x, q{i}))\n" for i in range(1, 300))
    names = ", ".join(f"p{i}, q{i}: 'd_q'" for i in range(1, 300))
    text = f"def f(x, h, *, W, V, {names}):\n    a0 = V @ x\n{chain}    h = tanh(a299 + h)\n    return h\n"
    with work() as done:
        assert len(Cell.from_source(text).body) == 301
    assert done.calls < 10 * MOST_CALLS


@pytest.mark.parametrize(("name", "text", "words"), SLIPS, ids=[name for name, _, _ in SLIPS])
def test_a_slip_is_answered_with_its_remedy(name: str, text: str, words: str) -> None:
    case = Refused(name, text, words)
    with pytest.raises(CellError) as caught:
        Cell.from_source(case.clean)
    assert words in str(caught.value)
    assert (caught.value.place.line, caught.value.place.column) == case.place
    assert caught.value.remedy not in ("", "correct the line, or the one before it")
    if "not Python" not in str(caught.value):
        assert "allowed are" not in caught.value.remedy or "did you mean" in caught.value.remedy or "unknown" in words


@pytest.mark.parametrize(
    ("head", "equation", "remedy"),
    [
        ("def f(x, h, *, W, U):", "a = tanh(W x", "close the bracket"),
        ("def f(x, h, *, W, U):", "a = W x)", "remove the bracket, or open it before"),
        ("def f(x, h, *, W, U) return", "a = x", "write : at the end of the line"),
    ],
)
def test_what_python_says_for_certain_is_not_guessed_at(head: str, equation: str, remedy: str) -> None:
    """Each line also looks like a slip, a product without its sign."""
    with pytest.raises(CellError, match="not Python") as caught:
        Cell.from_source(f"{head}\n    {equation}\n    h = tanh(W @ x + U @ h)\n    return h\n")
    assert caught.value.remedy == remedy
