"""The command line: arguments -> one call each -> exit code.

0: fine.  1: a check failed.  2: wrong use or wrong input, said in one message.  Everything heavy is imported by the
command that needs it, so that `symrnn --help` answers at once.
"""

from __future__ import annotations

import sys
from pathlib import Path
from threading import Timer
from typing import TYPE_CHECKING, Annotated

import typer

from symrnn import choices
from symrnn.characters import printable
from symrnn.choices import ending_of
from symrnn.cli import completion
from symrnn.cli.options import (
    CellName,
    Cite,
    CodeTarget,
    Detail,
    EquationNumbers,
    Form,
    Fragment,
    FragmentHeading,
    FurtherFunctions,
    FurtherSections,
    GateForm,
    Head,
    Held,
    JacobianKind,
    JacobianLayout,
    LabelPrefix,
    Language,
    LayerCount,
    Level,
    LineWidth,
    LossAt,
    MarkedState,
    Names,
    Output,
    PictureForm,
    ReportOutput,
    Sections,
)
from symrnn.cli.reading import (
    choose_form,
    choose_in_latex,
    choose_loss_at,
    choose_picture,
    choose_report_writer,
    load_cell,
    refuse_own_file,
    split_names,
    with_heads,
    with_layers,
)
from symrnn.cli.terminal import check_output, emit, remark, run, show, show_marked
from symrnn.cli.usage import Commands, usage_error
from symrnn.errors import InputError
from symrnn.files import check_module_file
from symrnn.version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from symrnn.calculus.derivation import Derivation
    from symrnn.findings.report import GradientReport
    from symrnn.language.recurrence import Cell
    from symrnn.verification.report import Report

app = typer.Typer(
    name="symrnn",
    cls=Commands,
    help="Derive, generate and verify recurrent neural network cells from one definition.",
    epilog="CELL is a name from 'symrnn cells', a file 'cell.py', or one cell of a file, 'cell.py:name'. "
    "Files of cells are parsed, never executed; 'check' imports its file.",
    rich_markup_mode=None,  # the plain help needs no further imports
    pretty_exceptions_enable=False,
    no_args_is_help=True,
)

_MOMENT = 2.0
"""Seconds after which the verdicts are shown while their mistakes are searched: most searches end before."""


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
    cell: Annotated[
        str | None,
        typer.Argument(
            metavar="[CELL]", help="Show this one: equations, size, names.", autocompletion=completion.cell_names
        ),
    ] = None,
    family: Annotated[str | None, typer.Option(metavar="NAME", help="List the cells of one family only.")] = None,
    bib: Annotated[bool, typer.Option("--bib", help="Their sources as BibTeX; of one cell, or of all.")] = False,
) -> None:
    """List the library of cells, or show one of them."""
    # Each of the two would silently win over the other.
    if cell is not None and family is not None:
        raise InputError(f"cells {cell}: --family goes with the list\n  leave one of them out")
    if bib:
        if family is not None:
            raise InputError("cells --bib: --family goes with the list\n  leave one of them out")
        emit(_bibliography(cell), None)
        return
    if cell is not None:
        loaded = load_cell(cell)

        # Imported where it is used, here and below: SymPy takes a second to load, for which neither help nor a wrong
        # option must wait.
        from symrnn.cli.listing import page
        from symrnn.documents import write

        emit(write(page(loaded), "text"), None)
        return

    from symrnn.cli.listing import library

    show(library(family))


def _bibliography(cell: str | None) -> str:
    """The sources of one cell, or of the library, as BibTeX."""
    from symrnn import cells as library
    from symrnn.cells.papers import bibliography

    chosen = [load_cell(name) for name in (library.names() if cell is None else (cell,))]
    entries = bibliography(one.section("Source") for one in chosen)
    if not entries:
        raise InputError(
            f"cells {cell} --bib: its source names no paper that the library knows\n  leave --bib out to see it"
        )
    return entries


@app.command()
def derive(
    cell: CellName,
    to: Form = None,
    fragment: Fragment = False,
    notation: Names = "subscript",
    layout: JacobianLayout = "",
    level: Level = "full",
    sections: Sections = None,
    further: FurtherSections = None,
    gates: GateForm = None,
    width: LineWidth = None,
    numbers: EquationNumbers = None,
    prefix: LabelPrefix = None,
    heading: FragmentHeading = None,
    lang: Language = "en",
    cite: Cite = False,
    head: Head = None,
    layers: LayerCount = 1,
    loss_at: LossAt = None,
    output: Output = None,
) -> None:
    """Derive the backward pass and the Jacobians, step by step."""
    # Before the cell is read: a wrong form is said before the work begins.
    form = choose_form(to, fragment, output)
    in_latex = choose_in_latex(form, width=width, numbers=numbers, prefix=prefix, heading=heading, cite=cite or None)

    from symrnn.documents.options import DocumentOptions, choose

    names = split_names(sections), split_names(further)
    # Layers have the same equations as gates have: what differs would be hard to tell in one line for all.
    contents = DocumentOptions(notation, layout, level, *names, gates or ("each" if layers > 1 else ""))
    heads = split_names(head)
    options = choose(contents, language=lang, **in_latex, loss_at=choose_loss_at(loss_at, heads))
    loaded = with_heads(with_layers(load_cell(cell), layers), heads)

    from symrnn.calculus.derivation import derive as derived
    from symrnn.documents import write

    emit(write(derived(loaded), form, options=options), output)


@app.command()
def jacobian(
    cell: CellName,
    of: Annotated[
        str,
        typer.Argument(metavar="OF", help="What is differentiated: h, c, f, ...", autocompletion=completion.variables),
    ],
    wrt: Annotated[
        str,
        typer.Argument(
            metavar="WRT", help="With respect to what: h_prev, x, f, W_f, ...", autocompletion=completion.variables
        ),
    ],
    kind: JacobianKind = "cell",
    steps: Annotated[int, typer.Option(metavar="K", help="Over this many steps.")] = 1,
    holding: Held = None,
    layout: JacobianLayout = "",
    to: Form = None,
    fragment: Fragment = False,
    notation: Names = "subscript",
    width: LineWidth = None,
    numbers: EquationNumbers = None,
    prefix: LabelPrefix = None,
    heading: FragmentHeading = None,
    lang: Language = "en",
    cite: Cite = False,
    output: Output = None,
) -> None:
    """One Jacobian of a cell, with its paths; over several steps, with its recursion."""
    form = choose_form(to, fragment, output)
    in_latex = choose_in_latex(form, width=width, numbers=numbers, prefix=prefix, heading=heading, cite=cite or None)
    loaded = load_cell(cell)

    from symrnn.calculus.derivation import derive as derived
    from symrnn.documents import jacobian_document, write

    derivation, held = derived(loaded), split_names(holding)
    document = jacobian_document(derivation, of, wrt, kind, steps=steps, holding=held, layout=layout, notation=notation)
    emit(write(document, form, language=lang, **in_latex), output)
    _remark_on_zero(derivation, of, wrt, steps)


def _remark_on_zero(derivation: Derivation, of: str, wrt: str, steps: int) -> None:
    """Ask whether a state at t-1 was meant, where a state at t was named and the Jacobian is zero."""
    from symrnn.calculus.paths import count_paths

    before = f"{wrt}_prev"
    # By counting paths, which takes no time, rather than by looking at the Jacobian that was printed.
    if before not in derivation.cell.symbols or count_paths(derivation, of, wrt, steps):
        return
    if count_paths(derivation, of, before, steps):
        remark(f"{of} does not depend on {wrt}, the state at t; did you mean {before!r}, the state at t-1?")


@app.command()
def draw(
    cell: CellName,
    steps: Annotated[int, typer.Option(metavar="K", help="So many steps, one after the other.")] = 1,
    gradient: MarkedState = None,
    weights: Annotated[bool, typer.Option("--weights", help="Write the weights beside the lines.")] = False,
    detail: Detail = "gates",
    to: PictureForm = None,
    notation: Names = "subscript",
    output: Output = None,
) -> None:
    """Draw a cell as a diagram: what flows where, and how gradients come back."""
    form = choose_picture(to, output)
    loaded = load_cell(cell)

    from symrnn.pictures import draw as drawn

    picture = drawn(loaded, steps=steps, gradient=gradient, weights=weights, detail=detail, notation=notation)
    emit(picture.written(form), output)


@app.command()
def generate(
    cell: CellName,
    target: CodeTarget = "numpy",
    further: FurtherFunctions = None,
    notation: Names = "subscript",
    numbers: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=NUMBER", help="Another number for a constant of the cell: alpha=0.2."),
    ] = None,
    output: Output = None,
) -> None:
    """Generate the forward and backward pass as a module without dependencies but NumPy."""
    # An ending that is a form of documents elsewhere: the file would hold Python, and nobody would look for it there.
    if ending_of(output) in {ending for endings in choices.FORMS.values() for ending in endings} | set(choices.REPORTS):
        shown = printable(output or "")
        raise InputError(
            f"-o {shown}: what generate writes is Python\n  end it in .py; documents are written by 'symrnn derive'"
        )
    refuse_own_file(cell, output)
    if output is not None:
        check_module_file(output)
    loaded = load_cell(cell)

    from symrnn.language.constants import read_numbers, with_constants
    from symrnn.targets.generation import generate_source

    loaded = with_constants(loaded, read_numbers(split_names(numbers)))
    emit(generate_source(loaded, target, split_names(further), notation), output)


@app.command()
def verify(
    cell: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="CELL...", help="Library cells, cell.py, or cell.py:name.", autocompletion=completion.cell_names
        ),
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
    check_output()

    from symrnn.cli.listing import full, verifications

    reports = _verify_all(loaded, jobs if jobs or every else 1)
    for shown in verifications(reports) if every else map(full, reports):
        show(shown)
    # After all of them are printed: one failure must not hide the others.
    if not all(report.passed for report in reports):
        raise typer.Exit(1)


@app.command()
def check(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="A Python file. It is imported, that is, run.", autocompletion=completion.files
        ),
    ],
    forward: Annotated[
        str | None, typer.Option(metavar="NAME", help="The forward pass: a function, or Class.method.")
    ] = None,
    backward: Annotated[str | None, typer.Option(metavar="NAME", help="The backward pass.")] = None,
    inputs: Annotated[
        str | None, typer.Option(metavar="NAME", help="A dict of forward's arguments, or a function that makes it.")
    ] = None,
    cell: Annotated[
        str | None,
        typer.Option(
            metavar="CELL",
            help="The cell that it computes, where it is known: then it is not searched for.",
            autocompletion=completion.cell_names,
        ),
    ] = None,
    without: Annotated[
        list[str] | None, typer.Option(metavar="NAMES", help="Inputs whose gradients are left out on purpose: h0,c0.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of everything random.")] = 0,
    budget: Annotated[
        float,
        typer.Option(
            min=0.1,
            help="Seconds of processor time, for each pair, for what comes after the verdicts: what to write instead, "
            "the cell, its equations, and what the inputs hide.",
        ),
    ] = 30.0,
    loss: Annotated[
        bool, typer.Option("--loss", help="One function returns the loss and its gradients: return loss, dW, db.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
    output: ReportOutput = None,
) -> None:
    """Check hand-written gradients in a Python file, and name the mistake. FILE is imported, that is, run.

    Pairs named like lstm_forward and lstm_backward are found, classes with both methods, and, where there are none,
    functions that return a loss and its gradients. Their inputs are what make_inputs(rng, T, N), make_lstm_inputs or
    lstm_inputs in the file say, or data in the file called as their arguments are.
    """
    written = choose_report_writer(output)
    loaded = None if cell is None else load_cell(cell)

    from symrnn.cli.listing import gradients
    from symrnn.gradients.checkfile import Wanted, check_file

    def announce() -> None:
        # Before anything of the file runs. To the standard error where the output is JSON, which must stay so.
        typer.echo(f"{printable(str(file))} is imported, that is, run", err=json)

    waiting: list[Timer] = []

    def early(verdicts: GradientReport) -> None:
        """Show the verdicts where the search for what is wrong takes more than a moment."""
        told = f"{verdicts.short()}\nlooking for what is wrong, for {budget:g} s of processor time at most"
        waiting.append(Timer(_MOMENT, typer.echo, [told], {"err": True}))
        waiting[-1].daemon = True
        waiting[-1].start()

    try:
        wanted = Wanted(forward, backward, inputs, loaded, seed, loss, split_names(without), budget, cell)
        report = check_file(file, wanted, announce, early)
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    finally:
        for one in waiting:
            one.cancel()
    if written:
        emit(getattr(report, written)(), output)
    if json:
        emit(report.to_json(), None)
    else:
        for shown in gradients(report, short=output is not None):
            show(shown)
    raise typer.Exit(report.exit_code)


@app.command()
def flow(
    cell: Annotated[
        list[str],
        typer.Argument(
            metavar="CELL...", help="One or more cells: rnn lstm gru.", autocompletion=completion.cell_names
        ),
    ],
    to: Form = None,
    fragment: Fragment = False,
    notation: Names = "subscript",
    layout: JacobianLayout = "",
    output: Output = None,
) -> None:
    """Compare how gradients flow through cells: direct paths over k steps, the other paths, what bounds them."""
    form = choose_form(to, fragment, output)
    loaded = [load_cell(name) for name in dict.fromkeys(cell)]

    from symrnn.calculus.derivation import derive as derived
    from symrnn.documents import flow_document, write

    emit(write(flow_document([derived(one) for one in loaded], notation, layout), form), output)


@app.command()
def diff(
    one: CellName,
    other: CellName,
    to: Form = None,
    fragment: Fragment = False,
    notation: Names = "subscript",
    width: LineWidth = None,
    prefix: LabelPrefix = None,
    heading: FragmentHeading = None,
    output: Output = None,
) -> None:
    """Show two cells side by side, equation by equation, with what differs marked.

    Equations belong together by the parts that their variables play, and not by names: what is equal once the one cell
    has the other's names is the same.
    """
    form = choose_form(to, fragment, output)
    in_latex = choose_in_latex(form, width=width, prefix=prefix, heading=heading)
    first, second = load_cell(one), load_cell(other)

    from symrnn.calculus.differing import diff as compared
    from symrnn.documents import diff_document, write

    written = write(diff_document(compared(first, second), notation), form, **in_latex)
    if form == "text" and output in (None, "-"):
        show_marked(str(written))
    else:
        emit(written, output)


@app.command()
def same(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE...",
            help="Documents, generated modules, cells: paper.tex lstm_numpy.py lstm.",
            autocompletion=completion.texts,
        ),
    ],
) -> None:
    """Tell whether documents, generated modules and cells were made from the same equations.

    Each has the fingerprint of its equations; a module also tells whether its text was changed since it was generated.
    The files are read and never run.
    """
    from symrnn.origins.comparing import same as compared

    found = compared(*files)
    emit(str(found), None)
    if not found:
        raise typer.Exit(1)


def _verify_all(loaded: Sequence[Cell], jobs: int | None) -> tuple[Report, ...]:
    """The reports, with a bar for whoever watches; an interrupt leaves with the code that shells expect."""
    from symrnn.verification.many import verify_many

    try:
        # A bar for one cell says nothing, and in a log it would leave a line for every step.
        if len(loaded) == 1 or sys.stderr is None or not sys.stderr.isatty():
            return verify_many(loaded, jobs)

        from rich.console import Console
        from rich.progress import Progress

        with Progress(console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task("verifying", total=len(loaded))
            return verify_many(loaded, jobs, lambda name: bar.update(task, advance=1, description=f"verified {name}"))
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


def _command() -> int:
    """Run the command that the arguments name; its exit code."""
    command: Callable[..., int | None] = typer.main.get_command(app)
    try:
        # Not standalone: the parser would print its errors and leave by itself, in its own words.
        return command(prog_name="symrnn", standalone_mode=False) or 0
    except Exception as error:
        return usage_error(error, sys.argv[1:])


def main() -> None:
    """The entry point: run a command; say what a user can mend in one message, with exit code 2."""
    run(_command)
