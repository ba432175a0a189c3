"""Whose a file is: this package's, Python's or an installed one, or somebody's own."""

from __future__ import annotations

import functools
import os
import re
import sysconfig

_OWN = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_INSTALLED = tuple(
    os.path.abspath(sysconfig.get_paths()[kind]) + os.sep for kind in ("stdlib", "platstdlib", "purelib", "platlib")
)
_PACKAGES = re.compile(r"[\\/](?:site|dist)-packages[\\/]")
"""Where packages are installed beside these places: for one user alone, or by the operating system."""


# Tracers ask this at every call of a function, and the files are few.
@functools.cache
def is_ours(file: str) -> bool:
    """Whether a file is one of this package."""
    return os.path.abspath(file).startswith(_OWN)


@functools.cache
def is_somebodys(file: str) -> bool:
    """Whether a file is neither of this package, nor Python's, nor installed."""
    path = os.path.abspath(file)
    return not (file.startswith("<frozen") or path.startswith((_OWN, *_INSTALLED)) or _PACKAGES.search(path))
