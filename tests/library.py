"""Which of the library's cells stand for the others where every one would only repeat the same lines."""

from __future__ import annotations

MAIN = ("rnn", "lstm", "gru", "gru_reset_after")
