"""Proof that a derivation, and the code generated from it, are what the definition says."""

from symrnn.verification.checks import verify
from symrnn.verification.many import verify_many
from symrnn.verification.report import Check, Report

__all__ = ["Check", "Report", "verify", "verify_many"]
