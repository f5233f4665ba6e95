import pytest

from bot.settings import Settings


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEFU_GENERATOR_URL", "http://localhost:8001/v1")
    monkeypatch.setenv("KEFU_RELEASE", "r2")
    settings = Settings()
    assert (settings.generator, settings.generator_url, settings.release) == (
        "embedded",
        "http://localhost:8001/v1",
        "r2",
    )
