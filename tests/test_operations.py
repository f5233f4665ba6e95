"""compose.yaml and docs/operations.md speak of settings, files and commands that there are, and count rightly."""

import re
from pathlib import Path

import pytest
import yaml

from web.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
GUIDE = (ROOT / "docs" / "operations.md").read_text("utf8")
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text("utf8"))
ONLY_COMPOSE = {"KEFU_DOMAIN"}


@pytest.mark.parametrize("name", ["docs/operations.md", "compose.yaml", "Dockerfile"])
def test_every_setting_is_one(name: str) -> None:
    named = set(re.findall(r"KEFU_[A-Z_]+[A-Z]", (ROOT / name).read_text("utf8")))
    known = {f"KEFU_{field.upper()}" for field in Settings.model_fields}
    assert named and named - known <= ONLY_COMPOSE


def test_every_file_of_the_guide_is_there() -> None:
    named = re.findall(r"`((?:tests|docs|benchmarks)/[\w/.]+|compose\.yaml)`", GUIDE)
    assert named and all((ROOT / name).exists() for name in named)


def test_the_servers_of_compose_share_what_they_must_and_nothing_else() -> None:
    one, two = (COMPOSE["services"][name] for name in ("one", "two"))
    assert one["environment"] == two["environment"]
    assert {"KEFU_DATABASE_URL", "KEFU_SECRET", "KEFU_API_KEY", "KEFU_TRUSTED_PROXIES"} <= one["environment"].keys()
    assert set(one["volumes"]) & set(two["volumes"]) == {"releases:/data/releases"}
    subnet = COMPOSE["networks"]["default"]["ipam"]["config"][0]["subnet"]
    assert one["environment"]["KEFU_TRUSTED_PROXIES"] == subnet
    used = {volume.split(":")[0] for service in COMPOSE["services"].values() for volume in service.get("volumes", ())}
    assert used == COMPOSE["volumes"].keys()


def test_the_arithmetic_is_right() -> None:
    exact, read = 20 / 0.224, 20 / 0.547
    per_answer = 1 / 3 / exact + 2 / 3 / read
    peak = 10_000_000 * 3 / 86_400 * 3
    servers = round(peak * per_answer / 0.6)
    for number in (f"{exact:.0f}", f"{read:.1f}", f"{peak:,.0f}", f"{per_answer:.4f}", f"{servers}"):
        assert number in GUIDE, number
    assert f"| 10,000,000 | {peak:,.0f} | {servers} | {servers * 1.04:.0f} GB |" in GUIDE
