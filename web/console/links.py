"""Links to files of the API. NiceGUI's own links and navigation stay below /console; these do not."""

from nicegui import ui


def file_link(text: str, address: str, name: str = "") -> ui.element:
    """A link that saves what the API answers, under `name` or the name that the answer has."""
    with ui.element("a").classes("k-link") as link:
        ui.label(text)
    link.props["download"] = name
    link.props["href"] = address
    return link
