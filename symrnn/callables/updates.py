"""Gradients recovered from a change of weights: the rule of an optimizer, solved for the gradient.

A rule is a row of `RULES`.  What an optimizer keeps from step to step, such as a mean of squares, is found among the
arrays that change with the weights by its own recursion, whatever it is called and whatever it holds at the start.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from symrnn.arrays import Array
from symrnn.callables.conventions import RATES
from symrnn.callables.invocation import refuse
from symrnn.errors import InputError
from symrnn.suggestions import did_you_mean

Constants = Mapping[str, float]
Buffers = Sequence[tuple[Array, Array]]
"""Arrays that may be what an optimizer keeps: each before and after the step."""

_SAME = 1e-6
"""Relative difference up to which a recursion holds: the change of a weight has lost digits to the weight's
own size, and arrays that are something else are off in the first digit."""
PRECISE = 1e-12
"""Relative rounding of a recovered gradient above which extended precision is tried: a thousandth of what a gradient
may be off."""


@dataclass(frozen=True)
class WeightChange:
    """What a step did to one weight.

    Attributes:
        before: the weight.
        after: the weight after the step.
        buffers: what else of its shape is held.
    """

    before: Array
    after: Array
    buffers: Buffers = ()

    @property
    def drop(self) -> Array:
        """By how much the weight has become less."""
        return np.asarray(self.before - self.after)


@dataclass(frozen=True)
class UpdateRule:
    """A rule that changes a weight w by its gradient g.

    Attributes:
        name: as it is called in `updates=`.
        formula: the rule, with r for the rate.
        defaults: its constants besides the rate.
        solve: the gradient from a change; None where it cannot be told.
    """

    name: str
    formula: str
    defaults: Constants
    solve: Callable[[WeightChange, Constants], Array | None]


def _sgd(change: WeightChange, c: Constants) -> Array:
    return np.asarray(change.drop / c["rate"])


def _momentum(change: WeightChange, c: Constants) -> Array:
    for old, new in change.buffers:
        # Before the first step a buffer is zeros, and says no more than the change of the weight.
        if np.any(old) and _agree(new, -change.drop):  # v ← m v - r g; w ← w + v
            return np.asarray((c["momentum"] * old - new) / c["rate"])
        if np.any(old) and _agree(c["rate"] * new, change.drop):  # v ← m v + (1 - d) g; w ← w - r v
            return np.asarray((new - c["momentum"] * old) / (1 - c["dampening"]))
    return np.asarray(change.drop / (c["rate"] * (1 - c["dampening"])))


def _nesterov(change: WeightChange, c: Constants) -> Array:
    m = c["momentum"]
    for old, new in change.buffers:
        if np.any(old) and _agree((1 + m) * new - m * old, -change.drop):
            return np.asarray((m * old - new) / c["rate"])
    return np.asarray(change.drop / (c["rate"] * (1 + m)))


def _by_squares(kept: float, taken: float, change: WeightChange, c: Constants) -> Array | None:
    """Where a buffer m ← kept m + taken g² is what the step is divided by the root of, ε inside of it or beside it."""
    found: list[tuple[float, Array]] = []
    for old, new in change.buffers:
        inside = np.sqrt(np.maximum(new + c["epsilon"], 0))
        for root in (inside, np.sqrt(np.maximum(new, 0)) + c["epsilon"]):
            g = np.asarray(change.drop * root / c["rate"])
            # A buffer that did not move belongs to something else.
            if np.any(new != old):
                found.append((_gap(new - kept * old, taken * g**2), g))
    # The two places of ε may differ by less than what a recursion is off by: the nearer one is meant.
    gap, best = min(found, key=lambda pair: pair[0], default=(np.inf, None))
    return best if gap <= _SAME else None


def _adagrad(change: WeightChange, c: Constants) -> Array | None:
    return _by_squares(1.0, 1.0, change, c)


def _rmsprop(change: WeightChange, c: Constants) -> Array | None:
    return _by_squares(c["decay"], 1 - c["decay"], change, c)


def _adam(change: WeightChange, c: Constants) -> Array | None:
    one, two = 1 - c["beta1"] ** c["step"], 1 - c["beta2"] ** c["step"]
    for old, mean in change.buffers:
        g = np.asarray((mean - c["beta1"] * old) / (1 - c["beta1"]))
        for held, squares in change.buffers:
            if not (np.any(mean != old) and _agree(squares - c["beta2"] * held, (1 - c["beta2"]) * g**2)):
                continue
            # As published; with both corrections in the rate; and without them.
            ways = (
                mean / one / (np.sqrt(squares / two) + c["epsilon"]),
                mean * np.sqrt(two) / one / (np.sqrt(squares) + c["epsilon"]),
                mean / (np.sqrt(squares) + c["epsilon"]),
            )
            factors = [factor for way in ways if (factor := _ratio(change.drop, c["rate"] * way)) is not None]
            if factors:  # at a first step the three are multiples of one another: what is one itself is meant
                return np.asarray(min(factors, key=lambda factor: abs(factor) != 1) * g)
    return None


def _gap(one: Array, two: Array) -> float:
    """The largest difference, relative to the largest entry."""
    size = max(float(np.max(np.abs(one), initial=0)), float(np.max(np.abs(two), initial=0)))
    gap = float(np.max(np.abs(one - two), initial=0))
    return gap / size if gap and size else gap


def _agree(one: Array, two: Array) -> bool:
    return _gap(one, two) <= _SAME


def _ratio(one: Array, two: Array) -> float | None:
    """The number that one array is times another; 1 or -1 where it is that up to rounding, None where there is none."""
    square = float(np.sum(two * two))
    factor = float(np.sum(one * two)) / square if square else 1.0
    if not _agree(one, factor * two):
        return None
    return float(np.sign(factor)) if abs(abs(factor) - 1) <= _SAME else factor


RULES = {
    rule.name: rule
    for rule in (
        UpdateRule("sgd", "w ← w - r g", {}, _sgd),
        UpdateRule("momentum", "v ← m v - r g, w ← w + v", {"momentum": 0.9, "dampening": 0.0}, _momentum),
        UpdateRule("nesterov", "u ← m v - r g, w ← w - m v + (1 + m) u, v ← u", {"momentum": 0.9}, _nesterov),
        UpdateRule("adagrad", "m ← m + g², w ← w - r g / √(m + ε)", {"epsilon": 1e-8}, _adagrad),
        UpdateRule(
            "rmsprop", "m ← d m + (1 - d) g², w ← w - r g / √(m + ε)", {"decay": 0.9, "epsilon": 1e-8}, _rmsprop
        ),
        UpdateRule(
            "adam",
            "m ← a m + (1 - a) g, v ← b v + (1 - b) g², w ← w - r m / (1 - aᵗ) / (√(v / (1 - bᵗ)) + ε)",
            {"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "step": 1.0},
            _adam,
        ),
    )
}
"""Name -> rule."""
_WORDS = {"rate": RATES, "epsilon": ("eps",), "momentum": ("mu", "gamma"), "decay": ("rho", "decay_rate", "gamma")}
"""Constant -> what else people call it."""


@dataclass(frozen=True)
class Updates:
    """The rule by which somebody's code changes its weights, with its constants.

    Attributes:
        rule: the rule.
        constants: the rate, and what else it has.
    """

    rule: UpdateRule
    constants: Constants

    @classmethod
    def read(cls, said: Any) -> Updates | None:
        """The rule that `updates=` says, such as `{"sgd": 0.1}` or `{"adam": {"rate": 0.01, "beta2": 0.99}}`.

        Raises:
            InputError: there is no such rule or constant, or there is no rate.
        """
        if said is None:
            return None
        if not isinstance(said, Mapping) or len(said) != 1:
            raise InputError(f"updates={said!r}\n  name one rule with its rate, such as {{'sgd': 0.1}}")
        ((name, given),) = said.items()
        if name not in RULES:
            hint = did_you_mean(str(name), RULES).rstrip() or f"there are {', '.join(RULES)}"
            raise InputError(f"updates: there is no rule {name!r}\n  {hint}")
        rule = RULES[name]
        numbers = dict(given) if isinstance(given, Mapping) else {"rate": given}
        constants = {**rule.defaults, **dict(_named(rule, numbers))}
        if not constants.get("rate"):
            raise InputError(f"updates: {name} needs a rate other than zero\n  such as {{{name!r}: {{'rate': 0.1}}}}")
        return cls(rule, constants)

    def recover(self, name: str, change: WeightChange) -> Array:
        """The gradient of a weight.

        Raises:
            SubjectError: what else the rule needs is not held anywhere, or the weight changes in another way.
        """
        if not np.any(change.drop):
            return np.zeros_like(change.before)  # no step, whatever the rule
        found = self.rule.solve(change, self.constants)
        if found is None:
            raise refuse(
                "not-recovered",
                f"the change of {name} is not that of {self.rule.name} ({self.rule.formula}) with these constants, "
                "and what it keeps from step to step\n  name the rule and the constants that the code has, and let "
                "what the rule keeps be in attributes, globals or arguments",
            )
        return found


def _named(rule: UpdateRule, numbers: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """The constants under the names that they have here."""
    for word, value in numbers.items():
        known = {"rate": None, **rule.defaults}
        name = word if word in known else next((n for n in known if word in _WORDS.get(n, ())), None)
        if name is None:
            hint = did_you_mean(str(word), known).rstrip() or f"it has {', '.join(known)}"
            raise InputError(f"updates: {rule.name} has no {word!r}\n  {hint}")
        if isinstance(value, bool) or not isinstance(value, int | float | np.floating):
            raise InputError(f"updates: {word}={value!r}\n  give a number")
        yield name, float(value)


def rounding(change: WeightChange) -> float:
    """The relative rounding of what is recovered from a change: small steps of large weights lose digits."""
    unit = float(np.finfo(change.after.dtype).eps) if change.after.dtype.kind == "f" else 0.0
    step = float(np.max(np.abs(change.drop), initial=0))
    return unit * float(np.max(np.abs(change.before), initial=0)) / step if step else 0.0
