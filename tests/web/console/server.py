"""The whole app with the console and the demo site, over small real parts that need no weights.

Run as a program: PORT FOLDER [bare]. Prints "ready" once it listens. Bare: nobody has an account yet.
"""

import socket
import sys
from pathlib import Path

import uvicorn

from bot.assemble import open_generator, open_release
from bot.bot import Bot
from bot.calibration import Calibration, Threshold
from bot.log import MIGRATIONS, VERSION_TABLE, ConversationLog
from knowledge_base.assemble import open_in
from knowledge_base.database import migrate, open_database
from knowledge_base.faq_file import read_faqs
from knowledge_base.retrieval import Retrieval
from tests.fakes import HashEncoder
from web.app import create_app
from web.logs import configure_logs
from web.server import _config
from web.settings import Settings
from web.staff.roles import ROLES

PASSWORD = "a long password"
_DEMO = Path(__file__).parents[3] / "web" / "demo"


def open_bot(folder: Path) -> Bot:
    """A real bot: confidence rises with the share of matched words, 0.5 at half of them."""
    folder.mkdir(parents=True, exist_ok=True)
    threshold = Threshold(answer=0.6, clarify=0.3)
    calibration = Calibration(
        weights={"bias": -5.0, "keyword": 10.0},
        thresholds={f"{kind}.{language}": threshold for kind in ("faq", "document") for language in ("zh", "en")},
        tie=0.0,
        near=0.3,
        support=0.5,
    )
    settings = Settings(data=folder)  # its database and generator are what the environment says
    engine = open_database(settings.database)
    migrate(engine, MIGRATIONS, VERSION_TABLE)
    knowledge = open_in(folder, Retrieval(HashEncoder()), settings.database)
    generator = open_generator(settings, open_release(settings)) if settings.generator_url else None
    return Bot(knowledge, ConversationLog(engine), calibration, generator)


def main(port: int, folder: Path, *, staffed: bool) -> None:
    """Serve the demo's FAQs on `port`, with one person of each role, named as the role, if so."""
    configure_logs("json")  # on stderr; nobody reads what comes after "ready"
    bot = open_bot(folder)
    bot.knowledge.put_faqs(read_faqs(_DEMO / "faq.jsonl"))  # type: ignore[attr-defined]
    settings = Settings(data=folder, port=port, demo=True, sign_ins_per_address=1000, api_key="k" * 32)
    app = create_app(bot, settings, console=True)
    access = app.state.desk.access
    if staffed and access.accounts.empty:
        for role in ROLES:
            access.accounts.add(role, PASSWORD, role, "zh")
    access.setup_token()  # which keeps the secret of the setup link in its file while there is no account
    server = uvicorn.Server(_config(app, settings))
    with socket.create_server(("127.0.0.1", port)) as listener:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        server.run(sockets=[listener])


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), staffed="bare" not in sys.argv[3:])
