"""A call of somebody's functions while the interpreter tells of every line that runs."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any, TypeVar

Returned = TypeVar("Returned")
Tracer = Callable[[FrameType, str, Any], Any]
"""Told of a frame, what happens in it, and what comes with that; answers what is told of the frame's lines."""


def run_traced(run: Callable[[], Returned], tracer: Tracer) -> Returned:
    """What `run` returns; any other tracer, of a debugger or of a coverage measurement, waits meanwhile."""
    before = sys.gettrace()
    sys.settrace(tracer)
    try:
        return run()
    finally:
        sys.settrace(before)
