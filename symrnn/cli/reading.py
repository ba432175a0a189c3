"""What the arguments of commands mean: cells, lists of names, the form and the file of what is written."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from symrnn import choices
from symrnn.arguments import listed
from symrnn.characters import printable
from symrnn.choices import either, form_of, picture_of
from symrnn.cli.terminal import remark
from symrnn.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from symrnn.language.recurrence import Cell

_FORMS_OTHERWISE = {
    "latex": "tex",
    "md": "markdown",
    "txt": "text",
    "plain": "text",
    "htm": "html",
    "notebook": "ipynb",
    "jupyter": "ipynb",
}
"""What people call a form -> its name here."""


def load_cell(name: str) -> Cell:
    """The cell that a command line names: from the library, a file, or one of a file's cells."""
    from symrnn.cells.finding import find_cell

    cell = find_cell(name)
    for said in cell.remarks:
        remark(f"{cell.name}: {said}")
    return cell


def with_layers(cell: Cell, layers: int) -> Cell:
    """A network of some layers of a cell; the cell itself where one is asked for."""
    if layers == 1:
        return cell
    from symrnn.heads import stack

    return stack(cell, layers)


def choose_loss_at(given: str | None, heads: Sequence[str]) -> str:
    """At which steps the loss is: at every one where nothing is said; nothing where the heads end in none.

    Raises:
        InputError: it was said of heads without a loss.
    """
    from symrnn.heads import find_head

    has_loss = bool(heads) and find_head(heads[-1]).has_loss
    if given is not None and not has_loss:
        raise InputError("--loss-at goes with a head that ends in a loss\n  add one: --head softmax-cross-entropy")
    return (given or "every") if has_loss else ""


def with_heads(cell: Cell, names: Sequence[str]) -> Cell:
    """A cell with what stands behind it, one after the other."""
    if not names:
        return cell
    from symrnn.heads import find_head, with_head

    joined = with_head(cell, find_head(names[0]))
    for name in names[1:]:
        joined = with_head(joined, find_head(name))
    return joined.cell


# Both ways at once, --with jvp --with hvp,rtrl, since people write either; each name once, in the order given.
def split_names(given: Sequence[str] | None) -> tuple[str, ...]:
    """The names of an option that may be repeated, and may list several between commas."""
    return tuple(dict.fromkeys(name for text in given or () for name in listed(text, "")))


def choose_form(to: str | None, fragment: bool, output: str | None) -> str:
    """The form to write in, from what was asked for."""
    from symrnn.suggestions import did_you_mean

    # What is said outright, then what the file's name says, then the default.
    form = to or form_of(output) or ("tex" if fragment else "text")
    if form not in choices.FORMS:
        hint = did_you_mean(form, choices.FORMS, called=_FORMS_OTHERWISE)
        raise InputError(f"--to {printable(form)}: there is no such form\n  {hint}there are {', '.join(choices.FORMS)}")
    if fragment and form != "tex":
        said = f"--to {form}" if to else f"-o {printable(output or '')}, which asks for {form}"
        raise InputError(f"--fragment goes with tex, not with {said}\n  leave --fragment out, or write tex")
    return "fragment" if fragment else form


def choose_picture(to: str | None, output: str | None) -> str:
    """The form to draw in, from what was asked for.

    Raises:
        InputError: there is no such form, or none belongs to the file's ending.
    """
    from symrnn.suggestions import did_you_mean

    if to is None:
        return "svg" if output is None else picture_of(output)
    if to not in choices.PICTURES:
        hint = did_you_mean(to, choices.PICTURES)
        known = ", ".join(choices.PICTURES)
        raise InputError(f"--to {printable(to)}: there is no such form\n  {hint}there are {known}")
    return to


def choose_in_latex(form: str, **given: str | bool | None) -> dict[str, Any]:
    """Those options that only LaTeX has, where they are given.

    Raises:
        InputError: another form is written, or a heading was chosen for a document that has one of its own.
    """
    chosen = {name: value for name, value in given.items() if value is not None}
    for name in chosen:
        if form not in ("tex", "fragment", "pdf"):
            raise InputError(f"--{name} goes with tex, not with {form}\n  leave it out, or write tex: --to tex")
        if name == "heading" and form != "fragment":
            raise InputError("--heading goes with --fragment\n  leave it out, or write a fragment")
        if name == "prefix" and not chosen[name]:
            raise InputError("--prefix is empty\n  leave it out for the name of the cell")
    return chosen


def refuse_own_file(cell: str, output: str | None) -> None:
    """A module does not take the place of the file that its cell is read from.

    Raises:
        InputError: the output is that file.
    """
    paths = (cell, cell.rpartition(":")[0])
    if output and os.path.exists(output) and any(os.path.exists(p) and os.path.samefile(p, output) for p in paths):
        raise InputError(f"-o {printable(output)}: the cell stands in this file\n  give another file")


def choose_report_writer(output: str | None) -> str | None:
    """The method that writes a report into a file with this ending."""
    if output is None:
        return None
    ending = Path(output).suffix.lower()
    if ending not in choices.REPORTS:
        known = either(choices.REPORTS)
        raise InputError(f"-o {printable(output)}: no form belongs to {ending or 'that'}\n  end it in {known}")
    return choices.REPORTS[ending]
