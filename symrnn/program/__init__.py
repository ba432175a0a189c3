"""Derivation -> program -> code."""
