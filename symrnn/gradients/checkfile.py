"""The pairs of a forward and a backward pass in somebody's file: found, given inputs, and checked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from symrnn.callables.draws import Draws
from symrnn.callables.importing import import_file
from symrnn.callables.invocation import signature
from symrnn.callables.twins import is_data
from symrnn.characters import printable
from symrnn.errors import InputError, SymrnnError
from symrnn.findings.report import GradientReport
from symrnn.gradients.check import check_gradients
from symrnn.gradients.file_report import FileReport
from symrnn.gradients.pairs import CheckedPair, PairFinder, is_needed
from symrnn.gradients.ways import InputSource, WayIn, find_way

Early = Callable[[GradientReport], None]

_INPUTS = ("make_{}_inputs", "{}_make_inputs", "{}_inputs")
_GENERAL = ("make_inputs", "inputs")
_SHAPES = {"x": "(T, N, 4)", "h": "(N, 6)", "c": "(N, 6)", "W": "(4, 6)", "U": "(6, 6)", "R": "(6, 6)", "b": "6"}
"""First letter of a parameter -> its shape in an example."""


@dataclass(frozen=True)
class Wanted:
    """What a file is to be checked for.

    Attributes:
        forward: the forward pass's name, or `Class.method`; None to find pairs by their names.
        backward: the backward pass's.
        inputs: the name of the inputs, or of the function that makes them.
        cell: the cell that the file computes, if it is known.
        seed: of everything random.
        loss: whether one function returns the loss and its gradients.
        without: the inputs whose gradients are left out on purpose.
        budget: seconds of processor time for the search in each pair.
        cell_name: how the cell was named: one of the library, or in a file.
    """

    forward: str | None = None
    backward: str | None = None
    inputs: str | None = None
    cell: Any = None
    seed: int = 0
    loss: bool = False
    without: tuple[str, ...] = ()
    budget: float = 30.0
    cell_name: str | None = None


def check_file(
    path: Path,
    wanted: Wanted | None = None,
    announce: Callable[[], None] = lambda: None,
    early: Early | None = None,
) -> FileReport:
    """Import a file and check its pairs.

    Args:
        path: the file.
        wanted: what to check; None for all that is found.
        announce: called before the file is run.
        early: called with the verdicts of a pair before its mistakes are searched.

    Raises:
        InputError: the file cannot be imported, or has nothing that could be checked.
    """
    wanted = wanted or Wanted()
    with import_file(path, announce) as module:
        return _Checking(path, module, wanted, early).run()


class _Checking:
    """One file being checked."""

    def __init__(
        self,
        path: Path,
        module: ModuleType,
        wanted: Wanted,
        early: Early | None = None,
    ) -> None:
        self.early, self.path = early, path
        self.shown = printable(str(path))
        self.module, self.wanted = module, wanted
        self.pairs = PairFinder(self.shown, module)

    def run(self) -> FileReport:
        pairs = list(self._pairs())
        reports: dict[str, GradientReport] = {}
        programs: dict[str, str] = {}
        refused: dict[str, str] = {}
        # Read after the pairs are listed: it is then that classes turn out to need arguments.
        skipped = dict(self.pairs.needing)
        for pair in pairs:
            try:
                inputs = self._inputs(pair, alone=len(pairs) == 1)
                if inputs is None:
                    skipped[pair.name] = self._without_inputs(pair)
                    continue
                way = find_way(pair, inputs, self.module, self.wanted.seed)
                programs[pair.name] = way.program(self.path, self._options())
                reports[pair.name] = self._report(way)
            except SymrnnError as error:
                refused[pair.name] = str(error).removeprefix(f"{self.shown}: ")
        if not reports and not refused:
            raise InputError(next(iter(skipped.values()), None) or self._nothing())
        # With nothing else to report the refusal is the whole answer; among others it is a line of the report.
        if len(refused) == 1 and not reports and not skipped:
            raise InputError(f"{self.shown}: {next(iter(refused.values()))}")
        return FileReport(self.shown, reports, refused, skipped, programs)

    def _pairs(self) -> Iterator[CheckedPair]:
        wanted = self.wanted
        if wanted.loss:
            yield self.pairs.loss(wanted.forward, wanted.backward)
        elif wanted.forward or wanted.backward:
            yield self.pairs.named(wanted.forward, wanted.backward)
        else:
            yield from self.pairs.find()

    def _report(self, way: WayIn) -> GradientReport:
        report: GradientReport = check_gradients(
            *way.arguments,
            cell=self.wanted.cell,
            seed=self.wanted.seed,
            without=self.wanted.without,
            budget=self.wanted.budget,
            early=self.early,
        )
        return report

    def _options(self) -> dict[str, Any]:
        """What `check_gradients` is told besides, where it is not the usual."""
        wanted, usual = self.wanted, Wanted()
        named = wanted.cell_name or getattr(wanted.cell, "name", None)
        said = {"cell": named} if named else {}
        for name in ("seed", "without", "budget"):
            if getattr(wanted, name) != getattr(usual, name):
                said[name] = getattr(wanted, name)
        return said

    # --- inputs

    def _inputs(self, pair: CheckedPair, alone: bool) -> InputSource | None:
        """The inputs of a pair; None where the file has none."""
        if self.wanted.inputs is not None:
            return self._source(self.wanted.inputs, "--inputs ")
        held = self.pairs.held
        for stem in dict.fromkeys(stem for known in pair.stems for stem in (known, known.lower())):
            for form in _INPUTS:
                if form.format(stem) in held:
                    return self._source(form.format(stem))
        needed = self._needed(pair)
        for name in _GENERAL:
            # A list of token numbers may be called inputs: an argument by that name, not a dict of arguments.
            if name in held and not (name in needed and not isinstance(held[name], Mapping)):
                source = self._source(name)
                # Inputs of a general name may belong to any of several pairs: to those that can be called with them.
                return source if alone or _fits(pair, Draws(source.value).first(self.wanted.seed)) else None
        if needed and all(is_data(name, held.get(name)) for name in needed):
            text = ", ".join(f"{name!r}: {{m}}.{name}" for name in needed)
            return InputSource({name: held[name] for name in needed}, f"{{{text}}}")
        return InputSource({}, "{}") if pair.backward is None and not needed else None

    def _needed(self, pair: CheckedPair) -> list[str]:
        known = signature(pair.forward)
        return [name for name, p in (known.parameters if known else {}).items() if is_needed(p)]

    def _source(self, name: str, option: str = "") -> InputSource:
        value = self.pairs.held.get(name)
        if not isinstance(value, Mapping) and not callable(value):
            kind = type(value).__name__
            what = f"expected a dict or a function, got {kind}" if name in self.pairs.held else "there is no such name"
            raise InputError(f"{self.shown}: {option}{printable(name)}: {what}\n  it makes the arguments of forward")
        return InputSource(value, f"{{m}}.{name}")

    def _without_inputs(self, pair: CheckedPair) -> str:
        """That there are no inputs, and what to write."""
        names = self._needed(pair) or ["x", "W"]
        lines = [f'    "{name}": rng.normal(size={_SHAPES.get(name[:1], "(4, 6)")}),' for name in names]
        function = f"make_{pair.stems[0].lower()}_inputs" if pair.stems else "make_inputs"
        text = [f"def {function}(rng, T, N):", "    return {", *(f"    {line}" for line in lines), "    }"]
        example = "\n".join(f"    {line}" for line in text)
        return (
            f"{self.shown}: there are no inputs for {pair.name}\n"
            f"  add a function such as this one to the file, with the shapes that yours takes:\n\n{example}"
        )

    def _nothing(self) -> str:
        return (
            f"{self.shown}: no pair of functions was found\n"
            "  call them lstm_forward and lstm_backward, say --forward and --backward, or --loss"
        )


def _fits(pair: CheckedPair, inputs: Mapping[str, Any]) -> bool:
    known = signature(pair.forward)
    try:
        if known is not None:
            known.bind(**inputs)
    except TypeError:
        return False
    return True
