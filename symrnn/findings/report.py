"""The report of a check, as text and as data.  Knows nothing of how anything was found."""

from __future__ import annotations

import json
import math
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

from symrnn.characters import escaped_json, is_shown
from symrnn.errors import VerificationError
from symrnn.findings.findings import MISTAKES, BlindSpot, Diagnosis, GradientFinding, Problem, Suggestion, Verdict
from symrnn.showing import Shown

COLUMNS = ("gradient", "shape", "verdict", "error", "ratio", "cosine")
WIDTH = 100
_LONGEST_NAME = 36
_MOST_LINES = 6
_GOOD = (Verdict.RIGHT, Verdict.ROUNDING)
_GRAVITY = (Verdict.WRONG, Verdict.MISSING, Verdict.UNKNOWN, Verdict.KINK, Verdict.ROUNDING, Verdict.RIGHT)


@dataclass(frozen=True, repr=False)
class GradientReport(Shown):
    """What a check of hand-written gradients found.

    Attributes:
        gradients: one finding per gradient that was compared.
        problems: what is unusual about the code; a fatal one means that the check could not be made.
        diagnoses: the mistakes, where a cell is known.
        blind_spots: the mistakes that these inputs could not have shown.
        cell: the name of the cell that the forward pass computes; empty if it is not known.
        layout: how it holds its weights, as text.
        unexplained: the wrong gradients that no diagnosis explains.
        method: how the truth was found.
        calls: how often forward and backward were called.
    """

    gradients: tuple[GradientFinding, ...] = ()
    problems: tuple[Problem, ...] = ()
    diagnoses: tuple[Diagnosis, ...] = ()
    blind_spots: tuple[BlindSpot, ...] = ()
    cell: str = ""
    layout: str = ""
    unexplained: tuple[str, ...] = ()
    method: str = ""
    calls: tuple[int, int] = (0, 0)

    @property
    def passed(self) -> bool:
        """Whether gradients were compared and all of them are right, if only up to rounding."""
        return self.verdict in _GOOD

    @property
    def verdict(self) -> Verdict:
        """The gravest verdict of all gradients; `UNKNOWN` where nothing could be compared."""
        found = {finding.verdict for finding in self.gradients}
        if Verdict.WRONG not in found and (not found or any(problem.fatal for problem in self.problems)):
            return Verdict.UNKNOWN
        return next(verdict for verdict in _GRAVITY if verdict in found)

    @property
    def wrong(self) -> tuple[GradientFinding, ...]:
        """The findings on gradients that are wrong."""
        return tuple(finding for finding in self.gradients if finding.verdict is Verdict.WRONG)

    @property
    def mistakes(self) -> tuple[str, ...]:
        """The tags of the diagnoses, each once, in their order."""
        return tuple(dict.fromkeys(diagnosis.mistake for diagnosis in self.diagnoses))

    @property
    def summary(self) -> str:
        """One sentence."""
        count = sum(finding.verdict is not Verdict.MISSING for finding in self.gradients)
        if any(problem.kind == "wrong-elsewhere" for problem in self.problems):
            return f"{_counted(count, 'gradient')} compared: right at these inputs, wrong at others."
        if any(problem.fatal for problem in self.problems) and not self.wrong:
            return "The gradients could not be checked."
        if not self.gradients:
            return "No gradient was compared."
        missing = len(self.gradients) - count
        unsaid = not missing and any(problem.kind == "missing-gradient" for problem in self.problems)
        rest = "; some inputs have no gradient and were not compared" if unsaid else ""
        if self.passed:
            exact = all(finding.verdict is Verdict.RIGHT for finding in self.gradients)
            told = "right" if exact else "right up to rounding"
            return f"{_counted(count, 'gradient')} compared: all {told}{rest}."
        parts = [
            f"{found} {verdict}"
            for verdict in _GRAVITY
            if verdict is not Verdict.MISSING
            and (found := sum(finding.verdict is verdict for finding in self.gradients))
        ]
        rest = f"; {missing} not returned" if missing else rest
        return f"{_counted(count, 'gradient')} compared: {', '.join(parts)}{rest}."

    def __str__(self) -> str:
        return "\n\n".join(["\n".join(block) for block in _blocks(self) if block] + [self.summary])

    def short(self) -> str:
        """A few lines, for the message of a failed assertion: the summary, what is wrong, and the mistakes."""
        lines = [self.summary]
        lines += [f"  {finding.name}: {finding.verdict}, error {_number(finding.error)}" for finding in self.wrong]
        lines += _wrapped([diagnosis.sentence for diagnosis in self.diagnoses], "  ")
        lines += _wrapped([problem.sentence for problem in self.problems if problem.fatal], "  ")
        return "\n".join(lines)

    def as_dict(self) -> dict[str, Any]:
        """Everything as dicts, lists, texts and numbers; NaN and infinities as texts."""
        data: dict[str, Any] = _plain(self)
        return {"passed": self.passed, "verdict": str(self.verdict), "summary": self.summary} | data

    def to_json(self) -> str:
        """`as_dict` as JSON, the same for the same report."""
        text = json.dumps(self.as_dict(), indent=2, ensure_ascii=False, allow_nan=False, sort_keys=True)
        return escaped_json(text)

    def _repr_html_(self) -> str:
        from symrnn.findings.html import page

        return page(self)

    def failure(self) -> str:
        """The report as the message of a failed test: it begins with the verdict."""
        return "\n\n".join([f"{self.verdict}: {self.summary}", *("\n".join(block) for block in _blocks(self) if block)])

    def raise_if_failed(self) -> None:
        """Stop where a gradient is not right.

        Raises:
            VerificationError: its text is the verdict and the report, and its `report` the report itself.
        """
        if not self.passed:
            error = VerificationError(self.failure())
            error.report = self  # type: ignore[attr-defined]
            raise error


def table(report: GradientReport) -> list[tuple[str, ...]]:
    """The gradients as rows of texts, one entry per column of `COLUMNS`."""
    return [
        (
            _cut(finding.name),
            "×".join(map(str, finding.shape)) or "scalar",
            str(finding.verdict),
            "" if finding.verdict is Verdict.MISSING else _number(finding.error),
            "" if finding.norm_ratio is None else f"{finding.norm_ratio:.6g}",
            "" if finding.cosine is None else f"{finding.cosine:.6f}",
        )
        for finding in report.gradients
    ]


def worst_told(finding: GradientFinding) -> str:
    """The worst entry in a line."""
    assert finding.worst is not None
    index = f"[{', '.join(map(str, finding.worst.index))}]" if finding.worst.index else ""
    among = "" if finding.worst.among is None else f" (the worst of {finding.worst.among} looked at)"
    return f"{finding.name}{index}: got {finding.worst.got:.10g}, expected {finding.worst.expected:.10g}{among}"


def diagnosis_told(diagnosis: Diagnosis) -> list[str]:
    """A diagnosis in lines: the sentence, and the source line beside the derived equation."""
    lines = [diagnosis.sentence]
    if not diagnosis.exact:
        lines.append(f"a near miss: {_number(diagnosis.agreement)} off")
    if diagnosis.line is not None:
        lines.append(f"{diagnosis.line.file}, line {diagnosis.line.line}: {diagnosis.line.text.strip()}")
        if diagnosis.line.expected:
            lines.append(f"derived: {diagnosis.line.expected}")
    return lines


def suggestions_of(report: GradientReport) -> list[tuple[GradientFinding, Suggestion]]:
    """What wrong gradients look like, of those that no diagnosis explains."""
    known = bool(report.diagnoses)
    return [
        (finding, suggestion)
        for finding in report.gradients
        if not known or finding.name in report.unexplained
        for suggestion in finding.suggestions
    ]


def looks_told(report: GradientReport) -> list[str]:
    """What wrong gradients look like, those that look alike together."""
    alike: dict[Suggestion, list[str]] = {}
    for finding, suggestion in suggestions_of(report):
        alike.setdefault(suggestion, []).append(finding.name)
    return [f"{', '.join(names)}: {suggestion_told(suggestion)}" for suggestion, names in alike.items()]


def suggestion_told(suggestion: Suggestion) -> str:
    """What a wrong gradient looks like, with its class in plain words."""
    told = "; or ".join(
        f"{tag}: {MISTAKES[tag]}" if tag in MISTAKES else tag for tag in (suggestion.mistake, *suggestion.others)
    )
    return f"{suggestion.sentence} ({told})"


def heading(report: GradientReport) -> list[str]:
    """What was checked, and how."""
    first, *rest = report.layout.splitlines() or [""]
    if len(rest) > _MOST_LINES:
        rest = [*rest[:_MOST_LINES], f"  and {len(rest) - _MOST_LINES} more"]
    held = "\n".join([f", {first}" if first else "", *rest])
    cell = f"cell: {report.cell}{held}" if report.cell else ""
    ways = f"truth: {report.method}" if report.method else ""
    calls = f"calls: {report.calls[0]} of forward, {report.calls[1]} of backward" if any(report.calls) else ""
    return [line for line in (cell, "; ".join(part for part in (ways, calls) if part)) if line]


def _blocks(report: GradientReport) -> Iterator[list[str]]:
    yield _wrapped(heading(report), "")
    yield _ruled(table(report)) if report.gradients else []
    for diagnosis in report.diagnoses:
        yield _section(f"mistake: {diagnosis.mistake}", diagnosis_told(diagnosis))
    yield _section("worst entries", [worst_told(one) for one in report.gradients if one.worst is not None])
    yield _section("what this looks like", looks_told(report))
    yield _section("not explained", [", ".join(report.unexplained)] if report.unexplained else [])
    yield _section("problems", [problem.sentence for problem in report.problems if problem.fatal])
    yield _section("remarks", [problem.sentence for problem in report.problems if not problem.fatal])
    yield _section("these inputs could not show", [blind_told(spot) for spot in report.blind_spots])


def blind_told(spot: BlindSpot) -> str:
    """A blind spot in a sentence."""
    planted = f" ({_counted(spot.planted, 'mistake')} planted, not seen)" if spot.planted else ""
    return f"{', '.join(spot.mistakes)}: {spot.reason}{planted}"


def _section(title: str, items: Sequence[str]) -> list[str]:
    return [_line(title), *_wrapped(items, "  ")] if items else []


def _wrapped(items: Sequence[str], indent: str) -> list[str]:
    lines: list[str] = []
    for item in items:
        for place, line in enumerate(item.splitlines() or [""]):
            first = indent if place == 0 else indent + "  "
            lines += textwrap.wrap(
                _line(line), WIDTH, initial_indent=first, subsequent_indent=indent + "  ", break_on_hyphens=False
            )
    return lines


def _line(text: str) -> str:
    """The text with what a terminal might obey taken out."""
    return "".join(c if is_shown(c) else " " for c in text)


def _ruled(rows: list[tuple[str, ...]]) -> list[str]:
    used = [n for n, title in enumerate(COLUMNS) if n < 4 or any(row[n] for row in rows) or not title]
    chosen = [tuple(row[n] for n in used) for row in [COLUMNS, *rows]]
    widths = [max(len(row[n]) for row in chosen) for n in range(len(used))]
    lines = ["  ".join(entry.ljust(width) for entry, width in zip(row, widths, strict=True)).rstrip() for row in chosen]
    return [lines[0], "  ".join("─" * width for width in widths), *lines[1:]]


def _cut(name: str) -> str:
    name = _line(name)
    return name if len(name) <= _LONGEST_NAME else f"{name[:17]}…{name[-18:]}"


def _number(value: float) -> str:
    return f"{value:.1e}" if math.isfinite(value) and value else f"{value:g}"


def _counted(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}"


def _plain(value: Any) -> Any:
    """Data as JSON knows it."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else {"nan": "NaN", "inf": "Infinity"}.get(str(value), "-Infinity")
    return str(value) if isinstance(value, str) else value
