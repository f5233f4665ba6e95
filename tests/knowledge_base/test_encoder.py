"""The encoder: prefixes, order, memory of queries, turns between threads, adapters, refusals."""

import threading
from pathlib import Path

import numpy as np
import pytest

from knowledge_base.adapter import Adapter
from knowledge_base.embedded_encoder import embedded_encoder
from knowledge_base.encoder import SentenceTransformerEncoder, _Turns, prefixes
from knowledge_base.model_folder import digest
from knowledge_base.reader import load
from knowledge_base.types import Encoder, KnowledgeBaseError
from tests.tiny_encoder import LETTERS, SHAPE, tiny_encoder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_encoder(tmp_path_factory.mktemp("encoder"))


@pytest.fixture(scope="module", params=["torch", "graph"])
def encoder(
    request: pytest.FixtureRequest, folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> SentenceTransformerEncoder:
    graphs = tmp_path_factory.mktemp("models") if request.param == "graph" else None
    return SentenceTransformerEncoder(str(folder), "cpu", graphs=graphs)


def test_queries_and_passages_get_the_models_prefixes(encoder: SentenceTransformerEncoder, folder: Path) -> None:
    query, passage = encoder.encode_queries(["退货"])[0], encoder.encode_passages(["退货"])[0]
    bare = load(str(folder), "cpu").encode(["query: 退货", "passage: 退货"], prompt="", normalize_embeddings=True)
    np.testing.assert_allclose(passage, bare[1], atol=0.01)  # it may be computed in half the precision
    np.testing.assert_allclose(query, bare[0], atol=0.01)
    assert abs(query - passage).max() > 0.01


def test_vectors_are_normalised_float32_in_the_order_given(encoder: SentenceTransformerEncoder) -> None:
    typed: Encoder = encoder
    texts = ["a" * (i * 7 % 40) + "退货"[i % 2] for i in range(40)]
    vectors = typed.encode_passages(texts)
    assert (vectors.dtype, vectors.shape) == (np.float32, (40, typed.dimension))
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    one_by_one = np.concatenate([typed.encode_passages([text]) for text in texts])
    np.testing.assert_allclose(vectors, one_by_one, atol=0.01)


def test_progress_is_told_after_each_batch(encoder: SentenceTransformerEncoder) -> None:
    seen: list[tuple[int, int]] = []
    encoder.encode_passages(["a"] * 40, lambda done, total: seen.append((done, total)))
    assert seen == [(16, 40), (32, 40), (40, 40)]


def test_nothing_in_nothing_out(encoder: SentenceTransformerEncoder) -> None:
    assert encoder.encode_queries([]).shape == (0, 32)
    assert encoder.encode_passages([]).shape == (0, 32)
    assert encoder.count_tokens([]) == []


def test_blank_broken_and_long_texts_have_vectors(encoder: SentenceTransformerEncoder) -> None:
    vectors = encoder.encode_queries(["", "\ud83d", "\x00\x07", "a" * 5000])
    assert np.isfinite(vectors).all()
    assert encoder.encode_passages(["\ud83d", ""]).shape == (2, 32)


def test_repeated_queries_come_from_memory(folder: Path) -> None:
    encoder = SentenceTransformerEncoder(str(folder), "cpu")
    first = encoder.encode_queries(["退货", "a", "退货"])
    asked: list[list[str]] = []
    encode = encoder._read

    def counting(texts: list[str], prefix: str) -> np.ndarray:
        asked.append(texts)
        return encode(texts, prefix)

    encoder._read = counting  # type: ignore[method-assign]
    again = encoder.encode_queries(["a", "b", "退货"])
    assert asked == [["b"]]
    np.testing.assert_array_equal(again[[2, 0]], first[:2])


def test_memory_of_queries_is_bounded(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("knowledge_base.encoder._REMEMBERED", 3)
    encoder = SentenceTransformerEncoder(str(folder), "cpu")
    encoder.encode_queries(["a", "b", "c"])
    encoder.encode_queries(["a", "d"])
    assert list(encoder._recent._made) == ["c", "a", "d"]


def test_tokens_are_counted_without_prefix_marks_or_limit(encoder: SentenceTransformerEncoder) -> None:
    assert encoder.max_tokens == 64
    assert encoder.count_tokens(["退货", "ab c", "", "a" * 500]) == [3, 5, 0, 501]
    assert len(encoder.encode_passages(["a" * 500])) == 1


def test_fingerprint_tells_models_apart(folder: Path, tmp_path: Path) -> None:
    import shutil

    encoder = SentenceTransformerEncoder(str(folder), "cpu")
    again = SentenceTransformerEncoder(str(folder), "cpu")
    assert (again.fingerprint, again.files_sha256) == (encoder.fingerprint, encoder.files_sha256)
    other = shutil.copytree(folder, tmp_path / "other")
    (other / "config_sentence_transformers.json").write_text('{"prompts": {"query": "q: ", "passage": "p: "}}')
    assert SentenceTransformerEncoder(str(other), "cpu").fingerprint != encoder.fingerprint


def test_an_adapter_changes_vectors_and_fingerprint(folder: Path, tmp_path: Path) -> None:
    from peft import LoraConfig, get_peft_model

    plain = SentenceTransformerEncoder(str(folder), "cpu")
    base = load(str(folder), "cpu")[0].auto_model
    lora = LoraConfig(r=2, target_modules=["query", "value"], init_lora_weights=False)
    with pytest.warns(FutureWarning, match="is_gradient_checkpointing"):  # peft's own use of transformers
        adapter = get_peft_model(base, lora)
    adapter.save_pretrained(tmp_path / "adapter")
    adapted = SentenceTransformerEncoder(str(folder), "cpu", Adapter(tmp_path / "adapter", digest(folder)))
    assert adapted.fingerprint != plain.fingerprint and adapted.files_sha256 != plain.files_sha256
    with pytest.raises(KnowledgeBaseError, match="was trained for another model than"):
        SentenceTransformerEncoder(str(folder), "cpu", Adapter(tmp_path / "adapter", "0" * 64))
    assert abs(adapted.encode_queries(["退货"]) - plain.encode_queries(["退货"])).max() > 1e-3


def test_a_model_that_cannot_be_loaded_names_the_remedy(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(KnowledgeBaseError, match="cannot load the encoder .*set KEFU_ENCODER to"):
        SentenceTransformerEncoder(str(tmp_path / "none"), "cpu")
    with pytest.raises(KnowledgeBaseError, match="adapter .* is missing or incomplete; roll back"):
        SentenceTransformerEncoder(str(folder), "cpu", Adapter(tmp_path / "none"))


@pytest.mark.parametrize(
    ("name", "prompts", "expected"),
    [
        ("x/e5-y", {"query": "q ", "passage": "p "}, ("q ", "p ")),
        ("BAAI/some", {"query": "find: ", "document": ""}, ("find: ", "")),
        ("x", {"query": "q ", "document": "d "}, ("q ", "d ")),
        ("intfloat/multilingual-e5-small", {"query": "", "document": ""}, ("query: ", "passage: ")),
        ("/models/e5-base", {}, ("query: ", "passage: ")),
        ("intfloat/multilingual-e5-large-instruct", {}, ("", "")),
        ("BAAI/bge-m3", {}, ("", "")),
        ("me/type5-base", {}, ("", "")),
    ],
)
def test_prefixes(name: str, prompts: dict[str, str], expected: tuple[str, str]) -> None:
    assert prefixes(name, prompts) == expected


def test_the_urgent_go_before_the_patient() -> None:
    turns, order, started = _Turns(), [], threading.Semaphore(0)

    def wait(name: str) -> None:
        started.release()
        with turns.urgent() if name == "query" else turns.patient():
            order.append(name)

    with turns.patient():
        threads = [threading.Thread(target=wait, args=(name,)) for name in ["passages", "passages", "query"]]
        for thread in threads:
            thread.start()
            started.acquire()
        while turns._urgent != 1:
            threading.Event().wait(0.001)
    for thread in threads:
        thread.join(10)
    assert order == ["query", "passages", "passages"]


def test_many_threads_at_once_get_their_own_vectors(encoder: SentenceTransformerEncoder) -> None:
    texts = [letter * 3 for letter in LETTERS[:8]]
    expected = encoder.encode_passages(texts)
    wrong: list[str] = []

    def ask(i: int) -> None:
        encoder.count_tokens([texts[i]])
        encoder.encode_queries([texts[i] + "x"])
        if abs(encoder.encode_passages([texts[i]])[0] - expected[i]).max() > 0.01:
            wrong.append(texts[i])

    threads = [threading.Thread(target=ask, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert wrong == []


@pytest.mark.models
def test_finds_in_both_languages_with_real_weights(tmp_path: Path) -> None:
    encoder = SentenceTransformerEncoder(str(embedded_encoder(tmp_path)), "cpu")
    passages = ["商品签收后七天内可以无理由退货。", "The warranty covers two years.", "发票在订单页下载。"]
    vectors = encoder.encode_passages(passages)
    queries = encoder.encode_queries(["怎么退货？", "How long is the warranty?", "哪里下载发票？"])
    assert (queries @ vectors.T).argmax(axis=1).tolist() == [0, 1, 2]
    assert encoder.dimension == 384
    assert encoder.max_tokens == 512


def test_queries_that_wait_are_encoded_together_and_each_gets_its_own(folder: Path) -> None:
    encoder, alone = SentenceTransformerEncoder(str(folder), "cpu"), SentenceTransformerEncoder(str(folder), "cpu")
    texts = [f"a{letter}" for letter in "bcdefghi"]
    batches: list[int] = []
    encode = encoder._read
    encoder._read = lambda found, prefix: batches.append(len(found)) or encode(found, prefix)  # type: ignore[func-returns-value]
    got: dict[str, np.ndarray] = {}
    with encoder._turns.urgent():  # nobody else gets a turn until all of them wait
        threads = [threading.Thread(target=lambda t=t: got.update({t: encoder.encode_queries([t])[0]})) for t in texts]
        for thread in threads:
            thread.start()
        while len(encoder._waiting) < len(texts):
            pass
    for thread in threads:
        thread.join()
    assert batches == [len(texts)]
    for text in texts:
        np.testing.assert_allclose(got[text], alone.encode_queries([text])[0], atol=0.01)


def test_a_failing_encode_fails_one_caller_and_the_next_goes_on(folder: Path) -> None:
    encoder = SentenceTransformerEncoder(str(folder), "cpu")
    encode = encoder._read

    def once(texts: list[str], prefix: str) -> np.ndarray:
        encoder._read = encode
        raise RuntimeError("out of memory")

    encoder._read = once
    with pytest.raises(RuntimeError):
        encoder.encode_queries(["abc"])
    assert encoder.encode_queries(["abc"]).shape == (1, SHAPE.hidden)
    assert encoder._waiting == []


def test_tokens_come_one_by_one_without_prefix_and_marks(encoder: SentenceTransformerEncoder) -> None:
    texts = ["ab", "退货 cd", "", "a" * 500]
    for query in (True, False):
        found = encoder.encode_tokens(texts, query=query)
        counts = encoder.count_tokens(texts)
        assert [len(rows) for rows in found[:2]] == counts[:2]
        assert len(found[2]) <= 1  # what is left of the prefix
        assert len(found[3]) < encoder.max_tokens
        for rows in found[:2]:
            np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1.0, atol=1e-5)
    np.testing.assert_allclose(encoder.encode_tokens(["ab"])[0], encoder.encode_tokens(texts)[0], atol=0.01)
    assert encoder.encode_tokens([]) == []
