"""Implementations of the corpus: their text, with mistakes planted in it, executed."""

from __future__ import annotations

import functools
import itertools
import linecache
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from tests.diagnosis.corpus.planted import LARGE, Planted

ROOM = Path(__file__).parent
NAMES = tuple(sorted(path.stem for path in ROOM.glob("*_*.py") if not path.stem.startswith("__")))
NOT_THEIRS = ("from tests.diagnosis.corpus.planted import", "# ruff:")
Array = np.ndarray


@dataclass(frozen=True)
class Implementation:
    """An implementation as it was executed, with what is planted in it.

    `forward(**inputs)` gives the outputs and, as the last entry of the tuple, the cache; `backward` takes a cotangent
    for each output, shaped and nested like it, and the cache, and gives gradients by name or in the inputs' order.

    Attributes:
        name: the file's name without its ending.
        about: layout and style, in a line.
        cell: the library's name of the cell; None for a cell that is not in it.
        definition: the cell's text in the cell language; None for a cell of the library.
        mistakes: what can be planted.
        planted: what is planted.
        text: the text that was executed.
        space: everything that the text defines.
    """

    name: str
    about: str
    cell: str | None
    definition: str | None
    mistakes: tuple[Planted, ...] = field(repr=False)
    planted: tuple[Planted, ...]
    text: str = field(repr=False)
    space: Mapping[str, Any] = field(repr=False)

    @property
    def forward(self) -> Callable[..., Any]:
        return self.space["forward"]

    @property
    def backward(self) -> Callable[..., Any]:
        return self.space["backward"]

    @property
    def make_inputs(self) -> Callable[..., dict[str, Array]]:
        return self.space["make_inputs"]

    @property
    def single_step(self) -> bool:
        """Whether T means nothing to it."""
        return self.space.get("SINGLE_STEP", False)

    @property
    def takes_complex(self) -> bool:
        """Whether `forward` keeps the imaginary part of complex inputs."""
        return self.space.get("COMPLEX", True)

    def run(self, inputs: Mapping[str, Array]) -> tuple[dict[str, Array], tuple[Any, ...], Any]:
        """The outputs by path, the outputs as they are nested, and the cache."""
        *outputs, cache = self.forward(**inputs)
        return dict(leaves(tuple(outputs))), tuple(outputs), cache

    def gradients(self, inputs: Mapping[str, Array], cotangents: Mapping[str, Array]) -> dict[str, Array]:
        """The gradients by input, for these cotangents by output path."""
        _, outputs, cache = self.run(inputs)
        answer = self.backward(*rebuilt(outputs, cotangents), cache)
        return dict(answer) if isinstance(answer, Mapping) else dict(zip(inputs, answer, strict=True))


def leaves(tree: Any, path: str = "") -> Iterator[tuple[str, Array]]:
    """The arrays of nested tuples and dicts, each with its path."""
    if not isinstance(tree, tuple | dict):
        yield path, tree
        return
    for key, value in tree.items() if isinstance(tree, dict) else enumerate(tree):
        yield from leaves(value, f"{path}[{key!r}]")


def rebuilt(tree: Any, values: Mapping[str, Array], path: str = "") -> Any:
    """The values by path, nested as the tree is."""
    if isinstance(tree, dict):
        return {key: rebuilt(value, values, f"{path}[{key!r}]") for key, value in tree.items()}
    if isinstance(tree, tuple):
        return tuple(rebuilt(value, values, f"{path}[{key!r}]") for key, value in enumerate(tree))
    return np.array(values[path])


def module(name: str) -> ModuleType:
    return import_module(f"tests.diagnosis.corpus.{name}")


@functools.cache
def plain(name: str) -> str:
    """An implementation's own text: no mistakes listed, the lines where they are in the file."""
    text = (ROOM / f"{name}.py").read_text(encoding="utf-8")
    lines = ["" if line.startswith(NOT_THEIRS) else line for line in text.split("\nMISTAKES")[0].split("\n")]
    return "\n".join(lines).rstrip() + "\n"


def edits(planted: Planted) -> tuple[tuple[str, str, int], ...]:
    return ((planted.old, planted.new, planted.count), *((old, new, 1) for old, new in planted.more))


def places(name: str, planted: Planted) -> list[tuple[int, int, str]]:
    """Start, end and new text of every replacement.

    Raises:
        ValueError: the text replaced does not occur as often as said.
    """
    text, found = plain(name), []
    for old, new, count in edits(planted):
        starts = [at for at in range(len(text)) if text.startswith(old, at)]
        if len(starts) != count:
            raise ValueError(f"{name}, {planted.site}: {old!r} occurs {len(starts)} times, expected {count}")
        found += [(at, at + len(old), new) for at in starts]
    return found


def compatible(name: str, p: Planted, q: Planted) -> bool:
    """Whether both can be planted: they replace different places."""
    return all(a[1] <= b[0] or b[1] <= a[0] for a in places(name, p) for b in places(name, q))


def source(name: str, *planted: Planted) -> str:
    """The text of an implementation with these mistakes in it."""
    text = plain(name)
    every = sorted((place for each in planted for place in places(name, each)), reverse=True)
    for start, end, new in every:
        text = text[:start] + new + text[end:]
    return text


_count = itertools.count()


def load(name: str, *planted: Planted) -> Implementation:
    """Plant these mistakes, and execute the text; `inspect` finds the source of its functions."""
    text, about = source(name, *planted), module(name)
    file = f"<{name} {next(_count)}>"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    space: dict[str, Any] = {"__name__": f"corpus_{name}"}
    exec(compile(text, file, "exec"), space)
    definition = getattr(about, "DEFINITION", None)
    return Implementation(name, about.ABOUT, about.CELL, definition, tuple(about.MISTAKES), planted, text, space)


def implementations() -> list[Implementation]:
    """All of them, right as they are."""
    return [load(name) for name in NAMES]


def cotangents_of(outputs: Mapping[str, Array], seed: int = 1) -> dict[str, Array]:
    rng = np.random.default_rng(seed)
    return {path: rng.normal(size=np.shape(value)) for path, value in outputs.items()}


@functools.cache
def effect(name: str, *planted: Planted) -> Array:
    """Outputs, then all gradients at T = 5, N = 3, for cotangents of order one and for large ones, in one vector."""
    loaded, parts = load(name, *planted), []
    inputs = loaded.make_inputs(np.random.default_rng(0), 5, 3)
    outputs = loaded.run(inputs)[0]
    for scale in (1.0, 100.0):
        cotangents = {path: scale * value for path, value in cotangents_of(outputs).items()}
        gradients = loaded.gradients(inputs, cotangents)
        parts += [np.ravel(gradients[key]) / scale for key in inputs]
    return np.concatenate([np.ravel(value) for value in outputs.values()] + parts)


def differ(a: Array, b: Array) -> bool:
    return a.shape != b.shape or bool(np.linalg.norm(a - b) > 1e-6 * np.linalg.norm(b))


def distinct(name: str, *planted: Planted) -> bool:
    """Whether these can be planted together, and none of them hides another."""
    if not all(compatible(name, p, q) for p, q in itertools.combinations(planted, 2)):
        return False
    try:
        whole = effect(name, *planted)
    except Exception:  # two replacements may want the same name
        return False
    fewer = itertools.chain(*(itertools.combinations(planted, k) for k in range(len(planted))))
    return all(differ(whole, effect(name, *part)) for part in fewer)


def chosen(name: str, size: int, count: int) -> list[tuple[Planted, ...]]:
    rng, found = random.Random(f"{name} {size}"), []
    mistakes = [mistake for mistake in module(name).MISTAKES if mistake.needs != LARGE]
    for _ in range(50 * count):
        together = tuple(sorted(rng.sample(mistakes, size), key=mistakes.index))
        if together not in found and distinct(name, *together):
            found.append(together)
        if len(found) == count:
            break
    return found


def pairs(name: str, count: int) -> list[tuple[Planted, ...]]:
    """Mistakes two at a time, always the same ones; none hides the other."""
    return chosen(name, 2, count)


def triples(name: str, count: int) -> list[tuple[Planted, ...]]:
    """Mistakes three at a time, always the same ones; none hides another."""
    return chosen(name, 3, count)
