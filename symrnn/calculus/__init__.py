"""Derivatives of cells: the table of rules, the backward equations, and the Jacobians."""
