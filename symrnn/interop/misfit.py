"""Why weights are not what a row of the conventions describes.

Weights are tried against several rows; of all the reasons against, the user hears those of the rows that came nearest.
"""

from __future__ import annotations

from symrnn.errors import InputError


class Misfit(InputError):
    """The arrays are not there."""

    # The higher, the nearer: of all rows that were tried only the nearest ones speak.
    nearness = 0


class ShapeMisfit(Misfit):
    """The arrays are there, and have other shapes, or there are too many or too few of them."""

    nearness = 1


class Unclear(Misfit):
    """The arrays fit, and the arguments do not say which of them are meant."""

    nearness = 2
