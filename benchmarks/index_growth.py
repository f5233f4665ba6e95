"""Dense search alone at growing sizes, exact and in lists, over synthetic vectors: latency, recall, time to make.

    python -m benchmarks.index_growth [ROWS…]

The vectors lie in clusters as texts on one matter do: a centre for each 50, and noise. Prints one JSON line a size.
"""

import json
import sys
import time
from collections.abc import Sequence

import numpy as np

from knowledge_base.index import DenseIndex
from knowledge_base.types import Vectors

_DIMENSION = 384
_CHUNK = 20_000
_QUERIES = 300
_NOISE = 0.7


def main(sizes: Sequence[int]) -> None:
    """Measure each size, the smallest first."""
    random = np.random.default_rng(7)
    for rows in sorted(sizes):
        centres = _unit(random.standard_normal((max(1, rows // 50), _DIMENSION)))
        index = DenseIndex(_DIMENSION)
        for start in range(0, rows, _CHUNK):
            ids = list(range(start, min(start + _CHUNK, rows)))
            index.add(ids, _near(centres, len(ids), random))
        queries = _near(centres, _QUERIES, random)
        before = _milliseconds(index, queries[:19])  # as few as make no lists
        began = time.perf_counter()
        made = index.settle()
        seconds = time.perf_counter() - began
        after = _milliseconds(index, queries)
        result = {"rows": rows, "exact_p50_ms": before[0], "p50_ms": after[0], "p95_ms": after[1]}
        if made:
            result |= {"lists": made.lists, "probed": made.probed, "recall_at_10": round(made.recall, 4)}
            result["made_in_s"] = round(seconds, 1)
        sys.stdout.write(json.dumps(result) + "\n")
        sys.stdout.flush()


def _milliseconds(index: DenseIndex, queries: Vectors) -> tuple[float, float]:
    spent = []
    for query in queries:
        began = time.perf_counter()
        index.search(query, 50)
        spent.append(1000 * (time.perf_counter() - began))
    return round(float(np.median(spent)), 2), round(float(np.quantile(spent, 0.95)), 2)


def _near(centres: Vectors, count: int, random: np.random.Generator) -> Vectors:
    noise = random.standard_normal((count, _DIMENSION)) * _NOISE / np.sqrt(_DIMENSION)
    return _unit(centres[random.integers(len(centres), size=count)] + noise)


def _unit(rows: Vectors) -> Vectors:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


if __name__ == "__main__":
    main([int(rows) for rows in sys.argv[1:]] or [10_000, 100_000, 200_000])
