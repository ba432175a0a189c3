"""What a derivation's document says, and in which order."""

from __future__ import annotations

import re
from collections.abc import Iterable

import pytest

from symrnn import Cell, cells, derive
from symrnn.algebra.functions import FUNCTIONS, ScalarFunction
from symrnn.calculus.derivation import Derivation
from symrnn.calculus.jacobian import jacobian, paths
from symrnn.calculus.rules import RULES
from symrnn.characters import clean
from symrnn.documents import derivation_document, symbols, write
from symrnn.documents.plain import plain
from symrnn.documents.setting import phrase
from symrnn.documents.structure import (
    Bullets,
    Display,
    Document,
    EquationLine,
    Maths,
    NumberedEquation,
    Reference,
    Table,
)
from symrnn.errors import InputError, MissingRuleError, NameClashError, UnknownNameError
from symrnn.printers import NOTATIONS, Notation, text
from tests.documents.forms import TEXTS


def numbers(derivation: Derivation, key: str) -> list[str]:
    section = derivation_document(derivation).section(key)
    return [equation.number for display in section.displays for equation in display.equations]


def shown(derivation: Derivation, key: str) -> list[str]:
    section = derivation_document(derivation).section(key)
    lines = [line for display in section.displays for equation in display.equations for line in equation.lines]
    return [f"{line.left.text if line.left else ''} = {line.right.text}" for line in lines]


def test_sections_come_in_order(derivation: Derivation) -> None:
    keys = [section.key for section in derivation_document(derivation).sections]
    assert keys == ["forward", "backward", "time", "gradients", "jacobians", "kronecker", "steps", "rules"]


def test_forward_numbers_are_the_derivations(derivation: Derivation) -> None:
    body = derivation.cell.body
    assert numbers(derivation, "forward") == [str(derivation.number(equation.target)) for equation in body]


def test_backward_numbers_are_the_derivations(derivation: Derivation) -> None:
    steps = derivation.role("state", "intermediate", "input", "carry")
    assert numbers(derivation, "backward") == [str(step.number) for step in steps]


@pytest.mark.sampled(4)
def test_no_number_stands_for_two_equations(derivation: Derivation) -> None:
    every = [
        number for section in derivation_document(derivation).sections for number in numbers(derivation, section.key)
    ]
    assert len(every) == len(set(every))


def test_every_parameter_has_its_sum(derivation: Derivation) -> None:
    lefts = [line.partition(" = ")[0] for line in shown(derivation, "gradients")]
    assert len(lefts) == len(derivation.cell.parameters) == len(set(lefts))


def test_every_jacobian_block_is_there(derivation: Derivation) -> None:
    cell = derivation.cell
    section = derivation_document(derivation).section("jacobians")
    zeros = [item for block in section.blocks if isinstance(block, Bullets) for item in block.items]
    listed = sum(isinstance(part, Maths) for item in zeros for part in item) - len(zeros)  # the last is where they lead
    assert len(list(section.displays)) + listed == len(cell.states) * (len(cell.states) + len(cell.inputs))


def test_a_block_has_a_line_for_each_path(derivation: Derivation) -> None:
    for display in derivation_document(derivation).section("jacobians").displays:
        (equation,) = display.equations
        _, of, wrt = equation.label.split(":")
        assert len(equation.lines) == max(len(paths(derivation, of, wrt)), 1)


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
    assert "∂L/∂W_f = Σ_{t=1}^{T} δa_{f,t} x_tᵀ" in shown(lstm, "gradients")
    assert "∂c_t/∂c_{t-1}|_{h_{t-1}} = diag(f_t)" in shown(lstm, "jacobians")


def test_every_parameter_has_its_local_jacobian(derivation: Derivation) -> None:
    lefts = [line.partition(" = ")[0] for line in shown(derivation, "kronecker")]
    assert len(lefts) == len(set(lefts)) >= len(derivation.cell.parameters)


def test_lstm_over_several_steps_is_the_textbooks() -> None:
    lstm = derive(cells.lstm)
    assert shown(lstm, "kronecker")[:3] == [
        "∂⁺a_{f,t}/∂vec(W_f) = x_tᵀ ⊗ I",
        "∂⁺a_{f,t}/∂vec(U_f) = h_{t-1}ᵀ ⊗ I",
        "∂⁺a_{f,t}/∂b_f = I",
    ]
    lines = shown(lstm, "steps")
    held = "∂c_{t-2}|_{h_{t-2}}"
    assert f"∂c_t/{held} = J_{{c,h,t}} ∂h_{{t-1}}/{held} + J_{{c,c,t}} ∂c_{{t-1}}/{held}" in lines
    assert "dc_t/dc_{t-1} = J_{c,h,t} dh_{t-1}/dc_{t-1} + J_{c,c,t}" in lines
    assert "dh_t/dc_t = diag(o_t ⊙ (1 - tanh^2(c_t)))" in lines
    assert not any(line.startswith("dh_t/dh_{t-1}") for line in lines)  # nothing of its own step reads h
    recursion = "J_{h,W_f,t} + J_{h,h,t} dh_{t-1}/dvec(W_f) + J_{h,c,t} dc_{t-1}/dvec(W_f)"
    assert f"dh_t/dvec(W_f) = {recursion}" in lines
    assert "∂⁺c_t/∂c_{t-1} ∂⁺c_{t-1}/∂c_{t-2} = diag(f_t ⊙ f_{t-1})" in lines


def test_total_derivatives_are_shown_where_they_are_others() -> None:
    mlstm = derive(cells.mlstm)
    assert not any(line.startswith(("dvec(C_t)/dvec(C", "dn_t/dn", "dm_t/dm")) for line in shown(mlstm, "steps"))
    assert "Here none of them leads back" in str(derivation_document(mlstm).section("steps"))
    assert "total derivative" not in str(derivation_document(derive(cells.gru)).section("steps"))


def test_paths_over_several_steps_are_counted() -> None:
    section = derivation_document(derive(cells.lstm)).section("steps")
    (bullets,) = (block for block in section.blocks if isinstance(block, Bullets))
    assert [item[-1] for item in bullets.items] == [": 4, 19, 91, 436, 2089", ": 1, 4, 19, 91, 436"]
    assert "it has 1 of the 436 paths" in str(section.blocks[-1])
    assert "There is one state" in str(derivation_document(derive(cells.gru)).section("steps").blocks[-1])


@pytest.mark.sampled(4)
@pytest.mark.parametrize("layout", ["numerator", "denominator"])
def test_the_header_states_the_layout(derivation: Derivation, layout: str) -> None:
    for form in TEXTS:
        if form != "equations":
            assert f"Layout: {layout}." in write(derivation, form, layout=layout)


def test_in_the_denominator_layout_jacobians_are_transposed_and_gradients_are_not() -> None:
    derivation = derive(cells.lstm)
    keys = ("forward", "backward", "time", "gradients", "rules")
    one, other = (derivation_document(derivation, layout=layout) for layout in ("numerator", "denominator"))
    assert all(one.section(key) == other.section(key) for key in keys)
    lines = [
        str(line) for display in other.section("jacobians").displays for e in display.equations for line in e.lines
    ]
    assert any("U_fᵀ diag(c_{t-1} ⊙ f_t ⊙ (1 - f_t))" in line for line in lines)
    steps = [f.text for d in other.section("steps").displays for e in d.equations for f in (e.lines[0].right,)]
    assert "∂h_{t-1}/∂c_{t-2}|_{h_{t-2}} J_{c,h,t} + ∂c_{t-1}/∂c_{t-2}|_{h_{t-2}} J_{c,c,t}" in steps
    local = [f.text for d in other.section("kronecker").displays for e in d.equations for f in (e.lines[0].right,)]
    assert local[0] == "x_t ⊗ I"


def test_what_is_shown_is_the_jacobian() -> None:
    derivation = derive(cells.gru)
    for layout in ("numerator", "denominator"):
        section = derivation_document(derivation, layout=layout).section("jacobians")
        lines = next(section.displays).equations[0].lines
        whole = jacobian(derivation, "h", "h_prev", layout=layout)
        assert " ".join(line.right.text for line in lines) == text(whole)


def test_unknown_layout_is_refused() -> None:
    with pytest.raises(InputError, match="no layout of Jacobian 'column'\n  there are 'numerator', 'denominator'"):
        derivation_document(derive(cells.rnn), layout="column")


def test_gru_jacobian_has_four_labelled_paths() -> None:
    display = next(derivation_document(derive(cells.gru)).section("jacobians").displays)
    notes = ["".join(p.text if isinstance(p, Maths) else p for p in line.note) for line in display.equations[0].lines]
    assert notes == ["direct", "through z_t", "through n_t", "through r_t, n_t"]


def test_reasons_name_rules_and_premises() -> None:
    display = next(derivation_document(derive(cells.lstm)).section("backward").displays)
    notes = {
        equation.label: "".join(
            part.text if isinstance(part, Reference) else str(part) for part in equation.lines[0].note
        )
        for equation in display.equations
    }
    assert notes["h_bar"] == "from outside the step"
    assert notes["a_f_bar"] == "activation, from\u00a0(1)"
    assert notes["c_bar"] == "from outside the step; element-by-element product, activation, from\u00a0(6)"


def test_terms_of_a_sum_over_time_are_bracketed() -> None:
    cell = Cell.from_source('def twice(x: "d_h", h, *, W):\n    h = tanh(W @ h + x) - W @ (W @ x)\n    return h\n')
    lines = shown(derive(cell), "gradients")
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
    lines = shown(derive(cell), "gradients")
    assert lines[0].startswith("∂J/∂W = Σ_{t=1}^{N} ")
    assert "∂J/∂h_t = h̄_t" in shown(derive(cell), "backward")


LETTERED = """
def lettered(x, h, s, *, W, {0}: "()", {1}: "d_h"):
    s = tanh({0} * (W @ x) + h + s)
    h = tanh({1} * s + h)
    return h, s
"""


@pytest.mark.parametrize(("names", "letter"), [(("a", "b"), "k"), (("k", "b"), "p"), (("p", "k"), "q")])
def test_the_letter_of_a_number_of_steps_gives_way(names: tuple[str, str], letter: str) -> None:
    said = write(derive(Cell.from_source(LETTERED.format(*names))), "text").replace("\n", " ")
    assert f"over {letter} steps with t-{letter} in place of t-2" in said
    assert f"over {letter} steps with the same addition at t-{letter}" in said
    one = Cell.from_source('def one(x, h, *, W, k: "d_h"):\n    h = tanh(W @ x) + k * h\n    return h\n')
    assert "over p steps is the product of p blocks" in write(derive(one), "text").replace("\n", " ")


def test_a_size_is_a_letter_too() -> None:
    cell = Cell.from_source(
        'def sized(x, h, *, W: "d_h, k", V: "k, T", A: "T, d_x"):\n    h = h + W @ (V @ (A @ x))\n    return h\n'
    )
    said = write(derive(cell), "text")
    assert "t = 1, …, N" in said
    assert "over p steps is the product of p" in said.replace("\n", " ")


def test_a_name_with_a_number_is_not_taken_for_a_step() -> None:
    text = 'def numbered(x, h, *, W, {}: "d_h"):\n    h = tanh(W @ x + {} * h)\n    return h\n'
    assert "∂L/∂h_0 = δa_{h,1} ⊙ k_1" in shown(derive(Cell.from_source(text.format("k1", "k1"))), "time")
    assert "∂L/∂h_{t-1}|_{t=1} = δa_{h,t} ⊙ h_1" in shown(derive(Cell.from_source(text.format("h1", "h1"))), "time")


def test_names_that_a_readers_notation_prints_alike_are_refused() -> None:
    notation = Notation("mine", "", names={"i": "f"})
    with pytest.raises(NameClashError, match="'f' and 'i' would both be printed as f_t"):
        derivation_document(derive(cells.lstm), notation)


def test_too_many_paths_are_counted_not_listed() -> None:
    doubled = "".join(f"    b{i} = tanh(a{i})\n    a{i + 1} = b{i} * a{i}\n" for i in range(8))
    cell = Cell.from_source(f"def many(x, h, *, W):\n    a0 = tanh(h)\n{doubled}    h = a8 + W @ x\n    return h\n")
    section = derivation_document(derive(cell)).section("jacobians")
    one, direct = section.displays
    assert [equation.label for equation in one.equations] == ["jacobian:h:x"]
    assert any("256 paths" in str(b) and "too many to be written out" in str(b) for b in section.blocks)
    assert len(direct.equations) == 18
    assert [line.left.text for line in direct.equations[2].lines if line.left] == [
        "∂⁺a_{1,t}/∂b_{0,t}",
        "∂⁺a_{1,t}/∂a_{0,t}",
    ]


def test_unknown_notation_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="no notation 'fancy'"):
        derivation_document(derive(cells.rnn), "fancy")


@pytest.mark.parametrize(
    ("given", "expected"),
    [([1], "(1)"), ([2, 1], "(1), (2)"), ([1, 2, 3, 4], "(1)–(4)"), ([1, 3, 4, 5, 9], "(1), (3)–(5), (9)")],
)
def test_ranges(given: list[int], expected: str) -> None:
    assert Reference("", tuple((number, f"label{number}") for number in given)).numbers == expected


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
    assert any(isinstance(part, Maths) for part in phrase(notation.description))  # type: ignore[attr-defined]


def test_unknown_command_has_no_plain_form() -> None:
    with pytest.raises(MissingRuleError, match=r"no plain text for \\unheard in a \\unheard b"):
        plain(r"a \unheard b")


def test_wrong_structures_cannot_be_built() -> None:
    with pytest.raises(ValueError, match="no left side"):
        NumberedEquation("1", (EquationLine(None, Maths("a", "a")),))
    with pytest.raises(ValueError, match="a table of 2 columns"):
        Table(("a", "b"), ((("c",),),))
    with pytest.raises(KeyError):
        derivation_document(derive(cells.rnn)).section("missing")
    assert isinstance(next(derivation_document(derive(cells.rnn)).section("time").displays), Display)


#: What every reader of such a document knows, and what its sentences say anyhow.
KNOWN = r"""
\left \right \bar \tilde \dot \hat \overleftarrow \frac \partial \ell \sum \top \odot \, \; \quad \qquad \in \delta \le
\mathbb \mathbf \mathrm \operatorname \boldsymbol \exp \log \sin \cos \tanh \sqrt \max \min \lfloor \rfloor \dots
""".split()


def commands(formulas: Iterable[str]) -> set[str]:
    """The commands in formulas, each with the word that it is about."""
    pattern = r"\\(?:operatorname|mathbb|mathbf)\{[^}]*\}|\\[A-Za-z]+|\\[,;]"
    return {found for formula in formulas for found in re.findall(pattern, formula)}


def in_displays(document: Document) -> list[str]:
    displays = [display for section in document.sections for display in section.displays]
    lines = [line for display in displays for equation in display.equations for line in equation.lines]
    return [part.latex for line in lines for part in (line.left, line.right) if part is not None]


def assert_everything_is_explained(derivation: Derivation) -> None:
    document = derivation_document(derivation)
    names = [formula.latex for block in document.opening if isinstance(block, Table) for formula in _in_table(block)]
    told = [
        part.latex
        for block in document.opening
        if isinstance(block, Bullets)
        for item in block.items
        for part in item
        if isinstance(part, Maths)
    ]
    assert commands(in_displays(document)) - commands(told) - commands(names) - set(KNOWN) == set()


def _in_table(table: Table) -> Iterable[Maths]:
    return (part for row in table.rows for cell in row for part in cell if isinstance(part, Maths))


@pytest.mark.parametrize("name", cells.names())
def test_every_symbol_of_a_library_document_is_in_its_conventions(name: str) -> None:
    assert_everything_is_explained(derive(cells[name]))


@pytest.mark.parametrize("row", FUNCTIONS.values(), ids=list(FUNCTIONS))
def test_every_function_of_a_document_is_in_its_conventions(row: ScalarFunction) -> None:
    """Also where the author has a matrix I: what is printed for the identity then is explained."""
    arguments = ", ".join([f"2 + {name} ** 2" for name in ("W @ x", "v")] + ["h"][: row.arity - 2])
    arguments = ", ".join(arguments.split(", ")[: row.arity])
    text = f'def f(x, h, *, W, I: "d_h, d_h", v):\n    h = tanh({row.name}({arguments}) + I @ h) + v\n    return h\n'
    assert_everything_is_explained(derive(Cell.from_source(text)))
    said = write(derive(Cell.from_source(text)), "text")
    assert "𝕀 is the identity matrix" in said
    assert row.meaning or row.name in "tanh exp log sqrt sin cos abs maximum minimum floor power".split()


@pytest.mark.parametrize("token", ["operatorname{diag}", "operatorname{vec}", "sigma"])
def test_a_symbol_without_a_word_is_found(token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(symbols, "_EXPLAINED", tuple(row for row in symbols._EXPLAINED if token not in row[0]))
    monkeypatch.setattr(symbols, "FUNCTIONS", {name: row for name, row in FUNCTIONS.items() if token not in row.latex})
    with pytest.raises(AssertionError):
        assert_everything_is_explained(derive(cells.gru))
