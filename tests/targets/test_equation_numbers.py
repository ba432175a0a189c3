"""The numbers in a module's comments are those that the document prints beside the same equations."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from symrnn import cells, derive, generate
from symrnn.calculus.derivation import Derivation
from symrnn.documents import derivation_document

# A comment over a line, or beside it; the rest of a comment is the equation.
_OVER = re.compile(r"^ *# \((\d+)\) (.*)$")
_BESIDE = re.compile(r'^ *(?:grads\["(\w+)"\]|(\w+))(?:\[[^]]*\])? \+?= .*  # \((\d+)\)$')


def printed(derivation: Derivation) -> dict[int, tuple[str, str]]:
    """The document's equations: number -> left side and right side, as plain text."""
    found: dict[int, tuple[str, str]] = {}
    for section in derivation_document(derivation).sections:
        if section.key not in ("forward", "backward", "parameters", "gradients"):
            continue
        for display in section.displays:
            for equation in display.equations:
                first, _, last = equation.number.partition("–")
                numbers = range(int(first), int(last or first) + 1)
                # several numbers belong to as many lines; one belongs to the first line
                for number, line in zip(numbers, equation.lines, strict=False):
                    assert line.left is not None
                    found[number] = line.left.text, line.right.text
    return found


def numbered(source: str) -> Iterator[tuple[int, str, str]]:
    """The module's lines with a number: the number, what is assigned, and the equation where it is shown."""
    for line in source.splitlines():
        if over := _OVER.match(line):
            left, _, right = over[2].partition(" = ")
            yield int(over[1]), left, right
        elif beside := _BESIDE.match(line):
            yield int(beside[3]), f"{beside[1]}_bar" if beside[1] else beside[2], ""
        else:
            assert not re.search(r"# \(\d+\)", line), line


def assert_numbers_agree(source: str, derivation: Derivation) -> None:
    document = printed(derivation)
    steps = {step.number: step for step in derivation.steps}
    seen = set()
    for number, left, right in numbered(source):
        seen.add(number)
        if right:
            assert document[number][0] == left
        if number in steps:
            target = steps[number].target
            # The argument h_bar has taken the name; a name that Python or the module has gets an underscore.
            assert left.rstrip("_").removesuffix("_t") == target.name.rstrip("_").removesuffix("_t")
            assert document[number][0] == str(target)
    # What is missing only feeds a result that nobody asked for, or is computed under another equation's name.
    assert {step.number for step in derivation.role("parameter", "carry", "input")} <= seen


@pytest.mark.sampled(9)
@pytest.mark.parametrize("name", cells.names())
def test_the_numbers_are_those_of_the_document(name: str) -> None:
    derivation = derive(cells[name])
    assert_numbers_agree(generate(derivation).source, derivation)


@pytest.mark.parametrize(("before", "after"), [("# (8)", "# (9)"), ("# (2) z_t", "# (3) z_t"), ("  # (14)", "")])
def test_a_wrong_number_is_seen(before: str, after: str) -> None:
    derivation = derive(cells.gru)
    source = generate(derivation).source
    assert before in source
    with pytest.raises(AssertionError):
        assert_numbers_agree(source.replace(before, after), derivation)
