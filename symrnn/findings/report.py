"""The report of a check, as text and as data.  Knows nothing of how anything was found."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

from symrnn.characters import escaped_json
from symrnn.errors import VerificationError
from symrnn.findings.content import COLUMNS, ReportContent, TitledList
from symrnn.findings.findings import BlindSpot, Diagnosis, GradientFinding, Problem, Suggestion, Verdict
from symrnn.findings.html import page
from symrnn.findings.sentences import (
    count,
    describe_blind_spot,
    describe_diagnosis,
    describe_suggestion,
    describe_worst,
    format_number,
)
from symrnn.paragraphs import visible, wrap_items
from symrnn.showing import Shown

_LONGEST_NAME = 36
"""Characters of a name in the table, which leaves room for its other columns on a line; the middle is cut out."""
_MOST_LINES = 6
"""Lines of the layout that are shown: a cell's weights, one by one, where they are few, and not those of a hundred."""
_GOOD = (Verdict.RIGHT, Verdict.ROUNDING)
# What must be mended comes first; a gradient that is not returned is a mistake more often than a doubt.
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
        # A gradient that was seen to be wrong stays wrong, whatever kept the rest from being checked.
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
        compared = sum(finding.verdict is not Verdict.MISSING for finding in self.gradients)
        # In this order: what contradicts the table is said before what the table says.
        if any(problem.kind == "wrong-elsewhere" for problem in self.problems):
            return f"{count(compared, 'gradient')} compared: right at these inputs, wrong at others."
        if any(problem.fatal for problem in self.problems) and not self.wrong:
            return "The gradients could not be checked."
        if not self.gradients:
            return "No gradient was compared."
        missing = len(self.gradients) - compared
        # Where the missing ones have rows of their own, the count below says so.
        unsaid = not missing and any(problem.kind == "missing-gradient" for problem in self.problems)
        rest = "; some inputs have no gradient and were not compared" if unsaid else ""
        if self.passed:
            exact = all(finding.verdict is Verdict.RIGHT for finding in self.gradients)
            sentence = "right" if exact else "right up to rounding"
            return f"{count(compared, 'gradient')} compared: all {sentence}{rest}."
        parts = [
            f"{found} {verdict}"
            for verdict in _GRAVITY
            if verdict is not Verdict.MISSING
            and (found := sum(finding.verdict is verdict for finding in self.gradients))
        ]
        rest = f"; {missing} not returned" if missing else rest
        return f"{count(compared, 'gradient')} compared: {', '.join(parts)}{rest}."

    def __str__(self) -> str:
        return "\n\n".join(["\n".join(block) for block in _make_blocks(self) if block] + [self.summary])

    def short(self) -> str:
        """A few lines, for the message of a failed assertion: the summary, what is wrong, and the mistakes."""
        lines = [self.summary]
        lines += [
            f"  {finding.name}: {finding.verdict}, error {format_number(finding.error)}" for finding in self.wrong
        ]
        lines += wrap_items([diagnosis.sentence for diagnosis in self.diagnoses], "  ")
        lines += wrap_items([problem.sentence for problem in self.problems if problem.fatal], "  ")
        return "\n".join(lines)

    def as_dict(self) -> dict[str, Any]:
        """Everything as dicts, lists, texts and numbers; NaN and infinities as texts."""
        data: dict[str, Any] = _as_plain(self)
        return {"passed": self.passed, "verdict": str(self.verdict), "summary": self.summary} | data

    def to_json(self) -> str:
        """`as_dict` as JSON, the same for the same report."""
        # Sorted, so that two reports can be compared line by line; NaN is no JSON, so `as_dict` writes it as a text.
        text = json.dumps(self.as_dict(), indent=2, ensure_ascii=False, allow_nan=False, sort_keys=True)
        return escaped_json(text)

    def _repr_html_(self) -> str:
        return page(content(self))

    def failure(self) -> str:
        """The report as the message of a failed test: it begins with the verdict."""
        return "\n\n".join(
            [f"{self.verdict}: {self.summary}", *("\n".join(block) for block in _make_blocks(self) if block)]
        )

    def raise_if_failed(self) -> None:
        """Stop where a gradient is not right.

        Raises:
            VerificationError: its text is the verdict and the report, and its `report` the report itself.
        """
        if not self.passed:
            error = VerificationError(self.failure())
            # The error's class has no such field: it stands in a room below, which knows of no report.
            error.report = self  # type: ignore[attr-defined]
            raise error


def table(report: GradientReport) -> list[tuple[str, ...]]:
    """The gradients as rows of texts, one entry per column of `COLUMNS`."""
    return [
        (
            _shorten(finding.name),
            "×".join(map(str, finding.shape)) or "scalar",
            str(finding.verdict),
            "" if finding.verdict is Verdict.MISSING else format_number(finding.error),
            "" if finding.norm_ratio is None else f"{finding.norm_ratio:.6g}",
            "" if finding.cosine is None else f"{finding.cosine:.6f}",
        )
        for finding in report.gradients
    ]


def suggestions_of(report: GradientReport) -> list[tuple[GradientFinding, Suggestion]]:
    """What wrong gradients look like, of those that no diagnosis explains."""
    # A diagnosis says more than what a gradient looks like; both together would read as two mistakes.
    known = bool(report.diagnoses)
    return [
        (finding, suggestion)
        for finding in report.gradients
        if not known or finding.name in report.unexplained
        for suggestion in finding.suggestions
    ]


def describe_looks(report: GradientReport) -> list[str]:
    """What wrong gradients look like, those that look alike together."""
    alike: dict[Suggestion, list[str]] = {}
    for finding, suggestion in suggestions_of(report):
        alike.setdefault(suggestion, []).append(finding.name)
    return [f"{', '.join(names)}: {describe_suggestion(suggestion)}" for suggestion, names in alike.items()]


def heading(report: GradientReport) -> list[str]:
    """What was checked, and how."""
    first, *rest = report.layout.splitlines() or [""]
    if len(rest) > _MOST_LINES + 1:  # in the place of one line there is no use in saying that there is one more
        rest = [*rest[:_MOST_LINES], f"  and {len(rest) - _MOST_LINES} more"]
    layout = "\n".join([f", {first}" if first else "", *rest])
    cell = f"cell: {report.cell}{layout}" if report.cell else ""
    ways = f"truth: {report.method}" if report.method else ""
    calls = f"calls: {report.calls[0]} of forward, {report.calls[1]} of backward" if any(report.calls) else ""
    return [line for line in (cell, "; ".join(part for part in (ways, calls) if part)) if line]


def content(report: GradientReport) -> ReportContent:
    """Everything that the report shows, as text or as HTML."""
    fatal = [problem.sentence for problem in report.problems if problem.fatal]
    remarks = [problem.sentence for problem in report.problems if not problem.fatal]
    worst = [describe_worst(one) for one in report.gradients if one.worst is not None]
    lists = [TitledList(f"mistake: {one.mistake}", describe_diagnosis(one)) for one in report.diagnoses]
    lists += [
        TitledList("worst entries", worst, code=True),
        TitledList("what this looks like", describe_looks(report)),
        TitledList("not explained", report.unexplained, names=True, code=True),
        TitledList("problems", fatal),
        TitledList("remarks", remarks),
        TitledList("these inputs could not show", [describe_blind_spot(spot) for spot in report.blind_spots]),
    ]
    return ReportContent(report.verdict, report.summary, heading(report), report.gradients, table(report), lists)


def _make_blocks(report: GradientReport) -> Iterator[list[str]]:
    shown = content(report)
    yield wrap_items(shown.heading)
    yield _rule_table(list(shown.rows)) if shown.rows else []
    for one in shown.lists:
        items = [", ".join(one.items)] if one.names and one.items else one.items
        yield [visible(one.title), *wrap_items(items, "  ")] if items else []


def _rule_table(rows: list[tuple[str, ...]]) -> list[str]:
    # The columns that every finding has stay, so that tables look alike; ratio and cosine are for wrong ones only.
    used = [n for n, title in enumerate(COLUMNS) if n < 4 or any(row[n] for row in rows) or not title]
    chosen = [tuple(row[n] for n in used) for row in [COLUMNS, *rows]]
    widths = [max(len(row[n]) for row in chosen) for n in range(len(used))]
    lines = ["  ".join(entry.ljust(width) for entry, width in zip(row, widths, strict=True)).rstrip() for row in chosen]
    return [lines[0], "  ".join("─" * width for width in widths), *lines[1:]]


def _shorten(name: str) -> str:
    name = visible(name)
    # 17 + 1 + 18: both ends tell names apart, as in params['encoder'] ... ['W_f'].
    return name if len(name) <= _LONGEST_NAME else f"{name[:17]}…{name[-18:]}"


def _as_plain(value: Any) -> Any:
    """Data as JSON knows it."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: _as_plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, tuple | list):
        return [_as_plain(item) for item in value]
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else {"nan": "NaN", "inf": "Infinity"}.get(str(value), "-Infinity")
    # A verdict is a text of a class of its own; its bare text is wanted.
    return str(value) if isinstance(value, str) else value
