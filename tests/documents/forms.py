"""The forms of a document that are texts: a PDF is made of the LaTeX, and has tests of its own."""

from __future__ import annotations

from symrnn.documents import FORMS

TEXTS = tuple(form for form in FORMS if form != "pdf")
