"""Files of this package, of Python, of installed packages, and somebody's own."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import symrnn
from symrnn.callables.whose import is_ours, is_somebodys


def test_a_file_has_one_owner(tmp_path: Path) -> None:
    assert is_ours(symrnn.__file__)
    own = str(tmp_path / "layer.py")
    assert is_somebodys(own)
    assert is_somebodys("layer.py")
    for file in (own, json.__file__, np.__file__, "<frozen importlib._bootstrap>"):
        assert not is_ours(file)
    for file in (symrnn.__file__, json.__file__, np.__file__, "<frozen importlib._bootstrap>"):
        assert not is_somebodys(file)


@pytest.mark.parametrize("folder", [".local/lib/python3.12/site-packages", "lib/python3/dist-packages"])
def test_a_package_is_installed_wherever_it_is(folder: str, tmp_path: Path) -> None:
    """For one user alone, or by the operating system: neither is where this interpreter's packages are."""
    assert not is_somebodys(str(tmp_path / folder / "numpy" / "linalg.py"))
