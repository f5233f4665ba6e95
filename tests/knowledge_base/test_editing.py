"""FAQs as staff work with them: saved together or not at all, compared with what was seen, listed, looked back at."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import select

from knowledge_base import faq_writes
from knowledge_base.assemble import open_in
from knowledge_base.faq_list import FaqFilter
from knowledge_base.faq_writes import Conflict
from knowledge_base.knowledge_base import KnowledgeBase
from knowledge_base.retrieval import Retrieval
from knowledge_base.revisions import faq_of_content
from knowledge_base.tables import entry, faq, revision
from knowledge_base.types import Faq
from tests.fakes import HashEncoder
from tests.knowledge_base.conftest import OpenKnowledge

RETURNS = Faq(
    "returns.zh", "怎么退货？", "十五天内在订单页申请。", "zh", ("想退东西",), ("怎么换货",), "退货", date(2026, 1, 1)
)
HOURS = Faq(
    "hours.en", "When are you open?", "Daily, nine to six.", "en", ("opening hours 100% sure",), category="Shop"
)


def found(knowledge: KnowledgeBase, query: str) -> list[str]:
    return [hit.passage.text for hit in knowledge.search(query, "zh")]


def test_what_is_saved_is_found_and_counted_as_put_counts_it(knowledge: KnowledgeBase) -> None:
    editing = knowledge.editing
    assert editing.save([RETURNS, HOURS], {RETURNS.id: 0, HOURS.id: 0}) == {RETURNS.id: 1, HOURS.id: 1}
    assert found(knowledge, "想退东西") == [RETURNS.answer]
    changed = replace(RETURNS, answer="三十天内。", similar=("退款流程",))
    assert editing.save([changed], {RETURNS.id: 1}) == {RETURNS.id: 2}
    assert found(knowledge, "退款流程")[0] == "三十天内。"
    assert all(hit.passage.phrasing != "想退东西" for hit in knowledge.search("想退东西", "zh"))
    assert knowledge.put_faqs([changed])[0].outcome == "unchanged"
    assert editing.save([changed], {RETURNS.id: 2}) == {RETURNS.id: 2}
    assert editing.delete([RETURNS.id, "none"]) == [RETURNS.id]
    assert all(hit.passage.source_id != RETURNS.id for hit in knowledge.search("怎么退货", "zh"))
    assert editing.save([RETURNS], {RETURNS.id: 0}) == {RETURNS.id: 3}
    assert all(finding.ok for finding in knowledge.check())


def test_a_new_answer_under_the_same_phrasings_is_given_at_once(
    knowledge: KnowledgeBase, open_knowledge: OpenKnowledge
) -> None:
    knowledge.put_faqs([RETURNS, HOURS])
    other = open_knowledge()
    for round in range(2):
        assert found(knowledge, "怎么退货")[0] == found(other, "怎么退货")[0] != f"改为{round}天。"
        changed = replace(RETURNS, answer=f"改为{round}天。")
        if round:
            knowledge.put_faqs([changed])
        else:
            knowledge.editing.save([changed], {})
        assert found(knowledge, "怎么退货")[0] == found(other, "怎么退货")[0] == changed.answer
    assert all(finding.ok for finding in [*knowledge.check(), *other.check()])
    other.close()


def test_the_second_of_two_editors_gets_the_first_ones_text_and_writes_nothing(
    knowledge: KnowledgeBase, encoder: HashEncoder
) -> None:
    knowledge.put_faqs([RETURNS, HOURS])
    first = replace(RETURNS, answer="十天内。")
    knowledge.editing.save([first], {RETURNS.id: 1})
    with pytest.raises(Conflict) as conflict:
        knowledge.editing.save(
            [replace(HOURS, answer="Never."), replace(RETURNS, question="一个新的说法")], {RETURNS.id: 1, HOURS.id: 1}
        )
    stored = conflict.value.stored[RETURNS.id]
    assert stored is not None and (stored.faq, stored.version) == (first, 2)
    assert knowledge.faq(HOURS.id) == HOURS
    assert "一个新的说法" in encoder.encoded and all(finding.ok for finding in knowledge.check())
    with pytest.raises(Conflict) as gone:
        knowledge.editing.save([replace(RETURNS, id="gone")], {"gone": 4})
    assert gone.value.stored == {"gone": None}
    with pytest.raises(Conflict):
        knowledge.editing.delete([HOURS.id, RETURNS.id], {RETURNS.id: 1})
    assert knowledge.faq(HOURS.id) == HOURS


def test_a_cancelled_import_leaves_nothing_behind(knowledge: KnowledgeBase) -> None:
    class Cancelled(Exception):
        pass

    def stop(done: int, total: int) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        knowledge.editing.save([replace(RETURNS, id=f"f{n}") for n in range(520)], {}, stop)
    assert knowledge.is_empty and knowledge.editing.list.page(FaqFilter())[1] == 0
    with knowledge.editing._store.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM vector").scalar() == 0


def test_many_are_written_as_one_by_one(local: KnowledgeBase, tmp_path: Path) -> None:
    faqs = [
        replace(RETURNS, id=f"f{n}", question=f"问题{n}？", similar=(f"说法{n}", f"第{n}种，另一种"))
        for n in range(520)
    ]
    local.editing.save(faqs, {})
    changed = [
        replace(faq, similar=faq.similar[::-1], status="draft" if n % 2 else "published") for n, faq in enumerate(faqs)
    ]
    seen: list[tuple[int, int]] = []
    local.editing.save(changed, {faq.id: 1 for faq in faqs}, lambda done, total: seen.append((done, total)))
    assert seen[-1] == (520, 520)
    (tmp_path / "other").mkdir()
    other = open_in(tmp_path / "other", Retrieval(HashEncoder()))
    other.put_faqs(faqs)
    other.put_faqs(changed)

    def rows(opened: KnowledgeBase) -> list[tuple[object, ...]]:
        with opened.editing._store.engine.connect() as connection:
            e, f, r = entry.c, faq.c, revision.c
            entries = connection.execute(select(e.source_id, e.role, e.ordinal, e.text, e.normal)).all()
            stored = connection.execute(select(f.id, f.version, f.content_hash, f.similar, f.status)).all()
            history = connection.execute(select(r.source_id, r.version, r.action, r.content)).all()
        return sorted(tuple(map(str, row)) for row in (*entries, *stored, *history))

    assert rows(local) == rows(other)
    assert all(finding.ok for finding in local.check())
    other.close()


def test_the_list_is_searched_filtered_sorted_and_paged(knowledge: KnowledgeBase) -> None:
    plain = Faq("plain", "多少钱", "一百元", "zh", status="draft")
    knowledge.put_faqs([RETURNS, HOURS, plain])
    listed = knowledge.editing.list

    def ids(**wanted: object) -> list[str]:
        return [one.faq.id for one in listed.page(FaqFilter(**({"sort": "id", "descending": False} | wanted)))[0]]

    assert ids() == ["hours.en", "plain", "returns.zh"] and ids(descending=True) == ["returns.zh", "plain", "hours.en"]
    assert ids(text="想退") == ["returns.zh"] and ids(text="OPEN nine") == ["hours.en"]
    assert ids(text="100%") == ["hours.en"] and ids(text="10_%") == []
    assert ids(language="zh", status="draft") == ["plain"]
    assert ids(category="Shop") == ["hours.en"] and ids(category="-") == ["plain"]
    page, total = listed.page(FaqFilter(sort="id", descending=False), limit=1, offset=1)
    assert ([one.faq.id for one in page], total) == (["plain"], 3)
    assert listed.categories() == ["Shop", "退货"]
    assert listed.phrased(["怎么退货", "怎么换货"]) == [
        ("returns.zh", "question", "怎么退货？"),
        ("returns.zh", "never", "怎么换货"),
    ]
    assert listed.asked(["多少钱"]) == [("plain", "多少钱")]


def test_history_is_newest_first_and_gives_the_faq_back(knowledge: KnowledgeBase) -> None:
    knowledge.put_faqs([RETURNS])
    knowledge.put_faqs([replace(RETURNS, answer="十天内。")])
    knowledge.delete([RETURNS.id])
    history, total = knowledge.editing.revisions.page("faq", RETURNS.id)
    assert [(one.version, one.action) for one in history] == [(2, "delete"), (1, "put")] and total == 2
    first = knowledge.editing.revisions.get("faq", RETURNS.id, 1)
    assert first is not None and faq_of_content(first.content) == RETURNS
    assert knowledge.editing.revisions.get("faq", RETURNS.id, 7) is None


def test_rows_are_worked_out_before_anybody_has_to_wait(
    knowledge: KnowledgeBase, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []

    def noted(name: str) -> None:
        known = getattr(faq_writes, name)
        monkeypatch.setattr(faq_writes, name, lambda *given: (order.append(name), known(*given))[1])

    for name in ("source_hash", "entry_values", "writing"):
        noted(name)
    faqs = [Faq(f"f{number}", f"question {number}?", "yes", "en") for number in range(3)]
    knowledge.editing.save(faqs, {faq.id: 0 for faq in faqs})
    assert order[-1] == "writing" and order.count("writing") == 1 and order.count("source_hash") == 3
