"""What the passages know of an FAQ's phrasings."""

from dataclasses import replace

from knowledge_base.knowledge_base import KnowledgeBase
from tests.knowledge_base.test_knowledge_base import RETURN


def test_a_phrasing_is_known_in_any_script_and_width_and_only_while_customers_may_be_answered_by_it(
    knowledge: KnowledgeBase,
) -> None:
    knowledge.put_faqs([replace(RETURN, never=("退货进度怎么查",))])
    assert knowledge.is_phrasing(RETURN.question) and knowledge.is_phrasing(f" {RETURN.question.rstrip('？')}?")
    assert not knowledge.is_phrasing("退货进度怎么查")
    assert not knowledge.is_phrasing("") and not knowledge.is_phrasing("别的问题")
    knowledge.put_faqs([replace(RETURN, status="draft")])
    assert not knowledge.is_phrasing(RETURN.question)
