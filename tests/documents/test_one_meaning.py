"""A law: a symbol stands for one thing.  No left side has two different right sides, whatever is asked, anywhere."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from itertools import product

import pytest

from symrnn import cells, derive, jacobian
from symrnn.calculus.derivation import Derivation
from symrnn.calculus.window import KINDS, ask
from symrnn.documents import derivation_document, jacobian_document
from symrnn.documents.setting import set_up
from symrnn.documents.structure import Document
from symrnn.errors import NameClashError
from symrnn.printers import text
from symrnn.printers.notation import NOTATIONS

pytestmark = pytest.mark.sweep

NAMES = cells.names()


def equations(document: Document) -> Iterator[tuple[str, str, str]]:
    """Number, left side and right side of every equation, in LaTeX and in text; what is between two `=` is a left."""
    for section in document.sections:
        for equation in (e for display in section.displays for e in display.equations):
            for form in ("latex", "text"):
                lefts: list[list[str]] = []
                for line in equation.lines:
                    if line.left is not None:
                        lefts.append([getattr(line.left, form), ""])
                    lefts[-1][1] += getattr(line.right, form)
                for left, right in lefts:
                    yield from ((equation.number, form, side + "\0" + right) for side in left.split(" = "))


def clashes(document: Document) -> dict[str, set[str]]:
    """Left sides with several right sides; (7') is (7) with what comes from outside the step written out."""
    found: dict[str, set[str]] = defaultdict(set)
    states = {f"{derived}'" for derived in _state_numbers(document)}
    for number, form, both in equations(document):
        left, _, right = both.partition("\0")
        if number not in states:
            found[f"{form}: {left}"].add(right.replace(" ", ""))
    return {left: rights for left, rights in found.items() if len(rights) > 1}


def _state_numbers(document: Document) -> set[str]:
    """The numbers of the states' equations, which are written out through time."""
    if document.name not in cells.names():
        return set()
    return {str(step.number) for step in derive(cells[document.name]).role("state")}


@pytest.mark.parametrize(("name", "notation"), list(zip(NAMES, 14 * list(NOTATIONS), strict=False)))
def test_no_symbol_of_a_document_has_two_right_sides(name: str, notation: str) -> None:
    try:
        document = derivation_document(derive(cells[name]), notation)
    except NameClashError:  # that is said, and another notation proposed
        document = derivation_document(derive(cells[name]), "angle")
    assert clashes(document) == {}


def asked(derivation: Derivation) -> Iterator[tuple[str, str, str, int, tuple[str, ...]]]:
    """Questions of every kind: states, an input, a gate and a parameter; with and without something held."""
    cell = derivation.cell
    named = [e.target.name for e in derivation.forward if not derivation.is_preactivation(e.target)]
    gates = [name for name in named if name not in cell.states][:1]
    ends = [v.name for v in cell.previous] + list(cell.states)
    starts = [*ends, *cell.inputs[:1], *gates, cell.parameters[0]]
    for kind, of, wrt, steps in product(KINDS, ends, starts, (1, 2)):
        if kind != "direct" or steps == 1:
            yield kind, of, wrt, steps, ()
            yield from ((kind, of, wrt, steps, (gate,)) for gate in gates if gate != wrt)


@pytest.mark.parametrize("name", ["lstm", "gru", "lstm_peephole", "scrn", "rnn"])
def test_no_symbol_has_two_values(name: str) -> None:
    derivation = derive(cells[name])
    settings = {n: set_up(derivation, notation) for n, notation in NOTATIONS.items()}
    found: dict[tuple[str, str], set[str]] = defaultdict(set)
    kinds: dict[tuple[str, str], set[str]] = defaultdict(set)
    for kind, of, wrt, steps, held in asked(derivation):
        symbol = ask(derivation, of, wrt, steps, held, kind).symbol
        value = text(jacobian(derivation, of, wrt, kind, steps=steps, holding=held))
        for notation, setting in settings.items():
            shown = setting.derivative(symbol)
            for printed in (shown.latex, shown.text):
                found[notation, printed].add(value)
                kinds[notation, printed].add(kind)
    assert {printed: values for printed, values in found.items() if len(values) > 1} == {}
    assert all(len(each) == 1 for each in kinds.values())
    assert len({printed for notation, printed in found if notation == "subscript"}) > 40


@pytest.mark.parametrize("kind", KINDS)
def test_no_symbol_of_a_jacobian_document_has_two_right_sides(kind: str) -> None:
    """The value, its paths and the recursion's last line are three forms of the first; no other line repeats."""
    document = jacobian_document(derive(cells.lstm_peephole), "c", "c_prev", kind, steps=1 if kind == "direct" else 2)
    assert {left.partition(": ")[2] for left in clashes(document)} <= {
        _first_left(document, form) for form in ("latex", "text")
    }


def _first_left(document: Document, form: str) -> str:
    return next(both.partition("\0")[0] for _, shown, both in equations(document) if shown == form)


def test_the_law_is_broken_by_a_symbol_that_forgets_what_is_held(monkeypatch: pytest.MonkeyPatch) -> None:
    from symrnn.calculus.symbols import DerivativeSymbol

    monkeypatch.setattr(DerivativeSymbol, "_bar", lambda self, show, dots: "")
    with pytest.raises(AssertionError):
        test_no_symbol_has_two_values("lstm")


def test_the_law_is_broken_by_a_message_that_looks_like_an_adjoint(monkeypatch: pytest.MonkeyPatch) -> None:
    from symrnn.printers import notation

    plain = replace(notation._TEXT, letter=lambda letter, is_dotted, is_message: letter)
    monkeypatch.setattr(notation, "_TEXT", plain)
    shown = {both for _, form, both in equations(derivation_document(derive(cells.lstm))) if form == "text"}
    assert any(both.startswith("δh_{t-1}\0") for both in shown)
