"""The derivation as a document: one structure, several writers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from symrnn.calculus.derivation import Derivation
from symrnn.documents import equations, markdown, tex, text
from symrnn.documents.comparing_cells import diff_document
from symrnn.documents.comparing_flows import flow_document
from symrnn.documents.content import derivation_document
from symrnn.documents.languages import translate
from symrnn.documents.options import DocumentOptions, choose
from symrnn.documents.single import jacobian_document
from symrnn.documents.structure import Document
from symrnn.errors import UnknownNameError
from symrnn.printers import Notation
from symrnn.suggestions import did_you_mean

__all__ = [
    "FORMS",
    "Document",
    "DocumentOptions",
    "derivation_document",
    "diff_document",
    "flow_document",
    "jacobian_document",
    "write",
]


# Imported where they are used: pages have MathML of their own and notebooks generated code, which no other form needs.
def _write_page(document: Document, options: DocumentOptions) -> str:
    from symrnn.documents import page

    return page.write(document)


def _write_pdf(document: Document, options: DocumentOptions) -> bytes:
    from symrnn.documents import pdf

    return pdf.write(document, options)


def _write_notebook(document: Document, options: DocumentOptions) -> str:
    from symrnn.documents import notebook

    return notebook.write(document)


FORMS: Mapping[str, Callable[[Document, DocumentOptions], str | bytes]] = MappingProxyType(
    {
        "tex": tex.write_complete,
        "fragment": tex.write_fragment,
        "markdown": lambda document, options: markdown.write(document),
        "text": lambda document, options: text.write(document),
        "html": _write_page,
        "pdf": _write_pdf,
        "ipynb": _write_notebook,
        "equations": lambda document, options: equations.write(document),
    }
)
"""The forms a document can be written in: name -> writer."""


def write(
    document: Document | Derivation,
    form: str,
    notation: str | Notation | None = None,
    *,
    options: DocumentOptions | None = None,
    **chosen: Any,
) -> Any:
    """A document, or the document of a derivation, in one of the forms.

    Args:
        document: the document or the derivation.
        form: a name in `FORMS`.
        notation: how names look in a derivation's document; a document has its notation already.
        options: what else can be chosen; of a document that is made already, what is about LaTeX.
        **chosen: single options by name, in place of those in `options`.

    Returns:
        Text, and bytes for a PDF.

    Raises:
        UnknownNameError: there is no such form, notation or section, or value of an option.
        InputError: there is no such layout or option, or what makes PDF is missing.
    """
    if form not in FORMS:
        raise UnknownNameError(f"no form {form!r}\n  {did_you_mean(form, FORMS)}there are {', '.join(FORMS)}")
    # The form was looked up before: a wrong name is answered without building the document, which takes longer.
    wanted = choose(options, notation, **chosen)
    whole = document if isinstance(document, Document) else derivation_document(document, options=wanted)
    return FORMS[form](translate(whole, wanted.language), wanted)
