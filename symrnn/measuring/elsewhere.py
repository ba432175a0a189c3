"""The same functions elsewhere: at one step, at one example, from a zero initial state."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from symrnn.arrays import Arrays
from symrnn.callables.invocation import SubjectError
from symrnn.callables.subject import Subject
from symrnn.findings.findings import Suggestion
from symrnn.measuring.evidence import Evidence
from symrnn.measuring.over_time import find_left_out, tell_apart
from symrnn.measuring.sizes import SEED, SeenElsewhere, look_at, make_fewer, make_shorter, make_unstarted
from symrnn.measuring.wrong_gradient import SAME

_Change = Callable[[Subject, int], Arrays | None]
"""Makes inputs of another size, or says by None that it cannot."""


def suggest_elsewhere(evidence: Evidence, wrong: list[str]) -> list[tuple[str, Suggestion]]:
    """What becomes right at one step, at one example, or from a zero initial state.

    Args:
        evidence: what was measured at the functions' own inputs.
        wrong: the inputs whose gradients are wrong there.
    """
    elsewhere = _Elsewhere(evidence.subject.unnoticed(), evidence.truth.method, wrong)
    shorter, fewer = _OneAndTwo.of(elsewhere, make_shorter), _OneAndTwo.of(elsewhere, make_fewer)
    found = [
        {} if shorter is None else _at_one_step(elsewhere, evidence, shorter),
        {} if fewer is None else _at_one_example(elsewhere, fewer),
        _unstarted(elsewhere, frozenset() if shorter is None else shorter.at_one.wrong),
    ]
    return [pair for one in found for pair in one.items()]


@dataclass(frozen=True)
class _Elsewhere:
    """Where gradients are looked at again: the functions, how the truth is found, and the inputs in question."""

    subject: Subject
    method: str
    wrong: list[str]

    def seen(self, arrays: Arrays | None) -> SeenElsewhere | None:
        """The gradients at other arrays; None where that cannot be told."""
        return None if arrays is None else look_at(self.subject, arrays, self.method, self.wrong)


@dataclass(frozen=True)
class _OneAndTwo:
    """The functions at one and at two steps, or examples."""

    one: Arrays
    two: Arrays
    at_one: SeenElsewhere
    at_two: SeenElsewhere

    @classmethod
    def of(cls, elsewhere: _Elsewhere, change: _Change) -> _OneAndTwo | None:
        one, two = (changed_inputs(elsewhere.subject, change, count) for count in (1, 2))
        at_one = elsewhere.seen(one)
        if one is None or two is None or at_one is None:
            return None
        at_two = elsewhere.seen(two)
        return None if at_two is None else cls(one, two, at_one, at_two)

    @property
    def right_at_one(self) -> frozenset[str]:
        """Those that are right at one and wrong at two: or other numbers may be why they are right at one."""
        return (self.at_one.told & self.at_two.wrong) - self.at_one.wrong


def _at_one_step(elsewhere: _Elsewhere, evidence: Evidence, seen: _OneAndTwo) -> dict[str, Suggestion]:
    subject, method = elsewhere.subject, elsewhere.method
    names = [name for name in elsewhere.wrong if name in seen.right_at_one]
    others = [name for name in elsewhere.wrong if name in seen.at_one.wrong]
    left_out = find_left_out(subject, evidence, others, seen.one, seen.two)
    return left_out | (tell_apart(subject, method, names, seen.one, seen.two) if names else {})


def _at_one_example(elsewhere: _Elsewhere, seen: _OneAndTwo) -> dict[str, Suggestion]:
    sentence = "it is right for a batch of one example and wrong for two"
    names = [name for name in elsewhere.wrong if name in seen.right_at_one]
    return {name: Suggestion(_tag_of_mean(elsewhere, seen.two, name), sentence) for name in names}


def _tag_of_mean(elsewhere: _Elsewhere, two: Arrays, name: str) -> str:
    """`mean-for-sum` where the gradient for two examples is half of the right one."""
    try:
        factor = Evidence(elsewhere.subject, SEED, two, elsewhere.method).factor(name)
    except SubjectError:
        return ""
    return "mean-for-sum" if factor is not None and abs(2 * factor - 1) < SAME else ""


def _unstarted(elsewhere: _Elsewhere, wrong_at_one: frozenset[str]) -> dict[str, Suggestion]:
    """What is right from states of zero; where one step alone is wrong as well, the state is what is read wrongly."""
    zero = changed_inputs(elsewhere.subject, lambda subject, _: make_unstarted(subject), 0)
    seen = elsewhere.seen(zero)
    if zero is None or seen is None:
        return {}
    sentence = f"it is right where {' and '.join(zero)} {'are' if len(zero) > 1 else 'is'} zero"
    found = {}
    for name in elsewhere.wrong:
        if name in seen.told - seen.wrong:
            also = "; from another one it is wrong for a single step as well" if name in wrong_at_one else ""
            found[name] = Suggestion("initial-state" if also else "", sentence + also)
    return found


def changed_inputs(subject: Subject, change: _Change, count: int) -> Arrays | None:
    """The inputs changed; None where they cannot be, or forward refuses them.

    Args:
        subject: the functions.
        change: makes inputs with so many steps, or examples.
        count: how many.
    """
    try:
        return change(subject, count)
    except SubjectError:
        return None
