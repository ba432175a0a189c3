"""Files, written whole or not at all.

A text goes into a new file beside its place, which then takes that place in one step; whatever interrupts, the old
file or the new one is there, and nothing else.  What is no file (a terminal, a device, a pipe) is written into.
"""

from __future__ import annotations

import contextlib
import errno
import keyword
import os
import re
import secrets
import signal
import stat
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from symrnn.characters import printable
from symrnn.errors import InputError, SymrnnError

_PATIENCE = 2.0
"""Seconds that a pipe waits for its reader: long enough for one that is started together with the writer."""
# Seconds between two looks at a pipe: too short to be felt, and a hundred looks in all.
_PAUSE = 0.02
_HELD_OPEN = re.compile(r"/dev/(?:(stdout|stderr)|fd/(\d+))|/proc/(?:self/fd/(\d+)|\d+/fd/\d+)")
"""Names of what a process holds open; behind them may be a file, which must not be exchanged for another."""
# By number, since `sys.stdout` may have been exchanged, and `/dev/stdout` means the process's own.
_NUMBERS = {"stdout": 1, "stderr": 2}
_REMEDIES = {
    errno.ELOOP: "its symbolic links lead in a circle: mend them, or give another file",
    errno.ENXIO: "start what reads it first, or give another file",
    errno.EPIPE: "its reader has left: give a file, or a reader that reads to the end",
    errno.EROFS: "give a file in another place",
    errno.ENOSPC: "nothing of it was kept: make room, or give a file in another place",
    errno.EDQUOT: "nothing of it was kept: make room, or give a file in another place",
    errno.EFBIG: "nothing of it was kept: give a file in another place",
    errno.ENAMETOOLONG: "give a shorter name",
    errno.ENOENT: "make its directory first, or give another file",
    errno.ENOTDIR: "give a file in a directory",
}
"""What went wrong -> what to do; "give another file" where nothing better is known."""


_TAKEN = frozenset({"numpy", "symrnn", *sys.stdlib_module_names})
"""Modules in whose place a file of their name is imported where its directory comes first, as it does for scripts."""


def check_named(path: str | os.PathLike[str]) -> None:
    """Whether a path names anything.

    Raises:
        InputError: it is empty, as an unset variable of a shell is.
    """
    if not os.fspath(path):
        raise InputError("the name of the file to write is empty\n  give one; '-o -' writes to the terminal")


def check_module_file(path: str | os.PathLike[str]) -> None:
    """Whether a file that ends in .py can be imported, and hides no module that others import.

    Raises:
        InputError: it cannot, or does.
    """
    file = Path(path)
    if file.suffix.lower() != ".py":
        return
    shown, name = printable(os.fspath(path)), file.name[: -len(".py")]
    if not name.isidentifier() or keyword.iskeyword(name):
        remedy = "use letters, digits and underscores, beginning with a letter, as in lstm_numpy.py"
        raise InputError(f"{shown}: a module of this name cannot be imported\n  {remedy}")
    # Beside an `__init__.py` nothing else is imported by that bare name.
    in_package = (file.parent / "__init__.py").exists()  # there its name is package.name
    if name in _TAKEN and not in_package:
        raise InputError(
            f"{shown}: 'import {name}' beside this file would import it in place of Python's or NumPy's own\n"
            f"  give another name, as in my_{name}.py"
        )


def write_whole(path: str | os.PathLike[str], text: str | bytes) -> Path:
    """Write a file completely or not at all.

    A symbolic link stays, and what it leads to is written.  A file keeps its permissions.

    Args:
        path: the file; a device or a pipe is written into.
        text: its text, written as UTF-8, or its bytes.

    Returns:
        The path as it was given.

    Raises:
        SymrnnError: it cannot be written, or it is there and read-only; nothing is left behind.
        InputError: the path is empty.
    """
    check_named(path)
    given = Path(path)
    try:
        # Encoded before anything is opened: a text with a lone surrogate fails here, and leaves the old file.
        data = text if isinstance(text, bytes) else text.encode("utf-8")
        kind = _read_mode(given)
        named = os.fspath(path).endswith(os.sep)  # which a Path forgets
        if named or (kind is not None and stat.S_ISDIR(kind)):
            raise _refuse(given, "this is a directory", "give a file in it")
        if _is_stream(given, kind):
            _write_into(given, data)
        else:
            _replace(given, kind, data)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise _refuse(given, reason, _choose_remedy(given, error)) from None
    return given


def is_stream(path: Path) -> bool:
    """Whether there is something that is written into, not replaced: a device, a pipe, an open file of the process."""
    try:
        kind = _read_mode(path)
    except (OSError, ValueError):
        return False
    return kind is not None and _is_stream(path, kind)


def _refuse(path: Path, reason: str, remedy: str) -> SymrnnError:
    return SymrnnError(f"{printable(str(path))}: cannot be written: {printable(reason)}\n  {remedy}")


def _choose_remedy(path: Path, error: Exception) -> str:
    number = getattr(error, "errno", None)
    if number in (errno.EACCES, errno.EPERM):
        return f"no new file may be made in {printable(str(path.resolve().parent))}: give a file in another directory"
    return _REMEDIES.get(number or 0, "give another file")


def _read_mode(path: Path) -> int | None:
    """The type and permissions of what a path leads to; None where nothing is there yet."""
    try:
        return os.stat(path).st_mode
    except FileNotFoundError:
        return None


def _is_stream(path: Path, kind: int | None) -> bool:
    """Whether it is written into, not replaced."""
    return kind is not None and (not stat.S_ISREG(kind) or bool(_HELD_OPEN.fullmatch(os.path.abspath(path))))


def _write_into(path: Path, data: bytes) -> None:
    descriptor = _duplicate_own(path)
    if descriptor is None:
        descriptor = _open_stream(path)
        # Opened without waiting, to notice a missing reader; written with waiting, or a slow one would lose the rest.
        os.set_blocking(descriptor, True)
    try:
        # A pipe takes what fits, which may be less than all.
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(descriptor, rest) :]
    finally:
        os.close(descriptor)


def _duplicate_own(path: Path) -> int | None:
    """A second descriptor of a file that this process holds open under this name: both write at the same place."""
    found = _HELD_OPEN.fullmatch(os.path.abspath(path))
    name = next(filter(None, found.groups()), None) if found else None
    if name is None:
        return None
    number = _NUMBERS.get(name) or int(name)
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()  # what was printed before comes before
    return os.dup(number)


def _open_stream(path: Path) -> int:
    """A stream, open for writing at its end; a pipe that nobody reads is refused after a moment."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            return os.open(path, os.O_WRONLY | os.O_APPEND | getattr(os, "O_NONBLOCK", 0))
        except OSError as error:
            # ENXIO: a pipe without a reader. Any other error would not go away by waiting.
            if error.errno != errno.ENXIO:
                raise
            if time.monotonic() > deadline:
                raise OSError(errno.ENXIO, "nothing reads this pipe") from None
        time.sleep(_PAUSE)


def _replace(path: Path, kind: int | None, data: bytes) -> None:
    target = path.resolve()  # a link stays, and what it leads to is replaced
    # Replacing a file needs no right to write it, only to its directory: read-only would not protect it. The bits are
    # asked too, since a superuser may write anything.
    if kind is not None and (not kind & 0o222 or not os.access(target, os.W_OK)):
        remedy = f"allow it with 'chmod u+w {printable(path.name)}', or give another file"
        raise _refuse(path, "this file is read-only", remedy)
    # Its name is chosen before it exists, so that no interrupt comes between the file and the knowledge of its name,
    # and it does not grow with the target's, which may be as long as a name can be.
    temporary = target.parent / f".symrnn-{secrets.token_hex(8)}"
    with _hold_signals():
        try:
            with open(temporary, "xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())  # a disk that is full may say so only now
            if kind is not None:
                os.chmod(temporary, stat.S_IMODE(kind))
            os.replace(temporary, target)
        finally:
            temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def _hold_signals() -> Iterator[None]:
    """Signals that end a process wait until this is over; it takes milliseconds."""
    if not hasattr(signal, "pthread_sigmask"):  # on Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM, signal.SIGHUP})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
