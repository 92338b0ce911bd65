"""The classroom page in a real browser: what its tests share. Screenshots and figures stay in outputs/pages."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import expect, sync_playwright
from pytest import approx, fixture

from analysis.app import measures
from analysis.app.catalog import lessons

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


@fixture(scope="session")
def serving():
    server = Serving()
    yield server
    assert server.stop() in (0, 130)


@fixture(scope="session")
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


@fixture(scope="session")
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


def note(**figures):
    """Keep what was measured beside the screenshots."""
    file = SHOTS / "figures.json"
    known = json.loads(file.read_text()) if file.exists() else {}
    file.write_text(json.dumps(known | {name: round(value, 3) for name, value in figures.items()}, indent=1))
    assert all(value == approx(value) for value in figures.values())
