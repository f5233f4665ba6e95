"""`kefu train …`: the trainers, as `python -m training` has them. Trains nothing itself."""

import typer


def train(context: typer.Context) -> None:
    """Train adapters and fit thresholds: round (all of it), encoder, generator, fusion … (each has --help)."""
    from training.__main__ import main as run

    run(context.args)
