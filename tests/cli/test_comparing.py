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
