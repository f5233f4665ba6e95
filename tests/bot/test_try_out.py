"""Staff try a question out: the answer that a customer would get, and no trace in the log."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from bot.bot import Bot
from bot.calibration import Calibration
from bot.log import ConversationLog
from bot.types import Conversation, Done
from knowledge_base.types import Passage


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("怎么申请退货？", "faq"),
        ("滤网每几个月更换一次？", "grounded"),
        ("Do you sell spaceships", "abstain"),
        ("转人工", "handoff"),
    ],
)
def test_trying_out_answers_alike_and_logs_nothing(
    log: ConversationLog,
    calibration: Calibration,
    small_knowledge: Any,
    passage: Callable[..., Passage],
    question: str,
    kind: str,
) -> None:
    faq = passage("签收后7天内可以申请退货。", phrasing="怎么申请退货？")
    manual = passage("滤网每6个月更换一次，售价199元。请勿用水清洗主机。", title="云净三号说明书")
    bot = Bot(small_knowledge([faq, manual]), log, calibration, release="r1")
    tried = bot.try_out(Conversation("not logged"), question)
    assert tried.kind == kind and tried.text
    assert log.load("not logged") is None
    done = list(bot.reply(bot.log.open(), question))[-1]
    assert isinstance(done, Done)
    unlike: dict[str, Any] = {"id": "", "latency_ms": {}}
    assert replace(tried, **unlike) == replace(done.answer, **unlike)
    assert tried.latency_ms.keys() == done.answer.latency_ms.keys()
    assert bot.calibration is calibration
