"""What a command costs before it does its work: whole processes, side by side, as ratios of processor time.

    python benchmarks/start.py [runs]

`symrnn --help` against a bare `import typer`, `symrnn derive lstm` against a bare `import sympy, numpy`; and, inside
one process, deriving one step of the LSTM against building its cell from the text.
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import time

from symrnn import Cell, cells, derive

PAIRS = {
    "symrnn --help / import typer": (["-m", "symrnn", "--help"], ["-c", "import typer"]),
    "symrnn derive lstm / import sympy, numpy": (["-m", "symrnn", "derive", "lstm"], ["-c", "import sympy, numpy"]),
    "symrnn generate lstm / import sympy, numpy": (["-m", "symrnn", "generate", "lstm"], ["-c", "import sympy, numpy"]),
}


def processor_time(arguments: list[str]) -> float:
    """Seconds of processor time that a Python process takes."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def elapsed(work: object, runs: int) -> float:
    """The median time of a call, in milliseconds."""
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        work()  # type: ignore[operator]
        times.append(1e3 * (time.perf_counter() - start))
    return statistics.median(times)


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    for name, (ours, theirs) in PAIRS.items():
        pairs = [(processor_time(ours), processor_time(theirs)) for _ in range(runs + 1)][1:]
        ratio = statistics.median(a / b for a, b in pairs)
        mine, other = (statistics.median(column) for column in zip(*pairs, strict=True))
        print(f"{name:45} {mine:6.3f} s / {other:6.3f} s = {ratio:.2f}")
    deriving = elapsed(lambda: derive(cells.lstm), 10 * runs)
    reading = elapsed(lambda: Cell.from_source(cells.lstm.source), 10 * runs)
    print(f"{'derive(lstm) / from_source(lstm)':45} {deriving:5.2f} ms / {reading:5.2f} ms = {deriving / reading:.2f}")


if __name__ == "__main__":
    main()
