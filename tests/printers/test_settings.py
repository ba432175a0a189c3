"""Notations as files: what can be set, how several combine, and what is said of what cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from symrnn import Notation, cells, choices
from symrnn.errors import InputError, UnknownNameError
from symrnn.printers import NOTATIONS
from symrnn.printers.lettering import read_letter
from symrnn.printers.notation import PRESETS, find_notation, latex_name, text_name
from symrnn.printers.settings import SETTINGS, Choice, read_settings

REFUSED = {
    "colour = 1\ntime = 'angle'": (
        UnknownNameError,
        r"^f:1: there is no setting 'colour'\n  the settings are ",
    ),
    "time = 'angle'\ntine = 'angle'": (UnknownNameError, r"^f:2: there is no setting 'tine'\n  did you mean 'time'\? "),
    "forget_gate = 'f'": (UnknownNameError, r"^f:1: there is no setting 'forget_gate'\n  it stands under \[letters\]"),
    "bold = true\n\ntime = 'angel'": (
        InputError,
        r"^f:3: time = 'angel' is none of.*\n  did you mean 'angle'\? ",
    ),
    "bold = 'yes'": (InputError, r"^f:1: bold = 'yes' is none of its values\n  write true or false"),
    "now = 'the first'": (InputError, r"^f:1: now = 'the first' .*\n  write a whole number"),
    "loss = 'L_x'": (InputError, r"^f:1: loss = 'L_x' .*\n  write one letter without indices"),
    "[letters]\ninput = 'x'\nforgot_gate = 'f'": (
        InputError,
        r"^f:3: \[letters\] forgot_gate: not understood\n  did you mean 'forget_gate'\? the names are input, ",
    ),
    "[letters]\nforget_gate = 'f|'": (
        InputError,
        r"^f:2: \[letters\] forget_gate.*\n  'f\|' is no letter",
    ),
    "[letters]\nforget_gate = '{gate}'": (
        InputError,
        r"^f:2: .*\n  .*stands for the index of a gate",
    ),
    "[letters]\nforget_gate = 5": (InputError, r"^f:2: .*\n  write a letter, such as forget_gate = 'f'"),
    "[names]\ng = '\\frac{a}'": (InputError, r"^f:2: \[names\] g: .*\n  .*\\frac is not among Greek letters"),
    "letters = 3": (InputError, r"^f:1: letters = 3 is none of its values\n  write a table"),
    "time = angle": (InputError, r"^f:1: not TOML: .*\n  quote what stands right"),
    '[letters]\ncandidate = "\\tilde{C}"\nmemory = "\\sigma"': (InputError, r"^f:3: not TOML: .*\n.*single quotes"),
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_cannot_be_set_is_said_with_its_line(text: str) -> None:
    error, message = REFUSED[text]
    with pytest.raises(error, match=message):
        read_settings(text, "f")


@pytest.mark.parametrize("setting", [name for name, check in SETTINGS.items() if isinstance(check, Choice)])
def test_every_value_of_a_choice_can_be_written_in_each_of_its_spellings(setting: str) -> None:
    check = SETTINGS[setting]
    assert isinstance(check, Choice)
    for value, others in check.values.items():
        for spelling in (value, *others):
            # Both products with a dot are refused together, so each is tried alone.
            assert getattr(Notation(**{setting: spelling}), setting) == value  # type: ignore[arg-type]
    with pytest.raises(InputError, match=rf"notation: {setting} = 'wrong' is none of its values\n  .*write one of"):
        Notation(**{setting: "wrong"})  # type: ignore[arg-type]


def test_the_folder_of_notations_is_the_list_of_their_names() -> None:
    assert tuple(NOTATIONS) == tuple(PRESETS) == choices.NOTATIONS
    assert {"goodfellow", "coursera", "olah", "greff", "graves", "d2l", "torch", "keras"} < set(NOTATIONS)


def test_later_notations_win_and_tables_add_up(tmp_path: Path) -> None:
    own = tmp_path / "mine.toml"
    own.write_text("hadamard = '∘'\n[letters]\nmemory = 's'\n[names]\nW_f = 'V'\n", encoding="utf-8")
    both = find_notation(f"olah,{own}")
    assert (both.hadamard, both.product, both.name) == (r"\circ", r"\cdot", "olah,mine.toml")
    assert (both.letters["memory"], both.letters["candidate"]) == ("s", r"\tilde{C}")
    assert Notation.read(own, "olah").hadamard == r"\ast"
    assert find_notation(both) is both
    assert find_notation("olah") is NOTATIONS["olah"]


def test_two_products_with_one_sign_are_refused() -> None:
    with pytest.raises(InputError, match="hadamard and product are written alike"):
        Notation(hadamard="dot", product="dot")


def test_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere\.toml: there is no such file"):
        find_notation(str(tmp_path / "nowhere.toml"))
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="not a text in UTF-8"):
        find_notation(str(tmp_path / "binary.toml"))
    with pytest.raises(InputError, match="cannot be read"):
        find_notation(f"{tmp_path}/")
    (tmp_path / "long.toml").write_text("#" * 200_000, encoding="utf-8")
    with pytest.raises(InputError, match="too large for a notation"):
        find_notation(str(tmp_path / "long.toml"))
    with pytest.raises(UnknownNameError, match=r"no notation 'greef'\n  did you mean 'greff'\? .*; or a file"):
        find_notation("olah,greef")


@pytest.mark.parametrize(
    ("letter", "in_latex", "in_text"),
    [
        ("h", "h_t", "h_t"),
        ("c_tilde", r"\tilde{c}_t", "c̃_t"),
        (r"\tilde{C}", r"\tilde{C}_t", "C̃_t"),
        (r"\widetilde C", r"\tilde{C}_t", "C̃_t"),
        (r"\Gamma_f", r"\Gamma_{f,t}", "Γ_{f,t}"),
        ("W_{xi}", "W_{xi,t}", "W_{xi,t}"),
        ("W_{x,i}", "W_{x,i,t}", "W_{x,i,t}"),
        (r"\sigma^{\mathrm{up}}", r"\sigma_t^{\mathrm{up}}", "σ_t^{up}"),
        ("b^{(f)}", "b_t^{(f)}", "b_t^(f)"),
        (r"\hat{h}'", r"{\hat{h}'}_t", "ĥ'_t"),
        (r"\mathcal{L}", r"\mathcal{L}_t", "ℒ_t"),
    ],
)
def test_letters(letter: str, in_latex: str, in_text: str) -> None:
    notation, variable = Notation(names={"h": letter}), cells.rnn["h"]
    assert (latex_name(variable, notation), text_name(variable, notation)) == (in_latex, in_text)


@pytest.mark.parametrize(
    "letter", ["", "ab|", "f g", "{f", "h^", "x_{}", r"\input{x}", r"\mathrm{xi}", "\\", "é", "h)"]
)
def test_what_is_no_letter_is_refused(letter: str) -> None:
    with pytest.raises(InputError, match="is no letter"):
        read_letter(letter)
