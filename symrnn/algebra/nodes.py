"""All kinds of nodes and their constructors under one name: what other rooms build expressions with."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from symrnn.algebra.dimensions import *
from symrnn.algebra.matrices import *
from symrnn.algebra.node import *
from symrnn.algebra.operators import *
from symrnn.algebra.powers import *
from symrnn.algebra.ring import *

KINDS: Mapping[str, type[Node]] = MappingProxyType(
    {
        name: kind
        for name, kind in sorted(globals().items())
        if isinstance(kind, type) and issubclass(kind, Node) and kind is not Node
    }
)
"""Class name -> class of every kind of node."""
