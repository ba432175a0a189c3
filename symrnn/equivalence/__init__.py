"""Whether two cells are the same function, up to a map between their parameters.

For other rooms: `equivalent.equivalent`.  It searches (`correspondence`, `parameter_search`, `piece_option`,
`parameter_uses`) for a map (`parameter_map`) and judges the cells under it (`under_a_map`).
"""
