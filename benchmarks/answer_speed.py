"""How soon an answer is there, by its kind and by how many ask at once, beside a bare websocket echo."""

from collections.abc import Sequence

from benchmarks.bare import opened
from benchmarks.echo import URL, Echo
from benchmarks.rows import RATIO, Bar, Row, at_least, at_most
from benchmarks.server_speed import QUESTIONS, REWORDED, Server, Told, answers, quantile
from benchmarks.work import Work
from knowledge_base.language import has_chinese
from training.golden import read_golden_set
from web.demo_company import DEMO

AT_ONCE = {1: 60, 10: 10, 20: 6, 50: 2, 200: 1}  # conversations to messages in each
_SECONDS = 5.0
_BEFORE = {
    "zh": ("", "请问，", "你好，", "麻烦问一下，", "想了解一下，", "打扰了，", "咨询一下，", "问一下，"),
    "en": ("", "Hi, ", "Hello, ", "Please, ", "Quick question: ", "Excuse me, ", "Hi there, ", "Tell me: "),
}
BARS: dict[tuple[str, int], Bar] = {
    ("FAQ in its own words", 1): at_most(150, "ms"),
    ("FAQ in its own words", 20): at_most(1_000, "ms"),
    ("FAQ in its own words", 200): at_most(1_500, "ms"),
}
KINDS = {"grounded": "from documents", "abstain": "abstained"}


def rows(work: Work) -> list[Row]:
    """Every kind at each number of conversations."""
    with Echo() as _:
        work.say("a bare echo")
        bare = {n: [told.ms for told in answers(n, each, QUESTIONS, url=URL)] for n, each in AT_ONCE.items()}
    found: list[Row] = []
    data = work.demo()
    one_core = opened(data, _SECONDS, one_core=True)["queries_per_s"]
    with Server(data) as server:
        work.say("the server reads beforehand")
        server.settle()
        answers(1, 10, QUESTIONS)
        for kind, asked in (("FAQ in its own words", QUESTIONS), ("FAQ in other words", REWORDED)):
            first = 0
            for n, each in AT_ONCE.items():
                work.say(f"{kind}, {n} at once")
                told = answers(n, each, asked, first)
                first += n * each
                found += _latency(kind, n, [one.ms for one in told], bare[n])
                if n == 50:
                    found.append(_throughput(kind, n, told, one_core))
        found += _others(work, bare)
    return found


def _others(work: Work, bare: dict[int, list[float]]) -> list[Row]:
    """Questions that no FAQ answers, told apart by the kind of the answer that they got."""
    asked, first, found = questions_beside_faqs(), 0, []
    for n, each in AT_ONCE.items():
        work.say(f"what no FAQ answers, {n} at once")
        told = answers(n, each, asked, first)
        first += n * each
        for kind, name in KINDS.items():
            found += _latency(name, n, _times(told, kind), bare[n])
    return sorted(found, key=lambda row: not row.what.startswith(KINDS["grounded"]))


def questions_beside_faqs() -> list[str]:
    """The demo's questions that its documents answer, or nothing does, each with several beginnings."""
    golden = read_golden_set(DEMO)
    faqs = {faq.id for faq in golden.faqs}
    texts = [question.text for question in golden.questions if not question.relevant & faqs and not question.history]
    return [_BEFORE["zh" if has_chinese(text) else "en"][n] + text for n in range(len(_BEFORE["zh"])) for text in texts]


def _times(told: Sequence[Told], kind: str) -> list[float]:
    return [one.ms for one in told if one.kind == kind]


def _latency(kind: str, at_once: int, times: Sequence[float], bare: Sequence[float]) -> list[Row]:
    if not times:
        return []
    what, beside = f"{kind}, {at_once} at once, ", "bare echo"
    return [
        Row(what + "p50", quantile(times, 0.5), "ms", quantile(bare, 0.5), beside),
        Row(what + "p95", quantile(times, 0.95), "ms", quantile(bare, 0.95), beside, BARS.get((kind, at_once))),
    ]


def _throughput(kind: str, at_once: int, told: Sequence[Told], one_core: float) -> Row:
    """told: as many answers of every conversation, one conversation after the other; the slowest one ends last."""
    each = len(told) // at_once
    taken = max(sum(one.ms for one in told[start : start + each]) for start in range(0, len(told), each)) / 1000
    what, beside = f"{kind}, {at_once} at once, rate", "queries that one core encodes"
    return Row(what, len(told) / taken, "answers/s", one_core, beside, at_least(0.7, RATIO))
