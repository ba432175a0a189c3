"""What a check of hand-written gradients found: pure data, without an opinion on how it is found or shown."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


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
        mistake: the tag of the likeliest class, a tag of the catalogue; empty where no experiment tells one.
        sentence: what was seen, with numbers.
        others: further classes that it may be as well, the likelier first.
        proved: what the gradient is, as the rest of a sentence, where numbers leave nothing to guess; otherwise empty.
    """

    mistake: str
    sentence: str
    others: tuple[str, ...] = ()
    proved: str = ""


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
        mistake: its class, a tag of the catalogue of mistakes.
        equation: the number of the equation in the cell's derivation; None for a mistake outside the equations.
        formula: that equation as text, such as `δa_i = δc ⊙ g ⊙ i ⊙ (1 - i)`.
        latex: that equation as LaTeX.
        gradients: the caller's gradients that it makes wrong, by the names of its inputs.
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
        mistakes: their tags; empty where it is not told which they are.
        reason: what hides them, such as `the sequence has one step`.
        planted: how many of the mistakes planted there left every gradient as it was.
    """

    mistakes: tuple[str, ...]
    reason: str
    planted: int
