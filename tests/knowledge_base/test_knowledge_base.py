"""What a knowledge base promises: found at once, gone when deleted, nothing encoded twice, one truth for all."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from knowledge_base.assemble import open_in
from knowledge_base.database import writing
from knowledge_base.knowledge_base import KnowledgeBase
from knowledge_base.retrieval import Retrieval
from knowledge_base.types import Document, Faq, Hit, KnowledgeBaseError
from tests.fakes import HashEncoder

RETURN = Faq("return.zh", "怎么申请退货？", "在订单页点击“申请退货”。", "zh", similar=("我要退货", "东西不想要了"))
RETURN_EN = Faq("return.en", "How do I return an item?", "Open the order and choose Return.", "en")
WARRANTY = Document(
    "warranty.md", "保修条款", "# 保修\n\n## 期限\n\n净水器保修三年。\n\n## 除外\n\n人为损坏不保修。", "zh"
)
Open = Callable[..., KnowledgeBase]


def sources(hits: list[Hit]) -> list[str]:
    return [hit.passage.source_id for hit in hits]


def test_an_faq_is_found_by_every_phrasing_in_any_script_and_width(knowledge: KnowledgeBase) -> None:
    knowledge.put_faqs([RETURN, RETURN_EN])
    for query in ("怎么申请退货", "怎麼申請退貨？", "我要退货！", "东西 不想要了"):
        hit = knowledge.search(query, "zh")[0]
        assert (hit.passage.source_id, hit.exact, hit.score) == ("return.zh", True, 1.0)
        assert hit.passage.text == RETURN.answer


def test_a_document_is_found_with_its_heading_path(knowledge: KnowledgeBase) -> None:
    knowledge.put([WARRANTY])
    passage = knowledge.search("净水器保修几年", "zh")[0].passage
    assert passage.source_id == "warranty.md"
    assert "净水器保修三年。" in passage.text
    assert passage.version == 1


def test_a_deleted_source_is_found_by_no_search(knowledge: KnowledgeBase) -> None:
    knowledge.put([WARRANTY])
    knowledge.put_faqs([RETURN])
    assert knowledge.delete(["warranty.md", "return.zh", "unknown"]) == ["warranty.md", "return.zh"]
    assert knowledge.search("净水器保修三年。", "zh") == []
    assert knowledge.search("怎么申请退货？", "zh") == []
    assert knowledge.is_empty


def test_only_changed_passages_are_encoded_again(knowledge: KnowledgeBase, encoder) -> None:
    long = "\n\n".join(f"## 第{n}节\n\n" + f"第{n}节说的是第{n}件事，" * 30 for n in range(6))
    first = knowledge.put([Document("d", "手册", long, "zh")])[0]
    encoder.encoded.clear()
    second = knowledge.put([Document("d", "手册", long.replace("第3件事", "另一件事"), "zh")])[0]
    assert (first.outcome, second.outcome) == ("added", "changed")
    assert 0 < second.encoded < first.encoded
    assert len(encoder.encoded) == second.encoded


def test_putting_the_same_again_does_nothing(knowledge: KnowledgeBase, encoder) -> None:
    knowledge.put([WARRANTY])
    encoder.encoded.clear()
    assert knowledge.put([WARRANTY])[0].outcome == "unchanged"
    assert encoder.encoded == []


def test_duplicates_and_empty_documents_are_reported_and_not_stored(knowledge: KnowledgeBase) -> None:
    puts = knowledge.put([WARRANTY, replace(WARRANTY, id="copy.md"), Document("empty.md", "Empty", " \n", "en")])
    assert [put.outcome for put in puts] == ["added", "duplicate", "empty"]
    assert "warranty.md" in puts[1].detail
    assert [d.id for d in knowledge.documents()] == ["warranty.md"]
    assert knowledge.put([replace(WARRANTY, id="later.md")])[0].outcome == "duplicate"


def test_a_changed_answer_is_live_at_once_and_counts_versions(knowledge: KnowledgeBase) -> None:
    knowledge.put_faqs([RETURN])
    knowledge.put_faqs([replace(RETURN, answer="请联系客服。")])
    passage = knowledge.search("我要退货", "zh")[0].passage
    assert (passage.text, passage.version) == ("请联系客服。", 2)


def test_versions_go_on_after_a_deletion(knowledge: KnowledgeBase) -> None:
    knowledge.put_faqs([RETURN])
    knowledge.delete([RETURN.id])
    knowledge.put_faqs([RETURN])
    assert knowledge.search("我要退货", "zh")[0].passage.version == 2


def test_another_process_sees_a_change_in_its_next_search(open_knowledge: Open) -> None:
    server, command = open_knowledge(), open_knowledge()
    assert server.search("净水器保修几年", "zh") == []
    command.put([WARRANTY])
    assert set(sources(server.search("净水器保修几年", "zh"))) == {"warranty.md"}
    server.delete(["warranty.md"])
    assert command.search("净水器保修几年", "zh") == []


def test_a_draft_and_an_faq_out_of_its_time_are_not_found(knowledge: KnowledgeBase) -> None:
    today, day = date.today(), timedelta(days=1)
    knowledge.put_faqs(
        [
            replace(RETURN, id="draft", status="draft"),
            replace(RETURN, id="over", valid_until=today - day),
            replace(RETURN, id="later", valid_from=today + day),
            replace(RETURN, id="now", valid_from=today, valid_until=today),
        ]
    )
    assert sources(knowledge.search("我要退货", "zh")) == ["now"]


def test_a_phrasing_to_refuse_keeps_its_faq_out(knowledge: KnowledgeBase) -> None:
    knowledge.put_faqs([replace(RETURN, never=("退货进度怎么查",))])
    assert sources(knowledge.search("怎么退货", "zh")) == ["return.zh"]
    assert knowledge.search("退货进度怎么查？", "zh") == []


def test_an_faq_comes_in_the_customers_language_whichever_phrasing_was_near(knowledge: KnowledgeBase) -> None:
    mixed = replace(RETURN, similar=("退货 return policy",))
    knowledge.put_faqs([mixed, RETURN_EN])
    assert sources(knowledge.search("退货 return policy?", "en")) == ["return.en"]
    assert sources(knowledge.search("How do I return an item", "zh")) == ["return.zh"]


def test_an_faq_comes_in_the_other_language_while_its_translation_may_not_be_shown(knowledge: KnowledgeBase) -> None:
    knowledge.put_faqs([RETURN, replace(RETURN_EN, valid_from=date.today() + timedelta(days=1))])
    assert sources(knowledge.search("怎么申请退货", "en")) == ["return.zh"]
    knowledge.put_faqs([replace(RETURN_EN, status="draft")])
    assert sources(knowledge.search("怎么申请退货", "en")) == ["return.zh"]


def test_a_phrasing_to_refuse_keeps_the_translation_out_too(knowledge: KnowledgeBase) -> None:
    knowledge.put_faqs([RETURN, replace(RETURN_EN, never=("怎么申请退货",))])
    assert knowledge.search("怎么申请退货？", "en") == []


def test_another_encoder_is_noticed_and_its_vectors_are_made(open_knowledge: Open, encoder) -> None:
    open_knowledge().put([WARRANTY])
    other = type(encoder)("other")
    knowledge = open_knowledge(other)
    assert knowledge.needs_encoding() > 0
    assert not all(finding.ok for finding in knowledge.check())
    assert knowledge.encode_missing() == len(other.encoded)
    assert knowledge.needs_encoding() == 0
    assert all(finding.ok for finding in knowledge.check())
    assert sources(knowledge.search("净水器保修几年", "zh"))[0] == "warranty.md"


def test_going_back_to_an_encoder_encodes_nothing(open_knowledge: Open, encoder) -> None:
    open_knowledge().put([WARRANTY])
    open_knowledge(type(encoder)("other")).encode_missing()
    assert open_knowledge().needs_encoding() == 0


def test_rebuild_finds_the_same_again_without_encoding(knowledge: KnowledgeBase, encoder) -> None:
    knowledge.put([WARRANTY])
    knowledge.put_faqs([RETURN])
    before = knowledge.search("净水器保修几年", "zh")
    encoder.encoded.clear()
    knowledge.rebuild()
    assert knowledge.search("净水器保修几年", "zh") == before
    assert encoder.encoded == []


def test_check_finds_all_well_after_changes(knowledge: KnowledgeBase) -> None:
    knowledge.put([WARRANTY])
    knowledge.put_faqs([RETURN, replace(RETURN_EN, never=("how do I cancel",))])
    knowledge.delete(["return.zh"])
    assert [finding for finding in knowledge.check() if not finding.ok] == []


def test_check_says_what_differs(knowledge: KnowledgeBase) -> None:
    knowledge.put([WARRANTY])
    with writing(knowledge._store.engine) as connection:
        connection.execute(text("DELETE FROM entry"))
    findings = {finding.check: finding for finding in knowledge.check()}
    assert not findings["dense index"].ok and not findings["keyword index"].ok
    assert "rebuild" in findings["dense index"].remedy


HOSTILE = ["", "  ", "\x00\x01", "😀😀😀", "'; DROP TABLE faq; --", "<b>退货</b>", "x" * 50_000]


@pytest.mark.parametrize("query", HOSTILE)
def test_any_query_is_searched_or_finds_nothing(knowledge: KnowledgeBase, query: str) -> None:
    knowledge.put_faqs([RETURN])
    assert all(0 <= hit.score <= 1 for hit in knowledge.search(query, "en"))
    assert len(knowledge.faqs()) == 1


def test_passages_repeated_within_a_document_are_all_removed_with_it(knowledge: KnowledgeBase) -> None:
    repeated = "\n\n".join(["## 甲\n\n" + "一样的话。" * 60, "## 甲\n\n" + "一样的话。" * 60])
    knowledge.put([Document("twice", "重复", repeated, "zh")])
    knowledge.put([Document("twice", "重复", "## 甲\n\n别的话。", "zh")])
    assert [h.passage.text for h in knowledge.search("一样的话", "zh")] == ["别的话。"]
    assert all(finding.ok for finding in knowledge.check())


# --- files that were edited, moved or copied between two calls

OTHER = replace(WARRANTY, text="# 配送\n\n北京两天送到。")


def test_a_text_that_moved_to_another_document_is_kept_and_found(knowledge: KnowledgeBase) -> None:
    knowledge.put([WARRANTY])
    puts = knowledge.put([OTHER, replace(WARRANTY, id="moved.md")])
    assert [put.outcome for put in puts] == ["changed", "added"]
    assert sources(knowledge.search("净水器保修几年", "zh"))[0] == "moved.md"
    assert knowledge.needs_encoding() == 0
    assert all(finding.ok for finding in knowledge.check())


def test_a_known_document_that_becomes_a_copy_loses_its_old_text(knowledge: KnowledgeBase) -> None:
    knowledge.put([WARRANTY, replace(OTHER, id="other.md")])
    assert knowledge.put([replace(WARRANTY, id="other.md")])[0].outcome == "changed"
    assert all("北京" not in hit.passage.text for hit in knowledge.search("北京几天送到", "zh"))


def test_of_one_id_given_twice_the_last_counts(knowledge: KnowledgeBase) -> None:
    knowledge.put([WARRANTY])
    assert [put.outcome for put in knowledge.put([OTHER, WARRANTY, WARRANTY])] == ["changed", "changed", "unchanged"]
    assert knowledge.document("warranty.md") == WARRANTY
    assert all(finding.ok for finding in knowledge.check())


def test_a_vector_that_another_process_has_just_dropped_is_made_again(
    open_knowledge: Open, encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, command = open_knowledge(), open_knowledge()
    command.put_faqs([RETURN])
    known = server._store.known_hashes

    def known_until_now(hashes):
        found = known(hashes)
        command.delete([RETURN.id])
        return found

    monkeypatch.setattr(server._store, "known_hashes", known_until_now)
    server.put_faqs([replace(RETURN, id="again")])
    assert sources(server.search("我要退货", "zh")) == ["again"]
    assert server.needs_encoding() == 0


@pytest.mark.parametrize("text_", ["---\n\n***", "# \n\n#", "\n\n"])
def test_a_document_of_which_nothing_is_left_to_search_is_empty(knowledge: KnowledgeBase, text_: str) -> None:
    put = knowledge.put([Document("rules.md", "Rules", text_, "en")])[0]
    assert (put.outcome, knowledge.documents()) == ("empty", [])
    assert "right file" in put.detail


def test_one_phrasing_of_two_faqs_is_answered_by_one_of_them(knowledge: KnowledgeBase) -> None:
    knowledge.put_faqs([RETURN, replace(RETURN, id="twin", answer="联系客服。")])
    found = knowledge.search("怎么申请退货", "zh")
    assert {hit.passage.source_id for hit in found} == {"return.zh", "twin"}
    assert found[0].exact and found[0].score == 1


def test_nothing_is_encoded_for_an_exact_phrasing(
    knowledge: KnowledgeBase, encoder: HashEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    knowledge.put_faqs([RETURN, RETURN_EN])
    knowledge.put([WARRANTY])
    monkeypatch.setattr(encoder, "encode_queries", lambda texts: pytest.fail("encoded"))
    hits = knowledge.search("怎么申请退货?", "zh")
    assert [(hit.passage.source_id, hit.exact, hit.score, hit.dense) for hit in hits] == [("return.zh", True, 1.0, 1.0)]


def test_an_faq_with_a_question_of_a_megabyte_is_stored_and_found(knowledge: KnowledgeBase) -> None:
    long = "How do I return it? " + "x" * 1_000_000
    knowledge.put_faqs([Faq("long", long, "So.", "en"), Faq("blank", "Why?", " ", "en")])
    assert knowledge.search(long, "en")[0].passage.source_id == "long"
    assert [faq.id for faq in knowledge.faqs()] == ["long"]


@pytest.mark.parametrize("id", ["", "x" * 513])
def test_an_id_that_the_store_cannot_keep_is_refused_before_anything_is_stored(
    knowledge: KnowledgeBase, id: str
) -> None:
    with pytest.raises(ValueError, match=f"{len(id)} characters; give it 1 to 512"):
        knowledge.put([WARRANTY, replace(OTHER, id=id)])
    assert knowledge.is_empty


def test_odd_ids_are_kept_as_they_are(knowledge: KnowledgeBase) -> None:
    ids = ["x" * 512, " a ", "a", "'; DROP TABLE document; --", "两\n行/caf\u00e9.md"]
    knowledge.put([replace(WARRANTY, id=id, text=f"{WARRANTY.text}{number}") for number, id in enumerate(ids)])
    assert {document.id for document in knowledge.documents()} == set(ids)
    assert knowledge.delete(ids) == ids


def test_what_was_stored_while_the_index_could_not_be_written_is_found_later(
    local: KnowledgeBase, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("knowledge_base.keywords.KeywordIndex._write_state", full)
    with pytest.raises(KnowledgeBaseError, match="No space left .* is safe"):
        local.put([WARRANTY])
    monkeypatch.undo()
    assert sources(local.search("净水器保修几年", "zh"))[0] == "warranty.md"
    assert all(finding.ok for finding in local.check())


def test_a_keyword_index_that_is_damaged_under_a_running_server_is_built_anew(
    local: KnowledgeBase, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    local.put([WARRANTY])
    for path in (tmp_path / "keywords").glob("*.idx"):
        with path.open("r+b") as file:
            file.write(b"\xa5" * (path.stat().st_size - 120))
    assert sources(local.search("净水器保修几年", "zh"))[0] == "warranty.md"
    assert "it is built anew" in caplog.text
    assert all(finding.ok for finding in local.check())


def test_a_keyword_index_of_another_database_is_not_searched(
    tmp_path: Path, database_url: str, encoder: HashEncoder
) -> None:
    """As where a backup's database is put beside a newer index, or KEFU_DATABASE_URL names another one."""
    other = open_in(tmp_path, Retrieval(encoder), f"sqlite:///{tmp_path / 'other.sqlite'}")
    other.put_faqs([RETURN, RETURN_EN])
    knowledge = open_in(tmp_path, Retrieval(encoder), database_url)
    knowledge.put([WARRANTY])
    assert all(finding.ok for finding in knowledge.check())


def test_check_finds_an_index_of_the_database_that_lacks_rows_of_its_table(
    tmp_path: Path, encoder: HashEncoder
) -> None:
    """What a write that never reached the disk leaves: every page is well formed, and lookups find too little."""
    knowledge = open_in(tmp_path, Retrieval(encoder))
    knowledge.put([WARRANTY])
    with knowledge._store.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        root = connection.exec_driver_sql("SELECT rootpage FROM sqlite_master WHERE name = 'ix_entry_source'").scalar()
        assert root is not None
    knowledge.close()
    with (tmp_path / "kefu.sqlite").open("r+b") as file:
        file.seek((root - 1) * 4096)
        file.write(bytes([10, 0, 0, 0, 0, 16, 0, 0]))  # the page of an empty index
    (finding,) = [one for one in open_in(tmp_path, Retrieval(encoder)).check() if not one.ok]
    assert finding.check == "database"
    assert "kefu.sqlite is damaged: row 1 missing from index ix_entry_source" in finding.detail
    assert "RUNBOOK" in finding.remedy


def test_a_section_is_found_by_the_name_it_is_offered_by(knowledge: KnowledgeBase) -> None:
    knowledge.put_faqs([RETURN])
    text = "# CF-300\n\nA machine.\n\n## Descaling\n\nDissolve one sachet in water.\n\n## Warranty\n\nTwo years."
    knowledge.put([Document("cf", "CF-300", text, "en")])
    found = knowledge.search("dissolve a sachet", "en")[0].passage
    assert found.name == "CF-300 › Descaling"
    (hit,) = knowledge.search(found.name, "en")
    assert (hit.passage, hit.exact, hit.score) == (found, True, 1.0)
