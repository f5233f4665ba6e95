"""The app as a whole: health, metrics, headers, static files, settings."""

from collections.abc import Callable
from pathlib import Path

import pytest
from starlette.testclient import TestClient

import web.app
import web.routes.static
from web.app import create_app
from web.errors import WebError
from web.settings import Settings


@pytest.fixture
def client(bot, settings: Callable[..., Settings]):
    with TestClient(create_app(bot, settings())) as made:
        yield made


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "widget.js"
    path.write_text("customElements;")
    monkeypatch.setattr(web.routes.static, "WIDGET", path)
    return path


def test_health_and_readiness(client: TestClient) -> None:
    assert client.get("/health").json() == {"status": "ok"}
    assert client.get("/ready").json()["status"] == "ready"
    assert client.head("/health").status_code == 200


def test_metrics_count_answers_and_never_hold_words(client: TestClient) -> None:
    client.post("/chat/stream", json={"text": "a secret question"})
    client.post("/chat/stream", json={"text": "fail"})
    text = client.get("/metrics").text
    assert 'kefu_answers_total{kind="grounded",language="en"} 1.0' in text
    assert 'kefu_step_seconds_count{step="search"} 1.0' in text
    assert "kefu_reply_seconds_count 1.0" in text and 'kefu_errors_total{code="internal"} 1.0' in text
    assert "kefu_replies_running 0.0" in text and "secret" not in text


def test_two_apps_count_apart(bot, settings: Callable[..., Settings]) -> None:
    with TestClient(create_app(bot, settings())) as one, TestClient(create_app(bot, settings())) as two:
        one.post("/chat/stream", json={"text": "hi"})
        assert "kefu_answers_total{" not in two.get("/metrics").text


def test_the_widget_is_cacheable_and_may_be_loaded_by_other_sites(client: TestClient, script: Path) -> None:
    response = client.get("/widget.js", headers={"origin": "https://anybody.example"})
    assert response.text == "customElements;" and response.headers["content-type"].startswith("text/javascript")
    assert response.headers["cross-origin-resource-policy"] == "cross-origin"
    assert "max-age" in response.headers["cache-control"]
    etag = response.headers["etag"]
    assert client.get("/widget.js", headers={"if-none-match": f'"other", W/{etag}'}).status_code == 304
    script.write_text("a newer script")
    assert client.get("/widget.js", headers={"if-none-match": etag}).text == "a newer script"
    script.unlink()
    assert client.get("/widget.js").status_code == 404


def test_the_part_for_people_is_served_alike(client: TestClient) -> None:
    response = client.get("/desk.js")
    assert "kefu" in response.text.lower() and response.headers["cross-origin-resource-policy"] == "cross-origin"
    assert client.get("/desk.js", headers={"if-none-match": response.headers["etag"]}).status_code == 304
    assert client.get("/widget.js").text != response.text


def test_headers_protect_every_response(client: TestClient) -> None:
    for path in ("/health", "/nowhere", "/v1/models"):
        headers = client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff" and headers["referrer-policy"]
        assert "default-src 'none'" in headers["content-security-policy"]
        assert headers["cross-origin-resource-policy"] == "same-origin"


def test_the_demo_site_only_when_asked_for(
    bot, settings: Callable[..., Settings], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "index.html").write_text("<h1>Shop</h1>")
    monkeypatch.setattr(web.app, "_DEMO", tmp_path)
    with TestClient(create_app(bot, settings(demo=True))) as client:
        page = client.get("/")
        assert page.text == "<h1>Shop</h1>" and client.get("/health").json() == {"status": "ok"}
        policy = page.headers["content-security-policy"]
        assert "script-src 'self'" in policy and "connect-src 'self'" in policy and "frame-ancestors" in policy
        assert client.get("/../conftest.py").status_code == 404
        again = client.get("/", headers={"if-none-match": page.headers["etag"]})
        assert again.status_code == 304
        assert "content-security-policy" not in again.headers  # a browser would take it for the page it has kept
    with TestClient(create_app(bot, settings())) as client:
        assert client.get("/").status_code == 404


def test_a_question_broken_by_us_tells_nothing_of_the_inside(bot, settings: Callable[..., Settings]) -> None:
    def broken() -> None:
        raise RuntimeError("inside")

    bot.log.open = broken
    with TestClient(create_app(bot, settings()), raise_server_exceptions=False) as client:
        response = client.post("/chat/stream", json={"text": "hi"})
        assert response.status_code == 500 and response.json()["code"] == "internal"
        assert "inside" not in response.text


def test_a_data_folder_that_cannot_be_written(bot, settings: Callable[..., Settings], tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    with pytest.raises(WebError, match="KEFU_DATA"):
        create_app(bot, settings())


def test_settings_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEFU_ORIGINS", "https://a.example/, https://b.example")
    monkeypatch.setenv("KEFU_TRUSTED_PROXIES", "10.0.0.0/8")
    monkeypatch.setenv("KEFU_PORT", "9000")
    settings = Settings()
    assert settings.origins == ("https://a.example", "https://b.example")
    assert settings.trusted_proxies == ("10.0.0.0/8",) and settings.port == 9000
    monkeypatch.setenv("KEFU_PORT", "90000")
    with pytest.raises(ValueError, match="port"):
        Settings()


def test_over_tls_browsers_are_told_to_stay_there(bot, settings: Callable[..., Settings]) -> None:
    app = create_app(bot, settings())
    with TestClient(app, base_url="https://kefu.test") as safe, TestClient(app, base_url="http://kefu.test") as plain:
        assert safe.get("/health").headers["strict-transport-security"].startswith("max-age=31536000")
        assert "strict-transport-security" not in plain.get("/health").headers
