"""The parts that need no weights; the whole of it is tested with real models in journeys."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from bot.assemble import assemble, open_generator, open_retrieval, weights
from bot.calibration import BUILT_IN
from bot.releases import SHIPPED, Model, Release
from bot.remote_generator import RemoteGenerator
from bot.settings import Settings
from bot.types import BotError, Conversation
from knowledge_base.adapter import Adapter
from knowledge_base.knowledge_base import KnowledgeBase
from knowledge_base.late_interaction import LateInteractionReranker
from knowledge_base.types import Faq, KnowledgeBaseError
from tests.fakes import HashEncoder
from training.release import describe


def test_an_unfit_generator_is_not_even_opened() -> None:
    release = Release("r", BUILT_IN, generator=Model(base="/nowhere", fit=False))
    assert open_generator(Settings(), release) is None


def test_a_server_that_the_operator_names_is_used_though_the_release_is_not_fit() -> None:
    settings = Settings(generator_url="http://localhost:9/v1", generator_model="m", generator_key="k")
    assert isinstance(open_generator(settings, Release("r", BUILT_IN)), RemoteGenerator)


@pytest.mark.models  # loads no weights, but the libraries that would
@pytest.mark.parametrize(
    ("settings", "release"),
    [
        (Settings(generator="/nowhere/model"), Release("r", BUILT_IN)),
        (Settings(), Release("r", BUILT_IN, generator=Model(base="/nowhere/model", fit=True))),
    ],
)
def test_a_fit_or_named_generator_that_is_missing_is_said(settings: Settings, release: Release) -> None:
    with pytest.raises(BotError, match="/nowhere/model"):
        open_generator(settings, release)


def test_an_unknown_release_stops_the_start_before_any_model_is_loaded(tmp_path: Path) -> None:
    with pytest.raises(BotError, match="no release 'r9'"):
        assemble(Settings(data=tmp_path, release="r9"))
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_database_stops_the_start_before_any_model_is_loaded(tmp_path: Path) -> None:
    (tmp_path / "kefu.sqlite").write_bytes(b"no database" * 999)
    with pytest.raises(KnowledgeBaseError, match="Restore it"):
        assemble(Settings(data=tmp_path, encoder="/nowhere/model"))


@pytest.fixture
def adapters(monkeypatch: pytest.MonkeyPatch) -> list[Adapter | None]:
    """The adapters that encoders are opened with, in place of loading any."""
    opened: list[Adapter | None] = []

    def open_(settings: Settings, progress: object, adapter: Adapter | None) -> HashEncoder:
        opened.append(adapter)
        return HashEncoder()

    monkeypatch.setattr("bot.assemble.open_encoder", open_)
    return opened


def test_the_adapters_are_left_out_where_the_operator_serves_another_encoder(adapters: list[Adapter | None]) -> None:
    model = Model(adapter=Adapter(Path("a")))
    open_retrieval(Settings(), Release("r", BUILT_IN, encoder=model))
    found = open_retrieval(Settings(encoder="/other"), Release("r", BUILT_IN, encoder=model, reranker=model))
    assert adapters == [Adapter(Path("a")), None]
    assert isinstance(found.reranker, LateInteractionReranker)


def test_a_release_may_bring_its_own_fusion(tmp_path: Path) -> None:
    own = tmp_path / "fusion.json"
    words = '"same_language": {"faq": 0.5, "document": 1}, "other_language": {"faq": 0, "document": 0}'
    own.write_text(f'{{{words}, "clause": 0.1, "rerank": 0.2}}')
    brought = weights(Release("r", BUILT_IN, fusion=own))
    assert brought.same_language == {"faq": 0.5, "document": 1.0}
    assert (brought.clause, brought.rerank) == (0.1, 0.2)
    own.write_text("{}")
    with pytest.raises(BotError, match="fusion.json is not valid"):
        weights(Release("r", BUILT_IN, fusion=own))


def test_releases_that_search_alike_share_what_they_search_with(tmp_path: Path, adapters: list[Adapter | None]) -> None:
    for name, source in (("fitted", SHIPPED), ("trained", SHIPPED)):
        shutil.copytree(source, tmp_path / "releases" / name)
    weights = tmp_path / "releases" / "trained" / "encoder" / "adapter_model.safetensors"
    save_file({"w": np.ones((2, 2), np.float32)}, weights)
    describe(tmp_path / "releases" / "trained")
    first = assemble(Settings(data=tmp_path))
    fitted = assemble(Settings(data=tmp_path, release="fitted"), None, first)
    trained = assemble(Settings(data=tmp_path, release="trained"), None, first)
    assert fitted.knowledge is first.knowledge and trained.knowledge is not first.knowledge
    assert [bot.release for bot in (first, fitted, trained)] == ["default", "fitted", "trained"] and len(adapters) == 2
    fitted.close()
    assert first.try_out(Conversation("c"), "hello").release == "default", "closing one leaves the other open"
    (tmp_path / "releases" / "fitted" / "calibration.json").write_text("{}")
    with pytest.raises(BotError, match="was altered"):
        assemble(Settings(data=tmp_path, release="fitted"), None, first)
    for bot in (first, trained):
        bot.close()


def test_what_was_published_while_another_release_served_is_found_after_catching_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fingerprints = iter(("hash-1", "other"))
    monkeypatch.setattr("bot.assemble.open_encoder", lambda *_: HashEncoder(next(fingerprints)))
    serving, kept = assemble(Settings(data=tmp_path)), assemble(Settings(data=tmp_path))
    assert isinstance(serving.knowledge, KnowledgeBase) and isinstance(kept.knowledge, KnowledgeBase)
    serving.knowledge.put_faqs([Faq("f1", "How do I return a kettle?", "Send it back.", "en")])
    assert kept.knowledge.search("return kettle", "en") == [], "its encoder has not read it"
    kept.catch_up()
    assert [hit.passage.source_id for hit in kept.knowledge.search("return kettle", "en")] == ["f1"]
    serving.knowledge.delete(["f1"])
    kept.catch_up()
    assert kept.knowledge.search("return kettle", "en") == [] and all(one.ok for one in kept.knowledge.check())
    for bot in (serving, kept):
        bot.close()
