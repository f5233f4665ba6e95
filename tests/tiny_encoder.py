"""A whole sentence-transformers folder of one random layer, with E5's prompts: real code paths without real weights."""

from pathlib import Path

import numpy as np

from knowledge_base.e5s1 import E5S1, FLOAT32, Shape, Vocabulary
from knowledge_base.embedded_encoder import _bert_shapes, write_folder
from knowledge_base.model_folder import silent

LETTERS = "abcdefghijklmnopqrstuvwxyz:退货怎么申请"
_PIECES = ("<s>", "<pad>", "</s>", "<unk>", "▁", *LETTERS)
SHAPE = Shape(32, 1, 2, 64, len(_PIECES), 64, 2, 1e-12)


def tiny_encoder(folder: Path) -> Path:
    """The folder, filled; the same weights each time."""
    random = np.random.default_rng(0)
    tensors = {}
    for name, (_, size) in _bert_shapes(SHAPE).items():
        values = random.standard_normal(size).astype("<f4")
        tensors[name] = (FLOAT32, values.size, memoryview(values.tobytes()))
    vocabulary = Vocabulary(_PIECES, tuple(-float(i) for i in range(len(_PIECES))), 0, 2, 1, 3, {})
    write_folder(E5S1(SHAPE, vocabulary, tensors), folder, silent)
    return folder
