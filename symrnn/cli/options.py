"""Arguments and options that several commands have, each with its help and what completes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any

import typer

from symrnn import choices
from symrnn.choices import either
from symrnn.cli import completion
from symrnn.files import check_named


def _check_named(output: str | None) -> str | None:
    """The name of the file to write, refused where it is empty."""
    if output is not None:
        check_named(output)
    return output


def _written_to(text: str) -> Any:
    """The option for a file to write."""
    return typer.Option("--output", "-o", metavar="FILE", help=text, callback=_check_named)


def _further(text: str, complete: Callable[..., Any]) -> Any:
    """The option for what is written beside the usual; it may be repeated, and each may list several."""
    return typer.Option("--with", metavar="NAMES", help=text, autocompletion=complete)


def _explain(names: Mapping[str, str]) -> str:
    """The names with what they stand for."""
    return "; ".join(f"{name}: {meaning}" for name, meaning in names.items())


CellName = Annotated[
    str,
    typer.Argument(
        metavar="CELL", help="A library cell, cell.py, or cell.py:name.", autocompletion=completion.cell_names
    ),
]
Output = Annotated[str | None, _written_to("Write here, not to the terminal; '-' is the terminal.")]
ReportOutput = Annotated[str | None, _written_to(f"Write the report here: {either(choices.REPORTS)}.")]
FurtherSections = Annotated[
    list[str] | None,
    _further(f"Further sections: {','.join(choices.FURTHER)}, one or more.", completion.further_sections),
]
Sections = Annotated[
    list[str] | None,
    typer.Option(
        "--sections",
        metavar="NAMES",
        help=f"These sections alone, in this order: {', '.join(choices.SECTIONS)}.",
        autocompletion=completion.sections,
    ),
]
Level = Annotated[
    str,
    typer.Option(
        "--level",
        metavar="NAME",
        help=f"How much is said: {_explain(choices.LEVELS)}.",
        autocompletion=completion.levels,
    ),
]
GateForm = Annotated[
    str | None,
    typer.Option(
        "--gates",
        metavar="NAME",
        help=f"{_explain(choices.GATES)}. The default is one-line with --level brief, else each.",
        autocompletion=completion.gates,
    ),
]
LayerCount = Annotated[int, typer.Option("--layers", metavar="N", help="A network of N layers of the cell.")]
LossAt = Annotated[
    str | None,
    typer.Option(
        "--loss-at",
        metavar="NAME",
        help=f"With a head that ends in a loss: {either(choices.LOSS_AT)} step; the default is every.",
    ),
]
LineWidth = Annotated[
    str | None,
    typer.Option(
        "--width",
        metavar="NAME",
        help="With tex: lines as wide as a page, or as a column of a paper that has two: page or column.",
        autocompletion=completion.widths,
    ),
]
EquationNumbers = Annotated[
    str | None,
    typer.Option(
        "--numbers",
        metavar="NAME",
        help="With tex: automatic leaves numbers to the document around a fragment, fixed writes the derivation's own, "
        "none writes none. The default is automatic in a fragment, else fixed.",
        autocompletion=completion.numbers,
    ),
]
LabelPrefix = Annotated[
    str | None,
    typer.Option(metavar="TEXT", help="With tex: what labels begin with; the default is the name of the cell."),
]
FragmentHeading = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help=f"With --fragment: the command of its heading, {either(choices.HEADINGS)}; its parts are one lower.",
        autocompletion=completion.headings,
    ),
]
Language = Annotated[
    str,
    typer.Option(
        "--lang",
        metavar="NAME",
        help=f"The language of what is not the author's: {_explain(choices.LANGUAGES)}.",
        autocompletion=completion.languages,
    ),
]
Cite = Annotated[
    bool,
    typer.Option("--cite", help="With tex: \\cite beside papers that are named; 'symrnn cells --bib' has the entries."),
]
FurtherFunctions = Annotated[
    list[str] | None,
    _further(f"Further functions: {','.join(choices.FUNCTIONS)}, some or all.", completion.functions),
]
Form = Annotated[
    str | None,
    typer.Option(
        "--to",
        metavar="FORM",
        help=f"{either(choices.FORMS)}; text is the default, or -o's ending says.",
        autocompletion=completion.forms,
    ),
]
Fragment = Annotated[
    bool, typer.Option("--fragment", help="With tex: only the body, to be put into a document with \\input.")
]
Names = Annotated[
    str,
    typer.Option(
        "--notation",
        metavar="NAMES",
        help=f"How names look: {either(choices.NOTATIONS)}; or a file, mine.toml; several: olah,mine.toml.",
        autocompletion=completion.notations,
    ),
]
JacobianLayout = Annotated[
    str,
    typer.Option(
        "--layout",
        metavar="NAME",
        help=f"Of Jacobians: {either(choices.LAYOUTS)}; with numerator, y's entries are rows. "
        "Where nothing is said the notation says it.",
        autocompletion=completion.layouts,
    ),
]
