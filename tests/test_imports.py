"""What an object prints does not depend on what was imported before."""

from __future__ import annotations

import os
import pkgutil
import subprocess
import sys

import pytest

import symrnn

pytestmark = pytest.mark.sweep

ROOMS = ("algebra", "language", "calculus", "printers", "documents", "program", "cells")
"""Whose modules are each tried; of the other rooms the room itself, since each module costs a process."""
MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(symrnn.__path__, "symrnn.")
    if not module.name.endswith("__main__") and (module.name.count(".") == 1 or module.name.split(".")[1] in ROOMS)
)
PRINTS = """
import importlib, os, sys
import numpy, sympy  # not ours, and slow to import

def show(module):
    importlib.import_module(module)
    from symrnn.language.recurrence import Cell
    from symrnn.calculus.derivation import derive
    cell = Cell.from_source("def f(x, h, *, W, U):\\n    h = W @ x + U @ h\\n    return h\\n")
    derivation = derive(cell)
    value = derivation.of("h_prev").value
    shown = [cell.equations[0], value, repr(value), sympy.latex(value), sympy.pretty(value), derivation]
    print("|".join(map(str, shown)), flush=True)

for module in sys.argv[1:]:
    child = os.fork()
    if child == 0:
        print(end=f"{module}\\1")
        show(module)
        print(end="\\0", flush=True)
        os._exit(0)
    os.waitpid(child, 0)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="each module needs a process of its own, and starting one is slow")
def test_every_module_imported_alone_prints_the_same() -> None:
    run = subprocess.run(
        [sys.executable, "-c", PRINTS, *MODULES],
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    shown = dict(part.split("\1") for part in run.stdout.split("\0")[:-1])
    assert set(shown) == set(MODULES), run.stderr
    texts = set(shown.values())
    assert len(texts) == 1
    text = texts.pop()
    assert text.startswith("Eq(h_t, W x_t + U h_{t-1})|Uᵀ δh_t|")
    assert "Backward through one step" in text
