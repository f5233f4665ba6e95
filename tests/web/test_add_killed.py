"""`kefu add` in a process of its own, killed in the middle of it."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from knowledge_base.assemble import assemble
from knowledge_base.settings import Settings

FILES = 120


@pytest.mark.models
def test_what_was_acknowledged_outlives_a_kill(tmp_path: Path) -> None:
    folder, data = tmp_path / "files", tmp_path / "data"
    folder.mkdir()
    for number in range(FILES):
        text = f"# 说明 {number}\n\n第 {number} 号产品的保修期是 {number} 个月，电话 400-555-{number:04}。\n"
        (folder / f"{number:03}.md").write_text(text, encoding="utf-8")
    command = [str(Path(sys.executable).with_name("kefu")), "add", str(folder), "--json", "--data", str(data)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("KEFU_")}

    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as adding:
        assert adding.stdout is not None
        acknowledged = [json.loads(adding.stdout.readline())["id"]]
        adding.send_signal(signal.SIGKILL)
        acknowledged += [json.loads(line)["id"] for line in adding.stdout if line.endswith("\n")]
    assert adding.returncode == -signal.SIGKILL
    assert 0 < len(acknowledged) < FILES

    knowledge = assemble(Settings(data=data))
    try:
        stored = {document.id for document in knowledge.documents()}
        assert set(acknowledged) <= stored
        assert all(finding.ok for finding in knowledge.check())
        assert knowledge.search("第 3 号产品的保修期", "zh", 1)[0].passage.source_id == "003.md"
    finally:
        knowledge.close()

    again = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    outcomes = {row["id"]: row["outcome"] for row in map(json.loads, again.stdout.splitlines())}
    assert len(outcomes) == FILES
    assert {outcomes[id] for id in acknowledged} == {"unchanged"}
