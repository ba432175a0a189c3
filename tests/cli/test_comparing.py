"""Commands about several things at once: `flow`, and `same`."""

from __future__ import annotations

from collections.abc import Callable

Run = Callable[..., tuple[int, str, str]]


def test_flow_compares_cells(run: Run) -> None:
    code, out, err = run("flow", "rnn", "lstm", "rnn", "--to", "tex", "--fragment")
    assert (code, err) == (0, "")
    assert r"\subsection{How gradients flow: rnn, lstm}" in out
    assert r"\prod_{j=0}^{k-1} \operatorname{diag}(f_{t-j})" in out


def test_flow_without_a_cell_is_wrong_use(run: Run) -> None:
    assert run("flow")[0] == 2
    assert run("flow", "rnn", "nothing")[0] == 2


def test_same_tells_whether_files_belong_together(run: Run) -> None:
    run("derive", "gru", "-o", "gru.tex")
    run("generate", "gru", "-o", "gru_numpy.py")
    assert run("same", "gru.tex", "gru_numpy.py", "gru")[0] == 0
    assert run("same", "gru.tex", "lstm")[0] == 1
    assert run("same", "gru.tex", "lstm.tex")[0] == 2


def test_diff_shows_two_cells_side_by_side(run: Run) -> None:
    code, out, err = run("diff", "gru", "mgu")
    assert (code, err) == (0, "")
    lines = [line for line in out.splitlines() if "r_t = σ" in line or "z_t = σ" in line or "a_{n,t} = W" in line]
    assert [line[0] for line in lines] == ["-", " ", "~"]
    assert "f_t = σ(a_{f,t})" in lines[1]


def test_diff_of_a_cell_and_itself(run: Run) -> None:
    assert "Every equation is the same" in run("diff", "gru", "gru")[1]


def test_diff_in_other_forms(run: Run) -> None:
    assert r"\underline{U_n (r_t \odot h_{t-1})}" in run("diff", "gru", "mgu", "--to", "markdown")[1]
    assert r"\parbox[t]" in run("diff", "gru", "mgu", "--fragment", "--width", "column")[1]


def test_diff_refuses_what_is_no_cell(run: Run) -> None:
    run("derive", "gru", "-o", "gru.tex")
    for other in ("nothing", "gru.tex", "missing.py"):
        code, out, err = run("diff", "gru", other)
        assert (code, out) == (2, "")
        assert "Traceback" not in err
    assert run("diff", "gru")[0] == 2
