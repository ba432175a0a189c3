"""What can be chosen about a document: one object, checked once, for the command line and for Python alike."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, fields, replace
from typing import Any

from symrnn import choices
from symrnn.arguments import listed
from symrnn.errors import InputError, UnknownNameError
from symrnn.printers.notation import Notation, find_notation
from symrnn.suggestions import did_you_mean

_GATES = {"brief": "one-line", "full": "each", "lecture": "each"}
"""How gates are written where nothing is said, by level."""
_BRIEF = ("wrong", "forward", "loss", "backward", "time", "gradients", "remarks")
"""What a brief document has: the formulas, and what is wrong or unusual about them, which no level leaves out."""
_OTHERWISE = {
    "english": "en",
    "chinese": "zh",
    "zh-cn": "zh",
    "cn": "zh",
    "paths": "jacobians",
    "parameters": "gradients",
    "backpropagation": "backward",
    "equations": "forward",
    "notation": "conventions",
    "bptt": "time",
    "references": "source",
    "short": "brief",
    "compact": "brief",
    "long": "lecture",
    "line": "one-line",
    "auto": "automatic",
    "off": "none",
    "two-column": "column",
    "narrow": "column",
    "twocolumn": "column",
}
"""What people call things -> their names here."""


_OF_COLUMNS = ("jacobians", "kronecker", "steps")
"""What is written with columns alone: products of Jacobians, and vec, which stacks columns."""


@dataclass(frozen=True)
class DocumentOptions:
    r"""What can be chosen about a document.

    Attributes:
        notation: how names look, by name or as a `Notation`.
        layout: how Jacobians are laid out, "numerator" or "denominator"; empty for what the notation has.  A gradient
            has its variable's shape in both.
        level: how much is said: "brief" has formulas alone, "full" has reasons, Jacobians and conventions, "lecture"
            shows every step as rule, substitution and result.
        sections: what the document has, in this order; empty for what the level has.
        further: sections beside those of the level, such as "properties", each proved anew, which takes a second or
            some.
        gates: how gates whose equations have the same form are written: "each", "one-line" or "stacked"; empty for what
            the level has.
        width: "page", or "column" of a paper that has two.
        numbers: who numbers equations in LaTeX: "automatic" leaves it to the document that they are in, "fixed" writes
            the derivation's own numbers, "none" writes none; empty for automatic in a fragment, and fixed elsewhere.
        prefix: what stands in front of the labels in LaTeX, before a colon; empty for the name of the cell.
        loss_at: where the last state is the loss of a step, at which steps it counts: "every" or "last"; empty for a
            document that says nothing of it.
        heading: the command of a fragment's heading in LaTeX; its parts are one level lower. "none" leaves out both.
        language: the language of the document's own words, "en" or "zh"; what the author wrote stays as it is.
        cite: whether LaTeX has `\cite` beside the papers that are named; a fragment leaves their list to its host, for
            which `symrnn cells --bib` writes the entries.

    Raises:
        UnknownNameError: there is no notation, section or value of that name.
        InputError: there is no such layout, or the prefix is none.
    """

    notation: str | Notation = "subscript"
    layout: str = ""
    level: str = "full"
    sections: str | Collection[str] = ()
    further: str | Collection[str] = ()
    gates: str = ""
    width: str = "page"
    numbers: str = ""
    prefix: str = ""
    heading: str = "subsection"
    language: str = "en"
    cite: bool = False
    loss_at: str = ""

    def __post_init__(self) -> None:
        """Check every choice, and replace names by what they stand for."""
        object.__setattr__(self, "notation", find_notation(self.notation))
        if not self.layout:
            object.__setattr__(self, "layout", self.shown.layout)
        _check("layout of Jacobian", self.layout, choices.LAYOUTS, InputError)
        _check("level", self.level, choices.LEVELS)
        _check("width", self.width, choices.WIDTHS)
        _check("kind of heading", self.heading, choices.HEADINGS)
        _check("language", self.language, choices.LANGUAGES)
        for what, given, known in (
            ("form of gates", self.gates, tuple(choices.GATES)),
            ("numbers", self.numbers, choices.NUMBERS),
            ("step of a loss", self.loss_at, choices.LOSS_AT),
        ):
            if given != "":
                _check(what, given, known)
        sections, further = listed(self.sections, "sections"), listed(self.further, "further")
        for name in sections:
            _check("section", name, choices.SECTIONS)
        for name in further:
            _check("further section", name, choices.FURTHER)
        of_columns = [name for name in sections if name in _OF_COLUMNS]
        if self.shown.rows and of_columns:
            remedy = "leave it out, or take a notation with columns: rows = false"
            raise InputError(f"the section {of_columns[0]!r} is not written where vectors are rows\n  {remedy}")
        object.__setattr__(self, "sections", tuple(dict.fromkeys(sections)))
        object.__setattr__(self, "further", tuple(dict.fromkeys(further)))
        # What would end a label or its command; an empty one stands for the cell's name.
        if not isinstance(self.prefix, str) or not re.fullmatch(r"[\w.:+*/-]*", self.prefix, re.ASCII):
            remedy = "take letters, digits, and - _ . : + * /, as in prefix='app-lstm'"
            raise InputError(f"prefix={self.prefix!r} cannot begin a label\n  {remedy}")

    @property
    def shown(self) -> Notation:
        """The notation."""
        assert isinstance(self.notation, Notation)  # replaced when it was checked
        return self.notation

    @property
    def parts(self) -> tuple[str, ...]:
        """The keys of the sections that the document has, in order."""
        if self.sections:
            return tuple(self.sections)
        usual = _BRIEF if self.level == "brief" else [key for key in choices.SECTIONS if key not in choices.FURTHER]
        usual = [key for key in usual if not (self.shown.rows and key in _OF_COLUMNS)]
        return tuple(key for key in choices.SECTIONS if key in usual or key in self.further)

    @property
    def form_of_gates(self) -> str:
        """How gates are written."""
        return self.gates or _GATES[self.level]


def choose(
    options: DocumentOptions | None = None, notation: str | Notation | None = None, **chosen: Any
) -> DocumentOptions:
    """The options, with what was chosen beside them.

    Args:
        options: the options; None for the usual ones.
        notation: how names look; None for what the options have.
        **chosen: single options by name.

    Raises:
        InputError: there is no option of a name.
    """
    known = [field.name for field in fields(DocumentOptions)]
    for name in chosen:
        if name not in known:
            raise InputError(f"no option {name!r}\n  {did_you_mean(name, known)}there are {', '.join(known)}")
    if notation is not None:
        chosen["notation"] = notation
    return replace(options, **chosen) if options else DocumentOptions(**chosen)


def _check(what: str, given: object, known: Iterable[str], error: type[Exception] = UnknownNameError) -> None:
    names = tuple(known)
    if not isinstance(given, str) or given not in names:
        hint = did_you_mean(given, names, called={old: new for old, new in _OTHERWISE.items() if new in names})
        shown = ", ".join(map(repr, names)) if error is InputError else ", ".join(names)
        raise error(f"no {what} {given!r}\n  {hint}there are {shown}")
