"""Pages of reports in headless Chromium: offline, without errors, at every width, in light and dark, and on paper.

Needs Chromium (Debian: ``apt-get install chromium``; or CHROMIUM=/path/to/it). Screenshots stay in ``outputs/pages``.
"""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from analysis.decisions.policies import load
from analysis.report import comparison as written
from tests.classroom import SHOTS
from tests.comparisons import comparison

pytest_plugins = ["tests.classroom"]  # one browser for all pages

LOOKS = {"desktop": (1180, "light"), "dark": (1180, "dark"), "phone": (375, "light")}
PAGES = {
    "comparison": {},
    "same": {"labels": ("baseline", "baseline again"), "shift": 0.0},
    "several": {"labels": ("baseline", "one", "two")},
    "policies": {"labels": tuple(load().scenarios), "policies": True},
    "nasty": {"labels": ("baseline", "<script>alert(1)</script>")},
}


@pytest.fixture(scope="module")
def pages(tmp_path_factory) -> dict[str, Path]:
    home = tmp_path_factory.mktemp("pages")
    return {name: written(comparison(home / name, **options)) for name, options in PAGES.items()}


def opened(browser: Browser, path: Path, look: str) -> tuple[Page, list[str]]:
    """A page without a network, and what it complained of or asked for."""
    width, scheme = LOOKS[look]
    page = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, offline=True).new_page()
    trouble: list[str] = []
    page.on("console", lambda message: trouble.append(message.text))
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.on("dialog", lambda dialog: trouble.append(dialog.message))
    page.on("request", lambda request: None if request.url.startswith(("file:", "data:")) else trouble.append(request.url))
    page.goto(path.as_uri())
    return page, trouble


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("name", PAGES)
def test_a_page_loads_offline_without_errors_and_fits_its_width(browser, pages, name, look):
    page, trouble = opened(browser, pages[name], look)
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / f"report-{name}-{look}.png", full_page=True)
    assert trouble == []
    assert page.evaluate("document.documentElement.scrollWidth") <= LOOKS[look][0]
    assert page.locator(".answer li").count() == 5
    assert page.locator(".panel svg").count() >= 10


@pytest.mark.parametrize("name", PAGES)
def test_no_drawing_leaves_its_panel_and_no_two_ids_are_the_same(browser, pages, name):
    page, _ = opened(browser, pages[name], "desktop")
    assert page.evaluate("[...document.querySelectorAll('[id]')].map(e => e.id).filter((x, i, all) => all.indexOf(x) !== i)") == []
    outside = """[...document.querySelectorAll('.panel svg')].flatMap(s => [...s.querySelectorAll('text')].filter(t => {
        const a = s.getBoundingClientRect(), b = t.getBoundingClientRect();
        return b.left < a.left - 12 || b.right > a.right + 12 || b.top < a.top - 8 || b.bottom > a.bottom + 8;
    }).map(t => t.textContent))"""
    assert page.evaluate(outside) == []


@pytest.mark.parametrize("name", PAGES)
def test_every_link_within_a_page_leads_somewhere(browser, pages, name):
    page, _ = opened(browser, pages[name], "desktop")
    links = "[...document.querySelectorAll('a[href^=\"#\"]')].map(a => decodeURIComponent(a.hash.slice(1)))"
    dead = f"{links}.filter(i => !document.getElementById(i))"
    assert page.evaluate(dead) == []


def test_a_click_on_a_heading_sorts_by_it_and_a_second_turns_the_order(browser, pages):
    page, _ = opened(browser, pages["comparison"], "desktop")
    table = page.locator("#t-differences-other table")
    column = [text.strip() for text in table.locator("th button").all_text_contents()].index("difference")
    for order in (1, -1):
        table.locator("th button").nth(column).click()
        values = [
            float(v) for v in table.locator(f"tbody tr td:nth-child({column + 1})").evaluate_all("c => c.map(x => x.dataset.v)")
        ]
        assert values == sorted(values, reverse=order < 0) and len(set(values)) > 10


def test_a_link_to_numbers_opens_them(browser, pages):
    page, _ = opened(browser, pages["comparison"], "desktop")
    table = page.locator("#t-mechanism-other")
    assert table.get_attribute("open") is None
    page.locator(".answer a[href='#t-mechanism-other']").click()
    assert table.get_attribute("open") is not None


def test_a_page_prints_on_few_sheets_with_its_answer_and_differences(browser, pages):
    page, _ = opened(browser, pages["comparison"], "desktop")
    paper = page.pdf(path=SHOTS / "report-comparison.pdf", prefer_css_page_size=True)
    assert paper[:5] == b"%PDF-" and 4 <= paper.count(b"/Type /Page\n") <= 20
