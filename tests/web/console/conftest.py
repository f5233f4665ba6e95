"""A server of its own with the console, and browser pages of people who are signed in."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.web.console.server import PASSWORD
from web.staff.roles import Role

ROOT = Path(__file__).parents[3]


class Console:
    """The server, and how people come in."""

    program = "tests.web.console.server"

    def __init__(self, data: Path, browser: Browser | None = None, *, staffed: bool = True) -> None:
        """browser: for those who open pages. staffed: with one person of each role."""
        self.data = data
        self._browser = browser
        self._staffed = staffed
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self._port = port
        self.start()

    def start(self) -> None:
        """Start the server and wait until it listens."""
        command = [sys.executable, "-m", self.program, str(self._port), str(self.data)]
        command += [] if self._staffed else ["bare"]
        self._log = (self.data.parent / "server.log").open("ab")
        self._process = subprocess.Popen(
            command, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, stderr=self._log
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == b"ready\n", (self.data.parent / "server.log").read_text()

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop it; SIGKILL as a crash would."""
        self._process.send_signal(how)
        self._process.wait(60)
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._log.close()

    @contextmanager
    def client(self, role: Role) -> Iterator[httpx.Client]:
        """A program's client for the API, signed in."""
        with httpx.Client(base_url=self.url, timeout=30) as client:
            me = client.post("/api/session", json={"name": role, "password": PASSWORD}).json()
            client.headers["x-csrf-token"] = me["csrf"]
            yield client

    def page(self, role: Role | None, language: str = "zh", width: int = 1280, height: int = 800) -> Page:
        """A browser page of somebody of that role, in a browser profile of its own; None: a customer."""
        assert self._browser is not None
        context = self._browser.new_context(
            viewport={"width": width, "height": height}, locale="zh-CN" if language == "zh" else "en-GB"
        )
        context.set_default_timeout(20_000)
        if role is not None:
            self._sign_in(context, role, language)
        return context.new_page()

    def _sign_in(self, context: BrowserContext, role: Role, language: str) -> None:
        me = context.request.post(f"{self.url}/api/session", data={"name": role, "password": PASSWORD}).json()
        with self.client("admin") as admin:
            assert admin.patch(f"/api/staff/{me['id']}", json={"language": language}).status_code == 200


@pytest.fixture
def console(tmp_path: Path, browser: Browser) -> Iterator[Console]:
    yield from opened(Console(tmp_path / "data", browser), browser)


@pytest.fixture
def new_console(tmp_path: Path, browser: Browser) -> Iterator[Console]:
    """One whose first admin has yet to come."""
    yield from opened(Console(tmp_path / "data", browser, staffed=False), browser)


def opened(console: Console, browser: Browser) -> Iterator[Console]:
    """Closes the browser's pages and stops the server in the end: it waits for who is still connected."""
    yield console
    for context in browser.contexts:
        context.close()
    console.stop()
