import random

from bot.prompt import ABSTAIN
from training.examples import Group, Topic
from training.grounded import paragraph_examples, topic_examples


def topic(number: int) -> Topic:
    both = {"zh": f"资料{number}。", "en": f"Fact {number}."}
    questions = {"zh": (f"问{number}",), "en": (f"ask {number}",)}
    return Topic(f"t{number}", f"c{number // 3}", {"zh": "题", "en": "Title"}, questions, both, both)


def test_an_example_answers_from_what_it_shows_or_abstains() -> None:
    examples = list(topic_examples([topic(n) for n in range(9)], random.Random(1), 8))
    assert len(examples) == 72
    abstaining = [example for example in examples if example.answer == ABSTAIN]
    assert 8 < len(abstaining) < 30
    for example in examples:
        asked = example.messages[-1]["content"]
        number = "".join(c for c in asked.splitlines()[-1] if c.isdigit())
        fact = f"资料{number}。" if "问题" in asked.splitlines()[-1] else f"Fact {number}."
        assert (fact in asked) == (example.answer != ABSTAIN)
        assert example.answer in (ABSTAIN, fact)
    assert any(len(example.messages) > 2 for example in examples)
    assert {message["role"] for example in examples for message in example.messages} == {"system", "user", "assistant"}


def test_topics_of_a_cluster_are_held_out_together() -> None:
    examples = list(topic_examples([topic(n) for n in range(90)], random.Random(1), 2))
    kept = {example.messages[-1]["content"].split("\n")[-1] for example in examples if example.held_out}
    numbers = sorted({int("".join(c for c in line if c.isdigit())) for line in kept})
    assert numbers and all(n // 3 * 3 + i in numbers for n in numbers for i in range(3))


def test_a_paragraph_is_answered_by_the_sentence_that_holds_the_answer() -> None:
    groups = [
        Group(
            "qa", f"{n}/0", (f"when {n}",), (f"Title\nFirst part {n}. It was in the year {1900 + n}.",), str(n), False
        )
        for n in range(20)
    ]
    answers = {f"when {n}": str(1900 + n) for n in range(20)}
    examples = list(paragraph_examples(groups, answers, random.Random(2), 20))
    told = [example for example in examples if example.answer != ABSTAIN]
    assert len(told) > 8 and len(examples) > len(told)
    for example in told:
        number = example.messages[-1]["content"].splitlines()[-1].rpartition(" ")[2]
        assert example.answer == f"It was in the year {1900 + int(number)}."
