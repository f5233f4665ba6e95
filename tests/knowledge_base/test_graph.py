"""The graph that serves on a processor: torch's vectors without torch, made once, forgotten when old."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from knowledge_base.adapter import Adapter
from knowledge_base.encoder import SentenceTransformerEncoder
from knowledge_base.graph import GraphReader, graph_folder, is_convertible
from knowledge_base.reader import TorchReader
from knowledge_base.types import KnowledgeBaseError
from tests.tiny_encoder import SHAPE, tiny_encoder

ROOT = Path(__file__).parents[2]
TEXTS = ["ab", "退货 cd", "", "a" * 500, "xyz" * 9]
OPENED = """
import sys
from knowledge_base.encoder import SentenceTransformerEncoder
from pathlib import Path
SentenceTransformerEncoder(sys.argv[1], "auto", None, Path(sys.argv[2])).encode_queries(["ab"])
print(sorted({"torch", "transformers", "sentence_transformers", "openvino"} & sys.modules.keys()))
print(sys.modules.get("openvino_telemetry"))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_encoder(tmp_path_factory.mktemp("encoder"))


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module")
def reader(folder: Path, models: Path) -> GraphReader:
    made = graph_folder(models, str(folder))
    assert made is not None
    return GraphReader(made)


def test_it_reads_as_torch_does(reader: GraphReader, folder: Path) -> None:
    torch = TorchReader(str(folder), "cpu")
    for name in ("dimension", "max_tokens", "prompts", "precision"):
        assert getattr(reader, name) == getattr(torch, name)
    assert reader.count(TEXTS) == torch.count(TEXTS)
    np.testing.assert_allclose(reader.encode(TEXTS, "query: "), torch.encode(TEXTS, "query: "), atol=0.02)
    for longest in (SHAPE.positions, 10):
        for own, others in zip(reader.read(TEXTS, "a", longest), torch.read(TEXTS, "a", longest), strict=True):
            assert own.shape == others.shape
            np.testing.assert_allclose(own, others, atol=0.03)


def test_what_stands_beside_a_text_does_not_change_it(reader: GraphReader) -> None:
    together = reader.encode(TEXTS, "")
    for row, text in enumerate(TEXTS):
        np.testing.assert_allclose(reader.encode([text], "")[0], together[row], atol=0.02)


def test_it_is_made_once(models: Path, folder: Path, reader: GraphReader) -> None:
    before = [path.stat().st_mtime_ns for path in sorted(models.rglob("graph.*"))]
    assert len(before) == 2
    assert graph_folder(models, str(folder)) is not None
    assert [path.stat().st_mtime_ns for path in sorted(models.rglob("graph.*"))] == before


def test_serving_needs_no_torch_and_tells_nobody(models: Path, folder: Path, reader: GraphReader) -> None:
    command = [sys.executable, "-c", OPENED, str(folder), str(models)]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    assert said[-1] == "None"  # not the package that reports to OpenVINO's makers
    assert json.loads(said[-2].replace("'", '"')) == ["openvino"] or _may_have_an_accelerator()


def _may_have_an_accelerator() -> bool:
    from knowledge_base.device import _only_processor

    return not _only_processor()


def test_those_that_served_longest_ago_go(tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def convert(_: str, adapter: Adapter | None, into: Path) -> None:
        (into / "graph.xml").write_text("a graph")

    monkeypatch.setattr("knowledge_base.graph._convert", convert)
    made = []
    for number in range(6):
        other = shutil.copytree(folder, tmp_path / f"encoder-{number}")
        (other / "README.md").write_text(str(number))
        found = graph_folder(tmp_path / "models", str(other))
        assert found is not None
        os.utime(found, (number, number))
        made.append(found)
    assert [path.exists() for path in made] == [False, False, True, True, True, True]


def test_a_model_that_cannot_be_loaded_is_refused_in_words(tmp_path: Path, folder: Path) -> None:
    (tmp_path / "adapter").mkdir()
    with pytest.raises(KnowledgeBaseError, match="adapter .* is missing or incomplete; roll back"):
        graph_folder(tmp_path, str(folder), Adapter(tmp_path / "adapter"))
    assert not list(tmp_path.glob("graph-*"))


def test_a_model_that_is_not_here_is_left_to_torch_which_names_the_remedy(tmp_path: Path) -> None:
    assert graph_folder(tmp_path, "nobody/none-such") is None
    with pytest.raises(KnowledgeBaseError, match="cannot load the encoder .*set KEFU_ENCODER to"):
        SentenceTransformerEncoder("/nowhere/at/all", "cpu", graphs=tmp_path)


def test_a_conversion_that_falls_over_is_told(tmp_path: Path, folder: Path) -> None:
    damaged = shutil.copytree(folder, tmp_path / "damaged")
    (damaged / "tokenizer.json").write_text("{}")
    with pytest.raises(KnowledgeBaseError, match="cannot load the encoder|could not be converted"):
        graph_folder(tmp_path / "models", str(damaged))
    assert not list((tmp_path / "models").glob("graph-*"))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("config.json", '{"model_type": "modernbert"}'),
        ("config.json", "no json"),
        ("1_Pooling/config.json", '{"pooling_mode": "cls"}'),
        ("1_Pooling/config.json", '{"pooling_mode_mean_tokens": true, "pooling_mode_max_tokens": true}'),
        ("1_Pooling/config.json", '{"pooling_mode": "mean", "include_prompt": false}'),
        ("modules.json", '[{"type": "a.Transformer", "path": ""}]'),
        ("modules.json", "[]"),
    ],
)
def test_other_models_are_left_to_torch(tmp_path: Path, folder: Path, name: str, content: str) -> None:
    other = shutil.copytree(folder, tmp_path / "other")
    assert is_convertible(other)
    (other / name).write_text(content)
    assert not is_convertible(other)
    assert graph_folder(tmp_path / "models", str(other)) is None


def test_the_older_way_to_write_down_pooling_is_known(tmp_path: Path, folder: Path) -> None:
    other = shutil.copytree(folder, tmp_path / "other")
    modes = {"word_embedding_dimension": 32, "pooling_mode_mean_tokens": True, "pooling_mode_cls_token": False}
    (other / "1_Pooling" / "config.json").write_text(json.dumps(modes))
    assert is_convertible(other)
