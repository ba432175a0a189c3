"""What it means that two functions are the same, and the witnesses that are heard.

For other rooms: `comparing.compare` and `pairs`, which says what two functions must offer; the kinds of numbers in
`tower` (proofs) and `certain` (signs).
"""
