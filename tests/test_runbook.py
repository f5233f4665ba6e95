"""What operators are given is true: metrics and anchors exist, files can be read, settings are settings."""

import configparser
import json
import re
from pathlib import Path

import yaml

from web.metrics import Metrics
from web.settings import Settings

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "operations"
TYPES = re.findall(r"^# TYPE (kefu_\w+) ", Metrics().text().decode(), re.MULTILINE)
METRICS = {name for name in TYPES if not name.endswith("_created")}
ALERTS = yaml.safe_load((FOLDER / "alerts.yml").read_text(encoding="utf-8"))["groups"][0]["rules"]
RUNBOOK = (FOLDER / "RUNBOOK.md").read_text(encoding="utf-8")


def named(text: str) -> set[str]:
    """The metrics that a query names, by what Prometheus calls their family."""
    return {re.sub(r"_bucket$", "", name) for name in re.findall(r"\bkefu_\w+", text)}


def test_every_alert_stands_on_metrics_that_are_there_and_leads_into_the_runbook() -> None:
    anchors = {
        re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in re.findall(r"^## (.+)$", RUNBOOK, re.M)
    }
    assert len(ALERTS) >= 8 and len([title for title in anchors if title[0].isdigit()]) == 10
    for alert in ALERTS:
        assert named(alert["expr"]) <= METRICS, alert["alert"]
        file, _, anchor = alert["annotations"]["runbook"].partition("#")
        assert file == "RUNBOOK.md" and anchor in anchors, anchor
        assert alert["labels"]["severity"] in ("page", "ticket")
        assert f"`{alert['alert']}`" in RUNBOOK or alert["labels"]["severity"] == "ticket" or "Disk" in alert["alert"]


def test_the_dashboard_shows_every_metric_and_no_other() -> None:
    board = json.loads((FOLDER / "grafana.json").read_text(encoding="utf-8"))
    queries = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    shown = {name for query in queries for name in named(query)}
    assert shown == METRICS


def test_settings_that_are_named_are_settings() -> None:
    own = {"KEFU_DEBUG", *(f"KEFU_{name.upper()}" for name in Settings.model_fields)}
    unit = (FOLDER / "kefu.service").read_text(encoding="utf-8")
    for text in (RUNBOOK, unit, (FOLDER.parent / "PRIVACY.md").read_text(encoding="utf-8")):
        assert set(re.findall(r"\bKEFU_[A-Z_]+", text)) <= own


def test_the_unit_can_be_read_and_lets_replies_end() -> None:
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment]
    unit.read_string((FOLDER / "kefu.service").read_text(encoding="utf-8"))
    assert unit["Service"]["ExecStart"].endswith("kefu serve")
    assert float(unit["Service"]["TimeoutStopSec"]) > Settings.model_fields["drain_seconds"].default + 10
