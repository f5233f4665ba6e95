"""First words and characters a second of a generator, through the server and bare; only where one answers.

One answers where KEFU_GENERATOR or KEFU_GENERATOR_URL names it, or the release says that its own is fit to.
"""

import statistics
import time

from benchmarks.answer_speed import questions_beside_faqs
from benchmarks.rows import Row, at_most
from benchmarks.server_speed import CHAT, Server, Told, answers
from benchmarks.work import Work
from bot.assemble import open_generator, open_knowledge, open_release
from bot.prompt import prompt
from bot.types import TextGenerator
from knowledge_base.language import language_of

ASKED = 6
_PASSAGES = 3  # shown to the bare generator


def rows(work: Work) -> list[Row]:
    """Nothing where answers from documents are quoted."""
    data = work.demo()
    settings = work.settings("demo")
    generator = open_generator(settings, open_release(settings))
    if generator is None:
        return []
    asked = questions_beside_faqs()[:ASKED]
    work.say("the generator alone")
    first, rate = _bare(work, generator, asked)
    del generator
    work.say("the generator behind the server")
    with Server(data) as server:
        told = [one for one in answers(1, ASKED, asked, url=CHAT) if one.kind == "grounded" and one.written]
        resident = server.resident() / 1e9
    memory = Row("memory, serving with the generator", resident, "GB", bar=at_most(2.5, "GB"))
    if not told:
        return [memory]
    beside = "generator alone"
    return [
        Row(
            "answer from documents, first words, p50", statistics.median(one.first for one in told), "ms", first, beside
        ),
        Row("whole answer, p50", statistics.median(map(_rate, told)), "characters/s", rate, beside),
        memory,
    ]


def _rate(told: Told) -> float:
    return told.written * 1000 / told.ms


def _bare(work: Work, generator: TextGenerator, asked: list[str]) -> tuple[float, float]:
    """Medians: milliseconds to the first piece, and characters a second of the whole."""
    settings = work.settings("demo")
    knowledge = open_knowledge(settings, open_release(settings))
    firsts, rates = [], []
    for text in asked:
        language = language_of(text)
        messages = prompt(text, language, knowledge.search(text, language, _PASSAGES))
        began = time.perf_counter()
        pieces = [(len(piece), (time.perf_counter() - began) * 1000) for piece in generator.generate(messages, _never)]
        if pieces:
            firsts.append(pieces[0][1])
            rates.append(sum(length for length, _ in pieces) * 1000 / pieces[-1][1])
    knowledge.close()
    return statistics.median(firsts or [0.0]), statistics.median(rates or [0.0])


def _never() -> bool:
    return False
