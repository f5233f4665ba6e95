"""How fast a generator writes: its first words, tokens a second, one and eight conversations at once.

The embedded generator as it would be served, beside transformers in float32, which writes one answer after another. And
through the server where a generator answers there: KEFU_GENERATOR or KEFU_GENERATOR_URL names one, or the release says
that its own is fit to.
"""

import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from unittest import mock

from benchmarks.answer_speed import questions_beside_faqs
from benchmarks.rows import RATIO, Row, at_least, at_most
from benchmarks.server_speed import CHAT, Server, Told, answers
from benchmarks.work import Work
from bot.assemble import open_generator, open_knowledge, open_release
from bot.embedded_generator import embedded_generator
from bot.engine import Messages
from bot.generator import LocalGenerator
from bot.prompt import prompt
from bot.types import TextGenerator
from knowledge_base.language import language_of

RUNS = 3
ASKED = 6
TOKENS = 16  # of each answer at most
MANY = 8  # conversations at once
SHORT, LONG = 20, 1600  # characters of the passages; with the long ones a prompt has 600 tokens
_GOODS = "kettle duvet lamp bookshelf mattress wok fan heater carpet watch tent bicycle".split()
_PASSAGES = 3  # shown to the bare generator


@dataclass(frozen=True, slots=True)
class Run:
    """What conversations at once were given: tokens a second, all together, and ms to the first, median."""

    rate: float
    first: float


def rows(work: Work) -> list[Row]:
    """The embedded generator by itself; and the server's, where answers from documents are not quoted."""
    written = _engines(work)
    settings = work.settings("demo")
    generator = open_generator(settings, open_release(settings))
    return written if generator is None else [*written, *_served(work, generator)]


def _engines(work: Work) -> list[Row]:
    """Medians; what takes longest, eight conversations with long passages, is measured once."""
    found: dict[tuple[str, int, int], list[Run]] = {}

    def note(name: str, generator: LocalGenerator, conversations: int, length: int, run: int) -> None:
        work.say(f"{name}: {conversations} at once, {length} characters of passages, {run + 1} of {RUNS}")
        first = 1000 * run + 100 * conversations + length  # nobody has asked with these passages before
        chats = [_chat(first + number, length) for number in range(conversations)]
        found.setdefault((name, conversations, length), []).append(measured(generator, chats))

    with _generators(work) as (served, plain):
        for generator in (served, plain):
            measured(generator, [_chat(99, SHORT)])
        for run in range(RUNS):
            for length in (SHORT, LONG):
                note("served", served, 1, length, run)
                note("float32", plain, 1, length, run)
            note("served", served, MANY, SHORT, run)
        note("served", served, MANY, LONG, 0)

    def rate(name: str, conversations: int) -> float:
        return statistics.median(run.rate for run in found[name, conversations, SHORT])

    def first(name: str, conversations: int) -> float:
        return statistics.median(run.first for run in found[name, conversations, LONG])

    beside, prompted = "transformers float32, one by one", "first token, 600 tokens of prompt"
    alone = "transformers float32, 1 conversation"
    return [
        Row("generated, 1 conversation", rate("served", 1), "tokens/s", rate("float32", 1), beside),
        Row(f"… {MANY} at once", rate("served", MANY), "tokens/s", rate("float32", 1), beside, at_least(6, RATIO)),
        Row(f"{prompted}, 1 conversation", first("served", 1), "ms", first("float32", 1), beside, at_most(600, "ms")),
        Row(f"… {MANY} at once", first("served", MANY), "ms", first("float32", 1), alone, at_most(1500, "ms")),
    ]


def measured(generator: TextGenerator, chats: list[Messages]) -> Run:
    """All the chats at once, one thread each."""
    firsts: list[float] = []
    pieces = [0] * len(chats)
    began = time.perf_counter()

    def ask(number: int) -> None:
        for _ in generator.generate(chats[number], _never):
            if not pieces[number]:
                firsts.append((time.perf_counter() - began) * 1000)
            pieces[number] += 1

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(len(chats))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Run(sum(pieces) / (time.perf_counter() - began), statistics.median(firsts))


def _chat(number: int, length: int) -> Messages:
    """A question with passages of so many characters, in another order for each number."""
    things = [f"The {good} no {number * 40 + n} is repaired within {n + 2} days. " for n, good in enumerate(_GOODS * 9)]
    asked = "".join(things)[:length] + f"\nQuestion: how long does a repair of item {number} take, and why?"
    return [{"role": "system", "content": "Answer from the passages."}, {"role": "user", "content": asked}]


@contextmanager
def _generators(work: Work) -> Iterator[tuple[LocalGenerator, LocalGenerator]]:
    """The embedded one as it is served, and with transformers in float32."""
    import torch

    models = work.settings("demo").models_folder
    folder = str(embedded_generator(models))
    with mock.patch("bot.generator.MAX_NEW_TOKENS", TOKENS):
        served = LocalGenerator(folder, None, "cpu", models)
        with mock.patch("bot.torch_engine.generator_dtype", lambda device: torch.float32):
            plain = LocalGenerator(folder, None, "cpu")
    try:
        yield served, plain
    finally:
        served.close()
        plain.close()


def _served(work: Work, generator: TextGenerator) -> list[Row]:
    asked = questions_beside_faqs()[:ASKED]
    work.say("the generator alone")
    first, rate = _bare(work, generator, asked)
    work.say("the generator behind the server")
    with Server(work.demo()) as server:
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
