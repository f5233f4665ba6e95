"""Addresses: of files of the API, of what answers stand on. NiceGUI puts /console before those of pages only."""

from urllib.parse import quote

from nicegui import ui


def file_link(text: str, address: str, name: str = "") -> ui.element:
    """A link that saves what the API answers, under `name` or the name that the answer has."""
    with ui.element("a").classes("k-link") as link:
        ui.label(text)
    link.props["download"] = name
    link.props["href"] = address
    return link


def source_address(kind: str, source_id: str) -> str:
    """The page of an FAQ or a document, without the /console that NiceGUI puts before it."""
    page = "documents/view?id=" if kind == "document" else "faqs/"
    return f"/{page}{quote(source_id, safe='')}"
