"""The page about code as it is: its example passes, and it names every adapter and every rule."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import symrnn.callables
from symrnn.callables.updates import RULES

PAGE = (Path(__file__).parents[2] / "docs" / "ways-in.md").read_text(encoding="utf-8")


def test_its_example_passes() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    names: dict[str, Any] = {}
    exec(
        compile(code.replace("check_gradients(*way)", "check_gradients(*way, diagnose=False)"), "ways-in", "exec"),
        names,
    )
    assert names["report"].passed
    assert {one.name for one in names["report"].gradients} == {"gate.W", "gate.b"}


def test_it_names_every_adapter_and_rule() -> None:
    assert all(f"`{name}(" in PAGE for name in symrnn.callables.__all__)
    assert set(re.findall(r'\| `\{"(\w+)"', PAGE)) == set(RULES)
