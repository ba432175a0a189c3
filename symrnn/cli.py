"""The command line: arguments -> one call each -> exit code.

0: fine.  1: a check failed.  2: wrong use or wrong input, said in one message.  Everything heavy is imported by the
command that needs it, so that `symrnn --help` answers at once.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from symrnn import __version__
from symrnn.errors import InputError, SymrnnError

if TYPE_CHECKING:
    from symrnn.language.recurrence import Cell
    from symrnn.verification.report import Report

app = typer.Typer(
    name="symrnn",
    help="Derive, generate and verify recurrent neural network cells from one definition.",
    epilog="CELL is a name from 'symrnn cells', a file 'cell.py', or one cell of a file, 'cell.py:name'. "
    "Files are parsed, never executed.",
    rich_markup_mode=None,  # the plain help needs no further imports
    pretty_exceptions_enable=False,
    add_completion=False,
    no_args_is_help=True,
)

CellName = Annotated[str, typer.Argument(metavar="CELL", help="A library cell, cell.py, or cell.py:name.")]
Output = Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write here, not to the terminal.")]

#: file ending -> form, where --to does not say
_FORMS = {".tex": "tex", ".md": "markdown", ".markdown": "markdown", ".txt": "text"}


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"symrnn {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and leave.")
    ] = False,
) -> None:
    pass


@app.command()
def cells() -> None:
    """List the library of cells, with their sources."""
    from rich.console import Console
    from rich.table import Table

    from symrnn import cells as library

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("cell", "states", "what it is", "source"):
        table.add_column(heading, overflow="fold")
    for name in library.names():
        cell = library.lookup(name)
        table.add_row(name, ", ".join(cell.states), cell.title, cell.section("Source"))
    Console(highlight=False).print(table)


@app.command()
def derive(
    cell: CellName,
    to: Annotated[
        str | None, typer.Option("--to", metavar="FORM", help="text (default), tex or markdown; or -o's ending says.")
    ] = None,
    fragment: Annotated[
        bool, typer.Option("--fragment", help="With tex: only the body, to be put into a document with \\input.")
    ] = False,
    notation: Annotated[
        str, typer.Option(metavar="NAME", help="How names look: subscript, superscript, angle, bold or partial.")
    ] = "subscript",
    output: Output = None,
) -> None:
    """Derive the backward pass and the Jacobians, step by step."""
    form = to or (_FORMS.get(output.suffix.lower()) if output else None) or ("tex" if fragment else "text")
    if form not in ("text", "tex", "markdown"):
        raise InputError(f"--to {form}: there is no such form\n  there are text, tex and markdown")
    if fragment and form != "tex":
        raise InputError(f"--fragment goes with --to tex, not with {form}\n  leave one of them out")
    loaded = load_cell(cell)

    from symrnn.calculus.derivation import derive as derived
    from symrnn.documents import write

    _emit(write(derived(loaded), "fragment" if fragment else form, notation), output)


@app.command()
def generate(
    cell: CellName,
    target: Annotated[str, typer.Option(metavar="NAME", help="The language of the code: numpy.")] = "numpy",
    output: Output = None,
) -> None:
    """Generate the forward and backward pass as a module without dependencies but NumPy."""
    from symrnn.generation import generate_source

    _emit(generate_source(load_cell(cell), target), output)


@app.command()
def verify(
    cell: Annotated[
        list[str] | None, typer.Argument(metavar="CELL...", help="Library cells, cell.py, or cell.py:name.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Verify every cell of the library.")] = False,
) -> None:
    """Prove derivation and code: exactly, by complex step, and against each other."""
    from symrnn import cells as library
    from symrnn.verification import verify as verified

    names = [*(cell or []), *(library.names() if every else ())]
    if not names:
        raise InputError("verify: no cell was named\n  give one or more, or --all")
    loaded = [load_cell(name) for name in names]  # wrong input is said before the work begins
    failed = False
    for each in loaded:
        report = verified(each)
        _show_report(report)
        failed = failed or not report.passed
    if failed:
        raise typer.Exit(1)


def load_cell(name: str) -> Cell:
    """The cell that a command line names: from the library, a file, or one of a file's cells."""
    from symrnn import cells as library
    from symrnn.language import read_cells_file

    if name in library.names():
        return library.lookup(name)
    path, colon, wanted = name.rpartition(":")
    if colon and wanted.isidentifier() and not os.path.exists(name):
        return read_cells_file(Path(path), wanted)
    if name.isidentifier() and not os.path.exists(name):
        import difflib

        close = difflib.get_close_matches(name, library.names(), 1)
        hint = f"did you mean {close[0]!r}? " if close else ""
        there = f"there are {', '.join(library.names())}, or give a file such as cell.py"
        raise InputError(f"no cell {name!r} in the library\n  {hint}{there}")
    return read_cells_file(Path(name))


def _show_report(report: Report) -> None:
    from rich.console import Console
    from rich.text import Text

    shown = Text(str(report))
    shown.highlight_words(["passed", "proved"], "green")
    shown.highlight_words(["FAILED", "not proved"], "bold red")
    Console(highlight=False, soft_wrap=True).print(shown)


def _emit(text: str, output: Path | None) -> None:
    if output is None:
        typer.echo(text, nl=not text.endswith("\n"))
        return
    from symrnn.generation import write_whole

    write_whole(output, text)


def main() -> None:
    """The entry point: run a command; say what a user can mend in one message, with exit code 2."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal without ⊙ still gets the rest
    try:
        app()
    except SymrnnError as error:
        typer.echo(f"symrnn: {error}", err=True)
        sys.exit(2)
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
