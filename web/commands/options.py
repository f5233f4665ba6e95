"""The options that every verb shares. Knows no verb."""

from pathlib import Path
from typing import Annotated

import typer

Data = Annotated[
    Path | None,
    typer.Option("--data", help="The data folder.", show_default="KEFU_DATA, else ./data"),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
