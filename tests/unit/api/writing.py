"""Documents as people write them, and what is said about them."""

from __future__ import annotations

from iotistic.api.app import App
from iotistic.api.documents import load_documents
from iotistic.api.errors import InvalidResourceError

HEAD = "apiVersion: iotistic.io/v1alpha1\nkind: App\nmetadata: {name: shop}\n"


def app_text(spec: str, name: str = "shop") -> str:
    """A file with an App of this spec, written from the first column."""
    lines = "".join(f"  {line}\n" for line in spec.splitlines())
    return f"{HEAD.replace('shop', name)}spec:\n{lines}"


def app(spec: str, name: str = "shop") -> App:
    """That App."""
    (document,) = load_documents(app_text(spec, name), "app.yaml")
    return App.model_validate(document.data)


def said(text: str, source: str = "app.yaml") -> list[str]:
    """Every problem of a text, as people read it; none for a right one."""
    try:
        load_documents(text, source)
    except InvalidResourceError as error:
        return [problem.text() for problem in error.problems]
    return []


def said_of(spec: str) -> list[str]:
    """Every problem of an App of this spec, from the path on."""
    return [line.partition("  App shop  ")[2] for line in said(app_text(spec))]
