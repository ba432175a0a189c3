"""Statements that do more than compute: they write files, print, ask the network.  These are never changed.

What is called is told by the objects that the names stand for in the functions' own modules; nothing is called.
"""

from __future__ import annotations

import ast
import builtins
import sys
from collections.abc import Iterator, Sequence
from enum import IntEnum
from types import ModuleType
from typing import Any

import numpy as np

from symrnn.repairs.code import SourceUnit
from symrnn.repairs.sights import statements_of
from symrnn.repairs.site import name_of


class CallEffect(IntEnum):
    """What a call does beside returning a value."""

    NONE = 0
    SHOWN = 1  # what is printed or logged, and whatever nobody knows: loops around it may change
    KEPT = 2  # what stays when the program has ended, so that how often and with what it is done matters


_COMPUTING = frozenset(
    """
    abs all any bool bytes callable complex dict divmod enumerate filter float frozenset getattr hasattr hash id int
    isinstance issubclass iter len list map max min next object pow range repr reversed round set setattr slice sorted
    str sum super tuple type vars zip
    """.split()
)
"""Python's own functions that compute; what is not among them opens files, or runs texts."""
_NUMERIC = frozenset(
    "math cmath operator itertools functools collections copy random typing dataclasses contextlib abc enum".split()
)
"""Packages that come with Python whose functions compute; those of the others may do anything."""
_OUTSIDE = frozenset("requests httpx aiohttp boto3 sqlalchemy h5py joblib wandb mlflow paramiko psutil".split())
"""Packages whose business is what stays."""
_SHOWING = frozenset("logging warnings time timeit matplotlib rich loguru pprint sys traceback pdb inspect gc".split())
_WRITING = frozenset(
    """
    save savez savez_compressed savetxt tofile memmap dump dump_svmlight_file savemat to_csv to_pickle to_hdf to_json
    write writelines writerow writerows write_text write_bytes unlink rmdir rmtree mkdir makedirs rename touch chmod
    send sendall post urlopen urlretrieve execute executemany executescript commit upload open
    """.split()
)
"""Functions and methods that write, whatever they belong to."""
_METHODS = frozenset(
    name for kind in (np.ndarray, np.ufunc, np.random.Generator, list, dict, set, tuple, str) for name in dir(kind)
)
"""Methods of arrays and of Python's own values."""


_INNER = (ast.stmt, ast.ExceptHandler, ast.match_case)


def find_barred(units: Sequence[SourceUnit]) -> frozenset[ast.stmt]:
    """The statements of these functions that must not be changed."""
    effects = _Effects(units)
    return frozenset(
        one
        for unit in units
        for function in unit.functions
        for one in statements_of(function)
        if effects.of(unit, one, whole=True) == CallEffect.KEPT or effects.of(unit, one, whole=False)
    )


class _Effects:
    """What the calls in somebody's functions do."""

    def __init__(self, units: Sequence[SourceUnit]) -> None:
        self._own = {function.name for unit in units for function in unit.functions}
        self._writing: set[str] = set()
        # A function that calls one that writes, writes.
        while True:
            found = {
                function.name
                for unit in units
                for function in unit.functions
                if any(self.of(unit, one, whole=True) == CallEffect.KEPT for one in function.body)
            }
            if found <= self._writing:
                break
            self._writing |= found

    def of(self, unit: SourceUnit, statement: ast.stmt, *, whole: bool) -> CallEffect:
        """The strongest effect of the calls in a statement, with or without the statements inside of it."""
        calls = (one for one in _parts(statement, whole) if isinstance(one, ast.Call))
        return max((self._of_call(unit, one) for one in calls), default=CallEffect.NONE)

    def _of_call(self, unit: SourceUnit, call: ast.Call) -> CallEffect:
        function, name = call.func, name_of(call)
        if name in self._writing or (name in _WRITING and name not in self._own):
            return CallEffect.KEPT
        root: Any = function
        while isinstance(root, ast.Attribute):
            root = root.value
        if not isinstance(root, ast.Name):
            return CallEffect.NONE if not name or name in _METHODS | self._own else CallEffect.SHOWN
        found = unit.live[0].function.__globals__.get(root.id, getattr(builtins, root.id, None))
        if isinstance(function, ast.Attribute) and not isinstance(found, ModuleType):
            return CallEffect.NONE if name in _METHODS | self._own else CallEffect.SHOWN
        return _of_object(found)


def _of_object(found: Any) -> CallEffect:
    """What a function does, or those of a module, as far as where it comes from tells; somebody's own computes."""
    name = getattr(found, "__name__", "")
    if found is not None and getattr(builtins, name, None) is found:
        computes = name in _COMPUTING or isinstance(found, type)
        return CallEffect.SHOWN if found is print else CallEffect.NONE if computes else CallEffect.KEPT
    package = _package(found)
    if package in _SHOWING:
        return CallEffect.SHOWN
    outside = package in sys.stdlib_module_names or package in _OUTSIDE
    return CallEffect.KEPT if outside and package not in _NUMERIC else CallEffect.NONE


def _package(found: Any) -> str:
    module = found.__name__ if isinstance(found, ModuleType) else getattr(found, "__module__", None) or ""
    return str(module).split(".")[0]


def _parts(statement: ast.stmt, whole: bool) -> Iterator[ast.AST]:
    """Everything in a statement; where it is not wanted whole, without the statements inside of it."""
    rest: list[ast.AST] = [statement]
    while rest:
        node = rest.pop()
        yield node
        rest += [one for one in ast.iter_child_nodes(node) if whole or not isinstance(one, _INNER)]
