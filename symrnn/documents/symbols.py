"""The head of a derivation's document: the conventions, and the table of symbols."""

from __future__ import annotations

import re
from collections.abc import Iterator

from symrnn.algebra import nodes
from symrnn.algebra.functions import FUNCTIONS
from symrnn.algebra.nodes import ONE_BY_ONE, Variable
from symrnn.calculus.symbols import DerivativeSymbol
from symrnn.documents.setting import Setting, phrase
from symrnn.documents.structure import Bullets, Inline, Maths, Paragraph, Section, Table, enumerated
from symrnn.language.constants import shown
from symrnn.printers.mathematics import MathPrinter
from symrnn.printers.named import NAMED, NamedOperator
from symrnn.printers.notation import Notation


def _said(row: NamedOperator) -> tuple[str, str]:
    return row.latex, row.meaning


_AMONG = ("Vec", "Diag", "Softmax")
"""Operators whose explanation stands among those of the signs; the others follow them."""
_EXPLAINED = (
    (r"\oslash", r"$\oslash$ divides entry by entry."),
    (r"\otimes", r"$\otimes$ is the Kronecker product."),
    _said(NAMED["Vec"]),
    (r"\mathbf{1}", r"$\mathbf{1}$ has ones in all entries, in whatever shape fits."),
    ("; 0; ", r"A $0$ in a stack is as large as the $I$ there, where nothing else tells its size."),
    (r"_{[", r"$v_{[i:j]}$ is the part of $v$ from row $i$ to row $j$, both included."),
    (r"\left\langle", r"$\left\langle{}A, B\right\rangle$ is the sum of all entries of $A \odot B$."),
    _said(NAMED["Diag"]),
    _said(NAMED["Softmax"]),
    ("; ", r"$[a; b]$ is $a$ on top of $b$."),
    (r"[x ", r"A condition in square brackets, as in $[x > 0]$, is 1 where it holds, else 0."),
    *(_said(row) for kind, row in NAMED.items() if kind not in _AMONG),
)
"""What is explained only where it occurs."""
_SIZED = (
    r"A subscript of $\mathbf{1}$, $I$ or $0$ is the size, where nothing beside it tells it: $I_{n}$ has $n$ rows and "
    r"columns, $\mathbf{1}_{n}$ is a column with $n$ entries, $\mathbf{1}_{m \times n}$ and $0_{m \times n}$ "
    r"have $m$ rows and $n$ columns."
)
_COMMUTATION = (
    r"$K_{m,n}$ is the matrix with $K_{m,n} \operatorname{vec}(X) = \operatorname{vec}(X^{\top})$ "
    "for $X$ with $m$ rows and $n$ columns."
)


_LAYOUTS = {
    "numerator": (
        r"Layout: numerator. A Jacobian $\partial y/\partial x$ has the entries of $y$ as rows and those of $x$ as "
        "columns"
    ),
    "denominator": (
        r"Layout: denominator. A Jacobian $\partial y/\partial x$ has the entries of $x$ as rows and those of $y$ as "
        "columns, so that in a product what comes first stands first"
    ),
}


_IN_ROWS = (
    "A gradient has its variable's shape. The equations hold for several examples too, one a row: a parameter of one "
    "row is added to, or multiplied with, each of the rows, and its gradient is the sum over them."
)


def layout_of(setting: Setting) -> Inline:
    """How Jacobians are laid out; in rows, what holds for several examples."""
    if setting.notation.rows:
        return phrase(_IN_ROWS)
    return phrase(_LAYOUTS[setting.layout] + _describe_matrices(setting))


def conventions(setting: Setting, sections: tuple[Section, ...]) -> Bullets:
    """How the document is to be read."""
    derivation, notation = setting.derivation, setting.notation
    state = derivation.cell[derivation.cell.states[0]]
    v = Variable("v", state.shape[0], 1, time=0)
    value, shown_v = setting.maths(state), setting.maths(v)
    adjoint = setting.maths(v.marked("adjoint", "v_bar"))
    loss = Maths(rf"\partial \ell/\partial {value.latex}", f"∂ℓ/∂{value.text}")
    bar = setting.maths(derivation.cotangents[state.name])
    message = setting.maths(derivation.message(state.name))
    both = setting.maths(nodes.add(derivation.loss(state.name), derivation.message(state.name)))
    letter, last = setting.notation.loss, setting.last
    plain_loss = phrase(f"${letter}$")
    ratio = Maths(rf"\partial {letter}/\partial {shown_v.latex}", f"∂{letter}/∂{shown_v.text}")
    meaning: Inline = (ratio,) if notation.adjoint == "partial" else (adjoint, ", or ", ratio)
    items: list[Inline] = [
        phrase(f"Everything is for one example. {_multiplied(notation)}, and powers and functions act entry by entry."),
        phrase(rf"The steps are $t = 1, \dots, {last}$; the states before the first step are given."),
        (
            *(*meaning, ", is the derivative of the total loss "),
            *(*plain_loss, " with respect to a variable, through everything that it reaches. It has the"),
            *phrase(rf" variable's shape, and it is zero at step ${last}+1$."),
        ),
        (
            *(loss, " is the loss's own partial derivative: how the loss reads "),
            *(
                value,
                " directly, later steps left out. ",
                message,
                *phrase(" is the message that step $t+1$ sends back to "),
            ),
            *(value, ". ", Maths.joined((bar, both), " = ")),
            *(" is all that reaches ", value, " from outside its step."),
        ),
        *kinds_of(setting, sections),
        layout_of(setting),
        ("Notation: ", *phrase(notation.description), "."),
    ]
    remarks: list[Inline] = [(f"{remark[0].upper()}{remark[1:]}.",) for remark in derivation.cell.remarks]
    return Bullets((*items, *explained(setting, sections), *remarks))


def _multiplied(notation: Notation) -> str:
    """What the sign of the product entry by entry is, or that there is none."""
    vectors = "rows" if notation.rows else "columns"
    if notation.hadamard:
        return rf"Vectors are {vectors}, ${notation.hadamard}$ multiplies entry by entry"
    return rf"Vectors are {vectors}, two of them side by side are multiplied entry by entry, as matrices are by $\odot$"


_KINDS = (
    (
        "direct",
        r"\frac{\partial^{+}",
        "is the direct derivative: only where the equation of $y$ itself reads $x$, every other named variable held. "
        "The argument of a function belongs to the function's equation.",
    ),
    (
        "cell",
        r"\right|_{",
        "is the derivative of a step, or of several, as a function of what enters: $x$ moves, whatever lies between "
        "follows, and what the bar names is held, as are the inputs and parameters{}.",
    ),
    (
        "total",
        r"\frac{\mathrm{d} ",
        "is the total derivative: through whatever $x$ reaches in the unrolled network, the other states included.",
    ),
)
"""A sentence for each kind of derivative, and what gives away that a document has one."""


_TIME = r"\right|_{t-"
"""A bar with a time alone."""


def kinds_of(setting: Setting, sections: tuple[Section, ...]) -> list[Inline]:
    """What the symbols of the derivatives mean, those that occur."""
    shown = " ".join(formula.latex for section in sections for formula in _formulas(section))
    y, x, z = (Variable(name, 1, 1) for name in "yxz")
    several = "; a time at the bar stands for all other states at that time" if _TIME in shown else ""
    return [
        (
            setting.derivative(DerivativeSymbol(kind, y, x, (z,) if kind == "cell" else ())),
            " ",
            *phrase(text.format(several) if kind == "cell" else text),
        )
        for kind, token, text in _KINDS
        if token in shown
    ]


def explained(setting: Setting, sections: tuple[Section, ...]) -> list[Inline]:
    """The signs that occur in the formulas and need a word: operators, then functions."""
    # Two blanks between formulas, so that no sign is read across the border of two.
    shown = "  ".join(formula.latex for section in sections for formula in (*_formulas(section), *_within(section)))
    printer = setting.printer()
    identity, commutation = map(printer.letter, "IK")
    rows = (*_EXPLAINED, (f"{commutation}_{{", _COMMUTATION.replace("K_", f"{commutation}_")))
    found = [phrase(text) for token, text in rows if _occurs(token, shown)]
    if re.search(rf"(?<![\w\\{{]){re.escape(identity)}(?![A-Za-z])", shown):
        found.append(phrase(f"${identity}$ is the identity matrix, in whatever size fits."))
    if re.search(rf"(?:\\mathbf\{{1\}}|(?<![\w\\{{,]){re.escape(identity)}|(?<![\w.,])0)_\{{(?!\[)", shown):
        found.append(phrase(_SIZED.replace("I", identity)))
    for name, row in FUNCTIONS.items():
        symbol = printer.function(name)
        if row.meaning and _occurs(symbol.partition("<")[0], shown):
            found.append(phrase(f"{row.meaning.replace(row.latex, symbol)}."))
    return found


def _occurs(token: str, shown: str) -> bool:
    """Whether a sign stands in a formula on its own, not as a part of a name."""
    before = r"(?<![A-Za-z_{\\])" if token[0].isalpha() else r"(?<!\\)"
    # \operatorname{max} is not the x of a condition, and a_{max} is not the function.
    after = r"(?![A-Za-z_])" if token[-1].isalpha() else ""
    return re.search(f"{before}{re.escape(token)}{after}", shown) is not None


def _within(section: Section) -> Iterator[Maths]:
    """The formulas in a section's text and lists."""
    for block in section.blocks:
        rows = block.items if isinstance(block, Bullets) else (block.parts,) if isinstance(block, Paragraph) else ()
        yield from (part for row in rows for part in row if isinstance(part, Maths))


def _describe_matrices(setting: Setting) -> str:
    cell = setting.derivation.cell
    has_matrix = any(cell[name].shape[1] != 1 for name in (*cell.states, *cell.inputs))
    counted = "; a matrix counts as the stack of its columns" if has_matrix else ""
    return f"{counted}. A gradient has its variable's shape."


def _formulas(section: Section) -> list[Maths]:
    lines = [line for equation in section.equations for line in equation.lines]
    return [formula for line in lines for formula in (line.left, line.right) if formula is not None]


def symbol_table(setting: Setting) -> Table:
    """Every symbol of the forward equations, with role and shape; those alike in both share a row."""
    derivation = setting.derivation
    cell = derivation.cell
    targets = [equation.target for equation in derivation.forward]
    named = [v for v in targets if derivation.is_preactivation(v)]
    roles = (
        ("input", [cell[name] for name in cell.inputs]),
        ("state", [cell[name] for name in cell.states]),
        ("intermediate", [v for v in targets if v.name not in cell.states and v not in named]),
        ("argument of a function", named),
        ("parameter", [cell[name] for name in cell.parameters]),
    )
    rows: list[tuple[Inline, ...]] = []
    for role, variables in roles:
        for shape in dict.fromkeys(v.shape for v in variables):
            alike = [setting.maths(v) for v in variables if v.shape == shape]
            rows.append(((role,), enumerated(alike), (_space(setting, shape),)))
    if cell.constants:
        rows.append((("constant",), _list_constants(setting), (_space(setting, ONE_BY_ONE),)))
    return Table(("Role", "Symbols", "Space"), tuple(rows), is_glossary=True)


def _list_constants(setting: Setting) -> Inline:
    """The constants with their numbers."""
    cell = setting.derivation.cell
    pairs = ((setting.maths(cell[name]), shown(number)) for name, number in cell.constants.items())
    return enumerated(Maths(f"{letter.latex} = {value}", f"{letter.text} = {value}") for letter, value in pairs)


def _space(setting: Setting, shape: tuple[object, object]) -> Maths:
    if shape == ONE_BY_ONE:
        return Maths(r"\mathbb{R}", "ℝ")
    # ℝ^d for a column, as papers write it, not ℝ^(d×1).
    kept = shape[:1] if shape[1] == 1 else shape[::-1] if setting.notation.rows else shape

    def sizes(printer: MathPrinter, times: str) -> str:
        return times.join(f"({size})" if " " in size and len(kept) > 1 else size for size in map(printer.size, kept))

    latex = setting.both(lambda printer: sizes(printer, r" \times "))
    text = setting.both(lambda printer: sizes(printer, "×"))
    return Maths(
        rf"\mathbb{{R}}^{{{latex.latex}}}",
        f"ℝ^({text.text})" if len(kept) > 1 or len(text.text) > 3 else f"ℝ^{text.text}",
    )
