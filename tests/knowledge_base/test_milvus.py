"""Milvus follows the store whoever writes, is mended when it lost something, and says so when it cannot be reached."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from milvus_lite.adapter.grpc.server import start_server_in_thread
from milvus_lite.server_manager import server_manager_instance

from knowledge_base.assemble import open_in
from knowledge_base.knowledge_base import KnowledgeBase
from knowledge_base.milvus_collection import PREFIX, MilvusCollection
from knowledge_base.retrieval import Retrieval
from knowledge_base.types import Document, Faq, Hit, KnowledgeBaseError
from tests.fakes import HashEncoder
from tests.postgresql import Postgresql

KETTLE = Document("kettle", "Kettle", "Descale the kettle with vinegar once a month.", "en")
LAMP = Document("lamp", "Lamp", "The lamp takes bulbs of five watts.", "en")
RETURN = Faq(
    "return.zh", "怎么申请退货？", "在订单页。", "zh", ("我要退货", "东西不想要了，怎么退"), ("退货进度怎么查",)
)
QUERIES = ["descale kettle", "怎么退货", "bulb of the lamp", "vinegar 退货", "nothing of this"]
Open = Callable[..., KnowledgeBase]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Open]:
    """Opens a knowledge base on a file of milvus-lite, again and again as processes do."""
    file, made = str(tmp_path / "milvus.db"), []

    def open_(encoder: HashEncoder | None = None, milvus: str = file, database: str = "") -> KnowledgeBase:
        made.append(open_in(tmp_path, Retrieval(encoder or HashEncoder()), database, milvus))
        return made[-1]

    yield open_
    for knowledge in made:
        knowledge.close()
    server_manager_instance.release_server(file)


def collection(knowledge: KnowledgeBase) -> MilvusCollection:
    backend: Any = knowledge._indexes._backend
    return backend._collection  # type: ignore[no-any-return]


def sources(hits: list[Hit]) -> set[str]:
    return {hit.passage.source_id for hit in hits}


def well(knowledge: KnowledgeBase) -> bool:
    return all(finding.ok for finding in knowledge.check())


def test_both_backends_give_the_same_candidates(opened: Open) -> None:
    here, there = opened(milvus=""), opened()
    there.put([KETTLE, LAMP])
    there.put_faqs([RETURN])
    here._indexes.follow()
    for query in QUERIES:
        one, other = ({c.id: c for c in k.candidates(query)} for k in (here, there))
        assert one.keys() == other.keys() and len(one) == 8
        for id, found in one.items():
            assert (found.role, found.source, found.language) == (other[id].role, other[id].source, other[id].language)
            assert other[id].dense == pytest.approx(found.dense, abs=2**-11)  # FAISS keeps half precision
            assert other[id].keyword == pytest.approx(found.keyword, abs=0.01)


def test_what_is_deleted_is_deleted_for_other_encoders_as_well(opened: Open) -> None:
    old, new = opened(), opened(HashEncoder("other"))
    new.encode_missing()
    old.put([KETTLE, LAMP])
    new.encode_missing()
    assert len(collection(new).ids()) == 2 and collection(old).name != collection(new).name
    new.delete(["kettle"])
    assert len(collection(old).ids()) == len(collection(new).ids()) == 1
    assert sources(old.search("descale kettle", "en")) == {"lamp"} and well(old) and well(new)


def test_going_back_to_an_encoder_takes_in_what_came_meanwhile(opened: Open) -> None:
    opened().put([KETTLE])
    new = opened(HashEncoder("other"))
    new.encode_missing()
    new.put([LAMP])
    old = opened()
    old.encode_missing()
    assert sources(old.search("bulb of the lamp", "en")) == {"kettle", "lamp"} and well(old)


def test_rebuilding_drops_what_other_encoders_left_and_they_make_it_anew(opened: Open) -> None:
    old = opened()
    old.put([KETTLE])
    new = opened(HashEncoder("other"))
    new.encode_missing()
    new.rebuild()
    assert [name for name in collection(new)._client.list_collections() if name.startswith(PREFIX)] == [
        collection(new).name
    ]
    assert sources(old.search("descale", "en")) == {"kettle"} and well(old) and well(new)


@pytest.mark.parametrize("loss", ["drop_collection", "release_collection"])
def test_a_collection_that_is_lost_is_filled_anew_by_the_next_search(
    opened: Open, loss: str, caplog: pytest.LogCaptureFixture
) -> None:
    knowledge, other = opened(), opened()
    knowledge.put([KETTLE, LAMP])
    other._indexes.follow()
    getattr(collection(knowledge)._client, loss)(collection(knowledge).name)
    assert sources(other.search("descale kettle", "en")) == {"kettle", "lamp"}
    assert "filled anew" in caplog.text
    knowledge.delete(["lamp"])
    assert sources(other.search("bulb of the lamp", "en")) == {"kettle"} and well(other)


def test_lost_rows_are_found_by_doctor_and_at_the_next_start(opened: Open) -> None:
    knowledge = opened()
    knowledge.put([KETTLE, LAMP])
    (lost,) = (c.id for c in knowledge.candidates("lamp") if c.source[1] == "lamp")
    collection(knowledge).forget([lost])
    findings = {finding.check: finding for finding in knowledge.check()}
    assert not findings["dense index"].ok and "kefu rebuild" in findings["keyword index"].remedy
    assert well(opened()) and well(knowledge)
    collection(knowledge).forget([lost])
    knowledge.rebuild()
    assert well(knowledge) and sources(knowledge.search("bulb", "en")) == {"kettle", "lamp"}


def test_rows_of_another_database_are_not_found(opened: Open, tmp_path: Path) -> None:
    """As where a backup's database is put beside a newer Milvus."""
    opened().put([KETTLE, LAMP])
    older = opened(database=f"sqlite:///{tmp_path / 'older.sqlite'}")
    assert older.search("descale kettle", "en") == []
    older.put([LAMP])
    assert sources(older.search("descale kettle", "en")) == {"lamp"} and len(collection(older).ids()) == 1
    assert well(opened()) and opened().search("descale kettle", "en")[0].passage.source_id == "kettle"


def test_rows_of_another_database_with_as_many_changes_are_noticed_at_the_start(opened: Open, tmp_path: Path) -> None:
    opened().put([KETTLE, LAMP])
    other = opened(database=f"sqlite:///{tmp_path / 'other.sqlite'}", milvus="")
    other.put([LAMP, KETTLE])  # other texts under the same row ids
    moved = opened(database=f"sqlite:///{tmp_path / 'other.sqlite'}")
    assert moved.search("descale kettle", "en")[0].passage.source_id == "kettle" and well(moved)


def test_what_another_process_deletes_while_it_is_written_does_not_come_back(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow, quick = opened(), opened()
    put = collection(slow).put

    def overtaken(records: list[Any]) -> None:
        if records:
            monkeypatch.undo()
            quick.delete(["kettle"])
        put(records)

    monkeypatch.setattr(collection(slow), "put", overtaken)
    slow.put([KETTLE])
    assert collection(slow).ids() == set()
    assert slow.search("descale kettle", "en") == [] and well(slow) and well(quick)


def test_two_servers_over_one_postgresql_share_one_milvus(opened: Open, postgresql: Postgresql) -> None:
    with postgresql.tables() as url:
        one, two = opened(database=url), opened(database=url)
        one.put([KETTLE])
        two.put([LAMP])
        assert sources(one.search("bulb of the lamp", "en")) == sources(two.search("lamp", "en")) == {"kettle", "lamp"}
        one.delete(["lamp"])
        assert sources(two.search("bulb of the lamp", "en")) == {"kettle"} and well(one) and well(two)
        for knowledge in (one, two):
            knowledge.close()


def test_two_that_share_a_server_by_a_database_each_keep_to_their_own(opened: Open, tmp_path: Path) -> None:
    started = start_server_in_thread(data_dir=str(tmp_path / "server"), host="127.0.0.1", port=0)
    address = f"http://127.0.0.1:{started[2]}"
    with pytest.raises(KnowledgeBaseError, match="'shop' does not exist"):
        opened(milvus=f"{address}/shop")
    one = opened(milvus=address)
    collection(one)._client.create_database("shop")
    other = opened(milvus=f"{address}/shop", database=f"sqlite:///{tmp_path / 'other.sqlite'}")
    one.put([KETTLE])
    other.put([LAMP])
    assert (sources(one.search("lamp", "en")), sources(other.search("kettle", "en"))) == ({"kettle"}, {"lamp"})
    other.delete(["lamp"])
    assert well(one) and well(other)
    for knowledge in (one, other):
        knowledge.close()
    _stop(started)


def test_a_server_that_goes_away_is_named_at_once_and_used_again_when_it_is_back(opened: Open, tmp_path: Path) -> None:
    started = start_server_in_thread(data_dir=str(tmp_path / "server"), host="127.0.0.1", port=0)
    address = f"http://someone:secret@127.0.0.1:{started[2]}"
    knowledge = opened(milvus=address)
    knowledge.put_faqs([RETURN])
    knowledge.put([KETTLE])
    _stop(started)
    assert knowledge.search("我要退货", "zh")[0].exact
    begun = time.monotonic()
    with pytest.raises(KnowledgeBaseError, match=r"Milvus at 127\.0\.0\.1:\d+ does not serve .* KEFU_MILVUS") as told:
        knowledge.search("descale kettle", "en")
    with pytest.raises(KnowledgeBaseError, match="What is stored is safe"):
        knowledge.put([LAMP])
    with pytest.raises(KnowledgeBaseError, match="Start it"):
        opened(milvus=address)
    assert time.monotonic() - begun < 15 and "secret" not in str(told.value)
    started = start_server_in_thread(data_dir=str(tmp_path / "server"), host="127.0.0.1", port=started[2])
    assert sources(_when_back(lambda: knowledge.search("bulb of the lamp", "en"))) >= {"kettle", "lamp"}
    assert well(knowledge)
    knowledge.close()
    _stop(started)


def test_a_file_that_another_process_has_open_is_named(opened: Open, tmp_path: Path) -> None:
    file = tmp_path / "taken.db"
    code = f"from milvus_lite import MilvusLite; MilvusLite({str(file)!r}); print('open', flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None and other.stdout.readline() == b"open\n"
        with pytest.raises(KnowledgeBaseError, match="One process at a time may"):
            opened(milvus=str(file))
        other.kill()


@pytest.mark.parametrize(("package", "remedy"), [("pymilvus", r"kefu\[milvus\]"), ("milvus_lite", "milvus-lite")])
def test_a_package_that_is_missing_is_named(
    opened: Open, monkeypatch: pytest.MonkeyPatch, package: str, remedy: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(KnowledgeBaseError, match=f"pip install {remedy}"):
        opened()


def test_without_the_setting_nothing_of_milvus_is_loaded() -> None:
    code = (
        "import sys, types\n"
        "sys.modules['knowledge_base.encoder'] = types.SimpleNamespace(SentenceTransformerEncoder=None)  # slow\n"
        "import knowledge_base.assemble\n"
        "print([name for name in ('pymilvus', 'grpc', 'milvus_lite') if name in sys.modules])"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


def _stop(started: Any) -> None:
    server, database, _ = started
    server.stop(grace=0).wait()
    database.close()


def _when_back(search: Callable[[], list[Hit]]) -> list[Hit]:
    """gRPC waits a little before it connects again."""
    for _ in range(50):
        try:
            return search()
        except KnowledgeBaseError:
            time.sleep(0.1)
    return search()
