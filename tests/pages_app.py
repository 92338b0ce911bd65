"""The classroom page in a real browser, clicked from end to end. Run by ``make test-pages``; screenshots stay in outputs/pages."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
from playwright.sync_api import expect, sync_playwright
from pytest import approx, fixture, mark

from analysis.app import measures
from analysis.app.catalog import lessons
from analysis.app.changes import menu
from sim.summary import episodes

CHROMIUM = shutil.which(os.environ.get("CHROMIUM", "chromium"))
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
SHOTS = Path(__file__).parents[1] / "outputs" / "pages"
expect.set_options(timeout=120_000)
PATIENCE = 240_000  # ms, for a busy machine; what must be fast is timed on its own
PROJECTOR, PHONE = {"width": 1280, "height": 720}, {"width": 390, "height": 844}
NAMES = [lesson["name"] for lesson in lessons()]


class Serving:
    """The program itself, in a process of its own."""

    def __init__(self, port: int = 0) -> None:
        command = [sys.executable, "-m", "analysis", "app", "--no-browser", "--port", str(port)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.address = re.search(r"http://\S+/", self.process.stdout.readline())[0]
        self.port = int(self.address.rpartition(":")[2].rstrip("/"))

    def stop(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(30)


@fixture(scope="module")
def serving():
    server = Serving()
    yield server
    assert server.stop() in (0, 130)


@fixture(scope="module")
def browser():
    SHOTS.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as driver:
        found = driver.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield found
        found.close()


@fixture
def opened(browser):
    """Opens pages; none may log an error, and none may show a stack trace."""
    contexts, wrong = [], []

    def open_page(address: str, viewport=PROJECTOR, strict: bool = False):
        contexts.append(browser.new_context(viewport=viewport, bypass_csp=not strict))
        page = contexts[-1].new_page()
        page.set_default_timeout(PATIENCE)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda said: wrong.append(said.text) if said.type == "error" and "WebSocket" not in said.text else None)
        page.goto(address)
        page.wait_for_selector("#explore")
        return page

    yield open_page
    texts = [page.inner_text("body") for context in contexts for page in context.pages]
    for context in contexts:
        context.close()
    assert wrong == []
    assert not any("Traceback" in text or "undefined" in text or "NaN" in text for text in texts)


@fixture(scope="module")
def folder(tmp_path_factory):
    """A small static site: ten years, changes at month 60."""
    place = tmp_path_factory.mktemp("stick") / "site"
    done = subprocess.run(
        [sys.executable, "-m", "analysis", "app", "--export", str(place), "--at", "60", "horizon_years=10"], check=False
    )
    assert done.returncode == 0
    return place


def settle(page, month):
    """Wait until a month is on screen and nothing is being made."""
    page.wait_for_function(
        f"caploop.page.cursor === {month} && !caploop.page.pending && caploop.page.tracks.end >= {month}", timeout=PATIENCE
    )


def go(page, month):
    page.evaluate(f"caploop.page.go({month})")
    settle(page, month)


def explore(page, month):
    page.click("#explore")
    go(page, month)


def act(page, selector):
    """Click, and wait until the futures have come."""
    page.click(selector)
    page.wait_for_function("!caploop.page.pending && caploop.page.tracks.end >= caploop.page.cursor")
    frame(page)


def frame(page):
    """Let the page draw."""
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def arrow(name):
    return f'[data-arrow="{name}"] .label'


def runs(page):
    """Both futures, as measures take them."""
    series = page.evaluate(
        """() => Object.fromEntries(["history", "what_if"].map((future) => [future,
             Object.fromEntries(caploop.catalog.fields.map((name) =>
               [name, caploop.page.tracks.series(future, ...name.split(/\\.(.*)/s).slice(0, 2), caploop.page.cursor)]))]))"""
    )
    return {name: lambda region, column, own=own: own[f"{region}.{column}"] for name, own in series.items()}


def study(page, name):
    """A lesson from its card to its answer."""
    page.click(f"[data-lesson={name}]")
    for month in (60, 60, 120):
        page.click("#next:not([disabled])")
        settle(page, month)
        frame(page)
        page.screenshot(path=SHOTS / f"{name}-{page.evaluate('caploop.page.lesson.done')}.png")
    page.click("[data-guess=same]")
    page.wait_for_selector("table.answer")
    frame(page)
    page.screenshot(path=SHOTS / f"{name}-answer.png")


def check_answer(page, lesson):
    """The page's words and numbers are those that Python measures on the same months."""
    found = runs(page)
    assert lesson["verdict"][measures.verdict(found, lesson, 60, 120)] in page.inner_text(".verdict")
    for line, row in zip(lesson["answer"], page.query_selector_all(".answer tbody tr"), strict=True):
        said, *cells = row.inner_text().split("\t")
        assert said == line["says"]
        for name, cell in zip(("history", "what_if"), cells, strict=True):
            value = measures.measure(found[name], line, lesson["region"], 60, 120)
            assert cell == page.evaluate("([value, unit]) => caploop.number(value, unit)", [value, line["unit"]])


# -- lessons -----------------------------------------------------------------------------------------------------------


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


# -- the folder --------------------------------------------------------------------------------------------------------


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


# -- cutting -----------------------------------------------------------------------------------------------------------


def test_every_arrow_can_be_cut_in_month_60_and_both_futures_stay(serving, opened):
    page = opened(serving.address)
    explore(page, 60)
    for each in menu()["arrows"]:
        act(page, arrow(each["name"]))
        go(page, 72)
        found = runs(page)
        assert found["history"]("us", "capex")[:60] == found["what_if"]("us", "capex")[:60]
        assert found["history"]("us", "capex")[60:] != found["what_if"]("us", "capex")[60:]
        frame(page)
        assert page.get_attribute(f'[data-arrow="{each["name"]}"]', "aria-pressed") == "true"
        assert "what if" in page.get_attribute("[data-chart=capex] canvas", "aria-label")
        page.screenshot(path=SHOTS / f"cut-{each['name']}.png")
        act(page, arrow(each["name"]))
        assert page.evaluate("caploop.page.tracks.whatIf") is None
        go(page, 60)


def test_arrows_are_cut_and_healed_by_keys(serving, opened):
    page = opened(serving.address)
    explore(page, 3)
    page.focus("#play")
    page.keyboard.press("4")
    expect(page.locator("#whatif li")).to_have_count(1)
    page.focus('[data-arrow="cobweb"]')
    page.keyboard.press("Enter")
    expect(page.locator("#whatif li")).to_have_count(2)
    page.keyboard.press("u")
    page.keyboard.press("4")
    expect(page.locator("#whatif li")).to_have_count(0)


def test_every_slider_can_be_dragged_to_both_ends(serving, opened):
    """By keys End and Home, as assistive technology does: months go on, or a sentence says why not."""
    page = opened(serving.address)
    explore(page, 6)
    page.click("#sliders summary")
    for row in page.query_selector_all(".slider:not([hidden])"):
        for key in ("End", "Home"):
            row.query_selector("input[type=range]").press(key)
            page.wait_for_function("!caploop.page.pending")
        go(page, 9)
        assert page.is_hidden("#notice")
        page.evaluate("caploop.page.undoAll()")
        page.wait_for_function("!caploop.page.pending")
        go(page, 6)


# -- what goes wrong ---------------------------------------------------------------------------------------------------


def test_a_bad_value_gives_a_sentence_and_a_way_back(serving, opened):
    page = opened(serving.address)
    explore(page, 4)
    page.click("#sliders summary")
    box = page.locator('[data-slider="agents.regulators.ltv_cap"] input[type=number]')
    box.fill("7")
    box.press("Enter")
    expect(page.locator("#notice")).to_contain_text("0.1 to 1")
    page.screenshot(path=SHOTS / "bad-value.png")
    page.click("#notice button")
    expect(box).to_have_value("0.901")
    box.fill("")
    box.press("Enter")
    expect(page.locator("#notice")).to_contain_text("no number")


def test_an_impossible_combination_gives_a_sentence_and_keeps_the_rest(serving, opened):
    page = opened(serving.address)
    explore(page, 4)
    page.click("#sliders summary")
    page.locator('[data-slider="sim.markets.primary.us.base_rate"] input[type=range]').press("End")
    expect(page.locator("#whatif li")).to_have_count(1)
    page.wait_for_function("!caploop.page.pending")
    page.click("[data-shock=rate_rise]")
    expect(page.locator("#notice")).to_contain_text("0.28")
    expect(page.locator("#whatif li")).to_have_count(1)


def test_a_reload_in_the_middle_finds_everything_as_it_was(serving, opened):
    page = opened(serving.address)
    explore(page, 10)
    act(page, arrow("cobweb"))
    go(page, 14)
    before = {name: run("us", "capex") for name, run in runs(page).items()}
    page.reload()
    settle(page, 14)
    assert {name: run("us", "capex") for name, run in runs(page).items()} == before
    expect(page.locator("#whatif li")).to_have_count(1)


def test_two_browsers_do_not_see_each_other(serving, opened):
    one, other = opened(serving.address), opened(serving.address)
    for page in (one, other):
        explore(page, 6)
    act(one, arrow("valuation_credit"))
    one.click("#luck")
    one.wait_for_function("caploop.page.seed === 2")
    assert other.evaluate("[caploop.page.changes.length, caploop.page.seed]") == [0, 1]
    go(other, 8)
    assert other.evaluate("caploop.page.tracks.whatIf") is None


def test_a_lost_connection_is_said_and_mends_itself(opened):
    """The server dies and comes back: the page lives its economy again, changes included."""
    server = Serving()
    page = opened(server.address)
    explore(page, 8)
    act(page, arrow("cobweb"))
    go(page, 10)
    before = {name: run("us", "capex") for name, run in runs(page).items()}
    server.stop()
    expect(page.locator("#notice")).to_contain_text("connection to the economy is lost", timeout=PATIENCE)
    page.screenshot(path=SHOTS / "lost.png")
    again = Serving(server.port)
    page.wait_for_selector("#notice", state="hidden")
    settle(page, 10)
    assert {name: run("us", "capex") for name, run in runs(page).items()} == before
    again.stop()


def test_another_page_cannot_talk_to_the_server(serving, opened):
    """Its socket is closed before it opens: the Origin is not the server's own."""
    page = opened(serving.address)
    page.goto("about:blank")
    code = page.evaluate(
        f"new Promise((done) => new WebSocket('ws://127.0.0.1:{serving.port}/economy').onclose = ({{ code }}) => done(code))"
    )
    assert code == 1006
    page.goto(serving.address)


def test_the_page_needs_nothing_from_elsewhere(serving, opened):
    """With its own Content-Security-Policy in force; whatever it blocks would be an error in the console."""
    page = opened(serving.address, strict=True)
    page.click("#explore")
    page.click("#step")
    expect(page.locator("#when")).to_contain_text("Month 1 ", timeout=PATIENCE)


# -- accessible --------------------------------------------------------------------------------------------------------


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


# -- fast enough -------------------------------------------------------------------------------------------------------


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


def note(**figures):
    """Keep what was measured beside the screenshots."""
    file = SHOTS / "figures.json"
    known = json.loads(file.read_text()) if file.exists() else {}
    file.write_text(json.dumps(known | {name: round(value, 3) for name, value in figures.items()}, indent=1))
    assert all(value == approx(value) for value in figures.values())
