"""Mistakes found by mending: the text of a backward pass is changed, and run, until its gradients are right."""
