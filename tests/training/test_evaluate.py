import json
from dataclasses import replace
from pathlib import Path

import pytest

from bot.calibration import load
from knowledge_base.retrieval import Retrieval
from tests.fakes import HashEncoder
from training.evaluate import Run, evaluate
from training.golden import GoldenSetError
from training.workspace import with_calibration


def quiet(done: int, total: int) -> None:
    assert done <= total


@pytest.fixture
def run(tmp_path: Path, encoder: HashEncoder) -> Run:
    return Run(tmp_path / "out", Retrieval(encoder), with_calibration(load(), None, "test"), "test")


def test_every_question_is_answered_once_in_the_format(folder: Path, run: Run) -> None:
    report = evaluate([folder], run, quiet)
    rows = [json.loads(line) for line in (run.out / "answers.jsonl").read_text("utf8").splitlines()]
    assert [row["id"] for row in rows] == ["q1", "q2", "q3"]
    assert set(rows[0]) == {"id", "kind", "text", "confidence", "hits", "citations", "evidence", "latency_ms", "set"}
    assert rows[0]["kind"] == "faq" and rows[0]["citations"] == ["f1"]
    assert "在订单页申请。" in rows[0]["evidence"][0]
    assert "我要退货" not in (page := (run.out / "report.html").read_text("utf8")) and "客服评测报告" in page
    assert report["sets"]["shop"]["questions"] == 3
    assert report["languages"]["zh"]["questions"] == 2
    assert json.loads((run.out / "report.json").read_text("utf8")) == report


def test_an_interrupted_run_goes_on_where_it_stopped(folder: Path, run: Run) -> None:
    evaluate([folder], run, quiet)
    path = run.out / "shop" / "answers.jsonl"
    first, second, _ = path.read_text("utf8").splitlines(keepends=True)
    path.write_text(first.replace('"kind": ', '"kind":   ') + second[:20], "utf8")
    marked = path.read_text("utf8").splitlines()[0]
    evaluate([folder], run, quiet)
    lines = path.read_text("utf8").splitlines()
    assert lines[0] == marked  # kept, not asked again
    assert [json.loads(line)["id"] for line in lines] == ["q1", "q2", "q3"]


def test_answers_of_another_release_are_not_kept(folder: Path, run: Run) -> None:
    evaluate([folder], run, quiet)
    path = run.out / "shop" / "answers.jsonl"
    path.write_text(path.read_text("utf8").replace('"kind": "faq"', '"kind": "stale"'), "utf8")
    evaluate([folder], replace(run, identity="other"), quiet)
    assert "stale" not in path.read_text("utf8")


def test_the_folder_of_another_encoder_is_encoded_anew(folder: Path, run: Run) -> None:
    before = evaluate([folder], run, quiet)
    after = evaluate([folder], replace(run, retrieval=Retrieval(HashEncoder("other")), identity="again"), quiet)
    assert after["all"]["scores"]["hit@1"] == before["all"]["scores"]["hit@1"]
    assert after["all"]["scores"]["hit@1"]["value"] > 0


def test_a_limit_takes_the_first_questions(folder: Path, run: Run) -> None:
    assert evaluate([folder], replace(run, limit=1), quiet)["all"]["questions"] == 1


def test_changed_questions_are_asked_again_and_changed_labels_only_scored_again(folder: Path, run: Run) -> None:
    evaluate([folder], run, quiet)
    path, questions = run.out / "shop" / "answers.jsonl", folder / "questions.jsonl"
    path.write_text(path.read_text("utf8").replace('"kind": "faq"', '"kind": "stale"'), "utf8")
    questions.write_text(questions.read_text("utf8").replace("900 grams", "1 kg"), "utf8")
    evaluate([folder], run, quiet)
    assert "stale" in path.read_text("utf8")
    questions.write_text(questions.read_text("utf8").replace("weigh?", "weigh now?"), "utf8")
    evaluate([folder], run, quiet)
    assert "stale" not in path.read_text("utf8")


def test_an_answer_cut_inside_a_character_is_asked_again(folder: Path, run: Run) -> None:
    evaluate([folder], run, quiet)
    path = run.out / "shop" / "answers.jsonl"
    path.write_bytes(path.read_bytes()[: path.read_bytes().index("在".encode()) + 1])
    assert evaluate([folder], run, quiet)["all"]["questions"] == 3


def test_two_sets_of_one_name_are_refused(folder: Path, run: Run) -> None:
    with pytest.raises(GoldenSetError, match="two golden sets are named 'shop'"):
        evaluate([folder, folder], run, quiet)
