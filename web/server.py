"""Runs the app: listens at once, loads the bot meanwhile, ends without losing an answer. Knows no frame."""

from __future__ import annotations

import asyncio
import errno
import socket
import threading
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, cast

import structlog
import uvicorn
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.protocol import State

from knowledge_base.types import Progress
from web.app import create_app
from web.desk import Desk
from web.errors import WebError
from web.logs import configure_logs
from web.preparation import Preparation
from web.retention import Retention
from web.settings import Settings
from web.succession import Succession
from web.watching import watch

if TYPE_CHECKING:
    from bot.bot import Bot
    from knowledge_base.knowledge_base import KnowledgeBase

_MOST_FRAME = 2 * 1_048_576  # bytes; what is larger than settings.max_frame but not than this gets an error frame
_PARTING = 5  # seconds that connections get to close
_log = structlog.stdlib.get_logger(__name__)


def serve(settings: Settings, progress: Progress | None = None, on_ready: Callable[[], None] | None = None) -> None:
    """Serve until told to stop. `progress` is called from a thread while the bot is being loaded, `on_ready` after.

    Raises WebError when the address is taken or the data folder cannot be written, and whatever keeps the bot
    from being loaded.
    """
    configure_logs(settings.log_format)
    app = create_app(None, settings, console=True)
    setup = app.state.desk.access.setup_token()
    listener = _listen(settings.host, settings.port)
    server = Server(_config(app, settings), app.state.desk, progress, on_ready)
    host, port = listener.getsockname()[:2]
    url = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    _log.info("listening", url=url)
    if setup is not None:
        _log.info("no staff yet; make the first admin", open=f"{url}/console/setup?token={setup}")
    try:
        server.run(sockets=[listener])
    except KeyboardInterrupt:
        _log.info("interrupted")
    finally:
        listener.close()
    if server.problem is not None:
        raise server.problem


class Socket(WebSocketsSansIOProtocol):
    """A websocket that the server's end leaves alone while the customer is closing it.

    uvicorn would raise there, and neither close the other connections nor wait for the bot.
    """

    def shutdown(self) -> None:
        """End the connection."""
        if self.conn.state in (State.CLOSING, State.CLOSED):
            self.stop_keepalive()
            self.transport.close()
        else:
            super().shutdown()


class Server(uvicorn.Server):
    """uvicorn that loads the bot once it listens, and lets running replies reach their readers at the end."""

    def __init__(
        self,
        config: uvicorn.Config,
        desk: Desk,
        progress: Progress | None = None,
        on_ready: Callable[[], None] | None = None,
    ) -> None:
        super().__init__(config)
        self.problem: BaseException | None = None
        self._desk = desk
        self._progress = progress
        self._on_ready = on_ready
        self._succession: Succession | None = None
        self._beside: list[asyncio.Task[None]] = []

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, then begin to load."""
        await super().startup(sockets)
        loop = asyncio.get_running_loop()
        threading.Thread(target=self._load, args=(loop,), name="load", daemon=True).start()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take nothing new, let replies end, then close the connections and the bot."""
        for server in self.servers:
            server.close()
        await self._desk.close(self._desk.settings.drain_seconds)
        await super().shutdown(sockets)
        for task in self._beside:
            task.cancel()
        if self._succession is not None:
            await self._succession.close()
        _log.info("stopped")

    def _load(self, loop: asyncio.AbstractEventLoop) -> None:
        try:
            bot = _assembled(self._desk.settings, self._progress)
        except BaseException as problem:  # raised again by serve, in the main thread; Rust's panics are no Exceptions
            loop.call_soon_threadsafe(self._failed, problem)
        else:
            loop.call_soon_threadsafe(self._loaded, bot)

    def _loaded(self, bot: Bot) -> None:
        self._succession = Succession(self._desk, bot, partial(_another, self._desk.settings))
        self._desk.open(bot)
        desk = self._desk
        work = (self._succession.follow(), watch(desk), Retention(desk).follow(), Preparation(desk).follow())
        self._beside = [asyncio.ensure_future(going) for going in work]
        if self._on_ready is not None:
            self._on_ready()
        _log.info("ready", release=bot.release)

    def _failed(self, problem: BaseException) -> None:
        self.problem = problem
        self.should_exit = True


def _assembled(settings: Settings, progress: Progress | None, beside: Bot | None = None) -> Bot:
    from bot.assemble import assemble

    bot = assemble(settings, progress, beside)
    if settings.demo and beside is None:
        from web.demo_company import load_demo

        load_demo(cast("KnowledgeBase", bot.knowledge), progress)
    return bot


def _another(settings: Settings, release: str, beside: Bot) -> Bot:
    """The bot of another release, while `beside` goes on."""
    return _assembled(settings.model_copy(update={"release": release}), None, beside)


def _config(app: object, settings: Settings) -> uvicorn.Config:
    return uvicorn.Config(
        app,  # type: ignore[arg-type]
        log_config=None,
        access_log=False,
        ws=Socket,
        ws_max_size=_MOST_FRAME,
        ws_per_message_deflate=False,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=list(settings.trusted_proxies),
        server_header=False,
        timeout_graceful_shutdown=_PARTING,
    )


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as problem:
        raise WebError(_refusal(host, port, problem)) from problem


def _refusal(host: str, port: int, problem: OSError) -> str:
    if problem.errno == errno.EADDRINUSE:
        return f"port {port} of {host} is taken; stop the other program or set KEFU_PORT to a free port"
    if problem.errno == errno.EACCES:
        return f"port {port} needs more rights; set KEFU_PORT to a port above 1023"
    return f"cannot listen on {host}:{port} ({problem.strerror}); set KEFU_HOST and KEFU_PORT"
