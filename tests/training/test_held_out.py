import random

from training.across import answers_as_passages
from training.examples import Group
from training.golden import read_golden_set
from training.held_out import tasks


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
