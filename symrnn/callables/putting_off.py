"""Changes of weights put off to the end of a call: every line reads them as they were when the call began.

Somebody's lines are watched; as soon as one has changed a weight, the change is noted and taken back, and in the end
all of them are made at once.  Code that changes its weights after its loop does the same as ever.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

import numpy as np

from symrnn.arrays import Array
from symrnn.callables.places import HeldPlace
from symrnn.callables.traced import run_traced
from symrnn.callables.whose import is_ours

_MOST_LINES = 200_000
"""Executed lines that are watched; a backward pass at the sizes of a check has some thousand."""


@dataclass
class ChangesMade:
    """What a call did to weights.

    Attributes:
        total: name of a weight -> the sum of its changes.
        lines: name -> file and line of each change, in their order.
        complete: whether all of it was watched.
    """

    total: dict[str, Array] = field(default_factory=dict)
    lines: dict[str, list[tuple[str, int]]] = field(default_factory=dict)
    complete: bool = True


def run_with_changes_put_off(run: Callable[[], Any], owner: Any, places: Mapping[str, HeldPlace]) -> ChangesMade:
    """Call `run`, and put every change of a weight off to its end.

    Args:
        run: calls somebody's functions.
        owner: the object whose weights they change, or the dict of globals that they read.
        places: name of a weight -> its place; those that are arrays are watched.
    """
    watching = _WeightWatch(owner, places)
    run_traced(run, watching)
    watching.look("", 0)
    for name, change in watching.made.total.items():
        array = places[name].read(owner)
        array += change
    return watching.made


class _WeightWatch:
    """The tracer."""

    def __init__(self, owner: Any, places: Mapping[str, HeldPlace]) -> None:
        self.owner = owner
        arrays = {name: place.read(owner) for name, place in places.items()}
        self.places = {name: place for name, place in places.items() if type(arrays[name]) is np.ndarray}
        self.held = {name: arrays[name] for name in self.places}
        self.kept = {name: arrays[name].copy() for name in self.places}
        self.made = ChangesMade()
        self.count = 0
        self.last: dict[int, tuple[str, int]] = {}

    def __call__(self, frame: FrameType, event: str, _argument: Any) -> Any:
        file = frame.f_code.co_filename
        if is_ours(file) or file.startswith("<frozen"):
            return None
        if event in ("line", "return"):
            self.count += 1
            if self.count > _MOST_LINES:
                self.made.complete = False
                sys.settrace(None)
                return None
            if id(frame) in self.last:
                self.look(*self.last[id(frame)])
            self.last[id(frame)] = (file, frame.f_lineno)
        if event == "return":
            self.last.pop(id(frame), None)
        return self

    def look(self, file: str, line: int) -> None:
        """Note what has changed, and take it back."""
        for name, place in self.places.items():
            try:
                now = place.read(self.owner)
            except LookupError:
                continue
            kept = self.kept[name]
            if type(now) is not np.ndarray or now.shape != kept.shape or np.array_equal(now, kept):
                continue
            self.made.total[name] = self.made.total.get(name, 0) + (now - kept)
            self.made.lines.setdefault(name, []).append((file, line))
            held = self.held[name]
            held[...] = kept
            if now is not held:  # another array stands there
                place.write(self.owner, held)
