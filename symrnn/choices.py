"""The names that can be chosen on the command line, without the tables that they are keys of.

The tables themselves need SymPy; help and completion must not.  The tests hold each list against its table.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from symrnn.characters import printable
from symrnn.errors import InputError

_PRESETS = (Path(__file__).parent / "printers" / "presets").glob("*.toml")
# What is used where nothing is said comes first, the others by name.
NOTATIONS = tuple(sorted((path.stem for path in _PRESETS), key=lambda name: (name != "subscript", name)))
"""Keys of `printers.notation.NOTATIONS`: the files of its folder, so that adding one is adding a file."""
FORMS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "text": (".txt",),
        "tex": (".tex",),
        "markdown": (".md", ".markdown"),
        "html": (".html", ".htm"),
        "pdf": (".pdf",),
        "ipynb": (".ipynb",),
    }
)
"""Forms of `documents.FORMS` that are written to files -> the endings of such files."""
KINDS = ("direct", "cell", "total")
"""Those of `calculus.window.KINDS`."""
LAYOUTS = ("numerator", "denominator")
"""Keys of `calculus.jacobian.LAYOUTS`."""
SECTIONS = (
    "source",
    "wrong",
    "conventions",
    "symbols",
    "forward",
    "loss",
    "backward",
    "time",
    "gradients",
    "algorithm",
    "jacobians",
    "kronecker",
    "steps",
    "flow",
    "remarks",
    "properties",
    "rules",
    "rewritings",
)
"""Keys of `documents.parts.PARTS`: what a document can have, in the order that it has by itself."""
FURTHER = ("algorithm", "flow", "properties", "rewritings")
"""Sections that no document has by itself: long ones, or for who wants to follow; the properties take a second too."""
LANGUAGES: Mapping[str, str] = MappingProxyType({"en": "English", "zh": "中文"})
"""Languages of documents -> their own names; keys of `documents.languages.TABLES`, and English."""
LOSS_AT = ("every", "last")
"""At which steps a loss is: at every one, or at the last alone."""
LEVELS: Mapping[str, str] = MappingProxyType(
    {
        "brief": "formulas alone, a page or less for most cells",
        "full": "with reasons, Jacobians and conventions",
        "lecture": "every step as rule, substitution and result",
    }
)
"""How much a document says -> in words."""
GATES: Mapping[str, str] = MappingProxyType(
    {
        "each": "every gate on its own",
        "one-line": "one line for all gates of the same form",
        "stacked": "gates of the same form as blocks of one equation",
    }
)
"""How gates whose equations have the same form are written -> in words."""
WIDTHS = ("page", "column")
"""How wide a line is: that of a page, or a column of a paper that has two."""
NUMBERS = ("automatic", "fixed", "none")
"""Who numbers equations in LaTeX: the document that they are in, the derivation, or nobody."""
HEADINGS = ("section", "subsection", "subsubsection", "paragraph", "none")
"""The command of a fragment's heading in LaTeX; its parts are one level lower."""
HEADS = (
    "softmax-cross-entropy",
    "sigmoid-cross-entropy",
    "squared-error",
    "sigmoid-squared-error",
    "tanh-squared-error",
    "relu-squared-error",
    "softmax-squared-error",
    "state-squared-error",
    "state-softmax-cross-entropy",
    "state-weighted-sum",
    "squares",
    "state-squares",
    "state-sum",
    "readout",
    "sigmoid-readout",
    "tanh-readout",
    "relu-readout",
    "softmax-readout",
    "softplus-readout",
    "exp-readout",
)
"""Keys of `heads.HEADS`."""
TARGETS = ("numpy",)
"""Keys of `targets.generation.TARGETS`."""
FUNCTIONS = ("jvp", "hvp", "rtrl", "truncate")
"""Keys of `targets.generation.FURTHER`, and `targets.generation.TRUNCATE`."""
PICTURES = ("svg", "tex", "tikz")
"""`pictures.FORMS`; a file's ending is the form's name."""
_PIXELS = frozenset({"png", "jpg", "jpeg", "gif", "webp", "tif", "tiff", "pdf", "eps", "ps", "bmp"})
"""What people want pictures in that other programs make: browsers, Inkscape, rsvg-convert, pdflatex."""
DETAILS = ("gates", "operations")
"""`pictures.DETAILS`."""
REPORTS: Mapping[str, str] = MappingProxyType({".json": "to_json", ".html": "to_html"})
"""Endings of files for reports -> the method of `gradients.file_report.FileReport` that writes them."""


def either(names: tuple[str, ...] | Mapping[str, object]) -> str:
    """The names in words.

    >>> either(("text", "tex", "markdown"))
    'text, tex or markdown'
    """
    *before, last = names
    return f"{', '.join(before)} or {last}" if before else last


def ending_of(path: str | os.PathLike[str] | None) -> str:
    """The ending of a file's name in small letters; empty for the terminal and for devices."""
    # /dev/fd/3.tex is no file of that ending, and a pipe has no form that could be read off its name.
    if path is None or _is_device(path):
        return ""
    return Path(path).suffix.lower()


def _is_device(path: str | os.PathLike[str]) -> bool:
    return os.path.abspath(path).startswith(("/dev/", "/proc/"))


def form_of(path: str | os.PathLike[str] | None) -> str | None:
    """The form that a file's ending asks for; None where it has none, as the terminal.

    Raises:
        InputError: no form belongs to the ending.
    """
    ending = ending_of(path)
    # lstm.v2 and a name without a dot ask for nothing; the caller has a default.
    if not ending[1:].isalpha():
        return None
    for form, endings in FORMS.items():
        if ending in endings:
            return form
    known = ", ".join(one for endings in FORMS.values() for one in endings)
    code = "code is written by 'symrnn generate'; " if ending == ".py" else ""
    shown = printable(os.fspath(path or ""))
    raise InputError(f"{shown}: no form belongs to {ending}\n  {code}end it in one of {known}, or say the form")


def picture_of(path: str | os.PathLike[str]) -> str:
    """The form of a picture that a file's ending asks for; SVG for the terminal and for devices.

    Raises:
        InputError: pictures are not written in that form.
    """
    ending = ending_of(path).removeprefix(".")
    if ending in PICTURES:
        return ending
    name = os.fspath(path)
    if name == "-" or _is_device(path):
        return "svg"
    problem = f"pictures are not written as .{ending}" if ending else "no ending says in which form to draw"
    known = ", ".join(f".{form}" for form in PICTURES)
    other = "; other programs make that of an .svg" if ending in _PIXELS else ""
    raise InputError(f"{printable(name)}: {problem}\n  end it in one of {known}{other}")
