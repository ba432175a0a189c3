"""A printed name means one thing: over everything that is printed of one cell, in every notation and form."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from symrnn import Cell, cells, derive, jacobian
from symrnn.algebra import nodes
from symrnn.algebra.functions import FUNCTIONS
from symrnn.algebra.nodes import Variable
from symrnn.algebra.spelling import tell_apart
from symrnn.calculus.derivation import Derivation
from symrnn.calculus.through_time import through_time
from symrnn.documents import markdown, write
from symrnn.documents.setting import set_up
from symrnn.language.operations import STRUCTURAL
from symrnn.printers import NOTATIONS
from symrnn.printers.mathematics import MathPrinter
from symrnn.printers.notation import Notation
from symrnn.printers.syntax import LATEX, TEXT
from symrnn.variants import renamed
from tests.library import MAIN
from tests.strategies import random_cells

NAMES = """
W1 W_1 w1 w_1 W11 W_11 W_1_1 Wxh W_xh Whh W_hh W_h_h W_ W__f W_f lambda_ lambda__ sigma sigma_ theta Gamma_u Gamma__u
x1 x_1 x_t x_t_ h_t h1 h_1 h_0 h_t_1 h_tilde h_hat htilde h_tilde_ h_dot hprev exp_ sin_ max_ dW dh dh_t I I_ K L T N
J S E M delta delta_ Sigma max min diag vec ell d_h1 t e k one R
""".split()
"""What people call parameters, next to what looks like it on paper."""


def cell_of(parameters: list[str], states: tuple[str, ...] = ("h",)) -> Cell:
    """A cell with vectors of these names."""
    lines = [f"    {state} = tanh({state} * x + {' + '.join(parameters)} + {states[0]})" for state in states]
    arguments = ", ".join(f'{name}: "d_h"' for name in ("x", *states))
    listed = ", ".join(f'{name}: "d_h"' for name in parameters)
    return Cell.from_source(
        "\n".join([f"def f({arguments}, *, {listed}):", *lines, f"    return {', '.join(states)}\n"])
    )


def variables(derivation: Derivation, with_blocks: bool) -> Iterator[Variable]:
    """Every variable that occurs in what is printed of a cell; the blocks of its Jacobians take a while."""
    cell = derivation.cell
    yield from cell.symbols.values()
    yield from (equation.target for equation in derivation.forward)
    yield from (step.target for step in derivation.steps)
    yield from derivation.cotangents.values()
    yield from map(derivation.loss, cell.states)
    state, names = cell.states[0], (f"{cell.states[0]}_prev", *cell.parameters[:2])
    for name in names if with_blocks else ():
        yield from (block.symbol for block in through_time(derivation, state, name, 2).forms)
    yield from (Variable(size, 1, 1) for size in cell.sizes)


def own_symbols(printer: MathPrinter) -> Mapping[str, str]:
    """What the printer writes of its own: printed -> what it is."""
    some = Variable("some_vector", 3, 1)
    own = {printer(nodes.Eye(3)): "the identity", "diag": "diag", "vec": "vec", "t": "the step"}
    for name, function in FUNCTIONS.items():
        shown = printer(nodes.act(name, *[some] * function.arity)).partition("(")[0]
        own[shown.replace("\\operatorname", "\\mathrm")] = f"the function {name}"
    return own


def assert_apart(derivation: Derivation, printer: MathPrinter, with_blocks: bool = False) -> None:
    """Every printed name is that of one variable, and no symbol of the printer's own."""
    known: dict[str, str] = dict(own_symbols(printer))
    if printer.syntax is LATEX:
        known |= {markdown.maths(shown): what for shown, what in known.items()}
    for variable in variables(derivation, with_blocks):
        latex_or_text = printer(variable)
        forms = {latex_or_text, markdown.maths(latex_or_text)} if printer.syntax is LATEX else {latex_or_text}
        for shown in forms:
            other = known.setdefault(shown, variable.name)
            assert other == variable.name, f"{shown} is {other} and {variable.name}"


def assert_all_apart(cell: Cell, with_blocks: bool = True) -> None:
    derivation = derive(cell)
    for notation in NOTATIONS.values():
        setting = set_up(derivation, notation)
        for syntax in (TEXT, LATEX):
            # One with letters for parts of cells is meant for a cell, and printed as fitted to it.
            if not notation.letters:
                assert_apart(derivation, MathPrinter(syntax, notation), with_blocks)
            assert_apart(derivation, MathPrinter(syntax, setting.notation, setting.yields), with_blocks)


@pytest.mark.parametrize("name", MAIN)
def test_library_cells(name: str) -> None:
    assert_all_apart(cells.lookup(name))


def usable(names: list[str]) -> list[str]:
    return [name for name in names if name not in FUNCTIONS and name not in STRUCTURAL]


def test_names_that_look_alike() -> None:
    rng = random.Random(1)
    for _ in range(12):
        chosen = rng.sample(usable(NAMES), 8)
        assert_all_apart(cell_of(chosen))


@pytest.mark.sampled(3)
@pytest.mark.parametrize("state", ["a", "s", "exp_", "W1", "I", "K", "L", "delta", "sigma", "x_t", "T", "h_tilde", "J"])
def test_states(state: str) -> None:
    assert_all_apart(cell_of(["W_1", "b", f"{state}_0", f"{state}0"], (state, "c")))


@given(random_cells(), st.randoms(use_true_random=False))
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
def test_random_cells_with_names_that_look_alike(cell: Cell, rng: random.Random) -> None:
    names = [name for name in usable(NAMES) if name not in cell.symbols and name not in cell.sizes]
    chosen = rng.sample(names, min(len(cell.parameters), 8))
    assert_all_apart(renamed(cell, names=dict(zip(cell.parameters, chosen, strict=False))), with_blocks=False)


def test_the_name_that_reads_as_it_is_typed_keeps_its_look() -> None:
    assert tell_apart({"W1": False, "W_1": False}) == {"W_1": "W_1", "W1": '"W1"'}
    assert tell_apart({"h": True, "h_t": False}) == {"h": "h", "h_t": '"h_t"'}
    assert tell_apart({"d_1": True}, taken=["d1"]) == {"d_1": '"d_1"'}
    assert tell_apart({"W1": False, "b": False}) == {"W1": "W1", "b": "b"}


def test_what_is_printed_without_a_document_says_which_is_which() -> None:
    cell = cell_of(["W1", "W_1", "I", "h_t"])
    assert str(cell.equations[0]) == "Eq(h_t, tanh(h_{t-1} ⊙ x_t + “W1” + W_1 + “I” + “h_t” + h_{t-1}))"
    square = Cell.from_source(
        'def f(x, h, *, I: "d_h, d_h", W1, W_1):\n    h = W1 @ x + h + I @ h + W_1 @ h\n    return h\n'
    )
    assert str(jacobian(square, "h", "h_prev")) == "I + “I” + W_1"
    document = write(derive(square), "text")
    assert "h_t = “W1” x_t + h_{t-1} + I h_{t-1} + W_1 h_{t-1}" in document
    assert "∂h_t/∂h_{t-1} = 𝕀 + I + W_1" in " ".join(document.split())


def test_functions_give_way_in_documents() -> None:
    cell = Cell.from_source(
        'def f(x, h, *, sigma: "()", W, Sigma: "d_h, d_h"):\n    h = sigma * sigmoid(W @ x + Sigma @ h)\n    return h\n'
    )
    document = write(derive(cell), "text")
    assert "h_t = σ sigmoid(a_{h,t})" in document
    assert "sigmoid'(x) = sigmoid(x) (1 - sigmoid(x))" in document
    assert "= ∑_{t=1}^{T}" in document
    assert str(cell.body[0].value) == "“sigma” σ(W x_t + Σ h_{t-1})"


def test_a_planted_clash_is_seen() -> None:
    derivation = derive(cell_of(["b", "g"]))
    with pytest.raises(AssertionError, match=r"is b and g"):
        assert_apart(derivation, MathPrinter(LATEX, Notation("mine", "", names={"b": "q", "g": "q"})))
