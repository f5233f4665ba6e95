"""`python -m training fusion|calibration SET… --out FILE --work DIR`: fits what the search and the bot decide by."""

import argparse
from pathlib import Path

from rich.progress import Progress as Bars

from bot.calibration import load
from bot.settings import Settings
from knowledge_base.assemble import open_encoder
from knowledge_base.types import Progress
from training.calibrate import calibrate
from training.fusion import fit_fusion, write


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m training", description=__doc__)
    parser.add_argument("what", choices=("fusion", "calibration"))
    parser.add_argument("sets", nargs="+", type=Path, help="folders in the golden-set format")
    parser.add_argument("--out", type=Path, required=True, help="the file to write")
    parser.add_argument("--work", type=Path, required=True, help="keeps encoded sets, so that a second run is quick")
    arguments = parser.parse_args()
    encoder, base = open_encoder(Settings()), load()
    with Bars() as bars:
        task = bars.add_task(arguments.what, total=None)

        def progress(done: int, total: int) -> None:
            bars.update(task, completed=done, total=total)

        shown: Progress = progress
        if arguments.what == "fusion":
            content = fit_fusion(arguments.sets, arguments.work, encoder, shown)
        else:
            content = calibrate(arguments.sets, arguments.work, encoder, base, shown)
    write(content, arguments.out)


if __name__ == "__main__":
    main()
