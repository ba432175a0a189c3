"""How every public result shows itself: one table, a row for each class, with a line and with blocks.

The blocks are those of documents, so a result looks the same in HTML, in Markdown and in LaTeX.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import sympy

from symrnn.documents import html, markdown
from symrnn.documents.breaking import LATEX, break_lines
from symrnn.documents.comparing_cells import diff_document
from symrnn.documents.structure import (
    Block,
    Bullets,
    Centred,
    Display,
    EquationLine,
    Inline,
    Maths,
    NumberedEquation,
    Paragraph,
    Table,
    enumerated,
)
from symrnn.printers import latex, text

if TYPE_CHECKING:
    # For their names alone: what is shown has loaded its own module, and a table of looks must not load all of them.
    from symrnn.algebra.nodes import Expr
    from symrnn.arrays import Array
    from symrnn.calculus.derivation import Derivation, Step
    from symrnn.calculus.differing import CellDiff
    from symrnn.calculus.paths import Path
    from symrnn.equivalence.equivalent import Equivalence
    from symrnn.findings.report import GradientReport
    from symrnn.interop.conventions import Convention
    from symrnn.interop.explain import LayerComparison
    from symrnn.interop.transfer import Loaded
    from symrnn.language.explicit import Explicit
    from symrnn.language.recurrence import Cell
    from symrnn.proofs.claims import Theorem
    from symrnn.proofs.formulas import Equality
    from symrnn.targets.generation import Module
    from symrnn.verification.report import Report

# Ems of a notebook's cell, as for a derivation's equations.
_LINE = 44.0


@dataclass(frozen=True)
class Look:
    """How the results of one class show themselves.

    Attributes:
        summary: a few words, for the line between angle brackets.
        blocks: all of it.
    """

    summary: Callable[[Any], str]
    blocks: Callable[[Any], Iterable[Block]]


def summary(result: Any) -> str:
    """A result in a few words."""
    return _look(result).summary(result)


def blocks(result: Any) -> tuple[Block, ...]:
    """A result as blocks."""
    return tuple(_look(result).blocks(result))


def as_html(result: Any) -> str | None:
    """A result as HTML; None where there are formulas, which not every front end sets there."""
    shown = blocks(result)
    return None if not shown or any(map(_has_formulas, shown)) else html.fragment(shown)


def as_markdown(result: Any) -> str:
    """A result as Markdown."""
    return "\n\n".join(map(markdown.write_block, blocks(result)))


def as_latex(result: Any) -> str | None:
    """The displayed formulas of a result as one formula; None where there are none."""
    lines = [line for block in blocks(result) for line in _find_displayed(block)]
    if not lines:
        return None
    rows = [row for line in lines for row in _rows(line)]
    aligned = " \\\\\n".join(rows)
    return f"$\\displaystyle \\begin{{aligned}}\n{aligned}\n\\end{{aligned}}$"


def _look(result: Any) -> Look:
    # By name, along the base classes: importing all of them for a table would load the whole package.
    return next(LOOKS[kind.__name__] for kind in type(result).__mro__ if kind.__name__ in LOOKS)


def _find_displayed(block: Block) -> Iterator[EquationLine]:
    if isinstance(block, Display):
        yield from (line for equation in block.equations for line in equation.lines)
    elif isinstance(block, Centred):
        yield EquationLine(None, block.formula)


def _rows(line: EquationLine) -> list[str]:
    first, *others = break_lines(line.right.latex, _LINE, LATEX, 2.0)
    start = f"{line.left.latex} &= " if line.left else "& "
    return [start + first, *(rf"&\qquad {{}} {piece}" for piece in others)]


def _has_formulas(block: Block) -> bool:
    match block:
        case Paragraph():
            return any(isinstance(part, Maths) for part in block.parts)
        case Bullets():
            return any(isinstance(part, Maths) for item in block.items for part in item)
        case Table():
            return any(isinstance(part, Maths) for row in block.rows for cell in row for part in cell)
    return True


# --- parts ------------------------------------------------------------------------------------------------------------


def _maths(expr: Expr) -> Maths:
    return Maths(latex(expr), text(expr))


def _equation(left: Expr, right: Expr, number: str = "") -> NumberedEquation:
    return NumberedEquation(number, (EquationLine(_maths(left), _maths(right)),))


def _align(sides: Iterable[tuple[Expr, Expr]]) -> Display:
    """Equations one below the other."""
    return Display((NumberedEquation("", tuple(EquationLine(_maths(left), _maths(right)) for left, right in sides)),))


def _list_formulas(exprs: Iterable[Expr]) -> Inline:
    """Expressions with commas between."""
    return enumerated(map(_maths, exprs))


def _lines(shown: str) -> tuple[Block, ...]:
    """A text: its first line, and the others as a list."""
    first, *others = [line.strip() for line in shown.splitlines() if line.strip()] or [""]
    rest = (Bullets(tuple((line,) for line in others)),) if others else ()
    return (Paragraph((first,)), *rest)


def _rows_of(headings: Iterable[str], rows: Iterable[Iterable[str]]) -> Table:
    return Table(tuple(headings), tuple(tuple((cell,) for cell in row) for row in rows))


def _array(value: Array) -> str:
    return f"({', '.join(map(str, value.shape))}{',' if value.ndim == 1 else ''})"


def _first_line(result: Any) -> str:
    return str(result).splitlines()[0]


# --- cells and derivations --------------------------------------------------------------------------------------------


def _cell_summary(cell: Cell) -> str:
    arguments = ", ".join((*cell.inputs, *(f"{state}_prev" for state in cell.states)))
    return f"cell {cell.name}: {', '.join(cell.states)} of {arguments}; {len(cell.parameters)} parameters"


def _cell(cell: Cell) -> Iterator[Block]:
    yield Paragraph((cell.title,), cell.name)
    yield _align((equation.target, equation.value) for equation in cell.body)
    rows = []
    for role, names in (("input", cell.inputs), ("state", cell.states), ("parameter", cell.parameters)):
        shapes = {name: cell.shape_names(name) for name in names}
        for shape in dict.fromkeys(shapes.values()):
            alike = [cell[name] for name in names if shapes[name] == shape]
            rows.append(((role,), _list_formulas(alike), (" × ".join(shape) or "a number",)))
    yield Table(("role", "names", "size"), tuple(rows))
    if cell.section("Source"):
        yield Paragraph((cell.section("Source"),), "Source")


def _library(library: Any) -> Iterator[Block]:
    yield Paragraph((f"{len(library)} cells; cells.lstm and cells['lstm'] give one of them",), "symrnn.cells")
    families = library.families()
    yield _rows_of(
        ("family", "what they are", "cells"),
        ((name, families[name], ", ".join(library.names(name))) for name in families),
    )


def _derivation(derivation: Derivation) -> str:
    counted = f"{len(derivation.forward)} forward and {len(derivation.steps)} backward equations"
    return f"derivation of {derivation.cell.name}: {counted}"


def _step(step: Step) -> tuple[Block, ...]:
    return (Display((_equation(step.target, step.value, str(step.number)),)),)


def _path(path: Path) -> tuple[Block, ...]:
    lead: Inline = ("direct",)
    if path.through:
        lead = ("through ", *_list_formulas(path.through))
    return (Paragraph((*lead, ": ", _maths(path.value))),)


def _differences(found: CellDiff) -> str:
    pair = found.counterparts
    count = len(found.rows) - found.count("same")
    return f"{pair.one.cell.name} and {pair.other.cell.name}: {count} of {len(found.rows)} equations differ"


def _diff(found: CellDiff) -> Iterator[Block]:
    document = diff_document(found)
    yield from (*document.opening, *(block for section in document.sections for block in section.blocks))


def _sizes(explicit: Explicit) -> str:
    return ", ".join(f"{name} = {size}" for name, size in explicit.sizes.items())


def _explicit(explicit: Explicit) -> Iterator[Block]:
    yield Paragraph((f"one step in scalars, with {_sizes(explicit)}",), explicit.cell.name)
    for state, value in explicit.states.items():
        left = _maths(explicit.cell[state])
        yield Display((NumberedEquation("", (EquationLine(left, Maths(sympy.latex(value), sympy.sstr(value))),)),))


# --- verdicts ---------------------------------------------------------------------------------------------------------


def _report(report: Report) -> Iterator[Block]:
    passed = sum(check.passed for check in report.checks)
    told = (
        "all checks passed" if report.passed else f"{len(report.checks) - passed} of {len(report.checks)} checks failed"
    )
    yield Paragraph((f"{report.cell}: {told}",))
    yield _rows_of(
        ("check", "method", "sizes", "error", "allowed", "verdict"), ((*check.row,) for check in report.checks)
    )
    if report.failures:
        yield Bullets(tuple((f"{check.name}: {check.detail}",) for check in report.failures))


def _equality(found: Equality) -> Iterator[Block]:
    first, *others = str(found).splitlines()
    # Both sides are set as formulas here; of the line itself only what follows the verdict is kept.
    condition = first.partition(f": {found.verdict}")[2]
    yield Paragraph((_maths(found.left), " = ", _maths(found.right), f": {found.verdict}{condition}"))
    if others:
        yield Bullets(tuple((line.strip(),) for line in others))


def _theorem(theorem: Theorem) -> Iterator[Block]:
    # Only theorems need it, and with it what a document's further sections are made of.
    from symrnn.documents.further import stated

    yield from stated(theorem)
    yield Paragraph((f"{theorem.verdict} ({theorem.proof}): {theorem.details}",))


def _equivalence(found: Equivalence) -> Iterator[Block]:
    first, *others = str(found).splitlines()
    yield Paragraph((first,))
    if found.holds and found.changes:
        yield _rows_of((f"of {found.target}", f"from {found.source}"), found.changes.items())
        yield Paragraph((others[-1].strip(),))
    elif others:
        yield Bullets(tuple((line.strip(),) for line in others))


# --- code and weights -------------------------------------------------------------------------------------------------


def _functions(module: Module) -> dict[str, Any]:
    # Whoever has a module to show has loaded this already; for others it need not be.
    from symrnn.targets.generation import FURTHER, STANDARD

    made = {name: getattr(module, name) for name in (*STANDARD, *FURTHER)}
    return {name: function for name, function in made.items() if function is not None}


def _module(module: Module) -> Iterator[Block]:
    yield Paragraph(
        (f"a module of {len(module.source.splitlines())} lines, in .source and by .save(path)",), module.name
    )
    rows = [
        (f"{name}{inspect.signature(function)}", (function.__doc__ or "").strip().splitlines()[0])
        for name, function in _functions(module).items()
    ]
    yield _rows_of(("function", "what it gives"), rows)


def _convention(row: Convention) -> Table:
    # The table of conventions and its cells, which only who loads weights has loaded.
    from symrnn.interop.explain import ASPECTS

    told = [(aspect, of(row)) for aspect, of in ASPECTS.items()]
    return _rows_of(("", row.title), [("cell", row.cell), *told])


def _loaded(loaded: Loaded) -> Iterator[Block]:
    yield Paragraph((f"read as {loaded.convention.title}",), loaded.cell.name)
    yield _rows_of(("parameter", "shape", "type"), ((n, _array(v), str(v.dtype)) for n, v in loaded.params.items()))


def _comparison(found: LayerComparison) -> Iterator[Block]:
    yield _rows_of(("", found.a.title, found.b.title), ((d.aspect, d.a, d.b) for d in found.differences))
    *_, forth, back = str(found).split("\n\n")
    yield from (block for told in (forth, back) for block in _lines(told))


def _gradients(report: GradientReport) -> Iterator[Block]:
    # Only reports of gradients need it.
    from symrnn.findings.content import COLUMNS
    from symrnn.findings.report import table
    from symrnn.findings.sentences import describe_diagnosis

    yield Paragraph((report.summary,), str(report.verdict))
    if report.gradients:
        yield _rows_of(COLUMNS, table(report))
    told = [line for diagnosis in report.diagnoses for line in describe_diagnosis(diagnosis)]
    told += [problem.sentence for problem in report.problems]
    if told:
        yield Bullets(tuple((line,) for line in told))


def _several(results: Any) -> Iterable[Block]:
    """Results one after another; equations of SymPy as one formula."""
    if results and all(isinstance(one, sympy.Equality) for one in results):
        return (_align((one.lhs, one.rhs) for one in results),)
    return (block for one in results for block in blocks(one))


LOOKS: Mapping[str, Look] = MappingProxyType(
    {
        "_Library": Look(lambda library: f"symrnn.cells: {len(library)} cells; list(cells) names them", _library),
        "Cell": Look(_cell_summary, _cell),
        "Equation": Look(lambda e: f"{e.target} = {e.value}", lambda e: (Display((_equation(e.target, e.value),)),)),
        "Equality": Look(_first_line, _equality),
        "Derivation": Look(_derivation, lambda derivation: ()),
        "Step": Look(lambda step: f"({step.number}) {step.target} = {step.value}", _step),
        "Path": Look(lambda path: f"{path.of} from {path.wrt}, {path.name}", _path),
        "Explicit": Look(lambda explicit: f"{explicit.cell.name} in scalars, with {_sizes(explicit)}", _explicit),
        "CellDiff": Look(_differences, _diff),
        "Report": Look(lambda r: f"verification of {r.cell}: {'passed' if r.passed else 'FAILED'}", _report),
        "Theorem": Look(lambda theorem: f"theorem {theorem.name}: {theorem.verdict}", _theorem),
        "Equivalence": Look(_first_line, _equivalence),
        "Identification": Look(_first_line, lambda found: _lines(str(found))),
        "GradientReport": Look(lambda r: f"gradients {r.verdict}: {r.summary}", _gradients),
        "Module": Look(lambda m: f"module {m.name}: {', '.join(_functions(m))}", _module),
        "Convention": Look(lambda row: f"convention {row.title}: {row.cell}", lambda row: (_convention(row),)),
        "Loaded": Look(lambda loaded: f"{loaded.cell.name} with weights of {loaded.convention.title}", _loaded),
        "LayerComparison": Look(_first_line, _comparison),
        "Explanation": Look(
            lambda e: "; ".join(map(_first_line, e.comparisons)),
            lambda e: (block for comparison in e.comparisons for block in _comparison(comparison)),
        ),
        "ResultTuple": Look(repr, _several),
    }
)  # fmt: skip
"""Name of a class -> its look."""
