"""The derivation as a document: one structure, several writers."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from types import MappingProxyType

from symrnn.calculus.derivation import Derivation
from symrnn.documents import equations, markdown, tex, text
from symrnn.documents.content import derivation_document
from symrnn.documents.single import jacobian_document
from symrnn.documents.structure import Document
from symrnn.errors import UnknownNameError
from symrnn.printers import Notation
from symrnn.suggestions import did_you_mean

__all__ = ["FORMS", "Document", "derivation_document", "jacobian_document", "write"]

FORMS: Mapping[str, Callable[[Document], str]] = MappingProxyType(
    {
        "tex": tex.write_complete,
        "fragment": tex.write_fragment,
        "markdown": markdown.write,
        "text": text.write,
        "equations": equations.write,
    }
)
"""The forms a document can be written in: name -> writer."""


def write(
    document: Document | Derivation,
    form: str,
    notation: str | Notation = "subscript",
    layout: str = "numerator",
    further: Collection[str] = (),
) -> str:
    """A document, or the document of a derivation, in one of the forms.

    Args:
        document: the document or the derivation.
        form: a name in `FORMS`.
        notation: how names look in a derivation's document; a document has its notation already.
        layout: how Jacobians are laid out in a derivation's document, "numerator" or "denominator".
        further: sections on request in a derivation's document, "properties" and "rewritings".

    Raises:
        UnknownNameError: there is no such form, notation or section.
        InputError: there is no such layout.
    """
    if form not in FORMS:
        raise UnknownNameError(f"no form {form!r}\n  {did_you_mean(form, FORMS)}there are {', '.join(FORMS)}")
    # The form was looked up before: a wrong name is answered without building the document, which takes longer.
    whole = document if isinstance(document, Document) else derivation_document(document, notation, layout, further)
    return FORMS[form](whole)
