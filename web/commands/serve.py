"""`kefu serve`: the web server, with the demo shop if asked for. Knows nothing of routes."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from web.commands import compose
from web.commands.options import Data
from web.commands.terminal import bar, quiet_libraries


def serve(
    demo: Annotated[bool, typer.Option("--demo", help="Load the demo shop if it is not there, and show it.")] = False,
    host: Annotated[str | None, typer.Option(help="Address.", show_default="KEFU_HOST, else 127.0.0.1")] = None,
    port: Annotated[int | None, typer.Option(help="Port.", show_default="KEFU_PORT, else 8000")] = None,
    data: Data = None,
) -> None:
    """Serve the chat, the widget and the API."""
    quiet_libraries()
    spare_threads()
    settings = compose.read_settings(data, host=host, port=port, demo=demo or None)
    from web.server import serve as run

    with bar("loading") as shown:
        run(settings, shown)


def spare_threads() -> None:
    """Let NumPy and FAISS, which are not loaded yet, split no small sum among few cores, nor spin for the next one.

    Many replies share the cores. What the operator has set stays.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
