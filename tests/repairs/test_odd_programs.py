"""Functions as people write them, of which the text is changed and runs: nothing of theirs may be harmed."""

from __future__ import annotations

import ast
import linecache
import sys
import textwrap
import time
import warnings
from pathlib import Path
from types import ModuleType

import pytest

from symrnn.callables.subject import Subject
from symrnn.measuring.verdicts import measure
from symrnn.repairs.code import find_units
from symrnn.repairs.effects import find_barred
from symrnn.repairs.generators import GENERATORS
from symrnn.repairs.repair import repair
from symrnn.repairs.search import Search
from symrnn.repairs.trials import Trials
from tests.repairs.test_repair import load, mend

HEAD = """
import functools
import numpy as np
"""
INPUTS = """
def make_inputs(rng, T, N):
    return {"x": rng.normal(size=(T, 3)), "h0": rng.normal(size=4), "W": rng.normal(size=(3, 4)),
            "U": rng.normal(size=(4, 4))}
"""
FORWARD = """
def forward(x, h0, W, U):
    hs = [h0]
    for t in range(len(x)):
        hs.append(np.tanh(x[t] @ W + hs[-1] @ U))
    return np.array(hs[1:]), (x, hs, W, U)
"""
BACKWARD = """
def backward(dh, cache):
    x, hs, W, U = cache
    dx, dW, dU, later = np.zeros_like(x), np.zeros_like(W), np.zeros_like(U), np.zeros(4)
    for t in reversed(range(len(x))):
        d = (dh[t] + later) * slope(hs[t + 1])
        dW += np.outer(x[t], d)
        dU += np.outer(hs[t], d)
        dx[t] = d @ W.T
        later = d @ U
    return dx, later, dW, dU
"""
SLOPE = """
def slope(h):
    return 1 - h ** 2
"""
PLAIN = HEAD + INPUTS + FORWARD + BACKWARD + SLOPE
"""Right but for `later = d @ U`."""


def replaced(text: str, *pairs: tuple[str, str]) -> str:
    for old, new in pairs:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


STYLES: dict[str, str] = {
    "plain": PLAIN,
    "decorated": replaced(
        PLAIN,
        (
            "def slope",
            "def named(f):\n    @functools.wraps(f)\n    def inner(*args):\n        return f(*args)\n"
            "    return inner\n\n@named\n@named\ndef slope",
        ),
        ("def backward", "@named\ndef backward"),
    ).replace("@named\ndef backward", "def backward", 1),
    "closures": HEAD
    + INPUTS
    + "def build(n):\n    later0, unused = np.zeros(n), n"
    + textwrap.indent(FORWARD + SLOPE + BACKWARD.replace("np.zeros(4)", "later0"), "    ")
    + "\n    return forward, backward\n"
    "\nforward, backward = build(4)\nother = build(4)\n",
    "nested function": replaced(
        PLAIN,
        ("    x, hs, W, U = cache\n    dx", "    x, hs, W, U = cache\n    def back(d):\n        return d @ U\n    dx"),
        ("later = d @ U", "later = back(d)"),
    ),
    "methods": HEAD + INPUTS + "class Base:\n    n = 4\n    def slope(self, h):\n        return 1 - h ** 2\n\n"
    "class Layer(Base):\n"
    + textwrap.indent(
        "@staticmethod"
        + FORWARD
        + replaced(BACKWARD, ("backward(dh", "backward(self, dh"), ("slope(", "self.slope("))
        + "def slope(self, h):\n    return super().slope(h) * 1.0\n",
        "    ",
    )
    + "\nforward, backward = Layer.forward, Layer().backward\n",
    "classmethod and property": HEAD
    + INPUTS
    + "class Layer:\n"
    + textwrap.indent(
        "@classmethod"
        + replaced(FORWARD, ("forward(x", "forward(cls, x"))
        + replaced(BACKWARD, ("backward(dh", "backward(self, dh"), ("* slope(", "* self.one * (lambda h: 1 - h ** 2)("))
        + "@property\ndef one(self):\n    return 1.0\n",
        "    ",
    )
    + "\nforward, backward = Layer.forward, Layer().backward\n",
    "dataclass": HEAD + INPUTS + FORWARD + SLOPE + "from dataclasses import dataclass\n\n@dataclass\nclass Layer:\n"
    "    n: int = 4\n"
    + textwrap.indent(
        replaced(BACKWARD, ("backward(dh", "backward(self, dh"), ("np.zeros(4)", "np.zeros(self.n)")), "    "
    )
    + "\nbackward = Layer().backward\n",
    "globals": replaced(
        PLAIN,
        (
            "    return np.array(hs[1:]), (x, hs, W, U)",
            "    global KEPT\n    KEPT = (x, hs, W, U)\n    return np.array(hs[1:])",
        ),
        ("backward(dh, cache)", "backward(dh)"),
        ("= cache", "= KEPT"),
    ),
    "under a condition": HEAD
    + INPUTS
    + FORWARD
    + SLOPE
    + "try:\n    import nothing_of_this_name\nexcept ImportError:"
    + textwrap.indent(BACKWARD, "    "),
    "generator": replaced(
        PLAIN,
        ("    for t in reversed(range(len(x))):", "    for t in down(len(x)):"),
        ("def slope", "def down(n):\n    while n > 0:\n        n = n - 1\n        yield n\n\ndef slope"),
    ),
    "while": replaced(
        PLAIN,
        ("    for t in reversed(range(len(x))):\n", "    t = len(x) - 1\n    while t >= 0:\n"),
        ("        later = d @ U\n", "        later = d @ U\n        t = t - 1\n"),
    ),
    "while True": replaced(
        PLAIN,
        (
            "    for t in reversed(range(len(x))):\n",
            "    t = len(x)\n    while True:\n        t -= 1\n        if t < 0:\n            break\n",
        ),
    ),
    "walrus": replaced(
        PLAIN, ("    for t in reversed(range(len(x))):\n", "    t = len(x)\n    while (t := t - 1) >= 0:\n")
    ),
    "match": replaced(
        PLAIN,
        (
            "        later = d @ U\n",
            "        match t:\n            case 0:\n                later = d @ U.T\n"
            "            case _:\n                later = d @ U\n",
        ),
    ),
    "annotations": replaced(
        PLAIN,
        ("        later = d @ U\n", "        later: np.ndarray = d @ U\n"),
        ("def slope(h)", "def slope(h: np.ndarray) -> np.ndarray"),
    ),
    "one line": replaced(
        PLAIN, ("        dx[t] = d @ W.T\n        later = d @ U\n", "        dx[t] = d @ W.T; later = d @ U\n")
    ),
    "several lines": replaced(
        PLAIN,
        (
            "        later = d @ U\n",
            "        later = \\\n            np.dot(\n                d,\n                U,\n            )\n",
        ),
    ),
    "tabs": PLAIN.replace("    ", "\t"),
    "carriage returns": PLAIN.replace("\n", "\r\n"),
    "no end of line": (HEAD + INPUTS + FORWARD + SLOPE + BACKWARD).rstrip(),
    "remembered": replaced(
        PLAIN,
        ("def slope", "@functools.lru_cache(None)\ndef width(n):\n    return float(n) * 0 + 1.0\n\ndef slope"),
        ("* slope(", "* width(4) * slope("),
    ),
    "caught": replaced(
        PLAIN,
        (
            "        later = d @ U\n",
            "        try:\n            later = d @ U\n        except ValueError:\n"
            "            later = d\n        finally:\n            pass\n",
        ),
    ),
    "single precision": replaced(
        PLAIN, ('"U": rng.normal(size=(4, 4))}', '"U": rng.normal(size=(4, 4)).astype(np.float32)}')
    ),
    "mask": replaced(
        PLAIN, ("hs.append(np.tanh(", "hs.append(MASK * np.tanh("), ("* slope(hs[t + 1])", "* MASK * slope(hs[t + 1])")
    )
    + "\nMASK = np.array([1.0, 1.0, 0.0, 1.0])\n",
    "recursion": HEAD
    + INPUTS
    + FORWARD
    + SLOPE
    + """
def backward(dh, cache):
    x, hs, W, U = cache
    dx, dW, dU = np.zeros_like(x), np.zeros_like(W), np.zeros_like(U)
    def back(t, later):
        if t < 0:
            return later
        d = (dh[t] + later) * slope(hs[t + 1])
        dW[...] += np.outer(x[t], d)
        dU[...] += np.outer(hs[t], d)
        dx[t] = d @ W.T
        return back(t - 1, d @ U)
    return dx, back(len(x) - 1, np.zeros(4)), dW, dU
""",
}


@pytest.mark.sampled(3)
@pytest.mark.parametrize("style", STYLES)
def test_a_mistake_is_shown_in_its_line_in_every_style(style: str, tmp_path: Path) -> None:
    module = load(tmp_path, STYLES[style])
    found, wrong = mend(module)
    assert wrong
    assert [one.mistake for one in found.mistakes] == ["transpose"]
    assert not found.left
    lines = Path(str(module.__file__)).read_text(encoding="utf-8").split("\n")
    line = found.mistakes[0].line
    assert line is not None
    assert "U" in line.text
    assert line.text == lines[line.line - 1].strip()


ACTING = replaced(
    PLAIN,
    ("import numpy as np\n", "import os\nimport numpy as np\nfrom pathlib import Path\nDONE = []\n"),
    ("        later = d @ U\n", "        keep(names[t], later)\n        print(t)\n        later = d @ U\n"),
    ("    x, hs, W, U = cache\n", "    x, hs, W, U = cache\n    names = [f'{FOLDER}/{t}' for t in range(9)]\n"
     "    last = names[2]\n    os.path.exists(last)\n"),
) + """
def keep(name, array):
    with open(name, "w") as file:
        file.write("kept")
    DONE.append(name)
"""  # fmt: skip


def test_what_writes_files_or_prints_is_never_changed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    module = load(tmp_path, ACTING)
    module.FOLDER = tmp_path
    subject = Subject(module.forward, module.backward, module.make_inputs)
    names = measure(subject, 0).compared
    trials = Trials(subject, names, 0)
    units = find_units(trials.run)
    barred = {ast.unparse(one).split("\n")[0] for one in find_barred(units)}
    assert barred == {
        "keep(names[t], later)",
        "print(t)",
        "os.path.exists(last)",
        "for t in reversed(range(len(x))):",
        "with open(name, 'w') as file:",
        "file.write('kept')",
    }
    search = Search(units, trials)
    standing = search.stand()
    assert standing is not None
    texts = {one.site.statement for one in standing.sites}
    assert "last = names[2]" not in set(map(ast.unparse, texts))
    found, _ = mend(module)
    assert [one.mistake for one in found.mistakes] == ["transpose"]
    assert {Path(name).name for name in module.DONE} <= set("012345678")
    capsys.readouterr()


@pytest.mark.parametrize("style", ["while", "while True", "walrus", "recursion", "generator"])
def test_no_change_makes_functions_go_on_for_ever(style: str, tmp_path: Path) -> None:
    module = load(tmp_path, STYLES[style])
    subject = Subject(module.forward, module.backward, module.make_inputs)
    trials = Trials(subject, measure(subject, 0).compared, 0)
    search = Search(find_units(trials.run), trials)
    standing = search.stand()
    assert standing is not None
    edits = [
        edit for one in standing.sites for make, cost in GENERATORS.items() if cost < 3
        for edit in make(one.site) if edit.cost < 3
    ]  # fmt: skip
    start, longest = time.perf_counter(), 0.0
    for edit in edits:
        before = time.perf_counter()
        search._try(edit, 0, standing)
        longest = max(longest, time.perf_counter() - before)
    assert edits
    assert longest < 2
    assert time.perf_counter() - start < 60


@pytest.mark.parametrize(
    ("right", "wrong", "mistake"),
    [
        ("while t >= 0:", "while t > 0:", "missing-accumulation"),
        ("slope(hs[t + 1])", "(1 - hs[t] * hs[t])", "wrong-time-index"),
        ("dU += np.outer(hs[t], d)", "dU += np.outer(hs[t + 1], d)", "wrong-time-index"),
    ],
)
def test_slips_of_other_styles_are_named(right: str, wrong: str, mistake: str, tmp_path: Path) -> None:
    text = replaced(STYLES["while"], ("later = d @ U\n", "later = d @ U.T\n"), (right, wrong))
    found, _ = mend(load(tmp_path, text))
    assert [one.mistake for one in found.mistakes] == [mistake]
    assert found.mistakes[0].line is not None
    assert wrong in found.mistakes[0].line.text


def test_a_loop_without_end_is_stopped(tmp_path: Path) -> None:
    module = load(tmp_path, STYLES["while"])
    subject = Subject(module.forward, module.backward, module.make_inputs)
    trials = Trials(subject, measure(subject, 0).compared, 0)
    units = find_units(trials.run)
    search = Search(units, trials)
    assert search.score() is not None
    (backward,) = [one for unit in units for one in unit.functions if one.name == "backward"]
    (loop,) = [one for one in ast.walk(backward) if isinstance(one, ast.While)]
    loop.test = ast.copy_location(ast.Constant(value=True), loop.test)
    loop.body = loop.body[:1]
    for unit in units:
        unit.touch()
    assert search.score() is None


def test_what_functions_hold_and_remember_is_left_as_it_was(tmp_path: Path) -> None:
    text = replaced(
        PLAIN,
        ("np.zeros(4)", "START"),
        ("def slope(h):\n    return 1 - h ** 2", "@functools.lru_cache(None)\ndef two(n):\n    return n + 1\n\n"
         "def slope(h):\n    return 1 - h ** two(1)"),
    ) + "\nSTART = np.zeros(4)\n"  # fmt: skip
    module = load(tmp_path, text)
    found, _ = mend(module)
    assert [one.mistake for one in found.mistakes] == ["transpose"]
    assert not module.START.any()
    assert module.two(1) == 2


@pytest.mark.parametrize("after", [3, 40, 120])
def test_an_interruption_leaves_the_functions_as_they_were(after: int, tmp_path: Path) -> None:
    count = -10_000

    class Interrupting(dict[str, int]):
        def __getitem__(self, key: str) -> int:
            nonlocal count
            count += 1
            if count == after:
                raise KeyboardInterrupt
            return 0

    module = load(tmp_path, replaced(PLAIN, ("def slope(h):", "def slope(h):\n    PEOPLE['a']")))
    module.PEOPLE = Interrupting()
    before = {name: getattr(module, name).__code__ for name in ("forward", "backward", "slope")}
    subject = Subject(module.forward, module.backward, module.make_inputs)
    measured = measure(subject, 0)
    count = 0
    tracer = sys.gettrace()
    with pytest.raises(KeyboardInterrupt):
        repair(subject, measured.compared, measured.wrong, 0)
    assert sys.gettrace() is tracer
    assert {name: getattr(module, name).__code__ for name in before} == before


def test_warnings_of_changed_texts_are_not_shown(tmp_path: Path) -> None:
    module = load(tmp_path, PLAIN)
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        mend(module)
    assert not seen


def test_the_text_of_a_notebook_is_mended() -> None:
    name = "<ipython-input-7-0123456789ab>"
    module = ModuleType("cell")
    linecache.cache[name] = (len(PLAIN), None, PLAIN.splitlines(keepends=True), name)
    exec(compile(PLAIN, name, "exec"), module.__dict__)
    found, _ = mend(module)
    assert [one.mistake for one in found.mistakes] == ["transpose"]


def test_a_number_that_was_edited_since_is_seen(tmp_path: Path) -> None:
    module = load(tmp_path, replaced(PLAIN, ("h ** 2", "h ** 2.0")))
    Path(str(module.__file__)).write_text(replaced(PLAIN, ("h ** 2", "h ** 3.0")), encoding="utf-8")
    subject = Subject(module.forward, module.backward, module.make_inputs)
    trials = Trials(subject, measure(subject, 0).compared, 0)
    assert not find_units(trials.run)


def test_another_variable_of_the_function_around_is_not_taken_for_one(tmp_path: Path) -> None:
    module = load(tmp_path, STYLES["closures"])
    subject = Subject(module.forward, module.backward, module.make_inputs)
    trials = Trials(subject, measure(subject, 0).compared, 0)
    (unit,) = find_units(trials.run)
    (name,) = [one for one in ast.walk(unit.tree) if isinstance(one, ast.Name) and one.id == "later0"
               and any(one is part for part in ast.walk(unit.functions[-1]))]  # fmt: skip
    name.id = "unused"
    unit.touch()
    assert not unit.install()
    name.id = "dh"  # without it
    unit.touch()
    assert unit.install()
    unit.restore()


def test_a_wide_layer_is_mended(tmp_path: Path) -> None:
    sizes = [("size=(T, 3)", "size=(50, 3)"), ('"h0": rng.normal(size=4)', '"h0": rng.normal(size=300)')]
    sizes += [("rng.normal(size=(3, 4))", "0.1 * rng.normal(size=(3, 300))")]
    sizes += [("rng.normal(size=(4, 4))", "0.04 * rng.normal(size=(300, 300))"), ("np.zeros(4)", "np.zeros(300)")]
    found, _ = mend(load(tmp_path, replaced(PLAIN, *sizes)))
    assert [one.mistake for one in found.mistakes] == ["transpose"]
