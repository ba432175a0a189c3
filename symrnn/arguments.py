"""Several names as one argument: a list of them, or one text with commas between."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from symrnn.errors import InputError


def listed(names: Any, what: str) -> tuple[str, ...]:
    """The names: "z", "z,n" and ("z", "n") are all taken.

    Args:
        names: what was given.
        what: the argument's name, for the message.

    Raises:
        InputError: it is neither a text nor several of them.
    """
    if isinstance(names, str):
        return tuple(name.strip() for name in names.split(",") if name.strip())
    if not isinstance(names, Iterable):
        remedy = f"give names, as {what}='z', {what}='z,n' or {what}=('z', 'n')"
        raise InputError(f"{what}={names!r}: expected names\n  {remedy}")
    return tuple(names)
