"""Whether formulas about a cell are equal, and what is true of it: proved, or refuted with numbers.

For other rooms: `formulas` (`equal`, `prove`), `theorems`, `jacobians`, `survey`; `claims` says what a theorem is, and
`notation` in which texts a claim is written.
"""
