"""Processor time that a search may take: set once by who asks for the search, looked at wherever it goes on.

The time is that of the process, so that a busy machine changes nothing.  Where no budget is set, there is no end.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from symrnn.errors import SymrnnError

_ENDS: ContextVar[float] = ContextVar("ends", default=float("inf"))
_BETWEEN = 0.05
"""Seconds between two looks at the clock of the process: to ask it takes some milliseconds on some systems, and a
search goes on a thousand times a second."""
_next_look = 0.0


class OutOfTimeError(SymrnnError):
    """The time that a search may take is over."""


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Everything within takes at most so many seconds of processor time; a shorter budget around it stays in force."""
    global _next_look
    token = _ENDS.set(min(_ENDS.get(), time.process_time() + seconds))
    _next_look = 0.0
    try:
        yield
    finally:
        _ENDS.reset(token)


@contextmanager
def unlimited() -> Iterator[None]:
    """Everything within takes the time that it takes: what is short, and is needed when a search has ended."""
    token = _ENDS.set(float("inf"))
    try:
        yield
    finally:
        _ENDS.reset(token)


def go_on() -> None:
    """Do nothing while there is time.

    Raises:
        OutOfTimeError: there is none.
    """
    global _next_look
    now = time.perf_counter()
    if now < _next_look:
        return
    _next_look = now + _BETWEEN
    if time.process_time() > _ENDS.get():
        _next_look = 0.0  # whoever asks again is told again
        raise OutOfTimeError("the time for the search is over\n  give it more")
