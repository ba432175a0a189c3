"""What a mistake changes of a run of the backward pass beside its equations.

`Effect` lists the places at which a run may be changed.  Each method is called at its place with what is right there,
and gives back what is used instead.  A mistake brings a subclass that overrides the places that it gets wrong: it
stands with the class in the catalogue, or in `shared` if several classes have it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from functools import lru_cache
from typing import Any, ClassVar, Self

from symrnn.arrays import Array
from symrnn.mistakes.batched import Frame
from symrnn.mistakes.tape import Tape


class Effect:
    """What one mistake does to a run; this one does nothing.

    A subclass is a frozen dataclass.  Two effects of one kind are one: see `merged`.

    Attributes:
        order: effects with a lower number come first where several change the same place.
        between_steps: whether it is about what one step has to do with another: there is no such mistake in a pass over
            a single step.
        about_carrying: whether it matters to it how the cotangents of last states come in.
        of_equation: whether the mistake's words go on with the equation of a gradient, as in "δb = Σ δa is halved".
        whole_run: whether a changed pass has to be run as a whole, and not the equations alone that were changed.
        joins_gradients: whether it makes the gradients depend on one another after they were computed.
        own_only: whether it changes the gradients that `reached` names and nothing that other equations read.
    """

    order: ClassVar[int] = 0
    between_steps: ClassVar[bool] = False
    about_carrying: ClassVar[bool] = False
    of_equation: ClassVar[bool] = False
    whole_run: ClassVar[bool] = False
    joins_gradients: ClassVar[bool] = False
    own_only: ClassVar[bool] = False

    def reached(self) -> frozenset[str] | None:
        """The variables whose gradients it may change by itself; None where all may change."""
        return None

    def merged(self, later: Self) -> Self:
        """Both effects as one; where they contradict each other, the later one.

        Fields that are sets are united, those that are pairs of a name and something else are updated name by name.
        """
        changes: dict[str, Any] = {}
        for entry in fields(self):  # type: ignore[arg-type]  # every subclass is a dataclass
            old, new = getattr(self, entry.name), getattr(later, entry.name)
            # Sets add up: who forgot one state and then another forgot both.
            if isinstance(old, frozenset):
                changes[entry.name] = old | new
            elif isinstance(old, tuple) and entry.name == "by_name":
                changes[entry.name] = tuple((dict(old) | dict(new)).items())
            else:
                changes[entry.name] = old if new is None else new
        return replace(self, **changes)  # type: ignore[type-var]

    def line_rule(self) -> Callable[[Any], Any] | None:
        """The rule for the line that has it, `rule(finder)`; None for that of the mistake's class."""
        return None

    # The places, in the order in which a run comes to them.

    def cotangents(self, output: str, value: Array) -> Array:
        """The cotangents (T + 1, N, ...) of an output, those of the initial state first."""
        return value

    def runs(self, t: int, steps: int) -> bool:
        """Whether the backward loop comes to step t."""
        return True

    def beyond(self) -> str | None:
        """What is read for a value outside the sequence; see `Tape.at`."""
        return None

    def reads(self, tape: Tape, t: int, frame: Frame) -> None:
        """The forward values that step t reads: a fresh frame that may be written into."""

    def computes(self, name: str, value: Array) -> Array:
        """The adjoint of a variable at a step."""
        return value

    def hands_on(self, frame: Frame, targets: Mapping[str, str]) -> Frame:
        """The adjoints that go into what is handed on; `targets` says under which names the frame has them."""
        return frame

    def carries(self, run: Any, state: str, value: Array, t: int) -> Array | None:
        """What is carried out of step t to the step before; None where that is what was computed.

        Before the loop runs it is asked with t = T, for what the last step is given.
        """
        return None

    def counts(self, name: str, t: int, steps: int) -> int | None:
        """How often the term of step t counts in the gradient of a parameter; None for once."""
        return None

    def returns_initial(self, run: Any, state: str, late: Mapping[str, Array]) -> Array | None:
        """The gradient of an initial state; `late` has what the step before the last one of the loop handed on."""
        return None

    def returns_series(self, name: str, value: Array) -> Array:
        """The gradient (T, N, ...) of an input."""
        return value

    def multiple(self, name: str, tape: Tape) -> float:
        """A number that the gradient of a variable is multiplied with."""
        return 1.0

    def returns(self, name: str, value: Array) -> Array:
        """The gradient of a variable, as it is returned."""
        return value

    def returns_all(self, found: dict[str, Array]) -> dict[str, Array]:
        """All gradients together."""
        return found


# Read off the class: a new place is known as soon as it has a method.
PLACES = tuple(
    name
    for name, value in vars(Effect).items()
    if callable(value) and name not in ("merged", "reached", "line_rule") and not name.startswith("_")
)
"""The names of the methods that change a run."""


@lru_cache(maxsize=10_000)
def changes_of(effects: tuple[Effect, ...]) -> Mapping[str, tuple[Callable[..., Any], ...]]:
    """For each place, the methods of those effects that do something there."""
    return {
        # Only those that are overridden: an effect changes one or two places, and a run comes to each of them at every
        # step.
        place: tuple(getattr(e, place) for e in effects if getattr(type(e), place) is not getattr(Effect, place))
        for place in PLACES
    }


def merged(effects: tuple[Effect, ...], more: tuple[Effect, ...]) -> tuple[Effect, ...]:
    """Some effects and some more that come later, one of each kind, in the order in which they are applied."""
    if not more:
        return effects
    found: dict[type[Effect], Effect] = {type(effect): effect for effect in effects}
    for effect in more:
        known = found.get(type(effect))
        found[type(effect)] = effect if known is None else known.merged(effect)
    # By name where the order does not matter: the same effects must make equal programs, which are looked up.
    return tuple(sorted(found.values(), key=lambda effect: (effect.order, type(effect).__name__)))
