"""The language of formulas: scalar functions, expression nodes, and their shapes."""
