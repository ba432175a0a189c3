"""Whether two cells are the same function, up to a map between their parameters."""
