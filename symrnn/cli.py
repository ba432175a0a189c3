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
from symrnn.errors import InputError, SymrnnError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

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
#: columns of what is not printed to a terminal
_WIDTH = 100


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
def cells(
    cell: Annotated[str | None, typer.Argument(metavar="[CELL]", help="Show this one: equations, size, names.")] = None,
    family: Annotated[str | None, typer.Option(metavar="NAME", help="List the cells of one family only.")] = None,
) -> None:
    """List the library of cells, or show one of them."""
    if cell is not None and family is not None:
        raise InputError(f"cells {cell}: --family goes with the list\n  leave one of them out")
    if cell is not None:
        loaded = load_cell(cell)

        from symrnn.documents import write
        from symrnn.listing import page

        _emit(write(page(loaded), "text"), None)
        return

    from symrnn.listing import library

    _show(library(family))


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
    form = to or ("tex" if fragment else _form_of(output))
    if form not in ("text", "tex", "markdown"):
        raise InputError(f"--to {form}: there is no such form\n  there are text, tex and markdown")
    if fragment and form != "tex":
        raise InputError(f"--fragment goes with --to tex, not with {form}\n  leave one of them out")
    loaded = load_cell(cell)

    from symrnn.calculus.derivation import derive as derived
    from symrnn.documents import write

    _emit(write(derived(loaded), "fragment" if fragment else form, notation), output)


def _form_of(output: Path | None) -> str:
    """The form that a file's ending asks for; the terminal gets text."""
    if output is None or output.suffix == "" or not output.suffix[1:].isalpha() or str(output).startswith("/dev/"):
        return "text"
    if output.suffix.lower() not in _FORMS:
        endings = ", ".join(_FORMS)
        raise InputError(f"-o {output}: no form belongs to {output.suffix}\n  end it in one of {endings}, or say --to")
    return _FORMS[output.suffix.lower()]


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
    every: Annotated[bool, typer.Option("--all", help="Verify every cell of the library; one line for each.")] = False,
    jobs: Annotated[
        int | None, typer.Option("--jobs", "-j", min=1, help="How many processes; with --all, one per processor.")
    ] = None,
) -> None:
    """Prove derivation and code: exactly, by complex step, and against each other."""
    from symrnn import cells as library

    names = list(dict.fromkeys([*(cell or []), *(library.names() if every else ())]))
    if not names:
        raise InputError("verify: no cell was named\n  give one or more, or --all")
    loaded = [load_cell(name) for name in names]  # wrong input is said before the work begins

    from symrnn.listing import full, verifications

    reports = _verified(loaded, jobs if jobs or every else 1)
    for shown in verifications(reports) if every else map(full, reports):
        _show(shown)
    if not all(report.passed for report in reports):
        raise typer.Exit(1)


def _verified(loaded: Sequence[Cell], jobs: int | None) -> tuple[Report, ...]:
    """The reports, with a bar for whoever watches; an interrupt leaves with the code that shells expect."""
    from symrnn.verification.many import verify_many

    try:
        if len(loaded) == 1 or not sys.stderr.isatty():
            return verify_many(loaded, jobs)

        from rich.console import Console
        from rich.progress import Progress

        with Progress(console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task("verifying", total=len(loaded))
            return verify_many(loaded, jobs, lambda name: bar.update(task, advance=1, description=f"verified {name}"))
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


def load_cell(name: str) -> Cell:
    """The cell that a command line names: from the library, a file, or one of a file's cells."""
    from symrnn import cells as library
    from symrnn.language import read_cells_file

    try:
        return library.lookup(name)  # by its name, or by one that it has elsewhere
    except UnknownNameError:
        pass
    path, colon, wanted = name.rpartition(":")
    if colon and wanted.isidentifier() and not os.path.exists(name):
        return read_cells_file(Path(path), wanted)
    if name.isidentifier() and not os.path.exists(name):
        import difflib

        close = difflib.get_close_matches(name, library.names(), 1)
        hint = f"did you mean {close[0]!r}? " if close else ""
        there = "'symrnn cells' lists what there is; or give a file such as cell.py"
        raise InputError(f"no cell {name!r} in the library\n  {hint}{there}")
    return read_cells_file(Path(name))


def _show(shown: RenderableType) -> None:
    """Print to the terminal, or as to one of 100 columns; running text keeps its lines, so that it can be copied."""
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, width=None if sys.stdout.isatty() else _WIDTH)
    console.print(shown, soft_wrap=isinstance(shown, Text))


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
        try:
            app()
        finally:
            sys.stdout.flush()
    except SymrnnError as error:
        typer.echo(f"symrnn: {error}", err=True)
        sys.exit(2)
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except OSError as error:  # a full disk behind the standard output
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        typer.echo(f"symrnn: the output cannot be written: {error.strerror or error}", err=True)
        sys.exit(2)
