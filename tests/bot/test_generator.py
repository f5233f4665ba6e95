"""Generators: a tiny model of random weights in this process, and a small real HTTP server as the remote one."""

import json
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from bot.generator import LocalGenerator, RemoteGenerator
from bot.types import BotError, TextGenerator
from knowledge_base.adapter import Adapter
from knowledge_base.model_folder import digest

WORDS = ["退", "货", "七", "天", "refund", "days", "the", "item"]
ASK = [{"role": "user", "content": "退 货 the item"}]


def _never() -> bool:
    return False


def _random_model() -> Any:
    """It always prefers some word to the marks <unk>, <eos> and <pad>, so it writes until it is stopped."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(3)
    size = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2}
    model = LlamaForCausalLM(LlamaConfig(vocab_size=len(WORDS) + 3, eos_token_id=1, **size))
    with torch.no_grad():
        model.lm_head.weight[:3] = 0
        model.lm_head.weight[7:] = -model.lm_head.weight[3:7]
    return model


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole transformers folder of random weights; its tokenizer has no chat template."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    path = tmp_path_factory.mktemp("generator")
    _random_model().save_pretrained(path)
    vocabulary = {word: i for i, word in enumerate(["<unk>", "<eos>", "<pad>", *WORDS])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, unk_token="<unk>", eos_token="<eos>", pad_token="<pad>"
    ).save_pretrained(path)
    return path


@pytest.fixture(scope="module")
def local(folder: Path) -> Iterator[LocalGenerator]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bot.generator.MAX_NEW_TOKENS", 24)
        generator = LocalGenerator(str(folder), device="cpu")
    yield generator
    generator.close()


def test_streams_what_the_model_would_say_at_once(local: LocalGenerator) -> None:
    typed: TextGenerator = local
    pieces = list(typed.generate(ASK, _never))
    assert len(pieces) == 24
    assert set("".join(pieces).split()) <= set(WORDS)
    assert list(typed.generate(ASK, _never)) == pieces  # greedy


def test_stop_ends_within_a_token(local: LocalGenerator) -> None:
    pieces: list[str] = []
    for piece in local.generate(ASK, lambda: len(pieces) >= 3):
        pieces.append(piece)
    assert len(pieces) == 3


def test_a_reader_that_leaves_frees_the_worker(local: LocalGenerator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.stream._POLL", 0.001)
    whole = list(local.generate(ASK, _never))
    for _ in range(3):
        reader = local.generate(ASK, _never)
        next(reader)
        reader.close()  # type: ignore[attr-defined]
    assert list(local.generate(ASK, _never)) == whole


def test_many_at_once_each_get_their_own_answer(local: LocalGenerator) -> None:
    questions = [[{"role": "user", "content": word}] for word in WORDS[:4]]
    expected = ["".join(local.generate(question, _never)) for question in questions]
    assert len(set(expected)) > 1
    answers = [""] * 4

    def ask(i: int) -> None:
        answers[i] = "".join(local.generate(questions[i], _never))

    threads = [threading.Thread(target=ask, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert answers == expected


def test_stop_also_ends_the_wait_in_the_queue(folder: Path) -> None:
    generator = LocalGenerator(str(folder), device="cpu")
    hold = threading.Event()
    generator._jobs._waiting.put(_Blocking(hold))  # type: ignore[arg-type]
    stopped = threading.Event()
    threading.Timer(0.1, stopped.set).start()
    assert list(generator.generate(ASK, stopped.is_set)) == []
    hold.set()
    generator.close()


class _Blocking:
    """A job whose stream, when asked, waits: it holds the worker as a long answer would."""

    def __init__(self, hold: threading.Event) -> None:
        self.hold = hold

    @property
    def stream(self) -> "_Blocking":
        self.hold.wait(30)
        return self

    cancelled = True

    def end(self, error: Exception | None = None) -> None:
        assert error is None


def test_a_failure_reaches_the_reader_and_the_next_answer_works(folder: Path, tmp_path: Path) -> None:
    picky = shutil.copytree(folder, tmp_path / "picky")
    (picky / "chat_template.jinja").write_text(
        "{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no system role here') }}"
        "{% endif %}{{ m.content }}{% endfor %}"
    )
    generator = LocalGenerator(str(picky), device="cpu")
    with pytest.raises(BotError, match="the generator failed: no system role here; see the log"):
        list(generator.generate([{"role": "system", "content": "be brief"}], _never))
    assert next(iter(generator.generate(ASK, _never)))
    generator.close()


def test_closed_generator_refuses_and_its_thread_has_ended(folder: Path) -> None:
    before = threading.active_count()
    generator = LocalGenerator(str(folder), device="cpu")
    assert threading.active_count() == before + 1
    generator.close()
    assert threading.active_count() == before
    with pytest.raises(BotError, match="closed"):
        list(generator.generate(ASK, _never))


@pytest.mark.models
def test_leaving_the_program_in_the_middle_of_an_answer_is_clean(folder: Path) -> None:
    script = (
        "import sys; from bot.generator import LocalGenerator\n"
        "g = LocalGenerator(sys.argv[1], device='cpu')\n"
        "pieces = g.generate([{'role': 'user', 'content': 'the item'}], lambda: False)\n"
        "next(pieces)\n"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", script, str(folder)], cwd=root, capture_output=True, text=True, timeout=200
    )
    assert done.returncode == 0, done.stderr


def test_an_adapter_changes_the_answer(folder: Path, local: LocalGenerator, tmp_path: Path) -> None:
    from peft import LoraConfig, get_peft_model

    lora = LoraConfig(r=4, lora_alpha=64, target_modules=["q_proj", "o_proj"], init_lora_weights=False)
    with pytest.warns(FutureWarning, match="is_gradient_checkpointing"):  # peft's own use of transformers
        adapter = get_peft_model(_random_model(), lora)
    adapter.save_pretrained(tmp_path / "adapter")
    adapted = LocalGenerator(str(folder), Adapter(tmp_path / "adapter", digest(folder)), "cpu")
    assert adapted.name == f"{folder}+adapter"
    assert list(adapted.generate(ASK, _never)) != list(local.generate(ASK, _never))
    adapted.close()


def test_what_cannot_be_loaded_names_the_remedy(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(BotError, match="cannot load the generator .*set KEFU_GENERATOR to"):
        LocalGenerator(str(tmp_path / "none"), device="cpu")
    with pytest.raises(BotError, match="adapter .* is missing or incomplete; roll back"):
        LocalGenerator(str(folder), Adapter(tmp_path / "none"), "cpu")


@dataclass
class Server:
    """What the remote server answers, and what it was asked."""

    url: str = ""
    status: int = 200
    lines: list[str] = field(default_factory=list)
    pause: float = 0.0
    requests: list[tuple[str, dict[str, Any], str | None]] = field(default_factory=list)
    broken_pipe: threading.Event = field(default_factory=threading.Event)

    def say(self, *pieces: str) -> None:
        deltas = [{"role": "assistant"}, *({"content": piece} for piece in pieces)]
        self.lines = [": comment", *(f"data: {json.dumps({'choices': [{'delta': d}]})}" for d in deltas)]
        self.lines += ['data: {"choices": [], "usage": {}}', "data: [DONE]"]


@pytest.fixture
def server() -> Iterator[Server]:
    """A real server on a free port."""
    state = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            state.requests.append((self.path, body, self.headers["Authorization"]))
            self.send_response(state.status)
            self.end_headers()
            try:
                for line in state.lines:
                    self.wfile.write(f"{line}\n\n".encode())
                    time.sleep(state.pause)
            except OSError:
                state.broken_pipe.set()

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.url = f"http://127.0.0.1:{http.server_port}/v1"
    thread = threading.Thread(target=http.serve_forever, args=(0.01,))
    thread.start()
    yield state
    http.shutdown()
    thread.join()
    http.server_close()


@pytest.fixture
def remote(server: Server) -> Iterator[RemoteGenerator]:
    generator = RemoteGenerator(server.url, "qwen", "secret")
    yield generator
    generator.close()


def test_remote_streams_and_asks_rightly(server: Server, remote: RemoteGenerator) -> None:
    server.say("七天", "内可以", "退货。")
    typed: TextGenerator = remote
    assert list(typed.generate(ASK, _never)) == ["七天", "内可以", "退货。"]
    path, body, key = server.requests[0]
    assert (path, key) == ("/v1/chat/completions", "Bearer secret")
    assert (body["model"], body["messages"], body["stream"]) == ("qwen", ASK, True)


@pytest.mark.parametrize("ending", ["/", "/chat/completions"])
def test_address_may_end_either_way(server: Server, ending: str) -> None:
    server.say("ok")
    generator = RemoteGenerator(server.url + ending, "m")
    assert list(generator.generate(ASK, _never)) == ["ok"]
    path, _, key = server.requests[0]
    assert (path, key) == ("/v1/chat/completions", None)
    generator.close()


@pytest.mark.parametrize("url", ["", "localhost:9000/v1", "ftp://host/v1"])
def test_bad_address_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="is not an address like https://host/v1"):
        RemoteGenerator(url, "m")


def test_remote_half_characters_are_joined(server: Server, remote: RemoteGenerator) -> None:
    server.say("好\ud83d", "\ude00的\ufffd", "!")
    assert list(remote.generate(ASK, _never)) == ["好", "😀的", "!"]


@pytest.mark.parametrize(
    ("status", "lines", "says"),
    [
        (401, ["no"], "answered 401: no.*check KEFU_GENERATOR_KEY"),
        (404, ["no such model"], "answered 404: no such model.*check KEFU_GENERATOR_URL and KEFU_GENERATOR_MODEL"),
        (200, ["data: not json"], "is not a chat completion.*check KEFU_GENERATOR_URL"),
        (200, ['data: {"answer": 1}'], "is not a chat completion"),
        (200, ['data: {"error": {"message": "overloaded"}}'], "reports .*overloaded"),
        (200, ["<html>"], "broke off in the middle"),
        (200, ['data: {"choices": [{"delta": {"content": "half"}}]}'], "broke off in the middle"),
    ],
)
def test_remote_failures_name_the_remedy(
    server: Server, remote: RemoteGenerator, status: int, lines: list[str], says: str
) -> None:
    server.status, server.lines = status, lines
    with pytest.raises(BotError, match=f"(?s){says}"):
        list(remote.generate(ASK, _never))


def test_remote_end_is_also_told_by_the_finish_reason(server: Server, remote: RemoteGenerator) -> None:
    choice = {"delta": {"content": "done"}, "finish_reason": "stop"}
    server.lines = [f"data: {json.dumps({'choices': [choice]})}"]
    assert list(remote.generate(ASK, _never)) == ["done"]


def test_remote_that_is_not_there(server: Server) -> None:
    generator = RemoteGenerator("http://127.0.0.1:9/v1", "m")
    with pytest.raises(BotError, match="cannot be reached .*check KEFU_GENERATOR_URL and that it runs"):
        list(generator.generate(ASK, _never))
    generator.close()


def test_remote_that_falls_silent(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.generator.SILENCE_SECONDS", 0.2)
    server.say("one", "two")
    server.pause = 1.0
    generator = RemoteGenerator(server.url, "m")
    with pytest.raises(BotError, match="did not answer in time"):
        list(generator.generate(ASK, _never))
    generator.close()


def test_remote_stop_is_prompt_and_hangs_up(server: Server, remote: RemoteGenerator) -> None:
    server.say(*["字"] * 400)
    server.pause = 0.02
    pieces: list[str] = []
    began = time.monotonic()
    for piece in remote.generate(ASK, lambda: len(pieces) >= 2):
        pieces.append(piece)
    assert pieces == ["字", "字"]
    assert time.monotonic() - began < 5
    assert server.broken_pipe.wait(10)


@pytest.mark.models
def test_embedded_generator_streams_whole_characters_and_stops(tmp_path: Path) -> None:
    from bot.embedded_generator import embedded_generator

    generator = LocalGenerator(str(embedded_generator(tmp_path)), device="cpu")
    question = [{"role": "user", "content": "请用中文写一句话，介绍北京的天气和美食😀。"}]
    pieces: list[str] = []
    for piece in generator.generate(question, lambda: len(pieces) >= 40):
        pieces.append(piece)
    text = "".join(pieces)
    assert len(pieces) == 40
    assert any("\u4e00" <= char <= "\u9fff" for char in text)
    assert "\ufffd" not in text
    assert "<" not in text
    reader = generator.generate(question, _never)
    next(reader)
    reader.close()  # type: ignore[attr-defined]
    assert next(generator.generate(question, _never)) == pieces[0]
    generator.close()
