"""Gradients compared with numbers: directional derivatives, verdicts, where a gradient is wrong."""
