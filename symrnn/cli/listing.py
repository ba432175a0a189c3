"""The library for the terminal: a table of it, a page about one cell, and a table of many verifications."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Literal

from rich.console import Group, RenderableType
from rich.table import Table as RichTable
from rich.text import Text

from symrnn import cells
from symrnn.calculus.derivation import derive
from symrnn.cells.counting import count, formula
from symrnn.characters import clean
from symrnn.documents import derivation_document
from symrnn.documents.setting import set_up
from symrnn.documents.structure import Block, Bullets, Document, Inline, Paragraph, Section
from symrnn.documents.symbols import symbol_table
from symrnn.findings.findings import Verdict
from symrnn.language.recurrence import Cell
from symrnn.paragraphs import WIDTH
from symrnn.printers.notation import find_notation
from symrnn.verification.report import Check, Report
from symrnn.version import __version__

if TYPE_CHECKING:
    from symrnn.gradients.file_report import FileReport

_LEGEND = """\
n is d_h, m is d_x; mult-adds are the multiply-adds of the products of one step, for one example;
a source is its first author and year: 'symrnn cells NAME' gives all of it, with the equations"""
_COLUMNS = {"cell": 60, "states": 20, "gates": 5, "parameters": 22, "mult-adds": 16}
"""Heading -> the most columns it takes; what is wider is broken at spaces."""
# Authors up to the year in brackets, without a stop between: a later (2014) belongs to another sentence.
_PUBLISHED = re.compile(r"([^(;:.]*?),? \((\d{4})")
_SECTIONS = ("Source", "Variant", "Not", "Wrong", "Symbols")
_STYLES = {
    "passed": "green",
    "proved": "green",
    "FAILED": "bold red",
    "not proved": "bold red",
    "not checked": "bold red",
}
_VERDICTS = {
    Verdict.RIGHT: "green",
    Verdict.ROUNDING: "green",
    Verdict.WRONG: "bold red",
    Verdict.KINK: "yellow",
    Verdict.UNKNOWN: "yellow",
    Verdict.MISSING: "yellow",
}


def short_source(text: str) -> str:
    """First author and year, from a text that begins with them; else its first words.

    >>> short_source('Chung, Gulcehre, Cho & Bengio (2014), "Empirical Evaluation", arXiv:1412.3555')
    'Chung 2014'
    >>> short_source("PyTorch, torch.nn.GRU")
    'PyTorch'
    """
    found = _PUBLISHED.match(text)
    if found is None:
        return re.split(r"[,;:(.] ?", text, maxsplit=1)[0].strip()
    return f"{re.split(', | & | et al', found[1])[0]} {found[2]}"


# --- the library ------------------------------------------------------------------------------------------------------


def library(family: str | None = None) -> RenderableType:
    """The library as a table for each family, or for one of them.

    Raises:
        UnknownNameError: there is no such family.
    """
    blocks: list[RenderableType] = []
    for name, title in cells.families().items() if family is None else [(family, "")]:
        listed = _family(cells.names(name))
        blocks += [Text.assemble((name, "bold"), f"  {title or cells.families()[name]}"), listed, ""]
    return Group(*blocks, _LEGEND)


def _family(names: Sequence[str]) -> RichTable:
    rows = [_row(cells.lookup(name)) for name in names]
    table = RichTable(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    room = WIDTH
    for number, (heading, widest) in enumerate(_COLUMNS.items()):
        width = min(max(len(heading), *(len(row[number]) for row in rows)), widest)
        room -= width + 2
        justify: Literal["left", "right"] = "right" if heading == "gates" else "left"
        # A name is what is copied into the next command, so it is never broken.
        least = width if heading == "cell" else None  # a narrow terminal breaks the others
        table.add_column(heading, max_width=width, min_width=least, justify=justify, no_wrap=heading == "cell")
    table.add_column("source", no_wrap=True, overflow="ellipsis")
    for name, row in zip(names, rows, strict=True):
        source = short_source(cells.lookup(name).section("Source"))
        table.add_row(*row, source if len(source) <= room else source[: room - 1] + "…")
    return table


def _row(cell: Cell) -> tuple[str, ...]:
    counts = count(cell)
    sizes = formula(counts.parameters, short=True), formula(counts.multiply_adds, short=True)
    return cell.name, ", ".join(cell.states), str(counts.gates), *sizes


# --- one cell ---------------------------------------------------------------------------------------------------------


def page(cell: Cell) -> Document:
    """What there is to know about one cell: its equations, names, shapes, size, source, and names elsewhere."""
    derivation = derive(cell)
    setting = set_up(derivation, find_notation("subscript"))
    document = derivation_document(derivation)
    opening = tuple(Paragraph((clean(text),), heading) for heading, text in _find_paragraphs(cell))
    sections = (
        document.section("forward"),
        Section("names", "Names and shapes", (symbol_table(setting),)),
        Section("size", "Size", (_size(cell),)),
        *_list_aliases(cell),
    )
    origin = f"Written by symrnn {__version__} from the definition of the cell {cell.name}."
    return Document(cell.name, document.title, origin, opening, sections)


def _find_paragraphs(cell: Cell) -> Iterator[tuple[str, str]]:
    if _in_library(cell):
        name = cells.family(cell.name)
        yield "Family", f"{name}: {cells.families()[name]}"
    for heading in _SECTIONS:
        text = cell.section(heading)
        if text:
            yield heading, text


def _in_library(cell: Cell) -> bool:
    # A file may have a cell of its own that is called lstm: that one is not the library's.
    return cell.name in cells.names() and cells.lookup(cell.name) == cell


def _size(cell: Cell) -> Bullets:
    counts = count(cell)
    items: tuple[Inline, ...] = (
        (f"parameters: {formula(counts.parameters)}",),
        (f"multiply-adds of a step, for one example: {formula(counts.multiply_adds)}",),
        (f"gates: {counts.gates}",),
        (f"states: {counts.states}",),
    )
    return Bullets(items)


def _list_aliases(cell: Cell) -> tuple[Section, ...]:
    rows = cells.aliases(cell.name) if _in_library(cell) else ()
    if not rows:
        return ()
    items = tuple((row.alias + (f": {row.note}" if row.note else ""),) for row in rows)
    blocks: tuple[Block, ...] = (Bullets(items),)
    return (Section("elsewhere", "Known elsewhere as", blocks),)


# --- many verifications -----------------------------------------------------------------------------------------------


def verifications(reports: Sequence[Report]) -> tuple[RenderableType, ...]:
    """A table with one line for each report, then the reports that failed, then a sentence."""
    table = RichTable(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("cell", no_wrap=True, min_width=max(len(report.cell) for report in reports))
    for heading in ("exact", "numeric", "worst error"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    for report in reports:
        table.add_row(*_line(report))
    failed = [report for report in reports if not report.passed]
    many = f"{len(reports)} cells"
    total = f"{many}: {len(failed)} failed, {', '.join(r.cell for r in failed)}" if failed else f"{many}: all passed"
    return table, *(Text("\n").append(full(report)) for report in failed), Text(f"\n{total}")


def _line(report: Report) -> tuple[RenderableType, ...]:
    exact = [check for check in report.checks if check.tolerance is None]
    numeric = [check for check in report.checks if check.tolerance is not None]
    # NaN counts as the largest: compared as it is, it would be lost.
    worst = max((check.error for check in numeric), key=lambda error: (error != error, error), default=None)
    verdict = next((check.verdict for check in report.failures), "passed")
    shown = "" if worst is None else f"{worst:.1e}"
    return report.cell, _count_passed(exact), _count_passed(numeric), shown, Text(verdict, _STYLES[verdict])


def _count_passed(checks: Sequence[Check]) -> str:
    passed = sum(check.passed for check in checks)
    return str(passed) if passed == len(checks) else f"{passed} of {len(checks)}"


def full(report: Report) -> Text:
    """A report with its verdicts in colour."""
    shown = Text(str(report))
    for word, style in _STYLES.items():
        shown.highlight_words([word], style)
    return shown


# --- gradients --------------------------------------------------------------------------------------------------------


def gradients(report: FileReport, short: bool = False) -> Iterator[Text]:
    """What was found in a file, pair by pair; in a line each where the whole is elsewhere."""
    for name, found in report.reports.items():
        shown = Text(found.summary if short else str(found))
        for verdict in Verdict:
            alone = rf"(?<![\w-]){re.escape(str(verdict))}(?![\w-])"  # not in wrong-operand
            shown.highlight_regex(alone, _VERDICTS[verdict])
        yield Text.assemble("\n", (name, "bold"), ": " if short else "\n\n").append(shown)
        if not short and (program := report.tell_program(name)):
            yield Text(f"\n{program}")
    for unchecked in (report.refused, report.skipped):
        for name, why in unchecked.items():
            yield Text.assemble("\n", (name, "bold"), ": ", why)
            if not short and (program := report.tell_program(name)):
                yield Text(f"\n{program}")
