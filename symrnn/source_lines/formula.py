"""A line of somebody's program as a formula, by latexify-py; for show only, no claim rests on it.

latexify prints `*` and `@` alike and knows no subscripts.  So the line is rewritten before it prints it: names become
placeholders that are replaced by our notation afterwards, and `*` becomes an operator of the same precedence that it
prints in its own way.
"""

from __future__ import annotations

import ast
import importlib
import itertools
import linecache
import re
import string
from collections.abc import Iterator
from types import CodeType, FunctionType
from typing import Any

from symrnn.algebra.functions import FUNCTIONS
from symrnn.algebra.nodes import Variable
from symrnn.printers.notation import NOTATIONS, latex_name
from symrnn.source_lines.statements import Statement

_FILE = "<symrnn formula>"
_LONGEST = 2000
_MODULES = frozenset({"np", "numpy", "jnp", "math", "scipy", "special", "torch", "cp", "xp"})
_ADJOINT = re.compile(
    r"^(?:d_?|grad_?|g_|delta_?|δ|∂)(?P<of>[A-Za-zα-ω](?:next|prev)?(?:_?\d+)?(?:_\w+)?"
    r"|[A-Z][A-Za-z]{0,2}(?:_\w+)?|(?:prev|next)_\w+)$"
)
_OF_GRADIENTS = re.compile(r"^(?:self\.)?_?(?:d|g|grads?|gradients?|d_?params|deltas?)$")
_OF_VALUES = re.compile(
    r"^(?:self\.)?_?(?:cache|p|params|parameters|tape|saved|ctx|weights|state|states|s|c|acts?|values|w)s?$"
)
_TIED = re.compile(r"^(?:([a-z])(prev|next)|([WUVRb])([a-z]{1,3}))$")
_BEFORE = re.compile(r"^(prev|next)_([a-z])$")
_IN_INDEX = (
    *(ast.Name, ast.Constant, ast.BinOp, ast.UnaryOp, ast.Slice, ast.Tuple, ast.Attribute),
    *(ast.operator, ast.unaryop, ast.expr_context),
)
_PRODUCTS = frozenset({"dot", "matmul"})
_FUNCTIONS = {"cosh": r"\cosh", "sinh": r"\sinh"} | {
    name: row.latex for row in FUNCTIONS.values() if "<" not in row.latex for name in (row.name, *row.aliases)
}
_OPERATORS = {r"\mathbin{\%}": r"\odot"}


def formula(statement: Statement) -> str:
    """LaTeX of an assignment; empty where latexify-py is missing or has no formula for it."""
    if len(statement.text) > _LONGEST:
        return ""
    try:
        rewriting = _Rewriting()
        lines = rewriting.function(statement.node)
        return "" if lines is None else rewriting.restored(_latexified(lines))
    except Exception:  # a formula is an extra, whatever latexify has to say about it
        return ""


def _latexified(text: str) -> str:
    """What latexify prints for the text of a function.  The function is compiled, for latexify, and never called."""
    (code,) = (part for part in compile(text, _FILE, "exec").co_consts if isinstance(part, CodeType))
    linecache.cache[_FILE] = (len(text), None, text.splitlines(keepends=True), _FILE)
    try:
        shown = str(
            importlib.import_module("latexify").get_latex(
                FunctionType(code, {}), use_signature=False, prefixes=_MODULES
            )
        )
    finally:
        linecache.cache.pop(_FILE, None)
    return shown


class _Refused(Exception):
    """There is no formula for this."""


class _Rewriting(ast.NodeTransformer):
    """Rewrites a statement to one that latexify prints well, and knows what its placeholders stand for."""

    def __init__(self) -> None:
        self.meant: dict[str, str] = {}
        self.words = ("zz" + "".join(letters) for letters in itertools.product(string.ascii_lowercase, repeat=3))

    def function(self, node: ast.stmt) -> str | None:
        """The text of a function that returns the statement's right-hand side; None for what assigns nothing."""
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            target, value = node.targets[0], node.value
        elif isinstance(node, ast.AugAssign):
            target, value = node.target, ast.BinOp(node.target, node.op, node.value)
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            target, value = node.target, node.value
        elif isinstance(node, ast.Return) and node.value is not None:
            target, value = None, node.value
        else:
            return None
        right = ast.unparse(ast.fix_missing_locations(self.visit(value)))
        self.left = "" if target is None else self.shown(target)
        return f"def f():\n    return {right}\n"

    def restored(self, latex: str) -> str:
        """The LaTeX with every placeholder replaced by what it stands for."""
        for old, new in _OPERATORS.items():
            latex = latex.replace(old, new)
        wrapped = re.compile(r"\\mathrm\{(zz[a-z]{3})\}")
        latex = wrapped.sub(lambda found: self.meant[found[1]], latex)
        latex = re.sub(r"\s+", " ", latex.replace(r"\mathopen{}", "").replace(r"\mathclose{}", "")).strip()
        return f"{self.left} = {latex}" if self.left else latex

    def name(self, latex: str) -> ast.Name:
        """A placeholder for a piece of LaTeX."""
        word = next(self.words)
        self.meant[word] = latex
        return ast.Name(word, ast.Load())

    def shown(self, node: ast.expr) -> str:
        """LaTeX of what is assigned to."""
        if isinstance(node, ast.Tuple | ast.List):
            return ", ".join(self.shown(part) for part in node.elts)
        return _latex(node)

    # --- operators

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return self.name(_latex(node))

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        if type(node.value) not in (int, float):
            raise _Refused
        return node

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        left, right, operator = self.visit(node.left), self.visit(node.right), node.op
        if isinstance(operator, ast.Mult) and not _is_number(node.left) and not _is_number(node.right):
            return ast.BinOp(self.bracketed(left, ast.MatMult), ast.Mod(), right)
        if isinstance(operator, ast.MatMult):
            return self.product(left, right)
        return ast.BinOp(left, operator, right)

    def product(self, left: Any, right: Any) -> ast.AST:
        loose = (ast.Mod, ast.Mult, ast.Div)
        return ast.BinOp(self.bracketed(left, *loose), ast.MatMult(), self.bracketed(right, *loose))

    def bracketed(self, node: Any, *operators: type[ast.operator]) -> Any:
        """In brackets, if it is one of these: latexify gives all products one precedence."""
        if isinstance(node, ast.BinOp) and isinstance(node.op, operators):
            return ast.Call(self.name(""), [node], [])
        return node

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        if not isinstance(node.op, ast.USub | ast.UAdd):
            raise _Refused
        return ast.UnaryOp(node.op, self.visit(node.operand))

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        return ast.Compare(self.visit(node.left), node.ops, [self.visit(part) for part in node.comparators])

    def visit_List(self, node: ast.List) -> ast.AST:
        return ast.List([self.visit(part) for part in node.elts], ast.Load())

    def visit_Tuple(self, node: ast.Tuple) -> ast.AST:
        return ast.Tuple([self.visit(part) for part in node.elts], ast.Load())

    # --- what belongs to a name

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        if node.attr == "T":
            return self.transposed(self.visit(node.value))
        return self.name(_latex(node))

    def transposed(self, node: Any) -> ast.AST:
        return ast.BinOp(node, ast.Pow(), self.name(r"\top"))

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        return self.name(_latex(node))

    def visit_Call(self, node: ast.Call) -> ast.AST:
        function = node.func
        name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
        of_module = not isinstance(function, ast.Attribute) or getattr(function.value, "id", "") in _MODULES
        given = node.args if of_module else [function.value, *node.args]  # type: ignore[attr-defined]
        arguments = [self.visit(argument) for argument in given]
        if name in _PRODUCTS and len(arguments) == 2 and not node.keywords:
            return self.product(*arguments)
        if name == "outer" and len(arguments) == 2 and not node.keywords:
            return self.product(arguments[0], self.transposed(arguments[1]))
        if name == "multiply" and len(arguments) == 2 and not node.keywords:
            return ast.BinOp(self.bracketed(arguments[0], ast.MatMult), ast.Mod(), arguments[1])
        if name == "transpose" and len(arguments) == 1 and not node.keywords:
            return self.transposed(arguments[0])
        if not name:
            raise _Refused
        return ast.Call(self.name(_function(name) + _lowered(node.keywords)), arguments, [])

    def generic_visit(self, node: ast.AST) -> ast.AST:
        raise _Refused(type(node).__name__)


def _is_number(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant)


def _function(name: str) -> str:
    return _FUNCTIONS.get(name) or rf"\operatorname{{{_escaped(name)}}}"


def _lowered(keywords: list[ast.keyword]) -> str:
    """Keyword arguments as a subscript: `axis=0`, which latexify would leave out."""
    if any(keyword.arg is None for keyword in keywords):
        raise _Refused
    shown = [rf"\mathrm{{{_escaped(str(k.arg))}}}={_plain(k.value)}" for k in keywords]
    return f"_{{{', '.join(shown)}}}" if shown else ""


def _plain(node: ast.expr) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value) if type(node.value) is int else rf"\mathrm{{{_escaped(str(node.value))}}}"
    return _latex(node)


# --- names ------------------------------------------------------------------------------------------------------------


def _latex(node: ast.expr) -> str:
    """LaTeX of a name, an attribute or an entry."""
    if isinstance(node, ast.Name):
        return _named(node.id)
    if isinstance(node, ast.Attribute):
        return rf"{_latex(node.value)}^{{\top}}" if node.attr == "T" else _named(node.attr)
    if isinstance(node, ast.Subscript):
        return _entry(node.value, node.slice)
    raise _Refused


def _entry(base: ast.expr, index: ast.expr) -> str:
    if not all(isinstance(part, _IN_INDEX) for part in ast.walk(index)):
        raise _Refused
    key = index.value if isinstance(index, ast.Constant) else None
    if isinstance(key, str):
        owner = ast.unparse(base)
        if _OF_VALUES.match(owner) or _OF_GRADIENTS.match(owner):
            marked = _OF_GRADIENTS.match(owner) and not _ADJOINT.match(key)
            return _named(key, "adjoint") if marked else _named(key)
        return _with(_latex(base), _named(key))
    return _with(_latex(base), _escaped(ast.unparse(index)).replace(" ", "").strip("()"))


def _with(latex: str, index: str) -> str:
    """With an index; one more, if there is a subscript."""
    head, bottom, last = latex.rpartition("_")
    if bottom and "}" not in last and " " not in last:
        return f"{head}_{{{last},{index}}}"
    if bottom and re.fullmatch(r"\{[^{}]*\}", last):
        return f"{head}_{{{last[1:-1]},{index}}}"
    return f"{latex}_{{{index}}}"


def _named(name: str, mark: str = "") -> str:
    adjoint = _ADJOINT.match(name)
    if adjoint is not None:
        name, mark = adjoint["of"], "adjoint"
    tied = _TIED.match(name)
    if tied is not None:  # hprev, Wxh
        name = "_".join(part for part in tied.groups() if part)
    name = _BEFORE.sub(r"\2_\1", name)
    base = name.removesuffix("_prev")
    time = -1 if base != name else None
    if not base.isascii() or not base.isidentifier() or not base.strip("_0123456789"):
        return rf"\mathrm{{{_escaped(name)}}}"
    plain = latex_name(Variable(base, 2, 1, base, time), NOTATIONS["subscript"])
    return rf"\delta {plain}" if mark else plain


def _escaped(text: str) -> str:
    return "".join(_special(text))


def _special(text: str) -> Iterator[str]:
    for character in text:
        yield rf"\{character}" if character in "_%&#$" else " " if character in "\\{}^~" else character
