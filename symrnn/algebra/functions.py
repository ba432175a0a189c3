"""The table of elementwise functions; nothing else in the package knows what a tanh is.

Each row says how a function looks, how NumPy computes it, what it *is* (in terms of a few primitives, so that it can
be evaluated on floats, complex numbers, finite fields and SymPy scalars alike) and what its slope is.  The definition
and the slope are written down separately on purpose: the checks compare them.

Definitions and slopes are plain arithmetic on whatever values they are given, with an `Arithmetic` as first argument
that supplies the functions they call.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

Rule = Callable[..., Any]


@dataclass(frozen=True)
class ScalarFunction:
    """One row: an elementwise function of one or two arguments.

    Attributes:
        name: the name in the cell language.
        definition: `definition(m, *args)` in terms of primitives of the arithmetic `m`; None for a primitive.
        slopes: one `slope(m, *args, y)` per argument; `y` is the function's value, used wherever it makes the
            slope shorter (`1 - y**2` rather than `1 - tanh(x)**2`).
        statement: the slope as LaTeX, for the list of rules.
        latex: the function's symbol in LaTeX, or a template with `<0>` for the argument (a root, bars).
        text: the same in plain text.
        numpy: NumPy source of one call, with `{0}` (and `{1}`) for the arguments.
        helper: source of a function that the NumPy source needs, or an empty string.
        smooth: whether the slope exists everywhere on the interval.
        interval: where random arguments may be drawn for numerical checks.
    """

    name: str
    definition: Rule | None
    slopes: tuple[Rule, ...]
    statement: str
    latex: str
    text: str
    numpy: str
    helper: str = ""
    smooth: bool = True
    interval: tuple[float, float] = (-3.0, 3.0)

    @property
    def arity(self) -> int:
        """The number of arguments."""
        return len(self.slopes)


class Arithmetic:
    """The functions of the table over one kind of number, as attributes.

    Args:
        literal: turns a number written in a text into one of this kind.
        primitives: functions for the rows without a definition (and for any row with a better one).
    """

    def __init__(self, literal: Rule = lambda number: number, **primitives: Rule) -> None:
        self.literal = literal
        self._primitives = primitives

    def softmax(self, x: Any) -> Any:
        """exp(x) divided by the sum of its entries, for an array x."""
        if "softmax" in self._primitives:
            return self._primitives["softmax"](x)
        e = self.exp(x)
        return e / e.sum()

    def __getattr__(self, name: str) -> Rule:
        if name.startswith("__"):  # asked for by copy and pickle, before there are primitives
            raise AttributeError(name)
        if name in self._primitives:
            return self._primitives[name]
        row = FUNCTIONS.get(name)
        if row is None or row.definition is None:
            raise AttributeError(name)
        definition = row.definition
        return lambda *args: definition(self, *args)


_SIGMOID = '''\
def sigmoid(a):
    """1 / (1 + exp(-a)): every digit of small values too, and no overflow; from 37 on it is 1 in any precision."""
    e = np.minimum(a, 40, out=np.empty_like(a))
    np.exp(e, out=e)
    return np.divide(e, 1 + e, out=e)
'''

_ROWS = (
    ScalarFunction(
        "sigmoid",
        lambda m, x: 1 / (1 + m.exp(-x)),
        (lambda m, x, y: y * (1 - y),),
        r"\sigma'(x) = \sigma(x)\,(1 - \sigma(x))",
        r"\sigma",
        "σ",
        "sigmoid({0})",
        _SIGMOID,
    ),
    ScalarFunction(
        "tanh",
        lambda m, x: 2 * m.sigmoid(2 * x) - 1,
        (lambda m, x, y: 1 - y**2,),
        r"\tanh'(x) = 1 - \tanh^2(x)",
        r"\tanh",
        "tanh",
        "np.tanh({0})",
    ),
    ScalarFunction(
        "relu",
        lambda m, x: x * m.step(x),
        (lambda m, x, y: m.step(y),),
        r"\operatorname{relu}'(x) = [x > 0]",
        r"\operatorname{relu}",
        "relu",
        "np.maximum({0}, 0)",
        smooth=False,
    ),
    ScalarFunction(
        "step",
        None,
        (lambda m, x, y: 0 * y,),
        r"\operatorname{step}(x) = [x > 0],\quad \operatorname{step}'(x) = 0",
        r"\operatorname{step}",
        "step",
        "np.heaviside({0}, 0)",
        smooth=False,
    ),
    ScalarFunction(
        "sign",
        lambda m, x: m.step(x) - m.step(-x),
        (lambda m, x, y: 0 * y,),
        r"\operatorname{sign}'(x) = 0",
        r"\operatorname{sign}",
        "sign",
        "np.sign({0})",
        smooth=False,
    ),
    ScalarFunction(
        "abs",
        lambda m, x: x * m.sign(x),
        (lambda m, x, y: m.sign(x),),
        r"|x|' = \operatorname{sign}(x)",
        r"\left|<0>\right|",
        "|<0>|",
        "np.abs({0})",
        smooth=False,
    ),
    ScalarFunction(
        "exp",
        None,
        (lambda m, x, y: y,),
        r"\exp'(x) = \exp(x)",
        r"\exp",
        "exp",
        "np.exp({0})",
    ),
    ScalarFunction(
        "log",
        None,
        (lambda m, x, y: x**-1,),
        r"\log'(x) = 1/x",
        r"\log",
        "log",
        "np.log({0})",
        interval=(0.2, 4.0),
    ),
    ScalarFunction(
        "sqrt",
        None,
        (lambda m, x, y: (2 * y) ** -1,),
        r"(\sqrt{x})' = 1/(2\sqrt{x})",
        r"\sqrt{<0>}",
        "√(<0>)",
        "np.sqrt({0})",
        interval=(0.2, 4.0),
    ),
    ScalarFunction(
        "sin",
        None,
        (lambda m, x, y: m.cos(x),),
        r"\sin'(x) = \cos(x)",
        r"\sin",
        "sin",
        "np.sin({0})",
    ),
    ScalarFunction(
        "cos",
        None,
        (lambda m, x, y: -m.sin(x),),
        r"\cos'(x) = -\sin(x)",
        r"\cos",
        "cos",
        "np.cos({0})",
    ),
    ScalarFunction(
        "softplus",
        lambda m, x: m.log(1 + m.exp(x)),
        (lambda m, x, y: m.sigmoid(x),),
        r"\operatorname{softplus}'(x) = \sigma(x)",
        r"\operatorname{softplus}",
        "softplus",
        "np.logaddexp({0}, 0)",
    ),
    ScalarFunction(
        "log_sigmoid",
        lambda m, x: -m.log(1 + m.exp(-x)),
        (lambda m, x, y: m.sigmoid(-x),),
        r"(\log\sigma)'(x) = \sigma(-x)",
        r"\log\sigma",
        "log σ",
        "-np.logaddexp(-({0}), 0)",
    ),
    ScalarFunction(
        "silu",
        lambda m, x: x * m.sigmoid(x),
        (lambda m, x, y: m.sigmoid(x) + y * (1 - m.sigmoid(x)),),
        r"\operatorname{silu}'(x) = \sigma(x) + \operatorname{silu}(x)\,(1 - \sigma(x))",
        r"\operatorname{silu}",
        "silu",
        "silu({0})",
        _SIGMOID
        + '''

def silu(a):
    """a * sigmoid(a)."""
    return a * sigmoid(a)
''',
    ),
    ScalarFunction(
        "softsign",
        lambda m, x: x / (1 + m.abs(x)),
        (lambda m, x, y: (1 + m.abs(x)) ** -2,),
        r"\operatorname{softsign}'(x) = 1/(1 + |x|)^2",
        r"\operatorname{softsign}",
        "softsign",
        "softsign({0})",
        '''\
def softsign(a):
    """a / (1 + |a|)."""
    return a / (1 + np.abs(a))
''',
    ),
    ScalarFunction(
        "elu",
        lambda m, x: m.relu(x) + (1 - m.step(x)) * (m.exp(x * (1 - m.step(x))) - 1),
        (lambda m, x, y: m.step(x) + (1 - m.step(x)) * (y + 1),),
        r"\operatorname{elu}'(x) = [x > 0] + [x \le 0]\,(\operatorname{elu}(x) + 1)",
        r"\operatorname{elu}",
        "elu",
        "elu({0})",
        '''\
def elu(a):
    """a where a > 0, else exp(a) - 1."""
    return np.where(a > 0, a, np.expm1(np.minimum(a, 0)))
''',
        smooth=False,
    ),
    ScalarFunction(
        "maximum",
        lambda m, x, z: z + m.relu(x - z),
        (lambda m, x, z, y: m.step(x - z), lambda m, x, z, y: 1 - m.step(x - z)),
        r"\partial \max(x, z)/\partial x = [x > z],\quad \partial \max(x, z)/\partial z = [x \le z]",
        r"\max",
        "max",
        "np.maximum({0}, {1})",
        smooth=False,
    ),
    ScalarFunction(
        "minimum",
        lambda m, x, z: x - m.relu(x - z),
        (lambda m, x, z, y: 1 - m.step(x - z), lambda m, x, z, y: m.step(x - z)),
        r"\partial \min(x, z)/\partial x = [x \le z],\quad \partial \min(x, z)/\partial z = [x > z]",
        r"\min",
        "min",
        "np.minimum({0}, {1})",
        smooth=False,
    ),
)

FUNCTIONS: Mapping[str, ScalarFunction] = MappingProxyType({row.name: row for row in _ROWS})
"""Every elementwise function of the cell language, by name."""
