"""Blocks -> a piece of HTML for a notebook: no script, everything escaped, no style but what a table needs."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from symrnn.characters import printable_lines
from symrnn.documents.structure import (
    WORDS,
    Algorithm,
    AlgorithmLine,
    Block,
    Bullets,
    Centred,
    Display,
    FormulaPair,
    FormulaPairs,
    Inline,
    Maths,
    NumberedEquation,
    Paragraph,
    Reference,
    Table,
)

_CELL = "text-align:left;vertical-align:top;padding:2px 12px 2px 0;border-bottom:1px solid rgba(128,128,128,.4)"
_BOX = "color:inherit;max-width:64em"


def fragment(blocks: Iterable[Block]) -> str:
    r"""The blocks as one `div`, in the colours of their surroundings; formulas stand between `\(` and `\)`."""
    return f'<div style="{_BOX}">{"".join(map(_block, blocks))}</div>'


def _block(block: Block) -> str:
    match block:
        case Paragraph():
            lead = f"<b>{_text(block.lead)}</b> " if block.lead else ""
            return f"<p>{lead}{_inline(block.parts)}</p>"
        case Bullets():
            return f"<ul>{''.join(f'<li>{_inline(item)}</li>' for item in block.items)}</ul>"
        case Table():
            rows = [_row("th", [_text(heading) for heading in block.headings])]
            rows += [_row("td", [_inline(cell) for cell in row]) for row in block.rows]
            return f'<table style="border-collapse:collapse;color:inherit">{"".join(rows)}</table>'
        case Display():
            return "".join(map(_equation, block.equations))
        case Algorithm():
            return f"<div>{''.join(_step(depth, line) for depth, line in block.indented)}</div>"
        case Centred():
            return f"<p>\\[{escape(block.formula.latex)}\\]</p>"
        case FormulaPairs():
            rows = [_row("th", ["", *map(_text, block.headings)]), *map(_side_row, block.rows)]
            return f'<table style="border-collapse:collapse;color:inherit">{"".join(rows)}</table>'


def _step(depth: int, line: AlgorithmLine) -> str:
    note = f" &emsp;{_inline(line.note)}" if line.note else ""
    return f'<div style="margin-left:{2 * depth}em">{WORDS[line.kind].format(_inline(line.parts))}{note}</div>'


def _row(tag: str, cells: list[str]) -> str:
    return f"<tr>{''.join(f'<{tag} style={chr(34)}{_CELL}{chr(34)}>{cell}</{tag}>' for cell in cells)}</tr>"


def _side_row(row: FormulaPair) -> str:
    shown = ["" if line is None else _part(line.whole) for line in (row.left, row.right)]
    return _row("td", ["" if row.mark is None else _part(row.mark), *shown])


def _equation(equation: NumberedEquation) -> str:
    rows = [f"{line.left.latex if line.left else ''} &= {line.right.latex}" for line in equation.lines]
    aligned = r" \\ ".join(rows)
    return rf"<p>\[\begin{{aligned}}{escape(aligned)}\end{{aligned}}\]</p>"


def _inline(parts: Inline) -> str:
    return "".join(map(_part, parts))


def _part(part: str | Maths | Reference) -> str:
    if isinstance(part, Maths):
        return f"\\({escape(part.latex)}\\)"
    return _text(part.text if isinstance(part, Reference) else part)


def _text(text: str) -> str:
    # Control characters become visible escapes before HTML's own are escaped.
    return escape(printable_lines(text)).replace("\n", "<br>")
