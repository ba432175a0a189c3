"""Proof that a derivation and the code generated from it are what the definition says, and that two cells are one."""

from symrnn.equivalence.equivalent import Equivalence, equivalent
from symrnn.verification.checks import verify
from symrnn.verification.many import verify_many
from symrnn.verification.report import Check, Report

__all__ = ["Check", "Equivalence", "Report", "equivalent", "verify", "verify_many"]
