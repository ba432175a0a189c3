"""Sums over gates of the same form: W_fᵀ δa_f + W_iᵀ δa_i + ... as one term with a star."""

from __future__ import annotations

from collections.abc import Sequence

from symrnn.algebra.nodes import Expr, Sum, Variable
from symrnn.documents.alike import Alike, find_alike, is_stackable_sum
from symrnn.documents.setting import Setting
from symrnn.documents.splitting import merged
from symrnn.documents.structure import Maths

_STAR = Maths("*", "*")


def gathered(setting: Setting, value: Expr) -> Maths:
    """A right side, with terms of the same form as one."""
    if not setting.families or not isinstance(value, Sum):
        return setting.maths(merged(value))
    terms = list(value.args)
    alike = find_alike(setting.families, [(term,) for term in terms])
    if not alike:
        return setting.maths(value)
    first = {group.positions[0]: group for group in alike}
    dropped = {position for group in alike for position in group.positions[1:]}
    shown: list[tuple[str, Maths]] = []
    for position, term in enumerate(terms):
        if position in first:
            shown.append(_show_group(setting, first[position]))
        elif position not in dropped:
            shown.append(setting.signed(term, alone=False))
    return _join(shown)


def show_words(setting: Setting, words: Sequence[str]) -> Maths:
    """What the star stands for: * ∈ {f, i, g, o}."""
    shown = Maths.joined((setting.maths(Variable(word, 1, 1)) for word in words), ", ")
    return Maths(rf"{_STAR.latex} \in \{{{shown.latex}\}}", f"{_STAR.text} ∈ {{{shown.text}}}")


def _show_group(setting: Setting, group: Alike) -> tuple[str, Maths]:
    (term,) = group.exprs
    if (
        setting.gates == "stacked"
        and group.family.stacks
        and group.words == group.family.words
        and is_stackable_sum(term)
    ):
        return setting.signed(group.family.stacked(term), alone=False)
    sign, inner = setting.signed(term, alone=False)
    over = show_words(setting, group.words)
    return sign, Maths(rf"\sum_{{{over.latex}}} {inner.latex}", f"Σ_{{{over.text}}} {inner.text}")


def _join(terms: Sequence[tuple[str, Maths]]) -> Maths:
    """The terms as one sum."""

    def joined(parts: list[tuple[str, str]]) -> str:
        (sign, first), *others = parts
        return "".join((f"-{first}" if sign == "-" else first, *(f" {sign} {part}" for sign, part in others)))

    return Maths(joined([(s, m.latex) for s, m in terms]), joined([(s, m.text) for s, m in terms]))
