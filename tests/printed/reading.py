"""Printed mathematics -> trees: what stands in a document is read back as a reader would, from its final text.

Nothing is taken from the expressions that were printed.  What a name means is told by whoever asks, as a table from
printed names to meanings; everything else (operators, brackets, fractions, functions) is read from the signs alone.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from symrnn.algebra.functions import FUNCTIONS
from symrnn.printers import NOTATIONS, Notation


class UnreadableError(ValueError):
    """A formula does not follow the grammar, or has a name that nobody has told."""


@dataclass(frozen=True)
class Node:
    """A formula: what it is, and its parts (trees, names, numbers)."""

    kind: str
    parts: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Relation:
    """An equation of a document, as printed.

    Attributes:
        number: its number, without brackets.
        left: the left side's source.
        right: the right side's source.
    """

    number: str
    left: str
    right: str


# --- documents -> relations -------------------------------------------------------------------------------------------

_BEGIN = re.compile(r"^\((?P<number>[\d'′–]+)\) +", re.MULTILINE)
_GOES_ON = re.compile(r" {4,}[+-] ")
_END = re.compile(r"^\d+\. Rules used$|^#+ \d+\. Rules used$|^\\\w+\*?\{(?:\d+\. )?Rules used\}", re.MULTILINE)


def from_text(document: str) -> Iterator[Relation]:
    """The equations of a document in plain text: remarks in brackets, long lines broken."""
    document = _END.split(document)[0]
    blocks: list[str] = []
    for block in document.split("\n\n"):
        if _BEGIN.match(block):
            blocks.append(block)
        elif blocks and _GOES_ON.match(block):  # terms of several lines stand apart from one another
            blocks[-1] += f"\n{block}"
    for block in blocks:
        yield from _text_block(block.split("\n"))


def _text_block(lines: list[str]) -> Iterator[Relation]:
    margin = max(len(m[0]) for m in map(_BEGIN.match, lines) if m)
    number, current, in_remark = "", "", False
    for line in lines:
        begins = _BEGIN.match(line)
        if begins or (len(line) > margin and line[margin] != " " and line[:margin].isspace()):
            if current:
                yield from _side_by_side(number, current)
            number, current, in_remark = (begins["number"] if begins else number), "", False
        body = line[margin:] if not begins else line[len(begins[0]) :]
        body, in_remark = _without_remark(body, in_remark)
        current += f" {body.strip()}"
    if current:
        yield from _side_by_side(number, current)


def _without_remark(body: str, in_remark: bool) -> tuple[str, bool]:
    """A line without the remark beside it; a remark on a line of its own may go on for several."""
    if in_remark or _REMARK.match(f"   {body.strip()}"):
        return "", not body.rstrip().endswith("]")
    found = _REMARK.search(body)
    return (body[: found.start()], not body.rstrip().endswith("]")) if found else (body, False)


_REMARK = re.compile(
    r" {3,}\[(?:direct|no path|through|not used|from|identity|[a-z]{3,}[a-z -]*, |[a-z]{3,}[a-z -]*\]).*$"
)
"""A remark begins with a word; a stack of vectors begins with a symbol."""


def _side_by_side(number: str, line: str) -> Iterator[Relation]:
    for part in re.split(r", {3,}", line):
        left, *rights = re.split(r"(?:^| )= ", part)
        if not rights:
            raise UnreadableError(f"({number}) has no equals sign: {part!r}")
        for right in rights:  # of a chain a = b = c, what each is equal to
            yield Relation(number, left.strip(), right.strip())


def with_underscores(latex: str) -> str:
    """Markdown's formulas draw an underscore as a line, which not even a cautious reader takes for emphasis."""
    return latex.replace(r"\rule{0.4em}{0.04em}", r"\_")


def from_markdown(document: str) -> Iterator[Relation]:
    """The equations of a document in Markdown; a long one goes on in the next display."""
    displays: list[str] = []
    for display in re.findall(r"\$\$\n(.*?)\n\$\$", with_underscores(_END.split(document)[0]), re.DOTALL):
        rows = re.sub(r"\\(?:begin|end)\{align\}\n?", "", display)
        if re.match(r"&\\q?quad", rows):  # a long one goes on in the next display
            displays[-1] += rf" \cr {rows}"
        else:
            displays.append(rows)
    for display in displays:
        yield from _numbered_rows(display.split(r"\cr"))


_DISPLAY = re.compile(r"\\begin\{(alignat\*?)\}\{\d+\}\n(.*?)\\end\{\1\}", re.DOTALL)


def from_latex(document: str) -> Iterator[Relation]:
    """The equations of a LaTeX document or fragment."""
    for display in _DISPLAY.finditer(_END.split(document)[0]):
        yield from _numbered_rows(re.split(r"\\\\\*?\n|\\\\\[[^\]]*\]\n|\\\\$", display[2]))


def _numbered_rows(rows: list[str]) -> Iterator[Relation]:
    """The equations of one display; each ends at its number, or its label where others give the number."""
    pending: list[str] = []
    for row in rows:
        pending.append(row)
        if r"\tag{" in row or r"\label{" in row:
            yield from _latex_rows("\\\\".join(pending), "\\\\")
            pending = []
    if any(without_remarks(row).strip("& \n") for row in pending):
        yield from _latex_rows("\\\\".join(pending), "\\\\")


def without_remarks(row: str) -> str:
    for command in (r"\parbox[t]", r"\text{["):
        while command in row:
            start = row.index(command)
            if command.startswith(r"\text"):
                return row[:start]
            position = start + len(command)
            for _ in range(2):
                position = _group_end(row, position)
            row = row[:start] + row[position:]
    return row


def _group_end(source: str, start: int) -> int:
    depth = 0
    for position in range(start, len(source)):
        depth += {"{": 1, "}": -1}.get(source[position], 0)
        if depth == 0 and source[position] == "}":
            return position + 1
    raise UnreadableError(f"a brace is not closed: {source[start : start + 40]!r}")


def _latex_rows(display: str, newline: str) -> Iterator[Relation]:
    display = re.sub(r"\\tag\{\\ref\{([^{}]*)\}\$'\$\}", r"\\tag{\1'}", display).replace(r"\notag", "")
    number = re.search(r"\\(?:tag|label)\{([^{}]*)\}", display.replace("$'$", "'"))
    label = number[1] if number else ""
    display = re.sub(r"\\tag\{[^{}]*\}|\\label\{[^{}]*\}", "", display)
    pieces: list[str] = []
    for row in display.split(newline):
        body = without_remarks(row).replace("&", " ").replace("{}", "").strip()
        for part in re.split(r",\s*\\qquad", body):
            part = re.sub(r"\\q?quad", " ", part).strip()
            if not part:
                continue
            if _equals(part) < 0 and pieces:
                pieces[-1] += f" {part}"
            else:
                pieces.append(part)
    left = ""
    for piece in pieces:
        at = _equals(piece)
        left = piece[:at].strip() or left  # a chain a = b = c goes on without a left side
        if at < 0 or not left:
            raise UnreadableError(f"({label}) has no equals sign: {piece!r}")
        yield Relation(label, left, piece[at + 1 :].strip().rstrip(","))


def _equals(source: str) -> int:
    depth = 0
    for position, sign in enumerate(source):
        depth += {"{": 1, "}": -1}.get(sign, 0)
        if sign == "=" and depth == 0:
            return position
    return -1


READERS: Mapping[str, Any] = {"text": from_text, "markdown": from_markdown, "fragment": from_latex}
"""How each form of a document is taken apart."""

# --- sources -> tokens ------------------------------------------------------------------------------------------------

_SKIPPED = re.compile(r"\s+|\\left\.?(?![a-z])|\\right(?![a-z])|\\[,;!:]|\\thinspace|\\q?quad|\\allowbreak|~")
_SIGNS = {
    r"\oslash": "⊘",
    r"\otimes": "⊗",
    r"\times": "×",
    r"\mathbf{1}": "𝟏",
    r"\vert": "|",
    r"\lfloor": "⌊",
    r"\rfloor": "⌋",
    r"\lt": "<",
    r"\langle": "⟨",
    r"\rangle": "⟩",
}
_TOKEN = re.compile(
    r"""(?P<sum>\\sum_\{t=1\}\^\{[^{}]*\}|Σ_\{t=1\}\^\{[^{}]*\})
    |(?P<transposed>\^\{(?:\\top|T|\\prime)\}|ᵀ)
    |(?P<frac>\\frac(?=\{))
    |(?P<root>\\sqrt(?=\{)|√(?=\())
    |(?P<commutation>(?:K|𝕂|\\mathbb\{K\})_\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\})
    |(?P<number>[0-9]+(?:\.[0-9]+)?(?:e-?[0-9]+)?)
    |(?P<word>\\mathbb\{I\}|\\(?:operatorname|mathrm)\{(?:[A-Za-z ]|\\_)+\}|\\[A-Za-z]+|[^\W\d_]+(?:_[a-z]+)?)
    |(?P<sign>.)""",
    re.VERBOSE,
)


@dataclass(frozen=True)
class Token:
    kind: str
    source: str


def tokens(source: str, names: Mapping[str, Any]) -> list[Token]:
    """The tokens of a formula; a known name is one token, and the longest that fits is taken."""
    lengths = sorted(set(map(len, names)), reverse=True)
    found, position = [], 0
    while position < len(source):
        sign = next((s for s in _SIGNS if source.startswith(s, position)), None)
        name = _longest(source, position, names, lengths)
        if name is not None:
            found.append(Token("name", name))
            position += len(name)
        elif skipped := _SKIPPED.match(source, position):
            position = skipped.end()
        elif sign is not None:
            found.append(Token("sign", _SIGNS[sign]))
            position += len(sign)
        else:
            match = _TOKEN.match(source, position)
            assert match is not None
            assert match.lastgroup is not None
            found.append(Token(match.lastgroup, match[0]))
            position = match.end()
    return found


def _longest(source: str, position: int, names: Mapping[str, Any], lengths: list[int]) -> str | None:
    for length in lengths:
        name = source[position : position + length]
        if name in names and len(name) == length and _ends(source, position + length, name):
            return name
    return None


def _ends(source: str, position: int, name: str) -> bool:
    """Whether a name is whole: no letter, digit, accent or subscript follows."""
    if position >= len(source):
        return True
    after = source[position]
    if name[-1] in "})⟩":
        return after not in "_" and not unicodedata.combining(after)
    return not ((after.isalnum() and after != "ᵀ") or after in "_'{" or unicodedata.combining(after))


# --- tokens -> trees --------------------------------------------------------------------------------------------------


def _word(source: str) -> str:
    match = re.fullmatch(r"\\(?:operatorname|mathrm)\{(.+)\}", source)
    return match[1].replace(r"\_", "_") if match else source.removeprefix("\\")


def _symbols() -> dict[str, str]:
    """How a function is written -> its name."""
    table = {name: name for name in ("diag", "vec", "softmax", "argmax")}
    for row in FUNCTIONS.values():
        # Where its symbol has given way to a letter of the cell's.
        table[row.name] = table[row.name.replace("_", " ")] = row.name
        for symbol in (row.text, row.latex):
            if "<0>" not in symbol:
                table[_word(symbol)] = row.name
    table["sigma"] = "sigmoid"
    return table


_FUNCTIONS = _symbols()


_TEXT_SIGNS = {r"\odot": "⊙", r"\circ": "∘", r"\ast": "*", r"\cdot": "·", "": "⊙"}


def _in_signs_of(notation: Notation, token: Token) -> Iterator[Token]:
    """A token with the notation's signs of products as everyone knows them; the dot of a matrix product is none."""
    if token.kind == "transposed" and token.source not in ("ᵀ", f"^{{{notation.transposed}}}"):
        raise UnreadableError(f"{token.source!r} transposes nothing in this notation")
    if token.kind in ("sign", "word") and token.source in _PRODUCTS:
        # Matrices keep a sign where vectors have none.
        if token.source in (notation.hadamard or r"\odot", _TEXT_SIGNS[notation.hadamard]):
            yield Token("sign", "⊙")
        elif not notation.product or token.source not in (notation.product, _TEXT_SIGNS[notation.product]):
            raise UnreadableError(f"{token.source!r} is no sign of this notation")
        return
    yield token


_PRODUCTS = {*_TEXT_SIGNS, *_TEXT_SIGNS.values()} - {""}


class Parser:
    """Reads one formula by precedence: sums, entry by entry products, products side by side, powers, atoms.

    Args:
        source: the formula.
        names: the names that may occur in it.
        notation: whose signs it has.
    """

    def __init__(self, source: str, names: Mapping[str, Any], notation: Notation = NOTATIONS["subscript"]) -> None:
        self.source = source
        self.names = names
        self.notation = notation
        found = [one for token in tokens(source, names) for one in _in_signs_of(notation, token)]
        self._tokens = [*found, Token("end", "")]
        self._at = 0

    @property
    def _next(self) -> Token:
        return self._tokens[self._at]

    def _take(self) -> Token:
        self._at += 1
        return self._tokens[self._at - 1]

    def _is(self, *signs: str) -> bool:
        return self._next.kind in ("sign", "end") and self._next.source in signs

    def _expect(self, sign: str) -> None:
        if not self._is(sign):
            raise self._wrong(f"expected {sign!r}")
        self._at += 1

    def _wrong(self, what: str) -> UnreadableError:
        before = " ".join(t.source for t in self._tokens[max(0, self._at - 4) : self._at])
        return UnreadableError(f"{what}, got {self._next.source!r} after {before!r} in {self.source!r}")

    def read(self) -> Node:
        """The whole formula."""
        tree = self._sum()
        if self._next.kind != "end":
            raise self._wrong("expected an operator")
        return tree

    def _sum(self) -> Node:
        if self._next.kind == "sum":
            self._take()
            return Node("over time", (self._sum_term(),))
        terms = [self._signed()]
        while self._is("+", "-"):
            terms.append(self._signed())
        return terms[0] if len(terms) == 1 else Node("sum", tuple(terms))

    def _sum_term(self) -> Node:
        return self._term()

    def _signed(self) -> Node:
        negative = False
        while self._is("+", "-"):
            negative ^= self._take().source == "-"
        if self._next.kind == "sum":
            self._take()
            term = Node("over time", (self._term(),))
        else:
            term = self._term()
        return Node("negative", (term,)) if negative else term

    def _term(self) -> Node:
        left = self._chain()
        while self._is("⊙", "⊘", "/", "⊗"):
            sign = self._take().source
            left = Node({"⊙": "times", "⊘": "by", "/": "by", "⊗": "kronecker"}[sign], (left, self._chain()))
        return left

    def _chain(self) -> Node:
        factors = [self._power()]
        while self._starts():
            factors.append(self._power())
        kind = "product" if self.notation.hadamard else "beside"
        # Where vectors are rows, a formula is the transpose of that with columns: x W for W x.
        factors = factors[::-1] if self.notation.rows else factors
        return factors[0] if len(factors) == 1 else Node(kind, tuple(factors))

    def _inner(self) -> Node:
        """The sum of all entries of an entry by entry product."""
        self._expect("⟨")
        left = self._sum()
        self._expect(",")
        right = self._sum()
        self._expect("⟩")
        return Node("inner", (left, right))

    def _tens(self) -> float:
        """10 to a power with a minus, as in 2×10^-5."""
        self._take()
        self._expect("^")
        braced = self._is("{")
        if braced:
            self._take()
        self._expect("-")
        exponent = int(self._take().source)
        if braced:
            self._expect("}")
        return float(f"1e-{exponent}")

    def _is_power_of_ten(self) -> bool:
        following = [token.source for token in self._tokens[self._at : self._at + 4]]
        return following[:3] == ["10", "^", "-"] or following == ["10", "^", "{", "-"]

    def _starts(self) -> bool:
        if self._next.kind in ("name", "number", "word", "frac", "root", "commutation"):
            return True
        return self._is("(", "[", "⌊", "𝟏", "{", "⟨") or (self._is("|") and not self._in_bars)

    _in_bars = False

    def _power(self) -> Node:
        base = self._atom()
        while True:
            if self._next.kind == "transposed":
                self._take()
                base = Node("transposed", (base,))
            elif self._is("^"):
                self._take()
                base = Node("power", (base, self._exponent()))
            elif self._is("_") or (self._is("[") and self._is_slice()):
                base = self._sliced(base)
            else:
                return base

    def _exponent(self) -> Any:
        if self._is("{"):
            self._take()
            tree = self._sum()
            self._expect("}")
            return tree
        return self._atom()

    def _is_slice(self) -> bool:
        depth = 0
        for token in self._tokens[self._at :]:
            depth += {"[": 1, "]": -1}.get(token.source, 0)
            if token.source == ":" and depth == 1:
                return True
            if depth == 0:
                return False
        return False

    def _sliced(self, base: Node) -> Node:
        braced = self._is("_")
        if braced:
            self._take()
            self._expect("{")
        self._expect("[")
        start = self._sum()
        self._expect(":")
        stop = self._sum()
        self._expect("]")
        if braced:
            self._expect("}")
        return Node("slice", (base, start, stop))

    def _atom(self) -> Node:
        token = self._take()
        if token.kind == "name":
            return Node("name", (token.source,))
        if token.kind == "number":
            if token.source == "0" and self._is("_"):
                return Node("zeros", self._subscript())
            self._at -= 1
            if self._is_power_of_ten():
                return Node("number", (self._tens(),))
            self._take()
            if self._is("×"):
                self._take()
                return Node("number", (float(token.source) * self._tens(),))
            return Node("number", (float(token.source),))
        if token.kind == "frac":
            return Node("by", (self._braced(), self._braced()))
        if token.kind == "root":
            inner = self._braced() if self._is("{") else self._bracket("(", ")")
            return Node("call", ("sqrt", (inner,)))
        if token.kind == "commutation":
            sizes = re.split(r"(?<!\\),(?![^{]*\})", token.source.partition("_{")[2][:-1])
            return Node("commutation", tuple(Parser(size.strip(), self.names, self.notation).read() for size in sizes))
        if token.kind == "word":
            return self._function(token)
        self._at -= 1
        if self._is("("):
            return self._bracket("(", ")")
        if self._is("{"):
            return self._braced()
        if self._is("𝟏"):
            self._take()
            return Node("ones", self._subscript())
        if self._is("["):
            return self._stack()
        if self._is("⟨"):
            return self._inner()
        if self._is("⌊"):
            return Node("call", ("floor", (self._bracket("⌊", "⌋"),)))
        if self._is("|"):
            return self._bars()
        raise self._wrong("expected a formula")

    def _subscript(self) -> tuple[Node, ...]:
        """The sizes that ones, an identity or zeros say, if they do."""
        if not self._is("_"):
            return ()
        self._take()
        self._expect("{")
        sizes = [self._sum()]
        if self._is("×"):
            self._take()
            sizes.append(self._sum())
        self._expect("}")
        return tuple(sizes)

    def _braced(self) -> Node:
        return self._bracket("{", "}")

    def _bracket(self, left: str, right: str) -> Node:
        self._expect(left)
        kept, self._in_bars = self._in_bars, False
        tree = self._sum()
        self._in_bars = kept
        self._expect(right)
        return tree

    def _bars(self) -> Node:
        self._expect("|")
        kept, self._in_bars = self._in_bars, True
        tree = self._sum()
        self._in_bars = kept
        self._expect("|")
        return Node("call", ("abs", (tree,)))

    def _stack(self) -> Node:
        self._expect("[")
        parts = [self._sum()]
        if self._is("<"):
            return self._between(parts[0])
        while self._is(self.notation.stacked):
            self._take()
            parts.append(self._sum())
        self._expect("]")
        return Node("stack", tuple(parts))

    def _between(self, low: Node) -> Node:
        """The rest of [0 < x < 1]."""
        self._expect("<")
        inner = self._sum()
        self._expect("<")
        high = self._sum()
        self._expect("]")
        if (low, high) != (Node("number", (0.0,)), Node("number", (1.0,))):
            raise self._wrong("expected the bounds 0 and 1")
        return Node("call", ("box", (inner,)))

    def _function(self, token: Token) -> Node:
        word = _word(token.source)
        if word in ("I", "𝕀", r"mathbb{I}"):
            return Node("identity", self._subscript())
        if word == "log" and self._next.kind == "word" and _word(self._next.source) in ("σ", "sigma", "sigmoid"):
            self._take()
            word = "log σ"
        if self._is("'"):
            self._take()
            word += "'"
        name = _FUNCTIONS.get(word)
        if name is None:
            raise UnreadableError(f"unknown name {token.source!r} in {self.source!r}")
        raised = None
        if self._is("^"):
            self._take()
            raised = self._exponent()
        self._expect("(")
        kept, self._in_bars = self._in_bars, False
        arguments = [self._sum()]
        while self._is(","):
            self._take()
            arguments.append(self._sum())
        self._in_bars = kept
        self._expect(")")
        call = Node("call", (name, tuple(arguments)))
        return call if raised is None else Node("power", (call, raised))
