"""`symrnn same`: what belongs together, what does not, and what nothing can be said of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

import pytest

from symrnn import cells, derive, draw, generate, pictures
from symrnn.documents import FORMS, write
from symrnn.errors import InputError
from symrnn.language.fingerprint import find_fingerprints, fingerprint
from symrnn.origins.comparing import same

CELL = "def mine(x, h, *, W, U, b):\n    h = tanh(W @ x + U @ h + b)\n    return h\n"


@cache
def _texts() -> Mapping[str, str]:
    """Documents and modules of two cells, as people have them."""
    derived = {name: derive(cells[name]) for name in ("rnn", "gru")}
    module = generate(derived["rnn"]).source
    return {
        **{f"{name}.tex": write(derivation, "fragment") for name, derivation in derived.items()},
        "rnn_numpy.py": module,
        "gru_numpy.py": generate(derived["gru"]).source,
        "rnn.md": write(derived["rnn"], "markdown"),
        "paper.tex": "\\documentclass{article}\n\\input{rnn}\n% \\input{lstm}\n\\input{ gru.tex }\n",
        "rnn.py": CELL,
        "other.py": CELL.replace("+ b", "- b").replace("tanh", "sigmoid"),
        "signs.py": CELL.replace("+ b", "- b"),
        "edited.py": module.replace("np.tanh", "np.sin"),
        "none.tex": "\\documentclass{article}",
        "plain.py": "import numpy\n\nT = 1\n\ndef forward(x): ...\n\ndef backward(x): ...\n",
        "paper.pdf": "%PDF-1.5 ...",
        "run.py": "raise SystemExit('was run')\n",
    }


@pytest.fixture(autouse=True)
def _files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, text in _texts().items():
        Path(name).write_text(text, encoding="utf-8")


@pytest.mark.parametrize(
    "names",
    [
        ("rnn.tex", "rnn_numpy.py"),
        ("rnn.md", "rnn.tex", "rnn.py", "rnn", "rnn_numpy.py"),
        ("paper.tex", "gru_numpy.py"),
        ("rnn_numpy.py", "paper.tex", "gru_numpy.py"),  # the paper is on both
        ("rnn.py", "rnn.py:mine"),
        ("rnn.py",),
    ],
)
def test_what_belongs_together(names: tuple[str, ...]) -> None:
    found = same(*names)
    assert found
    assert found.reasons == ()


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (("gru.tex", "rnn_numpy.py"), "rnn_numpy.py was made from other equations than gru.tex"),
        (("gru.tex", "gru_numpy.py", "lstm"), "lstm was made from other equations than gru.tex"),
        (("rnn.tex", "edited.py"), "edited.py was changed by hand after it was generated"),
        (("edited.py",), "generate it anew"),
        (("rnn.py", "other.py"), "h_t = tanh(W x_t + U h_{t-1} + b) | σ(W x_t + U h_{t-1} - b)"),
        (("rnn_numpy.py", "other.py"), "no map of parameters was found under which they are the same function"),
    ],
)
def test_what_does_not(names: tuple[str, ...], words: str) -> None:
    found = same(*names)
    assert not found
    assert words in str(found)


def test_cells_in_other_letters_are_compared_as_functions() -> None:
    found = same("rnn.py", "signs.py")
    assert found
    assert "the equations of signs.py are not those of rnn.py" in str(found)
    assert "as functions they are the same, proved exactly\n  with b = -b of signs.py" in str(found)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("none.tex", "none.tex: no fingerprint says which equations it was made from\n  write it anew with"),
        ("plain.py", "plain.py: no fingerprint says which equations this module was made from, and it is no cell"),
        ("paper.pdf", "paper.pdf: this is a PDF\n  give the source"),
        ("missing.tex", "missing.tex: there is no such file"),
        ("run.py", "a cell file holds imports and functions only"),
        ("lstn", "no cell 'lstn'"),
    ],
)
def test_what_says_nothing_is_refused(run: Callable[..., tuple[int, str, str]], name: str, words: str) -> None:
    code, out, err = run("same", "rnn", name)
    assert code == 2
    assert out == ""
    assert words in err


def test_nothing_to_compare() -> None:
    with pytest.raises(InputError, match="nothing to compare"):
        same()


def test_the_command_line(run: Callable[..., tuple[int, str, str]]) -> None:
    mark = fingerprint(cells.rnn)
    shown = f"rnn.tex: document, {mark}\nrnn_numpy.py: module, {mark}, as generated\nsame\n"
    assert run("same", "rnn.tex", "rnn_numpy.py") == (0, shown, "")
    assert run("same", "gru.tex", "rnn_numpy.py")[0] == 1


def test_every_form_of_a_picture_has_it() -> None:
    picture = draw(cells.rnn)
    assert all(find_fingerprints(picture.written(form)) == (fingerprint(cells.rnn),) for form in pictures.FORMS)


@pytest.mark.parametrize("form", [form for form in FORMS if form not in ("equations", "text", "pdf")])
def test_every_form_of_a_document_has_it(form: str) -> None:
    assert fingerprint(cells.rnn) in write(derive(cells.rnn), form)
