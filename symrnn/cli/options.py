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


def _name(text: str, complete: Callable[..., Any] | None, *flags: str, metavar: str = "NAME") -> Any:
    """The option for one of several names; its flag is that of the argument where none is given."""
    return typer.Option(*flags, metavar=metavar, help=text, autocompletion=complete)


def _further(text: str, complete: Callable[..., Any]) -> Any:
    """The option for what is written beside the usual; it may be repeated, and each may list several."""
    return _name(text, complete, "--with", metavar="NAMES")


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
    _name(f"These sections alone, in this order: {', '.join(choices.SECTIONS)}.", completion.sections, metavar="NAMES"),
]
Level = Annotated[str, _name(f"How much is said: {_explain(choices.LEVELS)}.", completion.levels)]
GateForm = Annotated[
    str | None,
    _name(
        f"{_explain(choices.GATES)}. The default is one-line with --level brief, else each.",
        completion.gates,
    ),
]
Head = Annotated[
    list[str] | None,
    _name(f"With a readout, or a loss, behind the cell: {either(choices.HEADS)}; one or more.", completion.heads),
]
LayerCount = Annotated[int, typer.Option("--layers", metavar="N", help="A network of N layers of the cell.")]
LossAt = Annotated[
    str | None,
    _name(f"With a head that ends in a loss: {either(choices.LOSS_AT)} step; the default is every.", None),
]
LineWidth = Annotated[
    str | None,
    _name(
        "With tex: lines as wide as a page, or as a column of a paper that has two: page or column.", completion.widths
    ),
]
EquationNumbers = Annotated[
    str | None,
    _name(
        "With tex: automatic leaves numbers to the document around a fragment, fixed writes the derivation's own, "
        "none writes none. The default is automatic in a fragment, else fixed.",
        completion.numbers,
    ),
]
LabelPrefix = Annotated[
    str | None,
    typer.Option(metavar="TEXT", help="With tex: what labels begin with; the default is the name of the cell."),
]
FragmentHeading = Annotated[
    str | None,
    _name(
        f"With --fragment: the command of its heading, {either(choices.HEADINGS)}; its parts are one lower.",
        completion.headings,
    ),
]
Language = Annotated[
    str,
    _name(f"The language of what is not the author's: {_explain(choices.LANGUAGES)}.", completion.languages),
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
    _name(
        f"{either(choices.FORMS)}; text is the default, or -o's ending says.", completion.forms, "--to", metavar="FORM"
    ),
]
Fragment = Annotated[
    bool, typer.Option("--fragment", help="With tex: only the body, to be put into a document with \\input.")
]
Names = Annotated[
    str,
    _name(
        f"How names look: {either(choices.NOTATIONS)}; or a file, mine.toml; several: olah,mine.toml.",
        completion.notations,
        "--notation",
        metavar="NAMES",
    ),
]
JacobianLayout = Annotated[
    str,
    _name(
        f"Of Jacobians: {either(choices.LAYOUTS)}; with numerator, y's entries are rows. "
        "Where nothing is said the notation says it.",
        completion.layouts,
    ),
]
JacobianKind = Annotated[
    str,
    _name(
        f"{either(choices.KINDS)}: in cell what else enters the steps is held, in total it moves along.",
        completion.kinds,
    ),
]
Held = Annotated[list[str] | None, _name("Variables that are held fixed: z,n.", completion.holdable, metavar="NAMES")]
MarkedState = Annotated[
    str | None,
    _name("Mark the ways on which the gradient of this state comes back.", completion.variables, metavar="STATE"),
]
Detail = Annotated[
    str, _name(f"{either(choices.DETAILS)}: with operations, every product and every bias.", completion.details)
]
PictureForm = Annotated[
    str | None,
    _name(
        f"{either(choices.PICTURES)}; svg is the default, or -o's ending says; tikz has no preamble.",
        completion.pictures,
        "--to",
        metavar="FORM",
    ),
]
CodeTarget = Annotated[str, _name(f"The language of the code: {either(choices.TARGETS)}.", completion.targets)]
