"""What a check of hand-written gradients found: pure data, without an opinion on how it is found or shown."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

MISTAKES = {
    "recurrent-path-cut": "nothing, or not everything, is carried back from one step to the one before",
    "missing-path": "a variable's gradient lacks one of its terms",
    "missing-output": "the cotangent of an output is not used",
    "derivative-at-output": "the derivative of an activation is taken at its output",
    "missing-derivative": "the factor of an activation's derivative is missing",
    "derivative-at-preactivation": "a derivative written with the output is fed with the argument",
    "wrong-derivative": "the derivative is that of another function",
    "wrong-time-index": "a value is read at another time step",
    "initial-state": "step 0 reads something else than the initial state",
    "missing-accumulation": "a gradient is not summed over all time steps",
    "mean-for-sum": "a gradient is the mean over the batch, or over time, in place of the sum",
    "double-counted": "a term is counted twice",
    "bad-accumulator": "a sum does not start at zero",
    "extra-path": "a gradient has a term too many",
    "extra-factor": "a term has a factor too many",
    "missing-factor": "a term lacks a factor that is not an activation's derivative",
    "phantom-gradient": "there is a gradient of something that the forward pass does not use",
    "transpose": "a matrix is transposed where it should not be, or is not where it should be",
    "wrong-operand": "one variable is used in place of another",
    "diagonal-wrong-side": "an element-by-element factor is on the wrong side of a matrix product",
    "gate-swapped": "a gate's gradient is that of another gate",
    "stale-cache": "every step reads the values of one step",
    "corrupted-cache": "a stored value is changed before it is read",
    "forward-backward-mismatch": "forward and backward are of different cells",
    "wrong-scale": "a gradient is a constant times the right one",
    "clipped": "the gradient that is returned is clipped",
    "clipped-in-recursion": "what is carried back in time is clipped at each step",
    "truncated": "nothing is carried back beyond some number of steps",
    "sign": "a term has the wrong sign",
    "gradients-exchanged": "gradients are returned in the places of others",
    "zero-gradient": "a gradient is never computed, not added up, or not returned",
}
"""Every class of mistakes: its tag, and what it is in plain words."""


class Verdict(StrEnum):
    """What can be said of one gradient."""

    RIGHT = "right"
    ROUNDING = "right up to rounding"
    WRONG = "wrong"
    KINK = "at a kink"
    UNKNOWN = "cannot tell"
    MISSING = "not returned"


@dataclass(frozen=True)
class Worst:
    """The entry that is furthest off.

    Attributes:
        index: where it is in the input's array.
        got: what the backward pass gives.
        expected: what the forward pass says.
        among: how many entries were looked at, where that is not all of them; otherwise None.
    """

    index: tuple[int, ...]
    got: float
    expected: float
    among: int | None = None


@dataclass(frozen=True)
class Suggestion:
    """A class of mistakes that a wrong gradient looks like; less than a diagnosis, since no cell was needed to see it.

    Attributes:
        mistake: the tag of the likeliest class, one of `MISTAKES`.
        sentence: what was seen, with numbers.
        others: further classes that it may be as well, the likelier first.
    """

    mistake: str
    sentence: str
    others: tuple[str, ...] = ()


@dataclass(frozen=True)
class GradientFinding:
    """The verdict on the gradient of one input.

    Attributes:
        name: the input, as `inputs` names it: `W`, or `params['W']` inside a dict.
        shape: the input's shape.
        verdict: what can be said.
        error: the relative error, ‖got - expected‖ / ‖expected‖; infinite where there is nothing to compare.
        tolerance: the largest error that rounding explains here.
        criterion: the comparison that was made, in a sentence.
        worst: the entry furthest off; None for a right gradient.
        norm_ratio: ‖got‖ / ‖expected‖.
        cosine: of the angle between both.
        suggestions: what a wrong gradient looks like.
    """

    name: str
    shape: tuple[int, ...]
    verdict: Verdict
    error: float
    tolerance: float
    criterion: str
    worst: Worst | None = None
    norm_ratio: float | None = None
    cosine: float | None = None
    suggestions: tuple[Suggestion, ...] = ()


@dataclass(frozen=True)
class Problem:
    """Something about the code itself that a user must know, whatever its gradients are.

    Attributes:
        kind: a tag, such as `forward-raises`, `not-deterministic`, `inputs-changed`, `missing-gradient`, `wrong-shape`.
        sentence: what happened, where, and what to do.
        fatal: whether the check could not be made because of it; otherwise it is a warning.
    """

    kind: str
    sentence: str
    fatal: bool = True


@dataclass(frozen=True)
class SourceLine:
    """The line of somebody's function that computes a wrong quantity.

    Attributes:
        file: the file's name.
        line: its number there.
        text: the line as written.
        variable: the name that is assigned there.
        expected: the derived equation, as text.
    """

    file: str
    line: int
    text: str
    variable: str
    expected: str


@dataclass(frozen=True)
class Diagnosis:
    """One mistake in a backward pass.

    Attributes:
        mistake: its class, one of `MISTAKES`.
        equation: the number of the equation in the cell's derivation; None for a mistake outside the equations.
        formula: that equation as text, such as `δa_i = δc ⊙ g ⊙ i ⊙ (1 - i)`.
        latex: that equation as LaTeX.
        gradients: the caller's gradients that it makes wrong, by the names of his inputs.
        agreement: the largest relative error left in them once this mistake, and those named with it, are assumed.
        sentence: the mistake in a sentence.
        exact: whether that error is rounding; otherwise it is a near miss.
        line: where it is in the source, if that was found.
    """

    mistake: str
    equation: int | None
    formula: str
    latex: str
    gradients: tuple[str, ...]
    agreement: float
    sentence: str
    exact: bool = True
    line: SourceLine | None = None


@dataclass(frozen=True)
class BlindSpot:
    """Classes of mistakes that the inputs given could not have shown.

    Attributes:
        mistakes: their tags.
        reason: what hides them, such as `the sequence has one step`.
        planted: how many of the mistakes planted there left every gradient as it was.
    """

    mistakes: tuple[str, ...]
    reason: str
    planted: int
