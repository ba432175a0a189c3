"""Names the mistake in a hand-written backward pass: the derived one is changed until both agree."""
