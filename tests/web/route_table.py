"""Every route of the whole app, console and demo site included, as the app itself has them.

Run as a program: FOLDER. Prints one JSON list; a process of its own, as NiceGUI has one set of pages in a process.
"""

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

NAMES_NOTHING = "?"


@dataclass(frozen=True, slots=True)
class Route:
    """One address and method. `permission`: what its dependency asks for; None: any of the staff."""

    method: str  # or "WS", or "MOUNT" for what answers by itself below its path
    path: str
    permission: str | None = NAMES_NOTHING


def routes_of(routes: Any, prefix: str = "") -> Iterator[Route]:
    """What `routes` hold, those of routers and mounted apps inside them too."""
    for route in routes:
        if hasattr(route, "original_router"):  # FastAPI keeps an included router as one route
            yield from routes_of(route.effective_candidates(), prefix)
        elif hasattr(route, "original_route"):
            given = route.starlette_route or route
            yield from _one(route.original_route, prefix + given.path)
        elif getattr(getattr(route, "app", None), "routes", None):
            yield from routes_of(route.app.routes, prefix + route.path)
        else:
            yield from _one(route, prefix + route.path)


def _one(route: Any, path: str) -> Iterator[Route]:
    methods = getattr(route, "methods", None)
    if methods is None:
        yield Route("WS" if "WebSocket" in type(route).__name__ else "MOUNT", path)
    for method in sorted(methods or ()):
        yield Route(method, path, _permission(route))


def _permission(route: Any) -> str | None:
    dependant = getattr(route, "dependant", None)
    for dependency in dependant.dependencies if dependant else ():
        if hasattr(dependency.call, "permission"):
            return dependency.call.permission
    return NAMES_NOTHING


def main(folder: Path) -> None:
    """Print the table."""
    from web.app import create_app
    from web.settings import Settings

    app = create_app(None, Settings(data=folder, demo=True), console=True)
    sys.stdout.write(json.dumps([asdict(route) for route in routes_of(app.routes)]))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
