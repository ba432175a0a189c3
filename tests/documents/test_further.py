"""What a document has on request: properties, rewritings, and one Jacobian alone."""

from __future__ import annotations

from functools import reduce

import pytest

from symrnn import cells, derive
from symrnn.algebra.simplify import IN_FORMULAS, REWRITINGS, trace
from symrnn.calculus.paths import paths
from symrnn.calculus.rules import chain
from symrnn.calculus.window import KINDS
from symrnn.documents import derivation_document, jacobian_document, write
from symrnn.documents.breaking import ems, without_bars
from symrnn.documents.plain import plain
from symrnn.documents.structure import Bullets, Centred, Document, Maths, Paragraph
from symrnn.errors import InputError, UnknownNameError
from symrnn.printers.notation import NOTATIONS
from symrnn.proofs.theorems import theorems
from tests.documents.forms import TEXTS
from tests.proofs.test_theorems import mutated

LAYOUTS = {"numerator": "entries of y as rows", "denominator": "entries of x as rows"}


def words(document: Document, key: str) -> str:
    blocks = document.section(key).blocks
    parts = [part for block in blocks if isinstance(block, Paragraph) for part in (block.lead, *block.parts)]
    return " ".join(part.text if isinstance(part, Maths) else part for part in parts)


def formulas(document: Document, key: str) -> list[Maths]:
    return [block.formula for block in document.section(key).blocks if isinstance(block, Centred)]


# --- properties -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["lstm", "gru", "slstm"])
def test_properties_are_the_theorems_that_hold(name: str) -> None:
    derivation = derive(cells[name])
    document, proved = derivation_document(derivation, further=["properties"]), theorems(derivation)
    assert [formula.latex for formula in formulas(document, "properties")] == [theorem.latex for theorem in proved]
    leads = [block.lead for block in document.section("properties").blocks if isinstance(block, Paragraph)]
    assert [lead.lower() for lead in leads if lead] == [theorem.name.lower() for theorem in proved]
    assert all(theorem.proof in words(document, "properties") for theorem in proved)
    assert "(d_x, d_h) = (1, 1), (3, 2), (2, 3)" in words(document, "properties")


def test_properties_of_a_gru() -> None:
    document = derivation_document(derive(cells.gru), further="properties")
    assert "1 - z_t + z_t = 1, 0 < 1 - z_t < 1" in [formula.text for formula in formulas(document, "properties")]
    said = words(document, "properties").replace(" ", "")
    assert "|h_t|<1,entrybyentry,ateverystep,if|h_0|≤1:" in said


def test_what_is_refuted_is_no_property() -> None:
    cell = mutated("gru", "(1 - z) * h + z * n", "(1 - z) * h + r * n")
    section = derivation_document(derive(cell), further="properties").section("properties")
    names = [block.lead for block in section.blocks if isinstance(block, Paragraph)]
    assert "Paths" in names
    assert not {"Convex combination", "Bounded state"} & set(names)


def test_properties_in_another_notation() -> None:
    document = derivation_document(derive(cells.gru), "superscript", further="properties")
    shown = [formula.latex for formula in formulas(document, "properties")]
    assert r"1 - z^{(t)} + z^{(t)} = 1, \quad 0 < 1 - z^{(t)} < 1" in shown
    assert "h^(0)" in words(document, "properties")


# --- rewritings -------------------------------------------------------------------------------------------------------


def test_the_rewritings_listed_are_those_that_were_applied() -> None:
    derivation = derive(cells.mlstm)
    section = derivation_document(derivation, further="rewritings").section("rewritings")
    (bullets,) = (block for block in section.blocks if isinstance(block, Bullets))
    listed = [str(item[0]).removesuffix(": ") for item in bullets.items]
    assert "diagonal of a multiple" in listed
    cell, used = cells.mlstm, set()
    for of in cell.states:
        for wrt in (*cell.previous, *(cell[name] for name in cell.inputs)):
            for path in paths(derivation, of, wrt.name):
                used |= {row.name for row in trace(reduce(chain, path.factors), IN_FORMULAS)} if path.factors else set()
    assert listed == [name for name in IN_FORMULAS if name in used]


@pytest.mark.parametrize(
    ("name", "expected"),
    [("lstm", ["product with a diagonal"]), ("gru", ["sum of diagonals", "product with a diagonal"])],
)
def test_what_is_applied_while_the_blocks_are_multiplied_is_listed(name: str, expected: list[str]) -> None:
    """diag(o) diag(1 - tanh^2(c)) diag(f) became one diagonal; a GRU's (1 - z) h + z n has diag(n) - diag(h)."""
    section = derivation_document(derive(cells[name]), further="rewritings").section("rewritings")
    (bullets,) = (block for block in section.blocks if isinstance(block, Bullets))
    assert [str(item[0]).removesuffix(": ") for item in bullets.items] == expected


def test_nothing_rewritten_is_said() -> None:
    document = derivation_document(derive(cells.rnn_linear), further="rewritings")
    assert "nothing was rewritten" in words(document, "rewritings")


@pytest.mark.parametrize("row", REWRITINGS.values(), ids=lambda row: row.name)
def test_every_rewriting_has_a_plain_form(row: object) -> None:
    assert "\\" not in plain(row.statement)  # type: ignore[attr-defined]


# --- options ----------------------------------------------------------------------------------------------------------


def test_sections_are_on_request_and_in_order() -> None:
    derivation = derive(cells.rnn)
    keys = [section.key for section in derivation_document(derivation).sections]
    assert not {"properties", "rewritings"} & set(keys)
    document = derivation_document(derivation, further=("rewritings", "properties"))
    assert [s.key for s in document.sections] == [*keys[:-1], "properties", "rules", "rewritings"]
    with pytest.raises(
        UnknownNameError, match="no further section 'proofs'\n  there are algorithm, flow, properties, rewritings"
    ):
        derivation_document(derivation, further=["proofs"])


@pytest.mark.parametrize("form", [form for form in TEXTS if form != "equations"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_form_has_the_sections_and_the_layout(form: str, layout: str) -> None:
    shown = " ".join(write(derive(cells.gru), form, layout=layout, further=("properties", "rewritings")).split())
    for piece in ("Properties", "Rewritings used", "Convex combination", f"Layout: {layout}."):
        assert piece in shown
    if form != "html":  # where formulas are MathML
        assert LAYOUTS[layout] in shown.replace("$", "")
    assert "J_{h,W_r,t}" in shown


# --- one Jacobian -----------------------------------------------------------------------------------------------------


def lines(document: Document, key: str) -> list[str]:
    every = [line for d in document.section(key).displays for equation in d.equations for line in equation.lines]
    return [f"{line.left.text if line.left else ''} = {line.right.text}" for line in every]


def test_one_jacobian_over_steps() -> None:
    document = jacobian_document(derive(cells.lstm), "c", "c_prev", steps=2)
    assert [section.key for section in document.sections] == ["jacobian", "paths", "recursion"]
    assert len(lines(document, "paths")) == 4
    rows = lines(document, "recursion")
    assert rows[:3] == [
        "∂h_{t-1}/∂c_{t-2}|_{h_{t-2}} = J_{h,c,t-1}",
        "∂c_{t-1}/∂c_{t-2}|_{h_{t-2}} = J_{c,c,t-1}",
        "∂c_t/∂c_{t-2}|_{h_{t-2}} = J_{c,h,t} ∂h_{t-1}/∂c_{t-2}|_{h_{t-2}} + J_{c,c,t} ∂c_{t-1}/∂c_{t-2}|_{h_{t-2}}",
    ]
    assert "J_{c,c,t} = ∂c_t/∂c_{t-1}|_{h_{t-1}} = diag(f_t)" in rows


def test_one_total_jacobian() -> None:
    document = jacobian_document(derive(cells.lstm), "c", "c_prev", "total")
    assert [section.key for section in document.sections] == ["jacobian", "paths", "recursion"]
    assert len(lines(document, "paths")) == 4
    assert lines(document, "recursion")[:3] == [
        "dh_{t-1}/dc_{t-1} = D_{h,c,t-1}",
        "dc_t/dc_{t-1} = J_{c,h,t} dh_{t-1}/dc_{t-1} + J_{c,c,t}",
        "D_{h,c,t} = dh_t/dc_t = diag(o_t ⊙ (1 - tanh^2(c_t)))",
    ]
    said = " ".join(write(document, "text").split())
    assert "dy/dx is the total derivative: through whatever x reaches" in said
    assert "∂⁺y/∂x" not in said


@pytest.mark.sampled(4)
@pytest.mark.parametrize("kind", ["direct", "cell", "total"])
@pytest.mark.parametrize("form", ["text", "tex", "markdown"])
def test_every_form_says_what_is_held(kind: str, form: str) -> None:
    """By the symbol: no two kinds share one, in any notation."""
    for notation in NOTATIONS:
        every = {
            k: write(jacobian_document(derive(cells.lstm), "c", "c_prev", k, notation=notation), form) for k in KINDS
        }
        signs = {"text": ("∂⁺", "|_{", "d"), "tex": (r"\partial^{+}", r"\right", r"\frac{\mathrm{d} ")}
        for other, sign in zip(KINDS, signs["text" if form == "text" else "tex"], strict=True):
            value = next(line for line in every[kind].splitlines() if "diag" in line and "=" in line)
            assert (sign in value.partition("=")[0].replace("diag", "")) == (other == kind), (notation, other, value)


def test_one_jacobian_of_a_parameter() -> None:
    document = jacobian_document(derive(cells.gru), "h", "W_n", "total", steps=2, layout="denominator")
    wrt = "dvec(W_n)|_{h_{t-2}}"
    assert f"dh_t/{wrt} = J_{{h,W_n,t}} + dh_{{t-1}}/{wrt} J_{{h,h,t}}" in lines(document, "recursion")
    block = "J_{h,W_n,t} = ∂h_t/∂vec(W_n)|_{h_{t-1}} = x_t ⊗ diag(z_t ⊙ (1 - n_t^2))"
    assert block in lines(document, "recursion")
    assert lines(document, "gradient") == ["∂L/∂W_n = Σ_t δW_{n,t}", "δW_{n,t} = δa_{n,t} x_tᵀ"]


def test_one_jacobian_with_something_held() -> None:
    document = jacobian_document(derive(cells.gru), "h", "h_prev", holding=("z", "n"))
    assert lines(document, "jacobian") == ["∂h_t/∂h_{t-1}|_{z_t, n_t} = diag(1 - z_t)"]
    assert "Held: z_t, n_t." in write(document, "text")


def test_the_blocks_of_all_steps_are_given_at_t() -> None:
    rows = lines(jacobian_document(derive(cells.lstm), "c", "c_prev", steps=3), "recursion")
    names = [row.partition(" = ")[0] for row in rows if row.startswith("J")]
    assert names == ["J_{h,c,t}", "J_{c,c,t}", "J_{h,h,t}", "J_{c,h,t}"]


def test_matrices_are_stacked_in_both_documents() -> None:
    whole = derivation_document(derive(cells.mlstm))
    one = jacobian_document(derive(cells.mlstm), "h", "C_prev")
    left = "∂h_t/∂vec(C_{t-1})|_{t-1}"
    blocks = [line.partition(" = ")[0] for line in lines(whole, "jacobians")]
    assert left in blocks
    assert not any("∂C_" in block for block in blocks)
    assert left in [line.partition(" = ")[0] for line in lines(one, "jacobian")]
    for document in (whole, one):
        assert "a time at the bar stands for all other states at that time" in " ".join(write(document, "text").split())
    assert "Held: h_{t-1}, n_{t-1}, m_{t-1}." in write(one, "text")


@pytest.mark.parametrize(
    ("name", "of", "wrt", "said"),
    [
        ("lstm", "c", "c_prev", "2.35 × 10^{203}"),
        ("indrnn", "h", "h_prev", "one path of 300 steps, too long"),
        ("lstm", "h", "W_f", "× 10^{203}"),
    ],
)
def test_many_steps_leave_the_first_and_the_last_rows(name: str, of: str, wrt: str, said: str) -> None:
    document = jacobian_document(derive(cells[name]), of, wrt, steps=300)
    assert said in words(document, "jacobian")
    rows = [line for line in lines(document, "recursion") if line.startswith("∂")]
    states = len(cells[name].states)
    assert rows[-1].startswith(f"∂{of}_t/")
    assert len(rows) == 3 * states + 1 - (states == 1)
    if wrt == "W_f":
        assert lines(document, "gradient") == ["∂L/∂W_f = Σ_t δW_{f,t}", "δW_{f,t} = δa_{f,t} x_tᵀ"]


def test_too_many_paths_leave_the_recursion() -> None:
    document = jacobian_document(derive(cells.lstm), "h", "h_prev", steps=5)
    assert "2089 paths" in words(document, "jacobian")
    assert [section.key for section in document.sections] == ["jacobian", "recursion"]


def test_nonsense_is_refused() -> None:
    with pytest.raises(InputError, match='steps=2 with kind="direct"'):
        jacobian_document(derive(cells.gru), "h", "h_prev", "direct", steps=2)
    with pytest.raises(InputError, match="no layout 'column' of Jacobian"):
        jacobian_document(derive(cells.gru), "h", "h_prev", layout="column")


# --- formulas that do not fit -----------------------------------------------------------------------------------------


def test_fractions_beside_a_slash_have_the_brackets_they_need() -> None:
    assert without_bars(r"\frac{1}{4 d_h} a") == "(1 / (4 d_h)) a"
    assert without_bars(r"\frac{v}{\sqrt{a_{h,t}}}") == r"(v / \sqrt{a_{h,t}})"


def test_a_space_before_a_brace_has_no_width() -> None:
    assert ems(r"\sum_{\text{paths } x}") == ems(r"\sum_{\text{paths} x}")
