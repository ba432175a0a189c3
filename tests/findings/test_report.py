"""What a report says, as text, as JSON and as HTML."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from symrnn.callables.subject import Subject
from symrnn.errors import VerificationError
from symrnn.findings.findings import (
    BlindSpot,
    Diagnosis,
    GradientFinding,
    Problem,
    SourceLine,
    Suggestion,
    Verdict,
    Worst,
)
from symrnn.findings.report import GradientReport, describe_looks
from symrnn.measuring.verdicts import measure
from symrnn.paragraphs import WIDTH
from tests.callables.implementations import rnn_backward, rnn_forward, rnn_inputs

NASTY = "params['<b>&\x1b[31m']" + "x" * 60


def finding(name="W", verdict=Verdict.RIGHT, error=1e-16, **more):
    return GradientFinding(name, (4, 6), verdict, error, 1e-9, "criterion <&>", **more)


WRONG = finding(
    NASTY,
    Verdict.WRONG,
    float("inf"),
    worst=Worst((1, 2), float("nan"), -float("inf")),
    norm_ratio=2.0,
    cosine=1.0,
    suggestions=(Suggestion("double-counted", "it is <exactly> 2 times the right gradient " * 6),),
)
LINE = SourceLine("mine.py", 12, "  dc = dh * o < 3", "dc", "δc = δh ⊙ o")
FULL = GradientReport(
    (finding(), WRONG),
    (Problem("wrong-shape", "shape\n  transposed", False), Problem("forward-raises", "boom <i>")),
    (
        Diagnosis(
            "missing-path", 9, "δa_i = δc ⊙ g", r"\delta", ("W",), 3e-16, "dW is what you get, equation (9)", True, LINE
        ),
    ),
    (BlindSpot(("initial-state",), "the initial state is zero", 3),),
    "lstm",
    "x @ W, gates i f o g",
    ("U", NASTY),
    "complex step",
    (31, 4),
)


def test_text():
    text = str(FULL)
    assert all(len(line) <= WIDTH for line in text.splitlines())
    assert "\x1b" not in text
    for piece in (
        "cell: lstm",
        "4×6",
        "wrong",
        "equation (9)",
        "mine.py, line 12: dc = dh * o < 3",
        "3 mistakes planted",
    ):
        assert piece in text
    for piece in ("boom <i>", "31 of forward", "not explained", "got nan, expected -inf", "a near miss"):
        assert (piece in " ".join(text.split())) == (piece != "a near miss")
    assert text.splitlines()[-1] == "2 gradients compared: 1 wrong, 1 right."
    assert len(FULL.short().splitlines()) < 8


def test_what_a_diagnosis_explains_is_not_guessed_at_as_well():
    explained = replace(FULL, unexplained=())
    assert "exactly" in str(FULL)
    assert "exactly" not in str(explained) + explained._repr_html_()
    assert "exactly" in str(replace(explained, diagnoses=()))


def test_a_near_miss_is_called_one():
    near = replace(FULL.diagnoses[0], exact=False, agreement=2e-3)
    assert "a near miss: 2.0e-03 off" in str(replace(FULL, diagnoses=(near,)))


def test_json_holds_everything_and_is_stable():
    data = json.loads(FULL.to_json(), parse_constant=lambda word: pytest.fail(word))
    assert data == json.loads(GradientReport(**vars(FULL)).to_json())
    assert FULL.to_json() == GradientReport(**vars(FULL)).to_json()
    assert data["gradients"][1]["worst"] == {
        "index": [1, 2],
        "got": "NaN",
        "expected": "-Infinity",
        "among": None,
    }
    assert data["gradients"][1]["name"] == NASTY
    assert data["diagnoses"][0]["line"]["line"] == 12
    assert (data["passed"], data["verdict"], data["calls"]) == (False, "wrong", [31, 4])
    assert json.dumps(FULL.as_dict(), allow_nan=False)


def test_html_is_escaped_and_closed():
    opened = []

    class Checker(HTMLParser):
        def handle_starttag(self, tag, attributes):
            opened.append(tag)
            assert tag in {
                "div",
                "p",
                "b",
                "table",
                "tr",
                "th",
                "td",
                "code",
                "span",
                "ul",
                "li",
                "pre",
            }
            assert not any(name.startswith("on") or name in ("src", "href") for name, _ in attributes)

        def handle_endtag(self, tag):
            assert opened.pop() == tag

    page = FULL._repr_html_()
    Checker().feed(page)
    assert opened == []
    assert "&lt;exactly&gt;" in page
    assert "<i>" not in page


def test_lines_of_the_layout_stay_lines_in_html():
    report = GradientReport((finding("W", Verdict.RIGHT),), cell="rnn", layout="x (T, N, D) = (4, 3, 2)\nW (2, 4): W")
    (shown,) = re.findall(r"<pre[^>]*>(.*?)</pre>", report._repr_html_(), re.DOTALL)
    assert shown.splitlines() == ["cell: rnn, x (T, N, D) = (4, 3, 2)", "W (2, 4): W"]


@pytest.mark.parametrize("weights", range(1, 12))
def test_a_line_of_the_layout_is_never_replaced_by_a_line_that_says_one_more(weights):
    layout = "\n".join(["x (T, N, D)", *(f"W_{number}: W" for number in range(weights))])
    shown = str(replace(FULL, layout=layout, cell="rnn"))
    told = re.search(r"and (\d+) more", shown)
    assert shown.count(": W\n") + (int(told[1]) if told else 0) == weights
    assert told is None or int(told[1]) > 1


def test_gradients_that_look_alike_are_told_together():
    same = Suggestion("recurrent-path-cut", "right for one step", ("stale-cache",))
    told = GradientReport(tuple(replace(finding(name, Verdict.WRONG), suggestions=(same,)) for name in "WUb"))
    (line,) = describe_looks(told)
    assert line.startswith("W, U, b: right for one step (recurrent-path-cut: ")
    assert "; or stale-cache: every step" in line


def test_verdict_of_the_whole():
    def of(*verdicts, problems=()):
        return GradientReport(tuple(finding(str(n), v) for n, v in enumerate(verdicts)), problems)

    assert of(Verdict.RIGHT, Verdict.ROUNDING).passed
    assert of(Verdict.RIGHT, Verdict.ROUNDING).verdict is Verdict.ROUNDING
    assert "right up to rounding" in of(Verdict.RIGHT, Verdict.ROUNDING).summary
    for gone in ((), (Verdict.RIGHT, Verdict.KINK), (Verdict.UNKNOWN,), (Verdict.WRONG, Verdict.RIGHT)):
        assert not of(*gone).passed
        with pytest.raises(VerificationError):
            of(*gone).raise_if_failed()
    stopped = of(Verdict.RIGHT, problems=(Problem("forward-raises", "boom"),))
    assert not stopped.passed
    assert stopped.verdict is Verdict.UNKNOWN
    assert "could not be checked" in stopped.summary
    assert of(Verdict.RIGHT, problems=(Problem("reshaped", "fine", False),)).passed
    of(Verdict.RIGHT).raise_if_failed()
    assert GradientReport(diagnoses=FULL.diagnoses * 2).mistakes == ("missing-path",)


def test_a_real_report_reads_well():
    def backward(dhs, dh_T, cache):
        dx, dh, dW, dU, db = rnn_backward(dhs, dh_T, cache)
        return dx, dh, dW, dU.T, db / 3

    subject = Subject(rnn_forward, backward, rnn_inputs)
    judged = measure(subject)
    report = GradientReport(judged.findings, tuple(subject.problems), method=judged.method)
    text = str(report)
    assert "its transpose is the right gradient" in text
    assert text.endswith("5 gradients compared: 2 wrong, 3 right.")
    with pytest.raises(VerificationError) as caught:
        report.raise_if_failed()
    verdict, *blocks = str(caught.value).split("\n\n")
    assert verdict == "wrong: 5 gradients compared: 2 wrong, 3 right."
    assert blocks == text.split("\n\n")[:-1]
    assert caught.value.report is report
    assert np.isfinite(report.wrong[0].error)
