"""The line that computes a wrong quantity, in backward passes of several styles, with a mistake planted in each."""

from __future__ import annotations

import functools
import itertools
import linecache
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from symrnn import cells, derive
from symrnn.callables import from_object
from symrnn.callables.subject import Subject
from symrnn.diagnosis.explanation import FoundMistake
from symrnn.diagnosis.lines import find_lines
from symrnn.diagnosis.questions import Question, Questionnaire
from symrnn.identification import identify
from symrnn.mistakes.backward_pass import BackwardPass
from symrnn.mistakes.catalogue.clipped import EntriesClipped
from symrnn.mistakes.catalogue.mean_for_sum import over_batch
from symrnn.mistakes.catalogue.missing_accumulation import first_only
from symrnn.mistakes.catalogue.missing_path import InitialGradientLost, no_gradient
from symrnn.mistakes.catalogue.recurrent_path_cut import CarryCut
from symrnn.mistakes.mistake import Mistake
from symrnn.mistakes.shared import GradientScaled, TermsCounted
from symrnn.source_lines import tracing
from symrnn.source_lines.source import locate, trace, watch
from symrnn.source_lines.statements import read_statements
from tests.source_lines.writing import load

T, N, D, H = 4, 3, 2, 5
Array = np.ndarray
_count = itertools.count()

# --- five people's backward pass of one LSTM layer --------------------------------------------------------------------

SEPARATE = """
import numpy as np

def backward(dhs, cache):
    x, h, c, f, i, g, o, W, U = cache
    dW = {k: np.zeros_like(W[k]) for k in "figo"}
    dU = {k: np.zeros_like(U[k]) for k in "figo"}
    dh_next, dc_next = np.zeros(h[0].shape), np.zeros(h[0].shape)
    for t in reversed(range(len(x))):
        dh = dhs[t] + dh_next
        tc = np.tanh(c[t + 1])
        dc = dh * o[t] * (1 - tc ** 2) + dc_next
        df = dc * c[t]
        da = {}
        da["o"] = dh * tc * o[t] * (1 - o[t])
        da["f"] = df * f[t] * (1 - f[t])
        da["i"] = (
            dc * g[t]
            * i[t] * (1 - i[t])
        )
        da["g"] = dc * i[t] * (1 - g[t] ** 2)
        dh_next = 0
        for k in da:
            dW[k] += da[k].T @ x[t]
            dU[k] += da[k].T @ h[t]
            dh_next = dh_next + da[k] @ U[k]
        dc_next = dc * f[t]
    return dW, dU
"""

STACKED = """
import numpy as np

def backward(dhs, cache):
    x, h, c, f, i, g, o, W, U = cache
    steps, n = len(x), h[0].shape[1]
    U_all = np.concatenate([U[k] for k in "figo"])
    pre = np.zeros((steps, len(h[0]), 4 * n))
    dh_next, dc_next = np.zeros_like(h[0]), np.zeros_like(h[0])
    for t in range(steps - 1, -1, -1):
        dh, tc = dhs[t] + dh_next, np.tanh(c[t + 1])
        dc = dh * o[t] * (1 - tc ** 2) + dc_next
        df = dc * c[t]
        pre[t, :, :n] = df * f[t] * (1 - f[t])
        pre[t, :, n:2 * n] = dc * g[t] * i[t] * (1 - i[t])
        pre[t, :, 2 * n:3 * n] = dc * i[t] * (1 - g[t] ** 2)
        pre[t, :, 3 * n:] = dh * tc * o[t] * (1 - o[t])
        dh_next = pre[t] @ U_all
        dc_next = dc * f[t]
    flat = pre.reshape(-1, 4 * n)
    dW = flat.T @ x.reshape(-1, x.shape[-1])
    return np.split(dW, 4)
"""

COLUMNS = """
import numpy as np

def slope(y):
    return y * (1 - y)

def one(dhs, x, h, c, f, i, g, o, W, U):
    n = len(h[0])
    grads = {"W_" + k: np.zeros(W[k].shape) for k in "figo"}
    dhn, dcn = np.zeros(n), np.zeros(n)
    for t in range(len(x))[::-1]:
        dh = dhs[t] + dhn
        tc = np.tanh(c[t + 1]); dc = dh * o[t] * (1 - tc ** 2) + dcn
        df = dc * c[t]
        dz = np.hstack([df * slope(f[t]),
                        dc * g[t] * slope(i[t]),
                        -dc * i[t] * (g[t] ** 2 - 1),
                        dh * tc * slope(o[t])])
        for place, k in enumerate("figo"):
            grads["W_" + k] += np.outer(dz[place * n:(place + 1) * n], x[t])
        dhn = sum(U[k].T @ dz[p * n:(p + 1) * n] for p, k in enumerate("figo"))
        dcn = dc * f[t]
    return grads

def backward(dhs, cache):
    x, h, c, f, i, g, o, W, U = cache
    total = {}
    for e in range(len(h[0])):
        part = one(dhs[:, e], x[:, e], h[:, e], c[:, e], f[:, e], i[:, e], g[:, e], o[:, e], W, U)
        for key in part:
            total[key] = total.get(key, 0) + part[key]
    return total
"""

CLASS = """
import numpy as np

class Layer:
    def __init__(self):
        self.das = []

    def __call__(self, dhs, cache):
        x, h, c, f, i, g, o, W, U = cache
        self.dW = np.zeros((4, *W["f"].shape))
        self.carry = [np.zeros_like(h[0]), np.zeros_like(h[0])]
        for t in reversed(range(len(x))):
            self.step(t, dhs[t] + self.carry[0], *cache)
        self.dW /= 1
        return self.dW

    def step(self, t, dh, x, h, c, f, i, g, o, W, U):
        tc = np.tanh(c[t + 1])
        dc = self.carry[1] + dh * o[t] * (1 - tc ** 2)
        df = dc * c[t]
        i_part = dc * g[t] * i[t] * (1 - i[t])
        self.das.append(np.stack([(df * f[t] * (1 - f[t])).T, i_part.T]))
        self.last = np.stack([(dc * i[t] * (1 - g[t] ** 2)).T, (dh * tc * o[t] * (1 - o[t])).T])
        every = [*self.das[-1], *self.last]
        for k, a in enumerate(every):
            self.dW[k] += a @ x[t]
        self.carry[0] = sum(a.T @ U[k] for k, a in zip("figo", every))
        self.carry[1] = dc * f[t]

backward = Layer()
"""

FILLED = """
import numpy as np

def backward(dhs, cache):
    x, h, c, f, i, g, o, W, U = cache
    n = h.shape[-1]
    da_f, da_i, da_g, da_o = (np.empty_like(h[0]) for _ in range(4))
    dc, dh, df = np.zeros_like(h[0]), np.zeros_like(h[0]), np.empty_like(h[0])
    dW_f = 0.0
    for t in range(len(x) - 1, -1, -1):
        dh += dhs[t]
        tc = np.tanh(c[t + 1])
        dc += dh * o[t] * (1 - tc ** 2)
        np.multiply(dc, c[t], out=df)
        np.multiply(df, f[t] * (1 - f[t]), out=da_f)
        for e in range(len(dh)):
            for j in range(n): da_i[e, j] = dc[e, j] * g[t][e, j] * i[t][e, j] * (1 - i[t][e, j])
        np.copyto(da_g, dc * i[t] * (1 - g[t] ** 2))
        da_o[...] = dh * tc * o[t] * (1 - o[t])
        dW_f = dW_f + da_f.T @ x[t]
        dh[:] = da_f @ U["f"] + da_i @ U["i"] + da_g @ U["g"] + da_o @ U["o"]
        dc *= f[t]
    return dW_f
"""

STYLES = {"separate": SEPARATE, "stacked": STACKED, "columns": COLUMNS, "class": CLASS, "filled": FILLED}

# quantity, how the formulas below are changed, and in each style: what is replaced by what, and the text of the line
MISTAKES: dict[str, tuple[str, str, dict[str, tuple[str, str, str]]]] = {
    "δa_i without (1 - i)": (
        "δa_i",
        "no complement",
        {
            "separate": ("* i[t] * (1 - i[t])\n", "* i[t]\n", 'da["i"] = ('),
            "stacked": ("g[t] * i[t] * (1 - i[t])", "g[t] * i[t]", "pre[t, :, n:2 * n] ="),
            "columns": ("g[t] * slope(i[t])", "g[t] * i[t]", "dz = np.hstack("),
            "class": ("g[t] * i[t] * (1 - i[t])", "g[t] * i[t]", "i_part ="),
            "filled": (" * (1 - i[t][e, j])", "", "da_i[e, j] ="),
        },
    ),
    "δf with c of this step": (
        "δf",
        "late c",
        {
            style: (old, old.replace("c[t]", "c[t + 1]"), line)
            for style, (old, line) in {
                "separate": ("df = dc * c[t]\n", "df ="),
                "stacked": ("df = dc * c[t]\n", "df ="),
                "columns": ("df = dc * c[t]\n", "df ="),
                "class": ("df = dc * c[t]\n", "df ="),
                "filled": ("np.multiply(dc, c[t],", "np.multiply(dc, c["),
            }.items()
        },
    ),
    "δc without the derivative": (
        "δc",
        "no slope",
        {
            style: (" * (1 - tc ** 2)", "", line)
            for style, line in {
                "separate": "dc = dh",
                "stacked": "dc = dh",
                "columns": "dc = dh",
                "class": "dc = self.carry[1]",
                "filled": "dc += dh",
            }.items()
        },
    ),
}
CASES = [(style, mistake) for mistake, (_, _, styles) in MISTAKES.items() for style in styles]


def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def quantities(dhs: Array, cache: tuple[Any, ...], change: str = "") -> dict[str, list[Array]]:
    """The values of every derived quantity at every step, columns for each example, with a mistake in one formula."""
    x, _, c, f, i, g, o, _, U = cache
    found: dict[str, list[Array]] = {name: [np.zeros(0)] * T for name in ("δc", "δf", "δa_i", "δa_f", "W_f")}
    dh_next, dc_next = np.zeros((N, H)), np.zeros((N, H))
    for t in reversed(range(T)):
        dh = dhs[t] + dh_next
        tc = np.tanh(c[t + 1])
        dc = (dh * o[t]) * (1.0 if change == "no slope" else 1 - tc * tc) + dc_next
        df = dc * (1.0 if change == "no c" else c[t + 1 if change == "late c" else t])
        da = {
            "f": df * (1.0 if change == "no slope of f" else f[t] - f[t] ** 2),
            "i": dc * g[t] * (i[t] if change == "no complement" else i[t] - i[t] ** 2),
            "g": dc * i[t] * (1 - g[t] ** 2),
            "o": dh * tc * (o[t] - o[t] ** 2),
        }
        dh_next = np.sum([np.einsum("kj,nk->nj", U[k], da[k]) for k in "figo"], axis=0)
        dc_next = dc * f[t]
        wf = np.einsum("nk,nj->kj", da["f"], x[t])
        for name, value in zip(found, (dc, df, da["i"], da["f"], wf), strict=True):
            found[name][t] = value if name == "W_f" else value[:, :, None]
    return found


@pytest.fixture(scope="module")
def point() -> tuple[Array, tuple[Any, ...]]:
    rng = np.random.default_rng(3)
    x, h, c = rng.normal(size=(T, N, D)), rng.normal(size=(T + 1, N, H)), rng.normal(size=(T + 1, N, H))
    f, i, o = (sigmoid(rng.normal(size=(T, N, H))) for _ in range(3))
    W = {k: rng.normal(size=(H, D)) for k in "figo"}
    U = {k: rng.normal(size=(H, H)) for k in "figo"}
    return rng.normal(size=(T, N, H)), (x, h, c, f, i, np.tanh(rng.normal(size=(T, N, H))), o, W, U)


@pytest.fixture
def write(tmp_path: Path) -> Iterator[Callable[[str], ModuleType]]:
    """Write a text to a file of its own, and import it."""
    yield functools.partial(load, tmp_path)
    linecache.clearcache()


def line_with(text: str, part: str) -> int:
    (number,) = [number for number, line in enumerate(text.split("\n"), 1) if part in line]
    return number


Point = tuple[Array, tuple[Any, ...]]
Write = Callable[[str], ModuleType]


@pytest.mark.parametrize(("style", "mistake"), CASES)
def test_the_line_with_the_mistake_is_named(write: Write, point: Point, style: str, mistake: str) -> None:
    quantity, change, styles = MISTAKES[mistake]
    old, new, shown = styles[style]
    text = STYLES[style]
    assert text.count(old) == 1
    text = text.replace(old, new)
    module = write(text)
    seen = trace(module.backward, *point)
    assert seen.error is None
    assert seen.complete
    wrong, right = quantities(*point, change), quantities(*point)
    found = locate(seen, {quantity: wrong[quantity]}, right, "as derived")
    assert found is not None
    assert (found.line, found.file) == (line_with(text, shown), Path(module.__file__ or "").name)
    assert shown in found.text
    assert found.expected == "as derived"


@pytest.mark.parametrize("style", STYLES)
def test_a_right_pass_has_no_wrong_line(write: Write, point: Point, style: str) -> None:
    seen = trace(write(STYLES[style]).backward, *point)
    right = quantities(*point)
    for quantity, change, _ in MISTAKES.values():
        assert locate(seen, {quantity: quantities(*point, change)[quantity]}, right) is None
        assert locate(seen, {quantity: right[quantity]}, right) is None  # nothing is wrong


@pytest.mark.parametrize("style", STYLES)
def test_every_quantity_is_recognised_in_every_style(write: Write, point: Point, style: str) -> None:
    seen = trace(write(STYLES[style]).backward, *point)
    for name, steps in quantities(*point).items():
        assert locate(seen, {name: steps}, {}) is not None, name


def test_a_relative_error_of_a_millionth_is_another_number(write: Write, point: Point) -> None:
    seen = trace(write(SEPARATE).backward, *point)
    off = [step * (1 + 1e-6) for step in quantities(*point)["δf"]]
    assert locate(seen, {"δf": off}, {}) is None
    bent = [step.copy() for step in quantities(*point)["δf"]]
    bent[1][2, 3] += 1e-6
    assert locate(seen, {"δf": bent}, {}) is None


def test_what_is_summed_over_the_steps_is_found_where_it_ends_up(write: Write, point: Point) -> None:
    text = SEPARATE.replace("dW[k] += da[k].T @ x[t]", "dW[k] += da[k].T @ x[t] / len(x[t])")
    right = quantities(*point)["W_f"]
    found = locate(trace(write(text).backward, *point), {"W_f": [step / N for step in right]}, {"W_f": right})
    assert found is not None
    assert (found.text, found.variable) == ("dW[k] += da[k].T @ x[t] / len(x[t])", "dW[k]")
    assert found.line == line_with(text, "dW[k] +=")


def test_a_value_handed_on_unchanged_is_a_mistake_where_it_is_handed_on(write: Write, point: Point) -> None:
    text = SEPARATE.replace('da["f"] = df * f[t] * (1 - f[t])', 'da["f"] = df')
    wrong, right = quantities(*point, "no slope of f"), quantities(*point)
    found = locate(trace(write(text).backward, *point), {"δa_f": wrong["δa_f"]}, right, others=wrong)
    assert found is not None
    assert found.text == 'da["f"] = df'


def test_a_copy_is_named_only_where_nothing_computes_the_value(write: Write, point: Point) -> None:
    text = SEPARATE.replace("df = dc * c[t]", "df = dc.copy()")
    wrong, right = quantities(*point, "no c"), quantities(*point)
    found = locate(trace(write(text).backward, *point), {"δf": wrong["δf"]}, right)
    assert found is not None
    assert found.text.startswith("dc = dh")
    cut = SEPARATE.replace("dh = dhs[t] + dh_next", "dh = dhs[t]")
    found = locate(trace(write(cut).backward, *point), {"δh": list(point[0])}, {})
    assert found is not None
    assert found.text == "dh = dhs[t]"


def test_the_first_quantity_that_is_wrong_is_looked_for_first(write: Write, point: Point) -> None:
    text = SEPARATE.replace("df = dc * c[t]", "df = dc * c[t + 1]")
    wrong, right = quantities(*point, "late c"), quantities(*point)
    seen = trace(write(text).backward, *point)
    both = locate(seen, {"δa_f": wrong["δa_f"], "δf": wrong["δf"]}, right, {"δa_f": "first", "δf": "second"})
    assert both is not None
    assert (both.variable, both.expected) == ("da['f']", "first")
    absent = locate(seen, {"δx": [np.full((N, H), 7.0)] * T, "δf": wrong["δf"]}, right, {"δf": "second"})
    assert absent is not None
    assert (absent.variable, absent.expected) == ("df", "second")


def test_zeros_and_what_is_not_finite_are_nowhere(write: Write, point: Point) -> None:
    seen = trace(write(SEPARATE).backward, *point)
    assert locate(seen, {"δc": [np.zeros((N, H))] * T}, {}) is None
    assert locate(seen, {"δc": [np.full((N, H), np.nan)] * T}, {}) is None
    assert locate(seen, {"δc": []}, {}) is None


# --- functions in all their forms -------------------------------------------------------------------------------------

DOUBLE = """
import functools

def double(x):
    y = 2 * x
    return y

def loud(function):
    @functools.wraps(function)
    def inner(*args):
        return function(*args)
    return inner

def silent(function):
    def inner(*args):
        return function(*args)
    return inner

class Doubler:
    def __call__(self, x):
        y = 2 * x
        return y
    def method(self, x):
        y = 2 * x
        return y
    @staticmethod
    def static(x):
        y = 2 * x
        return y
    @classmethod
    def of_class(cls, x):
        y = 2 * x
        return y

wrapped, wrapped_silently = loud(double), silent(double)
twice_wrapped = loud(silent(loud(double)))
instance = Doubler()
method, static, of_class = instance.method, Doubler.static, Doubler.of_class
partial = functools.partial(functools.partial(double))
one_line = lambda x: 2 * x
def generator(x):
    y = 2 * x
    yield y
    return y
def run_generator(x):
    return list(generator(x))
def recursive(x, depth=30):
    y = 2 * x if depth == 0 else recursive(x, depth - 1)
    return y
"""


@pytest.mark.parametrize(
    "name",
    "double wrapped wrapped_silently twice_wrapped instance method static of_class partial one_line run_generator "
    "recursive".split(),
)
def test_functions_in_every_form_are_unwrapped(write: Write, name: str) -> None:
    module = write(DOUBLE)
    x = np.array([0.7, -1.3, 2.9])
    found = locate(trace(getattr(module, name), x), {"y": [2 * x]}, {})
    assert found is not None
    assert "2 * x" in found.text


def test_a_function_is_found_inside_another_run(write: Write) -> None:
    module, x = write(DOUBLE), np.array([0.7, -1.3])
    seen = watch(lambda: [module.double(x), module.method(x)], [module.double])
    assert {record.statement.line for record in seen.records} == {line_with(DOUBLE, "def double") + 1, 6}
    assert np.array_equal(seen.returned[1], 2 * x)


def _executed_without_source() -> Callable[..., Any]:
    space: dict[str, Any] = {}
    exec(compile("def f(x):\n    y = 2 * x\n    return y\n", "<nowhere>", "exec"), space)
    return space["f"]


SOURCELESS: dict[str, Callable[..., Any]] = {
    "builtin": sum,
    "ufunc": np.negative,
    "C function": np.dot(np.ones(1), np.ones(1)).item,
    "type": np.float64,
    "executed text": _executed_without_source(),
    "partial of a builtin": functools.partial(np.multiply, 2.0),
    "nothing that can be called": 3,  # type: ignore[dict-item]
}


@pytest.mark.parametrize("case", SOURCELESS)
def test_without_source_there_is_no_line(case: str) -> None:
    x = np.array([0.7, -1.3])
    seen = trace(SOURCELESS[case], x)
    assert seen.records == []
    assert locate(seen, {"y": [2 * x]}, {}) is None
    assert sys.gettrace() is None or "coverage" in repr(sys.gettrace())


def test_a_file_that_changed_to_nonsense_is_no_source(write: Write) -> None:
    module = write("def f(x):\n    y = 2 * x\n    return y\n")
    Path(module.__file__ or "").write_text("def f(x:\n")
    linecache.clearcache()
    assert trace(module.f, np.ones(2)).records == []


# --- a hostile world --------------------------------------------------------------------------------------------------


@pytest.fixture
def tracer() -> Iterator[list[str]]:
    """A tracer of somebody else's that is set already."""
    events: list[str] = []

    def theirs(frame: Any, event: str, argument: Any) -> Any:
        events.append(event)
        return None

    before = sys.gettrace()
    sys.settrace(theirs)
    yield events
    after = sys.gettrace()
    sys.settrace(before)
    assert after is theirs


def _raise(error: BaseException) -> Callable[..., Any]:
    def function(x: Array) -> None:
        y = 2 * x
        assert y is not None
        raise error

    return function


@pytest.mark.parametrize("error", [ValueError("no"), ZeroDivisionError(), SystemExit(3), RecursionError()])
@pytest.mark.usefixtures("tracer")
def test_an_exception_ends_the_run_and_is_kept(error: BaseException) -> None:
    x = np.array([0.7, -1.3])
    seen = trace(_raise(error), x)
    assert seen.error is not None
    assert seen.returned is None
    assert locate(seen, {"y": [2 * x]}, {}) is not None


@pytest.mark.usefixtures("tracer")
def test_an_interrupt_goes_through_and_the_tracer_is_back() -> None:
    with pytest.raises(KeyboardInterrupt):
        trace(_raise(KeyboardInterrupt()), np.ones(2))


def test_a_tracer_that_the_function_sets_does_not_stay(write: Write, tracer: list[str]) -> None:
    module = write("import sys\ndef f(x):\n    y = 2 * x\n    sys.settrace(None)\n    z = 3 * x\n    return z\n")
    x = np.array([0.7, -1.3])
    assert locate(trace(module.f, x), {"y": [2 * x]}, {}) is not None
    seen = len(tracer)
    (lambda: None)()
    assert len(tracer) > seen  # theirs is called again


def test_a_caught_exception_assigns_nothing(write: Write) -> None:
    text = "def f(x):\n    y = x\n    try:\n        y = 1 / 0 * x\n    except ZeroDivisionError:\n        z = y\n"
    text += "    return 2 * z\n"
    found = locate(trace(write(text).f, np.array([0.7, -1.3])), {"y": [np.array([0.7, -1.3])]}, {})
    assert found is not None
    assert found.line == 2


def test_a_statement_over_several_lines_assigns_once(write: Write) -> None:
    text = (
        "def f(x):\n    y = 2 * x\n    for _ in range(2):\n        y = (\n            y\n            + x\n        )\n"
    )
    text += "    return y\n"
    seen = trace(write(text).f, np.array([1.0, 2.0]))
    assigned = [record.value.tolist() for record in seen.records if record.statement.line == 4]
    assert assigned == [[3.0, 6.0], [4.0, 8.0]]


def test_another_thread_is_left_alone(write: Write) -> None:
    text = (
        "import threading\ndef work(x):\n    y = 2 * x\ndef f(x):\n    t = threading.Thread(target=work, args=(x,))\n"
    )
    text += "    t.start()\n    t.join()\n    z = 3 * x\n    return z\n"
    x = np.array([0.7, -1.3])
    seen = trace(write(text).f, x)
    assert locate(seen, {"z": [3 * x]}, {}) is not None
    assert locate(seen, {"y": [2 * x]}, {}) is None
    assert threading.gettrace() is None


def test_long_loops_are_watched_for_a_while(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracing, "MOST_EVENTS", 3000)
    text = "def f(x):\n    y = 2 * x\n    k = 0\n    while k < 1_000_000:\n        k += 1\n    z = 3 * x\n"
    text += "    return z, k\n"
    x = np.array([0.7, -1.3])
    watching = tracing._Watching
    counted: list[int] = []

    class Counting(watching):  # type: ignore[misc, valid-type]
        def count(self) -> None:
            counted.append(1)
            super().count()

    monkeypatch.setattr(tracing, "_Watching", Counting)
    seen = trace(write(text).f, x)
    assert seen.returned[1] == 1_000_000  # it ran to its end
    assert len(counted) <= 3001  # and was not looked at any more
    assert not seen.complete
    assert locate(seen, {"y": [2 * x]}, {}) is not None
    assert locate(seen, {"z": [3 * x]}, {}) is None


def test_many_calls_of_others_are_watched_for_a_while(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracing, "MOST_EVENTS", 3000)
    text = "import functools, textwrap\ndef f(x):\n    y = 2 * x\n"
    text += "    for _ in range(200): k = [textwrap.indent(str(n), '') for n in range(20)]\n"
    text += "    z = 3 * x\n    return z, k\n"
    x = np.array([0.7, -1.3])
    seen = trace(write(text).f, x)
    assert seen.returned[1][-1] == "19"
    assert not seen.complete
    assert locate(seen, {"y": [2 * x]}, {}) is not None
    assert locate(seen, {"z": [3 * x]}, {}) is None


def test_memory_is_bounded(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracing, "MOST_BYTES", 100_000)
    text = "import numpy as np\ndef f(x):\n    for k in range(300):\n        y = x + k\n"
    text += "    big = np.ones((1000, 1000))\n    return y\n"
    seen = trace(write(text).f, np.ones(1000))
    assert sum(record.value.nbytes for record in seen.records) <= 100_000
    assert not seen.complete
    assert seen.returned[0] == 300
    monkeypatch.undo()
    seen = trace(write(text).f, np.ones(1000))
    assert max(record.value.size for record in seen.records) == 1000  # the large array is left out
    assert not seen.complete


def test_values_are_copies(write: Write) -> None:
    text = "import numpy as np\ndef f(x):\n    y = 2 * x\n    y[:] = 0\n    y += 5\n    return y\n"
    seen = trace(write(text).f, np.array([1.0, 2.0]))
    assert [record.value.tolist() for record in seen.records] == [[2.0, 4.0], [0.0, 0.0], [5.0, 5.0], [5.0, 5.0]]


class _Hostile:
    """Runs code of its own wherever it is looked at."""

    touched: list[str]

    def __getattribute__(self, name: str) -> Any:
        raise AssertionError(name)

    def __getitem__(self, key: Any) -> Any:
        raise AssertionError(key)

    def __eq__(self, other: object) -> bool:
        raise AssertionError

    __hash__ = None  # type: ignore[assignment]

    def __setitem__(self, key: Any, value: Any) -> None:
        object.__setattr__(self, "held", value)


class _Property:
    calls = 0

    @property
    def total(self) -> Array:
        type(self).calls += 1
        return np.ones(2)

    @total.setter
    def total(self, value: Array) -> None:
        pass


def test_nothing_of_somebody_s_is_run_for_the_sake_of_looking(write: Write) -> None:
    text = "def f(x, held, owner):\n    held['a'] = 2 * x\n    held[x] = 1\n    owner.total = x\n    owner[g()] = x\n"
    text += "    return held\ncalls = []\ndef g():\n    calls.append(1)\n    return 0\n"
    _Property.__setitem__ = lambda self, key, value: None  # type: ignore[attr-defined]
    module = write(text)
    seen = trace(module.f, np.array([1.0, 2.0]), _Hostile(), _Property())
    assert seen.error is None
    assert _Property.calls == 0
    assert module.calls == [1]


# --- statements -------------------------------------------------------------------------------------------------------


def statements(tmp_path: Path, text: str) -> list[Any]:
    path = tmp_path / f"text_{next(_count)}.py"
    path.write_text(text, encoding="utf-8")
    return list(dict.fromkeys(s for line in read_statements(str(path)).values() for s in line))


COMPUTING = {
    "a = b": False,
    "a = b.T": False,
    "a = b[1:, ::2].copy()": False,
    "a, c = b, d": False,
    "a = np.concatenate([b, c], axis=1)": False,
    "a = b.reshape(-1, 2)": False,
    "a = -1": False,
    "a = b * c": True,
    "a = -b": True,
    "a = np.tanh(b)": True,
    "a += b": True,
    "a = np.hstack([b * c, d])": True,
    "np.multiply(a, b, out=c)": True,
    "as_.append(b)": False,
    "return b": False,
}


@pytest.mark.parametrize("text", COMPUTING)
def test_a_copy_is_told_from_a_computation(tmp_path: Path, text: str) -> None:
    body = f"def f():\n    {text}\n"
    (statement,) = statements(tmp_path, body)
    assert statement.computes is COMPUTING[text]
    assert statement.text == text


def test_a_statement_s_text_is_what_was_written(tmp_path: Path) -> None:
    text = (
        "class A:\n    def f(self):\n        δ = 1; y = (δ *\n            2 +\n          # why\n            3)  # end\n"
    )
    first, second = statements(tmp_path, text)
    assert first.text == "δ = 1"
    assert second.text == "y = (δ *\n    2 +\n  # why\n    3)"
    assert (second.line, second.end) == (3, 6)


def test_where_the_sign_is_wrong_the_sign_counts(write: Write, point: Point) -> None:
    right = quantities(*point)["δa_f"]
    flipped = SEPARATE.replace("dU[k] += da[k].T @ h[t]", "dU[k] -= da[k].T @ h[t]")
    seen = trace(write(flipped).backward, *point)
    assert locate(seen, {"δa_f": [-step for step in right]}, {"δa_f": right}) is None
    assert locate(seen, {"δa_f": [-step for step in right]}, {}) is not None


def test_another_quantity_of_the_same_value_matters_if_it_comes_before(write: Write, point: Point) -> None:
    text = SEPARATE.replace("df = dc * c[t]", "df = dc * c[t]\n        again = c[t] * dc")
    steps = quantities(*point)["δf"]
    seen = trace(write(text).backward, *point)
    for others, expected in (({"δf": steps, "other": steps}, "df"), ({"other": steps, "δf": steps}, "again")):
        found = locate(seen, {"δf": steps}, {}, others=others)
        assert found is not None
        assert found.variable == expected


# --- the lines of an object's methods ---------------------------------------------------------------------------------

GRU = """
import numpy as np

class GRU:
    def __init__(self, D, H):
        rng = np.random.default_rng(0)
        for gate in "zrn":
            setattr(self, "W" + gate, rng.normal(size=(H, D)))
            setattr(self, "U" + gate, rng.normal(size=(H, H)))
            setattr(self, "b" + gate, rng.normal(size=H))

    def forward(self, x, h0):
        self.x, self.kept, h, out = x, [], h0, []
        for t in range(len(x)):
            z = 1 / (1 + np.exp(-(x[t] @ self.Wz.T + h @ self.Uz.T + self.bz)))
            r = 1 / (1 + np.exp(-(x[t] @ self.Wr.T + h @ self.Ur.T + self.br)))
            n = np.tanh(x[t] @ self.Wn.T + (r * h) @ self.Un.T + self.bn)
            self.kept.append((h, z, r, n))
            h = z * h + (1 - z) * n
            out.append(h)
        return np.stack(out)

    def backward(self, dhs):
        self.grads = {k + g: np.zeros_like(getattr(self, k + g)) for g in "zrn" for k in "WUb"}
        dx = np.zeros_like(self.x)
        self.dh_next = np.zeros_like(dhs[0])
        for t in reversed(range(len(dhs))):
            h, z, r, n = self.kept[t]
            dh = dhs[t] + self.dh_next
            dn = dh * (1 - z) * (1 - n**2)
            dz = dh * (h - n) * z * (1 - z)
            drh = dn @ self.Un
            dr = drh * h * r * (1 - r)
            for g, d in (("z", dz), ("r", dr), ("n", dn)):
                read = r * h if g == "n" else h
                self.grads["W" + g] += d.T @ self.x[t]
                self.grads["U" + g] += d.T @ read
                self.grads[f"b{g}"] += d.sum(0)
            dx[t] = dz @ self.Wz + dr @ self.Wr + dn @ self.Wn
            self.dh_next = dh * z + dz @ self.Uz + dr @ self.Ur + drh * r
        return dx, self.dh_next

layer = GRU(3, 4)
"""

GATES = "zrn"
NOT_HANDED = (CarryCut(frozenset({"h"})),)
AT_ZERO = (*NOT_HANDED, InitialGradientLost((("h", no_gradient),)))
OF_OBJECTS = {
    "cut": (NOT_HANDED, ("h_prev",), "dh = dhs[t] + self.dh_next", "dh = dhs[t]", "dh ="),
    "left at zero": (AT_ZERO, ("h_prev",), "self.dh_next = dh * z +", "self.dh_next = 0 * dh; _ = z +", "= 0 * dh;"),
    "not handed on": (
        NOT_HANDED,
        ("h_prev",),
        "self.dh_next = dh * z",
        "dh_prev = dh * z",
        "dh_prev =",
    ),
    "not summed": (
        (TermsCounted(tuple((f"W_{gate}", first_only) for gate in GATES)),),
        tuple(f"W_{gate}" for gate in GATES),
        'self.grads["W" + g] += d',
        'self.grads["W" + g] = d',
        'self.grads["W" + g] =',
    ),
    "mean": (
        (GradientScaled(tuple((f"b_{gate}", over_batch) for gate in GATES)),),
        tuple(f"b_{gate}" for gate in GATES),
        "d.sum(0)",
        "d.mean(0)",
        'self.grads[f"b{g}"] +=',
    ),
    "clipped": (
        (EntriesClipped((("U_z", 1e-4),)),),
        ("U_z",),
        "return dx, self",
        'self.grads["Uz"] = np.clip(self.grads["Uz"], -1e-4, 1e-4)\n        return dx, self',
        "np.clip(",
    ),
}


@pytest.mark.parametrize("case", OF_OBJECTS)
def test_the_lines_of_an_object_that_keeps_its_gradients(write: Write, case: str) -> None:
    tag = {"not summed": "missing-accumulation", "mean": "mean-for-sum"}.get(case, "recurrent-path-cut")
    effects, about, old, new, shown = OF_OBJECTS[case]
    assert GRU.count(old) == 1
    text = GRU.replace(old, new)
    rng = np.random.default_rng(1)
    inputs = {"x": rng.normal(size=(5, 2, 3)), "h0": rng.normal(size=(2, 4))}
    weights = [kind + gate for gate in GATES for kind in "WUb"]
    forward, backward, given = from_object(write(text).layer, attributes=weights, inputs=inputs)
    subject = Subject(forward, backward, given)
    arrays = {flat: subject.arrays[path] for flat, path in subject.flat_names.items()}
    layout = identify(subject.flat_forward, arrays, among=[cells["gru_zold"]]).layout
    assert layout is not None
    derivation = derive(layout.cell)
    answer = Questionnaire(subject, layout, derivation).ask(Question(4, 2))
    assert answer is not None
    right = BackwardPass.right(derivation)
    found = FoundMistake(Mistake(tag, "", 0, effects=effects, about=about), right)
    (line,) = find_lines(subject, right, [answer], [found])
    assert line is not None
    assert line.line == line_with(text, shown)


HANDED = """
import numpy as np

def step(dh, h, U):
    da = dh * (1 - h**2)
    return da, da @ U

def backward(dhs, hs, U):
    carry = np.zeros_like(dhs[0])
    for t in reversed(range(len(dhs))):
        da, carry = step(dhs[t] + carry, hs[t], U)
    return carry
"""


def test_what_a_call_computes_for_its_argument_is_its_own(write: Write) -> None:
    rng = np.random.default_rng(2)
    dhs, hs, U = rng.normal(size=(T, N, H)), rng.normal(size=(T, N, H)), rng.normal(size=(H, H))
    carry, steps = np.zeros((N, H)), []
    for t in reversed(range(T)):
        steps.append(dhs[t] + carry)
        carry = (steps[-1] * (1 - hs[t] ** 2)) @ U
    found = locate(trace(write(HANDED).backward, dhs, hs, U), {"δh": steps}, {})
    assert found is not None
    assert found.line == line_with(HANDED, "da, carry = step(")


@pytest.mark.parametrize("key", ['"W" + g', 'f"W{g}"', 'f"{k}{g}"'])
def test_keys_put_together_are_looked_up(write: Write, key: str) -> None:
    text = f"def f(x):\n    held, k = {{}}, 'W'\n    for g in 'ab':\n        held[{key}] = 2 * x\n    return held\n"
    seen = trace(write(text).f, np.array([0.7, -1.3]))
    assert [record.statement.line for record in seen.records if record.value.tolist() == [1.4, -2.6]][:2] == [4, 4]
