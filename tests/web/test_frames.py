"""The frame parser and the frames of the bot's events."""

import json
import tomllib
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import web.wording
from bot.types import Answer, Citation, Done, Message, Start, Token
from web.cleaning import clean
from web.frames import Ask, Code, Feedback, Ping, Resume, error, parse, past, to_frame

WHEN = datetime(2026, 1, 2, tzinfo=UTC)
CITATION = Citation(1, "faq", "f1", 3, "退货", ("售后",), "七天", 2, WHEN)
ANSWER = Answer("a1", "faq", "七天内", "zh", 0.9, citations=(CITATION,), options=("甲",))
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)
types = st.sampled_from(["resume", "message", "stop", "feedback", "contact", "typing", "ping", "session", ""])
names = st.sampled_from(["token", "last_seq", "text", "id", "message_id", "helpful", "reason", "comment", "contact"])


@given(st.binary(max_size=300))
def test_no_bytes_crash_the_parser(data: bytes) -> None:
    assert parse(data) is None or data.lstrip().startswith(b"{")


@given(st.text(max_size=300))
def test_no_text_crashes_the_parser(text: str) -> None:
    assert parse(text) is None or text.lstrip().startswith("{")


@given(types, st.dictionaries(names, json_values, max_size=6))
def test_no_json_object_crashes_the_parser(kind: str, fields: dict[str, object]) -> None:
    frame = parse(json.dumps({"type": kind, **fields}))
    assert frame is None or frame.type == kind


def test_deep_nesting_and_lone_surrogates_are_refused() -> None:
    assert parse('{"type":"message","text":' + "[" * 100_000) is None
    assert parse(r'{"type":"message","text":"\ud800"}') is None
    assert parse('{"type":"message","text":"\ud800"}') is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"type":"message","text":"你好","id":"c1"}', Ask(text="你好", id="c1")),
        ('{"type":"message","text":"hi","from":"a newer widget"}', Ask(text="hi")),
        ('{"type":"resume","token":"t","last_seq":7}', Resume(type="resume", token="t", last_seq=7)),
        (
            '{"type":"feedback","message_id":"m","helpful":false,"reason":"wrong"}',
            Feedback(message_id="m", helpful=False, reason="wrong"),
        ),
        ('{"type":"ping"}', Ping(type="ping")),
    ],
)
def test_frames_are_read(text: str, expected: object) -> None:
    assert parse(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        '"message"',
        '{"text":"no type"}',
        '{"type":"answer"}',
        '{"type":"message"}',
        '{"type":"message","text":7}',
        '{"type":"message","text":"x","id":""}',
        '{"type":"message","text":"x","id":"' + "i" * 65 + '"}',
        '{"type":"resume","token":"t","last_seq":-1}',
        '{"type":"feedback","message_id":"m","helpful":"yes"}',
        '{"type":"feedback","message_id":"m\\u0000","helpful":true}',
        '{"type":"feedback","message_id":"m","helpful":true,"reason":"boring"}',
        '{"type":"contact","contact":""}',
        '{"type":"contact","contact":"\\ud800"}',
        '{"type":"contact","contact":"a@b.example","text":"\\ud800"}',
        '{"type":"feedback","message_id":"m","helpful":true,"comment":"\\ud800"}',
    ],
)
def test_what_is_no_frame_is_refused(text: str) -> None:
    assert parse(text) is None


def test_events_become_frames() -> None:
    start = json.loads(to_frame(Start("a1", "zh"), "", "c1").encode())
    assert start == {"seq": None, "type": "start", "message_id": "a1", "reply_to": "c1", "language": "zh"}
    token = json.loads(to_frame(Token("七"), "a1", "c1").encode())
    assert (token["type"], token["message_id"], token["text"]) == ("token", "a1", "七")
    answer = json.loads(to_frame(Done(ANSWER), "a1", None).encode())
    assert (answer["type"], answer["message_id"], answer["reply_to"]) == ("answer", "a1", None)
    assert (answer["kind"], answer["text"], answer["confidence"]) == ("faq", "七天内", 0.9)
    assert answer["options"] == ["甲"] and answer["stopped"] is False
    assert answer["citations"] == [
        {
            "number": 1,
            "kind": "faq",
            "source_id": "f1",
            "title": "退货",
            "headings": ["售后"],
            "quote": "七天",
            "version": 2,
            "updated": "2026-01-02T00:00:00Z",
        }
    ]


def test_the_history_has_the_answer_fields_on_the_bots_messages_only() -> None:
    said = past(Message("c1", "customer", "?", WHEN)).model_dump(exclude_none=True)
    assert said == {"id": "c1", "role": "customer", "text": "?", "at": WHEN}
    answered = past(Message("a1", "bot", "七天内", WHEN, ANSWER)).model_dump(exclude_none=True)
    assert answered["kind"] == "faq" and answered["citations"][0]["quote"] == "七天"


def test_every_code_has_words_in_both_languages() -> None:
    for code in Code.__args__:
        frame = json.loads(error(code, limit=2_000).encode())
        assert frame["code"] == code and frame["text"]["zh"] and frame["text"]["en"]
        assert "{" not in frame["text"]["zh"] + frame["text"]["en"]
        assert "seq" not in frame and "retry_after" not in frame


def test_every_sentence_has_the_same_keys() -> None:
    sentences = tomllib.loads(Path(web.wording.__file__).with_name("wording.toml").read_text("utf-8"))
    assert {name: set(text) for name, text in sentences.items()} == dict.fromkeys(sentences, {"zh", "en"})


@given(st.text())
def test_cleaned_text_is_clean_and_stays_so(text: str) -> None:
    cleaned = clean(text)
    assert clean(cleaned) == cleaned
    cleaned.encode("utf-8")
    assert not any(ord(character) < 32 and character not in "\n\t" for character in cleaned)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\x00b\x07", "ab"),
        ("a\r\nb\tc", "a\nb\tc"),
        (" \u200b\u200d\ufeff\n", ""),
        ("\x1b\x00", ""),
        ("👨‍👩‍👧", "👨‍👩‍👧"),
        ("\u202egnp.exe", "gnp.exe"),
        ("你好", "你好"),
    ],
)
def test_cleaning(text: str, expected: str) -> None:
    assert clean(text) == expected
