"""What stands behind a cell: a readout and a loss, as small cells without a state of their own, and further layers."""

from symrnn.heads.joining import JoinedCell, with_head
from symrnn.heads.library import HEADS, Head, find_head
from symrnn.heads.stacking import stack

__all__ = ["HEADS", "Head", "JoinedCell", "find_head", "stack", "with_head"]
