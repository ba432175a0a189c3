"""A mapping that cannot be changed, and that can be copied and sent to another process.

`types.MappingProxyType` is as good for a table of the package's own, which no one sends; it cannot be pickled.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

_Key = TypeVar("_Key")
_Value = TypeVar("_Value", covariant=True)


class Frozen(Mapping[_Key, _Value]):
    """A mapping without any way to change it; equal to every mapping with the same items.

    Args:
        items: its items, which are copied.
    """

    __slots__ = ("_items",)

    def __init__(self, items: Mapping[_Key, _Value]) -> None:
        self._items = dict(items)

    def __getitem__(self, key: _Key) -> _Value:
        return self._items[key]

    def __iter__(self) -> Iterator[_Key]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __repr__(self) -> str:
        return repr(self._items)

    def __reduce__(self) -> tuple[Any, ...]:
        return Frozen, (self._items,)
