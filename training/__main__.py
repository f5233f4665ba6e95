"""`python -m training encoder|reranker|generator|release|fusion|calibration|across|round …`: makes a release.

Each command goes on where it was interrupted when it is started again with the same arguments.
"""

import argparse
import logging
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import Progress as Bars

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bot.releases import Release
    from bot.settings import Settings
    from knowledge_base.retrieval import Retrieval
    from knowledge_base.types import Progress


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command; `arguments` as on the command line. Exits with a message for data that cannot be used."""
    from bot.types import BotError
    from knowledge_base.types import KnowledgeBaseError
    from training.examples import TrainingDataError
    from training.golden import GoldenSetError

    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    given = _parser().parse_args(arguments)
    try:
        given.run(given)
    except (TrainingDataError, GoldenSetError, BotError, KnowledgeBaseError) as error:
        raise SystemExit(f"{error}") from error


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, (settings, _, _) in _trainers().items():
        _trainer(commands, name, settings)
    release = commands.add_parser("release", help="a release folder from finished runs")
    release.add_argument("--out", type=Path, required=True, help="the release's folder")
    for name in _trainers():
        help_ = f"folder of a finished {name} run; of several the mean"
        release.add_argument(f"--{name}", nargs="+", type=Path, metavar="RUN", help=help_)
    release.add_argument("--scale", type=float, default=1.0, help="how much of the encoder's change to take, 0..1")
    release.add_argument("--fit", action="store_true", help="the generator's answers may be shown")
    release.set_defaults(run=_release)
    for name, run in (("fusion", _fusion), ("calibration", _calibration)):
        fit = commands.add_parser(name, help=f"{name} fitted to golden sets, for the encoder of a release")
        fit.add_argument("sets", nargs="+", type=Path, help="folders in the golden-set format")
        fit.add_argument("--out", type=Path, required=True, help="the file to write")
        fit.add_argument("--work", type=Path, required=True, help="keeps encoded sets: a second run is quick")
        fit.add_argument("--release", default="current", help="the release whose encoder is used")
        fit.set_defaults(run=run)
    across = commands.add_parser("across", help="a golden set of passages from one of FAQs asked across languages")
    across.add_argument("set", type=Path, help="folder in the golden-set format, with FAQs")
    across.add_argument("--out", type=Path, required=True, help="the folder to write")
    across.set_defaults(run=_across)
    learn = commands.add_parser("round", help="examples → training → comparison → a release, or why not")
    learn.add_argument("name", help="of the round and of the release it makes; the same name again goes on with it")
    learn.add_argument("--data", type=Path, help="the data folder; default: KEFU_DATA, else data")
    learn.add_argument("--only", choices=("auto", "calibration"), default="auto", help="default: %(default)s")
    learn.set_defaults(run=_round)
    return parser


def _trainer(commands: Any, name: str, settings: Any) -> None:
    """A command with one option for each of the trainer's settings."""
    trainer = commands.add_parser(name, help=f"train an adapter for the {name}")
    trainer.add_argument("data", nargs="+", type=Path, help=".jsonl files or folders, see training/examples.py")
    trainer.add_argument("--out", type=Path, required=True, help="the run's folder; run again to go on")
    for setting in fields(settings):
        option = "--" + setting.name.replace("_", "-")
        trainer.add_argument(option, type=type(setting.default), default=setting.default, help="default: %(default)s")
    trainer.set_defaults(run=_train, trainer=name)


def _trainers() -> dict[str, tuple[Any, Any, str]]:
    """By name: the settings, the trainer, and the model that it starts from."""
    from training.train_encoder import EncoderSettings, train_encoder
    from training.train_generator import GeneratorSettings, train_generator
    from training.train_reranker import RerankerSettings, train_reranker

    return {
        "encoder": (EncoderSettings, train_encoder, "encoder"),
        "reranker": (RerankerSettings, train_reranker, "encoder"),
        "generator": (GeneratorSettings, train_generator, "generator"),
    }


def _train(given: argparse.Namespace) -> None:
    settings, train, what = _trainers()[given.trainer]
    chosen = settings(**{setting.name: getattr(given, setting.name) for setting in fields(settings)})
    with _bar(f"preparing the {what}") as progress:
        base = _base(what, progress)
    _tell(train(base, given.data, given.out, chosen))


def _release(given: argparse.Namespace) -> None:
    from bot.calibration import BUILT_IN
    from knowledge_base.model_folder import digest
    from training.release import Part, make_release

    parts = {}
    for name, (_, _, base) in _trainers().items():
        if runs := getattr(given, name):
            described = {"base": "embedded", "base_sha256": digest(_base(base, None))}
            fit = {"fit": given.fit} if name == "generator" else {}
            parts[name] = Part(runs[0], described | fit, given.scale if name == "encoder" else 1.0, tuple(runs[1:]))
    kept = given.out / "calibration.json"
    make_release(given.out, parts, kept if kept.exists() else BUILT_IN)


def _fusion(given: argparse.Namespace) -> None:
    from training.fusion import fit_fusion

    retrieval, _ = _opened(given.release)
    with _bar("fusion") as progress:
        content = fit_fusion(given.sets, given.work, retrieval, progress)
    _written(content, given.out)


def _calibration(given: argparse.Namespace) -> None:
    from bot.calibration import load
    from training.calibrate import calibrate

    retrieval, release = _opened(given.release)
    with _bar("calibration") as progress:
        content = calibrate(given.sets, given.work, retrieval, load(release.calibration), progress)
    _written(content, given.out)


def _round(given: argparse.Namespace) -> None:
    from training.round_tools import do_round

    passed = do_round(_settings(**({"data": given.data} if given.data else {})), given.name, given.only)
    Console().print(f"{given.name}: {'passed, kefu promote makes it serve' if passed else 'refused'}")


def _across(given: argparse.Namespace) -> None:
    from training.across import answers_as_passages

    Console().print(f"{answers_as_passages(given.set, given.out)} documents written to {given.out}")


def _written(content: dict[str, Any], path: Path) -> None:
    """Write fitted values; where they belong to a release, release.json is told."""
    from training.fusion import write
    from training.release import describe

    write(content, path)
    if (path.parent / "release.json").exists():
        describe(path.parent)


def _opened(name: str) -> "tuple[Retrieval, Release]":
    """What a release searches with, and the release."""
    from bot.assemble import open_release, open_retrieval

    settings = _settings(release=name)
    release = open_release(settings)
    with _bar("preparing the encoder") as progress:
        return open_retrieval(settings, release, progress), release


def _base(what: str, progress: "Progress | None") -> Path:
    """The folder of the model that the settings name; the embedded one is made first."""
    settings = _settings()
    if (named := getattr(settings, what)) != "embedded":
        return Path(named)
    models = settings.models_folder
    if what == "encoder":
        from knowledge_base.embedded_encoder import embedded_encoder

        return embedded_encoder(models, progress)
    from bot.embedded_generator import embedded_generator

    return embedded_generator(models, progress)


def _settings(**given: Any) -> "Settings":
    from bot.settings import Settings

    return Settings(**given)


def _tell(result: dict[str, Any]) -> None:
    shown = {name: value for name, value in result.items() if name != "history"}
    Console().print_json(data=shown)


@contextmanager
def _bar(what: str) -> "Iterator[Progress]":
    with Bars(console=Console(stderr=True)) as bars:
        task = bars.add_task(what, total=None)

        def progress(done: int, total: int) -> None:
            bars.update(task, completed=done, total=total)

        yield progress


if __name__ == "__main__":
    main()
