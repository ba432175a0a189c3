"""What somebody may have meant by a name that is unknown: the one place that compares spellings."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping

_CLOSE = 0.6
"""The similarity that two spellings need: one wrong letter in three is still a slip, two in three are another name."""


def folded(name: str) -> str:
    """The name without capitals, blanks and marks: LSTM, lstm and l-s-t-m are one."""
    return "".join(c for c in name.casefold() if c.isalnum())


def close_names(name: object, known: Iterable[str], most: int = 1) -> tuple[str, ...]:
    """The known names that come nearest to one that is not known, the nearest first.

    A name that differs in capitals, blanks or marks alone is the only answer.

    >>> close_names("LSTM", ["lstm", "lstm_cifg"], 2)
    ('lstm',)
    >>> close_names("gur", ["gru", "rnn"])
    ('gru',)
    """
    if not isinstance(name, str):
        return ()
    # Read more than once, and some callers give what can be read only once.
    names = list(known)
    wanted = folded(name)
    same = [one for one in names if folded(one) == wanted] if wanted else []
    if same:
        return (same[0],)
    # Of two names that fold to one the first in the list is proposed, hence from the end.
    shown = {folded(one): one for one in reversed(names)}
    return tuple(shown[one] for one in difflib.get_close_matches(wanted, list(shown), most, _CLOSE))


def did_you_mean(
    name: object,
    known: Iterable[str],
    most: int = 1,
    called: Mapping[str, str | tuple[str, ...]] | None = None,
    template: str = "{}",
) -> str:
    """The question "did you mean 'lstm'? " with a blank at its end, or nothing where no name is near.

    Args:
        name: what was given.
        known: the names that there are.
        most: how many are proposed.
        called: other names for one or several of them, by which people know them.
        template: what the names are put into, such as `symrnn derive {}`.

    >>> did_you_mean("pytorch", ["torch", "keras"], called={"pytorch": "torch"})
    "did you mean 'torch'? "
    """
    others = dict(called or {})
    found = close_names(name, [*known, *others], most)
    several = (others.get(one, one) for one in found)
    meant = dict.fromkeys(one for names in several for one in ((names,) if isinstance(names, str) else names))
    return f"did you mean {' or '.join(repr(template.format(one)) for one in meant)}? " if meant else ""
