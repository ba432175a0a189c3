"""Arguments and options that several commands have, each with its help and what completes it."""

from __future__ import annotations

from typing import Annotated

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


CellName = Annotated[
    str,
    typer.Argument(
        metavar="CELL", help="A library cell, cell.py, or cell.py:name.", autocompletion=completion.cell_names
    ),
]
Output = Annotated[
    str | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        help="Write here, not to the terminal; '-' is the terminal.",
        callback=_check_named,
    ),
]
ReportOutput = Annotated[
    str | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        help=f"Write the report here: {either(choices.REPORTS)}.",
        callback=_check_named,
    ),
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
        metavar="NAME",
        help=f"How names look: {either(choices.NOTATIONS)}.",
        autocompletion=completion.notations,
    ),
]
JacobianLayout = Annotated[
    str,
    typer.Option(
        "--layout",
        metavar="NAME",
        help=f"Of Jacobians: {either(choices.LAYOUTS)}; with numerator, y's entries are rows.",
        autocompletion=completion.layouts,
    ),
]
