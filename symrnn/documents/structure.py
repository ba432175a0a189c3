"""What a document consists of, whatever it is written in: sections of paragraphs, tables and numbered equations.

Mathematics is kept in LaTeX and in plain text side by side, since each is printed from the expression itself and
neither can be recovered from the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from symrnn.calculus.derivation import Derivation


@dataclass(frozen=True)
class Maths:
    """A formula, in LaTeX without delimiters and in plain text."""

    latex: str
    text: str

    @classmethod
    def joined(cls, formulas: Iterable[Maths], sign: str, text: str = "") -> Maths:
        """Formulas in one, with a sign between them.

        Args:
            formulas: the formulas.
            sign: the sign with its blanks, in LaTeX.
            text: the same in plain text where it is another one.
        """
        every = tuple(formulas)
        return cls(sign.join(one.latex for one in every), (text or sign).join(one.text for one in every))


@dataclass(frozen=True)
class Reference:
    """A mention of numbered equations.

    Attributes:
        lead: the words before the numbers, which make no sense without them.
        targets: the number of each equation in the derivation, and its label.
    """

    lead: str
    targets: tuple[tuple[int, str], ...]

    @property
    def runs(self) -> list[list[tuple[int, str]]]:
        """The equations in order, those that follow one another together."""
        runs: list[list[tuple[int, str]]] = []
        for number, label in sorted(set(self.targets)):
            if runs and number == runs[-1][-1][0] + 1:
                runs[-1].append((number, label))
            else:
                runs.append([(number, label)])
        return runs

    @property
    def numbers(self) -> str:
        """The numbers in words, neighbours as a range: (1), (3)–(5)."""
        return self.joined(lambda target: f"({target[0]})")

    @property
    def text(self) -> str:
        """The mention as text."""
        return f"{self.lead}{self.numbers}"

    def joined(self, show: Callable[[tuple[int, str]], str], dash: str = "–") -> str:
        """The equations as `show` mentions one, ranges by a dash."""
        # A range of two is two numbers: (3), (4) is shorter to understand than (3)–(4).
        shown = [list(dict.fromkeys((show(run[0]), show(run[-1])))) for run in self.runs]
        joined = [(", " if len(run) == 2 else dash).join(one) for run, one in zip(self.runs, shown, strict=True)]
        return ", ".join(dict.fromkeys(joined))


ZERO = Maths("0", "0")
"""What a sum of no terms is."""

Inline = tuple[str | Maths | Reference, ...]
"""Running text: words, to be escaped by the writer, formulas, and mentions of equations."""


def joined(items: Iterable[Inline], between: str = ", ") -> Inline:
    """Running texts one after the other, with something between them; what is empty is left out."""
    return tuple(part for item in items if item for part in (between, *item))[1:]


def enumerated(formulas: Iterable[Maths]) -> Inline:
    """Formulas with commas between them."""
    return joined((formula,) for formula in formulas)


class Authored(str):
    """Words of an author's, which are quoted: no language has other ones for them, and no number in them is ours."""

    __slots__ = ()


@dataclass(frozen=True)
class Paragraph:
    """Running text.

    Attributes:
        parts: the text.
        lead: one or two words set off in front, such as "Source".
    """

    parts: Inline
    lead: str = ""


@dataclass(frozen=True)
class Bullets:
    """A list without numbers."""

    items: tuple[Inline, ...]


@dataclass(frozen=True)
class Table:
    """A table with a line of headings.

    Attributes:
        headings: over the columns.
        rows: the cells.
        is_glossary: whether a row tells the role of symbols, the symbols, and where they live.
    """

    headings: tuple[str, ...]
    rows: tuple[tuple[Inline, ...], ...]
    is_glossary: bool = False

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.headings):
                raise ValueError(f"a table of {len(self.headings)} columns cannot have the row {row}")


@dataclass(frozen=True)
class EquationLine:
    """`left = right`, or without a left side a further term of the line above.

    Attributes:
        left: the left side.
        right: the right side; where there is no left side, it starts with its sign.
        note: a remark beside the line.
        number: the line's own number, where it has one beside that of its equation.
        label: an identifier for this number.
        is_next: whether it says what the line above is equal to as well, rather than a further term.
    """

    left: Maths | None
    right: Maths
    note: Inline = ()
    number: str = ""
    label: str = ""
    is_next: bool = False

    @property
    def whole(self) -> Maths:
        """Both sides as one formula."""
        if self.left is None:
            return self.right
        return Maths.joined((self.left, self.right), " = ")


@dataclass(frozen=True)
class NumberedEquation:
    """One or more lines under one number.

    Attributes:
        number: the number as text, or an empty string.
        lines: the lines; those that all have a left side and no note may stand side by side.
        label: an identifier that stays the same when numbers change, for references.
        version_of: the label of the equation that this one is, in another form: its number has a prime then.
    """

    number: str
    lines: tuple[EquationLine, ...]
    label: str = ""
    version_of: str = ""

    def __post_init__(self) -> None:
        # A writer aligns at the first line's equals sign; without one the number would belong to nothing.
        if not self.lines or self.lines[0].left is None:
            raise ValueError(f"equation {self.number} has no left side")

    @property
    def is_row(self) -> bool:
        """Whether the lines may stand side by side."""
        return all(line.left is not None and not line.note for line in self.lines)

    @property
    def is_several(self) -> bool:
        """Whether every line has a number of its own, so that they may part."""
        return all(line.number for line in self.lines)

    def in_rows(self, columns: int) -> tuple[NumberedEquation, ...]:
        """The lines on rows of so many at most, where each of them has a number; a row has the numbers of its lines."""
        if not self.is_several:
            return (self,)
        # Of four in three columns two and two, which leaves no short row behind.
        each = -(-len(self.lines) // -(-len(self.lines) // columns))
        rows = [self.lines[start : start + each] for start in range(0, len(self.lines), each)]
        return tuple(map(NumberedEquation.of_lines, rows))

    @classmethod
    def of_lines(cls, lines: Sequence[EquationLine]) -> NumberedEquation:
        """Lines with numbers of their own that follow one another, under these."""
        first, last = lines[0], lines[-1]
        number = first.number if first.number == last.number else f"{first.number}–{last.number}"
        return cls(number, tuple(lines), first.label)


@dataclass(frozen=True)
class Display:
    """Equations that are set as one block, aligned at their equals signs."""

    equations: tuple[NumberedEquation, ...]

    @property
    def lines(self) -> Iterator[EquationLine]:
        """Its lines."""
        return (line for equation in self.equations for line in equation.lines)

    def in_columns(self, fits: Callable[[Display, int], bool]) -> tuple[Display, int]:
        """The display in as many columns as fit, and their number; what has no own numbers is not parted."""
        most = max((len(equation.lines) for equation in self.equations if equation.is_row), default=1)
        for columns in range(most, 1, -1):
            rows = Display(tuple(row for equation in self.equations for row in equation.in_rows(columns)))
            # Side by side for all of the display or for none, so that equals signs align.
            if max(len(row.lines) for row in rows.equations if row.is_row) == columns and fits(rows, columns):
                return rows, columns
        return Display(tuple(row for equation in self.equations for row in equation.in_rows(1))), 1


@dataclass(frozen=True)
class Centred:
    """A formula on lines of its own, without a number."""

    formula: Maths


@dataclass(frozen=True)
class AlgorithmLine:
    """A line of an algorithm.

    Attributes:
        kind: "state" for a statement, "for" for the head of a loop, which "end" ends, "require" for what is given,
            "return" for what comes out.
        parts: the line; of a loop, over what it goes.
        note: a remark at its end.
    """

    kind: Literal["require", "state", "for", "end", "return"]
    parts: Inline = ()
    note: Inline = ()


@dataclass(frozen=True)
class Algorithm:
    """An algorithm in numbered lines."""

    lines: tuple[AlgorithmLine, ...]

    @property
    def indented(self) -> Iterator[tuple[int, AlgorithmLine]]:
        """Its lines, each with the number of loops that it stands in."""
        depth = 0
        for line in self.lines:
            depth -= line.kind == "end"
            yield depth, line
            depth += line.kind == "for"


WORDS = {
    "require": "Given: {}",
    "state": "{}",
    "for": "for {} do",
    "end": "end for",
    "return": "return {}",
}
"""A kind of line in an algorithm -> how it reads."""


@dataclass(frozen=True)
class FormulaPair:
    """A formula of each of two things, or of one of them alone.

    Attributes:
        mark: how they differ, a sign of one character; None where they do not.
        left: the first formula, or None.
        right: the second one, or None.
    """

    mark: Maths | None
    left: EquationLine | None
    right: EquationLine | None


@dataclass(frozen=True)
class FormulaPairs:
    """Formulas of two things beside one another, each pair with a mark.

    Attributes:
        headings: what the two are called.
        rows: the pairs.
    """

    headings: tuple[str, str]
    rows: tuple[FormulaPair, ...]


Block = Paragraph | Bullets | Table | Display | Centred | Algorithm | FormulaPairs


@dataclass(frozen=True)
class Section:
    """A part of a document.

    Attributes:
        key: a name for programs, such as "backward".
        heading: the heading for readers.
        blocks: what is in it.
    """

    key: str
    heading: str
    blocks: tuple[Block, ...]

    @property
    def displays(self) -> Iterator[Display]:
        """Its blocks of equations."""
        return (block for block in self.blocks if isinstance(block, Display))

    @property
    def equations(self) -> Iterator[NumberedEquation]:
        """The equations in these."""
        return (equation for display in self.displays for equation in display.equations)


@dataclass(frozen=True)
class Document:
    """A document.

    Attributes:
        name: an identifier, used in labels.
        title: the title.
        origin: one sentence on how it was made, for readers who think of editing it.
        opening: what stands before the first section.
        sections: the rest.
        derivation: what it is the document of, where it is one of a whole derivation; some forms have its code as well.
        language: the language of its words, a key of `choices.LANGUAGES`.
    """

    name: str
    title: str
    origin: str
    opening: tuple[Block, ...]
    sections: tuple[Section, ...]
    derivation: Derivation | None = field(default=None, compare=False, repr=False)
    language: str = "en"

    def section(self, key: str) -> Section:
        """The section with this key.

        Raises:
            KeyError: there is none.
        """
        return {section.key: section for section in self.sections}[key]
