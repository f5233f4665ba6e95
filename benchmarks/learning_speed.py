"""What learning costs the customers: answers while an encoder trains beside the server, and how long a rollback takes.

`python -m benchmarks.learning_speed [--whole] [--reranker]`: with --whole the round goes on to its end, and each step
is timed; with --reranker the release that serves has one, so that the round trains one as well.
"""

import argparse
import dataclasses
import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from rich.console import Console
from safetensors.numpy import load_file, save_file
from sqlalchemy import insert

from benchmarks.server_speed import PORT, REWORDED, Server, answer_times, quantile
from bot.examples import Example, Examples
from bot.releases import SHIPPED, Releases
from bot.tables import conversation
from knowledge_base.database import open_database
from knowledge_base.embedded_encoder import embedded_encoder
from knowledge_base.faq_file import read_faqs
from knowledge_base.settings import Settings as Base
from training.calibrate import TOPICS
from training.release import Part, describe, make_release
from training.round_tools import tools
from training.train_reranker import RerankerSettings, train_reranker
from web.demo_company import FAQS
from web.learning import Learning
from web.settings import Settings

ASKED = 60
EXAMPLES = 1_000
NAME = "speed"


def keep_examples(data: Path) -> None:
    """Approved examples, made of the demo shop's own phrasings."""
    engine = open_database(f"sqlite:///{data / 'kefu.sqlite'}")
    made = list(_examples())[:EXAMPLES]
    ids = [{"id": one.conversation_id, "opened": datetime.now(UTC)} for one in made]
    with engine.begin() as connection:
        connection.execute(insert(conversation), ids)
    Examples(engine).add(made)
    engine.dispose()


def _examples() -> Iterator[Example]:
    before = {"zh": ("请问，", "你好，"), "en": ("Hi, tell me: ", "Please, ")}
    for place in (0, 1):
        for faq in read_faqs(FAQS):
            for text in (faq.question, *faq.similar):
                asked = before[faq.language][place] + text
                id = hashlib.sha256(asked.encode()).hexdigest()
                yield Example(id, f"c{id[:12]}", "staff", faq.language, asked, faq.answer, faq.id, status="approved")


def serve_reranker(data: Path) -> None:
    """Promote the release that ships with a reranker beside, one that has seen a few batches."""
    settings, runs, folder = Settings(data=data), data / "runs", data / "releases" / "reranking"
    base = embedded_encoder(settings.models_folder, None)
    train_reranker(base, [TOPICS], runs, RerankerSettings(steps=10, layers=6, evaluations=1))
    shutil.copytree(SHIPPED, folder)
    part = Part(runs, tools(settings).described("reranker"))
    make_release(folder, {"reranker": part}, folder / "calibration.json")
    Releases(folder.parent).promote(folder.name)


def make_other(data: Path) -> None:
    """A release that reads everything otherwise than the one that ships."""
    folder = data / "releases" / "other"
    shutil.copytree(SHIPPED, folder)
    weights = folder / "encoder" / "adapter_model.safetensors"
    save_file({name: (values * 0.9).astype(values.dtype) for name, values in load_file(weights).items()}, weights)
    describe(folder)


def run(data: Path, *arguments: str) -> None:
    """`kefu ARGUMENTS` on the data folder."""
    command = [str(Path(sys.executable).with_name("kefu")), *arguments, "--data", str(data)]
    subprocess.run(command, check=True, capture_output=True)


def until(true: Callable[[], Any], patience: float = 3_600) -> float:
    """Seconds until it is true."""
    began = time.monotonic()
    while not true():
        if time.monotonic() - began > patience:
            raise TimeoutError(f"it did not happen within {patience:.0f} s")
        time.sleep(0.02)
    return time.monotonic() - began


def serving() -> str:
    with urlopen(f"http://127.0.0.1:{PORT}/ready") as response:
        return str(json.loads(response.read())["release"])


def swaps(data: Path) -> dict[str, float]:
    """Seconds from the command to the first answer of the other release, there and back."""
    make_other(data)
    found, before = {}, serving()
    for what, arguments, name in (("promote", ("promote", "other"), "other"), ("roll back", ("rollback",), before)):
        began = time.monotonic()
        run(data, *arguments)
        until(lambda name=name: serving() == name)  # type: ignore[misc]
        found[what] = time.monotonic() - began
    return found


def timed(folder: Path) -> dict[str, float]:
    """Seconds of each step of a round, from its notes."""
    kept = json.loads((folder / "state.json").read_text("utf8"))
    times = [datetime.fromisoformat(kept["began"])]
    times += [datetime.fromisoformat(step["at"]) for step in kept["steps"].values()]
    return {name: (b - a).total_seconds() for name, a, b in zip(kept["steps"], times, times[1:], strict=False)}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--whole", action="store_true", help="let the round come to its end")
    parser.add_argument("--reranker", action="store_true", help="serve a release that has one: the round trains it too")
    given = parser.parse_args()
    screen = Console(width=160)
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        models = Base().models_folder.resolve()
        if models.exists():
            shutil.copytree(models, data / "models")
        if given.reranker:
            serve_reranker(data)
        with Server(data):
            keep_examples(data)
            answer_times(1, 10)
            alone = answer_times(1, ASKED, 0, REWORDED)
            learning = Learning(Settings(data=data))
            learning.start(NAME, "auto")
            until(lambda: (state := learning.round(NAME)) and state.progress and state.progress.loss)
            beside = answer_times(1, ASKED, ASKED, REWORDED)
            for share in (0.5, 0.95):
                a, b = quantile(alone, share), quantile(beside, share)
                screen.print(f"answer, p{share * 100:.0f}: {a:.0f} ms alone, {b:.0f} ms beside training, × {b / a:.2f}")
            state = learning.round(NAME)
            assert state is not None and state.progress is not None
            screen.print(f"the encoder: {state.progress.done} of {state.progress.total} steps", end="; ")
            screen.print(f"{state.progress.seconds_left} s left while it is asked beside")
            if given.whole:
                until(lambda: learning.running() is None)
                screen.print(timed(data / "rounds" / NAME), dataclasses.asdict(learning.round(NAME))["state"])  # type: ignore[arg-type]
            else:
                learning.stop(NAME)
            for what, seconds in swaps(data).items():
                screen.print(f"{what}: {seconds:.1f} s from the command to what serves")


if __name__ == "__main__":
    main()
