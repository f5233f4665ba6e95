"""The graph that writes many answers at once: transformers' scores, whatever stands beside an answer."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bot.engine import Job
from bot.generator_graph import generator_folder, is_convertible
from bot.paged_engine import PagedEngine, _Answer, _Graph
from bot.stream import Decoded, Stream

SIZE = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
WORDS = 60
WINDOW = 16


def _model(family: str) -> Any:
    import torch
    from transformers import AutoModelForCausalLM, Gemma3TextConfig, LlamaConfig

    torch.manual_seed(1)
    if family == "llama":
        return AutoModelForCausalLM.from_config(LlamaConfig(vocab_size=WORDS, num_key_value_heads=1, **SIZE))
    types = ["sliding_attention", "full_attention"]
    own = {"head_dim": 16, "num_key_value_heads": 1, "sliding_window": WINDOW, "layer_types": types}
    return AutoModelForCausalLM.from_config(Gemma3TextConfig(vocab_size=WORDS, **own, **SIZE))


@pytest.fixture(scope="module", params=["llama", "gemma"])
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path]:
    """A model, and the folder of its graph."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    path = tmp_path_factory.mktemp("generator")
    model = _model(request.param)
    model.save_pretrained(path)
    tokenizer = Tokenizer(models.WordLevel({f"w{i}": i for i in range(WORDS)}, unk_token="w0"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="w1", pad_token="w2").save_pretrained(path)
    folder = generator_folder(tmp_path_factory.mktemp("models"), str(path))
    assert folder is not None
    return model.eval(), folder


def _answer(ids: list[int], blocks: list[int]) -> _Answer:
    return _Answer(Job([], Stream()), ids, 999, Decoded(str), np.unique(ids), blocks)


def test_scores_are_those_of_transformers_however_a_prompt_is_read(made: tuple[Any, Path]) -> None:
    import torch

    model, folder = made
    graph = _Graph(folder / "graph.xml", json.loads((folder / "writer.json").read_text())["windows"])
    dice = np.random.default_rng(0)
    prompts = [dice.integers(3, WORDS, length).tolist() for length in (80, 41, 3)]
    blocks = [[7, 1, 4], [2, 9], [3]]
    answers = [_answer(ids, own) for ids, own in zip(prompts, blocks, strict=True)]
    graph.run([(answers[0], 50), (answers[2], 2)])
    answers[0].done, answers[2].done = 50, 2
    scores = graph.run([(answers[2], 1), (answers[0], 30), (answers[1], 41)])
    for row, number in zip(scores, (2, 0, 1), strict=True):
        with torch.inference_mode():
            expected = model(torch.tensor([prompts[number]])).logits[0, -1].float().numpy()
        assert np.corrcoef(row, expected)[0, 1] > 0.995
        np.testing.assert_allclose(row, expected, atol=0.1 * np.abs(expected).max())


def test_a_shared_beginning_is_read_once_and_changes_nothing(made: tuple[Any, Path]) -> None:
    question = [{"role": "user", "content": " ".join(f"w{3 + i % 50}" for i in range(100))}]
    other = [{"role": "user", "content": question[0]["content"] + " w7"}]

    def written(*asked: Any) -> tuple[list[str], list[int]]:
        engine = PagedEngine(made[1], 8)
        streams = [Stream() for _ in asked]
        for messages, stream in zip(asked, streams, strict=True):
            engine.begin(Job(messages, stream))
        steps: list[list[int]] = []
        run = engine._graph.run

        def watched(plan: list[tuple[_Answer, int]]) -> Any:
            steps.append([new for _, new in plan])
            return run(plan)

        engine._graph.run = watched  # type: ignore[method-assign]
        while engine.writing:
            for job in engine.step(lambda _: False):
                job.stream.end()
        return ["".join(stream.read(lambda: False)) for stream in streams], steps[0]

    together, read = written(question, other, question)
    assert together == [*written(question)[0], *written(other)[0], *written(question)[0]]
    assert all(new < 32 for new in read[1:])  # tokens; the first of them reads what is common to all


def test_it_says_what_is_too_long_for_it(made: tuple[Any, Path]) -> None:
    engine = PagedEngine(made[1], 8)
    with pytest.raises(ValueError, match="the prompt has .* tokens, more than"):
        engine.begin(Job([{"role": "user", "content": "w5 " * 40000}], Stream()))
    assert engine.writing == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("model_type", "mamba"),
        ("quantization_config", {"bits": 4}),
        ("rope_parameters", {"rope_type": "yarn"}),
        ("rope_parameters", {"full_attention": {"rope_type": "dynamic"}}),
        ("attn_logit_softcapping", 50.0),
    ],
)
def test_other_models_are_left_to_transformers(tmp_path: Path, name: str, value: object) -> None:
    (tmp_path / "model.safetensors").write_text("weights")
    config: dict[str, object] = {"model_type": "llama"}
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert is_convertible(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps(config | {name: value}))
    assert not is_convertible(tmp_path)
    assert generator_folder(tmp_path / "models", str(tmp_path)) is None
