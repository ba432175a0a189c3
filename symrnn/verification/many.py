"""Many cells at once: the checks of `verify`, cell by cell in parallel processes."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed

from symrnn.errors import SymrnnError
from symrnn.language.recurrence import Cell
from symrnn.verification.checks import verify
from symrnn.verification.report import Check, Report

Progress = Callable[[str], None]
"""Told the name of every cell that is done, as soon as it is."""


def verify_many(
    cells: Sequence[Cell], jobs: int | None = None, progress: Progress = lambda name: None
) -> tuple[Report, ...]:
    """The reports of many cells, in the order of the cells.

    Args:
        cells: the cells.
        jobs: the number of processes; by default one for each processor.  With one, everything runs in this process.
        progress: told the name of every cell that is done.

    A cell that cannot be derived gets a report with that as its one failed check.  An interrupt stops the processes.
    """
    # No more processes than cells: each imports the package anew.
    jobs = min(jobs or os.cpu_count() or 1, len(cells))
    if jobs <= 1:
        return tuple(_announce(report, progress) for report in map(_report, cells))
    return _in_parallel(cells, jobs, progress)


def _announce(report: Report, progress: Progress) -> Report:
    progress(report.cell)
    return report


def _report(cell: Cell) -> Report:
    try:
        return verify(cell)
    except SymrnnError as error:
        return Report(cell.name, (Check("derivation", "none", "none", float("nan"), 0.0, False, str(error)),))


def _in_parallel(cells: Sequence[Cell], jobs: int, progress: Progress) -> tuple[Report, ...]:
    # New processes, not copies of this one: a copy of a process with threads may hang.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, context) as pool:
        try:
            futures = _submit(pool, cells)
            for future in as_completed(futures):
                progress(future.result().cell)
            return tuple(future.result() for future in futures)
        except BaseException:
            # The pool would wait for what its processes are at, which may take minutes.
            for child in multiprocessing.active_children():
                child.terminate()
            pool.shutdown(cancel_futures=True)
            raise


def _submit(pool: ProcessPoolExecutor, cells: Sequence[Cell]) -> list[Future[Report]]:
    """Start the processes while interrupts are ignored, which they inherit.

    An interrupt from the keyboard reaches every process of the terminal; only this one is to answer it.
    """
    if threading.current_thread() is not threading.main_thread():  # where Python lets nobody set signals
        return [pool.submit(_report, cell) for cell in cells]
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        return [pool.submit(_report, cell) for cell in cells]
    finally:
        signal.signal(signal.SIGINT, before)
