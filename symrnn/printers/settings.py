r"""What can be set in a notation, and how it is read from a file: a few lines of TOML.

    time = "angle"
    hadamard = "*"

    [letters]
    forget_gate = '\Gamma_f'

Every setting is a row here: which values it takes, and what is said of a value that it does not take.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from symrnn.characters import printable
from symrnn.choices import LAYOUTS
from symrnn.errors import InputError, UnknownNameError
from symrnn.language.anatomy import PARAMETERS, VALUES
from symrnn.printers.lettering import read_letter
from symrnn.suggestions import did_you_mean

TEMPLATES = (*PARAMETERS, "preactivation")
"""Letters that belong to a gate, whose index `{gate}` stands for."""
LETTERS = (*VALUES, *TEMPLATES, "input_size", "hidden_size")
"""What `letters` can name."""
GATES = tuple(role for role in VALUES if role not in ("input", "memory"))
"""What `indices` can name: what owns parameters."""

Check = Callable[[object], Any]
"""A value -> the value as the notation has it; a ValueError says what is expected."""


@dataclass(frozen=True)
class Choice:
    """A setting with a few values.

    Attributes:
        values: each value, and other spellings of it.
    """

    values: Mapping[str, tuple[str, ...]]

    def __call__(self, value: object) -> str:  # noqa: D102 - as every check of a setting
        for name, others in self.values.items():
            if value == name or value in others:
                return name
        shown = [
            min((name, *others), key=lambda one: (not one.isalpha(), len(one))) for name, others in self.values.items()
        ]
        raise ValueError(f"{did_you_mean(value, shown)}write one of {', '.join(map(repr, shown))}")


def _table(keys: tuple[str, ...] | None, templates: tuple[str, ...] = ()) -> Check:
    """A table of letters; every name may stand in it where `keys` is None."""

    def check(value: object) -> Mapping[str, str]:
        if not isinstance(value, Mapping):
            raise ValueError("write a table of names and letters, such as forget_gate = 'f'")
        for key, letter in value.items():
            if keys is not None and key not in keys:
                raise _KeyedError(key, f"{did_you_mean(key, keys)}the names are {', '.join(keys)}")
            if not isinstance(letter, str):
                raise _KeyedError(key, f"write a letter, such as {key} = 'f'")
            if letter or keys != GATES:  # an empty index is one
                try:
                    read_letter(letter, key in templates)
                except InputError as error:
                    raise _KeyedError(key, str(error)) from None
        return {str(key): str(letter) for key, letter in value.items()}

    return check


def _letter(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("write a letter, such as 'L'")
    look = read_letter(value)
    if look.below or look.above:
        raise ValueError("write one letter without indices, such as 'E'")
    return value


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("write true or false")
    return value


_STEP = re.compile(r"[A-Za-z0-9]+(?:[+-][A-Za-z0-9]+)*")


def _moment(value: object) -> int | str | None:
    if isinstance(value, str) and not _STEP.fullmatch(value):
        raise ValueError("write a whole number, such as 1, or letters and numbers with signs between, such as t-j")
    if value is not None and (not isinstance(value, int | str) or isinstance(value, bool)):
        raise ValueError("write a whole number, such as 1")
    return value


def _words(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("write a text")
    return value


SETTINGS: Mapping[str, Check] = MappingProxyType(
    {
        "describes": _words,
        "time": Choice(
            {
                "subscript": (),
                "parenthesis": ("superscript parenthesis",),
                "angle": (),
                "superscript": (),
                "function": (),
            }
        ),
        "now": _moment,
        "hadamard": Choice(
            {
                r"\odot": ("odot", "⊙"),
                r"\circ": ("circ", "∘"),
                r"\ast": ("*", "asterisk"),
                r"\cdot": ("dot", "cdot", "·"),
                "": ("none", "juxtaposed"),
            }
        ),
        "product": Choice({"": ("none", "juxtaposed"), r"\cdot": ("dot", "cdot", "·")}),
        "transposed": Choice({r"\top": ("top", "⊤"), "T": ("t",), r"\prime": ("prime", "'")}),
        "weights": Choice({"given": (), "split": (), "hx": ("[h, x]", "[h; x]"), "xh": ("[x, h]", "[x; h]")}),
        "stacked": Choice({";": ("semicolon",), ",": ("comma",)}),
        "adjoint": Choice(
            {
                "delta": ("δ", r"\delta"),
                "epsilon": ("ε", r"\epsilon"),
                "d": (),
                "bar": (),
                "nabla": ("∇", r"\nabla"),
                "partial": ("∂", r"\partial"),
            }
        ),
        "gradient": Choice(
            {"": ("usual",), "delta": (), "epsilon": (), "d": (), "bar": (), "nabla": (), "partial": ()}
        ),
        "bold": _flag,
        "rows": _flag,
        "layout": Choice(dict.fromkeys(LAYOUTS, ())),
        "loss": _letter,
        "letters": _table(LETTERS, TEMPLATES),
        "indices": _table(GATES),
        "names": _table(None),
    }
)
"""Name of a setting -> what checks its value."""

TABLES = ("letters", "indices", "names")
"""Settings that are tables: of several notations together each adds its own lines."""


class _KeyedError(ValueError):
    """What is wrong with one line of a table."""

    def __init__(self, key: object, expected: str) -> None:
        super().__init__(expected)
        self.key = str(key)


def check_setting(name: str, value: object) -> Any:
    """A setting's value as the notation has it.

    Raises:
        InputError: it does not take that value.
    """
    try:
        return SETTINGS[name](value)
    except _KeyedError as error:
        raise InputError(f"notation: {name}: {printable(error.key)!r}\n  {error}") from None
    except ValueError as error:
        raise InputError(f"notation: {name} = {value!r} is none of its values\n  {error}") from None


def read_settings(text: str, file: str) -> dict[str, Any]:
    """The settings in a text of TOML.

    Args:
        text: the text.
        file: the file's name, for messages.

    Raises:
        UnknownNameError: there is no such setting.
        InputError: the text is not TOML, or a value is not one of the setting's.
    """
    try:
        given = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"line (\d+)", str(error))
        hint = "\n  quote what stands right of the = sign; letters of LaTeX in single quotes: '\\tilde{C}'"
        raise InputError(f"{_at(file, found and int(found[1]))}: not TOML: {error}{hint}") from None
    for name in given:
        if name not in SETTINGS:
            near = "it stands under [letters]; " if name in LETTERS else did_you_mean(name, SETTINGS)
            where = _at(file, _line(text, name))
            raise UnknownNameError(
                f"{where}: there is no setting {printable(name)!r}\n  {near}the settings are {', '.join(SETTINGS)}"
            )
    return {name: _checked(name, value, text, file) for name, value in given.items()}


def _checked(name: str, value: object, text: str, file: str) -> Any:
    try:
        return SETTINGS[name](value)
    except _KeyedError as error:
        where = _at(file, _line(text, error.key, name))
        raise InputError(f"{where}: [{name}] {printable(error.key)}: not understood\n  {error}") from None
    except ValueError as error:
        shown = printable(repr(value))
        raise InputError(f"{_at(file, _line(text, name))}: {name} = {shown} is none of its values\n  {error}") from None


def _at(file: str, line: int | None) -> str:
    return f"{printable(file)}:{line}" if line else printable(file)


def _line(text: str, key: str, table: str = "") -> int | None:
    """The line on which a key stands, in a table's part of the text where one is named."""
    inside = not table
    for number, line in enumerate(text.splitlines(), 1):
        heading = re.match(r"\s*\[\s*([\w.\"']+)\s*\]", line)
        if heading:
            inside = heading[1].strip("\"'") == table
            if not table and heading[1].strip("\"'") == key:
                return number
        elif inside and re.match(rf"\s*[\"']?{re.escape(key)}[\"']?\s*=", line):
            return number
    return _line(text, table) if table else None


def read_settings_file(path: Path) -> dict[str, Any]:
    """The settings in a file.

    Raises:
        UnknownNameError: there is no such setting.
        InputError: the file cannot be read, or it is none of a notation.
    """
    shown = printable(str(path))
    try:
        # A notation is a few lines; what is longer is another file.
        if path.is_file() and path.stat().st_size > _LARGEST:
            raise InputError(f"{shown}: too large for a notation\n  name a file of TOML with a few lines")
        return read_settings(path.read_text(encoding="utf-8"), str(path))
    except FileNotFoundError:
        raise InputError(f"{shown}: there is no such file\n  name a file of TOML, or one of the notations") from None
    except UnicodeDecodeError:
        raise InputError(f"{shown}: not a text in UTF-8\n  save it as UTF-8") from None
    except OSError as error:
        raise InputError(f"{shown}: cannot be read: {error.strerror}\n  name a file of TOML") from None


_LARGEST = 100_000
"""Bytes; a notation that names every letter of every cell of the library has a tenth of it."""


def merged(*settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings one after another: a later one wins, and tables add their lines to those before."""
    result: dict[str, Any] = {}
    for one in settings:
        for name, value in one.items():
            result[name] = {**result.get(name, {}), **value} if name in TABLES else value
    return result
