"""What a cell's docstring says, taken apart and written again: title, sections, equations, symbols."""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from symrnn.variants.expressions import function_of

# Columns of a docstring's line: with the indentation of a function's body, under the 120 of a program's.
WIDTH = 112
_NOTES_AT = 60  # longer equations have their notes further right
_HEADING = re.compile(r"([A-Z][a-z]+):(?=\s|\Z)")
_EQUATION = re.compile(r"(\w+)_t = .*?\S(?:\s{2,}(\S.*))?\Z")

# How tightly things are bound, from loose to tight; W x binds tighter than a product of entries, as in papers.
_SUM, _PRODUCT, _UNARY, _JUXTAPOSED, _ATOM = range(5)


@dataclass(frozen=True)
class Wording:
    """A docstring's content.

    Attributes:
        title: its first line, without the full stop.
        sections: heading -> text, such as Source, Variant, Not; not the symbols.
        notes: name of an equation's target -> what it is.
        symbols: name of a parameter, or its part before the underscore -> what it is.
    """

    title: str
    sections: Mapping[str, str] = field(default_factory=dict)
    notes: Mapping[str, str] = field(default_factory=dict)
    symbols: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, docstring: str) -> Wording:
        """Take a docstring apart; what is neither a section nor an equation is not kept."""
        lines = [line.strip() for line in docstring.strip().splitlines()]
        sections = read_sections(lines)
        symbols = sections.pop("Symbols", "")
        named = (entry.strip().rstrip(".").partition(" ") for entry in symbols.split(";") if entry.strip())
        found = (_EQUATION.match(line) for line in lines)
        return cls(
            title=lines[0].rstrip(".") if lines else "",
            sections=sections,
            notes={match[1]: match[2] for match in found if match and match[2]},
            symbols={stem: meaning for stem, _, meaning in named},
        )

    def section(self, heading: str, text: str | None) -> Wording:
        """With a section's text changed, or the section removed where there is no text."""
        sections = {name: old for name, old in self.sections.items() if name != heading}
        return replace(self, sections=sections | ({heading: text} if text else {}))

    def write(self, equations: Sequence[tuple[str, str]], parameters: Iterable[str]) -> str:
        """The docstring.

        Args:
            equations: name of the target and the equation as text, in order.
            parameters: names of the parameters; symbols that name none of them are left out.
        """
        blocks = [f"{self.title}."] if self.title else []
        order = sorted(self.sections, key=lambda heading: _ORDER.get(heading, len(_ORDER)))
        sections = [_wrap(f"{heading}: {self.sections[heading]}") for heading in order]
        blocks += ["\n".join(sections)] if sections else []
        if equations:
            blocks.append(self._equations(equations))
        kept = _keep_present(self.symbols, parameters)
        if kept:
            blocks.append(_wrap("Symbols: " + "; ".join(f"{stem} {text}" for stem, text in kept.items()) + "."))
        return "\n\n".join(blocks)

    def _equations(self, equations: Sequence[tuple[str, str]]) -> str:
        width = min(max(len(text) for _, text in equations), _NOTES_AT)
        lines = [f"    {text:{width}}    {self.notes.get(target, '')}".rstrip() for target, text in equations]
        return "\n".join(lines)


_ORDER = {"Source": 0, "Variant": 1, "Not": 2, "Wrong": 3}


def read_sections(lines: Iterable[str]) -> dict[str, str]:
    """Every section: heading -> text up to a blank line or the next heading, on one line."""
    found: dict[str, list[str]] = {}
    inside: str | None = None
    for line in lines:
        match = _HEADING.match(line)
        if match:
            inside = match[1]
            line = line[match.end() :]
        elif not line:
            inside = None
        if inside is not None:
            found.setdefault(inside, []).append(line.strip())
    return {heading: " ".join(texts).strip() for heading, texts in found.items()}


def stem(parameter: str) -> str:
    """A parameter's name up to the first underscore: W of W_f."""
    return parameter.partition("_")[0]


def _keep_present(symbols: Mapping[str, str], parameters: Iterable[str]) -> dict[str, str]:
    there = {name for parameter in parameters for name in (parameter, stem(parameter))}
    return {name: text for name, text in symbols.items() if name in there}


def _wrap(text: str) -> str:
    lines = textwrap.wrap(text, WIDTH, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False)
    joined = lines[:1]
    for line in lines[1:]:  # a line that begins like a heading would be read as one
        if _HEADING.match(line.strip()):
            # One blank of its indentation stays between the words; the line is longer than it should be, and reads as
            # it was meant.
            joined[-1] += line[3:]
        else:
            joined.append(line)
    return "\n".join(joined)


def equation_texts(
    assignments: Iterable[tuple[str, ast.expr]], parameters: Iterable[str], states: Iterable[str]
) -> list[tuple[str, str]]:
    """Target and text of every equation, as docstrings write them: `h_t = tanh(W x_t + U h_{t-1} + b)`.

    The matrix product is juxtaposition, `*` is element by element, `[h; x]` is concat(h, x).
    """
    timeless, old = set(parameters), set(states)
    result = []
    for target, value in assignments:
        result.append((target, f"{target}_t = {_Speller(timeless, old).spell(value)}"))
        # From here on the name means the new value.
        old.discard(target)
    return result


@dataclass
class _Speller:
    timeless: set[str]
    old: set[str]

    def spell(self, node: ast.expr, least: int = _SUM) -> str:
        level, text = self._spell(node)
        return text if level >= least else f"({text})"

    def _spell(self, node: ast.expr) -> tuple[int, str]:
        match node:
            case ast.Name(id=name):
                index = "" if name in self.timeless else "_{t-1}" if name in self.old else "_t"
                return _ATOM, name + index
            case ast.Attribute(value=value):
                return _ATOM, f"{self.spell(value, _ATOM)}^T"
            case ast.UnaryOp(operand=operand):
                return _UNARY, f"-{self.spell(operand, _UNARY)}"
            case ast.BinOp(left=left, op=ast.Pow(), right=right):
                return _ATOM, f"{self.spell(left, _ATOM)}^{ast.unparse(right)}"
            case ast.BinOp(left=left, op=ast.MatMult(), right=right):
                return _JUXTAPOSED, f"{self.spell(left, _JUXTAPOSED)} {self.spell(right, _ATOM)}"
            case ast.BinOp(left=left, op=op, right=right):
                level, sign = _OPERATORS[type(op)]
                # a - (b - c) needs its brackets, a + (b + c) does not.
                tighter = level + isinstance(op, ast.Sub | ast.Div)
                return level, f"{self.spell(left, level)} {sign} {self.spell(right, tighter)}"
            case ast.Call(args=args):
                return self._call(function_of(node) or "", args)
        return _ATOM, ast.unparse(node)

    def _call(self, function: str, args: list[ast.expr]) -> tuple[int, str]:
        if function == "concat":
            return _ATOM, f"[{'; '.join(self.spell(part) for part in args)}]"
        if function == "outer":
            return _JUXTAPOSED, f"{self.spell(args[0], _ATOM)} {self.spell(args[1], _ATOM)}^T"
        return _ATOM, f"{function}({', '.join(self.spell(part) for part in args)})"


_OPERATORS: Mapping[type[ast.operator], tuple[int, str]] = {
    ast.Add: (_SUM, "+"),
    ast.Sub: (_SUM, "-"),
    ast.Mult: (_PRODUCT, "*"),
    ast.Div: (_PRODUCT, "/"),
}
