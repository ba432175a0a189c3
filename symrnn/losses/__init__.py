"""Functions that return a loss: the cell and the head inside them, found by numbers."""
