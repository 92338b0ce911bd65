"""The classroom page for everybody, on any screen, and fast enough. Run by ``make test-pages``."""

import time

import pandas as pd
from playwright.sync_api import expect
from pytest import mark

from sim.summary import episodes
from tests.classroom import PATIENCE, PHONE, PROJECTOR, SHOTS, act, arrow, explore, frame, go, note, runs

pytest_plugins = ["tests.classroom"]


def test_everything_has_a_name_and_numbers_can_be_read_as_text(serving, opened):
    page = opened(serving.address)
    explore(page, 12)
    act(page, arrow("cobweb"))
    frame(page)
    nameless = page.evaluate(
        """() => [...document.querySelectorAll("button, [role=button], input, select, canvas, svg[role]")].filter((node) =>
             !node.getAttribute("aria-label") && !node.textContent.trim() && !node.labels?.length && !node.title)
             .map((node) => node.outerHTML)"""
    )
    assert nameless == []
    page.click("#numbers")
    assert page.locator("#table tbody tr").count() == 16
    page.click("#larger")
    assert page.evaluate("getComputedStyle(document.documentElement).fontSize") == "22px"


@mark.parametrize(("size", "name"), [(PROJECTOR, "projector"), ({"width": 1920, "height": 1080}, "wide"), (PHONE, "phone")])
def test_nothing_runs_out_of_the_screen(folder, opened, size, name):
    page = opened((folder / "index.html").as_uri(), size)
    page.screenshot(path=SHOTS / f"{name}-welcome.png")
    explore(page, 60)
    act(page, "[data-shock=tenant_failure]")
    go(page, 110)
    for view in ("charts", "deal", "regions"):
        page.click(f"[data-view={view}]")
        frame(page)
        page.screenshot(path=SHOTS / f"{name}-{view}.png")
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def test_busts_on_the_page_are_those_of_a_runs_summary(folder, opened):
    page = opened((folder / "index.html").as_uri())
    explore(page, 120)
    capex = runs(page)["history"]("us", "capex")
    months = pd.date_range("2023-01-01", periods=120, freq="MS")
    found = page.evaluate("(values) => caploop.measures.busts(values)", capex)
    expected = [(e["peak"], e["trough"]) for e in episodes(pd.Series(capex, index=months))]
    assert [tuple(str(months[month])[:10] for month in bust) for bust in found] == expected and expected


def test_twenty_years_in_fifteen_seconds_and_a_month_drawn_in_a_tenth(serving, opened):
    """Played at full speed in the browser, every month drawn; the economy is warm, as after a first glance."""
    page = opened(serving.address)
    explore(page, 1)
    page.evaluate(
        """() => { window.spent = []; const draw = caploop.page.draw.bind(caploop.page);
             caploop.page.draw = () => { const at = performance.now(); draw(); window.spent.push(performance.now() - at); };
             caploop.page.pace(40); }"""
    )
    start = time.perf_counter()
    page.click("#play")
    page.wait_for_function("caploop.page.cursor === 240", timeout=PATIENCE)
    seconds = time.perf_counter() - start
    spent = sorted(page.evaluate("window.spent"))
    note(history_seconds=seconds, month_drawn_ms_median=spent[len(spent) // 2], month_drawn_ms_worst=spent[-1])
    assert seconds <= 15.0 and spent[-1] <= 100.0


def test_a_click_is_acknowledged_in_a_fifth_of_a_second(serving, opened):
    """From the click to the change on screen, and to the economy's own word that it has heard."""
    page = opened(serving.address)
    explore(page, 60)
    page.evaluate(
        """() => { window.said = {}; const node = document.querySelector('[data-arrow="capital_scaling"]');
             node.addEventListener("click", () => { window.said.click = performance.now(); }, true);
             const seen = new MutationObserver(() => { window.said.shown ??= performance.now(); });
             seen.observe(document.getElementById("whatif"), { childList: true });
             const heard = caploop.page.heard.bind(caploop.page), made = caploop.page.made.bind(caploop.page);
             caploop.page.heard = (id) => { window.said.heard ??= performance.now(); heard(id); };
             caploop.page.made = (...told) => { window.said.made ??= performance.now(); made(...told); }; }"""
    )
    page.click(arrow("capital_scaling"))
    page.wait_for_function("window.said.made !== undefined")
    said = page.evaluate("window.said")
    ms = {name: said[name] - said["click"] for name in ("shown", "heard", "made")}
    note(**{f"click_{name}_ms": value for name, value in ms.items()})
    assert ms["shown"] <= 200.0 and ms["heard"] <= 200.0


def test_five_sessions_stay_usable(serving, opened):
    """Five pages play at once; each goes on, and a click in each is shown at once."""
    pages = [opened(serving.address) for _ in range(5)]
    for page in pages:
        page.click("#explore")
        page.evaluate("caploop.page.pace(10)")
        page.click("#play")
    start = time.perf_counter()
    for page in pages:
        page.wait_for_function("caploop.page.cursor >= 36", timeout=PATIENCE)
    note(five_sessions_36_months_seconds=time.perf_counter() - start)
    for page in pages:
        page.click(arrow("cobweb"))
        expect(page.locator("#whatif li")).to_have_count(1, timeout=1000)
    assert all(page.evaluate("caploop.page.cursor") >= 36 for page in pages)
