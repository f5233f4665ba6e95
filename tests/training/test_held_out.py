import random

import torch
from torch import nn

from training.across import answers_as_passages
from training.by_length import ByLength
from training.examples import Group
from training.golden import read_golden_set
from training.held_out import tasks


class _Sum(nn.Module):
    """Embeds a text as the sum of its tokens; counts how many tokens it was given, padding included."""

    seen = 0

    def forward(self, features: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        ids = features["input_ids"] * features["attention_mask"]
        self.seen += ids.numel()
        return {"sentence_embedding": ids.sum(1, keepdim=True).float()}


def test_parts_of_like_length_give_the_same_embeddings_with_less_padding() -> None:
    lengths = torch.tensor([9, 2, 7, 1, 3, 8, 2, 2, 1, 6, 2, 3])
    mask = (torch.arange(9)[None] < lengths[:, None]).long()
    features = {"input_ids": torch.arange(1, 109).reshape(12, 9), "attention_mask": mask, "prompt": "x"}
    plain, parted = _Sum(), _Sum()
    wanted = plain({k: v for k, v in features.items() if k != "prompt"})["sentence_embedding"]  # type: ignore[misc]
    torch.testing.assert_close(ByLength(parted)(features)["sentence_embedding"], wanted)
    assert parted.seen < 0.8 * plain.seen


def groups() -> list[Group]:
    made = [
        Group("topics", f"t{n}", (f"问{n}", f"再问{n}", f"ask {n}", f"again {n}"), (f"p{n}",), f"c{n}")
        for n in range(120)
    ]
    return made + [Group("qa", f"q{n}", (f"who {n}", f"when {n}"), (f"text {n}",), "", False) for n in range(120)]


def test_each_question_has_its_own_text_among_distractors() -> None:
    found = {name: (queries, corpus, relevant) for name, queries, corpus, relevant in tasks(groups(), random.Random(1))}
    assert set(found) == {"topics_queries", "topics_across", "topics_passages", "qa_passages"}
    for queries, corpus, relevant in found.values():
        assert set(queries) == set(relevant) and all(relevant[i] == {i} and i in corpus for i in queries)
        assert len(corpus) > len(queries) >= 5
    queries, corpus, _ = found["topics_across"]
    assert all(queries[i].isascii() != corpus[i].isascii() for i in queries)
    queries, corpus, _ = found["topics_queries"]
    assert all(queries[i].isascii() == corpus[i].isascii() and queries[i] != corpus[i] for i in queries)


def test_answers_become_documents_and_questions_stay(folder, tmp_path) -> None:  # type: ignore[no-untyped-def]
    (folder / "passages.jsonl").unlink()
    rows = (folder / "questions.jsonl").read_text("utf8").splitlines()
    (folder / "questions.jsonl").write_text("\n".join(row for row in rows if '"p2"' not in row), "utf8")
    assert answers_as_passages(folder, tmp_path / "out") == 2
    made = read_golden_set(tmp_path / "out")
    assert [document.text for document in made.documents] == ["在订单页申请。", "Three days."]
    assert made.questions[0].relevant == {"f1"}
