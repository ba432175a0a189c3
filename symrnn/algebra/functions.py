"""The table of elementwise functions; nothing else in the package knows what a tanh is.

Each row says how a function looks, how NumPy computes it, what it *is* (in terms of a few primitives, so that it can
be evaluated on floats, complex numbers, finite fields and SymPy scalars alike), what its slope is, between which bounds
its values lie and where it bends.  The definition and the slope are written down separately on purpose: the checks
compare them.

Definitions and slopes are plain arithmetic on whatever values they are given, with an `Arithmetic` as first argument
that supplies the functions they call.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType
from typing import Any, Literal

from symrnn.algebra.intervals import (
    CLOSED_UNIT_BALL,
    MINUS_ONE_TO_ONE,
    NIL,
    NON_NEGATIVE,
    POSITIVE,
    REALS,
    UNIT,
    ZERO_TO_ONE,
    Interval,
    magnitude,
    maximum,
    minimum,
)

Rule = Callable[..., Any]

Gate = Literal["", "complementary", "positive"]

Domain = Literal["", "positive", "not negative", "not zero"]


@dataclass(frozen=True)
class ScalarFunction:
    """One row: an elementwise function of one or more arguments.

    What has no default has to be said of every function: a row without it cannot be built.

    Attributes:
        name: the name in the cell language.
        definition: `definition(m, *args)` in terms of primitives of the arithmetic `m`; None for a primitive, which
            every arithmetic has to supply.
        slopes: one `slope(m, *args, y)` per argument; `y` is the function's value, used wherever it makes the
            slope shorter (`1 - y**2` rather than `1 - tanh(x)**2`).
        statement: the slope as LaTeX, for the list of rules.
        latex: the function's symbol in LaTeX, or a template with `<0>` for the argument (a root, bars).
        text: the same in plain text.
        numpy: NumPy source of one call, with `{0}` (and `{1}`) for the arguments.
        range: `range(*intervals)`: an interval that holds the values, from intervals that hold the arguments.
        helper: source of a function that the NumPy source needs, or an empty string.
        kinks: one `kink(m, *args)` per place where the function bends or jumps, which is where that value is 0.
        jumps: whether it jumps at its kinks, rather than bends.
        intervals: where random arguments may be drawn for numerical checks: one pair for all, or one per argument.
        domain: what an argument has to be, one word per argument; empty where all are real numbers.
        library: whether NumPy, SymPy and mpmath have the function under the same name.
        sympy: SymPy's name for the function, where that reads better than what the definition gives.
        stable: `stable(m, *args)`: the definition written so that large floats do not overflow; `m` has log1p too.
        gate: "complementary" where values lie in [0, 1] and that at -x is 1 minus that at x; "positive" for another
            function whose positive values let something pass.
        usual: whether it is one of the activations that are taken for one another by mistake.
        wrong_slopes: what people write for the slope, in words, and `slope(m, x, y)`.
        aliases: what other libraries call it.
    """

    name: str
    definition: Rule | None
    slopes: tuple[Rule, ...]
    statement: str
    latex: str
    text: str
    numpy: str
    range: Callable[..., Interval]
    helper: str = ""
    kinks: tuple[Rule, ...] = ()
    jumps: bool = False
    intervals: tuple[tuple[float, float], ...] = ((-3.0, 3.0),)
    domain: tuple[Domain, ...] = ()
    library: bool = False
    sympy: str = ""
    stable: Rule | None = None
    gate: Gate = ""
    usual: bool = False
    wrong_slopes: tuple[tuple[str, Rule], ...] = ()
    aliases: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if len(self.intervals) not in (1, self.arity) or len(self.domain) not in (0, self.arity):
            raise ValueError(f"{self.name}: an interval and a domain for each of {self.arity} arguments are needed")
        if self.jumps and not self.kinks:
            raise ValueError(f"{self.name}: it jumps, and `kinks` does not say where")

    @property
    def arity(self) -> int:
        """The number of arguments."""
        return len(self.slopes)

    @property
    def smooth(self) -> bool:
        """Whether the slope exists everywhere on the intervals."""
        return not self.kinks

    def interval(self, argument: int = 0) -> tuple[float, float]:
        """Where a random argument may be drawn."""
        return self.intervals[argument if len(self.intervals) > 1 else 0]


class Arithmetic:
    """The functions of the table over one kind of number, as attributes.

    Args:
        literal: turns a number written in a text, or a fraction, into one of this kind.
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

    def definition(self, row: ScalarFunction) -> Rule | None:
        """How this arithmetic computes a function that it has no primitive for."""
        return row.definition

    def __getattr__(self, name: str) -> Rule:
        if name.startswith("__"):  # asked for by copy and pickle, before there are primitives
            raise AttributeError(name)
        if name in self._primitives:
            return self._primitives[name]
        row = FUNCTIONS.get(name)
        definition = None if row is None else self.definition(row)
        if definition is None:
            raise AttributeError(name)
        return lambda *args: definition(self, *args)


def of_library(library: Any, wrap: Rule = lambda function: function) -> dict[str, Rule]:
    """The functions that a library has under the names of the table.

    Args:
        library: NumPy, SymPy or an mpmath context.
        wrap: what to make of each.
    """
    return {row.name: wrap(getattr(library, row.name)) for row in FUNCTIONS.values() if row.library}


_SIGMOID = '''\
def sigmoid(a):
    """1 / (1 + exp(-a)): every digit of small values too, and no overflow; from 37 on it is 1 in any precision."""
    e = np.minimum(a, 40, out=np.empty_like(a))
    np.exp(e, out=e)
    return np.divide(e, 1 + e, out=e)
'''


def _sigmoid(m: Any, x: Any) -> Any:
    above = m.step(x)
    e = m.exp(x - 2 * x * above)  # the exponent is -|x|
    return (above + e * (1 - above)) / (1 + e)


def _softplus(m: Any, x: Any) -> Any:
    above = m.step(x)
    return x * above + m.log1p(m.exp(x - 2 * x * above))  # the exponent is -|x|


def _leaky(leak: Fraction) -> Rule:
    return lambda m, x, y: leak + (1 - leak) * m.step(y)


_LEAKS = (Fraction(1, 100), Fraction(1, 10), Fraction(1, 5))
"""Usual slopes of a leaky relu below 0: 0.01 is the default of PyTorch and ONNX, 0.2 that of TensorFlow."""

_ROWS = (
    ScalarFunction(
        "sigmoid",
        lambda m, x: 1 / (1 + m.exp(-x)),
        (lambda m, x, y: y * (1 - y),),
        r"\sigma'(x) = \sigma(x)\,(1 - \sigma(x))",
        r"\sigma",
        "σ",
        "sigmoid({0})",
        lambda x: ZERO_TO_ONE,
        _SIGMOID,
        stable=_sigmoid,
        gate="complementary",
        usual=True,
        aliases=("logistic", "expit", "sigm"),
    ),
    ScalarFunction(
        "tanh",
        lambda m, x: 2 * m.sigmoid(2 * x) - 1,
        (lambda m, x, y: 1 - y**2,),
        r"\tanh'(x) = 1 - \tanh^2(x)",
        r"\tanh",
        "tanh",
        "np.tanh({0})",
        lambda x: MINUS_ONE_TO_ONE,
        library=True,
        sympy="tanh",
        usual=True,
        wrong_slopes=(("that of arctan", lambda m, x, y: (1 + x**2) ** -1),),
    ),
    ScalarFunction(
        "relu",
        lambda m, x: x * m.step(x),
        (lambda m, x, y: m.step(y),),
        r"\operatorname{relu}'(x) = [x > 0]",
        r"\operatorname{relu}",
        "relu",
        "np.maximum({0}, 0)",
        lambda x: maximum(x, NIL),
        kinks=(lambda m, x: x,),
        usual=True,
        wrong_slopes=(
            ("that of the absolute value", lambda m, x, y: 2 * m.step(y) - 1),
            ("inverted", lambda m, x, y: 1 - m.step(y)),
            *((f"that of a leaky one with the slope {leak}", _leaky(leak)) for leak in _LEAKS),
        ),
    ),
    ScalarFunction(
        "step",
        None,
        (lambda m, x, y: 0 * y,),
        r"\operatorname{step}(x) = [x > 0],\quad \operatorname{step}'(x) = 0",
        r"\operatorname{step}",
        "step",
        "np.heaviside({0}, 0)",
        lambda x: UNIT,
        kinks=(lambda m, x: x,),
        jumps=True,
        aliases=("heaviside",),
    ),
    ScalarFunction(
        "sign",
        lambda m, x: m.step(x) - m.step(-x),
        (lambda m, x, y: 0 * y,),
        r"\operatorname{sign}'(x) = 0",
        r"\operatorname{sign}",
        "sign",
        "np.sign({0})",
        lambda x: CLOSED_UNIT_BALL,
        kinks=(lambda m, x: x,),
        jumps=True,
        sympy="sign",
    ),
    ScalarFunction(
        "abs",
        lambda m, x: x * m.sign(x),
        (lambda m, x, y: m.sign(x),),
        r"|x|' = \operatorname{sign}(x)",
        r"\left|<0>\right|",
        "|<0>|",
        "np.abs({0})",
        magnitude,
        kinks=(lambda m, x: x,),
        sympy="Abs",
        aliases=("fabs", "absolute"),
    ),
    ScalarFunction(
        "exp",
        None,
        (lambda m, x, y: y,),
        r"\exp'(x) = \exp(x)",
        r"\exp",
        "exp",
        "np.exp({0})",
        lambda x: POSITIVE,
        library=True,
        sympy="exp",
        gate="positive",
    ),
    ScalarFunction(
        "log",
        None,
        (lambda m, x, y: x**-1,),
        r"\log'(x) = 1/x",
        r"\log",
        "log",
        "np.log({0})",
        lambda x: REALS,
        intervals=((0.2, 4.0),),
        domain=("positive",),
        library=True,
        sympy="log",
    ),
    ScalarFunction(
        "sqrt",
        None,
        (lambda m, x, y: (2 * y) ** -1,),
        r"(\sqrt{x})' = 1/(2\sqrt{x})",
        r"\sqrt{<0>}",
        "√(<0>)",
        "np.sqrt({0})",
        lambda x: NON_NEGATIVE,
        intervals=((0.2, 4.0),),
        domain=("not negative",),
        library=True,
        sympy="sqrt",
    ),
    ScalarFunction(
        "sin",
        None,
        (lambda m, x, y: m.cos(x),),
        r"\sin'(x) = \cos(x)",
        r"\sin",
        "sin",
        "np.sin({0})",
        lambda x: CLOSED_UNIT_BALL,
        library=True,
        sympy="sin",
    ),
    ScalarFunction(
        "cos",
        None,
        (lambda m, x, y: -m.sin(x),),
        r"\cos'(x) = -\sin(x)",
        r"\cos",
        "cos",
        "np.cos({0})",
        lambda x: CLOSED_UNIT_BALL,
        library=True,
        sympy="cos",
    ),
    ScalarFunction(
        "softplus",
        lambda m, x: m.log(1 + m.exp(x)),
        (lambda m, x, y: m.sigmoid(x),),
        r"\operatorname{softplus}'(x) = \sigma(x)",
        r"\operatorname{softplus}",
        "softplus",
        "np.logaddexp({0}, 0)",
        lambda x: POSITIVE,
        stable=_softplus,
        usual=True,
    ),
    ScalarFunction(
        "log_sigmoid",
        lambda m, x: -m.log(1 + m.exp(-x)),
        (lambda m, x, y: m.sigmoid(-x),),
        r"(\log\sigma)'(x) = \sigma(-x)",
        r"\log\sigma",
        "log σ",
        "-np.logaddexp(-({0}), 0)",
        lambda x: -POSITIVE,
        stable=lambda m, x: -_softplus(m, -x),
    ),
    ScalarFunction(
        "silu",
        lambda m, x: x * m.sigmoid(x),
        (lambda m, x, y: m.sigmoid(x) + y * (1 - m.sigmoid(x)),),
        r"\operatorname{silu}'(x) = \sigma(x) + \operatorname{silu}(x)\,(1 - \sigma(x))",
        r"\operatorname{silu}",
        "silu",
        "silu({0})",
        lambda x: Interval(Fraction(-3, 10), REALS.high),
        _SIGMOID
        + '''

def silu(a):
    """a * sigmoid(a)."""
    return a * sigmoid(a)
''',
        aliases=("swish",),
    ),
    ScalarFunction(
        "softsign",
        lambda m, x: x / (1 + m.abs(x)),
        (lambda m, x, y: (1 + m.abs(x)) ** -2,),
        r"\operatorname{softsign}'(x) = 1/(1 + |x|)^2",
        r"\operatorname{softsign}",
        "softsign",
        "softsign({0})",
        lambda x: MINUS_ONE_TO_ONE,
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
        lambda x: Interval(Fraction(-1), REALS.high, True),
        '''\
def elu(a):
    """a where a > 0, else exp(a) - 1."""
    return np.where(a > 0, a, np.expm1(np.minimum(a, 0)))
''',
        kinks=(lambda m, x: x,),
    ),
    ScalarFunction(
        "maximum",
        lambda m, x, z: z + m.relu(x - z),
        (lambda m, x, z, y: m.step(x - z), lambda m, x, z, y: 1 - m.step(x - z)),
        r"\partial \max(x, z)/\partial x = [x > z],\quad \partial \max(x, z)/\partial z = [x \le z]",
        r"\max",
        "max",
        "np.maximum({0}, {1})",
        maximum,
        kinks=(lambda m, x, z: x - z,),
        aliases=("max",),
    ),
    ScalarFunction(
        "minimum",
        lambda m, x, z: x - m.relu(x - z),
        (lambda m, x, z, y: 1 - m.step(x - z), lambda m, x, z, y: m.step(x - z)),
        r"\partial \min(x, z)/\partial x = [x \le z],\quad \partial \min(x, z)/\partial z = [x > z]",
        r"\min",
        "min",
        "np.minimum({0}, {1})",
        minimum,
        kinks=(lambda m, x, z: x - z,),
        aliases=("min",),
    ),
)

FUNCTIONS: Mapping[str, ScalarFunction] = MappingProxyType({row.name: row for row in _ROWS})
"""Every elementwise function of the cell language, by name."""

GATES = tuple(row.name for row in _ROWS if row.gate == "complementary")
"""The functions that make gates: what lets f pass lets 1 - f pass at the opposite argument."""

MISTAKEN = tuple(row.name for row in _ROWS if row.usual or row.gate)
"""The functions of one argument that a wrong program has in place of another."""

PRIMITIVES = tuple(row.name for row in _ROWS if row.definition is None)
"""What every arithmetic has to supply."""
