"""Which characters of somebody's text may reach a terminal, a page or a program; the one place that decides it.

Control characters and escapes give orders to a terminal, marks of direction show a text in another order than it has,
and characters without a width hide.  A message shows them by their escapes, a document leaves them out.
"""

from __future__ import annotations

import json
import re
import unicodedata

_IGNORABLE = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]")
"""Letters and accents by category that are never drawn (Unicode's Default_Ignorable_Code_Point)."""
_LINES = "\v\f\x1c\x1d\x1e\x1f\x85\u2028\u2029"
"""What Python calls a space, and something else takes for the end of a line."""


def is_shown(character: str) -> bool:
    """Whether a character is what a reader sees, or an ordinary space.

    >>> [is_shown(c) for c in ("é", "中", " ", chr(27), chr(0x202E), chr(0x200B), chr(0xD800), chr(0x2028))]
    [True, True, True, False, False, False, False, False]
    """
    # Python's isprintable already refuses controls, marks of direction and unassigned characters.
    return character.isprintable() and not _IGNORABLE.match(character)


def printable(text: str) -> str:
    r"""The text on one line, with everything that a reader would not see as its escape.

    >>> print(printable("a\tb" + chr(27) + "[31m"))
    a\tb\x1b[31m
    """
    return "".join(c if is_shown(c) else ascii(c)[1:-1] for c in text)


def printable_lines(text: str) -> str:
    """The text with its lines kept, each of them as `printable` has it."""
    return "\n".join(map(printable, text.split("\n")))


def escaped_json(text: str) -> str:
    """A text in JSON that keeps its letters, where what a reader would not see is escaped as JSON does."""
    return "".join(c if c == "\n" or is_shown(c) else json.dumps(c)[1:-1] for c in text)


def clean(text: str) -> str:
    """The text on one line, spaces joined, accents composed, without what a reader would not see.

    >>> clean(" one" + chr(0x2028) + "two" + chr(0) + "! ")
    'one two!'
    """
    # Composed first, so that texts that look alike are alike.
    spaced = "".join(" " if character.isspace() else character for character in unicodedata.normalize("NFC", text))
    return " ".join("".join(filter(is_shown, spaced)).split())


def clean_lines(text: str) -> str:
    """A text of several lines without what a reader would not see; indentation stays, a tab counts as a space."""
    lines = re.split(rf"\r\n|[\n\r{_LINES}]", unicodedata.normalize("NFC", text))
    spaced = ("".join(" " if c.isspace() else c for c in line) for line in lines)
    return "\n".join("".join(filter(is_shown, line)) for line in spaced)


def escaped_program(text: str) -> str:
    """The text of a program, lines and spaces as they are, with its hidden characters written as escapes.

    In a docstring that is the same docstring; elsewhere, a cell has none but form feeds, which count as spaces.
    """
    # Python ignores form feeds before a line's indentation; elsewhere they are spaces between tokens.
    spaced = re.sub("(?m)^\f+", "", text).replace("\f", " ")
    return "".join(c if c in "\n\r\t" or _is_space(c) or is_shown(c) else ascii(c)[1:-1] for c in spaced)


def _is_space(character: str) -> bool:
    return character.isspace() and character not in _LINES
