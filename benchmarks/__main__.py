"""`make bench`: speed and memory on this machine, as JSON in benchmarks/out and a Markdown table on the screen.

Uses the data folder KEFU_DATA for the converted models; measures in folders of its own.
"""

import json
import tempfile
from pathlib import Path

from rich.console import Console

from benchmarks.search_speed import add_ratio, search_ratio
from benchmarks.server_speed import REWORDED, Server, answer_times, help_seconds, quantile
from bot.embedded_generator import embedded_generator
from knowledge_base.embedded_encoder import embedded_encoder
from knowledge_base.encoder import SentenceTransformerEncoder
from knowledge_base.settings import Settings

Row = tuple[str, str, float, str]
OUT = Path(__file__).with_name("out")


def main() -> None:
    console = Console(stderr=True)
    models = Settings().data.resolve() / "models"
    encoder_folder, generator_folder = str(embedded_encoder(models)), str(embedded_generator(models))
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        with console.status("the demo shop is stored"), Server(data, KEFU_ENCODER=encoder_folder):
            pass
        with console.status("answers over the websocket"), Server(data, KEFU_ENCODER=encoder_folder) as server:
            rows.append(("start to ready", "s", server.start_seconds, "≤ 15"))
            answer_times(1, 5)
            rows.append(("FAQ answer, 1 conversation, p95", "ms", quantile(answer_times(1, 100, 5), 0.95), "≤ 150"))
            rows.append(("FAQ answer, 20 at once, p95", "ms", quantile(answer_times(20, 10, 105), 0.95), "≤ 1000"))
            rows.append(
                ("… reworded, 1 conversation, p95", "ms", quantile(answer_times(1, 100, 0, REWORDED), 0.95), "")
            )
            rows.append(("… reworded, 20 at once, p95", "ms", quantile(answer_times(20, 10, 100, REWORDED), 0.95), ""))
        both = {"KEFU_ENCODER": encoder_folder, "KEFU_GENERATOR": generator_folder}
        with console.status("both models in memory"), Server(data, **both) as server:
            answer_times(1, 3)
            rows.append(("resident memory, both models", "GB", server.resident_gb(), "≤ 2.5"))
    rows.append(("kefu --help", "s", help_seconds(), "≤ 0.5"))
    encoder = SentenceTransformerEncoder(encoder_folder)
    with console.status("search in 10,000 passages"):
        search = search_ratio(encoder, 10_000)
    rows.append(("search in 10,000 passages / (encode + flat search)", "×", search["ratio"], "≤ 1.3"))
    with console.status("adding documents"):
        added = add_ratio(encoder)
    rows.append(("adding documents / bare encode, passages/s", "×", added["ratio"], "≥ 0.85"))
    OUT.mkdir(exist_ok=True)
    report = {"rows": rows, "search": search, "add": added}
    (OUT / "bench.json").write_text(json.dumps(report, ensure_ascii=False, indent=2), "utf8")
    screen = Console(width=160)
    screen.print("| what | measured | bar |\n|---|--:|--:|")
    for what, unit, value, bar in rows:
        screen.print(f"| {what} | {value:.2f} {unit} | {bar} |")


if __name__ == "__main__":
    main()
