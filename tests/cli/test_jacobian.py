"""`symrnn jacobian`, and the options of `symrnn derive` that are about Jacobians and sections."""

from __future__ import annotations

import pytest

from tests.cli.test_cli import Run


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["lstm", "c", "c_prev"], "∂c_t/∂c_{t-1}|_{h_{t-1}} = diag(f_t)"),
        (["lstm", "c", "c_prev", "--kind", "total"], "dc_t/dc_{t-1} = (diag(c_{t-1} ⊙ f_t ⊙ (1 - f_t)) U_f"),
        (["lstm", "c", "c_prev", "--kind", "direct"], "∂⁺c_t/∂c_{t-1} = diag(f_t)"),
        (["lstm", "c", "c_prev", "--steps", "2"], "∂c_t/∂c_{t-2}|_{h_{t-2}} = J_{c,h,t} ∂h_{t-1}/∂c_{t-2}|_{h_{t-2}}"),
        (["lstm", "c", "c_prev", "--kind", "cell", "--steps", "2"], "= J_{c,h,t} ∂h_{t-1}/∂c_{t-2}|_{h_{t-2}}"),
        (
            ["lstm", "c", "c_prev", "--steps", "2", "--holding", "h_prev"],
            "∂c_t/∂c_{t-2}|_{h_{t-2}, h_{t-1}} = diag(f_t ⊙ f_{t-1})",
        ),
        (["lstm", "c", "c_prev", "--steps", "18"], "a sum over 305749376569 paths, too many to be written out"),
        (["gru", "h", "h_prev", "--kind", "direct"], "∂⁺h_t/∂h_{t-1} = diag(1 - z_t)"),
        (["gru", "h", "h_prev", "--holding", "z, n"], "∂h_t/∂h_{t-1}|_{z_t, n_t} = diag(1 - z_t)"),
        (["lstm", "f", "h_prev", "--layout", "denominator"], "= U_fᵀ diag(f_t ⊙ (1 - f_t))"),
        (["lstm", "a_f", "W_f"], "∂a_{f,t}/∂vec(W_f)|_{h_{t-1}, c_{t-1}} = x_tᵀ ⊗ I"),
        (["lstm", "c", "c_prev", "--to", "tex"], r"\documentclass"),
        (
            ["lstm", "c", "c_prev", "--fragment"],
            r"\left.\frac{\partial c_t}{\partial c_{t-1}}\right|_{h_{t-1}} &= \operatorname{diag}(f_t)",
        ),
        (["lstm", "c", "c_prev", "--notation", "superscript"], "diag(f^(t))"),
    ],
)
def test_jacobian(run: Run, arguments: list[str], expected: str) -> None:
    code, out, err = run("jacobian", *arguments)
    assert (code, err) == (0, "")
    assert expected in out


def test_jacobian_to_a_file(run: Run) -> None:
    assert run("jacobian", "gru", "h", "W_n", "--steps", "2", "-o", "j.md")[:2] == (0, "")
    with open("j.md", encoding="utf-8") as file:
        assert "J_{h,W_n,t}" in file.read()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["jacobian", "lstm", "c", "q"], "the cell lstm has no variable 'q'"),
        (["jacobian", "lstm", "c", "c_prev", "--steps", "0"], "steps=0\n  give a whole number of steps, at least 1"),
        (
            ["jacobian", "lstm", "c", "c_prev", "--steps", "1000000"],
            "steps=1000000: too many steps to unroll\n  give at",
        ),
        (["jacobian", "lstm", "c", "c_prev", "--kind", "partial"], "no kind 'partial' of Jacobian\n  there are"),
        (["jacobian", "lstm", "c", "c_prev", "--kind", "direct", "--steps", "2"], 'steps=2 with kind="direct"'),
        (["jacobian", "lstm", "c", "c_prev", "--layout", "column"], "no layout 'column' of Jacobian\n  there are"),
        (["jacobian", "lstm", "c", "c_prev", "--holding", "c"], "of='c' is itself held"),
        (["jacobian", "lstm", "c", "c_prev", "--to", "docx"], "--to docx: there is no such form"),
        (["derive", "lstm", "--layout", "column"], "no layout of Jacobian 'column'\n  there are"),
        (["derive", "lstm", "--with", "proofs"], "no further section 'proofs'\n  there are algorithm, flow,"),
    ],
)
def test_wrong_values_are_one_message(run: Run, arguments: list[str], message: str) -> None:
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith("symrnn: ")
    assert message in err
    assert len(err.strip().splitlines()) == 2


def test_derive_in_the_denominator_layout(run: Run) -> None:
    code, out, _ = run("derive", "lstm", "--layout", "denominator")
    assert code == 0
    assert "Layout: denominator." in out
    assert "∂f_t" not in out
    assert "U_oᵀ diag(tanh(c_t) ⊙ o_t ⊙ (1 - o_t))" in out


def test_derive_with_further_sections(run: Run) -> None:
    assert "Properties" not in run("derive", "rnn")[1]
    code, out, _ = run("derive", "rnn", "--with", "properties, rewritings")
    assert code == 0
    assert "Bounded state: |h_t| < 1" in out
    assert "Rewritings used" in out
