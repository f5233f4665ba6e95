"""`python -m benchmarks.generator_speed`: tokens a second and the wait for the first, one and eight conversations.

The generator as it is served against transformers in float32, which answers one after another; both in turn in one
process, with the embedded model from KEFU_DATA. Every conversation has passages of its own.
"""

import itertools
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

from rich.console import Console

from bot.embedded_generator import embedded_generator
from bot.engine import Messages
from bot.generator import LocalGenerator
from knowledge_base.settings import Settings

Row = tuple[str, str, float, float, str]  # what, unit, served, float32, bar
TOKENS = 24  # of each answer at most
PROMPT = 2150  # characters, about 600 tokens
GOODS = "kettle duvet lamp bookshelf mattress wok fan heater carpet watch tent bicycle".split()


@dataclass(frozen=True, slots=True)
class Run:
    """What some conversations at once were given: pieces a second, all together, and seconds to the first, median."""

    rate: float
    first: float


def chat(number: int, length: int) -> Messages:
    """A question with passages of so many characters."""
    things = [f"The {good} no {number * 40 + n} is repaired within {n + 2} days. " for n, good in enumerate(GOODS * 9)]
    asked = "".join(things)[:length] + f"\nQuestion: how long does a repair of item {number} take, and why?"
    return [{"role": "system", "content": "Answer from the passages."}, {"role": "user", "content": asked}]


def measured(generator: LocalGenerator, chats: list[Messages]) -> Run:
    """All the chats at once, one thread each."""
    firsts: list[float] = []
    pieces = [0] * len(chats)
    began = time.perf_counter()

    def ask(number: int) -> None:
        for _ in generator.generate(chats[number], lambda: False):
            if not pieces[number]:
                firsts.append(time.perf_counter() - began)
            pieces[number] += 1

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(len(chats))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Run(sum(pieces) / (time.perf_counter() - began), statistics.median(firsts))


@contextmanager
def generators(folder: str, models: Path) -> Iterator[tuple[LocalGenerator, LocalGenerator]]:
    """The one that is served, and transformers in float32."""
    import torch

    with mock.patch("bot.generator.MAX_NEW_TOKENS", TOKENS):
        served = LocalGenerator(folder, None, "cpu", models)
        with mock.patch("bot.torch_engine.generator_dtype", lambda device: torch.float32):
            plain = LocalGenerator(folder, None, "cpu")
    try:
        yield served, plain
    finally:
        served.close()
        plain.close()


def rows(folder: str, models: Path, runs: int = 3) -> list[Row]:
    """Medians over the runs; eight conversations one by one are only measured once, and as fast as one is."""
    found: dict[tuple[str, int, int], list[Run]] = {}
    with generators(folder, models) as (served, plain):
        for generator in (served, plain):
            measured(generator, [chat(99, 20)])
        for run in range(runs):
            for conversations, length in itertools.product((1, 8), (20, PROMPT)):
                first = 1000 * run + 100 * conversations + length  # nobody has asked with these passages before
                chats = [chat(first + n, length) for n in range(conversations)]
                found.setdefault(("served", conversations, length), []).append(measured(served, chats))
                if conversations == 1 or (run == 0 and length == PROMPT):
                    found.setdefault(("plain", conversations, length), []).append(measured(plain, chats))

    def rate(name: str, conversations: int) -> float:
        return statistics.median(run.rate for run in found[name, conversations, 20])

    def first_token(name: str, conversations: int) -> float:
        return statistics.median(run.first for run in found[name, conversations, PROMPT])

    one = rate("plain", 1)
    return [
        ("tokens/s, 1 conversation", "/s", rate("served", 1), one, ""),
        ("tokens/s, 8 conversations", "/s", rate("served", 8), one, ""),
        ("… / float32 one by one", "×", rate("served", 8) / one, 1.0, "≥ 6"),
        (
            "first token, 600-token prompt, 1 conversation, p50",
            "s",
            first_token("served", 1),
            first_token("plain", 1),
            "≤ 0.6",
        ),
        (
            "first token, 600-token prompt, 8 conversations, p50",
            "s",
            first_token("served", 8),
            first_token("plain", 8),
            "≤ 1.5",
        ),
    ]


def main() -> None:
    models = Settings().models_folder.resolve()
    screen = Console(width=160)
    screen.print("| what | served | transformers float32 | bar |\n|---|--:|--:|--:|")
    for what, unit, served, plain, bar in rows(str(embedded_generator(models)), models):
        screen.print(f"| {what} | {served:.2f} {unit} | {plain:.2f} {unit} | {bar} |")


if __name__ == "__main__":
    main()
