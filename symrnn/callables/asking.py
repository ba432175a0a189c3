"""A callable as a black box: asked with copies, counted, its answers flattened to named arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from symrnn.errors import InputError

Array = Any
Answer = Mapping[str, Array]
"""Path of an output, such as `output[1]` or `output['h']`, -> its array."""

JOINED = "[:]"
"""What stands in a path for all items of a list."""

_MOST_OUTPUTS = 400
_ROUNDING = 1e-12


class Asker:
    """Asks a callable for its outputs at other arguments than its own.

    Args:
        forward: the callable; it takes the inputs by name.
        inputs: its arguments; arrays of floating-point numbers are varied, anything else is passed on as it is.

    Attributes:
        arrays: the arguments that are varied, in double precision.
        answer: the outputs at the inputs themselves.
        asked: how often the callable was called.
        remarks: what is unusual about the callable, as sentences.

    Raises:
        InputError: the callable cannot be asked: it raises, gives no numbers, or does not give the same ones twice.
    """

    def __init__(self, forward: Callable[..., Any], inputs: Mapping[str, Any]) -> None:
        if not callable(forward):
            raise InputError(f"identify: expected a function, got {type(forward).__name__}\n  pass the function itself")
        self._forward = forward
        if not isinstance(inputs, Mapping):
            remedy = "write identify(forward, {'x': x, 'W': W, ...})"  # type: ignore[unreachable]
            raise InputError(
                f"identify: expected a dict of forward's arguments, got {type(inputs).__name__}\n  {remedy}"
            )
        self._inputs = dict(inputs)
        self.asked = 0
        self.remarks: list[str] = []
        given = {name: value for name, value in self._inputs.items() if _is_real(value)}
        self.arrays = {name: np.array(value, np.float64) for name, value in given.items()}
        self._dtypes: dict[str, Any] = {}
        self.answer = self._first()
        if self._coarse():  # single precision comes in through the arguments, or is made inside
            self.remarks.append("forward computes in single precision")

    @property
    def tolerance(self) -> float:
        """The relative error up to which two answers are the same."""
        return 2e-5 if self._coarse() else 1e-9

    def _coarse(self) -> bool:
        return any(array.dtype in (np.float32, np.float16) for array in self._raw.values())

    def __call__(self, **changes: Array) -> Answer | None:
        """The outputs with some arrays replaced; None where the callable raises there."""
        try:
            return self._ask(changes)
        except Exception:
            return None

    def _ask(self, changes: Mapping[str, Array]) -> Answer:
        arguments = {name: _copy(value) for name, value in self._inputs.items()}
        for name, array in (self.arrays | dict(changes)).items():
            arguments[name] = np.array(array, self._dtypes.get(name, np.float64))
        before = {name: value.copy() for name, value in arguments.items() if isinstance(value, np.ndarray)}
        self.asked += 1
        with np.errstate(all="ignore"):
            returned = self._forward(**arguments)
        changed = [name for name, value in before.items() if not np.array_equal(value, arguments[name], equal_nan=True)]
        remark = f"forward changes its arguments in place: {', '.join(changed)}"
        if changed and remark not in self.remarks:
            self.remarks.append(remark)
        kept = without_cache(returned, [value for value in arguments.values() if isinstance(value, np.ndarray)])
        remark = "what forward returns last holds its own arguments: it is taken for a cache, not for outputs"
        if kept is not returned and remark not in self.remarks:
            self.remarks.append(remark)
        self._raw = flattened(kept)
        return {path: np.array(array, np.float64) for path, array in self._raw.items()}

    def _first(self) -> Answer:
        try:
            answer = self._ask({})
        except Exception:
            answer = self._as_given()
        again = self._ask({})
        if not answer:
            raise InputError("identify: forward returns no array of numbers\n  it should return states, such as h")
        if not any(np.isfinite(array).all() for array in answer.values()):
            raise InputError("identify: forward returns NaN or infinity\n  give inputs at which it is finite")
        for path, array in answer.items():
            twin = again.get(path)
            same = twin is not None and twin.shape == array.shape
            gap = float(np.nanmax(np.abs(array - twin), initial=0)) if same else np.inf
            if gap > _ROUNDING * max(1.0, float(np.nanmax(np.abs(array), initial=0))):
                raise InputError(
                    f"identify: forward is not deterministic: two calls with the same inputs differ by {gap:.2g} "
                    f"in {path}\n  fix its seed, and let it keep nothing from call to call"
                )
        return answer

    def _as_given(self) -> Answer:
        """The outputs at the inputs in their own types, for a callable that refuses double precision."""
        self._dtypes = {name: np.asarray(self._inputs[name]).dtype for name in self.arrays}
        try:
            return self._ask({})
        except Exception as error:
            told = " ".join(str(error).split())[:200]
            raise InputError(
                f"identify: forward raises at the inputs given: {type(error).__name__}: {told}\n"
                "  give inputs by the names of its arguments, at which it runs"
            ) from error


def _is_real(value: Any) -> bool:
    if isinstance(value, bool | int):
        return False
    dtype = getattr(value, "dtype", None)
    return isinstance(value, float) or (dtype is not None and getattr(dtype, "kind", "") == "f")


def _copy(value: Any) -> Any:
    return value.copy() if isinstance(value, np.ndarray) else value


def without_cache(returned: Any, arguments: Sequence[Array]) -> Any:
    """What a callable returns, without a cache for its backward pass at the end.

    A cache is a container after other outputs, with arrays of several shapes and some of the arguments among them.
    """
    if not isinstance(returned, tuple) or len(returned) < 2 or _items("", returned[-1]) is None:
        return returned
    first, last = flattened(returned[:-1]), flattened(returned[-1])
    arrays = [array for path, array in last.items() if JOINED not in path]
    held = any(_is_same(array, own) for array in arrays for own in arguments)
    return returned[:-1] if first and held and len({array.shape for array in arrays}) > 1 else returned


def _is_same(array: Array, other: Array) -> bool:
    return array.size > 1 and array.shape == other.shape and np.array_equal(array, other)


def flattened(value: Any, path: str = "output") -> dict[str, Array]:
    """The arrays in what a callable returned, by path.

    Steps kept one by one in a list, or in a dict by their numbers, are joined to one array as well: `output[:]` for a
    list of arrays, `output[:][0]` for the first arrays in a list of tuples.
    """
    found: dict[str, Array] = {}
    _collect(path, value, found)
    return found


def _collect(path: str, value: Any, found: dict[str, Array]) -> None:
    items = _items(path, value)
    if items is None:
        array = _as_array(value)
        if array is not None and len(found) < _MOST_OUTPUTS:
            found[path] = array
        return
    for inner, item in items:
        _collect(inner, item, found)
    steps = [{p.removeprefix(inner): array for p, array in found.items() if p.startswith(inner)} for inner, _ in items]
    for rest, array in _joined(value, steps).items():
        found[f"{path}[:]{rest}"] = array


def _items(path: str, value: Any) -> list[tuple[str, Any]] | None:
    if isinstance(value, Mapping):
        return [(f"{path}[{name!r}]", item) for name, item in value.items()]
    if isinstance(value, list | tuple):
        return [(f"{path}[{position}]", item) for position, item in enumerate(value)]
    return None


def _joined(value: Any, steps: list[dict[str, Array]]) -> dict[str, Array]:
    """What the items of a list have in common, each joined to one array; nothing where they differ."""
    order = list(range(len(steps)))
    if isinstance(value, Mapping):
        if not all(isinstance(name, int) for name in value):
            return {}
        order = np.argsort(list(value), kind="stable").tolist()
    kinds = {tuple((rest, array.shape) for rest, array in step.items() if JOINED not in rest) for step in steps}
    if len(steps) < 2 or len(kinds) != 1:
        return {}
    return {rest: np.stack([steps[position][rest] for position in order]) for rest, _ in kinds.pop()}


def _as_array(value: Any) -> Array | None:
    if value is None or isinstance(value, str | bytes | bool | int):
        return None
    try:
        array = np.asarray(value)
    except Exception:
        return None
    return array if array.dtype.kind == "f" else None
