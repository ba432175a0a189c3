"""The lines of mistakes planted in the corpus: where the text was changed is where the mistake is."""

from __future__ import annotations

import ast
import difflib

import pytest

from symrnn import derive
from symrnn.callables.subject import Subject
from symrnn.diagnosis.diagnose import diagnose
from symrnn.diagnosis.lines import find_lines
from tests.diagnosis.corpus import Planted, load, source
from tests.diagnosis.corpus.loading import plain
from tests.diagnosis.diagnosing import inputs_of, known

CASES = (
    ("rnn_batch_first", "sign", "δ"),
    ("rnn_concat", "wrong-derivative", "both: the sigmoid's"),
    ("rnn_lists", "missing-output", "every h_t"),
    ("rnn_batch_first", "transpose", "the carry, everywhere"),
    ("rnn_concat", "mean-for-sum", "db"),
    ("rnn_lists", "wrong-time-index", "dWxh"),
    ("rnn_relu", "missing-accumulation", "dc"),
    ("rnn_concat", "wrong-scale", "h0"),
    ("rnn_relu", "wrong-operand", "δa: a for [a > 0]"),
    ("rnn_batch_first", "extra-path", "h_T's cotangent at each step"),
    ("rnn_lists", "stale-cache", "h of the last step"),
    ("rnn_relu", "initial-state", "dV without step 0"),
)


def changed_lines(name: str, planted: Planted) -> set[int]:
    """The lines that differ from the right text, in the one with the mistake."""
    right, wrong = plain(name).split("\n"), source(name, planted).split("\n")
    matcher = difflib.SequenceMatcher(None, right, wrong, autojunk=False)
    return {n + 1 for kind, _, _, start, end in matcher.get_opcodes() if kind != "equal" for n in range(start, end)}


def lines_of_statement(text: str, line: int) -> set[int]:
    """All lines of the statement that begins at one."""
    (end,) = {n.end_lineno for n in ast.walk(ast.parse(text)) if isinstance(n, ast.stmt) and n.lineno == line}
    return set(range(line, (end or line) + 1))


@pytest.mark.sampled(4)
@pytest.mark.parametrize(("name", "tag", "site"), CASES)
def test_the_line_that_was_changed_is_named(name: str, tag: str, site: str) -> None:
    (planted,) = [one for one in load(name).mistakes if (one.tag, one.site) == (tag, site)]
    loaded, (layout, _) = load(name, planted), known(name)
    assert layout is not None
    subject = Subject(loaded.forward, loaded.backward, inputs_of(loaded))
    outcome = diagnose(subject, layout, derive(layout.cell))
    lines = find_lines(subject, outcome.right, outcome.answers, outcome.found)
    assert lines
    for line in lines:
        assert line is not None
        assert lines_of_statement(loaded.text, line.line) & changed_lines(name, planted)
