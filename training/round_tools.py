"""What a round works with for real: the data folder's database, its models, the trainers. Knows no step.

One round at a time in a data folder: `<data>/rounds/.lock` is held meanwhile, and `running` names it.
"""

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from sqlalchemy import Engine

from bot.assemble import open_generator, open_retrieval
from bot.lessons import Part, Wanted
from bot.log import MIGRATIONS, VERSION_TABLE
from bot.releases import DEFAULT, Release
from bot.settings import Settings
from bot.types import BotError
from knowledge_base.assemble import MIGRATIONS as KNOWLEDGE
from knowledge_base.database import migrate, open_database
from knowledge_base.model_folder import digest
from training.harvest import masking
from training.journal import Watch
from training.round import Options, Round, Tools

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,40}")
_TAKEN = (DEFAULT, "current")
STEPS = 100  # batches that an encoder is trained with: a round is to end within half an hour on two cores
_WAIT = 5.0  # seconds for which one looks whether another round is ending


def do_round(settings: Settings, name: str, wanted: Wanted) -> bool:
    """Begin a round or go on with it; whether its candidate has passed. Raises BotError, TrainingDataError, …"""
    if not NAME.fullmatch(name) or name in _TAKEN:
        raise BotError(f"{name!r} cannot name a round; use lower-case letters, digits and hyphens")
    options = Options(wanted, masking=masking(settings))
    with _alone(settings.data / "rounds", name), _database(settings) as engine:
        return Round(settings.data, name, engine, tools(settings), options).run()


def tools(settings: Settings, steps: int = STEPS) -> Tools:
    """The models that the settings name, and the trainers. steps: batches that an encoder is trained with."""

    def described(part: Part) -> Mapping[str, Any]:
        fit = {"fit": True} if part == "generator" else {}
        return {"base": _named(settings, part), "base_sha256": digest(_base(settings, part))} | fit

    def train(part: Part, data: Sequence[Path], out: Path, current: Release, watch: Watch) -> None:
        _train(settings, part, (data, out, steps), current, watch)

    return Tools(
        settings.encoder,
        lambda release: open_retrieval(settings, release),
        lambda release: open_generator(settings, release),
        train,
        described,
    )


def _train(
    settings: Settings, part: Part, job: tuple[Sequence[Path], Path, int], current: Release, watch: Watch
) -> None:
    """Few steps, on from where the current encoder stands. job: data, the run's folder, steps of an encoder."""
    from training.train_encoder import EncoderSettings, train_encoder
    from training.train_generator import GeneratorSettings, train_generator
    from training.train_reranker import RerankerSettings, train_reranker

    base, (data, out, steps) = _base(settings, part), job
    if part == "encoder":
        start = str(current.encoder.adapter.folder) if current.encoder.adapter else ""
        chosen = EncoderSettings(
            steps=steps, queries=32, passages=12, learning_rate=2e-4, longest=128, evaluations=2, start=start
        )
        train_encoder(base, data, out, chosen, watch)
    elif part == "reranker":
        train_reranker(base, data, out, RerankerSettings(steps=150, layers=6, evaluations=2), watch)
    else:
        train_generator(base, data, out, GeneratorSettings(per_topic=1, most_steps=100, evaluations=2), watch)


def _named(settings: Settings, part: Part) -> str:
    return settings.generator if part == "generator" else settings.encoder


def _base(settings: Settings, part: Part) -> Path:
    """The folder of the model that a part is trained on; the embedded one is made first."""
    from bot.embedded_generator import embedded_generator
    from knowledge_base.embedded_encoder import embedded_encoder
    from knowledge_base.model_folder import folder_of

    if (named := _named(settings, part)) != "embedded":
        return folder_of(named)
    make = embedded_generator if part == "generator" else embedded_encoder
    return make(settings.models_folder, None)


@contextmanager
def _alone(folder: Path, name: str) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folder / ".lock", timeout=_WAIT):
            draft = folder / f".running.{os.getpid()}"
            draft.write_text(json.dumps({"name": name, "pid": os.getpid()}), "utf8")
            draft.replace(folder / "running")
            yield
    except Timeout as error:
        raise BotError("another round is running in this data folder; let it end, or stop it") from error


@contextmanager
def _database(settings: Settings) -> Iterator[Engine]:
    engine = open_database(settings.database)
    migrate(engine, KNOWLEDGE, "knowledge_base_version")
    migrate(engine, MIGRATIONS, VERSION_TABLE)
    try:
        yield engine
    finally:
        engine.dispose()
