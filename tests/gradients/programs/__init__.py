"""Whole programs with hand-written gradients, in as many styles as people have, and the mistakes people make."""
