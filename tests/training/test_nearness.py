from training.examples import Topic
from training.nearness import least_support, near


def test_half_of_the_relevant_come_near() -> None:
    assert near([0.01, 0.02, 0.03, 0.04, 0.05]) == 0.03
    assert near([]) == 0.0


def test_true_sentences_are_supported() -> None:
    passage = {
        "zh": "签收之后七天之内可以在订单页申请退货。",
        "en": "You may return goods within seven days of receipt.",
    }
    said = {"zh": "签收之后七天之内可以申请退货。", "en": "Return goods within seven days of receipt."}
    invented = {"zh": "我们向火星发射蓝色卫星火箭。", "en": "Purple elephants dance gracefully around volcanoes."}
    title = {"zh": "退货", "en": "Returns"}

    def topic(answer: dict[str, str]) -> Topic:
        return Topic("t", "c", title, {"zh": (), "en": ()}, passage, answer)

    assert least_support([topic(said)]) > 0.9
    assert least_support([topic(invented)]) < 0.2
    assert least_support([]) == 0.0
