"""What a document consists of, whatever it is written in: sections of paragraphs, tables and numbered equations.

Mathematics is kept in LaTeX and in plain text side by side, since each is printed from the expression itself and
neither can be recovered from the other.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Maths:
    """A formula, in LaTeX without delimiters and in plain text."""

    latex: str
    text: str


Inline = tuple[str | Maths, ...]
"""Running text: words, to be escaped by the writer, and formulas."""


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
    """A table with a line of headings."""

    headings: tuple[str, ...]
    rows: tuple[tuple[Inline, ...], ...]

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
    """

    left: Maths | None
    right: Maths
    note: Inline = ()


@dataclass(frozen=True)
class NumberedEquation:
    """One or more lines under one number.

    Attributes:
        number: the number as text, or an empty string.
        lines: the lines; those that all have a left side and no note may stand side by side.
        label: an identifier that stays the same when numbers change, for references.
    """

    number: str
    lines: tuple[EquationLine, ...]
    label: str = ""

    def __post_init__(self) -> None:
        # A writer aligns at the first line's equals sign; without one the number would belong to nothing.
        if not self.lines or self.lines[0].left is None:
            raise ValueError(f"equation {self.number} has no left side")

    @property
    def is_row(self) -> bool:
        """Whether the lines may stand side by side."""
        return all(line.left is not None and not line.note for line in self.lines)


@dataclass(frozen=True)
class Display:
    """Equations that are set as one block, aligned at their equals signs."""

    equations: tuple[NumberedEquation, ...]


@dataclass(frozen=True)
class Centred:
    """A formula on lines of its own, without a number."""

    formula: Maths


Block = Paragraph | Bullets | Table | Display | Centred


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


@dataclass(frozen=True)
class Document:
    """A document.

    Attributes:
        name: an identifier, used in labels.
        title: the title.
        origin: one sentence on how it was made, for readers who think of editing it.
        opening: what stands before the first section.
        sections: the rest.
    """

    name: str
    title: str
    origin: str
    opening: tuple[Block, ...]
    sections: tuple[Section, ...]

    def section(self, key: str) -> Section:
        """The section with this key.

        Raises:
            KeyError: there is none.
        """
        return {section.key: section for section in self.sections}[key]

    @property
    def formulas(self) -> Iterator[Maths]:
        """Every formula in a displayed equation."""
        for section in self.sections:
            for display in section.displays:
                for equation in display.equations:
                    for line in equation.lines:
                        yield line.right
                        if line.left is not None:
                            yield line.left
