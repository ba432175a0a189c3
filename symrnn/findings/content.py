"""What a report consists of, before it is text or HTML: a summary, what was checked, a table, and titled lists."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from symrnn.findings.findings import GradientFinding, Verdict

COLUMNS = ("gradient", "shape", "verdict", "error", "ratio", "cosine")


@dataclass(frozen=True)
class TitledList:
    """Lines under a title.

    Attributes:
        title: the title, in small letters.
        items: the lines; a list without any is not shown.
        names: whether they are names, set as such and joined to one line in a text.
        code: whether they are set as code where that is possible.
    """

    title: str
    items: Sequence[str]
    names: bool = False
    code: bool = False


@dataclass(frozen=True)
class ReportContent:
    """Everything that a report shows.

    Attributes:
        verdict: the gravest one.
        summary: one sentence.
        heading: what was checked, and how.
        gradients: the findings in the table's order.
        rows: the table: a text for each of `COLUMNS`.
        lists: the rest.
    """

    verdict: Verdict
    summary: str
    heading: Sequence[str]
    gradients: Sequence[GradientFinding]
    rows: Sequence[tuple[str, ...]]
    lists: Sequence[TitledList]
