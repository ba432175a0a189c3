"""What is certain of wrong gradients without knowing the cell: where numbers alone prove it, it is no hint."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from symrnn.findings.findings import Diagnosis, GradientFinding
from symrnn.findings.sentences import listed


def certain_mistakes(findings: Sequence[GradientFinding]) -> tuple[Diagnosis, ...]:
    """A mistake for everything that was proved of wrong gradients, those of one kind together.

    Args:
        findings: the verdicts, with what each wrong gradient looks like.
    """
    groups: dict[tuple[str, str], list[str]] = {}
    for finding in findings:
        proved = next((one for one in finding.suggestions if one.proved), None)
        if proved is not None:
            groups.setdefault((proved.mistake, proved.proved), []).append(finding.name)
    return tuple(_diagnosis(tag, proved, names) for (tag, proved), names in groups.items())


def _diagnosis(tag: str, proved: str, names: Sequence[str]) -> Diagnosis:
    likewise = f", and likewise that of {listed(names[1:])}," if len(names) > 1 else ""
    return Diagnosis(tag, None, "", "", tuple(names), 0.0, f"The gradient of {names[0]}{likewise} {proved}.")


def joined(
    named: Sequence[Diagnosis], certain: Sequence[Diagnosis], explained: Sequence[Collection[str]]
) -> tuple[Diagnosis, ...]:
    """Mistakes in terms of a cell, and those that are certain without it and say more.

    What is certain of gradients that the cell's mistakes explain is left out.  Where it is a mistake of the same class,
    it takes the place of the cell's, with its line: it holds of more gradients.

    Args:
        named: the mistakes in terms of the cell.
        certain: those that are certain.
        explained: for each of the first, the inputs whose gradients it makes wrong.
    """
    whole = frozenset(name for names in explained for name in names)
    more = [one for one in certain if not set(one.gradients) <= whole]
    kept = list(named)
    for place, one in enumerate(more):
        same = [old for old, names in zip(named, explained, strict=True) if _is_part(old, names, one)]
        kept = [old for old in kept if old not in same]
        line = next((old.line for old in same if old.line is not None), None)
        more[place] = replace(one, line=None if line is None else replace(line, expected=""))
    return (*kept, *more)


def _is_part(named: Diagnosis, names: Collection[str], certain: Diagnosis) -> bool:
    """Whether a mistake of the cell is a part of what is certain of more gradients."""
    return named.mistake == certain.mistake and set(names) <= set(certain.gradients)
