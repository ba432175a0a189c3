"""A notation's letters go by parts: anyone's cell is printed in them, and nothing is printed like anything else."""

from __future__ import annotations

import re

import pytest

from symrnn import Cell, Notation, cells, derive, generate
from symrnn.documents import write
from symrnn.documents.setting import set_up
from symrnn.documents.weights import with_weights_of
from symrnn.errors import InputError, NameClashError
from symrnn.printers import NOTATIONS
from symrnn.printers.vocabulary import fitted, printed_name
from tests.language.test_anatomy import FOREIGN


def forward(cell: Cell, notation: str | Notation) -> str:
    document = write(derive(cell), "text", notation)
    return re.sub(" +", " ", document.split("1. Forward")[1].split("2. Backward")[0])


@pytest.mark.parametrize("notation", ["coursera", "greff", "goodfellow", "d2l"])
def test_other_names_for_the_same_cell_are_printed_alike(notation: str) -> None:
    own = "\n".join(re.findall(r"\([1-6]\).*", forward(cells.lstm, notation))[:6])
    foreign = FOREIGN["lstm"][0].replace(
        "    net = A @ u + B @ m + p\n    o = sigmoid(net)\n", "    o = sigmoid(A @ u + B @ m + p)\n"
    )
    # The library's has the candidate before the output gate, this one after it.
    other = re.findall(r"\([1-6]\).*", forward(Cell.from_source(foreign), notation))[:6]
    assert sorted(line[4:] for line in own.splitlines()) == sorted(line[4:] for line in other)


@pytest.mark.sampled(4)
@pytest.mark.parametrize(
    ("notation", "cell", "expected"),
    [
        ("torch", "lstm_two_biases", "a_{g,t} = W_ig x_t + b_ig + W_hg h_{t-1} + b_hg"),
        ("torch", "gru_reset_after", "a_{n,t} = W_in x_t + b_in + r_t ⊙ (W_hn h_{t-1} + b_hn)"),
        ("graves", "lstm_peephole", "a_{i,t} = W_xi x_t + W_hi h_{t-1} + w_ci c_{t-1} + b_i"),
        ("greff", "lstm_peephole", "ō^t = W_o x^t + R_o y^{t-1} + p_o ⊙ c^t + b_o"),
        ("greff", "gru", "u^t = σ(ū^t)"),
        ("olah", "lstm", "C_t = f_t * C_{t-1} + i_t * C̃_t"),
        ("olah", "gru", "W · [r_t * h_{t-1}, x_t]"),
        ("coursera", "gru", "c^⟨t⟩ = (1 - Γ_u^⟨t⟩) * c^⟨t-1⟩ + Γ_u^⟨t⟩ * c̃^⟨t⟩"),
        ("goodfellow", "rnn", "a^(t) = U x^(t) + W h^(t-1) + b"),
        ("labelled", "lstm", "c_t = σ_t^{for} ⊙ c_{t-1} + σ_t^{up} ⊙ c̃_t"),
        ("labelled", "gru_reset_after", "ĥ'_t"),
        ("function", "lstm", "c(t) = f(t) ⊙ c(t-1) + i(t) ⊙ g(t)"),
        ("joined", "gru", "W_h̃ [r_t h_{t-1}, x_t]"),
        ("capitals", "lstm", "H^⟨t⟩ = Λ^⟨t⟩ * tanh(C^⟨t⟩)"),
        ("raised", "lstm", "W^(f) x^(t) + U^(f) h^(t-1) + b^(f)"),
    ],
)
def test_cells_in_their_own_voices(notation: str, cell: str, expected: str) -> None:
    assert expected in forward(cells[cell], notation)


@pytest.mark.parametrize("notation", NOTATIONS)
def test_no_two_names_of_a_cell_look_alike(notation: str) -> None:
    """Names that the notation wants for something else give way; by turns through the library."""
    start = list(NOTATIONS).index(notation)
    for name in cells.names()[start :: len(NOTATIONS)]:
        set_up(with_weights_of(derive(cells[name]), NOTATIONS[notation]), NOTATIONS[notation])  # refuses clashes


def test_a_letter_that_the_notation_takes_gives_way() -> None:
    """The author's z is no gate, and z is the candidate there: one free letter for it."""
    text = cells.lstm.source.replace("b_o):", "b_o, z):").replace("g = tanh(W_g @ x", "g = tanh(z + W_g @ x")
    cell = Cell.from_source(text)
    shown = fitted(NOTATIONS["greff"], cell, derive(cell).forward)
    assert printed_name(cell["g"], NOTATIONS["greff"], cell) == (r"\mathbf{z}^{t}", "z^t")
    assert shown.looks["z"].head.letters not in {"z", "x", "c", "y", "f", "i", "o"}


def test_arguments_have_one_letter_in_the_whole_document() -> None:
    """A state a beside pre-activations a_f: the latter are all called otherwise."""
    shown = forward(cells.lstm, Notation(letters={"hidden": "a", "forget_gate": r"\Gamma_f"}))
    assert "Γ_{f,t} = σ(s_{f,t})" in shown
    assert "s_{i,t} = " in shown
    assert "a_t = " in shown
    assert not re.search(r"a_\{[a-z],t\}", shown)


def test_a_clash_of_the_reader_s_own_choice_is_an_error() -> None:
    notation = Notation(names={"f": "q", "i": "q"}, letters={"hidden": "y"})
    with pytest.raises(NameClashError, match=r"lstm: 'f' and 'i' would both be printed as q_t\n  rename one of them"):
        write(derive(cells.lstm), "text", notation)


def test_names_of_derivatives_follow() -> None:
    document = write(derive(cells.lstm), "text", "greff")
    assert "J_{y,y}^t stands for ∂y^t/∂y^{t-1}|_{c^{t-1}}" in " ".join(document.split())
    assert "J_{c,W_f}^t" in document


@pytest.mark.parametrize("size", ["n", "d"])
def test_sizes_have_letters(size: str) -> None:
    document = write(derive(cells.lstm), "text", Notation(letters={"hidden_size": size, "input_size": "m"}))
    assert f"ℝ^({size}×m)" in document
    assert "d_h" not in document.split("8. Rules")[0]


def test_comments_of_generated_code_have_the_reader_s_letters() -> None:
    source = generate("gru", notation="labelled").source
    assert re.search(r"# \(2\) ζ_t = σ\(W_ζ x_t", source)
    assert source.replace("# ", "") != generate("gru").source.replace("# ", "")
    bare, usual = (re.sub(r"#.*|SEAL = .*", "", text) for text in (source, generate("gru").source))
    assert bare == usual


def test_a_cell_without_products_to_join_stays_as_it_is() -> None:
    derivation = derive(cells.indrnn)
    assert with_weights_of(derivation, NOTATIONS["olah"]) is derivation


@pytest.mark.parametrize(("weights", "shown"), [("[h, x]", "[h_{t-1}; x_t]"), ("[x, h]", "[x_t; h_{t-1}]")])
def test_weights_are_joined_and_split(weights: str, shown: str) -> None:
    assert f"W_f {shown}" in forward(cells.lstm, Notation(weights=weights))
    assert "W_f x_t + U_f h_{t-1}" in forward(cells.lstm_concat, Notation(weights="split"))


def test_rows() -> None:
    document = write(derive(cells.lstm), "text", "d2l")
    assert "A_{f,t} = X_t W_xf + H_{t-1} W_hf + b_f" in document
    assert "∂L/∂W_xf = Σ_{t=1}^{T} X_tᵀ ∂L/∂A_{f,t}" in document
    assert "∂L/∂X_t = ∂L/∂A_{f,t} W_xfᵀ + ∂L/∂A_{i,t} W_xiᵀ" in document
    assert "Vectors are rows, ⊙ multiplies" in document
    assert "ℝ^(d_x×d_h)" in document
    assert "Jacobian" not in document
    with pytest.raises(InputError, match="section 'jacobians' is not written where vectors are rows"):
        write(derive(cells.lstm), "text", "d2l", sections=("jacobians",))


@pytest.mark.parametrize("notation", ["greff", "coursera", "goodfellow"])
def test_short_documents_have_the_reader_s_letters_too(notation: str) -> None:
    for gates in ("one-line", "stacked"):
        document = write(derive(cells.lstm_peephole), "text", notation, level="brief", gates=gates)
        assert "Σ_{*" not in document


def test_an_index_is_the_same_in_every_letter() -> None:
    """The output gate is q there, and o in the indices of all that belongs to it."""
    shown = forward(cells.lstm_peephole, "goodfellow")
    assert "q^(t) = σ(a^{o,(t)})" in shown
    assert "p_o ⊙ s^(t)" in shown
