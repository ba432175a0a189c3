"""What a verification found: checks, and the table that shows them.  Knows nothing of how anything is checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from symrnn.errors import VerificationError
from symrnn.showing import Shown

COLUMNS = ("check", "method", "sizes", "error", "tolerance", "verdict")
EXACT = "exact"


@dataclass(frozen=True)
class Check:
    """One line of a report.

    Attributes:
        name: what was checked.
        method: how; "exact" for arithmetic without rounding.
        sizes: the sizes it was checked at, as text.
        error: the largest error found, relative; for an exact check, how many of its tests failed.
        tolerance: the largest error allowed; None for an exact check, which allows none.
        passed: whether the check holds.
        detail: where it does not, which equation or gradient is wrong.
    """

    name: str
    method: str
    sizes: str
    error: float
    tolerance: float | None
    passed: bool
    detail: str = ""

    @property
    def verdict(self) -> str:
        """In a word; "not proved" is less than refuted, and without a legal point nothing is checked."""
        if self.passed:
            return "passed"
        if self.tolerance is None:
            return "not proved"
        return "not checked" if self.error == float("inf") else "FAILED"

    @property
    def row(self) -> tuple[str, ...]:
        """The check as text, one entry per column of `COLUMNS`."""
        if self.tolerance is None:
            return self.name, self.method, self.sizes, f"{self.error:g}", EXACT, self.verdict
        return self.name, self.method, self.sizes, f"{self.error:.1e}", f"{self.tolerance:.0e}", self.verdict


@dataclass(frozen=True, repr=False)
class Report(Shown):
    """Every check of one cell.

    Attributes:
        cell: the cell's name.
        checks: what was checked, in order.
        remarks: what the checks do not say: derivatives that are stated, gradients that are zero everywhere.
    """

    cell: str
    checks: tuple[Check, ...]
    remarks: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether every check holds; a report without checks proves nothing."""
        return bool(self.checks) and all(check.passed for check in self.checks)

    @property
    def failures(self) -> tuple[Check, ...]:
        """The checks that do not hold."""
        return tuple(check for check in self.checks if not check.passed)

    @property
    def summary(self) -> str:
        """One sentence."""
        if self.passed:
            return f"{self.cell}: all {len(self.checks)} checks passed"
        return f"{self.cell}: {len(self.failures)} of {len(self.checks)} checks failed"

    def __str__(self) -> str:
        blocks = [_table([COLUMNS, *(check.row for check in self.checks)])]
        blocks += [
            f"{check.name} ({check.method}): {check.verdict}\n{_indented(check.detail)}" for check in self.failures
        ]
        if self.remarks:
            blocks.append("\n".join(f"Note: {remark}" for remark in self.remarks))
        return "\n\n".join([*blocks, self.summary])

    def raise_if_failed(self) -> None:
        """Stop where a check does not hold.

        Raises:
            VerificationError: a check failed; its text is the report.
        """
        if not self.passed:
            raise VerificationError(str(self))


def _table(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[column]) for row in rows) for column in range(len(COLUMNS))]
    ruled = [rows[0], tuple("-" * width for width in widths), *rows[1:]]
    return "\n".join(
        "  ".join(entry.ljust(width) for entry, width in zip(row, widths, strict=True)).rstrip() for row in ruled
    )


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())
