"""What can be chosen about a document: contents, level, gates, and how a fragment belongs to its host."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
import pytest

from symrnn import Cell, cells, choices, derive
from symrnn.algebra import nodes
from symrnn.algebra.evaluate import at_sizes
from symrnn.algebra.nodes import Expr
from symrnn.calculus.derivation import Derivation
from symrnn.documents import DocumentOptions, derivation_document, jacobian_document, write
from symrnn.documents.alike import GateFamily, find_alike, find_families
from symrnn.documents.parts import PARTS
from symrnn.documents.structure import Display, Maths, Reference
from symrnn.errors import InputError, SymrnnError, UnknownNameError
from symrnn.printers import text
from symrnn.runs.numbers import FLOATS

LABEL = re.compile(r"\\label\{([^}]*)\}")
MENTIONED = re.compile(
    r"\\(?:eqref|ref|hyperref)[{[]([^}\]]*)[}\]]|\\derivedfrom\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}\{([^}]*)\}"
)


def mentioned(text: str) -> set[str]:
    found = {label for pair in MENTIONED.findall(text) for one in pair for label in one.split(",") if label}
    return found | set(re.findall(r"\\eqref\{([^}]*)\}", text))


# --- validation -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        ({"level": "breif"}, "no level 'breif'\n  did you mean 'brief'?"),
        ({"level": "short"}, "did you mean 'brief'?"),
        ({"gates": "oneline"}, "no form of gates 'oneline'\n  did you mean 'one-line'?"),
        ({"width": "colum"}, "did you mean 'column'?"),
        ({"width": "two-column"}, "did you mean 'column'?"),
        ({"numbers": "auto"}, "did you mean 'automatic'?"),
        ({"heading": "chapter"}, "there are section, subsection, subsubsection, paragraph, none"),
        ({"sections": "forward,bakward"}, "no section 'bakward'\n  did you mean 'backward'?"),
        ({"sections": ["paths"]}, "did you mean 'jacobians'?"),
        ({"further": "proofs"}, "no further section 'proofs'"),
        ({"layout": 3}, "no layout of Jacobian 3"),
        ({"notation": "bolt"}, "did you mean 'bold'?"),
        ({"prefix": "a b"}, "prefix='a b' cannot begin a label"),
        ({"prefix": "é"}, "cannot begin a label"),
        ({"widht": "column"}, "no option 'widht'\n  did you mean 'width'?"),
    ],
)
def test_what_is_not_there_is_refused(chosen: Mapping[str, object], message: str) -> None:
    with pytest.raises(SymrnnError) as caught:
        derive(cells.rnn).latex(**chosen)
    assert message in str(caught.value)


def test_options_come_as_one_object_or_one_by_one() -> None:
    derivation = derive(cells.gru)
    options = DocumentOptions(width="column", level="brief", numbers="none")
    assert write(derivation, "fragment", options=options) == derivation.latex(
        width="column", level="brief", numbers="none"
    )
    assert write(derivation, "fragment", options=options, level="full") == derivation.latex(
        width="column", numbers="none"
    )
    assert derivation.latex("bold", level="brief") == derivation.latex(notation="bold", level="brief")


# --- contents ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("level", choices.LEVELS)
@pytest.mark.parametrize("key", [key for key in PARTS if key != "properties"])
def test_every_section_can_stand_alone(key: str, level: str) -> None:
    derivation = derive(cells.gru)
    document = derivation_document(derivation, sections=key, level=level)
    assert {section.key for section in document.sections} <= {key}
    for form in ("text", "markdown", "tex", "fragment"):  # a page's and a notebook's references are not LaTeX's
        written = write(derivation, form, sections=key, level=level)
        assert mentioned(written) <= set(LABEL.findall(written))


def test_sections_come_in_the_order_asked_for() -> None:
    document = derivation_document(derive(cells.lstm), sections="gradients,forward, conventions,symbols")
    assert [section.key for section in document.sections] == ["gradients", "forward", "conventions", "symbols"]
    assert document.opening == ()
    document = derivation_document(derive(cells.lstm), sections=("symbols", "forward", "rules"))
    assert [section.key for section in document.sections] == ["forward", "rules"]
    assert len(document.opening) == 1


def test_conventions_explain_the_sections_that_are_there() -> None:
    said = write(derive(cells.lstm), "text", sections="conventions,forward")
    assert "σ(x) = 1/(1 + exp(-x))" in said
    assert "Kronecker" not in said
    assert "Kronecker" in write(derive(cells.lstm), "text", sections="conventions,kronecker")


def test_what_is_wrong_is_said_at_every_level() -> None:
    wrong = derive(cells.lookup(cells.names("as found")[0]))
    for level in choices.LEVELS:
        assert "Wrong" in write(wrong, "markdown", level=level)


def test_a_brief_document_has_formulas_and_hardly_a_word(derivation: Derivation) -> None:
    for section in derivation_document(derivation, level="brief").sections:
        assert all(not line.note for display in section.displays for line in display.lines)
    words = [
        part
        for section in derivation_document(derivation, level="brief", sections="jacobians,kronecker,steps").sections
        for block in section.blocks
        if not isinstance(block, Display)
        for part in [block]
    ]
    assert words == []


def test_brief_states_are_those_of_the_unrolled_network() -> None:
    lines = write(derive(cells.lstm), "text", level="brief", gates="each").splitlines()
    assert any(
        line.endswith("δc_t     = ∂ℓ/∂c_t + δc_{t+1} ⊙ f_{t+1} + δh_t ⊙ o_t ⊙ (1 - tanh^2(c_t))") for line in lines
    )
    assert not any("h̄" in line or "←" in line for line in lines)


# --- lecture ----------------------------------------------------------------------------------------------------------


def test_a_lecture_derives_every_line() -> None:
    section = derivation_document(derive(cells.lstm), level="lecture").section("backward")
    lines = {e.label: [line.right.text for line in e.lines] for d in section.displays for e in d.equations}
    assert lines["c_bar"] == [
        "c̄_t + (∂⁺h_t/∂c_t)ᵀ δh_t",
        "c̄_t + diag(o_t ⊙ (1 - tanh^2(c_t))) δh_t",
        "c̄_t + δh_t ⊙ o_t ⊙ (1 - tanh^2(c_t))",
    ]
    assert lines["h_prev_bar"][0].count("(∂⁺a_{") == 4
    assert set(lines) == {step.target.name for step in derive(cells.lstm).steps if step.role != "parameter"}


def test_a_lecture_says_matrices_as_columns() -> None:
    section = derivation_document(derive(cells.mlstm), level="lecture").section("backward")
    (equation,) = [e for d in section.displays for e in d.equations if e.label == "C_bar"]
    assert [line.left.text if line.left else "" for line in equation.lines if not line.is_next] == ["vec(δC_t)", "δC_t"]
    assert equation.lines[0].right.text.startswith("vec(C̄_t) + (∂⁺u_{h,t}/∂vec(C_t))ᵀ δu_{h,t}")


# --- a fragment and its host ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("numbers", "level"), [("automatic", "full"), ("fixed", "brief"), ("none", "lecture")])
def test_labels_have_the_prefix_and_mentions_have_labels(derivation: Derivation, numbers: str, level: str) -> None:
    written = write(derivation, "fragment", numbers=numbers, prefix="app-1", level=level)
    labels = LABEL.findall(written)
    assert len(labels) == len(set(labels))
    assert all(label == "app-1" or label.startswith("app-1:") for label in labels)
    assert mentioned(written) <= set(labels)
    if numbers == "none":
        assert not mentioned(written)
    elif level != "brief":
        assert r"\derivedfrom{\eqref{app-1:" in written


def test_a_host_numbers_the_equations() -> None:
    fragment = write(derive(cells.lstm), "fragment")
    # What is another form of an equation has its number, whatever that is.
    assert set(re.findall(r"\\tag\{(.*?)\}", fragment)) == {
        r"\ref{lstm:h_bar",
        r"\ref{lstm:c_bar",
        r"\ref{lstm:h_prev_bar",
        r"\ref{lstm:c_prev_bar",
    }
    assert r"\tag{8$'$}" in write(derive(cells.lstm), "fragment", numbers="fixed")
    bare = write(derive(cells.lstm), "fragment", numbers="none")
    assert not re.search(r"\\(?:tag|eqref|label\{lstm:[a-z_]+\})", bare)


@pytest.mark.parametrize(
    ("heading", "commands"),
    [
        ("section", ["section", "subsection"]),
        ("subsection", ["subsection", "subsubsection"]),
        ("subsubsection", ["subsubsection", "paragraph"]),
        ("paragraph", ["paragraph", "subparagraph"]),
        ("none", []),
    ],
)
def test_headings_have_the_level_asked_for(heading: str, commands: list[str]) -> None:
    fragment = write(derive(cells.rnn), "fragment", heading=heading)
    found = re.findall(r"\\((?:sub)*(?:section|paragraph))\{", fragment)
    assert list(dict.fromkeys(found)) == commands
    assert "section*" not in fragment


def test_one_jacobian_is_a_fragment_too() -> None:
    document = jacobian_document(derive(cells.lstm), "h", "c_prev")
    fragment = write(document, "fragment", prefix="j", heading="paragraph")
    assert r"\paragraph{Jacobian of h" in fragment
    assert r"\label{j:jacobian}" in fragment


def test_the_gradients_of_four_parameters_stand_two_by_two() -> None:
    rows = [line for line in write(derive(cells.lstm_peephole), "tex").splitlines() if r"\sum_{t=1}" in line]
    assert [row.count(r"\sum") for row in rows] == [2, 2, 2, 2, 3, 2, 2]
    tags = [re.search(r"\\tag\{(.*?)\}", row) for row in rows]
    assert [tag[1] for tag in tags if tag] == ["20--21", "22--23", "24--25", "26--27", "28--30", "31--32", "33--34"]


# --- gates of the same form -------------------------------------------------------------------------------------------


def said(part: object) -> str:
    return part.text if isinstance(part, Maths | Reference) else str(part)


GATES = {
    "another_order": (
        "def f(x, s, *, V_k, A_k, V_j, A_j, B):\n    j = sigmoid(V_j @ x + A_j @ s)\n"
        "    k = sigmoid(V_k @ x + A_k @ s)\n    s = j * s + k * tanh(B @ x)\n    return s\n",
        "a_{*,t} = V_* x_t + A_* s_{t-1}",
    ),
    "frameworks_names": (
        "def f(x, h, *, W_ir, W_hr, b_ir, W_iz, W_hz, b_iz, U):\n    r = sigmoid(W_ir @ x + W_hr @ h + b_ir)\n"
        "    z = sigmoid(W_iz @ x + W_hz @ h + b_iz)\n    h = z * h + r * tanh(U @ x)\n    return h\n",
        "a_{*,t} = W_{i*} x_t + W_{h*} h_{t-1} + b_{i*}",
    ),
    "not_stackable": (
        "def f(x, h, *, W_a, p_a, W_b, p_b):\n    a = sigmoid(W_a @ x + p_a * h)\n    b = tanh(W_b @ x + p_b * h)\n"
        "    h = a * h + b\n    return h\n",
        "= W_* x_t + p_* ⊙ h_{t-1}",
    ),
}


@pytest.mark.parametrize("name", GATES)
def test_gates_are_found_by_their_form(name: str) -> None:
    text, line = GATES[name]
    written = write(derive(Cell.from_source(text)), "text", gates="one-line", level="brief").replace("W_{i*}", "W_{i*}")
    assert line.replace("{i*}", "i*").replace("{h*}", "h*") in written.replace("{i*}", "i*").replace("{h*}", "h*")
    assert "Σ_{* ∈ {" in written


def test_a_lstm_in_one_line() -> None:
    lines = [line.strip() for line in write(derive(cells.lstm), "text", level="brief").splitlines()]
    assert "For * ∈ {f, i, g, o}:" in lines
    assert any("∂L/∂W_* = Σ_{t=1}^{T} δa_{*,t} x_tᵀ" in line for line in lines)
    assert any("δx_t     = Σ_{* ∈ {f, i, g, o}} W_*ᵀ δa_{*,t}" in line for line in lines)


def test_a_lstm_in_stacks() -> None:
    shown = write(derive(cells.lstm), "text", gates="stacked")
    for line in ("a_t = W x_t + U h_{t-1} + b", "W   = [W_f; W_i; W_g; W_o]", "∂L/∂U = Σ_{t=1}^{T} δa_t h_{t-1}ᵀ"):
        assert line in shown
    assert re.search(r"δx_t += Wᵀ δa_t ", shown)
    assert "*" not in shown


def test_what_cannot_be_stacked_has_a_star() -> None:
    text, line = GATES["not_stackable"]
    assert line in write(derive(Cell.from_source(text)), "text", gates="stacked")


def test_the_same_form_is_told_by_the_whole_equation() -> None:
    text = GATES["another_order"][0].replace("A_j @ s)", "A_j @ (s * s))")
    assert "*" not in write(derive(Cell.from_source(text)), "text", gates="one-line").replace("one-", "")
    with pytest.raises(UnknownNameError):
        DocumentOptions(gates="*")


@pytest.mark.parametrize("name", ["lstm", "gru", "mgu", "mlstm", "lstm_layer_norm"])
@pytest.mark.parametrize("gates", [gates for gates in choices.GATES if gates != "each"])
def test_shared_equations_are_numbered_from_one(name: str, gates: str) -> None:
    document = derivation_document(derive(cells.lookup(name)), gates=gates)
    numbers = [
        number
        for section in document.sections
        for display in section.displays
        for equation in display.equations
        for number in ([line.number for line in equation.lines] if equation.is_several else [equation.number])
        if number and not number.endswith("'")
    ]
    assert numbers == [str(number) for number in range(1, len(numbers) + 1)]


def test_an_option_of_another_type_is_refused() -> None:
    with pytest.raises(InputError, match="expected names"):
        DocumentOptions(sections=3)  # type: ignore[arg-type]


# --- a star says what it stands for -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["lstm", "lstm_peephole", "gru", "slstm", "lstm_layer_norm"])
def test_a_star_stands_for_the_equations_of_its_gates(name: str) -> None:
    derivation = derive(cells.lookup(name))
    forward = {equation.target: equation.value for equation in derivation.forward}
    families = find_families(derivation)
    assert families
    for family in families:
        for word, target in zip(family.words, family.targets, strict=True):
            assert named(family, word, family.value) == named(family, word, forward[target])
    rows = [(step.target, step.value) for step in derivation.role("parameter")]
    for group in find_alike(families, rows):
        for word, position in zip(group.words, group.positions, strict=True):
            for starred, plain in zip(group.exprs, rows[position], strict=True):
                assert named(group.family, word, starred) == named(group.family, word, plain)


def named(family: GateFamily, word: str, expr: Expr) -> str:
    """The expression as text, with the word in place of the star."""
    return text(expr.xreplace({v: family.member(v, word) for v in nodes.variables(expr)}))


def test_a_stack_is_the_equations_of_its_gates() -> None:
    """At numbers: the blocks of W x + U h + b are the gates' own arguments."""
    derivation = derive(cells.lstm)
    (family,) = find_families(derivation)
    rng = np.random.default_rng(0)
    sizes = {"d_h": 3, "d_x": 2}
    read = {v for e in derivation.forward for v in nodes.variables(e.value)}
    # By what they are called in print, which is what a stack and its blocks have in common.
    values = {text(v): rng.normal(size=[int(at_sizes(size, sizes)) for size in v.shape]) for v in read}
    for one, stack in family.stacks.items():
        if one != family.target:
            values[text(stack)] = np.concatenate([values[text(family.member(one, word))] for word in family.words])

    def evaluate(expr: Expr) -> np.ndarray:
        return FLOATS.evaluator({v.name: values[text(v)] for v in nodes.variables(expr)}, sizes)(expr)

    gates = [evaluate(equation.value) for equation in derivation.forward if equation.target in family.targets]
    np.testing.assert_allclose(evaluate(family.stacked(family.value)), np.concatenate(gates))
