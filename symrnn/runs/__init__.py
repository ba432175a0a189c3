"""A cell over steps in any arithmetic: numbers, complex numbers, a finite field, numbers with a bound on rounding.

For other rooms: `numbers` (the kinds), `stepping` (the loops over time), `sizes` (a cell at sizes), `points` (where a
step can be differentiated), `field_point`, `sequence`, `unroll`, `replay` and `values` (what is run), and `rounding`.
"""
