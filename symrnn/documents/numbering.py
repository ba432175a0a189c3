"""Sections with other numbers, or on other rows: what is mentioned is an equation that is there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from symrnn.documents.structure import (
    Algorithm,
    Block,
    Display,
    Inline,
    NumberedEquation,
    Paragraph,
    Reference,
    Section,
)


def labels_of(sections: Iterable[Section]) -> frozenset[str]:
    """The labels of the equations in the sections, and of the lines of these."""
    equations = [equation for section in sections for equation in section.equations]
    lines = {line.label for equation in equations for line in equation.lines}
    return frozenset(lines | {equation.label for equation in equations})


def without_lost_references(sections: Iterable[Section]) -> tuple[Section, ...]:
    """The sections without mentions of equations that are in none of them."""
    every = tuple(sections)
    labels = labels_of(every)

    def own(equation: NumberedEquation) -> NumberedEquation:
        """The equation; it is no version of one that is not there."""
        return equation if equation.version_of in labels else replace(equation, version_of="")

    def kept(reference: Reference) -> Reference | None:
        return reference if all(label in labels for _, label in reference.targets) else None

    return tuple(_with_mentions(_with_equations(section, own), kept) for section in every)


def arrange(sections: Iterable[Section], fits: Callable[[Display, int], bool]) -> tuple[Section, ...]:
    """The sections with their equations in as many columns as fit; what mentions one of a row mentions the row."""
    every = [
        replace(s, blocks=tuple(b.in_columns(fits)[0] if isinstance(b, Display) else b for b in s.blocks))
        for s in sections
    ]
    equations = [equation for section in every for equation in section.equations]
    rows = {line.label: equation.label for equation in equations for line in equation.lines if line.label}

    def mention(reference: Reference) -> Reference:
        return replace(
            reference, targets=tuple((number, rows.get(label, label)) for number, label in reference.targets)
        )

    return tuple(_with_mentions(section, mention) for section in every)


def renumbered(sections: Iterable[Section]) -> tuple[Section, ...]:
    """The sections with numbers from 1 on in their order, and mentions with these."""
    every = tuple(sections)
    numbers = _count(equation for section in every for equation in section.equations)

    def number(label: str, version_of: str = "") -> str:
        return f"{numbers[version_of]}'" if version_of in numbers else str(numbers[label]) if label else ""

    def change(equation: NumberedEquation) -> NumberedEquation:
        lines = tuple(replace(line, number=number(line.label) if line.number else "") for line in equation.lines)
        if equation.is_several:
            return replace(equation, lines=lines, number=NumberedEquation.of_lines(lines).number)
        return replace(equation, lines=lines, number=number(equation.label, equation.version_of))

    def mention(reference: Reference) -> Reference:
        return replace(reference, targets=tuple((numbers.get(label, old), label) for old, label in reference.targets))

    return tuple(_with_mentions(_with_equations(section, change), mention) for section in every)


def _count(equations: Iterable[NumberedEquation]) -> Mapping[str, int]:
    """Label -> number."""
    numbers: dict[str, int] = {}
    for equation in equations:
        lines = equation.lines if equation.is_several else ()
        for label in [line.label for line in lines] or [equation.label]:
            # A version of another equation has its number; lines without a label are explanations.
            if label and equation.version_of not in numbers:
                numbers[label] = len(numbers) + 1
    return numbers


def _with_equations(section: Section, change: Callable[[NumberedEquation], NumberedEquation]) -> Section:
    """The section with its equations changed."""
    blocks = (Display(tuple(map(change, b.equations))) if isinstance(b, Display) else b for b in section.blocks)
    return replace(section, blocks=tuple(blocks))


def _with_mentions(section: Section, change: Callable[[Reference], Reference | None]) -> Section:
    """The section with what mentions equations changed, in its text and in the remarks beside them."""

    def inline(parts: Inline) -> Inline:
        changed = (change(part) if isinstance(part, Reference) else part for part in parts)
        return tuple(part for part in changed if part is not None)

    def noted(equation: NumberedEquation) -> NumberedEquation:
        return replace(equation, lines=tuple(replace(line, note=inline(line.note)) for line in equation.lines))

    def text(block: Block) -> Block:
        match block:
            case Paragraph():
                return replace(block, parts=inline(block.parts))
            case Algorithm():
                return Algorithm(tuple(replace(line, note=inline(line.note)) for line in block.lines))
        return block

    return _with_equations(replace(section, blocks=tuple(map(text, section.blocks))), noted)
