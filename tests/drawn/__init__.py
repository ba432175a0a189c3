"""Random cells as texts, what their texts mean, and generated modules compared with that meaning."""
