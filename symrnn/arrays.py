"""The types of NumPy's arrays, under short names: of any shape, and mostly of floats."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

Array = NDArray[Any]
Arrays = Mapping[str, Array]
"""A name, or a path in nested arguments -> its array."""
