"""Which line of somebody's function computes a value."""
