"""What other libraries call the operations of the language: their names and calls, rewritten as the language has them.

`np.tanh(a)` is tanh(a), `W.dot(x)` is W @ x, `torch.cat((h, x), dim=1)` is concat(h, x).  A row of the tables says so
for one name, whatever the module or the object in front of it; what has no row stays as it is, and is refused by the
whitelist.  Every new node keeps the place of the one that it stands for.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial

from symrnn.algebra.functions import FUNCTIONS
from symrnn.language.operations import OPERATIONS

Rewrite = Callable[..., ast.expr]

MODULES = frozenset(
    "np numpy jnp jax lax nn torch F functional tf tensorflow keras K math cmath scipy sp special cp cupy anp autograd "
    "mx mnp nd ops backend paddle flax linen ag onp xp ivy pt th T theano tensor cuda".split()
)
"""What stands in front of a function's name when it comes from a library."""

BY_SIZE = "split by size"
"""A `split` that is told how many rows a part has."""

SAME_NAME = frozenset({BY_SIZE, "split", *(row.name for row in OPERATIONS.values() if row.name in row.called)})
"""Operations on whole vectors and matrices that other libraries call as the language does, and one that is its own."""

RENAMED: Mapping[str, str] = {
    "chunk": "split",
    "hsplit": "split",
    "array_split": "split",
    "logsigmoid": "log_sigmoid",
    "fmax": "maximum",
    "fmin": "minimum",
    "soft_sign": "softsign",
    "soft_plus": "softplus",
    **{alias: row.name for row in OPERATIONS.values() for alias in row.called if alias != row.name},
    **{alias: row.name for row in FUNCTIONS.values() for alias in row.aliases},
}
"""Another library's name -> the language's function or operation."""


def _binary(op: ast.operator, a: ast.expr, b: ast.expr) -> ast.expr:
    return ast.BinOp(a, op, b)


def _transposed(a: ast.expr) -> ast.expr:
    return ast.Attribute(a, "T", ast.Load())


def _call(name: str, *arguments: ast.expr) -> ast.expr:
    return ast.Call(ast.Name(name, ast.Load()), list(arguments), [])


def _linear(x: ast.expr, weight: ast.expr, *bias: ast.expr) -> ast.expr:
    product = _binary(ast.MatMult(), weight, x)
    return _binary(ast.Add(), product, *bias) if bias else product


def _number(value: int) -> Callable[[ast.expr], ast.expr]:
    return lambda like: ast.Constant(value)


WRITTEN_OUT: Mapping[str, tuple[Collection[int], Rewrite]] = {
    "matmul": ((2,), partial(_binary, ast.MatMult())),
    "dot": ((2,), partial(_binary, ast.MatMult())),
    "mm": ((2,), partial(_binary, ast.MatMult())),
    "matvec": ((2,), partial(_binary, ast.MatMult())),
    "mv": ((2,), partial(_binary, ast.MatMult())),
    "inner": ((2,), partial(_binary, ast.MatMult())),
    "vdot": ((2,), partial(_binary, ast.MatMult())),
    "multiply": ((2,), partial(_binary, ast.Mult())),
    "mul": ((2,), partial(_binary, ast.Mult())),
    "add": ((2,), partial(_binary, ast.Add())),
    "subtract": ((2,), partial(_binary, ast.Sub())),
    "sub": ((2,), partial(_binary, ast.Sub())),
    "divide": ((2,), partial(_binary, ast.Div())),
    "div": ((2,), partial(_binary, ast.Div())),
    "true_divide": ((2,), partial(_binary, ast.Div())),
    "power": ((2,), partial(_binary, ast.Pow())),
    "pow": ((2,), partial(_binary, ast.Pow())),
    "square": ((1,), lambda a: _binary(ast.Pow(), a, ast.Constant(2))),
    "reciprocal": ((1,), lambda a: _binary(ast.Div(), ast.Constant(1), a)),
    "negative": ((1,), lambda a: ast.UnaryOp(ast.USub(), a)),
    "neg": ((1,), lambda a: ast.UnaryOp(ast.USub(), a)),
    "transpose": ((1,), _transposed),
    "t": ((1,), _transposed),
    "log1p": ((1,), lambda a: _call("log", _binary(ast.Add(), ast.Constant(1), a))),
    "expm1": ((1,), lambda a: _binary(ast.Sub(), _call("exp", a), ast.Constant(1))),
    "clip": ((3,), lambda a, low, high: _call("minimum", _call("maximum", a, low), high)),
    "clamp": ((3,), lambda a, low, high: _call("minimum", _call("maximum", a, low), high)),
    "clip_by_value": ((3,), lambda a, low, high: _call("minimum", _call("maximum", a, low), high)),
    "max": ((2,), partial(_call, "maximum")),
    "min": ((2,), partial(_call, "minimum")),
    # PyTorch has x first and stores W with one row per output, which is W @ x here.
    "linear": ((2, 3), _linear),
    "addmv": ((3,), lambda b, w, x: _binary(ast.Add(), b, _binary(ast.MatMult(), w, x))),
    "addmm": ((3,), lambda b, x, w: _binary(ast.Add(), b, _binary(ast.MatMult(), x, w))),
    "ones_like": ((1,), _number(1)),
    "zeros_like": ((1,), _number(0)),
    "asarray": ((1,), lambda a: a),
}
"""Another library's function -> the numbers of arguments that it takes, and what it is in the language."""

_PLACED = ("axis", "dim")
_NAMED: Sequence[frozenset[str]] = (
    frozenset("x a input value values tensor tensors ary arrays x1 xs self".split()),
    frozenset(
        "b y other x2 mat2 vec weight num_or_size_splits chunks indices_or_sections split_size_or_sections".split()
    ),
    frozenset({"bias"}),
)
"""What other libraries call a function's first, second and third argument."""
# Operations on vectors: an axis that is said can only be theirs.
_ONE_AXIS = frozenset({"concat", "split", BY_SIZE})
_METHODS_ONLY = frozenset({"t"})
# Libraries whose `split` is told how many rows a part has; the others are told how many parts there are.
_STEP_SIZES = frozenset({"torch", "th", "F"})


class Spelling(ast.NodeTransformer):
    """Rewrites the calls in an expression.

    Args:
        names: the function's own names: what has a dot behind one of these is a method, not a module's function.
    """

    def __init__(self, names: Collection[str]) -> None:
        self._names = names

    def visit_Call(self, node: ast.Call) -> ast.expr:
        """The call as the language has it."""
        self.generic_visit(node)
        found = self._found(node)
        if found is None:
            return node
        name, arguments, keywords = found
        arguments, keywords = _in_order(arguments, keywords)
        plain = not keywords and not any(isinstance(argument, ast.Starred) for argument in arguments)
        if plain and name in WRITTEN_OUT and len(arguments) in WRITTEN_OUT[name][0]:
            return _placed(WRITTEN_OUT[name][1](*arguments), node)
        name = RENAMED.get(name, name)
        if name not in FUNCTIONS and name not in SAME_NAME:
            return node
        if name in _ONE_AXIS:
            arguments, keywords = _without_axis(name, arguments, keywords)
        return _placed(ast.Call(ast.Name(name, ast.Load()), arguments, keywords), node)

    def _found(self, node: ast.Call) -> tuple[str, list[ast.expr], list[ast.keyword]] | None:
        """The last part of the function's name, and its arguments with the object of a method in front."""
        match node.func:
            case ast.Name(id=name) if name not in _METHODS_ONLY and name not in self._names:
                return name, node.args, node.keywords
            case ast.Attribute(value=value, attr=name):
                root = _root(value)
                if root is not None and root in MODULES and root not in self._names:
                    name = BY_SIZE if name == "split" and root in _STEP_SIZES else name
                    return (name, node.args, node.keywords) if name not in _METHODS_ONLY else None
                # A method of a value: the value is the first argument.  A split of one is told the size of a part.
                if root is None or root in self._names:
                    return BY_SIZE if name == "split" else name, [value, *node.args], node.keywords
        return None


def _root(node: ast.expr) -> str | None:
    """The first name of a chain such as tf.nn; None for anything else."""
    while isinstance(node, ast.Attribute) and node.attr != "T":
        node = node.value
    return node.id if isinstance(node, ast.Name) else None


def _in_order(arguments: list[ast.expr], keywords: list[ast.keyword]) -> tuple[list[ast.expr], list[ast.keyword]]:
    """The arguments with those given by a usual name at their place."""
    given = {i: k for k in keywords for i, names in enumerate(_NAMED) if k.arg in names and i >= len(arguments)}
    placed = [given[i] for i in range(len(arguments), len(_NAMED)) if i in given]
    if sorted(given) != list(range(len(arguments), len(arguments) + len(placed))):
        return arguments, keywords
    return [*arguments, *(k.value for k in placed)], [k for k in keywords if k not in placed]


def _without_axis(
    name: str, arguments: Sequence[ast.expr], keywords: Sequence[ast.keyword]
) -> tuple[list[ast.expr], list[ast.keyword]]:
    """The arguments without an axis, and without the brackets around the parts of a concatenation."""
    kept = [keyword for keyword in keywords if not (keyword.arg in _PLACED and _is_axis(keyword.value))]
    most = 1 if name == "concat" and isinstance(arguments[0] if arguments else None, ast.List | ast.Tuple) else 2
    if (name != "concat" or most == 1) and len(arguments) == most + 1 and _is_axis(arguments[-1]):
        arguments = arguments[:-1]
    if most == 1 and len(arguments) == 1:
        (joined,) = arguments
        assert isinstance(joined, ast.List | ast.Tuple)
        arguments = joined.elts
    return list(arguments), kept


def _is_axis(node: ast.expr) -> bool:
    inner = node.operand if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) else node
    return isinstance(inner, ast.Constant) and type(inner.value) is int and inner.value in (0, 1)


def _placed(new: ast.expr, old: ast.expr) -> ast.expr:
    """The new expression, each new part of it at the place of the old one."""
    for node in ast.walk(new):
        if isinstance(node, ast.expr) and not hasattr(node, "lineno"):
            ast.copy_location(node, old)
    return new
