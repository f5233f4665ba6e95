"""Search and indexing against their bare parts, measured in turn in one process.

search: KnowledgeBase.search over N passages / (encode one query + one exact FAISS search over the same vectors).
add: passages/s of KnowledgeBase.put / passages/s of SentenceTransformer.encode over the same texts.
"""

import random
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import faiss
import numpy as np

from knowledge_base.assemble import open_in
from knowledge_base.encoder import SentenceTransformerEncoder
from knowledge_base.retrieval import Retrieval
from knowledge_base.types import Document, Progress, Vectors

THINGS_ZH = "电饭煲 空气净化器 羽绒被 咖啡机 炒锅 吸尘器 台灯 书架 床垫 水壶 烤箱 风扇 加湿器 地毯 衣架".split()
DEEDS_ZH = "清洗 安装 保修 退货 更换滤芯 除垢 充电 折叠 收纳 寄送 开发票 兑换积分 预约维修 查询订单".split()
THINGS_EN = (
    "rice cooker,air purifier,duvet,coffee machine,wok,vacuum cleaner,desk lamp,bookshelf,mattress,kettle".split(",")
)
DEEDS_EN = "clean,install,repair,return,replace,descale,charge,fold,store,ship,invoice,redeem,book,track".split(",")


class RandomPassages:
    """An encoder with the real one's queries and random passages: the size of an index, not its meaning, matters."""

    def __init__(self, encoder: SentenceTransformerEncoder) -> None:
        self.dimension, self.fingerprint = encoder.dimension, "random passages"
        self.max_tokens = encoder.max_tokens
        self.encode_queries, self.count_tokens = encoder.encode_queries, encoder.count_tokens
        self._random = np.random.default_rng(0)

    def encode_passages(self, texts: Sequence[str], progress: Progress | None = None) -> Vectors:
        rows = self._random.standard_normal((len(texts), self.dimension)).astype(np.float32)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def sentence(dice: random.Random, chinese: bool) -> str:
    things, deeds = (THINGS_ZH, DEEDS_ZH) if chinese else (THINGS_EN, DEEDS_EN)
    thing, deed, first = dice.choice(things), dice.choice(deeds), dice.choice(deeds)
    number, days = dice.randint(2, 900), dice.randint(1, 60)
    if chinese:
        return f"{thing}第{number}号的{deed}需要{days}天，请先{first}。"
    return f"To {deed} the {thing} no {number}, {first} it within {days} days. "


def document(number: int, dice: random.Random, sentences: int) -> Document:
    chinese = number % 2 == 0
    text = "".join(sentence(dice, chinese) for _ in range(sentences))
    return Document(f"d{number}", f"{'说明' if chinese else 'Manual'} {number}", text, "zh" if chinese else "en")


def search_ratio(encoder: SentenceTransformerEncoder, passages: int, queries: int = 200) -> dict[str, float]:
    """Medians in ms of whole search and bare parts, each query once by each in turn, and their ratio."""
    dice = random.Random(7)
    with tempfile.TemporaryDirectory() as folder:
        knowledge = open_in(Path(folder), Retrieval(RandomPassages(encoder)))
        knowledge.put([document(n, dice, 3) for n in range(passages)])
        bare = faiss.IndexFlatIP(encoder.dimension)
        bare.add(RandomPassages(encoder).encode_passages([""] * passages))
        asked = [sentence(dice, n % 2 == 0) + str(n) for n in range(2 * queries)]

        def whole(query: str) -> None:
            knowledge.search(query, "zh")

        def parts(query: str) -> None:
            bare.search(encoder.encode_queries([query]), 10)

        for warm in asked[:5]:
            whole(warm + "a")
            parts(warm + "b")
        times = {"search": [], "bare": []}
        for n in range(queries):
            times["search"].append(milliseconds(whole, asked[2 * n]))
            times["bare"].append(milliseconds(parts, asked[2 * n + 1]))
        knowledge.close()
    search, own = statistics.median(times["search"]), statistics.median(times["bare"])
    return {"passages": passages, "search_ms": search, "bare_ms": own, "ratio": search / own}


def add_ratio(encoder: SentenceTransformerEncoder, documents: int = 24, runs: int = 5) -> dict[str, float]:
    """Median over runs of passages/s of put over passages/s of bare encode of the same passages, in turn."""
    ratios, rates = [], []
    for run in range(runs):
        dice = random.Random(run)
        batch = [document(n, dice, 40) for n in range(documents)]
        with tempfile.TemporaryDirectory() as folder:
            knowledge = open_in(Path(folder), Retrieval(encoder))
            began = time.perf_counter()
            passages = sum(put.encoded for put in knowledge.put(batch))
            put_seconds = time.perf_counter() - began
            texts = [row.search_text for row in knowledge._store.index_rows(knowledge._store.entry_ids())]
            knowledge.close()
        began = time.perf_counter()
        encoder._model.encode([f"passage: {text}" for text in texts], show_progress_bar=False)
        bare_seconds = time.perf_counter() - began
        ratios.append(bare_seconds / put_seconds)
        rates.append(passages / put_seconds)
    return {"passages_per_s": statistics.median(rates), "ratio": statistics.median(ratios)}


def milliseconds(call: Callable[[str], None], query: str) -> float:
    began = time.perf_counter()
    call(query)
    return (time.perf_counter() - began) * 1000
