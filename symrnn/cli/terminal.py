"""The process around a command: its streams, its signals, its exit code.

0: fine.  1: a check failed.  2: wrong use or wrong input, said in one message.  130 and 143: interrupted, terminated.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn, TextIO

import typer

from symrnn.characters import printable
from symrnn.errors import InputError, SymrnnError
from symrnn.paragraphs import WIDTH

if TYPE_CHECKING:
    from rich.console import RenderableType


def run(command: Callable[[], Any]) -> NoReturn:
    """Run a command and leave with its exit code; what a user can mend is one message on the standard error.

    Args:
        command: returns the exit code, or None for 0.
    """
    _prepare()
    with _ending_in_order() as received:
        try:
            try:
                code = command()
            finally:
                if sys.stdout is not None:
                    # Flushed here, whatever happened: an error of the disk or the pipe must arise where it is caught,
                    # not when Python ends.
                    sys.stdout.flush()
        except SymrnnError as error:
            code = complain(str(error))
        except KeyboardInterrupt:
            # What shells expect of a program that a signal ended: 128 and its number.
            code = 128 + signal.SIGINT
        except BrokenPipeError:  # the reader, such as `head`, has seen enough
            _silence(sys.stdout)
            code = 0
        except OSError as error:  # a full disk behind the standard output
            _silence(sys.stdout)
            code = complain(f"the output cannot be written: {error.strerror or error}\n  write to a file with -o FILE")
    sys.exit(128 + received[0] if received else code or 0)


def complain(message: str) -> int:
    """Say on the standard error what a user can mend, and return the exit code for it."""
    typer.echo(f"symrnn: {message}", err=True)
    return 2


def remark(message: str) -> None:
    """Say something on the standard error that is no fault."""
    typer.echo(f"symrnn: remark: {message}", err=True)


def emit(text: str | bytes, output: str | None) -> None:
    """Put a text out: to the terminal, or whole into a file, which is then named on the standard error.

    Args:
        text: the text, or bytes that are none.
        output: the file; None or "-" for the standard output.

    Raises:
        SymrnnError: the standard output is closed, or the file cannot be written.
        InputError: bytes would go to a terminal.
    """
    if output is None or output == "-":
        check_output()
        if isinstance(text, bytes):
            if sys.stdout.isatty():
                raise InputError("this is no text, and would spoil the terminal\n  write to a file with -o FILE")
            sys.stdout.buffer.write(text)
            return
        typer.echo(text, nl=not text.endswith("\n"))
        return

    # Most commands write to the terminal, and need none of it.
    from symrnn.files import is_stream, write_whole

    path = Path(output)
    # Asked before: afterwards there is a file at any path. Nobody needs to be told of /dev/stdout.
    streaming = is_stream(path)
    write_whole(output, text)
    if not streaming:
        typer.echo(f"wrote {printable(output)}", err=True)


def show(shown: RenderableType) -> None:
    """Print to the terminal, or as to one of 100 columns; running text keeps its lines, so that it can be copied."""
    check_output()

    from rich.console import Console
    from rich.text import Text

    # No colours by guess: Rich would highlight numbers and paths inside of formulas.
    console = Console(highlight=False, width=None if sys.stdout.isatty() else WIDTH)
    console.print(shown, soft_wrap=isinstance(shown, Text))


_COLOURS = {"- ": "red", "+ ": "green", "~ ": "yellow"}
"""What a line starts with -> its colour."""


def show_marked(shown: str) -> None:
    """Print a text, on a terminal with the lines that have a mark in colours."""
    from rich.text import Text

    lines = [Text(line, style=_COLOURS.get(line[:2], "")) for line in shown.rstrip("\n").split("\n")]
    show(Text("\n").join(lines))


def check_output() -> None:
    """Whether anything can be printed.

    Raises:
        InputError: the standard output was closed by whoever started the program.
    """
    if sys.stdout is None:
        raise InputError("the standard output is closed\n  write to a file with -o FILE, or leave out '>&-'")


def _prepare() -> None:
    """Streams that were closed lead nowhere, so that no file takes their number; the others print what they can."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number, which is this one
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal without ⊙ still gets the rest


def _silence(stream: TextIO) -> None:
    """What is still in the stream's buffer goes nowhere, so that nothing is raised when Python ends."""
    with contextlib.suppress(OSError, ValueError):  # a stream of a test has no number
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


@contextlib.contextmanager
def _ending_in_order() -> Iterator[list[int]]:
    """A signal that would end the process at once interrupts it instead, so that everything is put away.

    What is given is the signals that came.
    """
    received: list[int] = []

    def leave(number: int, frame: FrameType | None) -> None:
        received.append(number)
        raise KeyboardInterrupt

    wanted = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    ours = {}
    with contextlib.suppress(ValueError):  # handlers belong to the main thread alone
        ours = {number: signal.signal(number, leave) for number in wanted if signal.getsignal(number) == signal.SIG_DFL}
    try:
        yield received
    finally:
        for number, before in ours.items():
            signal.signal(number, before)
