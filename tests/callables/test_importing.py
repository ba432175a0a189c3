"""A file is imported once, with its directory on the path for as long, and everything is put back afterwards."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from symrnn.callables.importing import import_file
from symrnn.errors import InputError


def test_a_file_may_import_the_files_beside_it_and_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "beside_it_only.py").write_text("SIZE = 6\n", encoding="utf-8")
    file = tmp_path / "theirs.py"
    file.write_text("from beside_it_only import SIZE\nimport sys\nsys.argv.append('more')\n", encoding="utf-8")
    path, argv, announced = list(sys.path), list(sys.argv), []
    with import_file(file, lambda: announced.append(1)) as module:
        assert module.SIZE == 6
        assert sys.path[0] == str(tmp_path)
    assert (sys.path, sys.argv, announced) == (path, argv, [1])
    assert "beside_it_only" not in sys.modules


@pytest.mark.parametrize(
    ("text", "said"),
    [("def f(:\n    pass\n", "theirs.py"), ("x = 1\nraise ValueError('own words')\n", "own words(.|\n)*__main__")],
)
def test_what_cannot_be_imported_is_said_in_one_message(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "theirs.py"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=said), import_file(file):
        pass
    with pytest.raises(InputError, match="nowhere"), import_file(tmp_path / "nowhere.py"):
        pass
