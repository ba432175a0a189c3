"""Document -> plain text for a terminal, at most 100 columns wide."""

from __future__ import annotations

from itertools import accumulate

from symrnn.documents.breaking import TEXT, break_lines, columns
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
    FormulaPairs,
    Inline,
    Maths,
    NumberedEquation,
    Paragraph,
    Reference,
    Section,
    Table,
)
from symrnn.paragraphs import WIDTH

# Blanks between columns, visibly more than between words.
_GAP = 3


def write(document: Document) -> str:
    """The document."""
    title = _fill(document.title, "", "")
    parts = ["\n".join((*title, "=" * max(map(columns, title))))]
    parts += [_block(block) for block in document.opening]
    for number, section in enumerate(document.sections, 1):
        parts.append(_section(section, number))
    parts.append("\n".join(_fill(document.origin, "", "")))
    return "\n\n".join(parts) + "\n"


def _section(section: Section, number: int) -> str:
    heading = f"{number}. {section.heading}"
    return "\n\n".join((f"{heading}\n{'-' * columns(heading)}", *(_block(block) for block in section.blocks)))


def _block(block: Block) -> str:
    match block:
        case Paragraph():
            lead = f"{block.lead}: " if block.parts else f"{block.lead}:"
            return "\n".join(_fill((lead if block.lead else "") + write_inline(block.parts), "", ""))
        case Bullets():
            return "\n".join(line for item in block.items for line in _fill(write_inline(item), "- ", "  "))
        case Table():
            return _table(block)
        case Display():
            return _display(block)
        case Algorithm():
            # What is given has no number, as in LaTeX.
            numbers = accumulate(int(line.kind != "require") for line in block.lines)
            steps = zip(numbers, block.indented, strict=True)
            return "\n".join(row for number, (depth, line) in steps for row in _step(number, depth, line))
        case FormulaPairs():
            return _side_by_side(block)
        case Centred():
            return "\n".join(f"    {line}" for line in break_lines(block.formula.text, WIDTH - 4, TEXT, 0))


def _step(number: int, depth: int, line: AlgorithmLine) -> list[str]:
    """A line of an algorithm; what does not fit stands further in."""
    lead = (f"{number:3}  " if line.kind != "require" else "     ") + "    " * depth
    words = WORDS[line.kind].format(write_inline(line.parts)) + (f"   {write_inline(line.note)}" if line.note else "")
    return _fill(words, lead, " " * (len(lead) + 4))


def _side_by_side(block: FormulaPairs) -> str:
    """Two columns with the marks in front of every line, so that a terminal can colour lines by them."""
    room = (WIDTH - 2 - _GAP) // 2

    def half(line: EquationLine | None) -> list[str]:
        if line is None:
            return []
        first, *others = break_lines(line.whole.text, room, TEXT, 4)
        return [first, *(f"    {piece}" for piece in others)]

    rows = [(" ", [block.headings[0]], [block.headings[1]])]
    rows += [(row.mark.text if row.mark else " ", half(row.left), half(row.right)) for row in block.rows]
    shown = []
    for mark, left, right in rows:
        for number in range(max(len(left), len(right))):
            pair = [side[number] if number < len(side) else "" for side in (left, right)]
            shown.append(f"{mark} {_pad(pair[0], room)}{' ' * _GAP}{pair[1]}".rstrip())
    return "\n".join(shown)


def write_inline(parts: Inline) -> str:
    """Running text; a formula is kept on one line."""
    return "".join(map(_part, parts))


def _part(part: str | Maths | Reference) -> str:
    if isinstance(part, Maths):
        return part.text.replace(" ", "\u00a0")
    return part.text if isinstance(part, Reference) else part


def _fill(text: str, first: str, others: str, width: int = WIDTH) -> list[str]:
    """Words on lines of at most `width` columns; what is longer than a line is cut."""
    lines, current = [], first
    empty = True
    for word in text.split(" "):
        room = width - columns(others)
        # A word that is longer than a line is cut, or the terminal would do it elsewhere.
        pieces = [word] if columns(word) <= room else [word[i : i + room] for i in range(0, len(word), room)]
        for piece in pieces:
            if not empty and columns(current) + 1 + columns(piece) > width:
                lines.append(current)
                current, empty = others, True
            current += piece if empty else f" {piece}"
            empty = False
    return [line.replace("\u00a0", " ").rstrip() for line in (*lines, current)]


def _table(table: Table) -> str:
    rows = [[write_inline(cell) for cell in row] for row in table.rows]
    widths = [max(map(columns, column)) for column in zip(table.headings, *rows, strict=True)]
    # The symbols in the middle give way: roles and shapes are short, and broken they could not be read.
    widths[1] = min(widths[1], WIDTH - sum(widths) + widths[1] - 2 * _GAP)
    shown = [_row([*table.headings], widths), "  ".join("-" * width for width in widths).replace("  ", " " * _GAP)]
    return "\n".join([*shown, *(_row(row, widths) for row in rows)])


def _row(cells: list[str], widths: list[int]) -> str:
    wrapped = [_fill(cell, "", "", width) for cell, width in zip(cells, widths, strict=True)]
    lines = []
    for number in range(max(map(len, wrapped))):
        parts = [cell[number] if number < len(cell) else "" for cell in wrapped]
        padded = [part + " " * (width - columns(part)) for part, width in zip(parts, widths, strict=True)]
        lines.append((" " * _GAP).join(padded).rstrip())
    return "\n".join(lines)


# --- displayed equations ----------------------------------------------------------------------------------------------


def _display(display: Display) -> str:
    def margin_of(display: Display) -> int:
        return 2 + max(len(_number(equation)) for equation in display.equations)

    # In rows where all of them fit, since gates are compared at a glance then.
    display, _ = display.in_columns(lambda rows, _: _set_side_by_side(rows, WIDTH - margin_of(rows)) is not None)
    margin = margin_of(display)
    bodies = _set_side_by_side(display, WIDTH - margin) or _stack(display, WIDTH - margin)
    shown = []
    for equation, rows in zip(display.equations, bodies, strict=True):
        heads = [_pad(_number(equation), margin), *([" " * margin] * (len(rows) - 1))]
        shown += [(head + row).replace("\u00a0", " ").rstrip() for head, row in zip(heads, rows, strict=True)]
    return "\n".join(shown)


def _number(equation: NumberedEquation) -> str:
    return f"({equation.number})" if equation.number else ""


def _pad(text: str, width: int) -> str:
    return text + " " * (width - columns(text))


def _set_side_by_side(display: Display, room: int) -> list[list[str]] | None:
    """One row per equation, its lines beside one another; None where that is not possible."""
    if not all(equation.is_row for equation in display.equations):
        return None
    rows = [""] * len(display.equations)
    for column in range(max(len(equation.lines) for equation in display.equations)):
        cells = [equation.lines[column] if column < len(equation.lines) else None for equation in display.equations]
        lefts = max(columns(cell.left.text) for cell in cells if cell and cell.left)
        widest = max(map(columns, rows)) + (_GAP if column else 0)
        for number, cell in enumerate(cells):
            if cell and cell.left:
                end = "," if column + 1 < len(display.equations[number].lines) else ""
                rows[number] = f"{_pad(rows[number], widest)}{_pad(cell.left.text, lefts)} = {cell.right.text}{end}"
    return [[row] for row in rows] if max(map(columns, rows)) <= room else None


def _stack(display: Display, room: int) -> list[list[str]]:
    """Every line of an equation on its own, notes in a column where they fit."""
    lines = [line for equation in display.equations for line in equation.lines]
    lefts = max(columns(line.left.text) for line in lines if line.left)
    widths = [columns(line.right.text) + (0 if line.left else 2) for line in lines if line.note]
    longest = max(columns(write_inline(line.note)) + 2 for line in lines)
    # The notes' column is set by the lines that leave room for it; longer ones have theirs below.
    fitting = [width for width in widths if lefts + 3 + width + _GAP + longest <= room]
    column = lefts + 3 + max(fitting, default=0) + _GAP
    return [[row for line in e.lines for row in _line(line, lefts, column, room)] for e in display.equations]


_LONGEST_LEFT = 0.6
"""A left side of more than this part of the line leaves too little beside it: the right side goes below."""
# Blanks before a right side that stands below its left one: more than a number's indentation, and visibly so.
_HANGING = 6


def _line(line: EquationLine, lefts: int, column: int, room: int) -> list[str]:
    start = _pad(line.left.text if line.left else "", lefts) + (" = " if line.left or line.is_next else "     ")
    indent = " " * (columns(start) + (2 if line.left or line.is_next else 0))
    if columns(start) > _LONGEST_LEFT * room:
        indent = " " * _HANGING
        start = f"{start.rstrip()}\n{indent}"
    pieces = break_lines(line.right.text, room - columns(start.rpartition("\n")[2]), TEXT, 2)
    rows = [*start.split("\n")[:-1], start.rpartition("\n")[2] + pieces[0], *(indent + piece for piece in pieces[1:])]
    if line.note:
        remark = f"[{write_inline(line.note)}]"
        beside = max(column, columns(rows[-1]) + _GAP)
        if beside + columns(remark) <= room:
            rows[-1] = _pad(rows[-1], beside) + remark
        else:
            rows += _fill(remark, indent + "  ", indent + "   ", room)
    return rows
