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
    ONE,
    POSITIVE,
    REALS,
    ZERO_TO_ONE,
    Interval,
    floor,
    hull,
    magnitude,
    maximum,
    minimum,
    nearest,
    rising,
    step,
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
        defaults: what the last arguments are where they are left out.
        domain: what an argument has to be, one word per argument; empty where all are real numbers.
        library: whether NumPy, SymPy and mpmath have the function under the same name.
        sympy: SymPy's name for the function, where that reads better than what the definition gives.
        stable: `stable(m, *args)`: the definition written so that floats do not overflow and no digits cancel; `m` has
            log1p and expm1 too, and `m.above(x, z, a, b)`, a where x > z, else b.
        gate: "complementary" where values lie in [0, 1] and that at -x is 1 minus that at x; "positive" for another
            function whose positive values let something pass.
        stated: whether the slopes are those that the author states, not those of the value, which is the first
            argument; an arithmetic that carries slopes has a primitive that passes on the stated ones.
        meaning: what the symbol means, as a sentence with formulas between dollar signs; empty for what every reader
            knows, as exp.
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
    defaults: tuple[Fraction, ...] = ()
    domain: tuple[Domain, ...] = ()
    library: bool = False
    sympy: str = ""
    stable: Rule | None = None
    gate: Gate = ""
    stated: bool = False
    meaning: str = ""
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
    def needed(self) -> int:
        """The number of arguments that have to be given."""
        return self.arity - len(self.defaults)

    def missing(self, given: int) -> tuple[Fraction, ...]:
        """The last arguments, where so many are given."""
        return self.defaults[given - self.needed :] if self.needed <= given else ()

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
        """exp(x) divided by the sum of its entries, for a vector x; of a matrix, so for each of its columns."""
        if "softmax" in self._primitives:
            return self._primitives["softmax"](x)
        e = self.exp(x)
        return e / e.sum(axis=0)

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
        # Most functions have no default, and are asked for at every evaluation.
        missing = row.missing if row is not None and row.defaults else lambda given: ()
        return lambda *args: definition(self, *args, *map(self.literal, missing(len(args))))


def of_library(library: Any, wrap: Rule = lambda function: function) -> dict[str, Rule]:
    """The functions that a library has under the names of the table.

    Args:
        library: NumPy, SymPy or an mpmath context.
        wrap: what to make of each.
    """
    return {row.name: wrap(getattr(library, row.name)) for row in FUNCTIONS.values() if row.library}


# How much of the cube enters the approximation of the normal distribution function: Hendrycks & Gimpel (2016).
_CUBIC = Fraction(44715, 10**6)


def _gelu_argument(m: Any, x: Any) -> Any:
    """(1 + tanh(u)) / 2 is σ(2u); the factor 2 sqrt(2/π) is four times the normal density at 0."""
    return 4 * m.normal_density(0 * x) * (x + m.literal(_CUBIC) * x**3)


def _gelu_tanh_slope(m: Any, x: Any, y: Any) -> Any:
    weight = m.sigmoid(_gelu_argument(m, x))
    return weight + y * (1 - weight) * (4 * m.normal_density(0 * x) * (1 + m.literal(3 * _CUBIC) * x**2))


_SIGMOID = '''\
def sigmoid(a):
    """1 / (1 + exp(-a)): every digit of small values too, and no overflow; from 37 on it is 1 in any precision."""
    e = np.minimum(a, 40, out=np.empty_like(a))
    np.exp(e, out=e)
    return np.divide(e, 1 + e, out=e)
'''


def _sigmoid(m: Any, x: Any) -> Any:
    # exp of what is not positive: it underflows to 0 where the other sign would overflow.
    e = m.exp(m.above(x, 0, -x, x))
    return m.above(x, 0, 1, e) / (1 + e)


def _softplus(m: Any, x: Any) -> Any:
    # log(1 + exp(x)) = x + log(1 + exp(-x)), whichever exponential is small; log1p keeps its digits.
    return m.above(x, 0, x, 0) + m.log1p(m.exp(m.above(x, 0, -x, x)))


def _weighted(m: Any, x: Any, weight: Any) -> Any:
    """A product with a weight that vanishes faster than x grows."""
    return m.above(weight, 0, x * weight, 0)


def _softsign(m: Any, x: Any) -> Any:
    size = m.abs(x)
    # Beyond 1 divided through by |x|, which may be infinite.
    return m.above(size, 1, m.sign(x) / (1 + 1 / size), x / (1 + size))


def _clipped(m: Any, x: Any, a: Any, b: Any) -> Any:
    z = a * x + b
    return m.above(z, 0, m.above(1, z, z, 1), 0)


def _hard_sigmoid(m: Any, x: Any, a: Any, b: Any) -> Any:
    z = a * x + b
    # As sums of products with steps: the definition has to make sense where numbers have no order, as in a finite
    # field.
    inside = m.box(z)
    return z * inside + m.step(z) * (1 - inside)


def _leaky(leak: Fraction) -> Rule:
    return lambda m, x, y: leak + (1 - leak) * m.step(y)


# Usual slopes of a leaky relu below 0: 0.01 is the default of PyTorch and ONNX, 0.2 that of TensorFlow.
_LEAKS = (Fraction(1, 100), Fraction(1, 10), Fraction(1, 5))

_NORMAL_CDF = '''\
def normal_cdf(a):
    """The probability that a standard normal number is at most a."""
    from math import erfc

    values = np.vectorize(erfc, otypes=[float])(np.asarray(a, float) * -0.7071067811865476)
    return (0.5 * values).astype(np.result_type(a), copy=False)
'''

_HALF = Fraction(1, 2)

_ROWS = (
    ScalarFunction(
        "sigmoid",
        lambda m, x: 1 / (1 + m.exp(-x)),
        (lambda m, x, y: y * (1 - y),),
        r"\sigma'(x) = \sigma(x)\,(1 - \sigma(x))",
        r"\sigma",
        "σ",
        "sigmoid({0})",
        lambda x: rising(x, ZERO_TO_ONE, (0, _HALF)),
        _SIGMOID,
        stable=_sigmoid,
        gate="complementary",
        usual=True,
        aliases=("logistic", "expit", "sigm"),
        meaning=r"$\sigma(x) = 1/(1 + \exp(-x))$",
    ),
    ScalarFunction(
        "tanh",
        lambda m, x: 2 * m.sigmoid(2 * x) - 1,
        (lambda m, x, y: 1 - y**2,),
        r"\tanh'(x) = 1 - \tanh^2(x)",
        r"\tanh",
        "tanh",
        "np.tanh({0})",
        lambda x: rising(x, MINUS_ONE_TO_ONE, (0, 0)),
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
        stable=lambda m, x: m.above(x, 0, x, 0),
        usual=True,
        wrong_slopes=(
            ("that of the absolute value", lambda m, x, y: 2 * m.step(y) - 1),
            ("inverted", lambda m, x, y: 1 - m.step(y)),
            *((f"that of a leaky one with the slope {leak}", _leaky(leak)) for leak in _LEAKS),
        ),
        meaning=r"$\operatorname{relu}(x) = \max(x, 0)$",
    ),
    ScalarFunction(
        "step",
        None,
        (lambda m, x, y: 0 * y,),
        r"\operatorname{step}(x) = [x > 0],\quad \operatorname{step}'(x) = 0",
        r"\operatorname{step}",
        "step",
        "np.heaviside({0}, 0)",
        step,
        kinks=(lambda m, x: x,),
        jumps=True,
        aliases=("heaviside",),
        meaning=r"$\operatorname{step}(x)$ is 1 for a positive $x$, else 0",
    ),
    ScalarFunction(
        "sign",
        lambda m, x: m.step(x) - m.step(-x),
        (lambda m, x, y: 0 * y,),
        r"\operatorname{sign}'(x) = 0",
        r"\operatorname{sign}",
        "sign",
        "np.sign({0})",
        lambda x: step(x) + -step(-x),
        kinks=(lambda m, x: x,),
        jumps=True,
        sympy="sign",
        meaning=r"$\operatorname{sign}(x)$ is 1, 0 or $-1$, the sign of $x$",
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
        lambda x: rising(x, POSITIVE, (0, 1)),
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
        lambda x: rising(x, REALS, (1, 0)),
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
        lambda x: rising(x, NON_NEGATIVE, (0, 0), (1, 1)),
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
        meaning=r"$\operatorname{softplus}(x) = \log(1 + \exp(x))$",
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
        meaning=r"$\log\sigma(x) = -\log(1 + \exp(-x))$",
    ),
    ScalarFunction(
        "silu",
        lambda m, x: x * m.sigmoid(x),
        (lambda m, x, y: m.sigmoid(x) + y * (1 - m.sigmoid(x)),),
        r"\operatorname{silu}'(x) = \sigma(x) + \operatorname{silu}(x)\,(1 - \sigma(x))",
        r"\operatorname{silu}",
        "silu",
        "silu({0})",
        # The least value is -0.278, at -1.278.
        lambda x: Interval(Fraction(-3, 10), REALS.high),
        _SIGMOID
        + '''

def silu(a):
    """a * sigmoid(a)."""
    return a * sigmoid(a)
''',
        stable=lambda m, x: _weighted(m, x, m.sigmoid(x)),
        aliases=("swish",),
        meaning=r"$\operatorname{silu}(x) = x/(1 + \exp(-x))$",
    ),
    ScalarFunction(
        "softsign",
        lambda m, x: x / (1 + m.abs(x)),
        (lambda m, x, y: (1 + m.abs(x)) ** -2,),
        r"\operatorname{softsign}'(x) = 1/(1 + |x|)^2",
        r"\operatorname{softsign}",
        "softsign",
        "softsign({0})",
        lambda x: rising(x, MINUS_ONE_TO_ONE, (0, 0)),
        '''\
def softsign(a):
    """a / (1 + |a|)."""
    return a / (1 + np.abs(a))
''',
        stable=_softsign,
        meaning=r"$\operatorname{softsign}(x) = x/(1 + |x|)$",
    ),
    ScalarFunction(
        "elu",
        lambda m, x: m.relu(x) + (1 - m.step(x)) * (m.exp(x * (1 - m.step(x))) - 1),
        (lambda m, x, y: m.step(x) + (1 - m.step(x)) * (y + 1),),
        r"\operatorname{elu}'(x) = [x > 0] + [x \le 0]\,(\operatorname{elu}(x) + 1)",
        r"\operatorname{elu}",
        "elu",
        "elu({0})",
        lambda x: rising(x, Interval(Fraction(-1), REALS.high, True), (0, 0)),
        '''\
def elu(a):
    """a where a > 0, else exp(a) - 1."""
    return np.where(a > 0, a, np.expm1(np.minimum(a, 0)))
''',
        kinks=(lambda m, x: x,),
        stable=lambda m, x: m.above(x, 0, x, m.expm1(m.above(x, 0, 0, x))),
        meaning=r"$\operatorname{elu}(x)$ is $x$ for a positive $x$, else $\exp(x) - 1$",
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
        stable=lambda m, x, z: m.above(x, z, x, z),
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
        stable=lambda m, x, z: m.above(x, z, z, x),
    ),
    ScalarFunction(
        "stop_gradient",
        None,
        (lambda m, x, y: 0 * y,),
        r"\operatorname{stop\_gradient}(x) = x,\quad \operatorname{stop\_gradient}'(x) := 0",
        r"\operatorname{stop\_gradient}",
        "stop_gradient",
        "({0})",
        lambda x: x,
        stated=True,
        aliases=("detach",),
        meaning=r"$\operatorname{stop\_gradient}(x)$ is $x$, and counts as a constant in derivatives",
    ),
    ScalarFunction(
        # Bengio, Leonard & Courville (2013), Estimating or propagating gradients through stochastic neurons;
        # Neftci, Mostafa & Zenke (2019), Surrogate gradient learning in spiking neural networks.
        "straight_through",
        None,
        (lambda m, x, z, y: 0 * y, lambda m, x, z, y: 1 + 0 * y),
        r"y = \operatorname{straight\_through}(x, z) = x,\quad \partial y/\partial x := 0,\quad"
        r" \partial y/\partial z := 1",
        r"\operatorname{straight\_through}",
        "straight_through",
        "({0})",
        lambda x, z: x,
        stated=True,
        meaning=r"$\operatorname{straight\_through}(x, z)$ is $x$, and counts as $z$ in derivatives",
    ),
    ScalarFunction(
        "floor",
        None,
        (lambda m, x, y: 0 * y,),
        r"\lfloor x \rfloor' = 0",
        r"\lfloor <0> \rfloor",
        "⌊<0>⌋",
        "np.floor({0})",
        floor,
        # floor jumps where its argument is whole; round, below, halfway between.
        kinks=(lambda m, x: x - m.round(x),),
        jumps=True,
    ),
    ScalarFunction(
        "round",
        None,
        (lambda m, x, y: 0 * y,),
        r"\operatorname{round}'(x) = 0",
        r"\operatorname{round}",
        "round",
        "np.round({0})",
        nearest,
        kinks=(lambda m, x: x - m.floor(x) - m.literal(Fraction(1, 2)),),
        jumps=True,
        aliases=("rint",),
        meaning=r"$\operatorname{round}(x)$ is the whole number nearest to $x$, of two the even one",
    ),
    ScalarFunction(
        "box",
        lambda m, x: m.step(x) * m.step(1 - x),
        (lambda m, x, y: 0 * y,),
        r"[0 < x < 1]' = 0",
        r"\left[0 < <0> < 1\right]",
        "[0 < <0> < 1]",
        "box({0})",
        lambda x: step(x) * step(ONE + -x),
        '''\
def box(a):
    """1 where 0 < a < 1, else 0."""
    return np.heaviside(a, 0) * np.heaviside(1 - a, 0)
''',
        kinks=(lambda m, x: x, lambda m, x: x - 1),
        jumps=True,
        meaning=r"$\left[0 < x < 1\right]$ is 1 where $0 < x < 1$ holds, else 0",
    ),
    ScalarFunction(
        # Keras 3, PyTorch and JAX have the slope 1/6; Keras 2, Theano and ONNX's nodes have 0.2.
        "hard_sigmoid",
        _hard_sigmoid,
        (
            lambda m, x, a, b, y: a * m.box(y),
            lambda m, x, a, b, y: x * m.box(y),
            lambda m, x, a, b, y: m.box(y),
        ),
        r"\operatorname{hard\_sigmoid}(x, \alpha, \beta) = \max(0, \min(1, \alpha x + \beta)),\quad"
        r" \operatorname{hard\_sigmoid}' = \alpha\,[0 < \alpha x + \beta < 1]",
        r"\operatorname{hard\_sigmoid}",
        "hard_sigmoid",
        "hard_sigmoid({0}, {1}, {2})",
        lambda x, a, b: maximum(NIL, minimum(ONE, a * x + b)),
        '''\
def hard_sigmoid(a, slope, offset):
    """slope * a + offset, no less than 0 and no more than 1."""
    return np.clip(slope * a + offset, 0, 1)
''',
        kinks=(lambda m, x, a, b: a * x + b, lambda m, x, a, b: a * x + b - 1),
        intervals=((-3.0, 3.0), (0.2, 0.4), (0.3, 0.7)),
        defaults=(Fraction(1, 6), Fraction(1, 2)),
        stable=_clipped,
        gate="complementary",
        meaning=r"$\operatorname{hard\_sigmoid}(x, \alpha, \beta) = \max(0, \min(1, \alpha x + \beta))$",
    ),
    ScalarFunction(
        "leaky_relu",
        lambda m, x, a: x * (a + (1 - a) * m.step(x)),
        (lambda m, x, a, y: a + (1 - a) * m.step(x), lambda m, x, a, y: x * (1 - m.step(x))),
        r"\operatorname{leaky\_relu}(x, \alpha) = \max(x, 0) + \alpha \min(x, 0),\quad"
        r" \operatorname{leaky\_relu}'(x, \alpha) = [x > 0] + \alpha\,[x \le 0]",
        r"\operatorname{leaky\_relu}",
        "leaky_relu",
        "leaky_relu({0}, {1})",
        lambda x, a: maximum(x, NIL) + a * minimum(x, NIL),
        '''\
def leaky_relu(a, slope):
    """a where a > 0, else slope * a."""
    return np.where(a > 0, a, slope * a)
''',
        kinks=(lambda m, x, a: x,),
        # As PyTorch and ONNX have it.
        defaults=(Fraction(1, 100),),
        stable=lambda m, x, a: m.above(x, 0, x, a * x),
        meaning=r"$\operatorname{leaky\_relu}(x, \alpha) = \max(x, 0) + \alpha \min(x, 0)$",
    ),
    ScalarFunction(
        "normal_density",
        None,
        (lambda m, x, y: -(x * y),),
        r"\Phi''(x) = -x\, \Phi'(x),\quad \Phi'(x) = \exp(-x^2/2)/\sqrt{2 \pi}",
        r"\Phi'",
        "Φ'",
        "normal_density({0})",
        lambda x: ZERO_TO_ONE,
        '''\
def normal_density(a):
    """The slope of the normal distribution function."""
    return np.exp(-0.5 * a * a) * 0.3989422804014327
''',
        meaning=r"$\Phi'(x) = \exp(-x^2/2)/\sqrt{2 \pi}$, the density of the normal distribution",
    ),
    ScalarFunction(
        "normal_cdf",
        None,
        (lambda m, x, y: m.normal_density(x),),
        r"\Phi'(x) = \exp(-x^2/2)/\sqrt{2 \pi}",
        r"\Phi",
        "Φ",
        "normal_cdf({0})",
        lambda x: rising(x, ZERO_TO_ONE, (0, _HALF)),
        _NORMAL_CDF,
        meaning=r"$\Phi(x)$ is the probability that a standard normal number is at most $x$",
    ),
    ScalarFunction(
        "gelu",
        lambda m, x: x * m.normal_cdf(x),
        (lambda m, x, y: m.normal_cdf(x) + x * m.normal_density(x),),
        r"\operatorname{gelu}(x) = x\, \Phi(x),\quad \operatorname{gelu}'(x) = \Phi(x) + x\, \Phi'(x)",
        r"\operatorname{gelu}",
        "gelu",
        "gelu({0})",
        lambda x: Interval(Fraction(-2, 10), REALS.high),
        _NORMAL_CDF
        + '''

def gelu(a):
    """a times the probability that a standard normal number is at most a."""
    return a * normal_cdf(a)
''',
        stable=lambda m, x: _weighted(m, x, m.normal_cdf(x)),
        meaning=r"$\operatorname{gelu}(x)$ is $x$ times the probability that a standard normal number is at most $x$",
    ),
    ScalarFunction(
        # Hendrycks & Gimpel (2016), Gaussian error linear units: PyTorch's gelu with approximate="tanh", JAX's default.
        "gelu_tanh",
        lambda m, x: x * m.sigmoid(_gelu_argument(m, x)),
        (_gelu_tanh_slope,),
        r"\operatorname{gelu\_tanh}(x) = x\, \sigma(u),\quad u = 4 \Phi'(0)\,(x + 0.044715\, x^3),\quad"
        r" \operatorname{gelu\_tanh}'(x) = \sigma(u) + \operatorname{gelu\_tanh}(x)\,(1 - \sigma(u))\,"
        r" 4 \Phi'(0)\,(1 + 0.134145\, x^2)",
        r"\operatorname{gelu\_tanh}",
        "gelu_tanh",
        "gelu_tanh({0})",
        lambda x: Interval(Fraction(-2, 10), REALS.high),
        _SIGMOID
        + '''

def gelu_tanh(a):
    """a * (1 + tanh(sqrt(2 / pi) * (a + 0.044715 * a**3))) / 2."""
    return a * sigmoid(1.5957691216057308 * a * (1 + 0.044715 * a * a))
''',
        stable=lambda m, x: _weighted(m, x, m.sigmoid(1.5957691216057308 * x * (1 + 0.044715 * x * x))),
        aliases=("gelu_new", "gelu_pytorch_tanh", "gelu_approximate"),
        meaning=r"$\operatorname{gelu\_tanh}(x)$ is $x\, \sigma(\sqrt{8/\pi}\,(x + 0.044715\, x^3))$",
    ),
    ScalarFunction(
        "power",
        lambda m, x, z: m.exp(z * m.log(x)),
        (lambda m, x, z, y: z * y * x**-1, lambda m, x, z, y: y * m.log(x)),
        r"\partial x^z/\partial x = z\, x^z/x,\quad \partial x^z/\partial z = x^z \log(x),\quad x > 0",
        r"<^0>^{<1>}",
        "<^0>^(<1>)",
        "np.power({0}, {1})",
        lambda x, z: POSITIVE,
        intervals=((0.2, 4.0), (-3.0, 3.0)),
        domain=("positive", ""),
        sympy="Pow",
        stable=lambda m, x, z: x**z,
        aliases=("pow",),
    ),
    ScalarFunction(
        "remainder",
        lambda m, x, z: x - z * m.floor(x / z),
        (lambda m, x, z, y: 1 + 0 * x, lambda m, x, z, y: -m.floor(x * z**-1)),
        r"\partial (x \bmod z)/\partial x = 1,\quad \partial (x \bmod z)/\partial z = -\lfloor x/z \rfloor",
        r"\operatorname{mod}",
        "mod",
        "np.remainder({0}, {1})",
        # The remainder has the sign of the divisor, as Python's has.
        lambda x, z: hull([NIL, z]),
        kinks=(lambda m, x, z: x * z**-1 - m.round(x * z**-1),),
        jumps=True,
        intervals=((-3.0, 3.0), (0.3, 4.0)),
        domain=("", "not zero"),
        aliases=("mod",),
        meaning=r"$\operatorname{mod}(x, z) = x - z \lfloor x/z \rfloor$",
    ),
)

FUNCTIONS: Mapping[str, ScalarFunction] = MappingProxyType({row.name: row for row in _ROWS})
"""Every elementwise function of the cell language, by name."""

GATES = tuple(row.name for row in _ROWS if row.gate == "complementary")
"""The functions that make gates: what lets f pass lets 1 - f pass at the opposite argument."""

MISTAKEN = tuple(row.name for row in _ROWS if row.usual or row.gate)
"""The functions of one argument that a wrong program has in place of another."""

SQUASHING = tuple(row.name for row in _ROWS if row.usual and row.range(REALS).is_bounded)
"""The usual activations whose values stay within bounds: those that nearly every product in a cell goes through."""

PRIMITIVES = tuple(row.name for row in _ROWS if row.definition is None)
"""What every arithmetic has to supply."""
