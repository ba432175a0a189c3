"""Heads: what stands behind a cell, a readout and a loss, as small cells without a state of their own."""

from symrnn.heads.joining import JoinedCell, with_head
from symrnn.heads.library import HEADS, Head, find_head

__all__ = ["HEADS", "Head", "JoinedCell", "find_head", "with_head"]
