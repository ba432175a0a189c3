"""The section on how gradients flow: what it says of which cell, and cells side by side."""

from __future__ import annotations

import pytest

from symrnn import Cell, cells, derive
from symrnn.choices import LAYOUTS, NOTATIONS
from symrnn.documents import derivation_document, flow_document, write
from symrnn.documents.flow import _OF_BOUNDS, _VERDICTS
from symrnn.documents.structure import Bullets, Centred, Maths, Paragraph, Section, Table
from symrnn.errors import InputError, UnknownNameError
from tests.library import MAIN

OWN = {
    "kept": "def kept(x: 'd_h', h, *, a: 'd_h'):\n    h = a * h + x\n    return h",
    "grows": "def grows(x, h, *, W):\n    z = sigmoid(W @ x)\n    h = (1 + z) * h\n    return h",
    "memory": "def memory(x: 'd_h', h, *, U, V):\n    z = U @ h\n    h = tanh(z * x + V @ h)\n    return h",
    "steady": "def two(x: 'd_h', h, s: 'd_h', *, U, V):\n    h = tanh(U @ s) + x\n    s = sin(V @ s)\n    return h, s",
}


def of(name: str) -> Cell:
    return Cell.from_source(OWN[name]) if name in OWN else cells[name]


def said(section: Section) -> str:
    """The words, as plain text."""
    lines = []
    for block in section.blocks:
        found = {Paragraph: lambda b: [b.parts], Bullets: lambda b: b.items, Centred: lambda b: [(b.formula,)]}
        lines += found.get(type(block), lambda b: [])(block)
    return "\n".join("".join(p.text if isinstance(p, Maths) else str(p) for p in line) for line in lines)


def section(name: str, **options: str) -> Section:
    return derivation_document(derive(of(name)), sections="flow", **options).section("flow")


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("sru", "Nothing of a step reads h_{t-1}: through h_t no gradient goes back."),
        ("lstm", "The equation of h_t does not read h_{t-1}: there is no direct path between them, and"),
        ("lstm_1997", "Over any number of steps it is the identity: along this path a gradient neither vanishes nor"),
        (
            "rnn_linear",
            "The factor is the same at every step: along this path a gradient vanishes where every",
        ),
        (
            "rnn",
            "Over k steps its norm is at most σ_max(U)^k. Along this path a gradient vanishes where σ_max(U)",
        ),
        ("rnn_sigmoid", "Over k steps its norm is at most (1/4 σ_max(U))^k. Along this path a gradient vanishes where"),
        ("scrn", "Over many steps no entry exceeds (19/20)^k in absolute value: along this path a gradient vanishes."),
        (
            "kept",
            "The factor is the same at every step: along this path a gradient vanishes where the entries of a",
        ),
        ("lstm", "Every entry of f_t lies in (0, 1): along this path a gradient cannot explode. It vanishes where"),
        ("gru", "Every entry of 1 - z_t lies in (0, 1): along this path a gradient cannot explode."),
        ("gru_reset_after", "Every entry of z_t lies in (0, 1): along this path a gradient cannot explode."),
        (
            "mlstm",
            "Nothing bounds the entries of f_t: along this path a gradient vanishes where they stay",
        ),
        ("grows", "Every entry of 1 + z_t lies in (1, 2): along this path a gradient grows no faster than 2^k."),
        ("memory", "depends on the values at every step: nothing can be said that holds for all of them."),
        ("gru", "h_{t-1} is taken to lie in [-1, 1], entry by entry, before the first step, as zeros do;"),
        ("gru", "‖∂h_t/∂h_{t-k}‖ ≤ (1 + 1/2 σ_max(U_z) + σ_max(U_n) + 1/4 σ_max(U_n) σ_max(U_r))^k"),
        ("gru", "is never below 1: the bound says how fast a gradient can grow, and not whether it vanishes."),
        ("gru", "through n_t: diag(z_t ⊙ (1 - n_t^2)) U_n diag(r_t), of norm at most σ_max(U_n)"),
        (
            "lstm",
            "β_(c,c) is never below 1: these bounds say how fast gradients can grow, and not whether",
        ),
        (
            "steady",
            "The matrix is the same at every step: gradients vanish where its largest eigenvalue is below 1",
        ),
    ],
)
def test_what_is_said(name: str, sentence: str) -> None:
    assert sentence in said(section(name))


def test_every_sentence_is_said_of_some_cell() -> None:
    whole = "\n".join(said(section(name)) for name in ("sru", "lstm_1997", "rnn_linear", *MAIN, "scrn", "mlstm", *OWN))
    for _, sentence in (*_VERDICTS, *_OF_BOUNDS):
        pieces = [piece.partition("}")[2] or piece for piece in sentence.split("{")]
        assert all(piece.strip() in whole for piece in pieces)


def test_products_are_printed_with_their_factors() -> None:
    def lines(name: str, **options: str) -> list[str]:
        displays = section(name, **options).displays
        return [f"{line.left.text} = {line.right.text}" for display in displays for line in display.lines if line.left]

    assert lines("lstm")[:2] == [
        "∂⁺c_t/∂c_{t-1} = diag(f_t)",
        "∏_{j=0}^{k-1} ∂⁺c_{t-j}/∂c_{t-j-1} = ∏_{j=0}^{k-1} diag(f_{t-j})",
    ]
    assert "∏_{j=0}^{k-1} ∂⁺h_{t-j}/∂h_{t-j-1} = ∏_{j=0}^{k-1} diag(1 - h_{t-j}^2) U" in lines("rnn")
    # What comes first stands first in this layout, so the product begins with the earliest step.
    turned = "∏_{j=1}^{k} ∂⁺h_{t-k+j}/∂h_{t-k+j-1} = ∏_{j=1}^{k} Uᵀ diag(1 - h_{t-k+j}^2)"
    assert turned in lines("rnn", layout="denominator")
    raised = "∏_{j=0}^{k-1} ∂⁺h^(t-j)/∂h^(t-j-1) = ∏_{j=0}^{k-1} diag(1 - z^(t-j))"
    assert raised in lines("gru", notation="superscript")


@pytest.mark.parametrize("notation", NOTATIONS)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_it_can_be_written_in_every_notation(notation: str, layout: str) -> None:
    text = write(derive(cells.gru), "markdown", notation, sections="flow", layout=layout)
    assert "How the gradient flows" in text


def test_cells_side_by_side() -> None:
    document = flow_document([derive(cells[name]) for name in ("rnn", "lstm", "mlstm")])
    (table,) = (block for block in document.section("compared").blocks if isinstance(block, Table))
    rows = [["".join(p.text if isinstance(p, Maths) else str(p) for p in cell) for cell in row] for row in table.rows]
    # k is a size of the mLSTM, so that all cells have another letter
    direct = "diag(1 - h_t^2) U; ∏_{j=0}^{p-1} diag(1 - h_{t-j}^2) U, of norm at most σ_max(U)^p"
    assert rows[0] == ["rnn, h_t", direct, "0"]
    assert rows[1:3] == [["lstm, h_t", "none", "4"], ["lstm, c_t", rows[2][1], "3"]]
    assert len(rows) == 1 + 2 + 4
    labels = [e.label for section in document.sections for d in section.displays for e in d.equations]
    assert len(labels) == len(set(labels)) > 10
    numbers = [e.number for section in document.sections for d in section.displays for e in d.equations]
    assert numbers == [str(number) for number in range(1, len(numbers) + 1)]


def test_nothing_to_compare_and_wrong_choices() -> None:
    with pytest.raises(InputError, match="no cell was named"):
        flow_document([])
    with pytest.raises(InputError, match="layout"):
        flow_document([derive(cells.rnn)], layout="rows")
    with pytest.raises(UnknownNameError, match="notation"):
        flow_document([derive(cells.rnn)], "greek")
