"""The demo shop as `make run` serves it: real weights, a real data folder, a real server."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from bot.bot import Bot

_PATIENCE = 600  # seconds: the first start converts the encoder and encodes the shop


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty data folder."""
    return tmp_path_factory.mktemp("data")


class Shop:
    """`kefu serve --demo` in a process of its own."""

    def __init__(self, data: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self.data = data
        environment = os.environ | {"KEFU_DATA": str(data), "KEFU_PORT": str(port), "KEFU_API_KEY": "test-key"}
        command = [str(Path(sys.executable).with_name("kefu")), "serve", "--demo"]
        self._log = data.parent / "server.log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        self._wait()

    def run(self, *arguments: str) -> str:
        """Run `kefu ARGUMENTS` on the shop's data folder; returns what it prints to stdout."""
        command = [str(Path(sys.executable).with_name("kefu")), *arguments]
        environment = os.environ | {"KEFU_DATA": str(self.data)}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def stop(self) -> None:
        self._process.send_signal(signal.SIGINT)
        self._process.wait(60)

    def _wait(self) -> None:
        until = time.monotonic() + _PATIENCE
        while time.monotonic() < until:
            assert self._process.poll() is None, self._log.read_text()
            try:
                with urlopen(f"{self.url}/ready") as response:
                    if response.status == 200:
                        return
            except (URLError, ConnectionError):
                time.sleep(0.2)
        raise TimeoutError(self._log.read_text())


@pytest.fixture(scope="session")
def shop(data: Path) -> Iterator[Shop]:
    shop = Shop(data)
    yield shop
    shop.stop()


@pytest.fixture(scope="session")
def bot(shop: Shop) -> Iterator[Bot]:
    """The same shop's bot in this process, beside the server."""
    from bot.assemble import assemble
    from bot.settings import Settings

    bot = assemble(Settings(data=shop.data))
    yield bot
    bot.close()
