"""Pictures of cells, drawn from their equations: one layout, written as SVG and as TikZ."""

from __future__ import annotations

from symrnn.pictures.picture import DETAILS, FORMS, Picture, draw

__all__ = ["DETAILS", "FORMS", "Picture", "draw"]
