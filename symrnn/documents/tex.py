r"""Document -> LaTeX: a complete file, or a body for `\input` that needs only amsmath and amssymb.

A fragment belongs to the document that it is put into: that one numbers its equations and headings, and its labels have
a prefix, so that several fragments, even of one cell, stand side by side.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from symrnn.cells.papers import PAPERS
from symrnn.documents.breaking import LATEX, break_lines
from symrnn.documents.numbering import arrange
from symrnn.documents.options import DocumentOptions
from symrnn.documents.scripts import DEFINITIONS
from symrnn.documents.structure import (
    Algorithm,
    Block,
    Bullets,
    Centred,
    Display,
    Document,
    FormulaPairs,
    Paragraph,
    Section,
    Table,
)
from symrnn.documents.tex_displays import INDENT, DisplayWriter, InlineWriter, measure_part
from symrnn.documents.tex_sides import write_side_by_side

_LINES = {"page": (41.0, 34.0), "column": (23.0, 23.0)}
"""Ems on a line of our own page, and of others at the least: 345 pt in the standard classes at 10 pt, 229 pt in a
column of theirs, where IEEEtran has 252 pt and acmart 241 pt at 9 pt."""
_LOWER = {
    "section": "subsection",
    "subsection": "subsubsection",
    "subsubsection": "paragraph",
    "paragraph": "subparagraph",
    "none": "none",
}
"""The command of a fragment's heading -> that of its parts."""
_CLASSES = {
    "page": "\\documentclass[11pt]{article}\n",
    "column": "\\documentclass[10pt,twocolumn]{article}\n",
}
_MARGINS = {"page": "a4paper, margin=27mm", "column": "a4paper, margin=18mm, columnsep=5mm"}
_PREAMBLE = r"""\usepackage[T1]{fontenc}
\usepackage{lmodern}
\usepackage[<margins>]{geometry}
\usepackage{microtype}
\usepackage{amsmath, amssymb}
\usepackage[hidelinks, pdftitle={<title>}]{hyperref}
\setlength{\parindent}{0pt}
\setlength{\parskip}{0.6ex plus 0.2ex}
"""
_FONTS = "\\usepackage[T1]{fontenc}\n\\usepackage{lmodern}\n"
_FOR_ALL_ENGINES = {
    _FONTS: f"\\usepackage{{iftex}}\n\\iftutex\n\\usepackage{{fontspec}}\n\\else\n{_FONTS}\\fi\n",
    "\\usepackage{microtype}\n": "\\iftutex\\else\\usepackage{microtype}\\fi\n",  # it knows no letters of other fonts
}
"""What stands in the preamble instead where LuaLaTeX or XeLaTeX are to take the document too."""
_CHINESE = "\\usepackage[UTF8, scheme=plain]{ctex}\n"
"""For a document in Chinese; the headings are our own."""
_MENTION = r"""% Mentions of equations: by cleveref, where the document has loaded it.
\providecommand\derivedfrom[2]{\ifdefined\cref\cref{#2}\else#1\fi}
"""


def write_complete(document: Document, options: DocumentOptions) -> str:
    """A file that compiles as it is."""
    # A link in the PDF has no formulas and no commands.
    plain = document.title if re.fullmatch(r"[\w ,.;:()'/-]*", document.title, re.ASCII) else document.name
    preamble = _PREAMBLE.replace("<margins>", _MARGINS[options.width]).replace("<title>", plain.replace("_", r"\_"))
    head = f"% {document.origin}\n{_CLASSES[options.width]}{preamble}"
    is_chinese = document.language == "zh"
    inline = InlineWriter(options.prefix or document.name, options.numbers or "fixed", True, is_chinese, options.cite)
    title = f"\\begin{{center}}\n\\Large {inline.words(document.title)}\n\\end{{center}}"
    body = _loosely(_Writer("section*", _LINES[options.width][0], inline).write_body(document))
    if _needs_scripts(title + body):
        for line, instead in _FOR_ALL_ENGINES.items():
            head = head.replace(line, instead)
        # Of a Chinese document the author's words alone may have other letters.
        head += (_CHINESE if is_chinese else "") + (DEFINITIONS if _needs_scripts(title + body, is_chinese) else "")
    head += _needs_algorithms(body) + _needs_mention(body)
    body += _list_papers(body)
    return f"{head}\n\\begin{{document}}\n\n{title}\n\n{body}\n\\end{{document}}\n"


def _list_papers(body: str) -> str:
    """What is cited, in a list of a document's own."""
    cited = {key for keys in re.findall(r"\\cite\{([^}]*)\}", body) for key in keys.split(",")}
    items = "\n".join(rf"\bibitem{{{paper.key}}} {paper.reference()}" for paper in PAPERS if paper.key in cited)
    # As wide as the widest number, of two digits.
    return f"\n\\begin{{thebibliography}}{{99}}\n{items}\n\\end{{thebibliography}}\n" if items else ""


def write_fragment(document: Document, options: DocumentOptions) -> str:
    r"""A body for `\input`."""
    prefix, command = options.prefix or document.name, options.heading
    is_chinese = document.language == "zh"
    inline = InlineWriter(prefix, options.numbers or "automatic", is_chinese=is_chinese, cites=options.cite)
    title = "" if command == "none" else f"{_head(command, inline.words(document.title))}\\label{{{prefix}}}\n\n"
    body = _Writer(_LOWER[command], _LINES[options.width][1], inline).write_body(document)
    packages = "amsmath, amssymb" + (", algpseudocode" if _needs_algorithms(body) else "")
    head = f"% {document.origin}\n% For \\input into a document with \\usepackage{{{packages}}}.\n"
    head += "% And \\usepackage[UTF8]{ctex}; compile with xelatex.\n" if is_chinese else ""
    scripts = DEFINITIONS if _needs_scripts(title + body, is_chinese) else ""
    return f"{head}{scripts}{_needs_mention(body)}{_loosely(title + body)}"


def _loosely(text: str) -> str:
    # Long names without hyphens would stick out into the margin otherwise.
    return f"\\begingroup\\sloppy\n{text}\n\\par\\endgroup\n"


def _head(command: str, heading: str) -> str:
    return f"\\{command}{{{heading}}}"


def _needs_scripts(text: str, is_chinese: bool = False) -> bool:
    return r"\other" in text if is_chinese else not text.isascii()


def _needs_mention(body: str) -> str:
    return _MENTION if r"\derivedfrom{" in body else ""


_ALGORITHMS = r"""\IfFileExists{algpseudocode.sty}{\usepackage{algpseudocode}}{% what is used of it
  \newcounter{algline}\newlength{\algdepth}
  \newenvironment{algorithmic}[1][1]{\begin{list}{\footnotesize\arabic{algline}:}{\usecounter{algline}%
    \setlength{\itemsep}{0pt}\setlength{\parsep}{0pt}\setlength{\leftmargin}{2.2em}}}{\end{list}}
  \newcommand{\algitem}{\item\hangindent=\dimexpr\algdepth+2em\relax\hspace*{\algdepth}}
  \newcommand{\State}{\algitem}
  \newcommand{\For}[1]{\algitem\textbf{for} ##1 \textbf{do}\addtolength{\algdepth}{1.2em}}
  \newcommand{\EndFor}{\addtolength{\algdepth}{-1.2em}\algitem\textbf{end for}}
  \newcommand{\Require}{\item[\textbf{Require:}]}
  \newcommand{\Return}{\textbf{return} }
  \newcommand{\Comment}[1]{\hfill$\triangleright$ ##1}
}
"""
"""In the preamble of a document with an algorithm: not every TeX has the package."""


def _needs_algorithms(body: str) -> str:
    return _ALGORITHMS if r"\begin{algorithmic}" in body else ""


@dataclass(frozen=True)
class _Writer:
    """Writes the parts of a document.

    Attributes:
        level: the command for a section's heading, or "none".
        line: the width of a line in ems.
        inline: writes running text.
    """

    level: str
    line: float
    inline: InlineWriter

    def write_body(self, document: Document) -> str:
        """Everything under the title."""
        displays = DisplayWriter(self.line, self.inline)
        parts = [self.write_blocks(document.opening, displays)]
        # Arranged before anything is written: of equations that come to stand in one row the row alone has a label.
        for number, section in enumerate(arrange(document.sections, displays.fits), 1):
            parts.append(f"{self.write_heading(number, section)}{self.write_blocks(section.blocks, displays)}")
        return "\n".join(parts)

    def write_heading(self, number: int, section: Section) -> str:
        """The heading of a section; its number is the document's own only where there is no other."""
        if self.level == "none":
            return "\\par\n" if number > 1 else ""
        if self.level.endswith("*"):
            return f"\\{self.level}{{{number}. {self.inline.words(section.heading)}}}\n\n"
        label = f"\\label{{{self.inline.prefix}:section:{section.key}}}"
        return f"{_head(self.level, self.inline.words(section.heading))}{label}\n\n"

    def write_blocks(self, blocks: tuple[Block, ...], displays: DisplayWriter) -> str:
        """Blocks under one another; without an empty line before equations, which would start a paragraph."""
        shown = ""
        for block in blocks:
            # An empty line ends a paragraph, and TeX would leave room above the equations twice.
            gap = "\n" if shown and not isinstance(block, Display | Centred) else ""
            shown += gap + (displays.write(block) if isinstance(block, Display) else self.write_block(block))
        return shown

    def write_block(self, block: Paragraph | Bullets | Table | Centred | Algorithm | FormulaPairs) -> str:
        """One block without equations of its own."""
        match block:
            case Paragraph():
                lead = f"\\textbf{{{self.inline.words(block.lead)}.}} " if block.lead else ""
                text = f"\\noindent {lead}{self.inline.write(block.parts)}".rstrip()
                return f"{text}\n"
            case Bullets():
                items = "\n".join(f"  \\item {self.inline.write(item)}" for item in block.items)
                return f"\\begin{{itemize}}\n  \\setlength{{\\itemsep}}{{0pt}}\n{items}\n\\end{{itemize}}\n"
            case Table():
                return self._write_table(block)
            case Algorithm():
                return _write_algorithm(block, self.inline)
            case FormulaPairs():
                return write_side_by_side(block, self.line)
            case Centred():
                lines = " \\\\\n".join(break_lines(block.formula.latex, self.line, LATEX, INDENT))
                return f"\\begin{{gather*}}\n{lines}\n\\end{{gather*}}\n"

    def _measure_column(self, table: Table, column: int) -> float:
        """The part of the line that a column of a table takes, up to a quarter: what is longer is broken."""
        cells = [(table.headings[column],), *(row[column] for row in table.rows)]
        widest = max(sum(map(measure_part, cell)) for cell in cells)
        return min(0.26, widest / self.line + 0.01)

    def _write_table(self, table: Table) -> str:
        # Parts of the line: the first and the last column are short words and shapes, as wide as they are; the symbols
        # between take the rest; a tenth is left for gaps.
        first, last = (self._measure_column(table, column) for column in (0, -1))
        between = len(table.headings) - 2
        shares = [first, *([(0.9 - first - last) / between] * between), last]
        layout = "".join(rf"p{{{share:.2f}\linewidth}}" for share in shares)
        rows = [" & ".join(rf"\textit{{{self.inline.words(heading)}}}" for heading in table.headings) + r" \\ \hline"]
        rows += [" & ".join(self.inline.write(cell) for cell in row) + r" \\" for row in table.rows]
        lines = "\n".join(f"  {row}" for row in rows)
        begin = rf"\begin{{tabular}}{{@{{}}{layout}@{{}}}}"
        body = f"\\renewcommand{{\\arraystretch}}{{1.15}}\n{begin}\n{lines}\n\\end{{tabular}}"
        return f"\\begin{{center}}\n{body}\n\\end{{center}}\n"


_STATEMENTS = {
    "require": r"\Require ",
    "state": r"\State ",
    "for": r"\For{",
    "end": r"\EndFor",
    "return": r"\State \Return ",
}
"""A kind of line in an algorithm -> the command of algpseudocode, with what it begins."""


def _write_algorithm(block: Algorithm, inline: InlineWriter) -> str:
    rows = []
    for depth, line in block.indented:
        note = rf" \Comment{{{inline.write(line.note)}}}" if line.note else ""
        closing = "}" if _STATEMENTS[line.kind].endswith("{") else ""
        rows.append(f"  {'  ' * depth}{_STATEMENTS[line.kind]}{inline.write(line.parts)}{closing}{note}".rstrip())
    body = "\n".join(rows)
    return f"\\begin{{algorithmic}}[1]\n{body}\n\\end{{algorithmic}}\n"
