"""How tightly operators bind, for every syntax that is printed."""

from __future__ import annotations

from enum import IntEnum


class Level(IntEnum):
    """From loose to tight."""

    SUM = 1
    NEGATIVE = 2
    HADAMARD = 3
    PRODUCT = 4
    POWER = 5
    ATOM = 6
