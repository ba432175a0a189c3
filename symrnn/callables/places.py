"""Places inside somebody's objects: `forget_gate.W`, `layers[0].W`, `gates['f'].W`; read, written, and listed.

A place is parsed, never evaluated.  Knows nothing of what stands there.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from symrnn.arrays import Array
from symrnn.errors import InputError

_DEEPEST = 6
"""Objects within objects that are looked through: a model of layers of gates of parameters has four."""
_MOST = 2000
"""Things that are looked at: a model of fifty layers has some hundred arrays; what has more is a data set."""
_LONGEST = 200
"""Items of a list that are looked at: longer ones are data, or a tape."""
_ATOMS = (ModuleType, type, FunctionType, BuiltinFunctionType, MethodType, np.ufunc, np.generic, str, bytes, int, float)


@dataclass(frozen=True)
class HeldPlace:
    """A way from an object to something in it.

    Attributes:
        steps: pairs of whether it is an item, not an attribute, and of its name, key or index.
    """

    steps: tuple[tuple[bool, str | int], ...]

    def __str__(self) -> str:
        text = "".join(f"[{key!r}]" if item else f".{key}" for item, key in self.steps)
        return text.removeprefix(".")

    @property
    def above(self) -> HeldPlace:
        """The place of what holds it."""
        return HeldPlace(self.steps[:-1])

    @property
    def last(self) -> str:
        """The last name or key, as text."""
        return str(self.steps[-1][1])

    def beside(self, key: str | int) -> HeldPlace:
        """The place of another attribute or item of what holds it."""
        return HeldPlace((*self.steps[:-1], (self.steps[-1][0], key)))

    def read(self, owner: Any) -> Any:
        """What stands there.

        Raises:
            LookupError: there is no such thing.
        """
        for item, key in self.steps:
            owner = _step(owner, item, key)
        return owner

    def write(self, owner: Any, value: Any) -> None:
        """Put something there.

        Raises:
            LookupError: there is no such place.
        """
        holder = self.above.read(owner)
        item, key = self.steps[-1]
        if item or isinstance(holder, Mapping):
            holder[key] = value
        else:
            setattr(holder, str(key), value)


def _step(owner: Any, item: bool, key: str | int) -> Any:
    """The attribute or item; the first step into a dict of globals is a name."""
    try:
        return owner[key] if item or isinstance(owner, Mapping) else getattr(owner, str(key))
    except (AttributeError, KeyError, IndexError, TypeError) as error:
        raise LookupError(str(key)) from error


def read_place(text: str) -> HeldPlace:
    """The place that a text such as `layers[0].W` names.

    Raises:
        InputError: it is no such text.
    """
    steps: list[tuple[bool, str | int]] = []
    try:
        node: ast.expr = ast.parse(text, mode="eval").body
        while not isinstance(node, ast.Name):
            if isinstance(node, ast.Attribute):
                steps.append((False, node.attr))
            elif isinstance(node, ast.Subscript):
                steps.append((True, _key(node.slice)))
            else:
                raise ValueError
            node = node.value
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError):
        raise InputError(
            f"{text!r} is no place in an object\n  write it as Python would: W, gate.W, layers[0].W, params['W']"
        ) from None
    return HeldPlace(((False, node.id), *reversed(steps)))


def _key(node: ast.expr) -> str | int:
    key = ast.literal_eval(node)
    if isinstance(key, bool) or not isinstance(key, str | int):
        raise ValueError
    return key


def list_arrays(owner: Any) -> dict[str, Array]:
    """The arrays of floats in an object, in what it holds, or in a dict of globals: place, as text -> array.

    An array that is held twice stands under the shortest place.
    """
    found: dict[int, tuple[str, Array]] = {}
    seen: set[int] = set()
    level: list[tuple[str, Any]] = [("", owner)]
    for _ in range(_DEEPEST):
        deeper: list[tuple[str, Any]] = []
        for path, value in level:
            for inner, part in _parts(path, value):
                if type(part) is np.ndarray and part.dtype.kind == "f":
                    # Once, under the shortest way to it: the search goes level by level.
                    found.setdefault(id(part), (inner, part))
                elif not isinstance(part, (np.ndarray, *_ATOMS)) and id(part) not in seen and len(seen) < _MOST:
                    seen.add(id(part))
                    deeper.append((inner, part))
        level = deeper
    return dict(found.values())


def _parts(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    """What an object, dict or list holds; of lists that are long, nothing."""
    if isinstance(value, Mapping):
        for key, part in list(value.items()):
            if type(key) in (str, int) and not str(key).startswith("__"):
                yield (f"{path}[{key!r}]" if path else str(key)), part
    elif isinstance(value, list | tuple):
        yield from ((f"{path}[{n}]", part) for n, part in enumerate(value if len(value) <= _LONGEST else ()))
    else:
        for name, part in named_parts(value).items():
            yield (f"{path}.{name}" if path else name), part


def named_parts(value: Any) -> Mapping[str, Any]:
    """The attributes of an object, in its dict or in slots; the items of a dict."""
    if isinstance(value, Mapping):
        return {str(key): part for key, part in value.items()}
    held = dict(getattr(value, "__dict__", {}))
    for kind in type(value).__mro__:
        slots = vars(kind).get("__slots__", ())
        for name in [slots] if isinstance(slots, str) else slots:
            if hasattr(value, name) and not name.startswith("__"):
                held[name] = getattr(value, name)
    return held
