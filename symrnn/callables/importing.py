"""Somebody's Python file, imported, that is, run; everything that it changes outside itself is put back."""

from __future__ import annotations

import contextlib
import importlib.util
import linecache
import os
import sys
import tokenize
import traceback
import warnings
from collections.abc import Callable, Iterator
from importlib.machinery import SourceFileLoader
from io import BytesIO
from pathlib import Path
from types import CodeType, ModuleType

from symrnn.characters import printable
from symrnn.errors import InputError

_PACKAGE = "symrnn_checked"
"""The package that the file is imported into, so that it may import the files beside it as `from . import that`."""
_LONGEST = 300
"""Characters of an exception's text that are quoted; some quote whole arrays or files."""
_WAY_OUT = "put what is not to run on import under `if __name__ == '__main__':`"


@contextlib.contextmanager
def import_file(path: Path, announce: Callable[[], None] = lambda: None) -> Iterator[ModuleType]:
    """The file as a module, for as long as it is used.

    Meanwhile its directory comes first on `sys.path`, and what it prints goes to the standard error.

    Args:
        path: the file.
        announce: called before the file is run, if it is Python at all.

    Raises:
        InputError: there is no such file, it is not Python, or it raises; in one message with the line.
    """
    code = _compile(path, _read(path))
    announce()
    directory = os.path.abspath(path.parent)
    before, argv, bytecode = set(sys.modules), sys.argv, sys.dont_write_bytecode
    sys.path.insert(0, directory)
    sys.argv, sys.dont_write_bytecode = [str(path)], True
    try:
        # What the file prints would stand in the middle of a report, or of JSON.
        with contextlib.redirect_stdout(sys.stderr):
            yield _run(path, code, directory)
    finally:
        sys.argv, sys.dont_write_bytecode = argv, bytecode
        # The file may have taken it out itself.
        if directory in sys.path:
            sys.path.remove(directory)
        # A module of that directory may have the name of another that is imported later, and would stand in for it.
        for name in set(sys.modules) - before:
            if _is_theirs(name, directory):
                sys.modules.pop(name, None)


def _is_theirs(name: str, directory: str) -> bool:
    if name.partition(".")[0] == _PACKAGE:
        return True
    file = getattr(sys.modules.get(name), "__file__", None)
    return isinstance(file, str) and os.path.dirname(os.path.abspath(file)).startswith(directory)


def _run(path: Path, code: CodeType, directory: str) -> ModuleType:
    package = ModuleType(_PACKAGE)
    package.__path__ = [directory]
    name, file = f"{_PACKAGE}.{path.stem.replace('.', '_')}", os.path.abspath(path)
    spec = importlib.util.spec_from_file_location(name, file, loader=SourceFileLoader(name, file))
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[_PACKAGE], sys.modules[name] = package, module
    # The file may have been changed since it was imported before, and its lines are quoted.
    linecache.checkcache(file)
    try:
        exec(code, vars(module))  # noqa: S102 - the file is to be run, and that is said
    except KeyboardInterrupt:
        raise
    except SyntaxError as error:
        raise _not_python(path, error) from None
    # SystemExit too: a script that ends with sys.exit() would end this program.
    except BaseException as error:
        raise InputError(_explain(path, directory, error)) from None
    return module


def _read(path: Path) -> bytes:
    shown = printable(str(path))
    try:
        if path.is_dir():
            raise InputError(f"{shown}: this is a directory\n  give the Python file with the functions")
        if not path.is_file():
            reason = "this is not a regular file" if path.exists() else "there is no such file"
            raise InputError(f"{shown}: {reason}\n  give the Python file with the functions")
        text = path.read_bytes()
    except (OSError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(f"{shown}: cannot be read: {reason}\n  check the path and its permissions") from None
    try:
        text.decode(_encoding(text))
    except UnicodeDecodeError as error:
        line, byte = text[: error.start].count(b"\n") + 1, text[error.start]
        problem = f"{shown}, line {line}: the byte 0x{byte:02x} is not {error.encoding}"
        raise InputError(f"{problem}\n  save the file as UTF-8") from None
    except SyntaxError as error:
        raise InputError(f"{shown}: {printable(str(error))}\n  save the file as UTF-8") from None
    return text


def _encoding(text: bytes) -> str:
    try:
        return tokenize.detect_encoding(BytesIO(text).readline)[0]
    except SyntaxError:
        if any(b"coding" in line for line in text.split(b"\n")[:2]):
            raise
        return "utf-8"


def _compile(path: Path, text: bytes) -> CodeType:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about its escapes; whoever runs it is told
            return compile(text, os.path.abspath(path), "exec", dont_inherit=True)
    except SyntaxError as error:
        raise _not_python(path, error) from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise InputError(f"{printable(str(path))}: not Python: {_name_error(error)}\n  correct the file") from None


def _not_python(path: Path, error: SyntaxError) -> InputError:
    file = os.path.basename(error.filename or "")
    shown = printable(str(path)) if file == path.name else printable(file or str(path))
    line = f", line {error.lineno}" if error.lineno else ""
    quoted = f"\n    {printable((error.text or '').strip())[:100]}" if error.text else ""
    problem = f"{shown}{line}: not Python: {printable(error.msg)}{quoted}"
    return InputError(f"{problem}\n  correct the line, or the one before it")


def _explain(path: Path, directory: str, error: BaseException) -> str:
    """What importing the file raised, and where."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if os.path.dirname(os.path.abspath(frame.filename)).startswith(directory)]
    shown, quoted = printable(str(path)), ""
    if own:
        frame = own[-1]
        named = shown if os.path.basename(frame.filename) == path.name else printable(os.path.basename(frame.filename))
        shown = f"{named}, line {frame.lineno}"
        quoted = f"\n    {printable((frame.line or '').strip())[:100]}" if frame.line else ""
    remedy = "install it, or run symrnn where it is" if isinstance(error, ModuleNotFoundError) else _WAY_OUT
    return f"{shown}: importing the file raises {_name_error(error)}{quoted}\n  {remedy}"


def _name_error(error: BaseException) -> str:
    try:
        text = printable(" ".join(str(error).split()))
    except Exception:  # an exception that cannot be shown
        text = ""
    name = printable(type(error).__name__)
    return f"{name}: {text[:_LONGEST]}" if text else name
