"""Functions that return more than states, a loss or a readout: the cell and the heads inside them, found by numbers."""
