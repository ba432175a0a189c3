"""Generated functions made wrong in many ways: each way is caught, and what is wrong is named."""

import ast
import re
from functools import cache
from types import SimpleNamespace

import numpy as np
import pytest

from symrnn import cells, derive
from symrnn.runs.sizes import layouts
from symrnn.targets.generation import load_source
from symrnn.verification import generated as verification
from symrnn.verification.generated import check_generated
from symrnn.verification.network import Network, draw_network
from tests.library import MAIN


class Remembering(Network):
    """A network whose rates are computed once: every wrong module is compared with the same truth."""

    def rate(self, moving):
        known = self.__dict__.setdefault("known", {})
        key = tuple((group, name, d.tobytes()) for group, arrays in moving.items() for name, d in arrays.items())
        if key not in known:
            known[key] = super().rate(moving)
        return known[key]


@cache
def network(name):
    derivation, (layout,) = derive(cells[name]), layouts(cells[name], [verification.SIZES])
    drawn = draw_network(derivation, layout, np.random.default_rng(0))
    return Remembering(derivation, layout, drawn.data, np.random.default_rng(1))


@pytest.fixture(autouse=True)
def _one_truth(monkeypatch):
    monkeypatch.setattr(verification, "draw_network", lambda derivation, *_: network(derivation.cell.name))


def failures(name, module):
    return {c.name: c.detail for c in check_generated(derive(cells[name]), module, 0) if not c.passed}


def altered(module, **functions):
    """The module with some functions wrapped: each gets the original and the arguments."""
    result = SimpleNamespace(forward=module.forward, backward=module.backward, step=module.step)
    for name, wrapper in functions.items():
        original = getattr(module, name)
        setattr(result, name, lambda *a, original=original, wrapper=wrapper, **k: wrapper(original, *a, **k))
    return result


def with_grads(change):
    def wrapper(original, *args, **kwargs):
        grads, x_bar, state_bar = original(*args, **kwargs)
        return change(dict(grads)), x_bar, state_bar

    return wrapper


PARAMETERS = [(name, parameter) for name in MAIN for parameter in cells[name].parameters]


def last_entry_off(value):
    value = np.array(value)
    value.flat[-1] += 1e-6
    return value


ALTERATIONS = {
    "negated": lambda g: -g,
    "zero": lambda g: 0 * g,
    "doubled": lambda g: 2 * g,
    "reversed": lambda g: g[::-1],
    "one entry": last_entry_off,
    "not a number": lambda g: g * np.nan,
}


EVERYWHERE = [(*parameter, kind) for parameter in PARAMETERS for kind in ("negated", "one entry")]
SOMEWHERE = [("lstm", "U_f", kind) for kind in ALTERATIONS if kind not in ("negated", "one entry")]


@pytest.mark.parametrize(("name", "parameter", "alteration"), EVERYWHERE + SOMEWHERE)
def test_a_wrong_gradient_of_a_parameter_is_named(name, parameter, alteration, generated):
    change = ALTERATIONS[alteration]
    module = altered(generated(name), backward=with_grads(lambda g: g | {parameter: change(g[parameter])}))
    found = failures(name, module)
    assert list(found) == ["backward: parameters"]
    accused = [line for line in found["backward: parameters"].splitlines() if line.startswith("backward:")]
    assert len(accused) == 1
    assert accused[0].startswith(f"backward: grads['{parameter}'] is wrong: entry [")
    assert re.search(rf"comes from equation \(\d+\) ∂L/∂{parameter} = Σ_t \S", found["backward: parameters"])


def test_the_worst_entry_is_named_with_both_numbers(generated):
    def change(grads):
        W = grads["W"].copy()
        W[2, 3] = 1234.5
        return grads | {"W": W}

    (detail,) = failures("rnn", altered(generated("rnn"), backward=with_grads(change))).values()
    assert "grads['W'] is wrong: entry [2, 3] is 1234.5 and must be " in detail


def backward_result(change):
    return lambda original, *args, **kwargs: change(*original(*args, **kwargs))


def forward_result(change):
    return lambda original, *args, **kwargs: change(*original(*args, **kwargs))


def without_first_step(x_bar):
    return np.concatenate([0 * x_bar[:1], x_bar[1:]])


WRONG_FUNCTIONS = {
    "x_bar without its first step": (
        {"backward": backward_result(lambda g, x, s: (g, without_first_step(x), s))},
        {"backward: inputs": "x_bar is wrong"},
    ),
    "x_bar one step late": (
        {"backward": backward_result(lambda g, x, s: (g, np.roll(x, 1, axis=0), s))},
        {"backward: inputs": "x_bar is wrong"},
    ),
    "x_bar of another shape": (
        {"backward": backward_result(lambda g, x, s: (g, x[:, 0], s))},
        {"backward: inputs": "x_bar has shape (5, 4), it must have (5, 3, 4)"},
    ),
    "examples confused": (
        {"backward": backward_result(lambda g, x, s: (g, x, s | {"c": s["c"][::-1]}))},
        {"backward: initial states": "state_bar['c'] is wrong"},
    ),
    "a state without gradient": (
        {"backward": backward_result(lambda g, x, s: (g, x, {"h": s["h"]}))},
        {"backward: initial states": "state_bar['c'] is missing"},
    ),
    "a parameter without gradient": (
        {"backward": with_grads(lambda g: {name: value for name, value in g.items() if name != "b_o"})},
        {"backward: parameters": "grads['b_o'] is missing"},
    ),
    "cotangents of final states ignored": (
        {"backward": lambda original, p, t, h_bar, state_bar=None: original(p, t, h_bar)},
        {
            "backward: parameters": "grads['W_f'] is wrong",
            "backward: inputs": "x_bar is wrong",
            "backward: initial states": "state_bar['c'] is wrong",
        },
    ),
    "cotangents of the last step only": (
        {
            "backward": lambda original, p, t, h_bar, state_bar=None: original(
                p, t, np.concatenate([0 * h_bar[:-1], h_bar[-1:]]), state_bar=state_bar
            )
        },
        {
            "backward: parameters": "grads['U_o'] is wrong",
            "backward: inputs": "x_bar is wrong",
            "backward: initial states": "state_bar['h'] is wrong",
        },
    ),
    "an exception": (
        {"backward": lambda original, *args, **kwargs: {}["tape"]},
        {
            "backward: parameters": "KeyError: 'tape'",
            "backward: inputs": "KeyError: 'tape'",
            "backward: initial states": "KeyError: 'tape'",
            "defaults": "KeyError: 'tape'",
        },
    ),
    "a series one step late": (
        {"forward": forward_result(lambda h, s, t: (np.roll(h, 1, axis=0), s, t))},
        {"forward": "the series of h differs"},
    ),
    "final states confused": (
        {"forward": forward_result(lambda h, s, t: (h, s | {"c": s["h"]}, t))},
        {"forward": "the final c differs"},
    ),
    "a series without batch": (
        {"forward": forward_result(lambda h, s, t: (h[:, 0], s, t))},
        {"forward": "the series of h has shape (5, 6), it must have (5, 3, 6)"},
    ),
    "a step that stands still": (
        {"step": lambda original, params, x, state=None: state},
        {"step": "step: h differs from the definition", "defaults": "NoneType"},
    ),
}


@pytest.mark.parametrize("fault", WRONG_FUNCTIONS)
def test_a_wrong_function_is_caught(fault, generated):
    wrappers, expected = WRONG_FUNCTIONS[fault]
    found = failures("lstm", altered(generated("lstm"), **wrappers))
    assert set(found) == set(expected)
    for check, text in expected.items():
        assert text in found[check]


def test_initial_states_are_not_ignored(generated):
    def forgetful(original, params, x, state=None):
        return original(params, x, state={name: 0 * value for name, value in state.items()})

    found = failures("gru", altered(generated("gru"), forward=forgetful))
    assert "forward" in found
    assert "step" not in found


# --- every operation of the text, one at a time -----------------------------------------------------------------------


def swapped(node):
    """Plus for minus, plus for times: the other operator."""
    others = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.Pow: ast.Mult}
    if isinstance(node, ast.BinOp) and type(node.op) in others:
        return ast.BinOp(node.left, others[type(node.op)](), node.right)
    return None


def without_an_operand(node):
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub | ast.Mult):
        return node.left
    return None


def untransposed(node):
    return node.value if isinstance(node, ast.Attribute) and node.attr == "T" else None


def another_index(node):
    """h[t] for h[t + 1], h[1:] for h[:-1], and the last for the first."""
    if not isinstance(node, ast.Subscript) or not isinstance(node.value, ast.Name):
        return None
    others = {"t": "t - 1", "t + 1": "t", ":-1": "1:", "1:": ":-1", "0": "-1", "-1": "0"}
    index = others.get(ast.unparse(node.slice))
    return None if index is None else ast.parse(f"{node.value.id}[{index}]", mode="eval").body


def nothing(node):
    """The line is gone."""
    return ast.Pass() if isinstance(node, ast.Assign | ast.AugAssign) else None


class Change(ast.NodeTransformer):
    """Changes the n-th node that can be changed; says in which line."""

    def __init__(self, change, n):
        self.change, self.left, self.line = change, n, None

    def visit(self, node):
        changed = self.change(node)
        if changed is not None:
            self.left -= 1
            if self.left == -1:
                self.line = node.lineno
                return ast.copy_location(changed, node)
        return self.generic_visit(node)


def mutants(source, change):
    """(line, mutated source) for every place in the functions that compute."""
    for n in range(10_000):
        tree, transformer = ast.parse(source), Change(change, n)
        computing = [f for f in tree.body if isinstance(f, ast.FunctionDef)]
        computing = [f for f in computing if f.name in ("forward", "backward", "step", "sigmoid")]
        for function in computing:
            transformer.visit(function)
        if transformer.line is None:
            return
        yield source.splitlines()[transformer.line - 1].strip(), ast.unparse(ast.fix_missing_locations(tree))


@pytest.mark.sampled(2)
@pytest.mark.parametrize("name", ["rnn", "gru"])
@pytest.mark.parametrize("change", [swapped, without_an_operand, untransposed, another_index, nothing])
def test_no_operation_of_the_text_can_be_wrong(name, change, generated):
    lines, survivors = [], []
    for line, source in mutants(generated(name).source, change):
        lines.append(line)
        found = failures(name, load_source(name, source))
        gradient = re.match(r"grads\[.(\w+).\] = ", line)
        if not found or (gradient and f"grads['{gradient[1]}'] is" not in found.get("backward: parameters", "")):
            survivors.append(line)
    assert len(lines) >= 4
    assert not survivors
