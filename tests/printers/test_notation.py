"""Names as readers see them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from symrnn import cells, derive
from symrnn.algebra.nodes import Variable, indexed
from symrnn.calculus.derivation import shift
from symrnn.errors import UnknownNameError
from symrnn.printers import NOTATIONS
from symrnn.printers.notation import Notation, find_notation, latex_name, show_moment, text_name

PLAIN = NOTATIONS["subscript"]


def parameter(name: str, cols: int = 3) -> Variable:
    return Variable(name, 3, cols)


@pytest.mark.parametrize(
    ("name", "in_latex", "in_text"),
    [
        ("W", "W", "W"),
        ("W_f", "W_f", "W_f"),
        ("W_hh", r"W_{\mathrm{hh}}", "W_hh"),
        ("h1", "h_1", "h_1"),
        ("h12", "h_{12}", "h_12"),
        ("alpha", r"\alpha", "α"),
        ("W_alpha", r"W_{\alpha}", "W_α"),
        ("lambda_", r"\lambda", "λ"),
        ("c_tilde", r"\tilde{c}", "c\u0303"),
        ("W_tilde_f", r"\tilde{W}_f", "W\u0303_f"),
        ("a_c_tilde", r"a_{\tilde{c}}", "a_c\u0303"),
        ("candidate", r"\mathrm{candidate}", "candidate"),
        ("candidate_hat", r"\widehat{\mathrm{candidate}}", "candidatê"),
        ("W_f_2", "W_{f,2}", "W_{f,2}"),
        (indexed("J", "h", "W_f"), "J_{h,W_f}", "J_{h,W_f}"),
        (indexed("J", "c_tilde", "W_f_2"), r"J_{\tilde{c},W_{f,2}}", "J_{c\u0303,W_{f,2}}"),
        (indexed("S", "h1", "alpha"), r"S_{h_1,\alpha}", "S_{h_1,α}"),
    ],
)
def test_names(name: str, in_latex: str, in_text: str) -> None:
    assert (latex_name(parameter(name), PLAIN), text_name(parameter(name), PLAIN)) == (in_latex, in_text)


@pytest.mark.parametrize(
    ("notation", "plain", "adjoint", "of_parameter"),
    [
        ("subscript", "h_{t-1}", r"\delta h_{t-1}", r"\frac{\partial L}{\partial W_f}"),
        ("superscript", "h^{(t-1)}", r"\delta h^{(t-1)}", r"\frac{\partial L}{\partial W_f}"),
        ("angle", r"h^{\langle t-1 \rangle}", r"\delta h^{\langle t-1 \rangle}", r"\frac{\partial L}{\partial W_f}"),
        ("bold", r"\mathbf{h}_{t-1}", r"\delta \mathbf{h}_{t-1}", r"\frac{\partial L}{\partial \mathbf{W}_f}"),
        ("partial", "h_{t-1}", r"\frac{\partial L}{\partial h_{t-1}}", r"\frac{\partial L}{\partial W_f}"),
    ],
)
def test_notations(notation: str, plain: str, adjoint: str, of_parameter: str) -> None:
    chosen, h = NOTATIONS[notation], Variable("h_prev", 3, 1, "h", -1)
    assert latex_name(h, chosen) == plain
    assert latex_name(h.marked("adjoint", "q"), chosen) == adjoint
    assert latex_name(parameter("W_f").marked("adjoint", "q"), chosen) == of_parameter


def test_marks() -> None:
    h = Variable("h", 3, 1, time=0)
    assert latex_name(h.marked("cotangent", "q"), PLAIN) == r"\bar{h}_t"
    assert latex_name(h.marked("loss", "q"), PLAIN) == r"\frac{\partial \ell}{\partial h_t}"
    assert text_name(h.marked("loss", "q"), PLAIN) == "∂ℓ/∂h_t"
    memory = Variable("memory", 3, 1, time=0).marked("cotangent", "q")
    assert latex_name(memory, PLAIN) == r"\overline{\mathrm{memory}}_t"


def test_bold_leaves_scalars_alone() -> None:
    assert latex_name(Variable("alpha", 1, 1), NOTATIONS["bold"]) == r"\alpha"
    assert latex_name(Variable("alpha", 3, 1), NOTATIONS["bold"]) == r"\boldsymbol{\alpha}"


def test_names_of_the_readers_choice() -> None:
    notation = Notation("mine", "", names={"g": r"\tilde{c}"})
    assert latex_name(Variable("g", 3, 1, time=0), notation) == r"\tilde{c}_t"


def test_times_as_numbers() -> None:
    first = replace(PLAIN, now=1)
    assert latex_name(Variable("h_prev", 3, 1, "h", -1), first) == "h_0"
    assert text_name(Variable("a_f", 3, 1, time=0), first) == "a_{f,1}"
    assert [show_moment(time) for time in (-1, 0, 2)] == ["t-1", "t", "t+2"]


def test_unknown_notation_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UnknownNameError, match="no notation 'fancy'\n  there are subscript, angle"):
        find_notation("fancy")


@pytest.mark.parametrize(
    ("notation", "latex_form", "text_form"),
    [
        ("subscript", r"\overleftarrow{\delta} h_{t-1}", "δ←h_{t-1}"),
        ("superscript", r"\overleftarrow{\delta} h^{(t-1)}", "δ←h^(t-1)"),
        ("angle", r"\overleftarrow{\delta} h^{\langle t-1 \rangle}", "δ←h^⟨t-1⟩"),
        ("bold", r"\overleftarrow{\delta} \mathbf{h}_{t-1}", "δ←h_{t-1}"),
        ("partial", r"\frac{\overleftarrow{\partial} L}{\partial h_{t-1}}", "∂←L/∂h_{t-1}"),
    ],
)
def test_what_a_step_sends_back_is_no_adjoint(notation: str, latex_form: str, text_form: str) -> None:
    derivation = derive(cells.lstm)
    message = derivation.of("h_prev").target
    whole = shift(derivation.of("h").target, -1)
    assert latex_name(message, NOTATIONS[notation]) == latex_form
    assert text_name(message, NOTATIONS[notation]) == text_form
    assert text_name(whole, NOTATIONS[notation]) != text_form
    assert text_name(derivation.message("h"), NOTATIONS[notation]) == text_form.replace("{t-1}", "t").replace(
        "t-1", "t"
    )


def test_identifiers_of_messages_are_those_of_their_time() -> None:
    derivation = derive(cells.lstm)
    message = derivation.of("c_prev").target
    assert (message.name, message.time) == ("c_prev_bar", -1)
    assert (derivation.message("c").name, derivation.message("c").time) == ("c_prev_bar_next", 0)
    assert shift(derivation.message("c"), -1) == message
