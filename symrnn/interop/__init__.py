"""Weights and conventions of the frameworks: read a layer's weights, write them, say what differs."""

from __future__ import annotations

from symrnn.interop.containers import Flat
from symrnn.interop.conventions import CONVENTIONS, Convention, Entry, frameworks, kinds
from symrnn.interop.explain import Explanation, explain
from symrnn.interop.forms import NoImageError
from symrnn.interop.transfer import Loaded, dump, load

__all__ = [
    "CONVENTIONS",
    "Convention",
    "Entry",
    "Explanation",
    "Flat",
    "Loaded",
    "NoImageError",
    "dump",
    "explain",
    "frameworks",
    "kinds",
    "load",
]
