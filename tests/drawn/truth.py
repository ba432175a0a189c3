"""What a cell's text means, and its derivatives by HIPS autograd: an interpreter that shares nothing with the package.

The text is read with `ast` and evaluated for one example at a time, with NumPy's own meaning of every operator.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import autograd
import autograd.numpy as anp
import numpy as np
from autograd.extend import defjvp, defvjp, primitive
from autograd.misc import flatten

Arrays = dict[str, Any]
Distance = Callable[..., Any]


@dataclass
class Watch:
    """What is seen while a text is evaluated on plain numbers.

    Attributes:
        margin: how far the nearest kink of any function was from its argument.
        largest: the largest magnitude of any value.
    """

    margin: float = np.inf
    largest: float = 0.0

    def see(self, value: Any) -> None:
        """Note a value's magnitude; what is not a number counts as infinitely large."""
        size = np.max(np.abs(value), initial=0.0)
        self.largest = max(self.largest, float(size) if np.isfinite(size) else np.inf)


def _exp_over_sum(x: Any, axis: int | None = None) -> Any:
    e = anp.exp(x - anp.max(x, axis=axis, keepdims=True))
    return e / anp.sum(e, axis=axis, keepdims=True)


def _equal_parts(x: Any, count: int) -> list[Any]:
    length = x.shape[0] // count
    return [x[part * length : (part + 1) * length] for part in range(count)]


def _sigmoid(x: Any) -> Any:
    return 1 / (1 + anp.exp(-x))


def _step(x: Any) -> Any:
    return (x > 0) * 1.0  # a comparison has no derivative


def _entries(x: Any) -> float:
    return float(np.prod(getattr(x, "shape", ())))


def _flat(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The function, with a derivative that is zero by definition."""
    flat = primitive(function)
    defvjp(flat, lambda result, x: lambda g: 0 * g)
    defjvp(flat, lambda g, result, x: 0 * g)
    return flat  # type: ignore[no-any-return]


_stopped, _floor, _round = _flat(lambda x: 1.0 * x), _flat(np.floor), _flat(np.round)
_erf = primitive(np.vectorize(math.erf, otypes=[float]))
defvjp(_erf, lambda result, x: lambda g: g * 2 / np.sqrt(np.pi) * anp.exp(-(x**2)))
defjvp(_erf, lambda g, result, x: g * 2 / np.sqrt(np.pi) * anp.exp(-(x**2)))


def _normal_cdf(x: Any) -> Any:
    return 0.5 * (1 + _erf(x / math.sqrt(2)))


def _between(x: Any) -> Any:
    return _step(x) * _step(1 - x)


def _hard_sigmoid(x: Any, slope: Any = 1 / 6, offset: Any = 0.5) -> Any:
    line = slope * x + offset
    return line * _between(line) + _step(line - 1)


def _at_zero_and_one(x: Any) -> Any:
    return np.minimum(np.abs(x), np.abs(x - 1))


def _at_integers(x: Any) -> Any:
    return np.abs(x - np.round(x))


def _best_two(x: Any, axis: int | None = None) -> Any:
    ordered = np.sort(x, axis=axis)
    if ordered.shape[axis or 0] < 2:
        return np.inf
    last, before = (np.take(ordered, place, axis=axis or 0) for place in (-1, -2))
    return last - before


def _at_zero(x: Any) -> Any:
    return np.abs(x)


def _apart(x: Any, z: Any) -> Any:
    return np.abs(x - z)


FUNCTIONS: Mapping[str, tuple[Callable[..., Any], Distance | None]] = {
    "sigmoid": (_sigmoid, None),
    "tanh": (anp.tanh, None),
    "relu": (lambda x: x * _step(x), _at_zero),
    "step": (_step, _at_zero),
    "sign": (lambda x: _step(x) - _step(-x), _at_zero),
    "abs": (lambda x: x * (_step(x) - _step(-x)), _at_zero),
    "exp": (anp.exp, None),
    "log": (anp.log, None),
    "sqrt": (lambda x: anp.exp(0.5 * anp.log(x)), None),
    "sin": (anp.sin, None),
    "cos": (anp.cos, None),
    "softplus": (lambda x: anp.logaddexp(x, 0.0), None),
    "log_sigmoid": (lambda x: -anp.logaddexp(-x, 0.0), None),
    "silu": (lambda x: x * _sigmoid(x), None),
    "softsign": (lambda x: x / (1 + x * (_step(x) - _step(-x))), _at_zero),
    "elu": (lambda x: anp.where(x > 0, x, anp.exp(x * _step(-x)) - 1), _at_zero),
    "maximum": (lambda x, z: x * _step(x - z) + z * (1 - _step(x - z)), _apart),
    "minimum": (lambda x, z: z * _step(x - z) + x * (1 - _step(x - z)), _apart),
    "softmax": (_exp_over_sum, None),
    "concat": (lambda *parts: anp.concatenate(parts), None),
    "split": (_equal_parts, None),
    "outer": (lambda v, w: anp.dot(anp.reshape(v, (-1, 1)), anp.reshape(w, (1, -1))), None),
    "stop_gradient": (_stopped, None),
    "straight_through": (lambda value, slope: _stopped(value) + slope - _stopped(slope), None),
    "floor": (_floor, _at_integers),
    "round": (_round, lambda x: _at_integers(x + 0.5)),
    "box": (_between, _at_zero_and_one),
    "hard_sigmoid": (_hard_sigmoid, lambda x, a=1 / 6, b=0.5: _at_zero_and_one(a * x + b)),
    "leaky_relu": (lambda x, a=0.01: x * (a + (1 - a) * _step(x)), lambda x, a=0.01: np.abs(x)),
    "normal_density": (lambda x: anp.exp(-(x**2) / 2) / math.sqrt(2 * math.pi), None),
    "normal_cdf": (_normal_cdf, None),
    "gelu": (lambda x: x * _normal_cdf(x), None),
    "gelu_tanh": (lambda x: x / 2 * (1 + anp.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))), None),
    "power": (lambda x, z: anp.exp(z * anp.log(x)), None),
    "remainder": (lambda x, z: x - z * _floor(x / z), lambda x, z: _at_integers(x / z)),
    "sum": (lambda x, axis=None: anp.sum(x, axis=axis), None),
    "mean": (lambda x, axis=None: anp.sum(x, axis=axis) / (_entries(x) if axis is None else x.shape[axis]), None),
    "max": (lambda x, axis=None: anp.max(x, axis=axis), _best_two),
    "min": (lambda x, axis=None: anp.min(x, axis=axis), lambda x, axis=None: _best_two(-x, axis)),
    "size": (lambda x: _entries(x), None),
}
"""Function of the language -> what it is, and how far its arguments are from a place where it is not smooth."""

OPERATORS: Mapping[type[ast.AST], Callable[..., Any]] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.Div: lambda a, b: a / b,
    ast.MatMult: anp.dot,
    ast.Pow: lambda a, b: a**b,
    ast.USub: lambda a: -a,
}


@dataclass(frozen=True)
class Meaning:
    """A cell's text, read.

    Attributes:
        inputs: names of the inputs, in order.
        states: names of the states, in order; the first is the output.
        parameters: names of the parameters, in order.
        measures: a size at which rows are cut -> an argument, and the axis of it that has so many entries.
    """

    inputs: tuple[str, ...]
    states: tuple[str, ...]
    parameters: tuple[str, ...]
    measures: Mapping[str, tuple[str, int]]
    _lines: tuple[tuple[str, ast.expr], ...] = field(repr=False)

    @classmethod
    def of(cls, text: str, shapes: Mapping[str, tuple[str, ...]] = MappingProxyType({})) -> Meaning:
        """Read a text with one function; its arguments' shapes tell the sizes at which rows are cut."""
        (function,) = ast.parse(text).body
        assert isinstance(function, ast.FunctionDef)
        *body, last = function.body
        assert isinstance(last, ast.Return)
        assert last.value is not None
        returned = last.value.elts if isinstance(last.value, ast.Tuple) else [last.value]
        states = tuple(ast.unparse(name) for name in returned)
        lines = []
        for line in body:
            assert isinstance(line, ast.Assign | ast.AnnAssign)
            assert line.value is not None
            target = line.targets[0] if isinstance(line, ast.Assign) else line.target
            lines.append((ast.unparse(target), line.value))
        inputs = tuple(a.arg for a in function.args.args if a.arg not in states)
        measures = {size: (name, axis) for name, shape in shapes.items() for axis, size in enumerate(shape)}
        return cls(inputs, states, tuple(a.arg for a in function.args.kwonlyargs), measures, tuple(lines))

    def step(self, values: Arrays, watch: Watch | None = None) -> Arrays:
        """The states after a step, of one example; `values` has every argument by name."""
        known = dict(values)
        known |= {size: anp.shape(values[name])[axis] for size, (name, axis) in self.measures.items()}
        for name, expression in self._lines:
            known[name] = _evaluated(expression, known, watch)
        return {name: known[name] for name in self.states}

    @np.errstate(over="ignore")  # 1 / (1 + exp(1000)) is 0
    def run(self, example: Arrays, steps: int, watch: Watch | None = None) -> tuple[list[Any], Arrays]:
        """The output of every step, and the states after the last.

        Args:
            example: every argument by name: an input has an axis of time in front, a state is the initial one.
            steps: the number of steps.
            watch: notes what is seen, where the numbers are plain.
        """
        fixed = {name: example[name] for name in self.parameters}
        state = {name: example[name] for name in self.states}
        outputs = []
        for t in range(steps):
            state = self.step(fixed | {name: example[name][t] for name in self.inputs} | state, watch)
            outputs.append(state[self.states[0]])
        return outputs, state

    def loss(self, example: Arrays, bars: Arrays, steps: Sequence[int]) -> Any:
        """The sum of outputs times their cotangents over some first steps, and of final states times theirs.

        Args:
            example: every argument by name.
            bars: "output" -> its cotangents over time; state -> that of its final value.
            steps: the number of steps, and from which step on the outputs count.
        """
        count, since = steps
        outputs, final = self.run(example, count)
        value = 0.0
        for t in range(since, count):
            value = value + anp.sum(outputs[t] * bars["output"][t])
        for name in self.states:
            value = value + anp.sum(final[name] * bars[name])
        return value

    @np.errstate(over="ignore")  # autograd's tanh divides by cosh squared
    def gradient(self, example: Arrays, bars: Arrays, steps: Sequence[int]) -> Arrays:
        """The loss's derivative with respect to every argument."""
        return dict(autograd.grad(lambda arguments: self.loss(arguments, bars, steps))(example))

    @np.errstate(over="ignore")
    def gradient_moved(
        self, example: Arrays, bars: Arrays, moved: Arrays, moved_bars: Arrays, steps: Sequence[int]
    ) -> Arrays:
        """How that derivative moves when the arguments move by `moved` and the cotangents by `moved_bars`."""
        point, unflatten = flatten(example)
        direction, _ = flatten(moved)

        def loss(vector: Any) -> Any:
            return self.loss(unflatten(vector), bars, steps)

        def slope(vector: Any) -> Any:
            along = anp.dot(autograd.grad(loss)(vector), direction)
            return along + self.loss(unflatten(vector), moved_bars, steps)

        return dict(unflatten(autograd.grad(slope)(point)))

    @np.errstate(over="ignore")
    def outputs_moved(self, example: Arrays, moved: Arrays, steps: int) -> tuple[list[Any], Arrays]:
        """How outputs and final states move when the arguments do, by forward mode."""
        point, unflatten = flatten(example)
        direction, _ = flatten(moved)

        def results(vector: Any) -> Any:
            outputs, final = self.run(unflatten(vector), steps)
            parts = [anp.ravel(value) for value in (*outputs, *(final[name] for name in sorted(final)))]
            return anp.concatenate(parts)

        values = self.run(example, steps)
        _, tangents = autograd.make_jvp(results)(point)(direction)
        _, again = flatten(values)  # names in alphabetical order
        return again(tangents)  # type: ignore[no-any-return]


def _evaluated(node: ast.AST, known: Arrays, watch: Watch | None) -> Any:
    match node:
        case ast.Name():
            value = known[node.id]
        case ast.Constant():
            value = float(node.value)  # type: ignore[arg-type]
        case ast.UnaryOp():
            value = OPERATORS[type(node.op)](_evaluated(node.operand, known, watch))
        case ast.BinOp():
            left, right = _evaluated(node.left, known, watch), _evaluated(node.right, known, watch)
            value = OPERATORS[type(node.op)](left, right)
        case ast.Attribute(attr="T"):
            value = anp.transpose(_evaluated(node.value, known, watch))
        case ast.Subscript(value=ast.Call(func=ast.Name(id="split"), args=[whole, count]), slice=ast.Constant(part)):
            parts = FUNCTIONS["split"][0](_evaluated(whole, known, watch), ast.literal_eval(count))
            value = parts[part]  # type: ignore[index]
        case ast.Subscript(value=whole, slice=ast.Slice(lower=low, upper=high)):
            start, stop = (None if bound is None else known[ast.unparse(bound)] for bound in (low, high))
            value = _evaluated(whole, known, watch)[start:stop]
        case ast.Subscript(value=whole, slice=ast.Tuple() as place):
            index = tuple(None if isinstance(part, ast.Constant) else slice(None) for part in place.elts)
            value = _evaluated(whole, known, watch)[index]
        case ast.Call(func=ast.Name(id=name)):
            function, distance = FUNCTIONS[name]
            arguments = [_evaluated(argument, known, watch) for argument in node.args]
            arguments += [ast.literal_eval(keyword.value) for keyword in node.keywords]  # the axis
            value = function(*arguments)
            if watch is not None and distance is not None:
                watch.margin = min(watch.margin, float(np.min(distance(*arguments), initial=np.inf)))
        case _:
            raise AssertionError(ast.dump(node))
    if watch is not None:
        watch.see(value)
    return value
