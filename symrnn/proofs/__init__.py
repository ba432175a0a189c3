"""Whether formulas about a cell are equal, and what is true of it: proved, or refuted with numbers."""
