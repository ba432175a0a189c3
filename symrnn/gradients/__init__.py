"""The check of hand-written gradients, from the call to the report."""
