"""The classroom page's lessons, clicked from hook to answer, live and from a folder. Run by ``make test-pages``."""

from playwright.sync_api import expect
from pytest import mark

from analysis.app.catalog import lessons
from tests.classroom import NAMES, act, arrow, check_answer, explore, frame, settle, study

pytest_plugins = ["tests.classroom"]


@mark.parametrize("lesson", lessons(), ids=NAMES)
def test_a_lesson_can_be_taken_from_its_hook_to_its_answer(serving, opened, lesson):
    page = opened(serving.address)
    study(page, lesson["name"])
    check_answer(page, lesson)


@mark.parametrize("lesson", lessons(), ids=NAMES)
def test_a_lesson_can_be_taken_from_a_memory_stick(folder, opened, lesson):
    page = opened((folder / "index.html").as_uri())
    study(page, lesson["name"])
    check_answer(page, lesson)


def test_a_lesson_can_be_taken_with_the_keyboard_alone(folder, opened):
    page = opened((folder / "index.html").as_uri())
    page.focus("[data-lesson=cheap_money]")
    page.keyboard.press("Enter")
    for month in (60, 60, 120):
        page.wait_for_selector("#next:not([disabled])")
        assert page.evaluate("document.activeElement.id") == "next"
        page.keyboard.press("Enter")
        settle(page, month)
    page.wait_for_selector("[data-guess=less]")
    page.focus("[data-guess=less]")
    page.keyboard.press("Enter")
    page.wait_for_selector("table.answer")


def test_a_folder_greys_what_was_not_computed_and_says_why(folder, opened):
    page = opened((folder / "index.html").as_uri())
    explore(page, 40)
    frame(page)
    assert page.get_attribute('[data-arrow="cobweb"]', "aria-disabled") == "true"
    page.click(arrow("cobweb"), force=True)  # a grey arrow can be clicked, to hear why it is grey
    expect(page.locator("#notice")).to_contain_text("computed runs")
    page.click("#notice button")
    page.click("button.stop")
    settle(page, 60)
    frame(page)
    assert page.get_attribute('[data-arrow="cobweb"]', "aria-disabled") == "false"
    act(page, arrow("cobweb"))
    act(page, "[data-shock=launch]")
    assert page.locator("#whatif li").count() == 1


def test_the_default_folder_would_be_small_enough_for_any_stick(folder):
    """Fifteen megabytes for 33 changes over twenty years, by the size of a month here."""
    sizes = [file.stat().st_size for file in (folder / "data").glob("*-60.js")]
    month = sum(sizes) / len(sizes) / 60
    assert 11 * month * (216 + 180 + 144) + 240 * month < 15e6
