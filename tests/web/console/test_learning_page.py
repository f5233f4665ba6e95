"""An example is approved, a candidate compared, promoted and rolled back, in a real browser."""

import hashlib
import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import insert

from bot.examples import Example, Examples
from bot.releases import SHIPPED
from bot.tables import conversation
from knowledge_base.database import open_database
from tests.web.console.conftest import Console
from training import judgement
from training.gate import Compared, Limits, gate
from training.golden import Question
from training.metrics import Judged
from training.release import describe

pytestmark = pytest.mark.browser
WORDS: dict[str, dict[str, str]] = {
    "zh": {
        "masked": "已隐去：电话 ×1",
        "reject": "拒绝",
        "save": "保存并批准",
        "answer": "正确的回答",
        "see": "查看比较结果",
        "passed": "通过：没有发现变差。",
        "refused": "评测题目太少：60 题",
        "promote": "上线",
        "anyway": "仍要上线",
        "serving": "当前使用",
        "back": "回滚",
        "few": "已批准的样本还不够：现有 2 条，至少需要 50 条。",
        "start": "开始训练",
        "better": "变好的题目（20）",
        "abstains": "不作答",
        "left": "待核对 {} 条，共 3 条",
        "right": "标注正确",
        "wrong": "拒绝样本",
        "sure": "标注已确认",
        "undo": "撤销",
        "gone": "样本已删除",
    },
    "en": {
        "masked": "Masked: phone ×1",
        "reject": "Reject",
        "save": "Save and approve",
        "answer": "The right answer",
        "see": "See the comparison",
        "passed": "Passed: nothing was found to be worse.",
        "refused": "too few questions to judge by: 60",
        "promote": "Promote",
        "anyway": "Promote anyway",
        "serving": "Serving",
        "back": "Roll back",
        "few": "There are too few approved examples: 2 so far, and it takes 50.",
        "start": "Start a round",
        "better": "What improved (20)",
        "abstains": "does not answer",
        "left": "{} of 3 left to look at",
        "right": "The label is right",
        "wrong": "Reject the example",
        "sure": "Label confirmed",
        "undo": "Undo",
        "gone": "The example has been erased",
    },
}


_IDS = [hashlib.sha256(f"{n}".encode()).hexdigest() for n in range(3)]


def keep_examples(data: Path) -> None:
    engine = open_database(f"sqlite:///{data / 'kefu.sqlite'}")
    with engine.begin() as connection:
        connection.execute(insert(conversation).values(id="c1", opened=datetime.now(UTC)))
    examples = [
        Example(
            _IDS[n], "c1", "staff", "en", f"<b>question {n}</b>", f"answer {n}",
            masked={"phone": 1}, at=datetime(2026, 1, 10 - n, tzinfo=UTC),
        )
        for n in range(3)
    ]  # fmt: skip
    Examples(engine).add(examples)
    engine.dispose()


def make_release(data: Path, name: str, limits: Limits) -> None:
    """A candidate that differs from the release that ships in how it was judged only."""
    folder = data / "releases" / name
    shutil.copytree(SHIPPED, folder)
    right, silent = Judged("faq", "Seven days.", 0.9, ("a",), ("a",)), Judged("abstain", "", 0.2, ("a",), ())
    compared = []
    for language in ("zh", "en"):
        for n in range(60):
            question = Question(f"{language}{n}", f"<i>{language} {n}</i>", language, frozenset({"a"}), (), True)  # type: ignore[arg-type]
            compared.append(Compared("company", question, silent if n < 10 else right, right))
    lesson = {"part": "calibration", "train": True, "name": {"zh": "校准", "en": "c"}, "why": {"zh": "够", "en": "yes"}}
    about: dict[str, Any] = {
        "candidate": name, "current": "default", "round": name, "lessons": [lesson],
        "dataset": {"hash": "0" * 64, "train": 0, "fit": 40, "held_out": 10, "judging": 60},
        "doubtful": [
            {"question": f"<u>how long</u> {id[:1]}", "label": "Opening hours", "found": "Warranty", "id": id}
            for id in ("gone", *_IDS[:2])
        ],
    }  # fmt: skip
    judgement.write(judgement.judgement(gate(compared, limits), limits, about), folder)
    describe(folder)


def release_card(page: Page, name: str) -> Any:
    return page.get_by_test_id("release").filter(has_text=name)


def look_at_labels(page: Page, said: dict[str, str]) -> None:
    """Of three doubtful labels one is right, one is not, and the example of one is gone."""
    labels = page.get_by_test_id("doubtful").locator(".q-card")
    expect(labels).to_contain_text(["<u>how long</u>"] * 3)
    expect(labels.first).to_contain_text("Warranty")
    expect(page.get_by_text(said["left"].format(2))).to_be_visible()
    for _ in range(2):
        labels.first.get_by_role("button", name=said["right"]).click()
        expect(labels.first).to_contain_text(said["sure"])
        labels.first.get_by_role("button", name=said["undo"]).click()
    labels.first.get_by_role("button", name=said["right"]).click()
    labels.nth(1).get_by_role("button", name=said["wrong"]).click()
    expect(page.get_by_text(said["left"].format(0))).to_be_visible()
    page.reload()
    expect(page.get_by_text(said["left"].format(0))).to_be_visible()
    expect(labels.filter(has_text=said["sure"])).to_have_count(1)
    expect(labels.filter(has_text=said["gone"])).to_have_count(1)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_from_an_example_to_a_release_and_back(console: Console, language: str) -> None:
    said = WORDS[language]
    keep_examples(console.data)
    make_release(console.data, "spring", Limits())
    make_release(console.data, "autumn", Limits(fewest=1000))
    page = console.page("trainer", language)

    page.goto(f"{console.url}/console/learning")
    queue = page.get_by_test_id("example")
    expect(queue).to_have_count(3)
    expect(queue.first).to_contain_text(said["masked"])
    expect(queue.first).to_contain_text("<b>question 0</b>")
    page.keyboard.press("j")
    expect(queue.nth(1)).to_have_attribute("aria-current", "true")
    page.keyboard.press("a")
    expect(queue).to_have_count(2)
    page.keyboard.press("u")
    expect(queue).to_have_count(3)
    page.keyboard.press("a")
    expect(queue).to_have_count(2)
    page.keyboard.press("k")
    page.keyboard.press("e")
    page.get_by_label(said["answer"]).fill("a better answer, approved")
    page.get_by_role("button", name=said["save"]).click()
    expect(queue).to_have_count(1)
    queue.get_by_role("button", name=said["reject"]).click()
    expect(page.get_by_test_id("queue").locator(".k-empty")).to_be_visible()
    with console.client("trainer") as client:
        kept = client.get("/api/learning/examples", params={"status": "approved"}).json()
        assert kept["total"] == 2 and "a better answer, approved" in json.dumps(kept)

    page.goto(f"{console.url}/console/learning?tab=rounds")
    expect(page.get_by_test_id("lesson").first).to_contain_text(said["few"])
    expect(page.get_by_role("button", name=said["start"])).to_be_disabled()

    page.goto(f"{console.url}/console/learning?tab=releases")
    expect(release_card(page, "autumn").get_by_role("button", name=said["anyway"])).to_be_visible()
    release_card(page, "autumn").get_by_role("link", name=said["see"]).click()
    expect(page.get_by_test_id("verdict")).to_contain_text(said["refused"])
    page.goto(f"{console.url}/console/learning/releases/spring")
    expect(page.get_by_test_id("verdict")).to_contain_text(said["passed"])
    expect(page.get_by_text(said["better"])).to_be_visible()
    changed = page.get_by_test_id("got_better").locator(".q-card").first
    expect(changed).to_contain_text("<i>")
    expect(changed).to_contain_text(said["abstains"])
    expect(changed).to_contain_text("Seven days.")

    look_at_labels(page, said)
    with console.client("trainer") as client:
        kept = {one["id"]: one for one in client.get("/api/learning/examples").json()["items"]}
        assert (kept[_IDS[0]]["sure"], kept[_IDS[1]]["status"]) == (True, "rejected")

    page.get_by_role("button", name=said["promote"], exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name=said["promote"], exact=True).click()
    expect(release_card(page, "spring").get_by_text(said["serving"])).to_be_visible(timeout=90_000)
    release_card(page, "spring").get_by_role("button", name=said["back"]).click()
    expect(page.get_by_test_id("release").first.get_by_text("default", exact=True)).to_be_visible()
    expect(page.get_by_test_id("release").first.get_by_text(said["serving"])).to_be_visible()


def test_who_may_not_train_reviews_only(console: Console) -> None:
    page = console.page("agent", "en")
    page.goto(f"{console.url}/console/learning?tab=rounds")
    expect(page.get_by_text("Training and promoting need the role trainer or admin.")).to_be_visible()
    page.goto(f"{console.url}/console/learning")
    expect(page.get_by_role("link", name="Releases")).to_have_count(0)
