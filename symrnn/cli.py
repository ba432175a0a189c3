"""The command line: arguments -> one call each -> exit code.

0: fine.  1: a check failed.  2: wrong use or wrong input, said in one message.  Everything heavy is imported by the
command that needs it, so that `symrnn --help` answers at once.
"""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from symrnn import __version__
from symrnn.characters import printable, printable_lines
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
    "Files of cells are parsed, never executed; 'check' imports its file.",
    rich_markup_mode=None,  # the plain help needs no further imports
    pretty_exceptions_enable=False,
    add_completion=False,
    no_args_is_help=True,
)

CellName = Annotated[str, typer.Argument(metavar="CELL", help="A library cell, cell.py, or cell.py:name.")]
Output = Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write here, not to the terminal.")]

Form = Annotated[
    str | None, typer.Option("--to", metavar="FORM", help="text (default), tex or markdown; or -o's ending says.")
]
Fragment = Annotated[
    bool, typer.Option("--fragment", help="With tex: only the body, to be put into a document with \\input.")
]
Names = Annotated[
    str,
    typer.Option("--notation", metavar="NAME", help="How names look: subscript, superscript, angle, bold or partial."),
]
JacobianLayout = Annotated[
    str, typer.Option("--layout", metavar="NAME", help="Of Jacobians: numerator (y's entries are rows), denominator.")
]

#: wrong use that typer finds; it does not name the class itself
_UsageError: type[Exception] = typer.BadParameter.__bases__[0]

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
    to: Form = None,
    fragment: Fragment = False,
    notation: Names = "subscript",
    layout: JacobianLayout = "numerator",
    further: Annotated[
        str, typer.Option("--with", metavar="NAMES", help="Further sections: properties,rewritings, one or both.")
    ] = "",
    output: Output = None,
) -> None:
    """Derive the backward pass and the Jacobians, step by step."""
    form = _form(to, fragment, output)
    loaded = load_cell(cell)

    from symrnn.calculus.derivation import derive as derived
    from symrnn.documents import write

    _emit(write(derived(loaded), form, notation, layout, further), output)


@app.command()
def jacobian(
    cell: CellName,
    of: Annotated[str, typer.Argument(metavar="OF", help="What is differentiated: h, c, f, ...")],
    wrt: Annotated[str, typer.Argument(metavar="WRT", help="With respect to what: h_prev, x, f, W_f, ...")],
    kind: Annotated[
        str, typer.Option(metavar="NAME", help="direct, cell (of one step) or total; total where there are --steps.")
    ] = "",
    steps: Annotated[int, typer.Option(metavar="K", help="Over this many steps, for a total derivative.")] = 1,
    holding: Annotated[str, typer.Option(metavar="NAMES", help="Variables that are held fixed: z,n.")] = "",
    layout: JacobianLayout = "numerator",
    to: Form = None,
    fragment: Fragment = False,
    notation: Names = "subscript",
    output: Output = None,
) -> None:
    """One Jacobian of a cell, with its paths; over several steps, with its recursion."""
    form = _form(to, fragment, output)
    loaded = load_cell(cell)

    from symrnn.calculus.derivation import derive as derived
    from symrnn.documents import jacobian_document, write

    meant = kind or ("cell" if steps == 1 else "total")
    document = jacobian_document(
        derived(loaded), of, wrt, meant, steps=steps, holding=holding, layout=layout, notation=notation
    )
    _emit(write(document, form), output)


def _form(to: str | None, fragment: bool, output: Path | None) -> str:
    """The form to write in, from what was asked for."""
    form = to or ("tex" if fragment else _form_of(output))
    if form not in ("text", "tex", "markdown"):
        raise InputError(f"--to {form}: there is no such form\n  there are text, tex and markdown")
    if fragment and form != "tex":
        raise InputError(f"--fragment goes with --to tex, not with {form}\n  leave one of them out")
    return "fragment" if fragment else form


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
    further: Annotated[
        str, typer.Option("--with", metavar="NAMES", help="Further functions: jvp,hvp,rtrl,truncate, some or all.")
    ] = "",
    output: Output = None,
) -> None:
    """Generate the forward and backward pass as a module without dependencies but NumPy."""
    loaded = load_cell(cell)

    from symrnn.generation import generate_source

    _emit(generate_source(loaded, target, further), output)


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


@app.command()
def check(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A Python file. It is imported, that is, run.")],
    forward: Annotated[
        str | None, typer.Option(metavar="NAME", help="The forward pass: a function, or Class.method.")
    ] = None,
    backward: Annotated[str | None, typer.Option(metavar="NAME", help="The backward pass.")] = None,
    inputs: Annotated[
        str | None, typer.Option(metavar="NAME", help="A dict of forward's arguments, or a function that makes it.")
    ] = None,
    cell: Annotated[
        str | None, typer.Option(metavar="CELL", help="The cell that it computes, so that mistakes can be named.")
    ] = None,
    without: Annotated[
        str, typer.Option(metavar="NAMES", help="Inputs whose gradients are left out on purpose: h0,c0.")
    ] = "",
    seed: Annotated[int, typer.Option(min=0, help="Of everything random.")] = 0,
    loss: Annotated[
        bool, typer.Option("--loss", help="One function returns the loss and its gradients: return loss, dW, db.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write the report here: .json or .html.")
    ] = None,
) -> None:
    """Check hand-written gradients in a Python file, and name the mistake. FILE is imported, that is, run.

    Pairs named like lstm_forward and lstm_backward are found, and classes with both methods. Their inputs are what
    make_inputs(rng, T, N), make_lstm_inputs or lstm_inputs in the file say.
    """
    endings = {".json": "to_json", ".html": "to_html"}
    if output is not None and output.suffix.lower() not in endings:
        raise InputError(f"-o {output}: no form belongs to {output.suffix or 'that'}\n  end it in .json or .html")
    loaded = None if cell is None else load_cell(cell)

    from symrnn.checkfile import Wanted, check_file
    from symrnn.listing import gradients

    def announce() -> None:
        typer.echo(f"{printable(str(file))} is imported, that is, run", err=json)

    try:
        left_out = tuple(name.strip() for name in without.split(",") if name.strip())
        wanted = Wanted(forward, backward, inputs, loaded, seed, loss, left_out)
        report = check_file(file, wanted, announce)
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    if output is not None:
        _emit(getattr(report, endings[output.suffix.lower()])(), output)
        typer.echo(f"the report is in {printable(str(output))}", err=json)
    if json:
        _emit(report.to_json(), None)
    else:
        for shown in gradients(report, short=output is not None):
            _show(shown)
    raise typer.Exit(report.exit_code)


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
            code = app(standalone_mode=False)
        finally:
            sys.stdout.flush()
        sys.exit(code if isinstance(code, int) else 0)
    except _UsageError as error:
        said = io.StringIO()
        error.show(said)  # type: ignore[attr-defined]
        typer.echo(printable_lines(said.getvalue()), nl=False, err=True)
        sys.exit(2)
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
