"""Fragments of every cell in documents of other people, by pdflatex: a table of what goes wrong.

    OPENBLAS_NUM_THREADS=1 python benchmarks/compiled.py [--cells lstm,gru] [--levels brief,full] [--hosts page,ieee]

For every host (an article, a column of an article, of IEEEtran and of acmart), level and cell a fragment is written;
those of one host and level are compiled as one document, twice.  A line for each says how many fragments there are, how
many references are undefined or labels defined twice, how many boxes stick out by more than 1 pt, and the pages; each
box is named with its cell.  A class that is missing is said.  The exit code is 1 where anything is wrong.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from symrnn import cells, choices, derive
from symrnn.documents import write

_PACKAGES = "\\usepackage{amsmath, amssymb}\n"
HOSTS: dict[str, tuple[str, str, str]] = {
    "page": ("page", "article", "\\documentclass[10pt]{article}\n" + _PACKAGES),
    "column": (
        "column",
        "article",
        "\\documentclass[10pt,twocolumn]{article}\n\\usepackage[a4paper, margin=18mm, columnsep=5mm]{geometry}\n"
        + _PACKAGES,
    ),
    "ieee": ("column", "IEEEtran", "\\documentclass[conference]{IEEEtran}\n" + _PACKAGES),
    "acm": (
        "column",
        "acmart",
        "\\documentclass[sigconf,nonacm]{acmart}\n\\settopmatter{printacmref=false}\n\\title{T}\n\\author{A}\n"
        "\\affiliation{\\institution{I}\\country{C}}\n",
    ),
    "cleveref": (
        "page",
        "cleveref",
        "\\documentclass[10pt]{article}\n" + _PACKAGES + "\\usepackage{hyperref, cleveref}\n",
    ),
}
"""Name -> the width that a fragment is written for, what must be installed, and the preamble."""
_OVERFULL = re.compile(r"Overfull \\hbox \(([\d.]+)pt too wide\)")
_MARK = re.compile(r"@@(\S+)@@")


@dataclass
class Run:
    """What pdflatex says of a document of many fragments."""

    errors: list[str]
    undefined: int
    twice: int
    boxes: list[tuple[float, str]]
    pages: int

    @property
    def is_clean(self) -> bool:
        """Whether nothing is wrong."""
        return not (self.errors or self.undefined or self.twice or self.boxes)


def is_installed(needed: str) -> bool:
    """Whether a class or a package is there."""
    names = (f"{needed}.cls", f"{needed}.sty")
    found = subprocess.run(["kpsewhich", *names], capture_output=True, check=False)
    return bool(found.stdout.strip())


def compile_fragments(preamble: str, fragments: Sequence[tuple[str, str]], folder: Path) -> Run:
    """Fragments, each with its name, as one document."""
    between = "\\section{S}An equation of the host's: \\begin{equation}1 = 1\\end{equation}\n"
    body = "\n".join(f"\\typeout{{@@{name}@@}}\n{between}{text}" for name, text in fragments)
    (folder / "host.tex").write_text(f"{preamble}\\begin{{document}}\n{body}\n\\end{{document}}\n", encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "host.tex"]
    # A longer line than any message, so that none is broken in the log, where what is counted would be missed.
    env = os.environ | {"max_print_line": "1000"}
    for _ in range(2):
        subprocess.run(
            command, cwd=folder, capture_output=True, check=False, env=env, timeout=1200, stdin=subprocess.DEVNULL
        )
    return read_log((folder / "host.log").read_text(encoding="utf-8", errors="replace"))


def read_log(log: str) -> Run:
    """What a log says."""
    run = Run([], log.count("Reference `"), log.count("multiply defined"), [], 0)
    current = ""
    for line in log.splitlines():
        if mark := _MARK.search(line):
            current = mark[1]
        if line.startswith("! "):
            run.errors.append(f"{current}: {line}")
        if (box := _OVERFULL.search(line)) and float(box[1]) > 1.0:
            run.boxes.append((float(box[1]), current))
    pages = re.search(r"Output written on \S+ \((\d+) page", log.replace("\n", ""))
    run.pages = int(pages[1]) if pages else 0
    return run


def write_fragments(names: Sequence[str], level: str, width: str, gates: str = "") -> Iterator[tuple[str, str]]:
    for name in names:
        prefix = f"{name}-{level}"
        options = {"level": level, "width": width, "gates": gates, "prefix": prefix}
        yield name, write(derive(cells.lookup(name)), "fragment", **options)


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--cells", default=",".join(cells.names()))
    options.add_argument("--levels", default=",".join(choices.LEVELS))
    options.add_argument("--hosts", default=",".join(HOSTS))
    options.add_argument("--gates", default="")
    options.add_argument("--keep", type=Path, help="a folder for the documents")
    chosen = options.parse_args()
    names = chosen.cells.split(",")
    wrong = False
    for host in chosen.hosts.split(","):
        width, needed, preamble = HOSTS[host]
        if shutil.which("pdflatex") is None or not is_installed(needed):
            print(f"{host:9} {needed} is not installed")
            continue
        for level in chosen.levels.split(","):
            begun = time.process_time()
            fragments = list(write_fragments(names, level, width, chosen.gates))
            spent = time.process_time() - begun
            with tempfile.TemporaryDirectory() as folder:
                place = Path(folder)
                if chosen.keep:
                    place = chosen.keep / f"{host}-{level}"
                    place.mkdir(parents=True, exist_ok=True)
                run = compile_fragments(preamble, fragments, place)
            wrong = wrong or not run.is_clean
            print(
                f"{host:9} {level:8} {len(fragments)} fragments, {run.pages} pages, {len(run.errors)} errors, "
                f"{run.undefined} undefined, {run.twice} twice, {len(run.boxes)} boxes; {spent:.1f} s written",
                flush=True,
            )
            for error in run.errors[:10]:
                print(f"    {error}")
            worst: dict[str, list[float]] = {}
            for by, name in run.boxes:
                worst.setdefault(name, []).append(by)
            for name, sizes in sorted(worst.items(), key=lambda item: -max(item[1])):
                print(f"    {name}: {len(sizes)}, up to {max(sizes):.0f} pt")
    return int(wrong)


if __name__ == "__main__":
    sys.exit(main())
