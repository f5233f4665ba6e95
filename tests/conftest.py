"""What every test may use: a real browser and a real PostgreSQL, each started once."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Error, Playwright, sync_playwright

from tests.postgresql import Postgresql, started

if "PYTEST_XDIST_WORKER" in os.environ:  # as many at work as there are cores: none needs threads besides
    os.environ.setdefault("OMP_NUM_THREADS", "1")

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--no-first-run",
    "--disable-component-update",
    "--disable-sync",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests go last, in files of their own: Playwright's event loop, once begun, stays in the way of others."""
    items.sort(key=lambda item: item.get_closest_marker("browser") is not None)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium without a window. Without one the tests are skipped, saying why; under CI=true they fail."""
    with sync_playwright() as playwright:
        try:
            started = playwright.chromium.launch(executable_path=_chromium(playwright), args=_ARGUMENTS)
        except (Error, FileNotFoundError) as error:
            reason = f"no browser: {str(error).splitlines()[0]}"
            if os.environ.get("CI") == "true":
                pytest.fail(reason, pytrace=False)
            pytest.skip(reason)
        yield started
        started.close()


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Postgresql]:
    """A real PostgreSQL server."""
    with started() as running:
        yield running


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Where a database without a row is, of each kind in turn; SQLite's file is kefu.sqlite in the test's folder."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'kefu.sqlite'}"
        return
    server: Postgresql = request.getfixturevalue("postgresql")
    with server.tables() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Where a database without a table is, of each kind in turn."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.sqlite'}"
        return
    server: Postgresql = request.getfixturevalue("postgresql")
    with server.nothing() as url:
        yield url


def _chromium(playwright: Playwright) -> str:
    """KEFU_CHROMIUM, else an installed Chromium or Chrome that starts, else Playwright's own."""
    if named := os.environ.get("KEFU_CHROMIUM"):
        return named
    for found in filter(None, map(shutil.which, _NAMES)):
        if subprocess.run([found, "--version"], capture_output=True).returncode == 0:  # a snap stub fails
            return found
    own = playwright.chromium.executable_path
    if not Path(own).is_file():
        raise FileNotFoundError("Chromium is not installed; run `make test`, or set KEFU_CHROMIUM to its path")
    return own


@pytest.fixture(scope="session", autouse=True)
def models_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where whatever a test starts keeps its converted models: each is made once for all tests."""
    folder = tmp_path_factory.mktemp("models")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KEFU_MODELS", str(folder))
        yield folder


@pytest.fixture(scope="session")
def embedded_encoder_folder(models_folder: Path) -> Path:
    """The real embedded encoder, converted once."""
    from knowledge_base.embedded_encoder import embedded_encoder

    return embedded_encoder(models_folder)


@pytest.fixture(scope="session")
def embedded_generator_folder(models_folder: Path) -> Path:
    """The real embedded generator, converted once."""
    from bot.embedded_generator import embedded_generator

    return embedded_generator(models_folder)
