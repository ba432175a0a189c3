"""Names of values in time: h_prev and h_t, prev_h and next_h, h_tm1 and h are one state, as every text writes it.

The names are rewritten as the language has them: `h` is the state, at t-1 before its equation and at t after it, and
`h_prev` is its value at t-1 wherever that is still read afterwards.  What the author wrote stays known, so that it can
be asked for.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from symrnn.algebra.functions import FUNCTIONS
from symrnn.errors import CellError
from symrnn.language.text import Text

# From the plainest to the vaguest: h0 and ht are the step before only where something else is the step itself.
_BEFORE = tuple(
    re.compile(rf"(?:{pattern})\Z")
    for pattern in (
        "(.+?)_?prev(?:ious)?",
        "prev(?:ious)?_?(.+)",
        "(.+?)_?tm1",
        "(.+?)_?t_?(?:minus_?)?1",
        "(.+?)_(?:old|last|before|pre|in)",
        "(?:old|last)_(.+)",
        "(.+?)_?t",
        "(.+?)_?0",
        "([a-z])x",
        "(.+)_",
    )
)
"""How a value of the step before is written, with the state's own name in brackets."""
_NOW = tuple(
    re.compile(rf"(?:{pattern})\Z")
    for pattern in (
        "(.+?)_?t",
        "(.+?)_?(?:new|next|nxt|cur|curr|current|now|out)",
        "(?:new|next|cur|curr|current)_?(.+)",
        "(.+?)_?t_?(?:p|plus_?)1",
        "(.+?)_?1",
        "([a-z])y",
    )
)
"""How a value of this step is written."""
_DATED = re.compile(r"(.+?)_t(?:_(tilde|hat))?\Z")
_SHORT = re.compile(r"([a-su-z])t\Z")
_NOT_DATED = frozenset({"dt"})  # the length of a step in time


@dataclass(frozen=True)
class Roles:
    """What the names of one function stand for.

    Attributes:
        function: the function, with the language's names.
        written: the author's name -> the identifier of the variable, where they differ.
        called: an argument's name -> what the author calls it.
    """

    function: ast.FunctionDef
    written: Mapping[str, str]
    called: Mapping[str, str]


def canonical(function: ast.FunctionDef, text: Text) -> Roles:
    """Give every value the language's name.

    The function is changed in place: it belongs to the caller, who has just parsed it.

    Raises:
        CellError: a state at t is read before its equation.
    """
    returned = _returned(function)
    positional = [argument.arg for argument in function.args.args]
    names = {*positional, *(a.arg for a in function.args.kwonlyargs), *_assigned(function)}
    pairs = dict(_pairs(returned, positional))
    states = {pair.now: pair for pair in pairs.values()}
    renamed: dict[str, str] = {}
    taken = names - set(pairs) - set(states)
    for pair in pairs.values():
        # Two states may shorten to one name, as h_new and h_out to h.
        state = pair.state if pair.state not in taken else pair.now
        renamed[pair.before] = renamed[pair.now] = state
        taken.add(state)
    timed = [name for name in dict.fromkeys([*positional, *_assigned(function)]) if name not in renamed]
    for name in timed:
        short = _undated(name)
        if short and short not in names | taken | set(FUNCTIONS):
            renamed[name] = short
            taken.add(short)
    before = {pair.before: renamed[pair.before] for pair in pairs.values()}
    now = {pair.now: renamed[pair.now] for pair in pairs.values()}
    _Renaming(renamed, before, now, text).apply(function)
    written = {name: new for name, new in renamed.items() if name != new and name not in before}
    written |= {name: f"{state}_prev" for name, state in before.items() if name != state}
    called = {renamed.get(name, name): name for name in positional}
    return Roles(function, {name: new for name, new in written.items() if name != new}, called)


@dataclass(frozen=True)
class _WrittenState:
    """An argument and a returned name that are one state."""

    before: str
    now: str
    state: str


def _pairs(returned: Sequence[str], positional: Sequence[str]) -> Iterator[tuple[str, _WrittenState]]:
    """The arguments that are the states at t-1 of what is returned under another name."""
    free = [name for name in positional if name not in returned]
    for now in returned:
        if now in positional:
            continue
        ours = {now, *_stems(now, _NOW)}
        found = [(name, common) for name in free if (common := ours & {name, *_stems(name, _BEFORE)})]
        if len(found) > 1:  # h and h_prev beside one another: the one that says more
            found = [(name, common) for name, common in found if name not in ours] or found
        if len(found) == 1:
            before, common = found[0]
            free.remove(before)
            yield before, _WrittenState(before, now, min(common, key=lambda name: (len(name), name)))


def _stems(name: str, patterns: Sequence[re.Pattern[str]]) -> Iterator[str]:
    for pattern in patterns:
        match = pattern.match(name)
        if match and match[1].strip("_"):
            yield match[1].strip("_")


def _undated(name: str) -> str | None:
    """The name without its time, as f for f_t; None where there is none."""
    if name in _NOT_DATED:
        return None
    match = _DATED.match(name)
    if match:
        return f"{match[1]}_{match[2]}" if match[2] else match[1]
    match = _SHORT.match(name)
    return match[1] if match else None


def _returned(function: ast.FunctionDef) -> list[str]:
    last = function.body[-1]
    value = last.value if isinstance(last, ast.Return) else None
    elements = value.elts if isinstance(value, ast.Tuple | ast.List) else [value]
    return [element.id for element in elements if isinstance(element, ast.Name)]


def _assigned(function: ast.FunctionDef) -> list[str]:
    return [
        node.id
        for statement in function.body
        if isinstance(statement, ast.Assign | ast.AnnAssign | ast.AugAssign)
        for node in ast.walk(statement)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    ]


@dataclass
class _Renaming:
    renamed: Mapping[str, str]
    before: Mapping[str, str]
    now: Mapping[str, str]
    text: Text

    def apply(self, function: ast.FunctionDef) -> None:
        """Rename the arguments, and what every statement reads and assigns."""
        if not self.renamed:
            return
        for argument in [*function.args.args, *function.args.kwonlyargs]:
            argument.arg = self.renamed.get(argument.arg, argument.arg)
        done: set[str] = set()
        for statement in function.body:
            stored = [n for n in ast.walk(statement) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]
            for node in ast.walk(statement):
                if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                    self._read(node, done)
            for node in stored:
                if node.id in self.now:
                    done.add(self.now[node.id])
                node.id = self.renamed.get(node.id, node.id)

    def _read(self, node: ast.Name, done: set[str]) -> None:
        if node.id in self.before:
            state = self.before[node.id]
            # Before its equation a state's own name is its value at t-1; behind it only the longer name is.
            node.id = f"{state}_prev" if state in done else state
        elif node.id in self.now and self.now[node.id] not in done:
            before = next(name for name, state in self.before.items() if state == self.now[node.id])
            problem = f"{node.id!r} is read before it is assigned"
            raise CellError(self.text.place(node), problem, f"move its equation up; its value at t-1 is {before!r}")
        else:
            node.id = self.renamed.get(node.id, node.id)
