import errno
import json
import os
import resource
import socket
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from bot.types import Answer, BotError, Citation, Conversation, Done, Event, Start, Token
from knowledge_base import embedded_encoder
from knowledge_base.database import open_database
from knowledge_base.faq_file import read_faqs
from knowledge_base.model_folder import MANIFEST
from knowledge_base.types import (
    Document,
    Faq,
    Finding,
    Hit,
    KnowledgeBaseError,
    Language,
    Passage,
    Progress,
    Put,
)
from web.cli import main
from web.commands import compose, terminal

WHEN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
FAQ = Faq("return", "怎么申请退货？", "签收后 7 天内可以退货。", "zh")


@dataclass
class MemoryKnowledge:
    """A knowledge base in memory that finds a source by any text it holds."""

    sources: dict[str, Document | Faq] = field(default_factory=dict)
    puts: list[list[str]] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=lambda: [Finding("dense index", True, "as stored")])
    noted: list[tuple[object, ...]] = field(default_factory=list)  # in the audit log
    rebuilt: bool = False
    closed: bool = False

    @property
    def is_empty(self) -> bool:
        return not self.sources

    def put(self, documents: Sequence[Document], progress: Progress | None = None) -> list[Put]:
        self.puts.append([document.id for document in documents])
        return [self._put(document) for document in documents]

    def put_faqs(self, faqs: Sequence[Faq], progress: Progress | None = None) -> list[Put]:
        return [self._put(faq) for faq in faqs]

    def _put(self, source: Document | Faq) -> Put:
        if isinstance(source, Document) and "BREAK" in source.text:
            raise KnowledgeBaseError("the disk is full; free some space")
        before = self.sources.get(source.id)
        self.sources[source.id] = source
        outcome = "added" if before is None else "unchanged" if before == source else "changed"
        return Put(source.id, outcome, passages=2, encoded=1)  # type: ignore[arg-type]

    def delete(self, ids: Sequence[str]) -> list[str]:
        return [id for id in ids if self.sources.pop(id, None)]

    def documents(self) -> list[Document]:
        return [source for source in self.sources.values() if isinstance(source, Document)]

    def faqs(self) -> list[Faq]:
        return [source for source in self.sources.values() if isinstance(source, Faq)]

    def faq(self, id: str) -> Faq | None:
        return next((faq for faq in self.faqs() if faq.id == id), None)

    def search(self, query: str, language: Language, limit: int = 10) -> list[Hit]:
        return [_hit(faq) for faq in self.faqs() if query in faq.question][:limit]

    def note(self, who: str, act: str, subject: str, before: object = None, after: object = None) -> None:
        self.noted.append((who, act, subject, after))

    def rebuild(self, progress: Progress | None = None) -> None:
        self.rebuilt = True

    def check(self) -> list[Finding]:
        return self.findings

    def close(self) -> None:
        self.closed = True


class FaqBot:
    """Answers each question with the first hit, word by word; "fail" and "interrupt" end as they say."""

    def __init__(self, knowledge: MemoryKnowledge) -> None:
        self.knowledge = knowledge
        self.release = "base"
        self.asked: list[str] = []
        known = {"known": Conversation("known")}
        self.log = SimpleNamespace(open=lambda: Conversation("new"), load=known.get)

    def reply(self, conversation: Conversation, question: str) -> Generator[Event, None, None]:
        self.asked.append(conversation.id)
        if question == "fail":
            raise BotError("the generator does not answer; check KEFU_GENERATOR_URL")
        if question == "interrupt":
            raise KeyboardInterrupt
        yield Start("m1", "zh")
        yield Token("streamed")
        hits = tuple(self.knowledge.search(question, "zh"))
        answer = Answer("m1", "abstain", "没有找到答案。", "zh", options=("怎么付款？",), release=self.release)
        if hits:
            passage = hits[0].passage
            citation = Citation(1, "faq", passage.source_id, 1, passage.title, ("退货",), passage.text, 3, WHEN)
            answer = replace(answer, kind="faq", text=passage.text, options=(), hits=hits, citations=(citation,))
        yield Done(replace(answer, query=question, confidence=0.98, latency_ms={"total": 12.345}, reason="why"))


def _hit(faq: Faq) -> Hit:
    passage = Passage(1, "faq", faq.id, faq.question, (), faq.answer, faq.language, 3, WHEN, faq.question)
    return Hit(passage, 0.98765, dense=0.9, keyword=0.8, exact=True)


@pytest.fixture
def knowledge(monkeypatch: pytest.MonkeyPatch) -> MemoryKnowledge:
    """What every verb works on; it holds one FAQ."""
    memory = MemoryKnowledge({FAQ.id: FAQ})

    @contextmanager
    def open_knowledge(data: Path | None) -> Iterator[MemoryKnowledge]:
        try:
            yield memory
        finally:
            memory.close()

    @contextmanager
    def open_bot(data: Path | None) -> Iterator[FaqBot]:
        yield FaqBot(memory)

    @contextmanager
    def open_audit(data: Path | None) -> Iterator[MemoryKnowledge]:
        yield memory

    monkeypatch.setattr(compose, "open_audit", open_audit)
    monkeypatch.setattr(compose, "open_knowledge", open_knowledge)
    monkeypatch.setattr(compose, "open_bot", open_bot)
    return memory


@pytest.fixture
def kefu(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Result]:
    """Runs the command in an empty folder, without this machine's settings."""
    for name in [name for name in os.environ if name.startswith("KEFU_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    runner = CliRunner()

    def run(*arguments: object, **environment: str) -> Result:
        return runner.invoke(main, [str(one) for one in arguments], env=environment)

    return run


def _objects(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


# --- ask


def test_ask_json_is_one_object_with_every_part(knowledge: MemoryKnowledge, kefu: Callable[..., Result]) -> None:
    result = kefu("ask", "怎么申请退货？", "--json")
    assert result.exit_code == 0, result.stderr
    (answer,) = _objects(result)
    hit = answer.pop("hits")
    citation = answer.pop("citations")
    assert answer == {
        "id": "m1",
        "kind": "faq",
        "text": "签收后 7 天内可以退货。",
        "language": "zh",
        "confidence": 0.98,
        "query": "怎么申请退货？",
        "options": [],
        "release": "base",
        "latency_ms": {"total": 12.35},
        "reason": "why",
        "conversation": "new",
    }
    assert hit == [
        {
            "source_id": "return",
            "kind": "faq",
            "title": "怎么申请退货？",
            "score": 0.9877,
            "dense": 0.9,
            "keyword": 0.8,
            "exact": True,
            "rerank": None,
            "proximity": None,
        }
    ]
    assert citation[0]["quote"] == "签收后 7 天内可以退货。"
    assert citation[0]["updated"] == "2026-01-02T03:04:05+00:00"


def test_ask_shows_the_final_text_and_its_source(knowledge: MemoryKnowledge, kefu: Callable[..., Result]) -> None:
    result = kefu("ask", "怎么申请退货？")
    lines = result.stdout.splitlines()
    assert lines[0] == "签收后 7 天内可以退货。"
    assert lines[1] == "[1] 怎么申请退货？ › 退货  return · v3 · 2026-01-02"
    assert "faq · confidence 0.98 · zh · 12 ms · why" in lines
    assert "streamed" not in result.stdout
    assert "“" not in result.stdout  # the answer is the quote: it need not stand there twice


def test_ask_on_a_terminal_streams_and_then_shows_the_final_text(
    knowledge: MemoryKnowledge, kefu: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    from rich.console import Console

    monkeypatch.setattr("web.commands.ask.console", lambda: Console(force_terminal=True, highlight=False))
    result = kefu("ask", "怎么申请退货？")
    assert result.exit_code == 0, result.stderr
    assert 0 <= result.stdout.find("streamed") < result.stdout.find("签收后 7 天内可以退货。")


def test_ask_shows_options(knowledge: MemoryKnowledge, kefu: Callable[..., Result]) -> None:
    assert "  · 怎么付款？" in kefu("ask", "天气").stdout.splitlines()


def test_ask_goes_on_with_a_conversation(knowledge: MemoryKnowledge, kefu: Callable[..., Result]) -> None:
    (answer,) = _objects(kefu("ask", "天气", "--json", "--conversation", "known"))
    assert answer["conversation"] == "known"
    unknown = kefu("ask", "天气", "--conversation", "lost")
    assert unknown.exit_code == 1
    assert "'lost'" in unknown.stderr and "leave out --conversation" in unknown.stderr


@pytest.mark.parametrize("verb", ["ask", "search"])
def test_an_empty_knowledge_base_is_said_on_stderr(
    verb: str, knowledge: MemoryKnowledge, kefu: Callable[..., Result]
) -> None:
    knowledge.sources.clear()
    result = kefu(verb, "怎么申请退货？", "--json")
    assert result.exit_code == 0
    assert "kefu serve --demo" in result.stderr and "kefu add" in result.stderr
    assert len(_objects(result)) == 1


# --- errors


def test_a_mendable_error_is_one_line_and_exit_1(knowledge: MemoryKnowledge, kefu: Callable[..., Result]) -> None:
    result = kefu("ask", "fail")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "kefu: the generator does not answer; check KEFU_GENERATOR_URL\n"


def _newer(data: Path) -> None:
    engine = open_database(f"sqlite:///{data / 'kefu.sqlite'}")
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE knowledge_base_version (version_num VARCHAR(32))")
        connection.exec_driver_sql("INSERT INTO knowledge_base_version VALUES ('9999')")
    engine.dispose()


def _damaged_model(data: Path) -> None:
    folder = data / "models" / embedded_encoder.NAME
    folder.mkdir(parents=True)
    (folder / MANIFEST).write_text("{half", encoding="utf-8")


@pytest.mark.parametrize("verb", ["ask", "search", "add", "serve"])
@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (_newer, ("'9999'", "newer", "KEFU_DATA")),
        (lambda data: (data / "kefu.sqlite").write_bytes(b"no database" * 999), ("kefu.sqlite", "Restore it")),
        (lambda data: (data / "kefu.sqlite").mkdir(), ("kefu.sqlite", "writable")),
        (lambda data: (data.rmdir(), data.write_text("a file")), ("data", "KEFU_DATA")),
        (_damaged_model, (MANIFEST, "delete", "start again")),
    ],
    ids=["newer", "damaged", "unwritable", "file", "model"],
)
def test_a_spoilt_data_folder_is_one_line_with_its_remedy(
    spoil: Callable[[Path], object],
    words: tuple[str, ...],
    verb: str,
    tmp_path: Path,
    kefu: Callable[..., Result],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("web.server.configure_logs", lambda form: None)
    data = tmp_path / "data"
    data.mkdir()
    spoil(data)
    (tmp_path / "a.md").write_text("Text.")
    result = kefu(verb, *({"serve": ["--port", "0"], "add": ["a.md"]}.get(verb, ["x"])))
    complaints = [line for line in result.stderr.splitlines() if line.startswith("kefu: ")]
    assert result.exit_code == 1 and len(complaints) == 1
    assert "Traceback" not in result.stderr
    assert all(word in complaints[0] for word in words)


@pytest.mark.parametrize(
    ("error", "remedy"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "No space left on device; free some disk space"),
        (OSError(errno.EROFS, "Read-only file system", "data/a"), "Read-only file system: data/a; set KEFU_DATA"),
        (PermissionError(errno.EACCES, "Permission denied", "data/a"), "Permission denied: data/a"),
    ],
)
def test_what_the_disk_refuses_is_one_line(
    error: OSError,
    remedy: str,
    knowledge: MemoryKnowledge,
    kefu: Callable[..., Result],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refused(*_: object) -> None:
        raise error

    monkeypatch.setattr(knowledge, "rebuild", refused, raising=False)
    result = kefu("rebuild")
    assert (result.exit_code, len(result.stderr.splitlines())) == (1, 1)
    assert remedy in result.stderr


def test_debug_shows_the_traceback(knowledge: MemoryKnowledge, kefu: Callable[..., Result]) -> None:
    assert isinstance(kefu("ask", "fail", KEFU_DEBUG="1").exception, BotError)


def test_our_own_errors_keep_their_traceback(
    knowledge: MemoryKnowledge, kefu: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(MemoryKnowledge, "search")
    assert isinstance(kefu("search", "x").exception, AttributeError)


def test_interrupting_exits_130(knowledge: MemoryKnowledge, kefu: Callable[..., Result]) -> None:
    assert kefu("ask", "interrupt").exit_code == 130


def test_wrong_usage_exits_2(kefu: Callable[..., Result]) -> None:
    assert kefu("ask").exit_code == 2
    assert kefu("search", "x", "--limit", "0").exit_code == 2


def test_a_wrong_setting_is_named(kefu: Callable[..., Result]) -> None:
    result = kefu("search", "退货", KEFU_PORT="http", KEFU_QUEUE="-1")
    assert result.exit_code == 1
    assert len(result.stderr.splitlines()) == 1
    assert "KEFU_PORT='http'" in result.stderr and "KEFU_QUEUE='-1'" in result.stderr


# --- search, rebuild, remove


@pytest.mark.parametrize("text", ["", " ", "\udcff\udcfe", "\x1b[2J\x00"])
@pytest.mark.parametrize("verb", ["ask", "search"])
def test_a_text_without_words_or_of_broken_characters_is_asked_clean(
    verb: str, text: str, knowledge: MemoryKnowledge, kefu: Callable[..., Result]
) -> None:
    (found,) = _objects(kefu(verb, text, "--json"))
    assert found["query"] == ("[2J" if "[2J" in text else "")


def test_search_shows_the_parts_of_the_score(knowledge: MemoryKnowledge, kefu: Callable[..., Result]) -> None:
    result = kefu("search", "退货")
    assert "0.988" in result.stdout and "dense 0.90 · keyword 0.80 · exact" in result.stdout
    (found,) = _objects(kefu("search", "退货", "--json"))
    assert found["language"] == "zh"
    assert found["hits"][0]["text"] == FAQ.answer and found["hits"][0]["keyword"] == 0.8


def test_rebuild_rebuilds(knowledge: MemoryKnowledge, kefu: Callable[..., Result]) -> None:
    assert "1 FAQs" in kefu("rebuild").stdout
    assert knowledge.rebuilt and knowledge.closed


def test_remove_says_what_was_not_there(knowledge: MemoryKnowledge, kefu: Callable[..., Result]) -> None:
    result = kefu("remove", "return", "lost", "--json")
    assert _objects(result) == [{"removed": ["return"], "unknown": ["lost"]}]
    assert result.exit_code == 1 and "lost" in result.stderr
    assert knowledge.is_empty
    assert knowledge.noted == [("kefu remove", "faq.delete", "return", None)]


# --- add


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Files to add, among them a broken one and some that are none of Kefu's business."""
    for name, text in {
        "docs/a.md": "# 退货\n\n签收后 7 天内。\n",
        "docs/deep/b.txt": "Shipping takes 3 days.\n",
        "docs/deep/broken.pdf": "no PDF at all",
        "docs/picture.png": "",
        "docs/.hidden/c.md": "# Hidden",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path / "docs"


def test_add_takes_the_good_files_of_a_folder_and_reports_the_bad(
    folder: Path, knowledge: MemoryKnowledge, kefu: Callable[..., Result]
) -> None:
    result = kefu("add", folder, "--json")
    rows = {row["id"]: row for row in _objects(result)}
    assert {id: row["outcome"] for id, row in rows.items()} == {
        "a.md": "added",
        "deep/b.txt": "added",
        "deep/broken.pdf": "failed",
    }
    assert rows["a.md"]["passages"] == 2 and datetime.fromisoformat(rows["a.md"]["at"]).tzinfo
    assert rows["deep/broken.pdf"]["detail"]
    assert result.exit_code == 1
    assert sorted(document.id for document in knowledge.documents()) == ["a.md", "deep/b.txt"]


def test_add_again_changes_nothing(folder: Path, knowledge: MemoryKnowledge, kefu: Callable[..., Result]) -> None:
    (folder / "deep" / "broken.pdf").unlink()
    assert kefu("add", folder).exit_code == 0
    again = kefu("add", folder)
    assert {noted[:2] for noted in knowledge.noted} == {("kefu add", "document.add")}
    assert "unchanged  a.md" in again.stdout and "2 unchanged" in again.stdout


def test_add_names_a_single_file(folder: Path, knowledge: MemoryKnowledge, kefu: Callable[..., Result]) -> None:
    assert "added      policy" in kefu("add", folder / "a.md", "--id", "policy").stdout
    two = kefu("add", folder / "a.md", folder / "deep" / "b.txt", "--id", "policy")
    assert two.exit_code == 1 and "exactly one file" in two.stderr


def test_add_reports_what_is_missing_and_goes_on(
    folder: Path, knowledge: MemoryKnowledge, kefu: Callable[..., Result]
) -> None:
    result = kefu("add", "lost.md", folder / "a.md")
    assert result.exit_code == 1
    assert "failed" in result.stderr and "lost.md" in result.stderr
    assert "added      a.md" in result.stdout


def test_add_and_remove_take_names_from_other_systems(
    tmp_path: Path, knowledge: MemoryKnowledge, kefu: Callable[..., Result]
) -> None:
    names = [os.fsdecode("退货.md".encode("gbk")), "cafe\u0301.md", "two\nlines.md"]
    folder = tmp_path / "cafe\u0301"
    folder.mkdir()
    for name in names:
        (folder / name).write_text(f"# {name!r}\n\nText.\n", encoding="utf-8")
    added = kefu("add", tmp_path, "--json")
    assert {row["id"] for row in _objects(added)} == {f"caf\u00e9/{n}.md" for n in ("退货", "caf\u00e9", "two lines")}
    assert added.exit_code == 0
    missing = kefu("add", os.fsdecode("丢失.md".encode("gbk")), "--json")
    assert "丢失.md does not exist" in _objects(missing)[0]["detail"]
    assert kefu("remove", "cafe\u0301/cafe\u0301.md").exit_code == 0
    assert kefu("add", *(folder / name for name in names)).exit_code == 0
    assert {document.id for document in knowledge.documents()} >= {"退货.md", "caf\u00e9.md", "two lines.md"}


def test_two_files_of_one_id_do_not_replace_each_other(
    folder: Path, knowledge: MemoryKnowledge, kefu: Callable[..., Result]
) -> None:
    (folder / "deep" / "a.md").write_text("# Other\n\nText.\n", encoding="utf-8")
    result = kefu("add", folder / "a.md", folder / "deep" / "a.md")
    assert result.exit_code == 1 and "--id" in result.stderr
    document = knowledge.sources["a.md"]
    assert isinstance(document, Document) and "退货" in document.text


def test_what_was_acknowledged_before_a_failure_is_stored(
    tmp_path: Path, knowledge: MemoryKnowledge, kefu: Callable[..., Result]
) -> None:
    for number in range(40):
        (tmp_path / f"{number:02}.md").write_text(f"# {number}\n\n{'BREAK' if number == 39 else 'fine'}\n")
    result = kefu("add", tmp_path, "--json")
    told = [row["id"] for row in _objects(result)]
    assert result.exit_code == 1 and "free some space" in result.stderr
    assert told == [f"{number:02}.md" for number in range(32)]
    assert set(told) <= set(knowledge.sources)


# --- faq


def test_faqs_go_out_and_come_back(tmp_path: Path, knowledge: MemoryKnowledge, kefu: Callable[..., Result]) -> None:
    file = tmp_path / "faq.jsonl"
    assert kefu("faq", "export", file).exit_code == 0
    assert read_faqs(file) == [FAQ]
    knowledge.sources["return"] = replace(FAQ, answer="旧答案")
    dry = kefu("faq", "import", file, "--dry-run", "--json")
    assert _objects(dry) == [{"dry_run": True, "faqs": [{"id": "return", "outcome": "changed"}]}]
    assert knowledge.sources["return"] != FAQ
    assert "changed    return" in kefu("faq", "import", file).stdout
    assert knowledge.sources["return"] == FAQ
    assert kefu("faq", "import", file).stdout == "1 unchanged\n"
    assert knowledge.noted == [("kefu faq import", "faq.import", "1 FAQs", {"changed": 1})]


def test_an_export_into_no_folder_says_so(knowledge: MemoryKnowledge, kefu: Callable[..., Result]) -> None:
    result = kefu("faq", "export", "nowhere/faq.csv")
    assert result.exit_code == 1 and "nowhere is not a folder" in result.stderr


def test_a_wrong_faq_file_is_one_line(tmp_path: Path, knowledge: MemoryKnowledge, kefu: Callable[..., Result]) -> None:
    (tmp_path / "faq.jsonl").write_text('{"question": "x"}\n')
    wrong, lost = kefu("faq", "import", tmp_path / "faq.jsonl"), kefu("faq", "import", tmp_path / "lost.jsonl")
    for result in (wrong, lost):
        assert result.exit_code == 1
        assert len(result.stderr.splitlines()) == 1 and ".jsonl" in result.stderr


# --- doctor


@pytest.fixture
def free_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return str(listener.getsockname()[1])


def test_doctor_on_a_fresh_machine_changes_nothing(tmp_path: Path, free_port: str, kefu: Callable[..., Result]) -> None:
    result = kefu("doctor", "--json", KEFU_PORT=free_port)
    (report,) = _objects(result)
    assert {finding["check"] for finding in report["findings"]} >= {
        "versions",
        "data folder",
        "disk",
        "models",
        "release",
        "knowledge base",
        "port",
    }
    assert report["ok"] == all(finding["ok"] for finding in report["findings"]) == (result.exit_code == 0)
    assert list(tmp_path.iterdir()) == []


def test_doctor_names_each_remedy(tmp_path: Path, knowledge: MemoryKnowledge, kefu: Callable[..., Result]) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "kefu.sqlite").touch()
    (data / "api.key").write_text("secret")
    (data / "api.key").chmod(0o644)
    knowledge.findings = [Finding("dense index", False, "3 entries are missing", "Run: kefu rebuild")]
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = kefu("doctor", KEFU_PORT=str(port))
    assert result.exit_code == 1
    assert "✗ dense index: 3 entries are missing\n  → Run: kefu rebuild" in result.stdout
    assert f"chmod 600 {Path('data', 'api.key')}" in result.stdout
    assert f"✗ port: 127.0.0.1:{port}" in result.stdout


def test_doctor_reports_what_keeps_the_knowledge_base_shut(
    tmp_path: Path, kefu: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def broken(data: Path | None) -> Iterator[MemoryKnowledge]:
        raise KnowledgeBaseError("the database is of a newer version; install that one")
        yield MemoryKnowledge()

    monkeypatch.setattr(compose, "open_knowledge", broken)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "kefu.sqlite").touch()
    (report,) = _objects(kefu("doctor", "--json"))
    (finding,) = [one for one in report["findings"] if one["check"] == "knowledge base"]
    assert not finding["ok"] and "newer version" in finding["detail"]


# --- serve, settings, terminal


def test_serve_passes_its_options_on(kefu: Callable[..., Result], monkeypatch: pytest.MonkeyPatch) -> None:
    served = []
    monkeypatch.setattr("web.server.serve", lambda settings, progress: served.append(settings))
    assert kefu("serve", "--demo", "--port", "9000", "--data", "there", KEFU_HOST="0.0.0.0").exit_code == 0
    assert kefu("serve", KEFU_PORT="9001").exit_code == 0
    first, second = served
    assert (first.demo, first.port, first.host, first.data) == (True, 9000, "0.0.0.0", Path("there"))
    assert (second.demo, second.port, second.data) == (False, 9001, Path("data"))


def test_data_option_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KEFU_DATA", str(tmp_path / "environment"))
    assert compose.read_settings(None).data == tmp_path / "environment"
    assert compose.read_settings(tmp_path / "option").data == tmp_path / "option"


def test_a_bar_draws_on_stderr_and_goes(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    from rich.console import Console

    monkeypatch.setattr(terminal, "complaints", lambda: Console(stderr=True, force_terminal=True))
    with terminal.bar("encoding") as shown:
        shown(1, 3)
        shown(3, 3)
    drawn = capsys.readouterr()
    assert "encoding" in drawn.err and "1/3" in drawn.err
    assert drawn.out == ""


def test_long_lines_are_not_broken_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    terminal.say("长" * 300 + " end")
    assert capsys.readouterr().out == "长" * 300 + " end\n"


# --- start


VERBS = ["", "serve", "ask", "add", "remove", "search", "rebuild", "faq", "faq import", "faq export", "doctor"]
HEAVY = {"torch", "numpy", "transformers", "sentence_transformers", "faiss", "fastapi", "sqlalchemy", "pydantic"}


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help(verb: str, kefu: Callable[..., Result]) -> None:
    result = kefu(*verb.split(), "--help")
    assert result.exit_code == 0 and "Usage: " in result.stdout


def test_help_imports_nothing_heavy() -> None:
    code = "import sys; from web.cli import main; print(*sys.modules, sep='\\n')"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "typer" in loaded.splitlines()
    assert HEAVY & set(loaded.splitlines()) == set()


def processor_seconds(code: str, *arguments: str) -> float:
    """What a Python that runs the code takes, the best of three: what else the machine does is not measured."""
    seconds = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(seconds)


@pytest.fixture(scope="module")
def bare_help() -> float:
    """What the help of a program of one line takes, most of it Typer's and Rich's."""
    return processor_seconds("import typer\napp = typer.Typer()\napp.command()(lambda: None)\napp()", "--help")


@pytest.mark.parametrize("verb", ["", "serve", "ask", "faq import", "doctor"])
def test_help_takes_half_a_second_or_on_a_slow_machine_little_more_than_any(verb: str, bare_help: float) -> None:
    ours = processor_seconds("from web.cli import main; main()", *verb.split(), "--help")
    assert ours <= max(0.5, 1.6 * bare_help)
