import re

import pytest

from bot.wording import say, sentences

_HAN = re.compile(r"[\u3400-\u9fff]")


@pytest.mark.parametrize("name", sentences())
def test_every_sentence_stands_in_both_languages(name: str) -> None:
    assert set(sentences()[name]) == {"zh", "en"}
    zh, en = say(name, "zh"), say(name, "en")
    assert _HAN.search(zh) and not _HAN.search(en)
    assert "!" not in zh + en and "！" not in zh
    assert set(re.findall(r"{\w+}", zh)) == set(re.findall(r"{\w+}", en))
    assert not re.search(r"[,.;?!:]", zh), "Chinese punctuation in Chinese"
    assert "你" not in zh, "customers are addressed as 您"


def test_an_unknown_sentence_names_the_remedy() -> None:
    with pytest.raises(ValueError, match="unknown wording 'nonsense'; add it"):
        say("nonsense", "zh")
