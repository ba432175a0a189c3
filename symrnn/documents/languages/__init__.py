"""Documents in other languages: one table a language, from the English words to its own.

Documents are written in English. A key of a table is a piece of text as a document has it, with `{}` for a formula or a
mention of equations, and a word in braces for what varies otherwise; see `HOLES`.  What an author wrote is quoted in
any language.  What no table has stays English, and a test fails.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from types import MappingProxyType

from symrnn.documents.languages.chinese import CHINESE
from symrnn.documents.structure import (
    Algorithm,
    Authored,
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
    Paragraph,
    Reference,
    Section,
    Table,
)

TABLES: Mapping[str, Mapping[str, str]] = MappingProxyType({"zh": CHINESE})
"""Language -> its words; English needs no table."""

# Characters for private use stand for formulas while sentences are looked up: no text has them, an author's neither,
# which are cleaned away.
_FIRST, _LAST = "\ue000", "\uf8ff"
_FORMULA = f"[{_FIRST}-{_LAST}]"
HOLES: Mapping[str, str] = MappingProxyType(
    {
        "": f"({_FORMULA})",
        "list": f"({_FORMULA}(?:, {_FORMULA})*(?: and {_FORMULA})?)",
        "number": r"(\d+)",
        "name": r"(\S.*?)",
        "words": r"(\S.*?)",
    }
)
"""What stands in braces in a key -> what it takes: a formula, several, a number, a name as it is, words that are looked
up themselves."""
_HOLE = re.compile(r"\{(\w*)\}")
_TEXT = re.compile(r"\\text\{([^{}]*)\}")


def say(language: str, words: str) -> str:
    """Words of a writer's own in a language.

    Raises:
        KeyError: the language has no such words.
    """
    return TABLES[language][words] if language in TABLES else words


def translate(document: Document, language: str, missing: Callable[[str], None] = lambda text: None) -> Document:
    """The document in another language.

    Args:
        document: the document, in English.
        language: a key of `TABLES`, or "en".
        missing: is told each text that the language has no words for; it stays as it is.
    """
    if language not in TABLES:
        return document
    words = _Words(TABLES[language], missing)
    return replace(
        document,
        title=words.text(document.title),
        origin=words.text(document.origin),
        opening=tuple(map(words.block, document.opening)),
        sections=tuple(map(words.section, document.sections)),
        language=language,
    )


@lru_cache(maxsize=8)
def _patterns(language_table: tuple[tuple[str, str], ...]) -> tuple[tuple[re.Pattern[str], tuple[str, ...], str], ...]:
    """The keys with holes as patterns, those with more words of their own first."""
    rows = []
    for key, value in language_table:
        kinds = tuple(_HOLE.findall(key))
        if kinds:
            parts = _HOLE.split(key)
            pattern = "".join(HOLES[part] if index % 2 else re.escape(part) for index, part in enumerate(parts))
            rows.append((len(_HOLE.sub("", key)), re.compile(pattern), kinds, value))
    return tuple(row[1:] for row in sorted(rows, key=lambda row: -row[0]))


@dataclass
class _Words:
    """Looks up the texts of a document.

    Attributes:
        table: the language's.
        missing: is told what it lacks.
    """

    table: Mapping[str, str]
    missing: Callable[[str], None]
    known: dict[str, str | None] = field(default_factory=dict)

    def section(self, section: Section) -> Section:
        """A section."""
        return replace(section, heading=self.text(section.heading), blocks=tuple(map(self.block, section.blocks)))

    def block(self, block: Block) -> Block:
        """A block."""
        match block:
            case Paragraph():
                return replace(block, lead=self.text(block.lead), parts=self.inline(block.parts))
            case Bullets():
                return Bullets(tuple(map(self.inline, block.items)))
            case Table():
                rows = tuple(tuple(map(self.inline, row)) for row in block.rows)
                return replace(block, headings=tuple(map(self.text, block.headings)), rows=rows)
            case Display():
                return Display(tuple(replace(e, lines=tuple(map(self.line, e.lines))) for e in block.equations))
            case Algorithm():
                return Algorithm(
                    tuple(replace(x, parts=self.inline(x.parts), note=self.inline(x.note)) for x in block.lines)
                )
            case Centred():
                return Centred(self.maths(block.formula))
            case FormulaPairs(headings=(first, second)):
                headings = self.text(first), self.text(second)
                return replace(block, headings=headings, rows=tuple(map(self.pair, block.rows)))

    def pair(self, pair: FormulaPair) -> FormulaPair:
        """Two formulas side by side."""
        left, right = (None if line is None else self.line(line) for line in (pair.left, pair.right))
        return replace(pair, left=left, right=right)

    def line(self, line: EquationLine) -> EquationLine:
        """A line of an equation."""
        left = None if line.left is None else self.maths(line.left)
        return replace(line, left=left, right=self.maths(line.right), note=self.inline(line.note))

    def maths(self, formula: Maths) -> Maths:
        """A formula, which may have words in it."""
        shown = formula
        for words in _TEXT.findall(formula.latex):
            own = self.text(words)
            shown = Maths(shown.latex.replace(f"{{{words}}}", f"{{{own}}}"), shown.text.replace(words.strip(), own))
        return shown

    def text(self, text: str) -> str:
        """Words without formulas."""
        (shown,) = self.inline((text,)) or ("",)
        assert isinstance(shown, str)
        return shown

    def inline(self, parts: Inline) -> Inline:
        """Running text, looked up as a whole."""
        kept: list[Maths | Reference | Authored] = []
        text = ""
        for part in parts:
            if isinstance(part, str) and not isinstance(part, Authored):
                text += part
                continue
            text += chr(ord(_FIRST) + len(kept))
            kept.append(self._keep(part))
        if not text.strip():
            return parts
        found = self.find(text.replace("\u00a0", " "))
        if found is None:
            self.missing(_with_holes(text))
            found = text
        return _put_back(found, kept)

    def _keep(self, part: str | Maths | Reference) -> Maths | Reference | Authored:
        if isinstance(part, Maths):
            return self.maths(part)
        return replace(part, lead=self.text(part.lead)) if isinstance(part, Reference) else Authored(part)

    def find(self, text: str) -> str | None:
        """What the language has for a text with places of formulas; None where it has nothing."""
        if text not in self.known:
            self.known[text] = self._find(text)
        return self.known[text]

    def _find(self, text: str) -> str | None:
        if not re.search(r"[^\W\d_]", re.sub(_FORMULA, "", text)):
            return text  # formulas and signs alone
        return self._find_whole(text) or self._find_pieces(text)

    def _find_whole(self, text: str) -> str | None:
        if text in self.table:
            return self.table[text]
        for pattern, kinds, value in _patterns(tuple(self.table.items())):
            found = pattern.fullmatch(text)
            if found:
                shown = [self._fill_hole(kind, part) for kind, part in zip(kinds, found.groups(), strict=True)]
                if None not in shown:
                    return _fill(value, [one or "" for one in shown])
        return None

    def _fill_hole(self, kind: str, part: str) -> str | None:
        if kind == "list":
            return part.replace(" and ", self.table[" and "]).replace(", ", self.table[", "])
        return self.find(part) if kind == "words" else part

    def _find_pieces(self, text: str) -> str | None:
        """A text that lists: each part of it, as far as it can be taken apart."""
        for separator, own in _SEPARATORS:
            pieces = separator.split(text)
            if len(pieces) > 1:
                shown = [self.find(piece) if piece else "" for piece in pieces]
                if None not in shown:
                    return own.join(one or "" for one in shown)
        return None


_SEPARATORS = (
    (re.compile(r"(?<=\.) "), ""),
    (re.compile("(?<=:) "), ""),
    (re.compile("; "), "；"),
    (re.compile(", "), "，"),
    # A mention of equations after what it is mentioned for.
    (re.compile(f"(?={_FORMULA}$)"), ""),
)
"""Where a text may be taken apart, from the largest parts to the smallest -> what stands there."""


def _fill(value: str, shown: Sequence[str]) -> str:
    """The holes of a translation, in order or by number."""
    return value.format(*shown)


def _with_holes(text: str) -> str:
    return re.sub(_FORMULA, "{}", text).replace("\u00a0", " ")


def _put_back(text: str, kept: Sequence[Maths | Reference | Authored]) -> Inline:
    """The text with its formulas."""
    parts = re.split(f"({_FORMULA})", text)
    return tuple(kept[ord(part) - ord(_FIRST)] if index % 2 else part for index, part in enumerate(parts) if part)
