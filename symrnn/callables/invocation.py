"""Somebody's function, called so that its errors become findings that say where they arose."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any

import numpy as np

from symrnn.errors import InputError
from symrnn.findings.findings import Problem

_LONGEST = 200
"""Characters of an exception's text that are quoted: a line or two, where some quote whole arrays."""
_HERE = os.path.dirname(os.path.abspath(__file__))


class SubjectError(InputError):
    """The functions under test cannot be checked.

    Attributes:
        problem: why, as a finding.
    """

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        super().__init__(problem.sentence)


def refuse(kind: str, sentence: str) -> SubjectError:
    """The error of a problem that ends the check."""
    return SubjectError(Problem(kind, sentence))


def find_original(error: BaseException) -> BaseException:
    """What somebody's function raised, where an error here stands for it."""
    while isinstance(error, SubjectError) and error.__context__ is not None:
        error = error.__context__
    return error


def call(role: str, function: Callable[..., Any], arguments: Sequence[Any], named: Mapping[str, Any]) -> Any:
    """What the function returns.

    Args:
        role: `forward`, `backward` or `inputs`: what it is called in findings.
        function: somebody's code.
        arguments: its positional arguments.
        named: its keyword arguments.

    Raises:
        SubjectError: it raises, or it is a generator.
    """
    try:
        # What overflows or divides by zero shows in the values; a warning for each call would hide it.
        with np.errstate(all="ignore"):
            returned = function(*arguments, **named)
    except SubjectError:  # of what stands between us and somebody's function: it says it all
        raise
    except (Exception, SystemExit) as error:
        raise refuse(f"{role}-raises", _explain(role, function, error)) from None
    if inspect.isgenerator(returned) or inspect.iscoroutine(returned):
        # Otherwise Python warns of a coroutine that was never awaited.
        returned.close()
        raise refuse(f"{role}-raises", f"{role} returns a generator, not values: it should `return`, not `yield`")
    return returned


def check_arguments(forward: Callable[..., Any], inputs: Mapping[str, Any]) -> None:
    """Compare the names of the inputs with forward's own parameters.

    Raises:
        SubjectError: one is missing, or too many.
    """
    known = signature(forward)
    kinds = inspect.Parameter
    parameters = {} if known is None else dict(known.parameters)
    if known is None or any(p.kind in (kinds.POSITIONAL_ONLY, kinds.VAR_POSITIONAL) for p in parameters.values()):
        return
    anything = any(p.kind is kinds.VAR_KEYWORD for p in parameters.values())
    named = {name: p for name, p in parameters.items() if p.kind is not kinds.VAR_KEYWORD}
    missing = [name for name, p in named.items() if p.default is p.empty and name not in inputs]
    strange = [name for name in inputs if name not in named and not anything]
    if missing or strange:
        lacking = f"inputs lacks {', '.join(missing)}" if missing else ""
        more = f"inputs has {', '.join(strange)}, which forward does not take" if strange else ""
        one = "name the inputs as forward names its parameters" if strange else "add it to the inputs"
        remedy = one if missing else "leave it out of the inputs"
        sentence = "; ".join(part for part in (lacking, more) if part)
        raise refuse("wrong-arguments", f"forward is {show_call(forward, 'forward')}: {sentence}\n  {remedy}")


def signature(function: Callable[..., Any]) -> inspect.Signature | None:
    """The function's signature; None where Python does not know it."""
    try:
        return inspect.signature(function)
    except (TypeError, ValueError):
        return None


def show_call(function: Callable[..., Any], role: str) -> str:
    """The function as a reader knows it: its name with its parameters."""
    known = signature(function)
    name = getattr(function, "__name__", role)
    return f"{role if name == '<lambda>' else name}{known if known is not None else '(...)'}"


def _explain(role: str, function: Callable[..., Any], error: BaseException) -> str:
    text = " ".join(str(error).split())
    text = text if len(text) <= _LONGEST else text[:_LONGEST] + "..."
    place = _find_place(function, error.__traceback__)
    what = f"{type(error).__name__}: {text}" if text else type(error).__name__
    return f"{role} raises {what}{place}"


def _find_place(function: Callable[..., Any], trace: TracebackType | None) -> str:
    """The deepest line in the function's own file; else the deepest outside this package."""
    own = _find_file(function)
    frames = []
    while trace is not None:
        frames.append((trace.tb_frame.f_code.co_filename, trace.tb_lineno))
        trace = trace.tb_next
    theirs = [frame for frame in frames if os.path.dirname(os.path.abspath(frame[0])) != _HERE]
    # NumPy's own lines say nothing to whoever called it; the last line that a person wrote does.
    written = [frame for frame in theirs if "site-packages" not in frame[0] and not frame[0].startswith("<")]
    inside = [frame for frame in theirs if frame[0] == own] or written or theirs
    if not inside:
        return ""
    file, line = inside[-1]
    return f" ({os.path.basename(file)}, line {line})"


def _find_file(function: Any) -> str | None:
    while hasattr(function, "func"):
        function = function.func
    function = inspect.unwrap(function) if callable(function) else function
    function = getattr(function, "__func__", function)
    method = type(function).__dict__.get("__call__")  # of an object that is called like a function
    code = getattr(function, "__code__", None) or getattr(method, "__code__", None)
    return None if code is None else str(code.co_filename)
