"""Hand-written gradients against the forward pass they belong to; sees only callables and arrays, never a cell."""

from symrnn.callables.adapters import from_globals, from_loss, from_object
from symrnn.callables.invocation import SubjectError
from symrnn.callables.subject import Subject
from symrnn.findings.findings import (
    MISTAKES,
    BlindSpot,
    Diagnosis,
    GradientFinding,
    Problem,
    SourceLine,
    Suggestion,
    Verdict,
    Worst,
)
from symrnn.findings.report import GradientReport
from symrnn.measuring.verdicts import Judgement, judge, judgement

__all__ = [
    "MISTAKES",
    "BlindSpot",
    "Diagnosis",
    "GradientFinding",
    "GradientReport",
    "Judgement",
    "Problem",
    "SourceLine",
    "Subject",
    "SubjectError",
    "Suggestion",
    "Verdict",
    "Worst",
    "from_globals",
    "from_loss",
    "from_object",
    "judge",
    "judgement",
]
