"""What a derivation's document says, and in which order."""

from __future__ import annotations

import pytest

from symrnn import Cell, cells, derive
from symrnn.algebra.functions import FUNCTIONS
from symrnn.calculus.derivation import Derivation
from symrnn.calculus.jacobian import paths
from symrnn.calculus.rules import RULES
from symrnn.documents import derivation_document
from symrnn.documents.content import _count_paths, _ranges
from symrnn.documents.plain import plain
from symrnn.documents.setting import clean, phrase
from symrnn.documents.structure import Display, Equation, Line, Maths, Table
from symrnn.errors import MissingRuleError, NameClashError, UnknownNameError
from symrnn.printers import NOTATIONS


def numbers(derivation: Derivation, key: str) -> list[str]:
    section = derivation_document(derivation).section(key)
    return [equation.number for display in section.displays for equation in display.equations]


def shown(derivation: Derivation, key: str) -> list[str]:
    section = derivation_document(derivation).section(key)
    lines = [line for display in section.displays for equation in display.equations for line in equation.lines]
    return [f"{line.left.text if line.left else ''} = {line.right.text}" for line in lines]


def test_sections_come_in_order(derivation: Derivation) -> None:
    keys = [section.key for section in derivation_document(derivation).sections]
    assert keys == ["forward", "backward", "time", "parameters", "jacobians", "rules"]


def test_forward_numbers_are_the_derivations(derivation: Derivation) -> None:
    body = derivation.cell.body
    assert numbers(derivation, "forward") == [str(derivation.number(equation.target)) for equation in body]


def test_backward_numbers_are_the_derivations(derivation: Derivation) -> None:
    steps = derivation.role("state", "intermediate", "input", "carry")
    assert numbers(derivation, "backward") == [str(step.number) for step in steps]


def test_no_number_stands_for_two_equations(derivation: Derivation) -> None:
    every = [
        number for section in derivation_document(derivation).sections for number in numbers(derivation, section.key)
    ]
    assert len(every) == len(set(every))


def test_every_parameter_has_its_sum(derivation: Derivation) -> None:
    lefts = [line.partition(" = ")[0] for line in shown(derivation, "parameters")]
    assert len(lefts) == len(derivation.cell.parameters) == len(set(lefts))


def test_every_jacobian_block_is_there(derivation: Derivation) -> None:
    cell = derivation.cell
    displays = list(derivation_document(derivation).section("jacobians").displays)
    assert len(displays) == len(cell.states) * (len(cell.states) + len(cell.inputs))


def test_paths_are_counted_as_they_are_listed(derivation: Derivation) -> None:
    for state in derivation.cell.states:
        for wrt in (*(v.name for v in derivation.cell.previous), *derivation.cell.inputs):
            assert _count_paths(derivation, state, wrt) == len(paths(derivation, state, wrt))


def test_lstm_equations_are_the_textbooks() -> None:
    lstm = derive(cells.lstm)
    assert shown(lstm, "forward")[:2] == ["f_t = σ(a_{f,t})", "a_{f,t} = W_f x_t + U_f h_{t-1} + b_f"]
    assert "c_t = f_t ⊙ c_{t-1} + i_t ⊙ g_t" in shown(lstm, "forward")
    assert "δa_{f,t} = δf_t ⊙ f_t ⊙ (1 - f_t)" in shown(lstm, "backward")
    assert shown(lstm, "time") == [
        "δh_t = ∂ℓ/∂h_t + U_fᵀ δa_{f,t+1} + U_iᵀ δa_{i,t+1} + U_gᵀ δa_{g,t+1} + U_oᵀ δa_{o,t+1}",
        "δc_t = ∂ℓ/∂c_t + δc_{t+1} ⊙ f_{t+1} + δh_t ⊙ o_t ⊙ (1 - tanh^2(c_t))",
        "∂L/∂h_0 = U_fᵀ δa_{f,1} + U_iᵀ δa_{i,1} + U_gᵀ δa_{g,1} + U_oᵀ δa_{o,1}",
        "∂L/∂c_0 = δc_1 ⊙ f_1",
    ]
    assert "∂L/∂W_f = Σ_{t=1}^{T} δa_{f,t} x_tᵀ" in shown(lstm, "parameters")
    assert "∂c_t/∂c_{t-1} = diag(f_t)" in shown(lstm, "jacobians")


def test_gru_jacobian_has_four_labelled_paths() -> None:
    display = next(derivation_document(derive(cells.gru)).section("jacobians").displays)
    notes = ["".join(p.text if isinstance(p, Maths) else p for p in line.note) for line in display.equations[0].lines]
    assert notes == ["direct", "through z_t", "through n_t", "through r_t, n_t"]


def test_reasons_name_rules_and_premises() -> None:
    display = next(derivation_document(derive(cells.lstm)).section("backward").displays)
    notes = {equation.label: equation.lines[0].note for equation in display.equations}
    assert notes["h_bar"] == ("from outside the step",)
    assert notes["a_f_bar"] == ("activation, from\u00a0(1)",)
    assert notes["c_bar"] == ("from outside the step; element-by-element product, activation, from\u00a0(6)",)


def test_terms_of_a_sum_over_time_are_bracketed() -> None:
    cell = Cell.from_source('def twice(x: "d_h", h, *, W):\n    h = tanh(W @ h + x) - W @ (W @ x)\n    return h\n')
    lines = shown(derive(cell), "parameters")
    assert lines[0].startswith("∂L/∂W = Σ_{t=1}^{T} (")
    assert lines[0].endswith(")")


def test_symbols_alike_share_a_row() -> None:
    table = next(b for b in derivation_document(derive(cells.lstm)).opening if isinstance(b, Table))
    rows = [["".join(p.text if isinstance(p, Maths) else p for p in cell) for cell in row] for row in table.rows]
    assert ["parameter", "W_f, W_i, W_g, W_o", "ℝ^(d_h×d_x)"] in rows
    assert ["state", "h_t, c_t", "ℝ^d_h"] in rows


def test_the_documents_own_letters_give_way() -> None:
    cell = Cell.from_source(
        'def own(x, h, *, W, delta: "()", L, T):\n    h = delta * tanh(W @ x) * L + T * h\n    return h\n'
    )
    lines = shown(derive(cell), "parameters")
    assert lines[0].startswith("∂J/∂W = Σ_{t=1}^{N} ")
    assert "∂J/∂h_t = h̄_t" in shown(derive(cell), "backward")


def test_a_name_with_a_number_is_not_taken_for_a_step() -> None:
    text = 'def numbered(x, h, *, W, {}: "d_h"):\n    h = tanh(W @ x + {} * h)\n    return h\n'
    assert "∂L/∂h_0 = δa_{h,1} ⊙ k_1" in shown(derive(Cell.from_source(text.format("k1", "k1"))), "time")
    assert "∂L/∂h_{t-1} = δa_{h,t} ⊙ h_1" in shown(derive(Cell.from_source(text.format("h1", "h1"))), "time")


def test_names_that_print_alike_are_refused() -> None:
    cell = Cell.from_source("def alike(x, h, *, W, h1, h_1):\n    h = tanh(W @ x + h1 * h + h_1)\n    return h\n")
    with pytest.raises(NameClashError, match="'h1' and 'h_1' would both be printed as h_1"):
        derivation_document(derive(cell))


def test_too_many_paths_are_counted_not_listed() -> None:
    doubled = "".join(f"    b{i} = tanh(a{i})\n    a{i + 1} = b{i} * a{i}\n" for i in range(8))
    cell = Cell.from_source(f"def many(x, h, *, W):\n    a0 = tanh(h)\n{doubled}    h = a8 + W @ x\n    return h\n")
    section = derivation_document(derive(cell)).section("jacobians")
    assert len(list(section.displays)) == 1
    assert any("too many to be written out" in str(block) for block in section.blocks)


def test_unknown_notation_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="no notation 'fancy'"):
        derivation_document(derive(cells.rnn), "fancy")


@pytest.mark.parametrize(
    ("given", "expected"),
    [([1], "(1)"), ([2, 1], "(1), (2)"), ([1, 2, 3, 4], "(1)–(4)"), ([1, 3, 4, 5, 9], "(1), (3)–(5), (9)")],
)
def test_ranges(given: list[int], expected: str) -> None:
    assert _ranges(given) == expected


def test_clean_drops_what_would_steer_a_terminal() -> None:
    assert clean("a\x1b[31m\n\tb\u202ec\x00") == "a[31m bc"


FIXED = [rule.statement for rule in RULES.values()] + [row.statement for row in FUNCTIONS.values()]


@pytest.mark.parametrize("statement", FIXED)
def test_every_statement_has_a_plain_form(statement: str) -> None:
    shown = plain(statement)
    assert "\\" not in shown
    assert "{" not in shown.replace("^{", "").replace("_{", "")


@pytest.mark.parametrize("notation", NOTATIONS.values(), ids=lambda notation: notation.name)
def test_every_description_has_a_plain_form(notation: object) -> None:
    assert any(isinstance(part, Maths) for part in phrase(notation.describes))  # type: ignore[attr-defined]


def test_unknown_command_has_no_plain_form() -> None:
    with pytest.raises(MissingRuleError, match=r"no plain text for \\unheard in a \\unheard b"):
        plain(r"a \unheard b")


def test_wrong_structures_cannot_be_built() -> None:
    with pytest.raises(ValueError, match="no left side"):
        Equation("1", (Line(None, Maths("a", "a")),))
    with pytest.raises(ValueError, match="a table of 2 columns"):
        Table(("a", "b"), ((("c",),),))
    with pytest.raises(KeyError):
        derivation_document(derive(cells.rnn)).section("missing")
    assert isinstance(next(derivation_document(derive(cells.rnn)).section("time").displays), Display)
