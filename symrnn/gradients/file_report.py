"""What was found in somebody's file, as data, as JSON and as a page."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from textwrap import indent

from symrnn.characters import escaped_json
from symrnn.findings.report import GradientReport

_AS_PROGRAM = "the same as a program"


@dataclass(frozen=True)
class FileReport:
    """What was found in a file.

    Attributes:
        file: its path, as it was given.
        reports: name of a pair -> its report.
        refused: name of a pair -> why it could not be checked.
        skipped: name of a pair -> why it was left out; only where others were not.
        programs: name of a pair -> a few lines of Python that check it in the same way.
    """

    file: str
    reports: Mapping[str, GradientReport]
    refused: Mapping[str, str]
    skipped: Mapping[str, str]
    programs: Mapping[str, str] = field(default_factory=dict)

    def tell_program(self, name: str) -> str:
        """The lines that check a pair, or could be changed to check it, under a heading; empty where there are none."""
        program = self.programs.get(name)
        return f"{_AS_PROGRAM}:\n{indent(program, '    ')}" if program else ""

    @property
    def exit_code(self) -> int:
        """0: all right; 1: a gradient is not; 2: something could not be checked."""
        failed = [report for report in self.reports.values() if not report.passed]
        unchecked = [report for report in failed if not report.wrong and any(p.fatal for p in report.problems)]
        if len(failed) > len(unchecked):
            return 1
        return 2 if self.refused or unchecked or not self.reports else 0

    def to_json(self) -> str:
        """Everything as JSON."""
        data = {
            "file": self.file,
            "passed": self.exit_code == 0,
            "checks": [
                {"pair": name, "program": self.programs.get(name, ""), **report.as_dict()}
                for name, report in self.reports.items()
            ],
            "refused": dict(self.refused),
            "skipped": dict(self.skipped),
        }
        return escaped_json(json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False)) + "\n"

    def to_html(self) -> str:
        """Everything as a page."""
        parts = [
            f"<h2>{escape(name)}</h2>\n{report._repr_html_()}\n<p>{_AS_PROGRAM}:</p>\n"
            f"<pre>{escape(self.programs.get(name, ''))}</pre>"
            for name, report in self.reports.items()
        ]
        for reasons in (self.refused, self.skipped):
            parts += [f"<h2>{escape(name)}</h2>\n<pre>{escape(why)}</pre>" for name, why in reasons.items()]
        title = escape(f"Gradients in {self.file}")
        head = f'<meta charset="utf-8">\n<meta name="color-scheme" content="light dark">\n<title>{title}</title>'
        body = "\n".join([f"<h1>{title}</h1>", *parts])
        return f'<!DOCTYPE html>\n<html lang="en">\n<head>\n{head}\n</head>\n<body>\n{body}\n</body>\n</html>\n'
