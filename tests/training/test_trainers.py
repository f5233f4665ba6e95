"""The trainers with the real embedded models on a handful of rows: they learn, stop, go on, and say what is wrong."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import training
from bot.calibration import BUILT_IN
from bot.releases import Releases
from knowledge_base.adapter import Adapter
from knowledge_base.cross_encoder import CrossEncoderReranker
from knowledge_base.encoder import SentenceTransformerEncoder
from knowledge_base.model_folder import digest
from training.examples import TrainingDataError
from training.release import Part, make_release
from training.train_encoder import EncoderSettings, train_encoder
from training.train_generator import GeneratorSettings, train_generator
from training.train_reranker import RerankerSettings, train_reranker

ENCODER = EncoderSettings(steps=6, queries=8, passages=4, rank=4, longest=96, evaluations=2, frozen=10)
GENERATOR = GeneratorSettings(per_topic=2, longest=400, batch=2, accumulate=1, rank=4, most_steps=2, evaluations=2)
RERANKER = RerankerSettings(steps=8, questions=3, wrong=2, rank=4, layers=3, evaluations=2)

pytestmark = [
    pytest.mark.models,
    pytest.mark.timeout(900),
    pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning", "ignore::DeprecationWarning"),
]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty of the topics that ship, thirteen of which are held out."""
    return topics(tmp_path_factory.mktemp("data"), 60)


def topics(folder: Path, count: int) -> Path:
    """The folder with the first topics that ship."""
    shop = Path(training.__file__).parent / "topics" / "topics_shop.jsonl"
    lines = shop.read_text("utf8").splitlines()[:count]
    (folder / "topics_few.jsonl").write_text("\n".join(lines) + "\n", "utf8")
    return folder


def weights(folder: Path) -> Any:
    from safetensors.numpy import load_file

    return load_file(folder / "adapter" / "adapter_model.safetensors")


def interrupted(run: Path, last: int) -> None:
    """Put the folder of a finished run into the state in which an interruption before its last checkpoint left it."""
    shutil.rmtree(run / "adapter")
    shutil.rmtree(run / "checkpoints" / f"checkpoint-{last}")


def goes_on(train: Callable[[Path], dict[str, Any]], run: Path, last: int) -> None:
    train(run)
    whole = weights(run)
    interrupted(run, last)
    train(run)
    again = weights(run)
    assert whole.keys() == again.keys()
    assert max(abs(whole[name].astype(float) - again[name].astype(float)).max() for name in whole) < 1e-4
    assert max(abs(values.astype(float)).max() for name, values in whole.items() if "lora_B" in name) > 0


def measured_losses(run: Path) -> list[float]:
    """The losses on what was held out, in the order in which they were measured."""
    history = json.loads((run / "run.json").read_text())["result"]["history"]
    return [entry["eval_loss"] for entry in history if "eval_loss" in entry]


def test_an_interrupted_encoder_run_ends_as_if_it_had_not_been(
    embedded_encoder_folder: Path, data: Path, tmp_path: Path
) -> None:
    goes_on(lambda out: train_encoder(embedded_encoder_folder, [data], out, ENCODER), tmp_path / "run", 6)
    result = json.loads((tmp_path / "run" / "run.json").read_text())
    assert result["state"] == "finished" and result["made_by"]["data"].keys() == {"topics_few.jsonl"}
    assert 0 < result["result"]["after"]["held_out"] <= 1
    make_release(
        tmp_path / "r",
        {"encoder": Part(tmp_path / "run", {"base_sha256": digest(embedded_encoder_folder)}, 0.5)},
        BUILT_IN,
    )
    adapter = Adapter(tmp_path / "r" / "encoder", digest(embedded_encoder_folder))
    changed = SentenceTransformerEncoder(str(embedded_encoder_folder), "cpu", adapter).encode_queries(["退货"])
    plain = SentenceTransformerEncoder(str(embedded_encoder_folder), "cpu").encode_queries(["退货"])
    assert 0.5 < float((changed @ plain.T)[0, 0]) < 0.999999


def test_an_interrupted_generator_run_ends_as_if_it_had_not_been(
    embedded_generator_folder: Path, tmp_path: Path
) -> None:
    data = topics(tmp_path, 17)  # of which two are held out: each costs a second or two at each of five measures
    goes_on(lambda out: train_generator(embedded_generator_folder, [data], out, GENERATOR), tmp_path / "run", 2)
    measured = measured_losses(tmp_path / "run")
    assert measured[-1] < measured[0]


def test_other_settings_in_the_same_folder_are_refused(
    embedded_encoder_folder: Path, data: Path, tmp_path: Path
) -> None:
    (tmp_path / "run.json").write_text('{"made_by": {"trainer": "encoder"}}')
    with pytest.raises(TrainingDataError, match="holds another run"):
        train_encoder(embedded_encoder_folder, [data], tmp_path, ENCODER)


def test_too_little_data_is_said(embedded_generator_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "pairs_a.jsonl").write_text('{"a": "x", "b": "y", "label": 1}\n')
    with pytest.raises(TrainingDataError, match="too few examples"):
        train_generator(embedded_generator_folder, [tmp_path], tmp_path / "run", GENERATOR)


def test_an_interrupted_reranker_run_ends_as_if_it_had_not_been_and_a_release_serves_it(
    embedded_encoder_folder: Path, data: Path, tmp_path: Path
) -> None:
    goes_on(lambda out: train_reranker(embedded_encoder_folder, [data], out, RERANKER), tmp_path / "run", 8)
    measured = measured_losses(tmp_path / "run")
    assert measured[1] < measured[0]
    described = {"base_sha256": digest(embedded_encoder_folder)}
    make_release(tmp_path / "r1", {"reranker": Part(tmp_path / "run", described)}, BUILT_IN)
    release = Releases(tmp_path).get("r1")
    assert release.reranker.adapter
    reader = CrossEncoderReranker(str(embedded_encoder_folder), release.reranker.adapter, "cpu")
    texts = ["退货\n签收之后七天之内可以退货。", "Opening hours\nWe are open from 9 to 5.", "x" * 4000, ""]
    said = reader.rerank("怎么退货", texts)
    assert said[0] > said[1] and all(0 <= one <= 1 for one in said)
    assert reader.rerank("怎么退货", texts[::-1])[::-1] == pytest.approx(said, abs=0.01)
    assert reader.rerank("怎么退货", []) == []
