"""Kefu whole, over a shop whose words an encoder of words understands: only the model is small.

Run as a program: PORT FOLDER serves, with one person of each role; `training …` and `kefu …` are the commands that the
console begins, with the same encoder. The answer to LONG is written out once FOLDER/go-on is there, piece by piece.
"""

import json
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import insert

import bot.assemble
import bot.bot
import training.round_tools
import web.demo_company
from bot.calibration import BUILT_IN
from bot.examples import Example, Examples
from bot.log import MIGRATIONS, VERSION_TABLE
from bot.releases import Releases
from bot.tables import conversation
from knowledge_base.assemble import open_in
from knowledge_base.database import migrate, open_database
from knowledge_base.retrieval import Retrieval
from knowledge_base.types import Faq, Language
from tests.fakes import HashEncoder
from training.release import describe
from training.round import Options
from web.learning import Learning
from web.settings import Settings
from web.staff.access import open_access
from web.staff.roles import ROLES

PASSWORD = "a long password"
THINGS: dict[Language, list[str]] = {
    "zh": (
        "水壶 台灯 椅子 地毯 镜子 茶壶 闹钟 篮子 雨伞 书架 枕头 毛巾 花瓶 相框 风扇 音箱 耳机 键盘 背包 手套 "
        "窗帘 沙发 衣柜 烤箱 冰箱 拖把 牙刷 剪刀 帐篷 钓竿 球拍 哑铃 头盔 自行车 行李箱 望远镜 口琴 吉他 画笔 积木"
    ).split(),
    "en": (
        "kettle lamp chair carpet mirror teapot clock basket umbrella shelf pillow towel vase frame fan speaker "
        "headphone keyboard backpack glove curtain sofa wardrobe oven fridge mop toothbrush scissors tent rod racket "
        "dumbbell helmet bicycle suitcase telescope harmonica guitar brush blocks"
    ).split(),
}
ASKED: dict[Language, tuple[str, ...]] = {
    "zh": ("{}怎么退货？", "我想给{}退货", "请问{}退货行吗", "您好，{}要怎么退货呢", "这个{}我要退货"),
    "en": (
        "How do I return a {}?",
        "I want to return my {}",
        "return the {} please",
        "hello, how can I return a {} please",
        "my {} return",
    ),
}
SAID: dict[Language, str] = {"zh": "{}请在七天内寄回。", "en": "Send the {} back within seven days."}
NOT_SOLD: dict[Language, str] = {"zh": "附近有停车场吗，第{}层", "en": "is there parking nearby, level {}"}
LONG: dict[Language, str] = {"zh": "讲讲公司历史", "en": "tell me the company history"}
_PIECE = 40  # characters


def faqs() -> list[Faq]:
    """One a thing and language, and one whose answer is long."""
    made = [
        Faq(f"{THINGS['en'][n]}.{language}", ASKED[language][0].format(one), SAID[language].format(one), language)
        for language, things in THINGS.items()
        for n, one in enumerate(things)
    ]
    return made + [Faq(f"history.{language}", LONG[language], long(language), language) for language in LONG]


def long(language: Language) -> str:
    """The answer that takes its time."""
    return "".join(f"第 {n} 年：店又大了一点。" if language == "zh" else f"Year {n}: it grew. " for n in range(1, 30))


def prepare(data: Path) -> None:
    """FAQs, staff, examples that were approved earlier, a golden set, and a release that answers hardly anything."""
    knowledge = open_in(data, Retrieval(HashEncoder()))
    knowledge.put_faqs(faqs())
    knowledge.close()
    access = open_access(Settings(data=data, api_key="k" * 32))
    for role in ROLES:
        access.accounts.add(role, PASSWORD, role, "zh")
    access.engine.dispose()
    _examples(data)
    _golden(data / "golden")
    _cautious(data)


def _examples(data: Path) -> None:
    engine = open_database(f"sqlite:///{data / 'kefu.sqlite'}")
    migrate(engine, MIGRATIONS, VERSION_TABLE)
    made = [
        Example(
            f"{n:040}{place}{language}".ljust(64, "0"), f"{language}-{n}-{place}", "staff", language,
            ASKED[language][place].format(one), SAID[language].format(one), f"{THINGS['en'][n]}.{language}",
            status="approved",
        )
        for language, things in THINGS.items()
        for place in (1, 2)
        for n, one in enumerate(things)
        if n  # the first is the customer's
    ]  # fmt: skip
    with engine.begin() as connection:
        connection.execute(
            insert(conversation), [{"id": one.conversation_id, "opened": datetime.now(UTC)} for one in made]
        )
    Examples(engine).add(made)
    engine.dispose()


def _golden(folder: Path) -> None:
    """What every round is judged by: each FAQ asked in other words, and questions that nothing answers."""
    folder.mkdir()
    rows = [{"id": one.id, "question": one.question, "answer": one.answer, "language": one.language} for one in faqs()]
    asked: list[dict[str, Any]] = []
    for language, things in THINGS.items():
        for n, one in enumerate(things):
            labels = {"language": language, "answers": [], "history": []}
            relevant = [f"{THINGS['en'][n]}.{language}"]
            question = ASKED[language][3].format(one)
            asked.append(
                {"id": f"{language}{n}", "question": question, "relevant": relevant, "answerable": True} | labels
            )
            question = NOT_SOLD[language].format(n)
            asked.append({"id": f"{language}-{n}", "question": question, "relevant": [], "answerable": False} | labels)
    for name, content in (("faq", rows), ("questions", asked)):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in content))


def _cautious(data: Path) -> None:
    folder = data / "releases" / "cautious"
    folder.mkdir(parents=True)
    content = json.loads(BUILT_IN.read_text("utf8")) | {"encoder": "hash-1"}
    for languages in content["thresholds"].values():
        for thresholds in languages.values():
            thresholds |= {"answer": 0.999999, "clarify": 0.999999}
    (folder / "calibration.json").write_text(json.dumps(content))
    (folder / "release.json").write_text(json.dumps({"calibration": "calibration.json"}))
    describe(folder)
    Releases(data / "releases").promote("cautious")


def make_small(data: Path) -> None:
    """Put the small parts in place of the large ones."""
    open_retrieval = lambda settings, release, progress=None: Retrieval(HashEncoder())  # noqa: E731
    bot.assemble.open_retrieval = training.round_tools.open_retrieval = open_retrieval
    training.round_tools.Options = partial(Options, regression=(data / "golden",))  # type: ignore[misc]
    web.demo_company.load_demo = lambda knowledge, progress: None  # the site only
    begin = Learning._begin

    def small(self: Learning, arguments: Sequence[str], log: Path) -> Any:
        rest = arguments[arguments.index("training") :] if "training" in arguments else ["kefu", *arguments[3:]]
        return begin(self, [sys.executable, "-m", __spec__.name, *rest], log)

    Learning._begin = small  # type: ignore[assignment]


def make_slow(data: Path) -> None:
    """Have the long answers wait."""
    pieces = bot.bot.pieces

    def slowly(text: str) -> Iterator[str]:
        if text not in map(long, LONG):
            yield from pieces(text)
            return
        yield text[:_PIECE]
        while not (data / "go-on").exists():
            time.sleep(0.02)
        yield from (text[start : start + _PIECE] for start in range(_PIECE, len(text), _PIECE))

    bot.bot.pieces = slowly  # type: ignore[assignment]


def main(arguments: list[str]) -> None:
    """Serve, or run one of the commands."""
    what, rest = arguments[0], arguments[1:]
    if what in ("training", "kefu"):
        make_small(Path(rest[rest.index("--data") + 1]))
        if what == "training":
            from training.__main__ import main as run

            return run(rest)
        from web.cli import main as kefu

        return kefu(rest)
    data = Path(rest[0])
    if not (data / "releases").exists():
        data.mkdir(parents=True, exist_ok=True)
        prepare(data)
    make_small(data)
    make_slow(data)
    from web.server import serve

    settings = Settings(data=data, port=int(what), demo=True, sign_ins_per_address=1000, api_key="k" * 32)
    serve(settings, on_ready=_ready)


def _ready() -> None:
    sys.stdout.write("ready\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
