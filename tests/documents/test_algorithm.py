"""The algorithm in a document: run as it is printed it gives the gradients, and its numbers are the code's."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from symrnn import cells, derive, generate
from symrnn.calculus.derivation import Derivation
from symrnn.documents import derivation_document, write
from symrnn.documents.structure import Algorithm, AlgorithmLine, Maths, Paragraph, Reference
from symrnn.language.recurrence import Cell
from symrnn.printers import text
from symrnn.program.ir import Accumulate
from symrnn.program.lower import lower
from symrnn.program.passes import run_passes
from tests.printed.meaning import evaluate
from tests.printed.reading import Parser
from tests.targets.test_equation_numbers import numbered

T = 5


def algorithms(derivation: Derivation, **options: Any) -> tuple[Algorithm, Algorithm]:
    section = derivation_document(derivation, sections="algorithm", **options).section("algorithm")
    forward, backward = (block for block in section.blocks if isinstance(block, Algorithm))
    return forward, backward


def shown(line: AlgorithmLine) -> str:
    return "".join(part.text if isinstance(part, Maths | Reference) else part for part in line.parts)


# --- run as it is printed ---------------------------------------------------------------------------------------------


class Machine:
    """Runs the printed lines of an algorithm.

    Args:
        memory: values by printed name, each at its step: h_0, x_3, W_f.
        names: what may be read in a line.
    """

    def __init__(self, memory: dict[str, Any], names: set[str]) -> None:
        self.memory = memory
        self.names = names

    def run(self, lines: list[AlgorithmLine], t: int = 0) -> None:
        while lines:
            line, lines = lines[0], lines[1:]
            if line.kind == "for":
                end = next(place for place, other in enumerate(lines) if other.kind == "end")
                steps = range(T, 0, -1) if shown(line).startswith("t = T") else range(1, T + 1)
                for step in steps:
                    self.run(lines[:end], step)
                lines = lines[end + 1 :]
            elif line.kind == "state":
                target, _, value = shown(line).partition(" ← ")
                total, _, term = value.rpartition("Σ_{t=1}^{T} ")
                steps = range(1, T + 1) if value.startswith("Σ") else [t]
                self.memory[absolute(target, t)] = sum(self.value(term if not total else value, step) for step in steps)

    def value(self, source: str, t: int) -> Any:
        return evaluate(Parser(source, dict.fromkeys(self.names)).read(), lambda name: self.memory[absolute(name, t)])


def absolute(name: str, t: int) -> str:
    """A printed name with the number of its step, as h_{t-1} at step 3 is h_2."""
    found = re.fullmatch(r"(.*[_{,])t(-1)?(\}?)", name)
    return name if not found else f"{found[1]}{t - bool(found[2])}{found[3]}".replace("{", "").replace("}", "")


def names_of(derivation: Derivation, lines: list[AlgorithmLine]) -> set[str]:
    targets = {shown(line).partition(" ← ")[0] for line in lines if line.kind == "state"}
    known = {text(v) for v in derivation.variables.values()} | {f"∂ℓ/∂{s}_t" for s in derivation.cell.states}
    known |= {f"δ←{s}_t" for s in derivation.cell.states} | targets
    return known | {re.sub(r"_t$", "_{t-1}", name) for name in known if name.endswith("_t")}


def run_as_printed(derivation: Derivation, change: Callable[[str], str] = str) -> float:
    """The largest difference between the gradients of the printed algorithm and those of the generated module."""
    cell, module = derivation.cell, generate(derivation)
    rng = np.random.default_rng(5)
    params = {name: rng.normal(size=value.shape) * 0.5 for name, value in module.initialize(3, 4, 0).items()}
    state = {s: rng.normal(size=(1, 4)) for s in cell.states}
    x, h_bar, end = (
        rng.normal(size=(T, 1, 3)),
        rng.normal(size=(T, 1, 4)),
        {s: rng.normal(size=(1, 4)) for s in cell.states},
    )
    _, _, tape = module.forward(params, x, state)
    grads, x_bar, state_bar = module.backward(params, tape, h_bar, end)

    memory: dict[str, Any] = {name: value.reshape(len(value), -1) for name, value in params.items()}
    for t in range(1, T + 1):
        memory |= {f"x_{t}": x[t - 1].T, f"∂ℓ/∂{cell.states[0]}_{t}": h_bar[t - 1].T}
    for s in cell.states:
        memory |= {f"{s}_0": state[s].T, f"δ←{s}_{T}": end[s].T}
    lines = [line for algorithm in algorithms(derivation) for line in algorithm.lines]
    lines = [AlgorithmLine(line.kind, (change(shown(line)),)) for line in lines]
    Machine(memory, names_of(derivation, lines)).run(lines)

    pairs = [(memory[f"∂L/∂{name}"], value.reshape(len(value), -1)) for name, value in grads.items()]
    pairs += [(memory[f"δx_{t}"], x_bar[t - 1].T) for t in range(1, T + 1)]
    pairs += [(memory[f"δ←{s}_0"], state_bar[s].T) for s in cell.states]
    return max(float(np.max(np.abs(a - b))) for a, b in pairs)


@pytest.mark.parametrize("name", ["rnn", "lstm", "gru", "gru_reset_after", "lstm_peephole", "lstm_1997", "mgu"])
def test_it_gives_the_gradients_of_the_code(name: str) -> None:
    assert run_as_printed(derive(cells[name])) < 1e-12


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("δ←c_t +", "0 δ←c_t +"),
        ("← δc_t ⊙ f_t", "← δc_t ⊙ i_t"),
        ("U_fᵀ δa_{f,t} + ", ""),
        ("1 - g_t^2", "1 - i_t^2"),
        ("δa_{o,t} h_{t-1}ᵀ", "δa_{o,t} h_tᵀ"),
    ],
)
def test_a_wrong_line_is_seen(before: str, after: str) -> None:
    seen = []

    def change(line: str) -> str:
        seen.append(before in line)
        return line.replace(before, after)

    assert run_as_printed(derive(cells.lstm), change) > 1e-3
    assert any(seen)


# --- the program's statements, and their numbers ----------------------------------------------------------------------


def statements(derivation: Derivation) -> Iterator[tuple[str, str]]:
    """What the program assigns, and what is read there, printed."""
    program = run_passes(lower(derivation))
    for function in (program.forward, program.backward):
        for statement in function.loop.body if function is program.backward else ():
            if isinstance(statement, Accumulate):
                yield text(statement.target), "0"
        for statement in function:
            yield text(statement.target), text(statement.value)


@pytest.mark.sampled(9)
@pytest.mark.parametrize("name", cells.names())
def test_each_line_is_a_statement_of_the_program(name: str) -> None:
    derivation = derive(cells[name])
    lines = [line for algorithm in algorithms(derivation) for line in algorithm.lines if line.kind == "state"]
    printed = [tuple(shown(line).split(" ← ", 1)) for line in lines]
    expected = list(statements(derivation))
    assert sorted(left for left, _ in printed) == sorted(left for left, _ in expected)
    values = {left: right for left, right in expected if right != "0"}
    messages = {text(derivation.message(s)): text(derivation.of(f"{s}_prev").target) for s in derivation.cell.states}
    for left, right in printed:
        # what came from the step after is the same variable of the program, one round later
        for received, sent in messages.items():
            right = right if left == sent else right.replace(received, sent)
        assert right.removeprefix("Σ_{t=1}^{T} ").strip("()") == values.get(left, "0").strip("()")


@pytest.mark.sampled(9)
@pytest.mark.parametrize("name", cells.names())
def test_its_numbers_are_those_of_the_code(name: str) -> None:
    derivation = derive(cells[name])
    forward, backward = algorithms(derivation)
    notes = [
        "".join(part.text if isinstance(part, Maths | Reference) else part for part in line.note)
        for algorithm in (forward, backward)
        for line in algorithm.lines
        if line.note
    ]
    source = generate(derivation).source
    passes = source[: source.index("\ndef step(")] + source[source.index("\ndef backward(") :]
    in_code = [f"({number})" for number, _, _ in numbered(passes)]
    # A gradient that is zero is given once, and a loop of the code has no line for it.
    assert [note for note in notes if note in in_code] == in_code
    assert set(in_code) <= set(notes)


# --- forms ------------------------------------------------------------------------------------------------------------


def test_it_refers_to_the_equations_of_its_document() -> None:
    fragment = write(derive(cells.gru), "fragment", further="algorithm")
    assert r"\usepackage{amsmath, amssymb, algpseudocode}" in fragment
    line = r"\State $\delta n_t \gets \delta h_t \odot z_t$ "
    assert line + r"\Comment{\derivedfrom{\eqref{gru:n_bar}}{gru:n_bar}}" in fragment
    alone = write(derive(cells.gru), "fragment", sections="algorithm")
    assert line + r"\Comment{(6)}" in alone


def test_every_form_has_its_lines() -> None:
    derivation = derive(cells.gru)
    assert "  6  for t = 1, …, T do\n  7      r_t ← σ(r_{x,t} + U_r h_{t-1})   (1)" in write(
        derivation, "text", sections="algorithm"
    )
    markdown = write(derivation, "markdown", sections="algorithm")
    assert "- **for** $t = T, \\dots, 1$ **do**\n  - $\\delta h_t \\gets" in markdown
    whole = write(derivation, "tex", sections="algorithm")
    assert whole.count(r"\begin{algorithmic}[1]") == 2
    assert whole.index(r"\IfFileExists{algpseudocode.sty}") < whole.index(r"\begin{document}")
    assert "algpseudocode" not in write(derivation, "tex", sections="forward")


def test_a_cell_without_inputs_and_one_without_parameters() -> None:
    alone = Cell.from_source("def alone(h, *, U):\n    h = tanh(U @ h)\n    return h")
    assert shown(algorithms(derive(alone))[0].lines[0]) == "h_0; the parameters"
    bare = Cell.from_source("def bare(x: 'd_h', h):\n    h = tanh(x + h)\n    return h")
    forward, backward = algorithms(derive(bare))
    assert shown(backward.lines[-1]) == "δx_t for t = 1, …, T; δ←h_0"
    section = derivation_document(derive(bare), sections="algorithm").section("algorithm")
    assert any(isinstance(block, Paragraph) for block in section.blocks)
    assert shown(forward.lines[0]) == "x_t for t = 1, …, T; h_0"
