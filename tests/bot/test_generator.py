"""The generator in this process, with each of its engines: a tiny model of random weights."""

import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.generator import LocalGenerator
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


@pytest.fixture(scope="module", params=["transformers", "openvino"])
def models(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path | None:
    """Where graphs are kept; without a place for them transformers computes."""
    return tmp_path_factory.mktemp("models") if request.param == "openvino" else None


@pytest.fixture(scope="module")
def local(folder: Path, models: Path | None) -> Iterator[LocalGenerator]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bot.generator.MAX_NEW_TOKENS", 24)
        generator = LocalGenerator(str(folder), device="cpu", models=models)
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


def test_stop_also_ends_the_wait_in_the_queue(folder: Path, models: Path | None) -> None:
    generator = LocalGenerator(str(folder), device="cpu", models=models)
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


def test_a_failure_reaches_the_reader_and_the_next_answer_works(
    folder: Path, models: Path | None, tmp_path: Path
) -> None:
    picky = shutil.copytree(folder, tmp_path / "picky")
    (picky / "chat_template.jinja").write_text(
        "{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no system role here') }}"
        "{% endif %}{{ m.content }}{% endfor %}"
    )
    generator = LocalGenerator(str(picky), device="cpu", models=models)
    with pytest.raises(BotError, match="the generator failed: no system role here; see the log"):
        list(generator.generate([{"role": "system", "content": "be brief"}], _never))
    assert next(iter(generator.generate(ASK, _never)))
    generator.close()


def test_closed_generator_refuses_and_its_thread_has_ended(folder: Path, models: Path | None) -> None:
    def workers() -> set[threading.Thread]:
        return {thread for thread in threading.enumerate() if thread.name == "generator"}

    before = workers()
    generator = LocalGenerator(str(folder), device="cpu", models=models)
    assert len(workers() - before) == 1
    generator.close()
    assert workers() <= before
    with pytest.raises(BotError, match="closed"):
        list(generator.generate(ASK, _never))


@pytest.mark.models
def test_leaving_the_program_in_the_middle_of_an_answer_is_clean(folder: Path, models: Path | None) -> None:
    script = (
        "import sys; from pathlib import Path; from bot.generator import LocalGenerator\n"
        "g = LocalGenerator(sys.argv[1], None, 'cpu', *map(Path, sys.argv[2:]))\n"
        "pieces = g.generate([{'role': 'user', 'content': 'the item'}], lambda: False)\n"
        "next(pieces)\n"
    )
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", script, str(folder), *([str(models)] if models else [])]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr


def test_an_adapter_changes_the_answer(
    folder: Path, models: Path | None, local: LocalGenerator, tmp_path: Path
) -> None:
    from peft import LoraConfig, get_peft_model

    lora = LoraConfig(r=4, lora_alpha=64, target_modules=["q_proj", "o_proj"], init_lora_weights=False)
    with pytest.warns(FutureWarning, match="is_gradient_checkpointing"):  # peft's own use of transformers
        adapter = get_peft_model(_random_model(), lora)
    adapter.save_pretrained(tmp_path / "adapter")
    adapted = LocalGenerator(str(folder), Adapter(tmp_path / "adapter", digest(folder)), "cpu", models)
    assert adapted.name == f"{folder}+adapter"
    assert list(adapted.generate(ASK, _never)) != list(local.generate(ASK, _never))
    adapted.close()


def test_what_cannot_be_loaded_names_the_remedy(folder: Path, models: Path | None, tmp_path: Path) -> None:
    with pytest.raises(BotError, match="cannot load the generator .*set KEFU_GENERATOR to"):
        LocalGenerator(str(tmp_path / "none"), device="cpu", models=models)
    with pytest.raises(BotError, match="adapter .* is missing or incomplete; roll back"):
        LocalGenerator(str(folder), Adapter(tmp_path / "none"), "cpu", models)


@pytest.mark.models
def test_embedded_generator_streams_whole_characters_and_stops(models: Path | None, tmp_path: Path) -> None:
    from bot.embedded_generator import embedded_generator

    generator = LocalGenerator(str(embedded_generator(tmp_path)), device="cpu", models=models)
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
