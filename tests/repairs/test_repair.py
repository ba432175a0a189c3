"""Every kind of slip is mended by the edit that it needs, named by its class, and shown in its line."""

from __future__ import annotations

import importlib.util
import itertools
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from symrnn.callables.subject import Subject
from symrnn.measuring.verdicts import measure
from symrnn.mistakes.catalogue import CATALOGUE
from symrnn.repairs import calls, factors, flow, operands, terms
from symrnn.repairs.code import find_units, installed
from symrnn.repairs.generators import GENERATORS, edits_of
from symrnn.repairs.repair import Repair, repair
from symrnn.repairs.sights import look
from symrnn.repairs.site import find_sites
from symrnn.repairs.trials import Trials

LAYER = Path(__file__).with_name("layer.py").read_text(encoding="utf-8")
NUMBERS = itertools.count()

SLIPS: dict[tuple[str, str], tuple[Any, str]] = {
    ("dWn += x[t].T @ dn", "dWn += x[t - 1].T @ dn"): (operands.shift_indices, "wrong-time-index"),
    ("dV += hs[t].T @ dy[t]", "dV += hs[-1].T @ dy[t]"): (operands.shift_indices, "stale-cache"),
    ("dn @ Un.T", "dn @ Un"): (operands.transpose, "transpose"),
    ("dz @ Uz.T", "(Uz @ dz.T).T @ Uz.T"): (None, ""),
    ("dbz += dz", "dbz = dz"): (flow.accumulate, "missing-accumulation"),
    ("(n - h)", "(n + h)"): (terms.flip_signs, "sign"),
    ("dn.sum(axis=0)", "dn.mean(axis=0)"): (calls.mend_calls, "mean-for-sum"),
    ("(1 - n**2)", "(1 - np.tanh(n)**2)"): (calls.mend_calls, "derivative-at-output"),
    ("dWn += x[t].T @ dn", "dWn += np.clip(x[t].T @ dn, -0.1, 0.1)"): (calls.mend_calls, "clipped-in-recursion"),
    ("np.zeros(Un.shape[0])", "np.ones(Un.shape[0])"): (calls.mend_calls, "bad-accumulator"),
    ("dy.sum(axis=(0, 1))", "dy[:, -1].sum(axis=0)"): (None, ""),
    ("dy.sum(axis=(0, 1))", "dy[-1].sum(axis=0)"): (calls.mend_calls, "missing-accumulation"),
    ("dUz += h.T @ dz", "dUz += h.T @ dz if t else 0"): (flow.always, "missing-accumulation"),
    ("        dUn += h.T @ dn", "        if t > 1:\n            dUn += h.T @ dn"): (
        flow.always,
        "missing-accumulation",
    ),
    ("    return dx", "    np.clip(dV, -0.1, 0.1, out=dV)\n    return dx"): (flow.delete, "clipped"),
    ("        dbn += dn", "        dbn += dn.sum(axis=0)\n        dbn += dn"): (flow.delete, "double-counted"),
    ("len(x) - 1, -1, -1)", "len(x) - 1, 0, -1)"): (flow.loops, "missing-accumulation"),
    ("range(len(x) - 1, -1, -1)", "range(len(x))"): (flow.loops, "wrong-time-index"),
    ("dn @ Wn.T", "0.5 * dn @ Wn.T"): (factors.drop_factors, "wrong-scale"),
    ("dh * (1 - z)", "dh * (1 - z) * z"): (factors.drop_factors, "extra-factor"),
    ("(1 - n**2)", "(1 - n)"): (factors.other_slopes, "wrong-derivative"),
    ("dn = dh * z * (1 - n**2)", "dn = dy[t] @ V.T * z * (1 - n**2) + dh_next"): (None, ""),
    ("(n - h) * z * (1 - z)", "(n - h) * (1 - z)"): (factors.multiply, "wrong-derivative"),
    ("dn = dh * z * (1 - n**2)", "dn = dh * z"): (factors.multiply, "missing-derivative"),
    ("dn = dh * z * (1 - n**2)", "dn = dh * (1 - n**2)"): (factors.multiply, "missing-factor"),
    ("dn = dh * z * (1 - n**2)", "dn = (dh * z + dz) * (1 - n**2)"): (None, ""),
    ("+ dn @ Un.T", "+ dn @ Un.T + dh_next"): (terms.drop_terms, "extra-path"),
    ("dWn += x[t].T @ dn", "dWn += x[t].T @ dz"): (operands.swap_operands, "gate-swapped"),
    ("dn @ Un.T", "dh @ Un.T"): (operands.swap_operands, "wrong-operand missing-factor missing-derivative"),
    ("dz @ Uz.T + dn @ Un.T", "dz @ Uz.T + (dh @ Un.T) * (1 - n**2) * z"): (
        operands.unequal_sides,
        "diagonal-wrong-side",
    ),
    ("+ dh_next", ""): (terms.add_terms, "recurrent-path-cut"),
    ("dh = dy[t] @ V.T + dh_next", "dh = dh_next"): (terms.add_products, "missing-path"),
    ("dh = dy[t] @ V.T + dh_next", "dh = dy[t] @ V.T + np.zeros_like(dh_next)"): (terms.replace_zeros, ""),
    ("dx[t] = dz @ Wz.T", "dx[t] = 3.7 * dz @ Wz.T"): (factors.drop_factors, "wrong-scale"),
    ("dd = dy.sum(axis=(0, 1))", "dd = dy.sum(axis=(0, 1)) + dy.sum(axis=(0, 1)) * 0.3"): (None, ""),
    ("+ dz @ Uz.T", ""): (terms.add_siblings, "missing-path"),
    ("+ dn @ Un.T", "+ dn"): (terms.replace_by_products, ""),
}
"""Text, what stands in its place -> the generator that mends it and the class; None where it need not be mended."""


def load(folder: Path, text: str) -> ModuleType:
    """A text as a module of its own."""
    file = folder / f"layer_{next(NUMBERS)}.py"
    file.write_text(text, encoding="utf-8")
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[file.stem] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def mend(module: ModuleType) -> tuple[Repair, set[str]]:
    """What is found in a layer, and which of its gradients are wrong."""
    subject = Subject(module.forward, module.backward, module.make_inputs)
    measured = measure(subject, 0)
    return repair(subject, measured.compared, measured.wrong, 0), set(measured.wrong)


CHOSEN = {slip: what for slip, what in SLIPS.items() if what[1]}
"""Those that need a repair; `python -m benchmarks.mending` goes through all, the tests through every fourth."""


@pytest.mark.sampled(4)
@pytest.mark.parametrize(("old", "new"), list(CHOSEN)[::6], ids=[f"{old} -> {new}"[:70] for old, new in CHOSEN][::6])
def test_a_slip_is_mended_named_and_shown(old: str, new: str, tmp_path: Path) -> None:
    check_slip(old, new, tmp_path)


def check_slip(old: str, new: str, tmp_path: Path) -> None:
    """One slip: mended by one edit, which has the right name and the right line."""
    assert LAYER.count(old) == 1, old
    text = LAYER.replace(old, new)
    module = load(tmp_path, text)
    found, wrong = mend(module)
    assert wrong
    assert not found.left
    (mistake,) = found.mistakes
    assert mistake.mistake in CHOSEN[old, new][1].split(), mistake.sentence
    assert set(mistake.gradients) == wrong
    assert mistake.line is not None
    changed = [
        number
        for number, line in enumerate(text.split("\n"), 1)
        if line not in LAYER.split("\n") or LAYER.split("\n").count(line) != text.split("\n").count(line)
    ]
    assert mistake.line.line in changed


def test_classes_are_those_of_the_catalogue() -> None:
    named = {tag for _, tags in SLIPS.values() for tag in tags.split()}
    assert named <= set(CATALOGUE)


def test_no_edit_costs_less_than_its_generator_says(tmp_path: Path) -> None:
    """A generator is asked when edits of its least cost are tried: a cheaper one would never be."""
    module = load(tmp_path, LAYER.replace("dbn += dn.sum(axis=0)", "dbn += dn[::-1].sum(axis=0) if t else 0"))
    subject = Subject(module.forward, module.backward, module.make_inputs)
    trials = Trials(subject, subject.arrays, 0)
    units = find_units(trials.run)
    with installed(units):
        sights = look(units, trials.run)
    sites = list(find_sites([one for unit in units for one in unit.functions], sights, [], [3.7]))
    costs = {(make, edit.cost) for site in sites for make in GENERATORS for edit in edits_of(make, site)}
    assert {(make, cost) for make, cost in costs if cost < GENERATORS[make]} == set()
    # These have nothing to do in this text, and edits of one cost each.
    idle = {operands.unequal_sides, factors.scale_after, terms.add_sums}
    assert GENERATORS.keys() - {make for make, _ in costs} == idle


def test_the_functions_are_left_as_they_were(tmp_path: Path) -> None:
    module = load(tmp_path, LAYER.replace("dn @ Un.T", "dn @ Un"))
    before = module.backward.__code__
    mend(module)
    assert module.backward.__code__ is before


def test_two_mistakes_in_a_row_are_both_mended(tmp_path: Path) -> None:
    text = LAYER.replace("dn @ Un.T", "dn @ Un").replace("(1 - n**2)", "(1 - n)").replace("dbz += dz", "dbz = dz")
    found, wrong = mend(load(tmp_path, text))
    assert {one.mistake for one in found.mistakes} == {"transpose", "wrong-derivative", "missing-accumulation"}
    assert wrong
    assert not found.left


def test_a_statement_that_is_missing_is_put_in(tmp_path: Path) -> None:
    found, wrong = mend(load(tmp_path, LAYER.replace("        dUz += h.T @ dz\n", "")))
    assert wrong == {"Uz"}
    assert not found.left
    (mistake,) = found.mistakes
    assert mistake.mistake == "missing-path"
    assert "dUz += h.T @ dz" in mistake.sentence


TANGLED = (
    ("dh = dy[t] @ V.T + dh_next", "dh = dy[t] @ V.T + 2 * dh_next"),
    ("dn = dh * z * (1 - n**2)", "dn = dh * (1 - n**2)"),
    ("dz = dh * (n - h) * z * (1 - z)", "dz = dh * (n + h) * z * (1 - z)"),
    ("dx[t] = dz @ Wz.T + dn @ Wn.T", "dx[t] = dz @ Wz.T + dn @ Wz.T"),
    ("dUn += h.T @ dn", "dUn = h.T @ dn"),
)
"""Mistakes of which none alone makes the gradients right that the others act on."""


def test_mistakes_in_the_same_gradients_are_mended_one_by_one(tmp_path: Path) -> None:
    text = LAYER
    for old, new in TANGLED:
        assert text.count(old) == 1
        text = text.replace(old, new)
    found, wrong = mend(load(tmp_path, text))
    assert len(wrong) > len(TANGLED)
    assert not found.left
    assert len(found.mistakes) == len(TANGLED)
    lines = {one.line.text for one in found.mistakes if one.line is not None}
    assert lines == {new for _, new in TANGLED}


def test_a_right_layer_needs_no_repair(tmp_path: Path) -> None:
    found, wrong = mend(load(tmp_path, LAYER))
    assert not wrong
    assert found == Repair()


def test_a_text_that_has_changed_since_it_was_imported_is_not_mended(tmp_path: Path) -> None:
    module = load(tmp_path, LAYER.replace("dn @ Un.T", "dn @ Un"))
    assert module.__file__ is not None
    Path(module.__file__).write_text(LAYER.replace("dn @ Un.T", "dn @ Un * 2"), encoding="utf-8")
    found, wrong = mend(module)
    assert not found.mistakes
    assert found.left == wrong


def test_what_is_made_without_a_file_is_not_mended() -> None:
    module = ModuleType("typed")
    exec(compile(LAYER.replace("dn @ Un.T", "dn @ Un"), "<typed>", "exec"), module.__dict__)
    found, wrong = mend(module)
    assert not found.mistakes
    assert found.left == wrong


def test_a_term_that_nobody_would_write_is_left_out(tmp_path: Path) -> None:
    text = LAYER.replace("dV += hs[t].T @ dy[t]", "dV += hs[t].T @ dy[t] + np.sin(7 * V) * len(x)")
    found, wrong = mend(load(tmp_path, text))
    assert wrong == {"V"}
    assert [mistake.mistake for mistake in found.mistakes] == ["extra-path"]
    assert "np.sin" in found.mistakes[0].sentence
