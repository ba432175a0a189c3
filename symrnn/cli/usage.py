"""Wrong use of the command line, said the way this package says what is wrong: what, and what to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from typer.core import TyperGroup

from symrnn.characters import printable
from symrnn.cli.terminal import complain
from symrnn.errors import InputError
from symrnn.suggestions import close_names, did_you_mean

_OTHERWISE: Mapping[str, str] = MappingProxyType(
    {
        "backward": "derive", "differentiate": "derive", "grad": "derive", "gradient": "derive", "latex": "derive",
        "code": "generate", "codegen": "generate", "compile": "generate", "export": "generate", "numpy": "generate",
        "prove": "verify", "test": "verify", "gradcheck": "check", "diagnose": "check", "lint": "check",
        "list": "cells", "ls": "cells", "show": "cells", "info": "cells", "library": "cells", "jac": "jacobian",
        "partial": "jacobian", "help": "--help", "version": "--version", "completion": "--install-completion",
    }
)  # fmt: skip
"""What people call a command in other programs -> its name here."""


_OPTIONS_OTHERWISE: Mapping[str, str] = MappingProxyType(
    {
        "--format": "--to", "--form": "--to", "--type": "--to", "--out": "--output", "--file": "--output",
        "--style": "--notation", "--hold": "--holding", "--functions": "--with", "--sections": "--with",
        "--include": "--with", "-v": "--version", "-h": "--help", "--exclude": "--without", "--skip": "--without",
    }
)  # fmt: skip
"""What people call an option in other programs -> its name here."""


class Commands(TyperGroup):
    """The commands, and what to say where there is none of a name."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command of a name.

        Raises:
            InputError: there is none; the message has what was probably meant.
        """
        # A word before the parser sees it: it would say less, and know no cells.
        if args and args[0] not in self.commands and not args[0].startswith("-"):
            raise InputError(self._explain_unknown(args[0], args[1:]))
        return super().resolve_command(ctx, args)

    def _explain_unknown(self, name: str, rest: list[str]) -> str:
        # Only for an unknown word, since it reads all files of the library.
        from symrnn.cli.completion import library_names

        hint = did_you_mean(name, self.commands, called=_OTHERWISE, template="symrnn {}")
        cell = name if name.partition(":")[0].endswith(".py") else "".join(close_names(name, library_names()))
        if cell and (not hint or name.casefold() in library_names()):
            hint = f"did you mean 'symrnn derive {printable(' '.join([cell, *rest]))}'? "
        listed = f"there are {', '.join(self.commands)}; 'symrnn --help' says more"
        return f"no command {printable(name)!r}\n  {hint}{listed}"


def usage_error(error: Exception, words: Sequence[str] = ()) -> int:
    """Say what an exception of the command line's own says, and return its exit code.

    The parser's exceptions are known by what they can do: they have one home in some versions of typer and another
    in others.

    Args:
        error: the exception.
        words: the command line, whose first word is the command where the exception does not know it.

    Raises:
        Exception: it is another exception; it is raised again.
    """
    # By name: typer brings its own copy of the parser in some versions, so that no class could be imported for all.
    if type(error).__name__ == "Abort":
        return 130
    if not hasattr(error, "format_message") or not hasattr(error, "exit_code"):
        raise error
    context: Any = getattr(error, "ctx", None)
    if type(error).__name__ == "NoArgsIsHelpError":
        # Known by its name alone, so a type checker knows no method of it.
        error.show()  # type: ignore[attr-defined]
        return 2
    path = getattr(context, "command_path", None) or " ".join(["symrnn", *words[:1]])
    option = getattr(error, "option_name", None)
    # For an unknown option the parser adds guesses of its own, which know one command only; its bare message is taken.
    message = str(error.message if option else error.format_message()).rstrip(".")  # type: ignore[attr-defined]
    command = path.removeprefix("symrnn").strip()
    said = f"{command}: {message}" if command else message
    hint = _suggest_option(context, option) if option else ""
    return complain(f"{printable(said)}\n  {hint}'{path} --help' says how it is used")


def _suggest_option(context: Any, option: str) -> str:
    """Which option of the command, or which command that has the option, was probably meant."""
    if context is None:
        return ""
    group = context.find_root().command
    # An option of another command is a better answer than one that is spelled alike.
    having = [name for name, command in group.commands.items() if option in _options(command)]
    if having and option not in _options(context.command):
        where = "after the command's name" if context.command is group else "there"
        return f"{option} goes with {', '.join(having)}: give it {where}; "
    known = _options(context.command)
    called = {word: name for word, name in _OPTIONS_OTHERWISE.items() if name in known or name == "--help"}
    return did_you_mean(option, known, called=called)


def _options(command: Any) -> list[str]:
    """Every way to write one of the command's options."""
    return [name for parameter in command.params for name in parameter.opts if name.startswith("-")]
