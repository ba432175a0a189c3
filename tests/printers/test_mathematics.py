"""Expressions on paper: every node has a rule, the order is the author's, and brackets are where they are needed."""

from __future__ import annotations

from typing import Any

import pytest
from sympy import Rational, Symbol

from symrnn.algebra import nodes
from symrnn.algebra.functions import FUNCTIONS
from symrnn.algebra.nodes import Variable
from symrnn.errors import MissingRuleError
from symrnn.printers import NOTATIONS, latex, text
from symrnn.printers.mathematics import _RULES, MathPrinter
from symrnn.printers.sizes import Sized
from symrnn.printers.syntax import LATEX, TEXT

n, m = Symbol("d_h", integer=True, positive=True), Symbol("d_x", integer=True, positive=True)
a, b, c, x = (Variable(name, n, 1, time=0) for name in "abcx")
h_prev = Variable("h_prev", n, 1, "h", -1)
s, r = Variable("s", 1, 1, time=0), Variable("alpha", 1, 1)
v = Variable("v", n + 3 * m, 1, time=0)
W, U, C = Variable("W_f", n, n), Variable("U", n, n), Variable("C", n, m, time=0)
delta = a.marked("adjoint", "a_bar")
ones = nodes.ones((n, 1))

EXAMPLES = {
    "Variable": (a, "a_t", "a_t"),
    "Sum": (nodes.subtract(ones, a), "1 - a_t", "1 - a_t"),
    "Product": (nodes.matmul(W, a), "W_f a_t", "W_f a_t"),
    "Hadamard": (nodes.hadamard(b, a), r"b_t \odot a_t", "b_t ⊙ a_t"),
    "Power": (nodes.power(a, 2), "a_t^{2}", "a_t^2"),
    "Transposed": (nodes.transpose(W), r"W_f^{\top}", "W_fᵀ"),
    "Act": (nodes.act("tanh", a), r"\tanh(a_t)", "tanh(a_t)"),
    "Fill": (nodes.fill(s, (n, 1)), r"s_t \, \mathbf{1}", "s_t 𝟏"),
    "Total": (nodes.total(a), r"\mathbf{1}^{\top} a_t", "𝟏ᵀ a_t"),
    "Stack": (nodes.stack(a, b), "[a_t; b_t]", "[a_t; b_t]"),
    "Slice": (nodes.rows(a, 0, m), "(a_t)_{[1:d_x]}", "(a_t)[1:d_x]"),
    "Kronecker": (nodes.kronecker(W, U), r"W_f \otimes U", "W_f ⊗ U"),
    "Commutation": (nodes.Commutation(n, m), "K_{d_h,d_x}", "K_{d_h,d_x}"),
    "Ones": (ones, r"\mathbf{1}", "𝟏"),
    "Zeros": (nodes.zeros((n, 1)), "0", "0"),
    "Eye": (nodes.Eye(n), "I", "I"),
    "Diag": (nodes.diag(a), r"\operatorname{diag}(a_t)", "diag(a_t)"),
    "Vec": (nodes.vec(C), r"\operatorname{vec}(C_t)", "vec(C_t)"),
    "Argmax": (nodes.argmax(a), r"\operatorname{argmax}(a_t)", "argmax(a_t)"),
    "Sized": (Sized(nodes.Eye(n)), "I_{d_h}", "I_{d_h}"),
    "Softmax": (nodes.softmax(a), r"\operatorname{softmax}(a_t)", "softmax(a_t)"),
}


def test_every_node_has_a_rule_and_an_example() -> None:
    assert {*nodes.KINDS, "Sized"} == set(_RULES) == set(EXAMPLES)


@pytest.mark.parametrize("name", sorted(_RULES))
def test_node_prints_in_both_syntaxes(name: str) -> None:
    expr, in_latex, in_text = EXAMPLES[name]
    assert type(expr).__name__ == name
    assert (latex(expr), text(expr)) == (in_latex, in_text)


@pytest.mark.parametrize("name", sorted(_RULES))
@pytest.mark.parametrize("notation", NOTATIONS.values(), ids=lambda notation: notation.name)
def test_latex_is_balanced_in_every_notation(name: str, notation: object) -> None:
    shown = MathPrinter(LATEX, notation)(nodes.transpose(EXAMPLES[name][0]))  # type: ignore[arg-type]
    assert shown.count("{") == shown.count("}")
    assert shown.count(r"\left") == shown.count(r"\right")


def test_unknown_node_is_refused() -> None:
    with pytest.raises(MissingRuleError, match="no rule to print MatrixSymbol"):
        MathPrinter(TEXT, NOTATIONS["subscript"])(__import__("sympy").MatrixSymbol("X", 2, 2))


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_every_function_prints_its_arguments(name: str) -> None:
    arguments = (a, b)[: FUNCTIONS[name].arity]
    shown = latex(nodes.act(name, *arguments))
    assert all(latex(argument) in shown for argument in arguments)


BRACKETS = [
    # a product of matrices binds tighter than the sign of the element-by-element product
    (nodes.hadamard(nodes.matmul(W, a), b), r"(W_f a_t) \odot b_t", "(W_f a_t) ⊙ b_t"),
    (nodes.matmul(W, nodes.hadamard(a, b)), r"W_f (a_t \odot b_t)", "W_f (a_t ⊙ b_t)"),
    (nodes.matmul(W, nodes.add(a, b)), "W_f (a_t + b_t)", "W_f (a_t + b_t)"),
    (nodes.hadamard(a, nodes.subtract(ones, a)), r"a_t \odot (1 - a_t)", "a_t ⊙ (1 - a_t)"),
    # signs
    (nodes.subtract(a, nodes.subtract(b, c)), "a_t - b_t + c_t", "a_t - b_t + c_t"),
    (nodes.add(nodes.negate(a), b), "-a_t + b_t", "-a_t + b_t"),
    (nodes.hadamard(nodes.negate(a), b), r"-a_t \odot b_t", "-a_t ⊙ b_t"),
    (nodes.matmul(W, nodes.negate(a)), "-W_f a_t", "-W_f a_t"),
    (nodes.negate(nodes.hadamard(nodes.add(a, b), c)), r"-(a_t + b_t) \odot c_t", "-(a_t + b_t) ⊙ c_t"),
    (nodes.scale(2, nodes.add(a, b)), r"2 \, (a_t + b_t)", "2 (a_t + b_t)"),
    (nodes.scale(Rational(1, 2), a), r"\frac{1}{2} \, a_t", "(1/2) a_t"),
    (nodes.scale(Rational(1, 3), a), r"\frac{1}{3} \, a_t", "(1/3) a_t"),
    (nodes.scale(1 / n, nodes.total(a)), r"\frac{1}{d_h} \, \mathbf{1}^{\top} a_t", "(1/d_h) 𝟏ᵀ a_t"),
    (
        nodes.scale(1 / (n + m), nodes.total(a)),
        r"\frac{1}{d_h + d_x} \, \mathbf{1}^{\top} a_t",
        "(1/(d_h + d_x)) 𝟏ᵀ a_t",
    ),
    # powers
    (nodes.power(nodes.add(a, b), 2), "(a_t + b_t)^{2}", "(a_t + b_t)^2"),
    (nodes.power(nodes.act("tanh", a), 2), r"\tanh^{2}(a_t)", "tanh^2(a_t)"),
    (nodes.power(nodes.act("log_sigmoid", a), 2), r"(\log\sigma(a_t))^{2}", "(log σ(a_t))^2"),
    (nodes.power(nodes.act("relu", a), 2), r"\operatorname{relu}^{2}(a_t)", "relu^2(a_t)"),
    (
        nodes.hadamard(nodes.act("log_sigmoid", a), nodes.act("sigmoid", b)),
        r"(\log\sigma(a_t)) \odot \sigma(b_t)",
        "(log σ(a_t)) ⊙ σ(b_t)",
    ),
    (nodes.power(nodes.act("abs", a), 2), r"\left|a_t\right|^{2}", "|a_t|^2"),
    (nodes.power(delta, 2), r"(\delta a_t)^{2}", "(δa_t)^2"),
    (nodes.power(nodes.matmul(W, a), 3), "(W_f a_t)^{3}", "(W_f a_t)^3"),
    # division
    (nodes.hadamard(a, nodes.power(b, -1)), r"a_t \oslash b_t", "a_t ⊘ b_t"),
    (nodes.hadamard(a, nodes.power(nodes.add(b, c), -2)), r"a_t \oslash (b_t + c_t)^{2}", "a_t ⊘ (b_t + c_t)^2"),
    (nodes.hadamard(nodes.power(b, -1), a, nodes.power(c, -1)), r"a_t \oslash (b_t \odot c_t)", "a_t ⊘ (b_t ⊙ c_t)"),
    (nodes.scale(2, nodes.power(a, -1)), r"2 \oslash a_t", "2 ⊘ a_t"),
    (nodes.matmul(W, nodes.hadamard(a, nodes.power(b, -1))), r"W_f (a_t \oslash b_t)", "W_f (a_t ⊘ b_t)"),
    # a number stands above the line, not beside a 1
    (nodes.scale(Rational(1, 1000), nodes.power(a, -1)), r"0.001 \oslash a_t", "0.001 ⊘ a_t"),
    (nodes.scale(Rational(-1, 3), nodes.power(a, -1)), r"-\frac{1}{3} \oslash a_t", "-(1/3) ⊘ a_t"),
    (nodes.scale(Rational(1, 2), nodes.power(s, -1)), r"\frac{1}{2 \, s_t}", "1/(2 s_t)"),
    (nodes.scale(m, nodes.power(a, -1)), r"d_x \oslash a_t", "d_x ⊘ a_t"),
    # numbers are decimals where that is exact and short
    (nodes.scale(Rational(1, 100000), a), r"10^{-5} \, a_t", "10^-5 a_t"),
    (nodes.scale(Rational(-1, 2), a), r"-\frac{1}{2} \, a_t", "-(1/2) a_t"),
    (
        nodes.scale(Rational(-3, 4), nodes.hadamard(a, nodes.power(b, -1))),
        r"-\frac{3}{4} \, a_t \oslash b_t",
        "-(3/4) a_t ⊘ b_t",
    ),
    (nodes.scale(Rational(1, 8), a), r"0.125 \, a_t", "0.125 a_t"),
    (nodes.scale(Rational(-1, 50000), a), r"-2 \times 10^{-5} \, a_t", "-2×10^-5 a_t"),
    (
        nodes.scale(Rational(3, 4), nodes.hadamard(r, s, nodes.power(s, -1))),
        r"\frac{3 \, \alpha \, s_t}{4 \, s_t}",
        "(3 α s_t)/(4 s_t)",
    ),
    (nodes.total(nodes.hadamard(C, C)), r"\left\langle C_t, C_t \right\rangle", "⟨C_t, C_t⟩"),
    (nodes.power(nodes.act("sqrt", s), 3), r"s_t \, \sqrt{s_t}", "s_t √(s_t)"),
    (nodes.power(nodes.act("sqrt", a), -4), r"1 \oslash a_t^{2}", "1 ⊘ a_t^2"),
    (nodes.Eye(1), "1", "1"),
    (nodes.scale(Rational(25, 2), a), r"12.5 \, a_t", "12.5 a_t"),
    (nodes.scale(Rational(1, 3 * 2**10), a), r"\frac{1}{3072} \, a_t", "(1/3072) a_t"),
    (nodes.scale(Rational(1, 10**15), a), r"10^{-15} \, a_t", "10^-15 a_t"),
    # signs within sizes, and decimals beside them
    (nodes.scale(3 - m, a), r"(3 - d_x) \, a_t", "(3 - d_x) a_t"),
    (nodes.scale(-m, a), r"-d_x \, a_t", "-d_x a_t"),
    (nodes.scale(m * Rational(3, 10), a), r"0.3 \, d_x \, a_t", "0.3 d_x a_t"),
    (nodes.scale(n - 2 * m, a), r"(d_h - 2 \, d_x) \, a_t", "(d_h - 2 d_x) a_t"),
    # scalars
    (nodes.hadamard(r, s), r"\alpha \, s_t", "α s_t"),
    (nodes.hadamard(nodes.fill(r, (n, 1)), a), r"\alpha \, a_t", "α a_t"),
    (nodes.hadamard(nodes.fill(r, (n, 1)), a, b), r"\alpha \, (a_t \odot b_t)", "α (a_t ⊙ b_t)"),
    (nodes.hadamard(nodes.fill(nodes.add(r, s), (n, 1)), a), r"(\alpha + s_t) \, a_t", "(α + s_t) a_t"),
    (nodes.hadamard(nodes.fill(nodes.power(s, -1), (n, 1)), a), r"\frac{a_t}{s_t}", "a_t/s_t"),
    (nodes.hadamard(nodes.fill(r, (n, 1)), nodes.fill(s, (n, 1))), r"\alpha \, s_t \, \mathbf{1}", "α s_t 𝟏"),
    (
        nodes.hadamard(nodes.total(a), nodes.power(s, -2)),
        r"\frac{\mathbf{1}^{\top} a_t}{s_t^{2}}",
        "(𝟏ᵀ a_t)/s_t^2",
    ),
    (
        nodes.hadamard(nodes.add(r, s), nodes.power(nodes.add(s, r), -1)),
        r"\frac{\alpha + s_t}{s_t + \alpha}",
        "(α + s_t)/(s_t + α)",
    ),
    (
        nodes.hadamard(nodes.fill(nodes.matmul(nodes.transpose(a), b), (n, 1)), c),
        r"(a_t^{\top} b_t) \, c_t",
        "(a_tᵀ b_t) c_t",
    ),
    (
        nodes.hadamard(nodes.fill(nodes.power(s, -1), (n, 1)), nodes.fill(r, (n, 1))),
        r"\frac{\alpha}{s_t} \, \mathbf{1}",
        "α/s_t 𝟏",
    ),
    (nodes.hadamard(r, nodes.power(s, -1)), r"\frac{\alpha}{s_t}", "α/s_t"),
    (nodes.hadamard(r, nodes.power(nodes.hadamard(s, s), -1)), r"\frac{\alpha}{s_t \, s_t}", "α/(s_t s_t)"),
    (nodes.matmul(W, nodes.hadamard(nodes.fill(r, (n, 1)), a)), r"W_f (\alpha \, a_t)", "W_f (α a_t)"),
    (
        nodes.hadamard(nodes.matmul(nodes.transpose(a), b), s),
        r"(a_t^{\top} b_t) \, s_t",
        "(a_tᵀ b_t) s_t",
    ),
    # ones as a row, and the identity of one row
    (nodes.ones((1, n)), r"\mathbf{1}^{\top}", "𝟏ᵀ"),
    (nodes.scale(2, nodes.ones((1, n))), r"2 \, \mathbf{1}^{\top}", "2 𝟏ᵀ"),
    (nodes.fill(s, (1, n)), r"s_t \, \mathbf{1}^{\top}", "s_t 𝟏ᵀ"),
    (nodes.hadamard(nodes.Eye(1), s, r), r"s_t \, \alpha", "s_t α"),
    # transposes
    (nodes.transpose(delta), r"(\delta a_t)^{\top}", "(δa_t)ᵀ"),
    (nodes.transpose(nodes.add(a, b)), r"(a_t + b_t)^{\top}", "(a_t + b_t)ᵀ"),
    (nodes.transpose(nodes.stack(a, b)), r"[a_t; b_t]^{\top}", "[a_t; b_t]ᵀ"),
    # numbers as arguments need no vector of ones
    (nodes.act("maximum", a, nodes.number(1, (n, 1))), r"\max(a_t, 1)", "max(a_t, 1)"),
    (nodes.act("sigmoid", nodes.negate(a)), r"\sigma(-a_t)", "σ(-a_t)"),
    (
        nodes.matmul(nodes.kronecker(W, U), nodes.vec(W)),
        r"(W_f \otimes U) \operatorname{vec}(W_f)",
        "(W_f ⊗ U) vec(W_f)",
    ),
    # sizes
    (
        nodes.scale(1 / (n * m), nodes.total(C)),
        r"\frac{1}{d_h \, d_x} \, \mathbf{1}^{\top} C_t \mathbf{1}",
        "(1/(d_h d_x)) 𝟏ᵀ C_t 𝟏",
    ),
    (
        nodes.scale(1 / n**2, nodes.total(W)),
        r"\frac{1}{d_h^{2}} \, \mathbf{1}^{\top} W_f \mathbf{1}",
        "(1/d_h^2) 𝟏ᵀ W_f 𝟏",
    ),
    (nodes.rows(v, m, n + 2 * m), r"(v_t)_{[d_x + 1:d_h + 2 \, d_x]}", "(v_t)[d_x + 1:d_h + 2 d_x]"),
]


@pytest.mark.parametrize(("expr", "in_latex", "in_text"), BRACKETS, ids=[row[2] for row in BRACKETS])
def test_brackets(expr: nodes.Expr, in_latex: str, in_text: str) -> None:
    assert (latex(expr), text(expr)) == (in_latex, in_text)


@pytest.mark.parametrize("terms", [(a, b, c), (c, b, a), (b, c, a)])
def test_terms_and_factors_keep_the_authors_order(terms: tuple[nodes.Expr, ...]) -> None:
    names = [text(term) for term in terms]
    assert text(nodes.add(*terms)) == " + ".join(names)
    assert text(nodes.hadamard(*terms)) == " ⊙ ".join(names)


def test_superscripts_do_not_stack() -> None:
    angle, partial = NOTATIONS["angle"], NOTATIONS["partial"]
    assert latex(nodes.transpose(h_prev), angle) == r"(h^{\langle t-1 \rangle})^{\top}"
    assert latex(nodes.power(h_prev, 2), NOTATIONS["superscript"]) == "(h^{(t-1)})^{2}"
    assert latex(nodes.transpose(W), angle) == r"W_f^{\top}"
    assert latex(nodes.transpose(delta), partial) == r"\left(\frac{\partial L}{\partial a_t}\right)^{\top}"


@pytest.mark.parametrize("notation", NOTATIONS.values(), ids=list(NOTATIONS))
def test_a_size_is_a_number_in_every_notation(notation: Any) -> None:
    """No bold letter, as vectors and matrices have in some."""
    printer = MathPrinter(LATEX, notation)
    assert printer.size_name("d_h") == "d_h"


def test_a_sum_of_sizes_is_in_brackets_where_it_multiplies_or_is_divided() -> None:
    from symrnn import Cell, generate

    own = Cell.from_source(
        'def own(x, h, *, v: "d_h + d_x", W: "d_h, d_x", p):\n'
        "    a = size(v) / 3\n    h = tanh(W @ x + p * h * size(v) + a)\n    return h\n"
    )
    shown = [text(equation.value) for equation in own.body]
    assert shown[0] == "(d_h + d_x)/3"
    assert "(d_h + d_x) p" in shown[1]
    assert r"(d_h + d_x) \, p" in latex(own.body[1].value)
    assert "(d_h + d_x) * " in generate(own).source


@pytest.mark.parametrize(
    ("base", "in_latex", "in_text"),
    [
        (nodes.act("tanh", a), r"\tanh^{2}(a_t)", "tanh^2(a_t)"),
        (nodes.act("maximum", a, b), r"\max(a_t, b_t)^{2}", "max(a_t, b_t)^2"),
    ],
)
def test_the_power_of_a_function_of_several_arguments_stands_behind_them(
    base: Any, in_latex: str, in_text: str
) -> None:
    assert (latex(nodes.power(base, 2)), text(nodes.power(base, 2))) == (in_latex, in_text)


@pytest.mark.parametrize(
    ("mark", "in_latex", "in_text"),
    [
        ("adjoint window", r"\delta^{(e)} h_{t-1}", "δ^(e)h_{t-1}"),
        ("cotangent window", r"{\bar{h}_{t-1}}^{(e)}", "h̄_{t-1}^(e)"),
    ],
)
def test_a_window_is_a_superscript(mark: str, in_latex: str, in_text: str) -> None:
    windowed = h_prev.marked(mark, "h_window")
    assert (latex(windowed), text(windowed)) == (in_latex, in_text)
    assert latex(nodes.transpose(windowed)) == f"({in_latex})^{{\\top}}"
