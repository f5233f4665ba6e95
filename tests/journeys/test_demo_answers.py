"""What the demo shop must answer with the models that ship: its FAQs, its documents, and nothing else."""

import json
import time
from pathlib import Path

import pytest

from bot.bot import Bot
from bot.calibration import load
from bot.types import Answer, Done
from knowledge_base.faq_file import read_faqs
from knowledge_base.fuse import FITTED
from web.demo_company import FAQS

pytestmark = pytest.mark.models


def ask(bot: Bot, question: str) -> Answer:
    events = bot.reply(bot.log.open(), question)
    return next(event.answer for event in events if isinstance(event, Done))


def test_what_was_fitted_was_fitted_to_the_encoder_that_ships(bot: Bot) -> None:
    encoder = bot.knowledge.encoder.files_sha256
    assert load().encoder == encoder
    assert json.loads(FITTED.read_text())["encoder"] == encoder


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_phrasing_of_every_faq_answers_itself(bot: Bot, language: str) -> None:
    faqs = [faq for faq in read_faqs(FAQS) if faq.language == language]
    assert len(faqs) >= 40
    for faq in faqs:
        for phrasing in (faq.question, *faq.similar):
            answer = ask(bot, phrasing)
            assert (answer.kind, answer.citations[0].source_id) == ("faq", faq.id), phrasing
            assert answer.text == faq.answer


@pytest.mark.parametrize(
    ("question", "source", "fact"),
    [
        ("空气净化器的滤芯一般用多久要换？", "air-purifier-manual.zh.pdf", "8 至 12 个月"),
        ("杭州店哪天可以免费磨刀？", "stores.zh.html", "磨刀"),
        ("What does error E02 on the CF-300 coffee machine mean?", "coffee-machine-manual.en.pdf", "E02"),
        ("When does a parcel count as lost?", "shipping-policy.en.docx", "lost"),
    ],
)
def test_what_only_a_document_says_is_answered_and_cited(bot: Bot, question: str, source: str, fact: str) -> None:
    answer = ask(bot, question)
    assert answer.kind == "grounded"
    assert source in {citation.source_id for citation in answer.citations}
    assert fact in answer.text
    for citation in answer.citations:
        assert citation.quote in next(h.passage.text for h in answer.hits if h.passage.id == citation.passage_id)


@pytest.mark.parametrize(
    "question",
    ["你们卖自行车吗？", "你们公司上市了吗，股票代码是多少？", "Do you sell bicycles?", "Who won the 1998 World Cup?"],
)
def test_what_the_shop_does_not_say_is_not_answered(bot: Bot, question: str) -> None:
    answer = ask(bot, question)
    assert answer.kind == "abstain"
    assert answer.citations == ()


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_command_line_gives_the_same_answer_as_json(shop, language: str) -> None:
    question = {"zh": "怎么申请退货？", "en": "How do I return an item?"}[language]
    answer = json.loads(shop.run("ask", question, "--json"))
    assert answer["kind"] == "faq"
    assert answer["citations"][0]["source_id"] == f"return-how.{language}"


def test_a_changed_document_is_live_within_a_second_and_gone_when_removed(shop, bot: Bot, tmp_path: Path) -> None:
    file = tmp_path / "parking.md"
    question = "How much does parking in the basement garage of the flagship store cost?"
    for price in ("6 yuan", "9 yuan"):
        file.write_text(f"# Parking\n\nParking in the basement garage of the flagship store costs {price} per hour.\n")
        shop.run("add", str(file))
        began = time.perf_counter()
        answer = ask(bot, question)
        assert time.perf_counter() - began < 1
        assert price in answer.text
        assert [citation.source_id for citation in answer.citations] == ["parking.md"]
    shop.run("remove", "parking.md")
    found = {hit.passage.source_id for hit in bot.knowledge.search(question, "en", 50)}
    assert "parking.md" not in found
