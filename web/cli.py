"""The `kefu` command: the verbs of `web.commands` under one name. Knows no verb's work, imports nothing heavy."""

import typer

from web.commands.ask import ask
from web.commands.backup import backup, restore
from web.commands.dataset import dataset
from web.commands.doctor import doctor
from web.commands.documents import add, remove
from web.commands.errors import Mendable
from web.commands.evaluate import evaluate
from web.commands.faq import faq
from web.commands.move import move
from web.commands.releases import promote, releases, rollback
from web.commands.search import rebuild, search
from web.commands.serve import serve
from web.commands.staff import staff
from web.commands.train import train

main = typer.Typer(
    cls=Mendable,
    help="Kefu 客服: a self-hosted customer-service chatbot in Chinese and English.",
    epilog="Results go to stdout, the rest to stderr. KEFU_DEBUG=1 shows tracebacks.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


for verb in (serve, ask, add, remove, search, rebuild, evaluate, releases, promote, rollback, backup, restore, move):
    main.command()(verb)
main.command(context_settings={"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []})(
    train
)
main.add_typer(faq, name="faq")
main.add_typer(staff, name="staff")
main.add_typer(dataset, name="dataset")
main.command()(doctor)
