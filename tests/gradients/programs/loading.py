"""Programs of the corpus: their text, with mistakes planted in it, as a file that is imported."""

from __future__ import annotations

import functools
import importlib.util
import itertools
import random
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from tests.gradients.programs.planted import Slip
from tests.gradients.programs.truth import Arrays, errors

ROOM = Path(__file__).parent
PLANTED = "\n# --- planted"
"""The line under which a file says what can be planted in the program above it."""
NOT_THEIRS = ("# ruff:", "# fmt:")
NAMES = tuple(sorted(path.stem for path in ROOM.glob("*.py") if PLANTED in path.read_text(encoding="utf-8")))
NAMES = tuple(name for name in NAMES if name != "loading")
_SCRATCH = tempfile.TemporaryDirectory(prefix="programs")


@dataclass(frozen=True)
class Program:
    """A program as it was imported, with what is planted in it.

    Attributes:
        name: the file's name without its ending.
        planted: what is planted.
        file: the file that was imported; it holds the program alone.
        module: what was imported.
        lines: for each mistake, the numbers of the lines that are fair to point at.
    """

    name: str
    planted: tuple[Slip, ...]
    file: Path
    module: ModuleType
    lines: tuple[frozenset[int], ...]

    def errors(self) -> dict[str, float]:
        """The relative error of each gradient, by differences."""
        about = data(self.name)
        return errors(about.evaluate, self.module, example(self.name), about.STEP if hasattr(about, "STEP") else 1e-4)

    def wrong(self) -> set[str]:
        """The names of the gradients that are wrong."""
        bound = tolerance(self.name)
        return {name for name, error in self.errors().items() if not error < bound}


def data(name: str) -> ModuleType:
    """What a file says of its program: HELD, ABOUT, CALL, example, evaluate, MISTAKES."""
    return import_module(f"tests.gradients.programs.{name}")


def tolerance(name: str) -> float:
    """The error up to which differences call a gradient right; programs in single precision say their own."""
    return getattr(data(name), "TOLERANCE", 1e-6)


def example(name: str) -> Arrays:
    """The arrays at which a program is looked at."""
    arrays: Arrays = data(name).example(np.random.default_rng(3))
    return arrays


@functools.cache
def peer(name: str) -> str:
    """The framework that a program needs beside NumPy; empty where it needs none."""
    text = plain(name)
    return next((one for one in ("torch", "jax") if f"import {one}\n" in text), "")


@functools.cache
def held(name: str) -> bool:
    """Whether a program is set aside: not to be looked at while the checker is being improved."""
    return "\nHELD = True\n" in (ROOM / f"{name}.py").read_text(encoding="utf-8")


@functools.cache
def plain(name: str) -> str:
    """A program's own text, the lines where they are in the file."""
    text = (ROOM / f"{name}.py").read_text(encoding="utf-8").split(PLANTED)[0]
    lines = ["" if line.startswith(NOT_THEIRS) else line for line in text.split("\n")]
    return "\n".join(lines).rstrip() + "\n"


def places(name: str, slip: Slip) -> list[tuple[int, int, str]]:
    """Start, end and new text of every replacement.

    Raises:
        ValueError: a text to be replaced does not occur once.
    """
    text, found = plain(name), []
    for old, new in slip.edits:
        if text.count(old) != 1:
            raise ValueError(f"{name}: {old!r} occurs {text.count(old)} times, expected once")
        found.append((text.index(old), text.index(old) + len(old), new))
    return found


def compatible(name: str, *slips: Slip) -> bool:
    """Whether all can be planted: they replace different places."""
    every = sorted(place[:2] for slip in slips for place in places(name, slip))
    return all(a[1] <= b[0] for a, b in itertools.pairwise(every))


def source(name: str, *slips: Slip) -> tuple[str, tuple[frozenset[int], ...]]:
    """The text of a program with these mistakes in it, and the lines that are fair to point at for each."""
    text, shift, starts = plain(name), 0, [set() for _ in slips]
    every = sorted((*place, n) for n, slip in enumerate(slips) for place in places(name, slip))
    for start, end, new, n in every:
        text = text[: start + shift] + new + text[end + shift :]
        first = start + shift + len(new) - len(new.lstrip("\n "))
        starts[n].add(
            (text.count("\n", 0, first) + 1, new.rstrip().count("\n") - new[: len(new) - len(new.lstrip())].count("\n"))
        )
        shift += len(new) - (end - start)
    rows = text.split("\n")
    fair = []
    for n, slip in enumerate(slips):
        asked = [part for part in (slip.line, *slip.lines) if part]
        lines = {row for row, one in enumerate(rows, 1) if any(part in one for part in asked)}
        lines |= set() if slip.line else {row for first, more in starts[n] for row in range(first, first + more + 1)}
        fair.append(frozenset(lines))
    return text, tuple(fair)


def load(name: str, *slips: Slip) -> Program:
    """Plant these mistakes, and import the file."""
    text, lines = source(name, *slips)
    file = Path(tempfile.mkdtemp(dir=_SCRATCH.name)) / f"{name}.py"
    file.write_text(text, encoding="utf-8")
    spec = importlib.util.spec_from_file_location(f"program_{file.parent.name}", file)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    sys.dont_write_bytecode, before = True, sys.dont_write_bytecode
    try:
        spec.loader.exec_module(module)
    finally:
        sys.dont_write_bytecode = before
    return Program(name, slips, file, module, lines)


def flat(tree: Any) -> np.ndarray:
    """All numbers of nested lists and dicts in one vector."""
    if isinstance(tree, dict):
        tree = list(tree.values())
    if isinstance(tree, list | tuple):
        return np.concatenate([np.zeros(0), *map(flat, tree)])
    return np.ravel(np.asarray(tree, dtype=float))


@functools.cache
def effect(name: str, *slips: Slip) -> np.ndarray:
    """The loss and all gradients in one vector."""
    value, gradients = data(name).evaluate(load(name, *slips).module, example(name))
    return np.concatenate([[value], flat(gradients)])


def differ(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether two effects are not the same up to differences that nobody would see."""
    return a.shape != b.shape or bool(np.linalg.norm(a - b) > 1e-6 * np.linalg.norm(b))


def distinct(name: str, slips: Sequence[Slip]) -> bool:
    """Whether these can be planted together, and each of them shows beside the others."""
    if not compatible(name, *slips):
        return False
    try:
        whole = effect(name, *slips)
    except Exception:  # two replacements may want the same name
        return False
    return all(differ(whole, effect(name, *(one for one in slips if one is not left))) for left in slips)


def together(name: str, size: int, count: int, draw: str = "") -> list[tuple[Slip, ...]]:
    """Mistakes of a program, some at a time; always the same, none hides another. All singles if `count` is 0.

    Another `draw` gives others.
    """
    mistakes: list[Slip] = list(data(name).MISTAKES)
    rng = random.Random(f"{name} {size} {draw}".rstrip())
    if size == 1:
        picked = rng.sample(mistakes, min(count, len(mistakes))) if count else mistakes
        return [(one,) for one in picked]
    found: list[tuple[Slip, ...]] = []
    for _ in range(50 * count if len(mistakes) >= size else 0):
        some = tuple(sorted(rng.sample(mistakes, size), key=mistakes.index))
        if some not in found and distinct(name, some):
            found.append(some)
        if len(found) == count:
            break
    return found
