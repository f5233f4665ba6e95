"""Writes text with any server that speaks OpenAI's /chat/completions, and is not held up by one that fails.

A server that cannot be reached or is overloaded is asked again, while nothing has been written and there is time; one
that keeps failing is left alone for a while. Knows nothing of what the text is for.
"""

import json
import logging
import random
import threading
import time
from collections.abc import Iterator, Sequence

import httpx

from bot.breaker import Breaker
from bot.stream import Stream, WholeCharacters
from bot.types import BotError, Stop

MAX_NEW_TOKENS = 256
_CONNECT_SECONDS = 5.0
_LONGEST_SECONDS = 120.0  # of a whole answer
_MOST = 10_000  # characters of an answer; one that goes on is broken
_BUSY = (408, 425, 429, 500, 502, 503, 504)  # worth asking again
_TRIES = 3
_PAUSE = 0.3  # seconds before the second try, and twice as many before the third
_log = logging.getLogger(__name__)

Messages = Sequence[dict[str, str]]


class _Passing(Exception):
    """What may not happen again, and the seconds that the server asked to wait."""

    def __init__(self, problem: BotError, wait: float = 0.0) -> None:
        super().__init__(str(problem))
        self.problem = problem
        self.wait = wait


class RemoteGenerator:
    """A `TextGenerator` on any server that speaks OpenAI's /chat/completions, streamed."""

    def __init__(self, url: str, model: str, key: str = "", seconds: float = 20.0, breaker: Breaker | None = None):
        """url: the API's base, usually ending in /v1; seconds: longest wait for the first words, and for the next.

        Raises ValueError when it is not an http(s) address.
        """
        address = httpx.URL(url.rstrip("/").removesuffix("/chat/completions") + "/chat/completions")
        if address.scheme not in ("http", "https") or not address.host:
            raise ValueError(f"KEFU_GENERATOR_URL {url!r} is not an address like https://host/v1")
        self.name = model
        self._address = address
        self._seconds = seconds
        self._breaker = breaker or Breaker()
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        timeout = httpx.Timeout(seconds, connect=min(seconds, _CONNECT_SECONDS))
        self._client = httpx.Client(headers=headers, timeout=timeout)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def generate(self, messages: Messages, stop: Stop) -> Iterator[str]:
        """Yield pieces of the answer as whole characters; ends soon after stop() or being closed.

        Raises BotError, naming the remedy, when the server cannot be reached, refuses, breaks off or keeps failing.
        """
        wait = self._breaker.wait()
        if wait:
            raise BotError(f"the generator at {self._address} keeps failing; it is asked again in {wait:.0f} s")
        stream = Stream()
        threading.Thread(
            target=self._receive, args=(list(messages), stream), name="remote generator", daemon=True
        ).start()
        yield from stream.read(stop)

    def _receive(self, messages: list[dict[str, str]], stream: Stream) -> None:
        """Write the answer into the stream, asking again where that may help, and tell the breaker."""
        began = time.monotonic()
        try:
            for number in range(1, _TRIES + 1):
                try:
                    self._ask(messages, stream, began)
                    break
                except _Passing as passing:
                    pause = max(passing.wait, _PAUSE * number * random.uniform(0.5, 1.5))
                    late = time.monotonic() + pause - began > self._seconds
                    if number == _TRIES or late or stream.cancelled:
                        raise passing.problem from passing
                    time.sleep(pause)
        except BotError as error:
            self._failed(error, stream)
        except Exception as error:  # any: the reader waits for the end
            self._failed(self._broken(f"sent something that is not a chat completion ({error!r})"), stream)
        else:
            self._breaker.succeeded()
            stream.end()

    def _failed(self, error: BotError, stream: Stream) -> None:
        if self._breaker.failed():
            _log.error("The generator at %s keeps failing; answers are quoted meanwhile.", self._address)
        stream.end(error)

    def _ask(self, messages: list[dict[str, str]], stream: Stream, began: float) -> None:
        """One try. Raises _Passing for what may not happen again, while nothing has been written, else BotError."""
        body = {
            "model": self.name,
            "messages": messages,
            "stream": True,
            "temperature": 0,
            "max_tokens": MAX_NEW_TOKENS,
        }
        written = 0
        try:
            with self._client.stream("POST", self._address, json=body) as response:
                if response.is_error:
                    response.read()
                    raise self._refused(response)
                for text in self._texts(response.iter_lines(), stream):
                    stream.put(text)
                    written += len(text)
                    self._check(written, began)
        except httpx.TimeoutException as error:
            raise self._broken("did not answer in time") from error
        except httpx.HTTPError as error:
            problem = self._broken(f"cannot be reached ({error})")
            if written:
                raise problem from error
            raise _Passing(problem) from error

    def _check(self, written: int, began: float) -> None:
        """That an answer comes in time and comes to an end."""
        spent = time.monotonic() - began
        if spent > (_LONGEST_SECONDS if written else self._seconds):
            raise self._broken("did not answer in time")
        if written > _MOST:
            raise self._broken(f"does not end: it has written {written} characters")

    def _texts(self, lines: Iterator[str], stream: Stream) -> Iterator[str]:
        """The text of each server-sent event, empty for one without, until the server says that it is done."""
        text = WholeCharacters()
        finished = False
        for line in lines:
            if stream.cancelled:
                return
            data = line.removeprefix("data:").strip() if line.startswith("data:") else ""
            if data == "[DONE]":
                return
            event = json.loads(data) if data else {"choices": []}
            if "error" in event:
                raise self._broken(f"reports {event['error']!r}")
            choice = event["choices"][0] if event["choices"] else {}
            yield text.add((choice.get("delta") or {}).get("content") or "")
            finished = finished or bool(choice.get("finish_reason"))
        if not finished:
            raise self._broken("broke off in the middle of an answer")

    def _refused(self, response: httpx.Response) -> BotError | _Passing:
        status = response.status_code
        remedy = {401: "check KEFU_GENERATOR_KEY", 403: "check KEFU_GENERATOR_KEY"}.get(
            status, "check KEFU_GENERATOR_URL and KEFU_GENERATOR_MODEL, and the server's log"
        )
        problem = BotError(f"the generator at {self._address} answered {status}: {response.text[:200]}; {remedy}")
        asked = response.headers.get("retry-after", "")
        return _Passing(problem, float(asked) if asked.isdecimal() else 0.0) if status in _BUSY else problem

    def _broken(self, what: str) -> BotError:
        return BotError(f"the generator at {self._address} {what}; check KEFU_GENERATOR_URL and that it runs")
