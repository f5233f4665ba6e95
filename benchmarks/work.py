"""What the benchmarks of one run share: converted models, the demo shop stored, folders with many passages."""

import shutil
from collections.abc import Callable
from pathlib import Path

from benchmarks.passages import store_passages
from benchmarks.server_speed import Server
from bot.assemble import open_release, open_retrieval
from bot.settings import Settings
from knowledge_base.embedded_encoder import embedded_encoder
from knowledge_base.retrieval import Retrieval

Say = Callable[[str], None]


class Work:
    """Data folders under `root`, made when they are first asked for. Their models are those of KEFU_DATA.

    say: told what is going on.
    """

    def __init__(self, root: Path, say: Say) -> None:
        self.say = say
        self._root = root
        self._models = Settings().models_folder.resolve()
        self._models.mkdir(parents=True, exist_ok=True)

    def folder(self, name: str) -> Path:
        """A data folder with the models and nothing else, or as it was left."""
        folder = self._root / name
        if not folder.exists():
            folder.mkdir()
            (folder / "models").symlink_to(self._models)
        return folder

    def demo(self) -> Path:
        """A data folder with the demo shop, stored as the server stores it."""
        folder = self.folder("demo")
        if not (folder / "kefu.sqlite").exists():
            self.say("the demo shop is stored")
            with Server(folder):
                pass
        return folder

    def passages(self, count: int) -> Path:
        """The demo shop with so many passages more, which the encoder that serves takes for its own."""
        folder = self._root / f"passages-{count}"
        if not folder.exists():
            demo = self.demo()
            self.say(f"{count:,} passages are stored")
            draft = folder.with_name(f".{folder.name}")
            shutil.copytree(demo, draft, symlinks=True)
            store_passages(draft, count, self.retrieval().encoder)
            draft.rename(folder)
        return folder

    def retrieval(self) -> Retrieval:
        """What the release that ships searches with, opened anew: encoders remember queries."""
        settings = self.settings("demo")
        return open_retrieval(settings, open_release(settings))

    def settings(self, name: str) -> Settings:
        """Those of a data folder."""
        return Settings(data=self.folder(name))

    def encoder_folder(self) -> Path:
        """The embedded encoder as a sentence-transformers folder."""
        return embedded_encoder(self._models)
