"""The report's content and its page."""

import json
import re
from html.parser import HTMLParser

import pytest

from training.golden import Question
from training.metrics import Judged
from training.page import interval, page, path, value, wording
from training.report import Asked, false_answers, report

EVIL = '<script>alert("x")</script>&'


def asked(language: str = "zh", kind: str = "faq", confidence: float = 0.9, right: bool = True) -> Asked:
    question = Question("q", EVIL, language, frozenset({"a"}), (), True)  # type: ignore[arg-type]
    times = {"total": 12.0, "first_token": 8.0} | ({"generate": 5.0} if kind == "grounded" else {})
    return Asked("set", question, Judged(kind, EVIL, confidence, ("b", "a"), ("a" if right else "b",), (EVIL,), times))


ASKED = [
    asked(),
    asked(right=False),
    asked("en", "grounded", 0.7),
    asked("en", "abstain", 0.2),
    asked("en", right=False),
]


@pytest.fixture(scope="module")
def content():
    return {"release": EVIL, "encoder": "e", "made": "2026-01-02T03:04:05"} | report(ASKED)


def test_scores_stand_by_set_by_language_and_apart(content) -> None:
    assert content["sets"]["set"]["questions"] == content["all"]["questions"] == 5
    zh, en = (content["languages"][g]["scores"]["coverage"]["value"] for g in ("zh", "en"))
    assert (zh, en) == (1.0, pytest.approx(0.6667))
    assert content["gap"]["coverage"]["value"] == pytest.approx(0.3333)
    assert "exact_match" not in content["gap"]  # no question has references
    assert content["languages"]["en"]["latency_ms"]["generated_first_token"]["count"] == 1
    assert json.loads(json.dumps(content, allow_nan=False)) == content


def test_the_most_confident_wrong_answers_come_first() -> None:
    wrong = [asked(confidence=sure, right=False) for sure in (0.5, 0.8)]
    assert [one.answer.confidence for one in false_answers([*wrong, asked()], "zh")] == [0.8, 0.5]


def test_the_page_is_whole_escaped_and_needs_nothing_else(content) -> None:
    html = page(content, ASKED)
    assert "<script" not in html and "&lt;script&gt;" in html
    assert not re.search(r"""(?:src|href)=|url\(|@import""", html)
    for words in wording().values():
        assert all(
            {"zh", "en"} <= set(label) and all(label.values()) or label.get("unit") == "" for label in words.values()
        )
    opened: list[str] = []

    class Balance(HTMLParser):
        def handle_starttag(self, tag, attrs):
            if tag not in ("meta", "line", "path", "circle"):
                opened.append(tag)

        def handle_endtag(self, tag):
            if tag not in ("line", "path", "circle"):
                assert opened.pop() == tag

    Balance().feed(html)
    assert opened == []


def test_every_figure_and_step_has_words(content) -> None:
    assert set(content["all"]["scores"]) == set(wording()["figures"])
    assert {"total", "generated_total"} <= set(content["all"]["latency_ms"]) <= set(wording()["steps"])


def test_one_language_alone_makes_a_page() -> None:
    content = {"release": "", "encoder": "e", "made": "2026-01-02T03:04:05"} | report([asked()])
    assert "没有这种语言的问题" in page(content, [asked()])


def test_figures_are_written_for_people() -> None:
    share = {"value": 0.1234, "low": 0.1, "high": 0.2, "of": 9}
    assert (value(share, "%"), interval(share, "%")) == ("12.3%", "[10.0, 20.0]")
    assert value(share | {"value": -0.05}, "%", True) == "−5.0"
    assert value({"value": 0.0, "low": None, "high": None, "of": 0}) == value(None) == "–"
    assert interval(None) == path([]) == ""
