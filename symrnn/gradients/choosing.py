"""Which account of the same mistakes a report gives: that of the derived equations, or of what had to be mended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from symrnn.findings.findings import Diagnosis
from symrnn.gradients.recognition import Recognition
from symrnn.gradients.reporting import Named
from symrnn.mistakes.catalogue import clipped, extra_factor
from symrnn.repairs.repair import Repair

_EXCUSES = frozenset(("no-cell", "readout", "not-identified"))
"""Problems that say why no mistake was named."""


def explains_more(mended: Repair, derived: Named) -> bool:
    """Whether what had to be mended says more than the derived equations do: of more gradients, or in fewer mistakes.

    Where both say the same, the equations are preferred: they tell why, and not only what.
    """
    left = len(derived.unexplained) + sum(not one.exact for one in derived.mistakes)
    if len(mended.left) != left:
        return bool(mended.mistakes) and len(mended.left) < left
    return 0 < len(mended.mistakes) < len(derived.mistakes)


def with_lines(derived: Sequence[Diagnosis], mended: Sequence[Diagnosis]) -> tuple[Diagnosis, ...]:
    """The derived mistakes with the lines that had to be changed, where these are the same mistakes.

    Args:
        derived: in terms of the cell.
        mended: in terms of the text.
    """
    found = []
    for one in derived:
        same = [other for other in mended if other.mistake == one.mistake and set(other.gradients) & set(one.gradients)]
        if len(mended) == len(derived) == 1 and not same:
            same = list(mended)
        line = same[0].line if len(same) == 1 else None
        if line is not None:
            line = replace(line, expected="" if one.line is None else one.line.expected)
        found.append(one if line is None else replace(one, line=line))
    return tuple(found)


def named_as_proved(mended: Sequence[Diagnosis], certain: Sequence[Diagnosis]) -> tuple[Diagnosis, ...]:
    """The mistakes in terms of the text, with what numbers prove of the same gradients.

    Numbers are heard where they prove the same, and where the text tells less: a call that has to go is a factor too
    many as far as the text tells; that it clips, the numbers tell.  What is clipped by its norm is a multiple of the
    right gradient, which many changes of a text undo.
    """
    return tuple(_as_proved(one, certain) for one in mended)


def _as_proved(one: Diagnosis, certain: Sequence[Diagnosis]) -> Diagnosis:
    proved = next((other for other in certain if set(one.gradients) <= set(other.gradients)), None)
    if proved is None:
        return one
    if proved.mistake != clipped.TAG and one.mistake not in (proved.mistake, extra_factor.TAG):
        return one
    return replace(one, mistake=proved.mistake, sentence=f"{proved.sentence} {one.sentence}")


def without_excuses(recognised: Recognition) -> Recognition:
    """What was recognised, without the sentences on why no mistake was named."""
    return replace(recognised, problems=tuple(one for one in recognised.problems if one.kind not in _EXCUSES))
