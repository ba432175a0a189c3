"""Every formula of Markdown is taken by KaTeX, strictly, and by MathJax with the packages that GitHub has."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from symrnn import cells, derive
from symrnn.documents import write

SCRIPT = Path(__file__).with_name("formulas.js")
DISPLAY = re.compile(r"^\$\$\n(.*?)\n\$\$$", re.DOTALL | re.MULTILINE)
INLINE = re.compile(r"\$([^$\n]+)\$")
WIDEST = 900.0
"""Pixels of GitHub's column of text."""

Formula = tuple[str, bool]


@cache
def is_installed() -> bool:
    if shutil.which("node") is None:
        return False
    packages = "require('katex'); require('mathjax-full/js/mathjax.js')"
    return subprocess.run(["node", "-e", packages], capture_output=True, check=False, cwd=SCRIPT.parent).returncode == 0


pytestmark = [
    pytest.mark.peer,
    pytest.mark.skipif(not is_installed(), reason="node, katex and mathjax-full are not where NODE_PATH says"),
]


def formulas(document: str) -> list[Formula]:
    displayed = [(formula, True) for formula in DISPLAY.findall(document)]
    return displayed + [(formula, False) for formula in INLINE.findall(DISPLAY.sub("", document))]


def render(every: Iterable[Formula]) -> dict[Formula, Any]:
    wanted = list(dict.fromkeys(every))
    run = subprocess.run(
        ["node", str(SCRIPT)], input=json.dumps(wanted), capture_output=True, encoding="utf-8", check=True, timeout=300
    )
    return dict(zip(wanted, json.loads(run.stdout), strict=True))


def assert_rendered(every: Iterable[Formula]) -> int:
    found = render(every)
    assert [(formula, one["errors"]) for formula, one in found.items() if one["errors"]] == []
    assert [formula for (formula, is_display), one in found.items() if is_display and one["width"] > WIDEST] == []
    return len(found)


def test_every_formula_of_the_library_is_rendered() -> None:
    documents = (write(derive(cells.lookup(name)), "markdown") for name in cells.names())
    assert assert_rendered(formula for document in documents for formula in formulas(document)) > 1000


@pytest.mark.parametrize(("level", "notation"), [("brief", "angle"), ("lecture", "partial")])
def test_levels_and_notations_are_rendered(level: str, notation: str) -> None:
    written = [
        write(derive(cells.lookup(name)), "markdown", notation, level=level, gates=gates)
        for name in ("lstm", "gru", "mlstm")
        for gates in ("one-line", "stacked")
    ]
    assert assert_rendered(formula for document in written for formula in formulas(document)) > 20


@pytest.mark.parametrize(
    ("formula", "said"),
    [
        (r"a \thickspace b", "MathJax"),
        (r"a \undefined b", "KaTeX"),
        ("a +" * 90 + "b", "too wide"),
    ],
)
def test_what_is_not_rendered_is_noticed(formula: str, said: str) -> None:
    (one,) = render([(formula, True)]).values()
    assert any(error.startswith(said) for error in one["errors"]) or (said == "too wide" and one["width"] > WIDEST)
    with pytest.raises(AssertionError):
        assert_rendered([(formula, True)])
