"""Programs that are written to a file, so that their lines can be found."""

from __future__ import annotations

import importlib.util
import itertools
from pathlib import Path
from types import ModuleType

_count = itertools.count()


def load(folder: Path, text: str) -> ModuleType:
    """The module of a text, in a file of its own."""
    path = folder / f"written_{next(_count)}.py"
    path.write_text(text, encoding="utf-8")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
