"""Document -> PDF, by the TeX that is installed: in a folder of its own, without a shell, within a time, whole or not.

A row of `ENGINES` is a program; the first that is there and has the document's letters is taken.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from symrnn.characters import printable
from symrnn.documents.options import DocumentOptions
from symrnn.documents.structure import Document
from symrnn.documents.tex import write_complete
from symrnn.errors import InputError, SymrnnError

_PATIENCE = 240.0
"""Seconds for a run: a document of ten pages takes two, and a minute where fonts are looked for the first time."""
_MOST_RUNS = 3
"""References are known in the second run; a third one is for a document whose pages they changed."""
_NAME = "document"
_OPTIONS = ("-no-shell-escape", "-interaction=nonstopmode", "-halt-on-error", f"{_NAME}.tex")
_RERUN = re.compile(r"Rerun to get|rerun LaTeX", re.IGNORECASE)
_MISSING = re.compile(r"File `([^']+)' not found")
_FAULT = re.compile(r"^! .*(?:\n(?!! ).*){0,2}", re.MULTILINE)
_INSTALL = """\
  Debian, Ubuntu: apt install texlive-latex-recommended texlive-fonts-recommended lmodern{}
  Fedora: dnf install texlive-scheme-medium
  macOS: brew install --cask mactex-no-gui, or brew install tectonic
  Windows: winget install MiKTeX.MiKTeX
  conda: conda install -c conda-forge tectonic
  or write the source, for another computer: end the file in .tex"""
_LETTERS = {"zh": " texlive-xetex texlive-lang-chinese"}
"""Language -> what Debian has for it besides."""


@dataclass(frozen=True)
class Engine:
    """A program that makes PDF of LaTeX.

    Attributes:
        name: of the program.
        arguments: after its name.
        has_all_letters: whether it sets letters of all languages; otherwise Latin ones.
        runs_again: whether it repeats itself until all references are right.
    """

    name: str
    arguments: tuple[str, ...] = _OPTIONS
    has_all_letters: bool = True
    runs_again: bool = False


# LuaLaTeX before XeLaTeX where letters are the author's, since its search for fonts is that of the document's own; the
# Chinese class needs more packages with it, so there XeLaTeX comes first.
_TECTONIC = Engine("tectonic", ("-X", "compile", "--untrusted", f"{_NAME}.tex"), runs_again=True)
ENGINES = (Engine("pdflatex", has_all_letters=False), Engine("lualatex"), Engine("xelatex"), _TECTONIC)
"""What is looked for, in order."""
_IN_ORDER = {"zh": ("xelatex", "tectonic", "lualatex")}
"""Language -> the engines that take it, in order."""


def write(document: Document, options: DocumentOptions) -> bytes:
    """The document as PDF.

    Raises:
        InputError: there is no TeX for it; the message says what to install.
        SymrnnError: TeX did not take it, or did not end.
    """
    source = write_complete(document, options)
    engine = _choose(source, document.language)
    with tempfile.TemporaryDirectory(prefix="symrnn-") as folder:
        _compile(engine, source, Path(folder))
        return (Path(folder) / f"{_NAME}.pdf").read_bytes()


def _choose(source: str, language: str) -> Engine:
    known = {engine.name: engine for engine in ENGINES}
    names = _IN_ORDER.get(language, tuple(known))
    suitable = [known[name] for name in names if source.isascii() or known[name].has_all_letters]
    for engine in suitable:
        if shutil.which(engine.name):
            return engine
    tried = ", ".join(engine.name for engine in suitable)
    some = [engine.name for engine in ENGINES if shutil.which(engine.name)]
    why = f"{some[0]} has no letters beyond Latin, and" if some else "no TeX is installed:"
    more = _LETTERS.get(language, "" if source.isascii() else " texlive-luatex fonts-noto-cjk")
    raise InputError(f"PDF: {why} none of {tried} is there\n{_INSTALL.format(more)}")


def _compile(engine: Engine, source: str, folder: Path) -> None:
    (folder / f"{_NAME}.tex").write_text(source, encoding="utf-8")
    for _ in range(1 if engine.runs_again else _MOST_RUNS):
        code, log = _run(engine, folder)
        if code != 0 or not (folder / f"{_NAME}.pdf").exists():
            raise SymrnnError(_explain(engine, log))
        if not _RERUN.search(log):
            break


def _run(engine: Engine, folder: Path) -> tuple[int, str]:
    """The exit code of a run, and its log."""
    # Nothing outside of the folder is written, and lines of the log are not cut.
    environment = os.environ | {"openout_any": "p", "max_print_line": "1000"}
    # The same document is the same file, whenever it is made.
    environment |= {"SOURCE_DATE_EPOCH": "0", "FORCE_SOURCE_DATE": "1"}
    with subprocess.Popen(
        [engine.name, *engine.arguments],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    ) as process:
        try:
            said, _ = process.communicate(timeout=_PATIENCE)
        except BaseException as error:
            # With what it started itself, as the programs that make fonts; Windows has no groups.
            os.killpg(process.pid, signal.SIGKILL) if hasattr(os, "killpg") else process.kill()
            if isinstance(error, subprocess.TimeoutExpired):
                remedy = "end the file in .tex for the source, and compile it yourself"
                raise SymrnnError(f"PDF: {engine.name} did not end within {_PATIENCE:g} s\n  {remedy}") from None
            raise
    log = folder / f"{_NAME}.log"
    text = log.read_text(encoding="utf-8", errors="replace") if log.exists() else said.decode("utf-8", "replace")
    return process.returncode, text


def _explain(engine: Engine, log: str) -> str:
    """What TeX says in one message."""
    missing = _MISSING.search(log)
    if missing:
        return f"PDF: {engine.name} has no {printable(missing[1])}\n{_INSTALL.format('')}"
    found = _FAULT.search(log)
    said = " ".join(printable(line).strip() for line in (found[0] if found else log[-300:]).splitlines())
    return f"PDF: {engine.name} stopped: {said}\n  end the file in .tex for the source, and compile it yourself"
