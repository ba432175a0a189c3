"""A report as a piece of HTML for notebooks: self-contained, everything escaped, legible on light and on dark."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from symrnn.characters import printable_lines
from symrnn.findings.content import COLUMNS, ReportContent
from symrnn.findings.findings import Verdict

# Dark enough for white letters on them (the badges), light enough to stand out from a dark page; right up to rounding
# is right, and has its colour.
_COLOURS = {
    Verdict.RIGHT: "#1a7f37",
    Verdict.ROUNDING: "#1a7f37",
    Verdict.WRONG: "#b42318",
    Verdict.KINK: "#8a5a00",
    Verdict.UNKNOWN: "#57606a",
    Verdict.MISSING: "#8a5a00",
}
_BADGE = "color:#fff;background:{};border-radius:4px;padding:1px 6px;white-space:nowrap"
_CELL = "text-align:left;padding:2px 10px 2px 0;border-bottom:1px solid rgba(128,128,128,.4)"
_PRE = "opacity:.75;white-space:pre-wrap;margin:.5em 0"
_ITEM = "white-space:pre-line"
_BOX = "font-family:system-ui,sans-serif;color:inherit;max-width:60em"


def page(content: ReportContent) -> str:
    """The report as one `div`; text has the colour of its surroundings, and only badges have a background."""
    parts = [f"<p>{_badge(content.verdict)} <b>{_escape(content.summary)}</b></p>"]
    parts += [f'<pre style="{_PRE}">{_escape(line)}</pre>' for line in content.heading]
    parts.append(_table(content) if content.gradients else "")
    parts += [_list(f"{one.title[0].upper()}{one.title[1:]}", one.items, one.code) for one in content.lists]
    return f'<div style="{_BOX}">{"".join(parts)}</div>'


def _table(content: ReportContent) -> str:
    head = "".join(f'<th style="{_CELL}">{title}</th>' for title in COLUMNS)
    rows = []
    for finding, row in zip(content.gradients, content.rows, strict=True):
        cells = [_escape(entry) for entry in row]
        cells[0], cells[2] = f"<code>{cells[0]}</code>", _badge(finding.verdict)
        # How it was compared is entries under the pointer: a sentence a row would hide the table.
        title = _escape(finding.criterion)
        rows.append(
            f'<tr title="{title}">{"".join(f"<td style={chr(34)}{_CELL}{chr(34)}>{c}</td>" for c in cells)}</tr>'
        )
    return f'<table style="border-collapse:collapse;color:inherit"><tr>{head}</tr>{"".join(rows)}</table>'


def _badge(verdict: Verdict) -> str:
    return f'<span style="{_BADGE.format(_COLOURS[verdict])}">{_escape(str(verdict))}</span>'


def _list(title: str, items: Iterable[str], code: bool = False) -> str:
    entries = [f"<code>{_escape(item)}</code>" if code else _escape(item) for item in items]
    if not entries:
        return ""
    return f"<p><b>{_escape(title)}</b></p><ul style='{_ITEM}'>{''.join(f'<li>{item}</li>' for item in entries)}</ul>"


def _escape(text: str) -> str:
    # Names and source lines are somebody's: they may hold tags, and orders to whatever the page is copied into.
    return escape(printable_lines(text), quote=True)
