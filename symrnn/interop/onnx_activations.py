"""The activations that an ONNX recurrent node can name, and a cell with these in place of its own.

Source: ONNX operators RNN, GRU and LSTM, version 22: equations, `activations`, `activation_alpha`, `activation_beta`.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType

from symrnn.language.recurrence import Cell

ACTIVATIONS: Mapping[str, tuple[str, tuple[float | None, ...]]] = MappingProxyType(
    {
        "Sigmoid": ("sigmoid({x})", ()),
        "Tanh": ("tanh({x})", ()),
        "Relu": ("relu({x})", ()),
        "Softsign": ("softsign({x})", ()),
        "Softplus": ("softplus({x})", ()),
        "HardSigmoid": ("hard_sigmoid({x}, {alpha}, {beta})", (0.2, 0.5)),
        "LeakyRelu": ("leaky_relu({x}, {alpha})", (0.01,)),
        "ThresholdedRelu": ("({x}) * step(({x}) - {alpha})", (1.0,)),
        "Elu": ("relu({x}) + {alpha} * elu(minimum({x}, 0))", (1.0,)),
        "Affine": ("{alpha} * ({x}) + {beta}", (None, None)),
        "ScaledTanh": ("{alpha} * tanh({beta} * ({x}))", (None, None)),
    }
)
"""ONNX's name -> the text in the cell language, and what alpha and beta are where none are given (None: unknown)."""

Chosen = tuple[str, ...]
"""A text for each activation of one direction, in ONNX's order f, g, h."""


def texts(activations: Sequence[str], alpha: Sequence[float], beta: Sequence[float]) -> Chosen | None:
    """The texts of activations; None where one is not in the table, or has no value for its alpha or beta.

    Args:
        activations: ONNX's names.
        alpha: values for those that have an alpha, in their order.
        beta: values for those that have a beta, in their order.
    """
    given = {"alpha": iter(alpha), "beta": iter(beta)}
    found = []
    for name in activations:
        if name not in ACTIVATIONS:
            return None
        text, defaults = ACTIVATIONS[name]
        # A function takes as many values as it has defaults; ONNX gives them to those functions alone, one after the
        # other.
        values = {letter: next(given[letter], default) for letter, default in zip(given, defaults, strict=False)}
        if None in values.values():
            return None
        found.append(text.format(x="{x}", **values))
    return tuple(found)


@lru_cache(maxsize=64)
def with_activations(cell: Cell, chosen: Chosen) -> Cell:
    """The cell with other functions: f for its gates, g for its candidate, h for what a cell state is read through."""
    tree = ast.parse(cell.syntax.text)
    function = tree.body[0]
    assert isinstance(function, ast.FunctionDef)
    for line in function.body:
        if isinstance(line, ast.Assign | ast.AnnAssign) and line.value is not None:
            target = line.targets[0] if isinstance(line, ast.Assign) else line.target
            # h is what a memory is read through; in a cell without one there are f and g only, and g is everywhere.
            is_output = isinstance(target, ast.Name) and target.id == cell.states[0]
            line.value = _Exchange(chosen, len(chosen) - 1 if is_output else min(1, len(chosen) - 1)).visit(line.value)
    return Cell.from_source(ast.unparse(ast.fix_missing_locations(tree)) + "\n")


class _Exchange(ast.NodeTransformer):
    def __init__(self, chosen: Chosen, other: int) -> None:
        self._chosen = chosen
        self._other = other

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        if not isinstance(node.func, ast.Name) or node.func.id not in ("sigmoid", "tanh"):
            return node
        text = self._chosen[0 if node.func.id == "sigmoid" else self._other]
        # As text: the table is written in the cell language, which has no other constructor.
        return ast.parse(text.replace("{x}", ast.unparse(node.args[0])), mode="eval").body
