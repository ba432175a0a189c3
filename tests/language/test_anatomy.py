"""The parts of a cell, found whatever its variables are called."""

from __future__ import annotations

import pytest

from symrnn import Cell, cells, derive
from symrnn.language.anatomy import PARAMETERS, VALUES, anatomy

FOREIGN = {
    # An LSTM whose letters mean something else elsewhere, written through pre-activations of its author's.
    "lstm": (
        "def cell(u, m, z, *, A, B, p, C, D, q, E, F, s, G, H, t_):\n"
        "    net = A @ u + B @ m + p\n    o = sigmoid(net)\n"
        "    h = sigmoid(C @ u + D @ m + q)\n    c = sigmoid(E @ u + F @ m + s)\n    x = tanh(G @ u + H @ m + t_)\n"
        "    z = o * z + h * x\n    m = c * tanh(z)\n    return m, z\n",
        {
            "u": "input",
            "m": "hidden",
            "z": "memory",
            "o": "forget_gate",
            "h": "input_gate",
            "c": "output_gate",
            "x": "candidate",
            "net": "preactivation of forget_gate",
            "A": "input_weight of forget_gate",
            "F": "recurrent_weight of output_gate",
            "t_": "bias of candidate",
        },
    ),
    "gru that writes by 1 - z": (
        "def cell(v, s, *, A, B, C, D, E, F):\n"
        "    k = sigmoid(A @ v + B @ s)\n    l = sigmoid(C @ v + D @ s)\n    w = tanh(E @ v + F @ (l * s))\n"
        "    s = k * s + (1 - k) * w\n    return s\n",
        {
            "v": "input",
            "s": "blended_state",
            "k": "update_gate",
            "l": "reset_gate",
            "w": "blended_candidate",
            "E": "input_weight of blended_candidate",
            "F": "recurrent_weight of blended_candidate",
        },
    ),
    "a candidate without a name": (
        "def cell(x, h, c, *, A, B, C, D, E, F):\n"
        "    i = sigmoid(A @ x + B @ h)\n    o = sigmoid(C @ x + D @ h)\n"
        "    c = (1 - i) * c + i * tanh(E @ x + F @ h)\n    h = o * tanh(c)\n    return h, c\n",
        {"i": "input_gate", "c": "memory", "o": "output_gate", "E": "input_weight of candidate"},
    ),
    "two biases inside and outside of the reset gate": (
        "def cell(x, h, *, A, B, C, D, E, F, b, d):\n"
        "    z = sigmoid(A @ x + B @ h)\n    r = sigmoid(C @ x + D @ h)\n"
        "    n = tanh(E @ x + r * (F @ h + b) + d)\n    h = (1 - z) * n + z * h\n    return h\n",
        {"b": "recurrent_bias of blended_candidate", "d": "input_bias of blended_candidate", "r": "reset_gate"},
    ),
    "peepholes, and one matrix on both": (
        "def cell(x, h, c, *, A, B, p, C, b: 'd_h'):\n"
        "    f = sigmoid(A @ concat(h, x) + p * c)\n    o = sigmoid(B @ concat(h, x))\n"
        "    g = tanh(C @ concat(h, x) + b)\n"
        "    c = f * c + (1 - f) * g\n    h = o * c\n    return h, c\n",
        {"A": "weight of forget_gate", "p": "peephole of forget_gate", "b": "bias of candidate", "o": "output_gate"},
    ),
}


def shown(cell: Cell) -> dict[str, str]:
    found = anatomy(cell, derive(cell).forward)
    return {name: part.role + (f" of {part.of}" if part.of else "") for name, part in found.items()}


@pytest.mark.parametrize("name", FOREIGN)
def test_parts_are_found_under_any_names(name: str) -> None:
    text, expected = FOREIGN[name]
    found = shown(Cell.from_source(text))
    assert {one: found.get(one) for one in expected} == expected


def test_a_plain_network_has_no_gates() -> None:
    found = shown(cells.rnn)
    assert found["h"] == "hidden"
    assert found["W"] == "input_weight of hidden"
    assert not {role for role in found.values() if "gate" in role or "candidate" in role}


def test_what_two_variables_would_be_is_neither() -> None:
    """Two memories read out through two gates: no one of them is the memory."""
    text = (
        "def cell(x, h, c, d, *, A, B, E: 'd_h, d_x', F: 'd_h, d_x', G, H):\n"
        "    f = sigmoid(A @ x)\n    k = sigmoid(B @ x)\n    o = sigmoid(G @ x)\n    q = sigmoid(H @ x)\n"
        "    c = f * c + tanh(E @ x)\n    d = k * d + tanh(F @ x)\n"
        "    h = o * tanh(c) + q * tanh(d)\n    return h, c, d\n"
    )
    found = anatomy(Cell.from_source(text))
    assert not {"f", "k", "o", "q", "c", "d"} & set(found)


@pytest.mark.parametrize("name", cells.names()[::7])
def test_roles_are_in_the_tables_and_nobody_shares_one(name: str) -> None:
    found = anatomy(cells[name], derive(cells[name]).forward)
    assert {part.role for part in found.values()} <= {*VALUES, *PARAMETERS, "preactivation"}
    assert len(set(found.values())) == len(found)
