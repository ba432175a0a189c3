"""A diagnosis of gradients that are right at the inputs given: not taken on trust."""

from __future__ import annotations

from dataclasses import replace

from symrnn.callables.invocation import SubjectError
from symrnn.callables.subject import Subject
from symrnn.diagnosis.diagnose import Outcome
from symrnn.findings.findings import Verdict
from symrnn.measuring.evidence import Evidence
from symrnn.measuring.verdicts import judge_evidence


def confirm(subject: Subject, outcome: Outcome, seed: int) -> Outcome:
    """The outcome, where forward itself says that a gradient is wrong at a question; otherwise one without mistakes.

    Args:
        subject: the functions.
        outcome: what was diagnosed, though every gradient is right at the functions' own inputs.
        seed: of all numbers.
    """
    if not (outcome.diagnoses or outcome.unexplained) or _is_wrong(subject, outcome, seed):
        return outcome
    return replace(outcome, diagnoses=(), found=(), unexplained=())


def _is_wrong(subject: Subject, outcome: Outcome, seed: int) -> bool:
    # Large cotangents ask for clipping; at such a point differences are too coarse for a verdict.
    answers = [answer for answer in outcome.answers if answer.question.scale <= 1]
    # The longest first, where the most mistakes show.
    for answer in sorted(answers, key=lambda answer: -answer.question.steps):
        try:
            findings = judge_evidence(Evidence(subject, seed, dict(answer.point))).findings
        except SubjectError:
            continue
        if any(finding.verdict is Verdict.WRONG for finding in findings):
            return True
    return False
