"""An independent reader of reports: every sentence is decided by the gradients of a right and of a wrong backward pass.

The truth is the right backward pass that stands beside the wrong one; nothing here asks how symrnn came to a sentence.
Each form of sentences is a row of a table, with what decides it.  A sentence that no row reads is an error: who writes
a new one says here what makes it true.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from symrnn import cells, derive
from symrnn.calculus.derivation import Derivation
from symrnn.callables.subject import Subject
from symrnn.diagnosis.wording import formula
from symrnn.findings.findings import Diagnosis
from symrnn.findings.report import GradientReport, suggestions_of
from symrnn.heads import find_head, with_head
from symrnn.mistakes.backward_pass import BackwardPass

Array = np.ndarray
Grads = dict[str, Array]
NEAR = 1e-7


@dataclass
class Reading:
    """The functions as they should be and as they are, at the same inputs.

    Attributes:
        right: the functions with the right backward pass.
        wrong: the functions under test.
        time: the axis of time, of every output and of every sequence.
        report: what was said.
    """

    right: Subject
    wrong: Subject
    report: GradientReport
    time: int = 0
    _known: dict[Any, tuple[Grads, Grads]] = field(default_factory=dict)

    def at(
        self,
        T: int | None = None,
        N: int | None = None,
        only: int | None = None,
        scale: float = 1.0,
        zero: Sequence[str] = (),
        first: str = "",
        moved: str = "",
        factor: float = 1.0,
    ) -> tuple[Grads, Grads]:
        """The right and the returned gradients: with a cotangent on one step only, scaled, or at changed inputs."""
        key = T, N, only, scale, tuple(zero), first, moved, factor
        if key not in self._known:
            made = dict(self.right.arrays) if T is None and N is None else self.right.made(11, T, N)
            assert made is not None
            arrays = {name: np.array(array) for name, array in made.items()}
            arrays = {name: factor * array for name, array in arrays.items()}
            for name in zero:
                arrays[name] = 0 * arrays[name]
            step = (slice(None),) * self.time
            if first:
                arrays[first][(*step, 0)] = 0
            if moved:
                arrays[moved][(*step, -1)] += 0.3
            rng = np.random.default_rng(17)
            cotangents = {}
            for path, value in self.right.outputs(arrays).items():
                cotangent = scale * rng.normal(size=value.shape)
                mask = np.zeros_like(cotangent)
                mask[slice(None) if only is None else (*step, only)] = 1
                cotangents[path] = cotangent * mask
            pair = [subject.gradients(arrays, cotangents) for subject in (self.right, self.wrong)]
            self._known[key] = pair[0], pair[1]
        return self._known[key]

    @cached_property
    def own(self) -> tuple[Grads, Grads]:
        """At the inputs that were checked."""
        return self.at()

    def is_right(self, name: str, **where: Any) -> bool:
        true, got = self.at(**where)
        return near(got[name], true[name])

    def is_told(self, name: str, **where: Any) -> bool:
        """Whether the right gradient is not zero there."""
        return bool(np.any(self.at(**where)[0][name]))

    @cached_property
    def wrong_names(self) -> set[str]:
        """The gradients that are wrong at the inputs that were checked."""
        true, got = self.own
        return {name for name in got if not near(got[name], true[name])}

    @cached_property
    def bounded_names(self) -> set[str]:
        """Those that are wrong for large cotangents."""
        true, got = self.at(scale=1e6)
        return {name for name in got if not near(got[name], true[name])}


def near(a: Array, b: Array) -> bool:
    return a.shape == b.shape and float(np.linalg.norm(a - b)) <= NEAR * max(
        float(np.linalg.norm(a)), float(np.linalg.norm(b)), 1e-12
    )


Decides = Callable[[Reading, str, "re.Match[str]"], bool]


def names_of(text: str | None) -> list[str]:
    """The names in a list such as `W[:, 3:], b and c`; commas in brackets are none of the list's."""
    return [one for one in re.split(r"(?:, and likewise | and |, )(?![^\[]*\])", text or "") if one]


def _factor(r: Reading, name: str, m: re.Match[str]) -> bool:
    true, got = r.own
    said = m["factor"]
    value = 1 / float(said[2:]) if said.startswith("1/") else float(said)
    sizes = {size for array in [*true.values(), *r.right.answer.values()] for size in array.shape}
    fits = m["size"] is None or int(m["size"]) in sizes
    also = all(near(got[one], value * true[one]) for one in names_of(m.groupdict().get("too")))
    return near(got[name], value * true[name]) and fits and also


def _clipped(r: Reading, name: str, m: re.Match[str]) -> bool:
    large, bound = r.at(scale=1e6)[1][name], float(m["bound"])
    at = np.isclose(np.abs(large), bound, rtol=1e-5)
    # How many there are depends on the cotangents; what they are does not.
    several = at.sum() >= min(3, large.size) and np.abs(large).max() <= bound * (1 + 1e-5)
    return bool(several) and int(m["of"]) == large.size and (not m["small"] or r.is_right(name, scale=1e-6))


def _bounded(r: Reading, name: str, m: re.Match[str]) -> bool:
    large = r.at(scale=1e6)[1][name]
    grows = near(large, 1e6 * r.own[1][name])
    return not grows and (not m["small"] or r.is_right(name, scale=1e-6))


def _saturated(r: Reading, name: str, m: re.Match[str]) -> bool:
    true, got = r.own
    at = np.isclose(np.abs(got[name]), float(m["bound"]), rtol=1e-5)
    return int(at.sum()) == int(m["many"]) and bool(np.isclose(true[name][at], float(m["value"]), rtol=1e-4).any())


def _clipped_to(r: Reading, name: str, m: re.Match[str]) -> bool:
    bound = float(m["bound"])
    scales = (1.0,) if r.right.calling.implicit else (1.0, 1e6)
    return all(near(got[name], np.clip(true[name], -bound, bound)) for true, got in (r.at(scale=s) for s in scales))


def _shrunk_to(r: Reading, name: str, m: re.Match[str]) -> bool:
    true, got = r.own if r.right.calling.implicit else r.at(scale=1e6)
    ratio = float(np.sum(got[name] * true[name]) / np.sum(true[name] ** 2))
    together = names_of(m["all"]) or [name]
    norm = float(np.sqrt(sum(np.sum(got[one] ** 2) for one in together)))
    return (
        name in together
        and near(got[name], ratio * true[name])
        and 0 < ratio < 1
        and abs(norm / float(m["norm"]) - 1) < 1e-5
    )


def _slice(r: Reading, name: str, m: re.Match[str]) -> bool:
    true, got = (one[name] for one in r.own)
    places = {"row": 0, "column": 1, "entr": 0}
    word = m["what"]
    axis = int(m["axis"]) if m["axis"] else next(axis for start, axis in places.items() if word.startswith(start))
    first = int(m["first"])
    last = int(m["last"] or first)
    inside = np.zeros(true.shape, bool)
    inside[(slice(None),) * axis + (slice(first, last + 1),)] = True
    if int(m["of"]) != true.shape[axis] or not near(np.where(inside, 0, got), np.where(inside, 0, true)):
        return False
    part, rest = got[inside], m["how"] or ""
    if "zero" in rest:
        return not part.any()
    if "times the right" in rest:
        return bool(np.allclose(part, float(rest.split()[0]) * true[inside], rtol=1e-4))
    if "equal to" in rest:
        start = int(rest.split("equal to ")[1].split()[0])
        return bool(
            np.array_equal(
                np.take(got, range(first, last + 1), axis), np.take(got, range(start, start + last - first + 1), axis)
            )
        )
    return not near(part, true[inside])


def _at_two(r: Reading, name: str, m: re.Match[str]) -> bool:
    """Right for one step and wrong for two, and what else is said of two."""
    where = r.is_told(name, T=1) and r.is_right(name, T=1) and not r.is_right(name, T=2)
    return where and all(_clause(r, name, one) for one in m["rest"].split("; ") if one)


def _clause(r: Reading, name: str, clause: str) -> bool:
    last, first = r.at(T=2, only=1), r.at(T=2, only=0)
    if m := re.fullmatch(r"that of (.+) is right", clause):
        return all(r.is_right(one, T=2) for one in names_of(m[1]))
    if m := re.fullmatch(r"for three steps and one example its rank is (\d+), (as that of|so that several).*", clause):
        rank = int(np.linalg.matrix_rank(np.squeeze(r.at(T=3, N=1)[1][name]), tol=1e-8))
        return rank == int(m[1]) and (rank == 1) == (m[2] == "as that of")
    if clause == "a cotangent on the first step alone gives zero for it":
        return not first[1][name].any() and first[0][name].any()
    if m := re.fullmatch(r"with a cotangent on the last step alone that of (.+) is wrong as well", clause):
        return all(not near(last[0][one], last[1][one]) for one in names_of(m[1]))
    if clause.startswith("with a cotangent on the first step alone it is wrong as well, where nothing is carried back"):
        wrong = not near(first[0][name], first[1][name])
        m = re.search(r"it changes with (\S+) at the second step", clause)
        other = r.at(T=2, only=0, moved=m[1]) if m else None
        same = other is None or (near(other[0][name], first[0][name]) and not near(other[1][name], first[1][name]))
        return wrong and same
    if m := re.fullmatch(
        r"with a cotangent on the last step alone the gradient of (.+): nothing is carried back", clause
    ):
        said = re.findall(r"(?:that of )?(\S+) is zero( at the first)?", m[1])
        zero = [np.take(last[1][one], 0, r.time) if at else last[1][one] for one, at in said]
        true = [np.take(last[0][one], 0, r.time) if at else last[0][one] for one, at in said]
        return bool(said) and not any(map(np.any, zero)) and all(map(np.any, true))
    raise AssertionError(f"nothing reads this clause: {clause}")


def _zero_at_one(r: Reading, name: str, m: re.Match[str]) -> bool:
    """Zero for one step where it should not be, and what is said of the step that is left out."""
    true, got = r.at(T=1)
    zero = not got[name].any() and true[name].any() and r.own[1][name].any()
    rest = m["rest"]
    if not rest:
        return zero
    if pair := re.match(r"; for two, a cotangent on the (\w+) step alone gives zero, and on the \w+ alone", rest):
        out, kept = (0, 1) if pair[1] == "first" else (1, 0)
        left_out = not r.at(T=2, only=out)[1][name].any() and r.is_right(name, T=2, only=kept)
        return zero and left_out and rest.endswith(f"the {pair[1]} step is left out of the sum")
    pair = re.match(r"; for two it is right where (.+) is zero, so that the first has nothing to add", rest)
    assert pair, rest
    what = pair[1].removesuffix(" at the first step")
    where = {"first": what} if what != pair[1] else {"zero": names_of(what)}
    return zero and r.is_right(name, T=2, **where) and not r.is_right(name, T=2)


def _swapped(r: Reading, name: str, m: re.Match[str]) -> bool:
    same = np.array_equal(r.own[1][name], r.own[1][m["other"]])
    return same and (m["other"] in r.wrong_names) == (m["which"] == "both are wrong")


def _of_zero(r: Reading, name: str, m: re.Match[str]) -> bool:
    zero = names_of(m["names"])
    right = r.is_right(name, zero=zero) and r.is_told(name, zero=zero) and name in r.wrong_names
    return right and (not m["one"] or not r.is_right(name, T=1))


def _elsewhere(r: Reading, name: str, m: re.Match[str]) -> bool:
    states = [one for one in r.right.arrays if one in ("h0", "h_0", "state")]
    places: dict[str, dict[str, Any]] = {
        "a sequence of one step": {"T": 1},
        "a sequence of two steps": {"T": 2},
        "a sequence of 11 steps": {"T": 11},
        "one example": {"N": 1},
        "6 examples": {"N": 6},
        "initial states of zero": {"zero": states},
        "values a twentieth as large": {"factor": 0.05},
        "values four times as large": {"factor": 4.0},
    }
    return name not in r.wrong_names and not r.is_right(name, **places[m["place"]])


def _left(r: Reading, name: str, m: re.Match[str]) -> bool:
    left = r.at(scale=0.0)[1][name]
    size = float(np.max(np.abs(left)))
    rest = not m["rest"] or near(r.own[1][name] - left, r.own[0][name])
    return abs(size / float(m["size"]) - 1) < 5e-3 and rest


SUGGESTIONS: tuple[tuple[str, Decides], ...] = (
    (
        r"it is zero throughout;(?P<only> it is the only one that is wrong;)? the outputs do depend on (?P<on>\S+)",
        lambda r, name, m: (
            m["on"] == name
            and not r.own[1][name].any()
            and r.is_told(name)
            and (not m["only"] or r.wrong_names == {name})
        ),
    ),
    (
        r"the outputs do not depend on (\S+) at all",
        lambda r, name, m: m[1] == name and not r.own[0][name].any() and bool(r.own[1][name].any()),
    ),
    (
        r"it is the right gradient with the opposite sign(?:; so are those of (?P<too>.+))?",
        lambda r, name, m: all(near(-r.own[1][one], r.own[0][one]) for one in [name, *names_of(m["too"])]),
    ),
    (
        r"it is exactly (?P<factor>\S+) (?:times|of) the right gradient"
        r"(?:, and (?P<size>\d+) is the size of [^;]+)?(?:; so are those of (?P<too>.+))?",
        _factor,
    ),
    (
        r"it is not zero for zero cotangents: its largest entry is (?P<size>\S+?)(?P<rest>; without that it is right)?",
        _left,
    ),
    (
        r"for cotangents a million times as large, (?P<many>\d+) of (?P<of>\d+) entries are ±(?P<bound>\S+?)"
        r"(?P<small>; for small cotangents it is right)?",
        _clipped,
    ),
    (
        r"it does not grow with the cotangents; for a million times as large ones its norm is \S+?"
        r"(?P<small>; for small cotangents it is right)?",
        _bounded,
    ),
    (r"(?P<many>\d+) of \d+ entries (?:is|are) ±(?P<bound>\S+), and one of them should be (?P<value>\S+)", _saturated),
    (r"its transpose is the right gradient", lambda r, name, m: near(r.own[1][name].T, r.own[0][name])),
    (
        r"it is the right gradient with its first axis reversed",
        lambda r, name, m: near(r.own[1][name][::-1], r.own[0][name]),
    ),
    (
        r"it is the right gradient moved by one along its first axis",
        lambda r, name, m: any(near(np.roll(r.own[1][name], step, 0), r.own[0][name]) for step in (1, -1)),
    ),
    (
        r"it equals the gradient of (?P<other>\S+) in every entry; (?P<which>both are wrong|that of \S+ is right)",
        _swapped,
    ),
    (r"it is the right gradient of (\S+)", lambda r, name, m: near(r.own[1][name], r.own[0][m[1]])),
    (
        r"only (?P<what>rows?|columns?|entry|entries|(?:index|indices) of axis (?P<axis>\d))(?:, numbers?)? "
        r"(?P<first>\d+)(?: to (?P<last>\d+))? of (?P<of>\d+) (?:is|are) wrong(?:, block \d+ of \d+)?"
        r"(?:, and (?P<how>.+))?; the rest is right",
        _slice,
    ),
    (r"it is right for a sequence of one step and wrong for two(?P<rest>.*)", _at_two),
    (r"for a sequence of one step it is zero, and should not be(?P<rest>.*)", _zero_at_one),
    (
        r"it is right for a batch of one example and wrong for two",
        lambda r, name, m: r.is_right(name, N=1) and r.is_told(name, N=1) and not r.is_right(name, N=2),
    ),
    (
        r"it is right where (?P<names>.+?) (?:is|are) zero"
        r"(?P<one>; from another one it is wrong for a single step as well)?",
        _of_zero,
    ),
    (r"it is right at the inputs given, and wrong for (?P<place>.+)", _elsewhere),
    (
        r"exchanged with that of (\S+): each is the right gradient of the other one",
        lambda r, name, m: near(r.own[1][name], r.own[0][m[1]]) and near(r.own[1][m[1]], r.own[0][name]),
    ),
    (r"the right one is what is returned for (\S+)", lambda r, name, m: near(r.own[1][m[1]], r.own[0][name])),
)
"""What a wrong gradient looks like: the form of the sentence, and what decides it."""

CERTAIN: tuple[tuple[str, Decides], ...] = (
    (
        r"is zero throughout, and the outputs depend on it",
        lambda r, name, m: not r.own[1][name].any() and r.is_told(name),
    ),
    (
        r"is not zero, and the outputs do not depend on it: forward does not use it",
        lambda r, name, m: bool(r.own[1][name].any()) and not r.own[0][name].any(),
    ),
    (r"is the right one with the opposite sign", lambda r, name, m: near(-r.own[1][name], r.own[0][name])),
    (r"is exactly (?P<factor>\S+) (?:times|of) the right one(?:, and (?P<size>\d+) is the size of .+)?", _factor),
    (
        r"is not zero where every cotangent is, and right but for that",
        lambda r, name, m: (
            near(r.own[1][name] - r.at(scale=0.0)[1][name], r.own[0][name]) and bool(r.at(scale=0.0)[1][name].any())
        ),
    ),
    (r"is clipped to \[-(?P<bound>\S+), \S+\], entry by entry", _clipped_to),
    (r"is scaled down to a norm of (?:at most )?(?P<norm>[^,\s]+)(?:, that of (?P<all>.+) together)?", _shrunk_to),
    (r"is the transpose of the right one", lambda r, name, m: near(r.own[1][name].T, r.own[0][name])),
    (r"is the right one with its first axis reversed", lambda r, name, m: near(r.own[1][name][::-1], r.own[0][name])),
    (
        r"is the right one moved by one along its first axis",
        lambda r, name, m: any(near(np.roll(r.own[1][name], step, 0), r.own[0][name]) for step in (1, -1)),
    ),
)
"""What is certain of a gradient: the rest of the sentence that begins with its name."""


def _without_gradient(r: Reading, m: re.Match[str]) -> bool:
    return not set(names_of(m[1])) & set(r.own[1])


def _twice(r: Reading, m: re.Match[str]) -> bool:
    run = r.wrong.run({})
    ones = {path: np.ones_like(value) for path, value in r.wrong.answer.items()}
    first, second = (r.wrong._pull(run, ones).gradients for _ in range(2))
    return not near(first[m[1]], second[m[1]])


PROBLEMS: tuple[tuple[str, Callable[[Reading, re.Match[str]], bool]], ...] = (
    (r"backward returns no gradient of (.+?); not compared", _without_gradient),
    (
        r"backward takes no cotangent of (.+): checked without that part of the outputs",
        lambda r, m: not any(r.wrong.reachable(path) for path in names_of(m[1])),
    ),
    (r"forward computes no cell of the library, alone or with a readout behind it\n.+", lambda r, m: not r.report.cell),
    (
        r"forward returns a single number, and no cell of the library with a known loss behind it was found\n.+",
        lambda r, m: not r.report.cell and r.right.calling.implicit,
    ),
    (
        r"backward called twice with one cache gives another gradient of (\S+) \(by .+",
        _twice,
    ),
    (r"the search for .+ was stopped after .+ s of processor time\n.+", lambda r, m: True),
    (
        r"right at these inputs, wrong at others: (.+)\n.+",
        lambda r, m: not r.wrong_names and any(not r.is_right(one, T=T) for one in names_of(m[1]) for T in (1, 2, 4)),
    ),
)
"""What is said of the code."""


def false_sentences(r: Reading) -> list[str]:
    """The sentences of a report that are not so.

    Raises:
        AssertionError: a sentence is of no known form.
    """
    told = {finding.name for finding in r.report.wrong}
    compared = {one.name for one in r.report.gradients}
    elsewhere = {f.name for f, one in suggestions_of(r.report) if "right at the inputs given" in one.sentence}
    most = r.wrong_names | r.bounded_names | elsewhere
    found = [] if r.wrong_names & compared <= told <= most else [f"wrong: {sorted(told)}"]
    for finding, suggestion in suggestions_of(r.report):
        decides, match = _form(SUGGESTIONS, suggestion.sentence)
        if not decides(r, finding.name, match):
            found.append(f"{finding.name}: {suggestion.sentence}")
    found += [one.sentence for one in r.report.diagnoses if not _is_true(r, one)]
    for problem in r.report.problems:
        decides, match = _form(PROBLEMS, problem.sentence)
        if not decides(r, match):
            found.append(problem.sentence)
    accounted = {name for one in r.report.diagnoses for name in map(array_of, one.gradients)} | set(
        r.report.unexplained
    )
    return [*found, *(f"{name} is not accounted for" for name in told - accounted)]


def _form(rows: Sequence[tuple[str, Any]], sentence: str) -> tuple[Any, re.Match[str]]:
    for pattern, decides in rows:
        match = re.fullmatch(pattern, sentence, re.DOTALL)
        if match:
            return decides, match
    raise AssertionError(f"nothing reads this sentence: {sentence}")


def _is_true(r: Reading, one: Diagnosis) -> bool:
    if one.mistake == "gradients-exchanged" and one.equation is None and "what is returned for" in one.sentence:
        pairs = re.findall(r"what is returned for (\S+) is the gradient of ([^;.]+)", one.sentence)
        return bool(pairs) and all(near(r.own[1][place], r.own[0][name]) for place, name in pairs)
    if match := re.fullmatch(r"The gradient of (\S+?)(?:, and likewise that of (.+?),)? (is .+)\.", one.sentence):
        decides, rest = next(((d, m) for p, d in CERTAIN if (m := re.fullmatch(p, match[3]))), (None, None))
        if decides is not None and rest is not None:
            names = [match[1], *names_of(match[2])]
            return list(one.gradients) == names and all(decides(r, name, rest) for name in names)
    return _is_of_a_cell(r, one)


def array_of(label: str) -> str:
    return label if re.fullmatch(r"\w+(\['\w+'\])*", label) else re.split(r"\[(?!')", label)[0]


def _is_of_a_cell(r: Reading, one: Diagnosis) -> bool:
    """A mistake in an equation: it is that equation, and each of its gradients is wrong somewhere."""
    match = re.fullmatch(
        r"The gradients? of (?P<names>.+?)(?: and, through time, (?P<more>\d+ others|another one))? "
        r"(?:is|are) what you get when (?P<how>.+)\. Agreement: (?:exact|(?P<error>\S+))\."
        r"(?: Equation \((?P<number>\d+)\) of `symrnn derive (?P<of>[^`]+)`\.)?",
        one.sentence,
        re.DOTALL,
    )
    assert match, f"nothing reads this sentence: {one.sentence}"
    others = {None: 0, "another one": 1}.get(match["more"])
    count = int(match["more"].split()[0]) if others is None else others
    if len(names_of(match["names"])) + count != len(one.gradients):
        return False
    if match["error"] and float(match["error"]) > NEAR:
        return False
    if match["number"]:
        lines = [line for line in BackwardPass.right(derived(match["of"])).lines if line.number == int(match["number"])]
        if not lines or formula(lines[0]) != one.formula or not match["how"].startswith(one.formula):
            return False
    sizes: list[dict[str, int]] = [{}, {"T": 1}, {"T": 2}, {"T": 4, "N": 2}]
    return all(any(not r.is_right(array_of(label), **at) for at in sizes) for label in one.gradients)


def derived(reference: str) -> Derivation:
    """The derivation that a reference such as `rnn --head readout` is of."""
    name, *heads = reference.split(" --head ")
    joined: Any = cells[name]
    for head in heads:
        joined = with_head(joined, find_head(head))
    return derive(joined.cell if heads else joined)
