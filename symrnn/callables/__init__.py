"""Somebody's functions, called safely: one black box, its arguments, what it returns."""
