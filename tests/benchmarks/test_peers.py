"""benchmarks/peers.py: what is asked of the peers, how their answers are read and resumed, and the tables."""

import json
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from benchmarks import peer_adapters, peers
from benchmarks.peers import (
    PEERS,
    Run,
    Table,
    distinct_questions,
    kefu_run,
    markdown,
    means,
    peer_run,
    ratios,
    request_of,
    scores,
)
from benchmarks.peers_environment import CONSTRAINTS, REQUIREMENTS, shared_pins
from knowledge_base.retrieval import Retrieval
from knowledge_base.types import Document, Faq
from tests.fakes import HashEncoder
from training.golden import GoldenSet, Question

GOLDEN = GoldenSet(
    "shop",
    (Document("p1", "水壶", "水壶保修两年。", "zh"),),
    (Faq("f1", "怎么申请退货？", "在订单页申请。", "zh", similar=("我要退货", "怎么申请退货？")),),
    (
        Question("q1", "我要退货", "zh", frozenset({"f1"}), (), True),
        Question("q2", "水壶保修多久", "zh", frozenset({"p1"}), (), True),
        Question("q3", "我要退货", "zh", frozenset({"p1"}), (), True),
        Question("q4", "火星上有水吗", "zh", frozenset(), (), False),
    ),
)
# Stands for peer_adapters.py: finds the texts in the order they are in, and says when it was run.
ADAPTER = """
import json, sys
peer, asked, answered = sys.argv[1:]
request = json.load(open(asked, encoding="utf8"))
print("some library speaks")
print("progress: half way")
open(answered + ".runs", "a").write("x")
if request["language"] == "en":
    sys.exit("the peer cannot read this")
order = list(range(len(request["texts"])))
row = {"rankings": [order for _ in request["queries"]], "milliseconds": [1.0, 2.0, 6.0], "versions": {peer: "1"}}
json.dump(row, open(answered, "w"))
"""


def say_nothing(text: str) -> None:
    pass


@pytest.fixture
def adapter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "adapter.py"
    path.write_text(ADAPTER, "utf8")
    monkeypatch.setattr(peers, "ADAPTERS", path)
    return path


def test_request_holds_each_phrasing_once_and_passages_with_their_title(tmp_path: Path) -> None:
    request = request_of(GOLDEN, str(tmp_path))
    assert request["texts"] == ["怎么申请退货？", "我要退货", "水壶\n水壶保修两年。"]
    assert request["queries"] == ["我要退货", "水壶保修多久", "火星上有水吗"]
    assert (request["language"], request["limit"]) == ("zh", 20)


@pytest.mark.parametrize(
    ("name", "prompts", "expected"),
    [
        ("multilingual-e5-small", None, ("query: ", "passage: ")),
        ("own", {"query": "Q: ", "document": "D: "}, ("Q: ", "D: ")),
        ("own", None, ("", "")),
    ],
)
def test_request_holds_the_encoders_prefixes(
    tmp_path: Path, name: str, prompts: dict[str, str] | None, expected: tuple[str, str]
) -> None:
    folder = tmp_path / name
    folder.mkdir()
    if prompts:
        (folder / "config_sentence_transformers.json").write_text(json.dumps({"prompts": prompts}), "utf8")
    request = request_of(GOLDEN, str(folder))
    assert (request["query_prefix"], request["passage_prefix"]) == expected


def test_kefu_is_asked_each_question_once(tmp_path: Path) -> None:
    run = kefu_run(GOLDEN, Retrieval(HashEncoder()), tmp_path / "kefu", say_nothing)
    assert len(run.rankings) == len(run.milliseconds) == len(distinct_questions(GOLDEN)) == 3
    assert [ranking[0] for ranking in run.rankings[:2]] == ["f1", "p1"]


def test_peer_is_run_once_for_the_same_request(tmp_path: Path, adapter: Path) -> None:
    request = request_of(GOLDEN, str(tmp_path))
    said: list[str] = []
    for _ in range(2):
        run = peer_run("txtai", GOLDEN, request, Path(sys.executable), tmp_path / "shop", said.append)
        assert run == Run([["f1", "p1"]] * 3, [1.0, 2.0, 6.0], {"txtai": "1"})
    assert said == ["half way"]
    peer_run("txtai", GOLDEN, request | {"limit": 7}, Path(sys.executable), tmp_path / "shop", said.append)
    assert (tmp_path / "shop" / "txtai.json.runs").read_text() == "xx"


def test_peer_that_fails_is_named_with_what_it_said(tmp_path: Path, adapter: Path) -> None:
    request = request_of(GOLDEN, str(tmp_path)) | {"language": "en"}
    for _ in range(2):
        with pytest.raises(RuntimeError, match=r"(?s)haystack failed on shop.*the peer cannot read this"):
            peer_run("haystack", GOLDEN, request, Path(sys.executable), tmp_path / "shop", say_nothing)


def test_scores_count_every_answerable_question() -> None:
    run = Run([["f1", "p1"], ["p1"], ["f1"]], [1.0, 2.0, 6.0])
    assert scores(GOLDEN, run) == {"hit@1": pytest.approx(2 / 3), "mrr@10": pytest.approx(2.5 / 3), "p50_ms": 2.0}


def _row(kefu: float, peer: float) -> dict[str, dict[str, float]]:
    values = {"Kefu": kefu} | dict.fromkeys(PEERS, peer)
    return {system: {"hit@1": value, "mrr@10": value, "p50_ms": 10 * value} for system, value in values.items()}


def test_means_and_ratios_stand_in_the_tables() -> None:
    table: Table = {"a-zh": _row(0.8, 0.5), "b-zh": _row(0.6, 0.3), "c-en": _row(0.9, 0.0)}
    rows = table | means(table, {"a-zh": "zh", "b-zh": "zh", "c-en": "en"})
    assert rows["mean zh"]["Kefu"]["hit@1"] == pytest.approx(0.7)
    assert rows["mean both"]["txtai"]["mrr@10"] == pytest.approx(0.8 / 3)
    assert ratios(rows)["mean zh"]["haystack"]["hit@1"] == pytest.approx(0.7 / 0.4)
    text = markdown(rows, {"a-zh": 3, "b-zh": 4, "c-en": 5})
    assert "| a-zh | 3 | 0.800 | 0.500 | 0.500 | 0.500 | 1.60 | 1.60 | 1.60 |" in text
    assert "| c-en | 5 | 0.900 | 0.000 | 0.000 | 0.000 | – | – | – |" in text
    assert "| mean zh |  | 7.0 | 4.0 | 4.0 | 4.0 | 1.75 | 1.75 | 1.75 |" in text


def test_language_without_a_set_has_no_mean() -> None:
    assert set(means({"a-zh": _row(1, 1)}, {"a-zh": "zh"})) == {"mean zh", "mean both"}


def test_both_files_name_the_same_peers() -> None:
    assert tuple(peer_adapters.PEERS) == tuple(peer_adapters.PACKAGES) == PEERS
    assert peer_adapters.PROGRESS == peers.PROGRESS


def test_each_requirement_has_one_version_and_kefus_where_that_will_do() -> None:
    lines = [line for line in REQUIREMENTS.read_text("utf8").splitlines() if line and not line.startswith("#")]
    held = {canonicalize_name(Requirement(line).name) for line in shared_pins()}
    for requirement in map(Requirement, lines):
        own = [part.operator for part in requirement.specifier] == ["=="]
        assert own != (canonicalize_name(requirement.name) in held), str(requirement)
    assert not {line.lower() for line in lines} & {line.lower() for line in CONSTRAINTS.read_text("utf8").splitlines()}
