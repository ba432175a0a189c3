"""What symrnn says of a program with mistakes planted in it, beside what is true."""

from __future__ import annotations

import contextlib
import functools
import io
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from symrnn import check_gradients
from symrnn.callables import from_globals, from_loss, from_object
from symrnn.findings.report import GradientReport
from symrnn.gradients import checkfile
from symrnn.gradients.checkfile import Wanted, check_file
from tests.gradients.programs.loading import Program, data, example, load
from tests.gradients.programs.planted import Slip


@dataclass(frozen=True)
class Judged:
    """What was said of a program, and whether it is so.

    Attributes:
        refused: why the program could not be checked; empty where it was.
        wrong: the gradients that are wrong in truth.
        verdict: whether symrnn says that something is wrong exactly where something is, and of the right gradients.
        missed: the planted mistakes that no diagnosis names.
        extra: the tags named that nothing planted accounts for.
        unexplained: the gradients that symrnn calls wrong and not explained.
        lines: "right", "wrong" or "none", for each diagnosis that names a planted mistake.
        said: the diagnoses as text.
        seconds: of processor time.
    """

    refused: str = ""
    wrong: tuple[str, ...] = ()
    verdict: bool = False
    missed: tuple[Slip, ...] = ()
    extra: tuple[str, ...] = ()
    unexplained: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    said: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def named(self) -> bool:
        """Whether every mistake is named, nothing else is, and nothing is left over."""
        return not (self.refused or self.missed or self.extra or self.unexplained)


def report_of(program: Program, verdict_only: bool = False) -> GradientReport:
    """The report of the call that a user would make.

    Raises:
        SymrnnError: the call is refused.
    """
    checking = functools.partial(check_gradients, diagnose=False) if verdict_only else check_gradients

    def check(file: Path, **wanted: Any) -> GradientReport:
        before, checkfile.check_gradients = checkfile.check_gradients, checking
        try:
            found = check_file(file, Wanted(**wanted))
        finally:
            checkfile.check_gradients = before
        reports = [*found.reports.values()]
        assert len(reports) == 1, f"{len(reports)} pairs were checked; refused: {dict(found.refused)}"
        return reports[0]

    known = {"m": program.module, "FILE": program.file, "a": example(program.name), "check": check, "np": np}
    adapters = {"from_globals": from_globals, "from_loss": from_loss, "from_object": from_object}
    report: GradientReport = eval(data(program.name).CALL, known | adapters | {"check_gradients": checking})
    return report


def plain_name(path: str) -> str:
    """The name in `params['W']`: `W`."""
    return path.rsplit("['", 1)[-1].removesuffix("']") if path.endswith("']") else path.split("[", 1)[0]


def _own_name(path: str, wrong: Sequence[str]) -> str:
    """A gradient's name, as the truth has it: that of the whole argument, or of what is in it."""
    whole = path.split("[", 1)[0]
    return whole if whole in wrong else plain_name(path)


def judge(name: str, *slips: Slip, verdict_only: bool = False) -> Judged:
    """Plant, ask, and compare with the truth."""
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = load(name, *slips)
        wrong = tuple(sorted(program.wrong()))
        start = time.process_time()
        try:
            report = report_of(program, verdict_only)
        except Exception as error:  # whatever keeps a user from an answer counts alike
            text = f"{type(error).__name__}: {error}".split("\n")[0]
            return Judged(refused=text, wrong=wrong, missed=slips, seconds=time.process_time() - start)
        seconds = time.process_time() - start
    return compare(program, report, wrong, seconds)


def compare(program: Program, report: GradientReport, wrong: Sequence[str], seconds: float) -> Judged:
    """A report beside what is true."""
    told = {_own_name(one.name, wrong) for one in report.wrong}
    known = {_own_name(one.name, wrong) for one in report.gradients}
    verdict = report.passed == (not wrong) and told == set(wrong) & known and bool(set(wrong) & known) == bool(wrong)
    exact = [one for one in report.diagnoses if one.exact]
    fair = {tag for slip in program.planted for tag in slip.tags}
    tags = {one.mistake for one in exact}
    lines = [fits(program, one) for one in exact if one.mistake in fair]
    fatal = [problem.sentence.split("\n")[0] for problem in report.problems if problem.fatal]
    return Judged(
        refused=fatal[0] if fatal and not report.gradients else "",
        wrong=tuple(wrong),
        verdict=verdict,
        missed=tuple(slip for slip in program.planted if not tags & set(slip.tags)),
        extra=tuple(one.mistake for one in report.diagnoses if one.mistake not in fair or not one.exact),
        unexplained=report.unexplained,
        lines=tuple(lines),
        said=tuple(f"{one.mistake}: {one.sentence} {one.line.text if one.line else ''}" for one in report.diagnoses)
        + tuple(problem.sentence for problem in report.problems),
        seconds=seconds,
    )


def fits(program: Program, diagnosis: Any) -> str:
    """Whether a diagnosis points at a line that a person would change."""
    if diagnosis.line is None:
        return "none"
    pairs = zip(program.planted, program.lines, strict=True)
    fair = {line for slip, lines in pairs if diagnosis.mistake in slip.tags for line in lines}
    here = Path(diagnosis.line.file).name == program.file.name
    return "right" if here and diagnosis.line.line in fair else "wrong"
