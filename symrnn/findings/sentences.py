"""What was found, in sentences: one function for each kind of finding."""

from __future__ import annotations

import math
from collections.abc import Sequence

from symrnn.deferred import function_above
from symrnn.findings.findings import BlindSpot, Diagnosis, GradientFinding, Suggestion


def describe_worst(finding: GradientFinding) -> str:
    """The worst entry in a line."""
    assert finding.worst is not None
    index = f"[{', '.join(map(str, finding.worst.index))}]" if finding.worst.index else ""
    among = "" if finding.worst.among is None else f" (the worst of {finding.worst.among} looked at)"
    return f"{finding.name}{index}: got {finding.worst.got:.10g}, expected {finding.worst.expected:.10g}{among}"


def describe_diagnosis(diagnosis: Diagnosis) -> list[str]:
    """A diagnosis in lines: the sentence, and the source line beside the derived equation."""
    lines = [diagnosis.sentence]
    if not diagnosis.exact:
        lines.append(f"a near miss: {format_number(diagnosis.agreement)} off")
    if diagnosis.line is not None:
        lines.append(f"{diagnosis.line.file}, line {diagnosis.line.line}: {diagnosis.line.text.strip()}")
        if diagnosis.line.expected:
            lines.append(f"derived: {diagnosis.line.expected}")
    return lines


def describe_suggestion(suggestion: Suggestion) -> str:
    """What a wrong gradient looks like, with its class in plain words."""
    tags = [tag for tag in (suggestion.mistake, *suggestion.others) if tag]
    if not tags:
        return suggestion.sentence
    # The catalogue stands above: it needs the whole calculus, and this room must not.
    meaning_of = function_above("meaning_of")
    meant = "; or ".join(f"{tag}: {meaning}" if (meaning := meaning_of(tag)) else tag for tag in tags)
    return f"{suggestion.sentence} ({meant})"


def describe_blind_spot(spot: BlindSpot) -> str:
    """A blind spot in a sentence."""
    planted = f" ({count(spot.planted, 'mistake')} planted, not seen)" if spot.planted else ""
    if not spot.mistakes:
        return f"{spot.reason}{planted}"
    return f"{', '.join(spot.mistakes)}: {spot.reason}{planted}"


def format_number(value: float) -> str:
    """An error as it is shown: its order of magnitude matters, not its digits."""
    return f"{value:.1e}" if math.isfinite(value) and value else f"{value:g}"


def count(number: int, word: str) -> str:
    """So many of something.

    >>> count(1, "gradient"), count(2, "gradient")
    ('1 gradient', '2 gradients')
    """
    return f"{number} {word}{'' if number == 1 else 's'}"


def listed(names: Sequence[str]) -> str:
    """Names as in a sentence: a, b and c."""
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"
