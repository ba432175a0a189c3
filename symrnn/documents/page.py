"""Document -> one HTML file: no request leaves it, it works without its script, and formulas are MathML.

Every numbered equation has an anchor, every mention of a number is a link, and a symbol in a formula is a link to its
definition that says what it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from html import escape

from symrnn.characters import printable_lines
from symrnn.documents.breaking import LATEX, break_lines, ems
from symrnn.documents.languages import say
from symrnn.documents.mathml import Glossary, Meaning, look_of, mathml
from symrnn.documents.page_style import SCRIPT, STYLE
from symrnn.documents.structure import (
    WORDS,
    Algorithm,
    AlgorithmLine,
    Block,
    Bullets,
    Centred,
    Display,
    Document,
    EquationLine,
    FormulaPair,
    FormulaPairs,
    Inline,
    Maths,
    NumberedEquation,
    Paragraph,
    Reference,
    Section,
    Table,
)

_LINE = 42.0
"""Ems of a formula in the column of text, 54 rem wide between its margins, where formulas are a little larger than
text; a longer one is broken, since browsers break none."""
_BESIDE = 25.0
"""Ems of a formula beside which there is room for a remark of a few words."""
_INDENT = 2.0
_MOST_COLUMNS = 4
"""Columns of equations that the style sheet knows."""
_NOT_IN_NAMES = re.compile(r"[^\w-]+")
# Nothing may be fetched, whatever stands in the page.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"


def write(document: Document) -> str:
    """The document as a page.

    Raises:
        MissingRuleError: a formula has a command that cannot be written in MathML.
    """
    return _Page(document, _find_places(document), _collect_glossary(document)).write()


# --- anchors and symbols ----------------------------------------------------------------------------------------------


def _name(text: str) -> str:
    return _NOT_IN_NAMES.sub("-", text).strip("-")


def _equations(document: Document) -> Iterator[tuple[Section, NumberedEquation]]:
    return ((section, equation) for section in document.sections for equation in section.equations)


def _anchor(label: str) -> str:
    return f"eq-{_name(label)}"


def _find_places(document: Document) -> Mapping[str, Meaning]:
    """Where each label is, and what stands there; lines with labels of their own have a place each."""
    found: dict[str, Meaning] = {}
    for _, equation in _equations(document):
        if equation.label:
            found.setdefault(equation.label, Meaning(_anchor(equation.label), _say(equation.number, equation.lines)))
        for line in equation.lines:
            if line.label:
                found[line.label] = Meaning(_anchor(line.label), _say(line.number, (line,)))
    return found


def _say(number: str, lines: Iterable[EquationLine]) -> str:
    said = "; ".join(f"{line.left.text} = {line.right.text}" for line in lines if line.left)
    return f"({number}) {said}" if number else said


def _tables(document: Document) -> Iterator[Table]:
    for blocks in (document.opening, *(section.blocks for section in document.sections)):
        yield from (block for block in blocks if isinstance(block, Table) and block.is_glossary)


def _collect_glossary(document: Document) -> Glossary:
    """What the table of symbols tells, and the left sides of equations; the first that defines a symbol counts."""
    meanings: dict[tuple[str, ...], Meaning] = {}
    places: dict[tuple[str, ...], Meaning] = {}
    for section, equation in _equations(document):
        for line in equation.lines:
            if line.left is not None:
                label, number = line.label or equation.label, line.number or equation.number
                if not label:
                    continue
                said = f" ({number})" if number else ""
                words = f"{line.left.text}: {section.heading}{said}"
                places.setdefault(look_of(line.left.latex), Meaning(_anchor(label), words))
    for index, (symbol, words) in enumerate(_explained(document)):
        look = look_of(symbol.latex)
        target = places[look].target if look in places else f"symbol-{index}"
        meanings.setdefault(look, Meaning(target, words))
    # Of more parts than three it is a formula, not a symbol, and nobody writes it a second time.
    return Glossary({look: one for look, one in {**places, **meanings}.items() if len(look) <= 3})


def _explained(document: Document) -> Iterator[tuple[Maths, str]]:
    """The symbols of the tables, each with what it is, in order."""
    for table in _tables(document):
        for role, symbols, space in table.rows:
            said = _plain(role)
            where = _plain(space)
            for part in symbols:
                if isinstance(part, Maths):
                    # A constant is written with its value: alpha = 0.1.
                    latex, _, value = part.latex.partition(" = ")
                    text = part.text.partition(" = ")[0]
                    more = f" = {value}" if value else ""
                    yield Maths(latex, text), f"{text}{more}: {said}, {where}"


def _plain(parts: Inline) -> str:
    return "".join(part if isinstance(part, str) else part.text for part in parts)


# --- the page ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Page:
    """Writes the parts of a page.

    Attributes:
        document: what is written.
        places: label of an equation -> where it is.
        glossary: the symbols that explain themselves.
    """

    document: Document
    places: Mapping[str, Meaning]
    glossary: Glossary

    def write(self) -> str:
        """The whole file."""
        document = self.document
        title = _text(document.title)
        head = (
            f'<meta charset="utf-8">\n<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            f'<meta name="description" content="{_text(document.origin)}">\n<title>{title}</title>\n'
            f"<style>{STYLE}</style>"
        )
        sections = "\n".join(self._section(number, section) for number, section in enumerate(document.sections, 1))
        opening = "\n".join(map(self._block, document.opening))
        body = (
            f'<a class="skip" href="#text">{self._say("Skip to the text")}</a>\n<header><h1>{title}</h1></header>\n'
            f'{self._contents()}\n<main id="text" tabindex="-1">\n{opening}\n{sections}\n</main>\n'
            f'<footer>{_text(document.origin)}</footer>\n<div id="tip" role="tooltip" hidden></div>\n'
            f"<script>{SCRIPT}</script>"
        )
        start = f'<!DOCTYPE html>\n<html lang="{document.language}">'
        return f"{start}\n<head>\n{head}\n</head>\n<body>\n{body}\n</body>\n</html>\n"

    def _say(self, words: str) -> str:
        return _text(say(self.document.language, words))

    def _contents(self) -> str:
        items = "".join(
            f'<li><a href="#{_name(section.key)}">{_text(section.heading)}</a></li>'
            for section in self.document.sections
        )
        heading = self._say("Contents")
        return (
            f'<nav aria-labelledby="contents"><h2 id="contents">{heading}</h2><ol>{items}</ol></nav>' if items else ""
        )

    def _section(self, number: int, section: Section) -> str:
        blocks = "\n".join(map(self._block, section.blocks))
        name = _name(section.key)
        heading = f'<h2 id="{name}"><a href="#{name}">{number}. {_text(section.heading)}</a></h2>'
        return f'<section aria-labelledby="{name}">\n{heading}\n{blocks}\n</section>'

    def _block(self, block: Block) -> str:
        match block:
            case Paragraph():
                lead = f"<strong>{_text(block.lead)}.</strong> " if block.lead else ""
                return f"<p>{lead}{self._inline(block.parts)}</p>"
            case Bullets():
                return f"<ul>{''.join(f'<li>{self._inline(item)}</li>' for item in block.items)}</ul>"
            case Table():
                return self._table(block)
            case Display():
                return self._display(block)
            case Algorithm():
                steps = "".join(self._step(depth, line) for depth, line in block.indented)
                return f'<ol class="algorithm">{steps}</ol>'
            case Centred():
                pieces = break_lines(block.formula.latex, _LINE, LATEX, _INDENT)
                shown = "".join(self._formula(piece, block.formula.text, display=True) for piece in pieces)
                return f'<div class="centred" tabindex="0">{shown}</div>'
            case FormulaPairs():
                heads = "".join(f'<th scope="col">{_text(heading)}</th>' for heading in ("", *block.headings))
                rows = "".join(map(self._pair, block.rows))
                body = f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"
                return f'<div class="scroll" tabindex="0">{body}</div>'

    def _pair(self, pair: FormulaPair) -> str:
        mark = self._part(pair.mark) if pair.mark else ""
        shown = (self._half(line) for line in (pair.left, pair.right))
        return f"<tr><td>{mark}</td>{''.join(f'<td>{one}</td>' for one in shown)}</tr>"

    def _half(self, line: EquationLine | None) -> str:
        """A formula in a cell of a table, its further lines below the first one."""
        if line is None:
            return ""
        first, *others = break_lines(line.whole.latex, _LINE / 2, LATEX, _INDENT)
        pieces = (self._formula(rf"\qquad {piece}", "") for piece in others)
        return "<br>".join([self._formula(first, line.whole.text), *pieces])

    def _step(self, depth: int, line: AlgorithmLine) -> str:
        head, _, tail = self._say(WORDS[line.kind]).partition("{}")
        said = f"<b>{head}</b>{self._inline(line.parts)}<b>{tail}</b>".replace("<b></b>", "")
        note = f'<span class="note">{self._inline(line.note)}</span>' if line.note else ""
        return f'<li style="--depth:{depth}">{said} {note}</li>'

    def _formula(self, latex: str, text: str, display: bool = False) -> str:
        return mathml(latex, text, self.glossary, display)

    def _inline(self, parts: Inline) -> str:
        return "".join(map(self._part, parts))

    def _part(self, part: str | Maths | Reference) -> str:
        if isinstance(part, Maths):
            return self._formula(part.latex, part.text)
        if isinstance(part, Reference):
            return _text(part.lead) + part.joined(self._mention)
        return _text(part)

    def _mention(self, target: tuple[int, str]) -> str:
        """The number of an equation, as a link that says the equation."""
        number, label = target
        if label not in self.places:
            return f"({number})"
        place = self.places[label]
        return f'<a href="#{place.target}" title="{_text(place.words)}">({number})</a>'

    # --- tables and equations -----------------------------------------------------------------------------------------

    def _table(self, table: Table) -> str:
        head = "".join(f'<th scope="col">{_text(heading)}</th>' for heading in table.headings)
        names = iter(range(10**6)) if table.is_glossary else None
        rows = "".join(self._row(row, names) for row in table.rows)
        body = f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
        return f'<div class="scroll" tabindex="0">{body}</div>'

    def _row(self, row: tuple[Inline, ...], names: Iterator[int] | None) -> str:
        if names is None:
            return f"<tr>{''.join(f'<td>{self._inline(cell)}</td>' for cell in row)}</tr>"
        role, symbols, space = row
        named = "".join(
            f'<span id="symbol-{next(names)}">{self._formula(part.latex, part.text)}</span>'
            if isinstance(part, Maths)
            else self._part(part)
            for part in symbols
        )
        shown = (f"<td>{self._inline(role)}</td>", f"<td>{named}</td>", f"<td>{self._inline(space)}</td>")
        return f"<tr>{''.join(shown)}</tr>"

    def _display(self, display: Display) -> str:
        rows, columns = display.in_columns(_fits)
        # A remark stands beside its formula where that leaves room in all lines, so that remarks have one edge.
        is_beside = max(map(_width, rows.lines)) <= _BESIDE
        shown = "\n".join(self._equation(equation, columns, is_beside) for equation in rows.equations)
        label = ", ".join(f"({equation.number})" for equation in rows.equations if equation.number)
        # With a label it has to have a role; without, a screen reader reads what is in it.
        named = f' role="group" aria-label="{_text(label)}"' if label else ""
        return f'<div class="display" tabindex="0"{named} style="--columns:{columns}">\n{shown}\n</div>'

    def _equation(self, equation: NumberedEquation, columns: int, is_beside: bool) -> str:
        number = f"({_text(equation.number)})" if equation.number else ""
        anchor = f' id="{_anchor(equation.label)}"' if equation.label else ""
        tag = f'<div class="number"{anchor}>{number}</div>'
        if columns > 1 and equation.is_row:
            return "".join((*(self._line(line, place, equation) for place, line in enumerate(equation.lines, 1)), tag))
        shown = []
        for index, line in enumerate(equation.lines):
            own = "" if index else tag
            note = f"[{self._inline(line.note)}]" if line.note else ""
            beside = f'<div class="note beside">{note}</div>' if note and is_beside else ""
            below = f'<div class="note below">{note}</div>' if note and not is_beside else ""
            shown.append(self._line(line, 1, equation) + beside + own + below)
        return "".join(shown)

    def _line(self, line: EquationLine, column: int, equation: NumberedEquation) -> str:
        anchor = f' id="{_anchor(line.label)}"' if line.label and line.label != equation.label else ""
        left = "" if line.left is None else self._formula(line.left.latex, line.left.text, display=True)
        start = "= " if line.left is not None or line.is_next else "{} "
        room = max(_LINE - _left_width(line), _LINE / 2)
        first, *others = break_lines(line.right.latex, room, LATEX, _INDENT)
        # The whole is said with its first piece; the others would be read a second time.
        pieces = [self._piece(f"{start}{first}", f"{start.removeprefix('{} ')}{line.right.text}")]
        pieces += [self._piece(rf"{{}} {piece}", "") for piece in others]
        further = "" if start == "= " else " further"
        shown = f'<div class="right c{column}{further}">{"".join(pieces)}</div>'
        return f'<div class="left c{column}"{anchor}>{left}</div>{shown}' if left else shown

    def _piece(self, latex: str, text: str) -> str:
        hidden = "" if text else ' aria-hidden="true"'
        return f"<div{hidden}>{mathml(latex, text, self.glossary, display=True)}</div>"


def _left_width(line: EquationLine) -> float:
    return ems(line.left.latex) + 1.5 if line.left else 2.0


def _width(line: EquationLine) -> float:
    return _left_width(line) + ems(line.right.latex)


def _fits(display: Display, columns: int) -> bool:
    """Whether the lines of each equation can stand side by side."""
    rows = [equation.lines for equation in display.equations]
    widths = [max((_width(row[column]) for row in rows if column < len(row)), default=0.0) for column in range(columns)]
    return columns <= _MOST_COLUMNS and sum(widths) <= _LINE


def _text(words: str) -> str:
    # Control characters become visible escapes before HTML's own are escaped.
    return "&nbsp;".join(escape(printable_lines(part)) for part in words.split("\u00a0"))
