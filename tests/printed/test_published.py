r"""Formulas as they were published, typed by hand from the papers: each line is true in the notation of its paper.

A line is read in the letters that a document in that notation prints, and evaluated.  A forward line is besides the
document's own, factor by factor; those of a backward pass are written out otherwise (a slope as σ'(a), the gate's
adjoint put in), so that they are compared by value.
"""

from __future__ import annotations

import re
from functools import cache

import pytest

from symrnn import Cell, cells, derive
from tests.printed.checking import Meanings, Reader
from tests.printed.reading import Node, Parser, Relation

# Greff, Srivastava, Koutník, Steunebrink & Schmidhuber (2017), arXiv:1503.04069, section II.A: forward pass.  The
# equations there have no numbers; g and h, the functions of the block's input and output, are tanh (footnote there).
GREFF_FORWARD = {
    "block input": r"\bar{z}^t = W_z x^t + R_z y^{t-1} + b_z",
    "block input, activated": r"z^t = \tanh(\bar{z}^t)",
    "input gate": r"\bar{i}^t = W_i x^t + R_i y^{t-1} + p_i \odot c^{t-1} + b_i",
    "input gate, activated": r"i^t = \sigma(\bar{i}^t)",
    "forget gate": r"\bar{f}^t = W_f x^t + R_f y^{t-1} + p_f \odot c^{t-1} + b_f",
    "forget gate, activated": r"f^t = \sigma(\bar{f}^t)",
    "cell": r"c^t = z^t \odot i^t + c^{t-1} \odot f^t",
    "output gate": r"\bar{o}^t = W_o x^t + R_o y^{t-1} + p_o \odot c^t + b_o",
    "output gate, activated": r"o^t = \sigma(\bar{o}^t)",
    "block output": r"y^t = \tanh(c^t) \odot o^t",
}
# Section II.B: backpropagation through time, for a step before the last; Δ^t is the loss's own part, ∂ℓ/∂y^t.
GREFF_BACKWARD = {
    "y": r"\delta y^t = \Delta^t + R_z^T \delta \bar{z}^{t+1} + R_i^T \delta \bar{i}^{t+1}"
    r" + R_f^T \delta \bar{f}^{t+1} + R_o^T \delta \bar{o}^{t+1}",
    "o": r"\delta \bar{o}^t = \delta y^t \odot \tanh(c^t) \odot \sigma'(\bar{o}^t)",
    "c": r"\delta c^t = \Delta_c^t + \delta y^t \odot o^t \odot \tanh'(c^t) + p_o \odot \delta \bar{o}^t"
    r" + p_i \odot \delta \bar{i}^{t+1} + p_f \odot \delta \bar{f}^{t+1} + \delta c^{t+1} \odot f^{t+1}",
    "f": r"\delta \bar{f}^t = \delta c^t \odot c^{t-1} \odot \sigma'(\bar{f}^t)",
    "i": r"\delta \bar{i}^t = \delta c^t \odot z^t \odot \sigma'(\bar{i}^t)",
    "z": r"\delta \bar{z}^t = \delta c^t \odot i^t \odot \tanh'(\bar{z}^t)",
    "x": r"\delta x^t = W_z^T \delta \bar{z}^t + W_i^T \delta \bar{i}^t + W_f^T \delta \bar{f}^t"
    r" + W_o^T \delta \bar{o}^t",
    **{f"W_{k}": rf"\delta W_{k} = \sum_{{t=1}}^{{T}} \delta \bar{{{k}}}^t (x^t)^T" for k in "zifo"},
    **{f"R_{k}": rf"\delta R_{k} = \sum_{{t=1}}^{{T}} \delta \bar{{{k}}}^t (y^{{t-1}})^T" for k in "zifo"},
    **{f"b_{k}": rf"\delta b_{k} = \sum_{{t=1}}^{{T}} \delta \bar{{{k}}}^t" for k in "zifo"},
    **{f"p_{k}": rf"\delta p_{k} = \sum_{{t=1}}^{{T}} c^{{t-1}} \odot \delta \bar{{{k}}}^t" for k in "if"},
    "p_o": r"\delta p_o = \sum_{t=1}^{T} c^t \odot \delta \bar{o}^t",
}
# Graves (2013), arXiv:1308.0850, equations (7)-(11); the matrices from the memory to the gates are diagonal.
GRAVES = {
    "(7)": r"i_t = \sigma(W_{xi} x_t + W_{hi} h_{t-1} + W_{ci} c_{t-1} + b_i)",
    "(8)": r"f_t = \sigma(W_{xf} x_t + W_{hf} h_{t-1} + W_{cf} c_{t-1} + b_f)",
    "(9)": r"c_t = f_t c_{t-1} + i_t \tanh(W_{xc} x_t + W_{hc} h_{t-1} + b_c)",
    "(10)": r"o_t = \sigma(W_{xo} x_t + W_{ho} h_{t-1} + W_{co} c_t + b_o)",
    "(11)": r"h_t = o_t \tanh(c_t)",
}
PEEPHOLES = (
    "def lstm(x, h, c, *, W_i, U_i, p_i, b_i, W_f, U_f, p_f, b_f, W_c, U_c, b_c, W_o, U_o, p_o, b_o):\n"
    "    i = sigmoid(W_i @ x + U_i @ h + p_i * c + b_i)\n    f = sigmoid(W_f @ x + U_f @ h + p_f * c + b_f)\n"
    "    c = f * c + i * tanh(W_c @ x + U_c @ h + b_c)\n    o = sigmoid(W_o @ x + U_o @ h + p_o * c + b_o)\n"
    "    h = o * tanh(c)\n    return h, c\n"
)
"""As the paper has it: the candidate has no name."""


def greff(line: str) -> str:
    """The paper's line in the LaTeX of documents: bold letters, braces around superscripts, slopes by their values."""
    line = re.sub(r"\\sigma'(\([^()]*\))", r"\\sigma\1 \\odot (1 - \\sigma\1)", line)
    line = re.sub(r"\\tanh'(\([^()]*\))", r"(1 - \\tanh^{2}\1)", line)
    line = re.sub(r"(?<![A-Za-z\\])\^([tT])(?![A-Za-z])", r"^{\1}", line)
    line = re.sub(r"\^([tT])\b", r"^{\1}", line)
    line = re.sub(r"\\bar\{(\w)\}", r"\\bar{\\mathbf{\1}}", line)
    line = re.sub(r"(?<![\\\w{])([zifocyxWRbp])(?=[_^])", r"\\mathbf{\1}", line)
    return line.replace(r"\Delta_c^{t}", r"\frac{\partial \ell}{\partial \mathbf{c}^{t}}").replace(
        r"\Delta^{t}", r"\frac{\partial \ell}{\partial \mathbf{y}^{t}}"
    )


def graves(line: str) -> str:
    """A diagonal matrix times a vector is a vector times it, entry by entry."""
    return re.sub(r"W_\{(c[ifo])\}", r"w_{\1}", line)


@cache
def reader(notation: str) -> Reader:
    cell = cells.lstm_peephole if notation == "greff" else Cell.from_source(PEEPHOLES)
    return Reader(Meanings(derive(cell), notation), "fragment", notation)


def relation(number: str, line: str) -> Relation:
    left, _, right = line.partition(" = ")
    return Relation(number, left, right)


def alike(tree: Node) -> object:
    """A tree in which the order of terms and of factors does not matter, nor brackets within a sum."""
    if not isinstance(tree, Node):
        return repr(tree)
    parts = [alike(part) for part in tree.parts if not isinstance(part, tuple)]
    parts += [tuple(alike(one) for one in part) for part in tree.parts if isinstance(part, tuple)]
    if tree.kind in ("sum", "times"):
        inner = [part[1] if isinstance(part, tuple) and part[0] == tree.kind else [part] for part in parts]
        return tree.kind, sorted((one for those in inner for one in those), key=repr)
    return tree.kind, parts


LINES = {f"greff {name}": greff(line) for name, line in (GREFF_FORWARD | GREFF_BACKWARD).items()}
LINES |= {f"graves {name}": graves(line) for name, line in GRAVES.items()}


@pytest.mark.parametrize("name", LINES)
def test_published_lines_are_true_in_their_notation(name: str) -> None:
    found = reader(name.partition(" ")[0]).check(relation(name, LINES[name]))
    assert (found.true, found.false, found.unread) == (1, [], [])


@pytest.mark.parametrize("name", GREFF_FORWARD)
def test_forward_lines_are_those_of_the_document(name: str) -> None:
    read = reader("greff")
    notation = read.meanings.setting.notation
    published = relation(name, greff(GREFF_FORWARD[name]))
    printed = next(one for one in read.relations if one.left == published.left)
    trees = [alike(Parser(one.right, read.names, notation).read()) for one in (published, printed)]
    assert trees[0] == trees[1]


@pytest.mark.parametrize("name", list(LINES)[::3])
def test_a_misprint_would_be_seen(name: str) -> None:
    line = LINES[name]
    wrong = relation(name, line.replace("{t-1}", "{t}", 1) if "{t-1}" in line.partition("=")[2] else f"{line} + 1")
    found = reader(name.partition(" ")[0]).check(wrong)
    assert found.true == 0
