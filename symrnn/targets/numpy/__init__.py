"""Program -> NumPy source."""
