"""The server with its real log on stderr, over a real bot that fails on questions with "break".

Run as a program: FOLDER. Prints its address once it listens.
"""

import socket
import sys
from pathlib import Path
from typing import Any

import uvicorn

from tests.web.console.server import PASSWORD, open_bot
from web.app import create_app
from web.logs import configure_logs
from web.server import _config
from web.settings import Settings


def main(folder: Path) -> None:
    """Serve until told to stop."""
    configure_logs("json")
    bot = open_bot(folder)
    search = bot.knowledge.search

    def broken(query: str, *rest: Any) -> Any:
        if "break" in query:
            raise LookupError(f"nothing for {query!r}")
        return search(query, *rest)

    bot.knowledge.search = broken  # type: ignore[method-assign]
    settings = Settings(data=folder, api_key="k" * 32, sign_ins_per_address=1000)
    app = create_app(bot, settings)
    app.state.desk.access.accounts.add("admin", PASSWORD, "admin", "zh")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        sys.stdout.write(f"http://127.0.0.1:{listener.getsockname()[1]}\n")
        sys.stdout.flush()
        uvicorn.Server(_config(app, settings)).run(sockets=[listener])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
